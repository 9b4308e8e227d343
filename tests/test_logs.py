"""The form of the log: one line for each record, with the request that it belongs to, whatever callers send."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from gqlstock import trail
from gqlstock.logs import Json, Text
from gqlstock.trail import Trail


@pytest.fixture
def asked() -> Iterator[None]:
    token = trail.current.set(Trail("abc-1", "http", lambda *_: None, lambda *_: None))
    yield
    trail.current.reset(token)


def record(message: str, *arguments: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("gqlstock.test", logging.WARNING, "", 0, message, arguments, None)
    made.created = 1_764_000_000.25
    if fields:
        made.fields = fields
    return made


def test_a_line_of_json_has_the_request_and_its_fields(asked: None) -> None:
    line = json.loads(Json().format(record("%s went", "it", ms=1.5)))

    assert line == {
        "time": "2025-11-24T16:00:00.250Z",
        "level": "warning",
        "logger": "gqlstock.test",
        "message": "it went",
        "request_id": "abc-1",
        "ms": 1.5,
    }


def test_a_line_of_text_has_them_too(asked: None) -> None:
    assert Text().format(record("it went", ms=1.5)) == (
        "2025-11-24T16:00:00.250Z WARNING gqlstock.test abc-1 it went ms=1.5"
    )


def test_outside_of_a_request_there_is_no_id() -> None:
    assert "request_id" not in json.loads(Json().format(record("it went")))
    assert Text().format(record("it went")) == "2025-11-24T16:00:00.250Z WARNING gqlstock.test - it went"


def test_nobody_can_write_a_line_of_their_own() -> None:
    forged = "x\n2025-11-24T16:00:00.250Z ERROR   gqlstock.test - forged"

    text = Text().format(record("%s", forged, caller=forged))

    assert [line for line in text.splitlines() if not line.startswith("    ")] == [text.splitlines()[0]]
    assert Json().format(record("%s", forged, caller=forged)).count("\n") == 0


def test_half_of_a_surrogate_pair_can_be_logged() -> None:
    assert json.loads(Json().format(record("\ud800")))["message"] == "\ud800"


def test_an_exception_is_part_of_the_same_line_of_json() -> None:
    made = record("it failed", incident="00ff")
    try:
        raise ValueError("no such thing")
    except ValueError:
        made.exc_info = sys.exc_info()

    line = Json().format(made)

    assert "\n" not in line
    assert json.loads(line)["incident"] == "00ff"
    assert json.loads(line)["exception"].endswith("ValueError: no such thing")


def test_work_for_everybody_is_not_of_the_request_that_began_it(asked: None) -> None:
    assert trail.request_id() == "abc-1"
    assert trail.left().run(trail.request_id) is None
