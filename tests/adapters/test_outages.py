import logging

import pytest

from gqlstock.adapters.outages import Outage

log = logging.getLogger("outages")


def outage() -> Outage:
    return Outage(log, "It is away: %s", "It is back.")


def test_an_outage_is_two_lines_however_often_it_is_tried(caplog: pytest.LogCaptureFixture) -> None:
    one = outage()
    one.worked("reading")
    for number in range(3):
        one.failed("reading", OSError(f"refused {number}"))
    one.worked("reading")
    one.worked("reading")

    assert caplog.messages == ["It is away: refused 0", "It is back."]


def test_the_next_outage_is_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    one = outage()
    for number in range(2):
        one.failed("reading", OSError(f"refused {number}"))
        one.worked("reading")

    assert caplog.messages == ["It is away: refused 0", "It is back.", "It is away: refused 1", "It is back."]


def test_it_is_over_once_everything_works_again(caplog: pytest.LogCaptureFixture) -> None:
    one = outage()
    one.failed("reading", OSError("refused"))
    one.failed("writing", OSError("refused"))
    one.worked("writing")
    before = list(caplog.messages)
    one.worked("reading", "writing")

    assert (before, caplog.messages) == (["It is away: refused"], ["It is away: refused", "It is back."])
