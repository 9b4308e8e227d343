"""What the log says about errors while the database is away: one line, and a traceback for every other error."""

import logging

import pytest

from gqlstock.graphql.errors import away_message
from gqlstock.rules.feed import OutOfReach
from gqlstock.services import status
from gqlstock.stock.validating import NotValidated
from gqlstock.store.db.outages import Disconnected, Unavailable

log = logging.getLogger(__name__)


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


OUTAGE = caused(Unavailable("the database is unavailable"), OSError("refused\nby the host"))
LINE = "the database is unavailable (refused by the host)"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OUTAGE, LINE),
        (caused(NotValidated(), OUTAGE), LINE),
        (Disconnected("the connection was lost"), "the connection was lost"),
        (ExceptionGroup("tasks", [OUTAGE]), LINE),
        (OutOfReach("the history is another one"), "the history is another one"),
    ],
)
def test_an_outage_takes_one_line_of_a_loop(caplog: pytest.LogCaptureFixture, error: Exception, line: str) -> None:
    status.log_failure(log, "sweeping failed; retrying", error)

    (record,) = caplog.records
    assert (record.levelname, record.getMessage(), record.exc_info) == (
        "WARNING",
        f"sweeping failed; retrying: {line}",
        None,
    )


@pytest.mark.parametrize(
    "error",
    [LookupError("no"), caused(NotValidated(), LookupError("no")), ExceptionGroup("tasks", [OUTAGE, LookupError()])],
)
def test_any_other_error_of_a_loop_has_its_traceback(caplog: pytest.LogCaptureFixture, error: Exception) -> None:
    status.log_failure(log, "sweeping failed; retrying", error)

    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("ERROR", "sweeping failed; retrying")
    assert record.exc_info is not None


def test_a_request_during_an_outage_takes_one_line(caplog: pytest.LogCaptureFixture) -> None:
    message = away_message(OUTAGE)

    (record,) = caplog.records
    incident = record.fields["incident"]  # type: ignore[attr-defined]
    assert (
        message
        == f"Something went wrong on our side (incident {incident}). The database is unavailable. Try again later."
    )
    assert record.getMessage() == f"error {incident} while the database was away: {LINE}"
    assert not record.exc_info
