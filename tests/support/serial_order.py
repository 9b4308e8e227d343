"""Searches for a serial order of calls that explains all answers and respects real time.

The algorithm is Wing and Gong's, with Lowe's memoization of visited states. A call may come next if no other remaining call
ended before it began. Candidates are tried in the order of their hints, which affect the duration of the search, but never
its result.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from support.facts import Facts


class Interval(Protocol):
    """A call: when it began and ended, when it probably happened, whether it may not have happened at all, and whether
    it should change nothing."""

    start: float
    end: float
    hint: float
    optional: bool
    quiet: bool


Call = TypeVar("Call", bound=Interval)


@dataclass
class Found(Generic[Call]):
    """``order``: the longest explanation. ``stuck``: if incomplete, the candidates of which none could come next."""

    order: list[Call]
    complete: bool
    exhausted: bool
    """Whether it is certain that there is none; otherwise the search gave up."""
    stuck: list[Call] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """The final differences of an order that explains all answers."""


class Search(Generic[Call]):
    """``explains`` applies a call to the facts, and returns whether the result agrees with its answer. ``at_the_end`` returns
    the differences after all calls."""

    def __init__(
        self,
        calls: Sequence[Call],
        facts: Facts,
        explains: Callable[[Call], bool],
        at_the_end: Callable[[], list[str]],
    ) -> None:
        self._calls = sorted(calls, key=lambda call: call.start)
        self._facts = facts
        self._explains = explains
        self._at_the_end = at_the_end
        chance = random.Random(0)
        self._tokens = [chance.getrandbits(60) for _ in self._calls]
        last = len(self._calls)
        self._next = [*range(1, last + 1), 0]
        self._before = [last, *range(last)]
        """The remaining calls, as a doubly linked list. Its head and end is number ``last``."""
        self._head = last
        self._done = 0
        self._left = sum(not call.optional for call in self._calls)

    def run(self, most: int) -> Found[Call]:
        """Search, and give up after that many backtracks."""
        best = Found[Call]([], complete=False, exhausted=False)
        path: list[tuple[int, int]] = []
        open_choices = [self._candidates()]
        seen = {(self._done, self._facts.digest)}
        went_back = 0
        while True:
            if not self._left and not (problems := self._at_the_end()):
                return Found([self._calls[number] for number, _ in path], complete=True, exhausted=False)
            if len(path) > len(best.order) or (not self._left and not best.problems):
                best.order = [self._calls[number] for number, _ in path]
                best.stuck = [self._calls[number] for number in self._candidates()]
                best.problems = problems if not self._left else []
            if not self._step(path, open_choices, seen):
                went_back += 1
                open_choices.pop()
                if not path or went_back > most:
                    best.exhausted = not path
                    return best
                number, mark = path.pop()
                self._put_back(number)
                self._facts.undo(mark)

    def _step(self, path: list[tuple[int, int]], choices: list[list[int]], seen: set[tuple[int, int]]) -> bool:
        """Apply the next call that fits and leads to an unvisited state."""
        while choices[-1]:
            number = choices[-1].pop()
            mark = self._facts.mark()
            if self._explains(self._calls[number]):
                unchanged = self._facts.mark() == mark
                if unchanged and self._calls[number].optional:
                    continue
                if unchanged and self._calls[number].quiet:
                    # A fitting call that never changes anything can come first: no other choice is better.
                    choices[-1].clear()
                self._take_out(number)
                where = self._done, self._facts.digest
                if where not in seen:
                    seen.add(where)
                    path.append((number, mark))
                    choices.append(self._candidates())
                    return True
                self._put_back(number)
            self._facts.undo(mark)
        return False

    def _candidates(self) -> list[int]:
        """The calls that may come next, the most probable last."""
        found: list[int] = []
        first_end = float("inf")
        number = self._next[self._head]
        while number != self._head and self._calls[number].start <= first_end:
            found.append(number)
            first_end = min(first_end, self._calls[number].end)
            number = self._next[number]
        return sorted(found, key=lambda number: (self._calls[number].quiet, -self._calls[number].hint))

    def _take_out(self, number: int) -> None:
        self._next[self._before[number]] = self._next[number]
        self._before[self._next[number]] = self._before[number]
        self._done ^= self._tokens[number]
        self._left -= not self._calls[number].optional

    def _put_back(self, number: int) -> None:
        self._next[self._before[number]] = number
        self._before[self._next[number]] = number
        self._done ^= self._tokens[number]
        self._left += not self._calls[number].optional
