"""The search for a serial order, on calls that set and read one number."""

from dataclasses import dataclass

import pytest

from support.facts import Facts
from support.serial_order import Found, Search

NEVER = float("inf")


@dataclass(eq=False)
class Step:
    """Sets the number to ``value``, or reads it. Nobody knows whether one happened that never ends."""

    name: str
    value: int
    start: float
    end: float = NEVER
    hint: float = 0.0

    @property
    def optional(self) -> bool:
        return self.end == NEVER

    @property
    def quiet(self) -> bool:
        return self.name == "read"


def search(*steps: Step, at_the_end: int | None = None) -> Found[Step]:
    facts = Facts()
    facts.put("number", 0)

    def explains(step: Step) -> bool:
        if step.name == "read":
            return bool(facts.get("number") == step.value)
        facts.put("number", step.value)
        return True

    def misfits() -> list[str]:
        found = facts.get("number")
        return [] if at_the_end in (None, found) else [f"{found}, not {at_the_end}"]

    return Search(steps, facts, explains, misfits).run(1_000)


def test_calls_that_overlap_may_have_happened_in_either_order() -> None:
    late, early = Step("set", 1, 0, 10), Step("read", 0, 5, 9)

    assert search(late, early).order == [early, late]
    assert search(late, Step("read", 1, 5, 9)).complete


def test_a_read_after_a_call_had_ended_shows_what_that_did() -> None:
    found = search(Step("set", 1, 0, 4), Step("read", 0, 5, 9))

    assert (found.complete, found.exhausted, len(found.order)) == (False, True, 1)


def test_what_one_client_has_seen_no_later_one_misses() -> None:
    """Each read fits by itself while the number is set."""
    seen, missed = Step("read", 1, 2, 3), Step("read", 0, 4, 5)

    assert not search(Step("set", 1, 0, 10), seen, missed).complete
    assert search(Step("set", 1, 0, 10), Step("read", 0, 2, 3), Step("read", 1, 4, 5)).complete


@pytest.mark.parametrize(("seen", "complete"), [(0, True), (1, True), (2, False)])
def test_a_call_without_an_answer_may_have_happened_or_not(seen: int, complete: bool) -> None:
    assert search(Step("set", 1, 0), Step("read", seen, 5, 6)).complete is complete


def test_the_serial_order_ends_in_what_is_there_at_the_end() -> None:
    one, two = Step("set", 1, 0, 10), Step("set", 2, 1, 9)

    assert search(one, two, at_the_end=1).order == [two, one]
    assert search(one, two, at_the_end=2).order == [one, two]
    assert search(one, two, at_the_end=3).problems == ["2, not 3"]


def test_hints_that_are_wrong_change_nothing_but_the_time_it_takes() -> None:
    steps = [Step("set", value, 0, 100, hint=-value) for value in range(1, 8)]

    assert search(*steps, Step("read", 1, 101, 102), at_the_end=1).complete
    assert not search(*steps, Step("read", 9, 101, 102)).complete


def test_a_call_that_would_change_nothing_now_may_have_changed_something_later() -> None:
    back, one = Step("set", 0, 0, 10), Step("set", 1, 1, 9, hint=1)

    assert search(back, one, at_the_end=0).order == [one, back]
