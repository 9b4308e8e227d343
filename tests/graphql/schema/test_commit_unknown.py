from graphql import GraphQLError

from gqlstock.graphql.errors import coded
from gqlstock.store.db.commits import CommitUnknown


def test_a_change_that_may_have_been_made_is_told_with_what_to_do():
    error = coded(GraphQLError("lost", original_error=CommitUnknown("the answer to a COMMIT was lost")))

    assert error.extensions == {"code": "INTERNAL"}
    assert "It is unknown whether the change was committed" in error.message
    assert "Send it again with the same idempotencyKey" in error.message


def test_what_nobody_foresaw_is_told_as_an_incident_alone():
    error = coded(GraphQLError("lost", original_error=LookupError("lost")))

    assert error.extensions == {"code": "INTERNAL"}
    assert "not known" not in error.message
