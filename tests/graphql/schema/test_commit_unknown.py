import pytest
from graphql import GraphQLError

from gqlstock.graphql.errors import coded, seconds_to_retry
from gqlstock.rules.refusals import Refused
from gqlstock.store.db.commits import CommitUnknown
from gqlstock.store.db.outages import Unavailable


def test_a_change_that_may_have_been_made_is_told_with_what_to_do():
    error = coded(GraphQLError("lost", original_error=CommitUnknown("the answer to a COMMIT was lost")))

    assert error.extensions == {"code": "INTERNAL"}
    assert "It is unknown whether the change was committed" in error.message
    assert "Send it again with the same idempotencyKey" in error.message


def test_what_nobody_foresaw_is_told_as_an_incident_alone():
    error = coded(GraphQLError("lost", original_error=LookupError("lost")))

    assert error.extensions == {"code": "INTERNAL"}
    assert "not known" not in error.message


@pytest.mark.parametrize(
    ("first", "seconds"),
    [(CommitUnknown("lost"), None), (LookupError("lost"), None), (Refused(()), 2), (Unavailable("away"), 2)],
)
def test_an_operation_may_be_sent_again_only_if_no_part_of_it_can_have_been_applied(
    first: Exception, seconds: int | None
) -> None:
    errors = [coded(GraphQLError("failed", original_error=each)) for each in (first, Unavailable("away"))]

    assert seconds_to_retry(errors) == seconds
