"""Searches for a serial order of calls that explains all answers and respects real time (a linearization).

The algorithm is by Wing and Gong, with Lowe's memoization of visited states. A call may come next if no other remaining call
ended before it began. Candidates are tried in the order of their hints, then of their starts. Hints affect only the duration
of the search, unless it gives up.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from support.facts import Facts


class Interval(Protocol):
    """A call. ``start`` and ``end``: its time interval; ``hint``: when it probably took effect; ``optional``: whether it may
    not have happened; ``quiet``: whether it should change nothing."""

    start: float
    end: float
    hint: float
    optional: bool
    quiet: bool


Call = TypeVar("Call", bound=Interval)


@dataclass
class Found(Generic[Call]):
    """``order``: the serial order, or the longest partial one; ``stuck``: the candidates of which none could come next."""

    order: list[Call]
    complete: bool
    exhausted: bool
    """Whether the search was exhaustive, so that no serial order exists. Otherwise it gave up or found one."""
    stuck: list[Call] = field(default_factory=list)
    backtracks: int = 0
    problems: list[str] = field(default_factory=list)
    """If the order explains all answers: how the final state differs."""


class Search(Generic[Call]):
    """``explains`` applies a call to the facts, and returns whether the result agrees with its answer. ``final_differences``
    returns how the facts differ from the required final state."""

    def __init__(
        self,
        calls: Sequence[Call],
        facts: Facts,
        explains: Callable[[Call], bool],
        final_differences: Callable[[], list[str]],
    ) -> None:
        self._calls = sorted(calls, key=lambda call: call.start)
        self._facts = facts
        self._explains = explains
        self._final_differences = final_differences
        chance = random.Random(0)
        self._tokens = [chance.getrandbits(60) for _ in self._calls]
        last = len(self._calls)
        self._next = [*range(1, last + 1), 0]
        self._before = [last, *range(last)]
        """The remaining calls as a doubly linked list. Number ``last`` is its sentinel."""
        self._head = last
        self._done = 0
        self._required_left = sum(not call.optional for call in self._calls)

    def run(self, max_backtracks: int) -> Found[Call]:
        """Search, and give up after ``max_backtracks`` backtracks."""
        best = Found[Call]([], complete=False, exhausted=False)
        best.stuck = [self._calls[number] for number in self._candidates()]
        path: list[tuple[int, int]] = []
        open_choices = [self._candidates()]
        seen = {(self._done, self._facts.digest)}
        while True:
            if not self._required_left and not (problems := self._final_differences()):
                return Found([self._calls[number] for number, _ in path], complete=True, exhausted=False)
            if len(path) > len(best.order) or (not self._required_left and not best.problems):
                best.order = [self._calls[number] for number, _ in path]
                best.stuck = [self._calls[number] for number in self._candidates()]
                best.problems = problems if not self._required_left else []
            if not self._step(path, open_choices, seen):
                best.backtracks += 1
                open_choices.pop()
                if not path or best.backtracks > max_backtracks:
                    best.exhausted = not path
                    return best
                number, mark = path.pop()
                self._restore(number)
                self._facts.undo(mark)

    def _step(self, path: list[tuple[int, int]], choices: list[list[int]], seen: set[tuple[int, int]]) -> bool:
        """Apply the next candidate that fits and leads to an unvisited state."""
        while choices[-1]:
            number = choices[-1].pop()
            mark = self._facts.mark()
            if self._explains(self._calls[number]):
                unchanged = self._facts.mark() == mark
                if unchanged and self._calls[number].optional:
                    continue
                if unchanged and self._calls[number].quiet:
                    # A fitting quiet call can come next, because every order of the other calls stays possible.
                    choices[-1].clear()
                self._remove(number)
                state = self._done, self._facts.digest
                if state not in seen:
                    seen.add(state)
                    path.append((number, mark))
                    choices.append(self._candidates())
                    return True
                self._restore(number)
            self._facts.undo(mark)
        return False

    def _candidates(self) -> list[int]:
        """The calls that may come next, the most probable one last."""
        found: list[int] = []
        first_end = float("inf")
        number = self._next[self._head]
        while number != self._head and self._calls[number].start <= first_end:
            found.append(number)
            first_end = min(first_end, self._calls[number].end)
            number = self._next[number]
        return sorted(found, key=lambda number: (self._calls[number].quiet, -self._calls[number].hint, -number))

    def _remove(self, number: int) -> None:
        self._next[self._before[number]] = self._next[number]
        self._before[self._next[number]] = self._before[number]
        self._done ^= self._tokens[number]
        self._required_left -= not self._calls[number].optional

    def _restore(self, number: int) -> None:
        self._next[self._before[number]] = number
        self._before[self._next[number]] = number
        self._done ^= self._tokens[number]
        self._required_left += not self._calls[number].optional
