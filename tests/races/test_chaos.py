"""The faults of real operations under load, a few seconds of each: ``scripts/chaos`` makes them for longer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.followers import Part, fault_of
from chaos.tail import Tail, split
from gqlstock.rules.feed import Cursor
from gqlstock.store.db import clock
from support.history import Call
from support.stock_evidence import Evidence, Kept

HOME = Path(__file__).parents[2]
ENTRIES = [Cursor(0, tx, tx, 7 * tx) for tx in range(1, 6)]
LOST = Cursor(0, 4, 4, 1)
"""At the place of an entry, in another history."""


@pytest.mark.skipif("GQLSTOCK_TEST_DATABASE_URL" not in os.environ, reason="needs GQLSTOCK_TEST_DATABASE_URL")
def test_under_every_fault_nothing_confirmed_is_lost_and_nothing_is_sold_twice() -> None:
    own = {"PYTHONPATH": os.pathsep.join([str(HOME / "tests"), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "chaos", "--minutes", "0"]

    done = subprocess.run(command, env={**os.environ, **own}, cwd=HOME, capture_output=True, text=True, timeout=900)

    assert done.returncode == 0, done.stdout + done.stderr
    left_out = [line for line in done.stdout.splitlines() if line.startswith("left out")]
    # Disks can be mounted by root only. Everything else must be there.
    assert [line for line in left_out if "needs root" not in line] == []


def told(*cursors: Cursor, start: Cursor = ENTRIES[0], refused: bool = False) -> Part:
    return Part(start.text, [cursor.text for cursor in cursors], refused)


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        (told(*ENTRIES[1:]), None),
        (told(*ENTRIES[1:4]), "3 of 4 changes were told"),
        (
            told(*ENTRIES[1:3], *ENTRIES[4:]),
            "a change is missing among those that were told, or the order is another one",
        ),
        (told(*ENTRIES[2:]), "a change is missing among those that were told, or the order is another one"),
        (told(*ENTRIES[1:3], *ENTRIES[2:]), "1 changes were told twice"),
        (told(*ENTRIES[1:3], refused=True), "INVALID_CURSOR, though the database has its cursor"),
    ],
)
@pytest.mark.parametrize("may_lose", [False, True])
def test_what_a_subscriber_was_told_is_compared_with_the_database(
    part: Part, fault: str | None, may_lose: bool
) -> None:
    assert fault_of(part, ENTRIES, set(ENTRIES), last=True, may_lose=may_lose) == fault


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        (told(*ENTRIES[1:3], LOST, refused=True), None),
        (told(ENTRIES[1], LOST, *ENTRIES[2:]), None),
        (
            told(*ENTRIES[1:], LOST),
            "the database does not have the last change that was told, and there was no INVALID_CURSOR",
        ),
    ],
)
def test_only_a_database_that_may_lose_changes_may_lack_what_was_told(part: Part, fault: str | None) -> None:
    assert fault_of(part, ENTRIES, set(ENTRIES), last=True, may_lose=True) == fault
    assert fault_of(part, ENTRIES, set(ENTRIES), last=True) == "1 changes were told that the database does not have"


def answered(tag: str, start: float, *, key: bool = True, refusals: tuple[tuple[str, int | None], ...] = ()) -> Call:
    return Call("counted", "adjust", {}, tag, tag if key else None, start, start + 1, refusals)


def test_what_was_confirmed_before_the_standby_was_cut_off_is_not_taken_for_lost() -> None:
    early, lost, later = answered("a", 1), answered("b", 10), answered("c", 20)

    found = split([early, lost, later], {"counted": Evidence()}, Tail(since=10, until=15))

    assert (found.there, found.lost, found.problems) == ([early, later], [lost], [])


def test_what_a_lost_history_showed_is_not_checked_and_what_has_no_key_may_have_happened() -> None:
    refused, unknown = answered("a", 10, refusals=(("INVALID_STATE", None),)), answered("b", 10, key=False)

    found = split([refused, unknown], {"counted": Evidence()}, Tail(since=10, until=15))

    assert [(call.tag, call.optional) for call in found.there] == [("b", True)]
    assert found.lost == []


def test_a_call_that_is_there_although_one_confirmed_before_it_is_lost_is_a_problem() -> None:
    lost, later = answered("a", 10), answered("b", 12)
    evidence = Evidence(kept={"b": Kept(None, clock.now().replace(year=2000), 1)})

    found = split([lost, later], {"counted": evidence}, Tail(since=10, until=15))

    assert found.lost == [lost]
    assert [problem.partition(" ")[0] for problem in found.problems] == ["b"]
