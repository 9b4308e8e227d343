"""The checker of histories accepts what correct servers do during an outage, and rejects what they must not do."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from support.history import Call, Checker, Group, Verdict, check
from support.simulated_shop import STAMPS, History, simulate
from support.stock_evidence import Evidence, Kept, LedgerRow
from support.stock_records import ON_SHIPMENT, Announcement, Rules

NOW = datetime(2096, 3, 14, 12, tzinfo=UTC)
BERLIN = "MUG", "BERLIN"
GROUP = Group({"MUG": Rules(ON_SHIPMENT)}, ("BERLIN", "HAMBURG"), {BERLIN: 8})


def evidence(**given: Any) -> Evidence:
    """Eight units in Berlin, which were counted."""
    found = Evidence(levels={BERLIN: (8, 0, 0, 0, 0, 0)}, **given)
    found.ledger[BERLIN] = [LedgerRow("COUNT", 8, 8, None, None, NOW)]
    return found


def call(name: str, *, key: bool = True, start: float = 1, end: float | None = None, **given: Any) -> Call:
    """A call; it has no answer unless it has an ``end``."""
    made = Call("mugs", name, given, "a", "a" if key else None, start)
    if end is not None:
        made.end, made.refusals = end, ()
    return made


def place(**more: Any) -> Call:
    return call("place", rows=[("MUG", 2)], hold=None, **more)


def adjust(**more: Any) -> Call:
    return call("adjust", rows=[(*BERLIN, 3)], **more)


def verdict(found: Evidence, *calls: Call, max_backtracks: int = 1_000) -> Verdict:
    (made,) = check(calls, {"mugs": GROUP}, {"mugs": found}, max_backtracks)
    return made


@pytest.mark.parametrize("stamp", STAMPS)
def test_histories_with_an_outage_are_accepted(stamp: str) -> None:
    found = [
        f"seed {seed}: {one.group}: {problem}"
        for seed in range(5)
        for history in [simulate(seed, STAMPS[stamp], seconds=36, away=(4, 33))]
        for one in check(history.calls, history.groups, history.evidence, 1_000)
        for problem in one.problems
    ]

    assert found == []


@pytest.mark.parametrize("unanswered", [place(), adjust()], ids=["order", "adjustment"])
def test_a_stored_answer_without_its_change_is_rejected(unanswered: Call) -> None:
    found = verdict(evidence(kept={"a": Kept(5 if unanswered.name == "place" else None, NOW, 1)}), unanswered)

    assert not found.undecided
    assert found.problems[0].startswith("no serial order of 1 calls exists")


def test_the_attempts_of_a_stored_key_are_one_call() -> None:
    stored = evidence(kept={"a": Kept(None, NOW, 1)})
    stored.levels[BERLIN] = (11, 0, 0, 0, 0, 0)
    stored.ledger[BERLIN].append(LedgerRow("ADJUSTMENT", 3, 11, None, "a", NOW))
    attempts = [adjust(start=1), adjust(start=8, end=9), adjust(start=8, end=10)]

    found = verdict(stored, *attempts)

    assert (found.problems, found.calls) == ([], 1)


def test_attempts_with_different_objects_are_rejected() -> None:
    first, second = place(start=1, end=2), place(start=3, end=4)
    first.made, second.made = 5, 6

    units = Counter({(0, "BERLIN"): 2})
    stored = evidence(kept={"a": Kept(5, NOW, 1)}, plans={5: [units]}, promised={5: [None]})

    found = verdict(stored, first, second)

    assert found.problems[-1].endswith("the key was already used, for 5")


def test_a_confirmed_call_without_a_stored_answer_is_rejected() -> None:
    found = verdict(evidence(), call("count", rows=[(*BERLIN, 8, None, None)], end=2))

    assert found.problems == [
        "no serial order of 1 calls exists: the best one explains 0, and none of these can be next:",
        "a count(rows=[('MUG', 'BERLIN', 8, None, None)]) → done: the database has no answer under its key",
    ]


def test_a_confirmed_announcement_that_the_database_lost_is_rejected() -> None:
    """Another one is there, so the model has something to sort the lost one with."""
    there = Announcement(*BERLIN, 1, None)
    stored = evidence(announcements={7: there}, tagged={"b": 7})
    stored.levels[BERLIN] = (8, 0, 0, 0, 0, 1)
    given = {"sku": "MUG", "warehouse": "BERLIN", "quantity": 1, "at": None}
    lost, kept = (
        call("announce", key=False, start=3, end=4, **given),
        Call("mugs", "announce", given, "b", None, 1, 2, ()),
    )

    found = verdict(stored, lost, kept)

    assert found.problems[-1].endswith("the database has no announcement of the call")


def test_hints_follow_the_numbers_of_stored_answers_if_the_clock_is_wrong() -> None:
    calls = [
        Call("mugs", "adjust", {}, tag, tag, start, end, ())
        for tag, start, end in (("c", 1, 7), ("b", 3, 5), ("a", 2, 9))
    ]
    stored = evidence(kept={"a": Kept(None, NOW, 1), "b": Kept(None, NOW, 2), "c": Kept(None, NOW, 3)})

    possible = Checker(GROUP, stored).possible(calls)

    assert [one.tag for one in sorted(possible, key=lambda one: one.hint)] == ["a", "b", "c"]


def test_a_search_that_gives_up_says_so() -> None:
    adjustments = [
        Call("mugs", "adjust", {"rows": [(*BERLIN, 3)]}, str(number), None, 1, 9, ()) for number in (1, 2, 3)
    ]
    stored = evidence()
    rows = [LedgerRow("ADJUSTMENT", 3, 8 + 3 * number, None, str(number), NOW) for number in (1, 2, 3)]
    stored.ledger[BERLIN] += rows

    found = verdict(stored, *adjustments, max_backtracks=0)

    assert found.undecided
    assert found.problems[0].startswith("undecided after 1 backtracks: no serial order of 3 calls was found")


def applied(history: History, *names: str) -> Call:
    """The last of those calls that was answered and had an effect."""
    return next(one for one in reversed(history.applied) if one.name in names and one.refusals == ())


def test_an_order_that_is_shown_as_it_was_is_rejected() -> None:
    history = simulate(1, STAMPS["right"], away=(0, 0), seconds=4)
    changed = applied(history, "cancel", "edit")
    stale = next(one for one in history.calls if one.name == "place" and one.made == changed.given["id"])
    lines = [(sku, quantity, 0, 0, 0, 0) for sku, quantity in stale.given["rows"]]
    late = Call(
        stale.group, "look_order", {"id": stale.made}, "look", None, 1e9, 1e9 + 1, (), seen=("PLACED", tuple(lines))
    )

    found = check([*history.calls, late], history.groups, history.evidence)

    assert [one.group for one in found if one.problems] == [stale.group]
