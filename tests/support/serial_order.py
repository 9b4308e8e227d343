"""Looks for one serial order of calls that explains what each of them was answered, and keeps the order of real time.

After Wing and Gong, with Lowe's memory of where the search has been. A call may come next when no other had ended before
it began. Those that may come next are tried by their hints, which decide how long the search takes and never what it
finds.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from support.facts import Facts


class Interval(Protocol):
    """A call: from when to when, when it probably happened, whether it may not have happened at all, and whether it
    should change nothing."""

    start: float
    end: float
    hint: float
    optional: bool
    quiet: bool


Call = TypeVar("Call", bound=Interval)


@dataclass
class Found(Generic[Call]):
    """``order`` is the longest explanation. ``stuck``: those of which none could come next, where it is not complete."""

    order: list[Call]
    complete: bool
    exhausted: bool
    """Whether there is none for certain; else the search was given up."""
    stuck: list[Call] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What does not fit at the end of one that explains all answers."""


class Search(Generic[Call]):
    """``explains`` does a call to the facts, and says whether that gives what it was answered. ``at_the_end`` says what
    does not fit once all calls are done."""

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
        """Those that are left, as a list linked both ways; its head and end is number ``last``."""
        self._head = last
        self._done = 0
        self._left = sum(not call.optional for call in self._calls)

    def run(self, most: int) -> Found[Call]:
        """Search, and give up after having gone back so many times."""
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
        """Do the next call that fits and leads to where the search has not been."""
        while choices[-1]:
            number = choices[-1].pop()
            mark = self._facts.mark()
            if self._explains(self._calls[number]):
                unchanged = self._facts.mark() == mark
                if unchanged and self._calls[number].optional:
                    continue
                if unchanged and self._calls[number].quiet:
                    # What never changes anything and fits may as well come now: no other choice here is better.
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
        """Those that may come next, the most probable last."""
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
