"""Injects each fault for a few seconds under load. ``scripts/chaos`` does so for longer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.followers import Segment, feed_problem
from chaos.tail import Tail, split
from gqlstock.rules.feed import Cursor
from gqlstock.store.db import clock
from support.history import Call
from support.stock_evidence import Evidence, Kept

HOME = Path(__file__).parents[2]
ENTRIES = [Cursor(0, tx, tx, 7 * tx) for tx in range(1, 6)]
LOST = Cursor(0, 4, 4, 1)
"""The cursor of an entry at the same position in another history."""


@pytest.mark.skipif("GQLSTOCK_TEST_DATABASE_URL" not in os.environ, reason="needs GQLSTOCK_TEST_DATABASE_URL")
def test_no_fault_loses_a_confirmed_change_or_sells_a_unit_twice() -> None:
    path = {"PYTHONPATH": os.pathsep.join([str(HOME / "tests"), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "chaos", "--minutes", "0"]

    done = subprocess.run(command, env={**os.environ, **path}, cwd=HOME, capture_output=True, text=True, timeout=900)

    assert done.returncode == 0, done.stdout + done.stderr
    skipped = [line for line in done.stdout.splitlines() if line.startswith("skipped")]
    # Only root can mount disks. No other fault may be skipped.
    assert [line for line in skipped if "needs root" not in line] == []


def segment(*cursors: Cursor, start: Cursor = ENTRIES[0], refused: bool = False) -> Segment:
    return Segment(start.text, [cursor.text for cursor in cursors], refused)


@pytest.mark.parametrize(
    ("received", "problem"),
    [
        (segment(*ENTRIES[1:]), None),
        (segment(*ENTRIES[1:4]), "3 of 4 changes were received"),
        (
            segment(*ENTRIES[1:3], *ENTRIES[4:]),
            "a change is missing or out of order",
        ),
        (segment(*ENTRIES[2:]), "a change is missing or out of order"),
        (segment(*ENTRIES[1:3], *ENTRIES[2:]), "1 changes were received twice"),
        (segment(*ENTRIES[1:3], refused=True), "INVALID_CURSOR, but the cursor is in the database"),
    ],
)
@pytest.mark.parametrize("may_lose", [False, True])
def test_received_changes_are_compared_with_the_database(
    received: Segment, problem: str | None, may_lose: bool
) -> None:
    assert feed_problem(received, ENTRIES, set(ENTRIES), last=True, may_lose=may_lose) == problem


@pytest.mark.parametrize(
    ("received", "problem"),
    [
        (segment(*ENTRIES[1:3], LOST, refused=True), None),
        (segment(ENTRIES[1], LOST, *ENTRIES[2:]), None),
        (
            segment(*ENTRIES[1:], LOST),
            "the last received change is not in the database, but its cursor was not refused",
        ),
    ],
)
def test_received_changes_may_be_missing_only_from_a_database_that_may_lose_changes(
    received: Segment, problem: str | None
) -> None:
    assert feed_problem(received, ENTRIES, set(ENTRIES), last=True, may_lose=True) == problem
    assert feed_problem(received, ENTRIES, set(ENTRIES), last=True) == "1 received changes are not in the database"


def answered(tag: str, start: float, *, key: bool = True, refusals: tuple[tuple[str, int | None], ...] = ()) -> Call:
    return Call("counted", "adjust", {}, tag, tag if key else None, start, start + 1, refusals)


def test_calls_confirmed_before_replication_stopped_are_not_reported_as_lost() -> None:
    early, lost, later = answered("a", 1), answered("b", 10), answered("c", 20)

    found = split([early, lost, later], {"counted": Evidence()}, Tail(since=10, until=15))

    assert (found.kept, found.lost, found.problems) == ([early, later], [lost], [])


def test_refusals_before_the_promotion_are_not_checked_and_calls_without_a_key_become_optional() -> None:
    refused, unknown = answered("a", 10, refusals=(("INVALID_STATE", None),)), answered("b", 10, key=False)

    found = split([refused, unknown], {"counted": Evidence()}, Tail(since=10, until=15))

    assert [(call.tag, call.optional) for call in found.kept] == [("b", True)]
    assert found.lost == []


def test_a_kept_call_that_began_after_a_lost_one_was_confirmed_is_a_problem() -> None:
    lost, later = answered("a", 10), answered("b", 12)
    evidence = Evidence(kept={"b": Kept(None, clock.now().replace(year=2000), 1)})

    found = split([lost, later], {"counted": evidence}, Tail(since=10, until=15))

    assert found.lost == [lost]
    assert [problem.partition(" ")[0] for problem in found.problems] == ["b"]
