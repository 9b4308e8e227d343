"""Measures reads cold, mixed and hot, alternating between gqlstock and the hand-written code."""

import asyncio
import itertools
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import client
import databases
from client import Load
from gqlstock.rules.events import RESET
from gqlstock.store import outbox
from gqlstock.store.db import connection, transactions
from questions import CLIENTS
from reads import ORDERS_PER_SECOND, Read, Temperature
from serving import CacheFigures, Server
from turns import Taken, Way

# Enough to reach every worker.
_WARMING = CLIENTS * 4


@dataclass(frozen=True, slots=True)
class Pace:
    rounds: int
    seconds: float
    """The duration of a turn. A cold turn of gqlstock ends earlier, once every subject was requested."""


@dataclass(frozen=True, slots=True)
class Row:
    """A read at one temperature. ``hit_rates``: gqlstock's, per round; empty if the server has no such metrics."""

    read: Read
    temperature: Temperature
    ours: Way = field(default_factory=Way)
    by_hand: Way = field(default_factory=Way)
    hit_rates: list[float] = field(default_factory=list)

    @property
    def goal(self) -> float:
        return self.read.goals[self.temperature]

    @property
    def ratio(self) -> float:
        """The rate of gqlstock divided by that of the hand-written code: the median over the pairs of turns."""
        pairs = zip(self.ours.per_second, self.by_hand.per_second, strict=True)
        return statistics.median(ours / by_hand for ours, by_hand in pairs)


class _Side:
    """One server and its requests for the subjects of a read. ``keeps``: whether the server caches answers."""

    def __init__(
        self, server: Server, requests: list[bytes], orders: list[bytes], popular: Sequence[int], *, keeps: bool
    ) -> None:
        *self._inside, self._outside = requests
        self._popular = itertools.cycle([requests[subject] for subject in popular])
        self._orders = itertools.cycle(orders)
        self._server, self._keeps = server, keeps

    def ask(self, temperature: Temperature, seconds: float) -> tuple[Taken, float | None]:
        """One turn and its cache hit rate."""
        load = Load(self._orders, ORDERS_PER_SECOND) if temperature is Temperature.MIXED else None
        cache_before, busy_before = self._cache(), self._server.busy()
        turn = client.ask(self._server.port, self._requests(temperature), CLIENTS, seconds, load=load)
        taken = Taken(turn, self._server.busy() - busy_before)
        return taken, _hit_rate(cache_before, self._cache())

    def warm(self) -> None:
        """Load what all subjects share into the cache."""
        client.ask(self._server.port, itertools.repeat(self._outside, _WARMING), CLIENTS, math.inf)

    def _requests(self, temperature: Temperature) -> Iterator[bytes]:
        if temperature is Temperature.MIXED:
            return self._popular
        if temperature is Temperature.HOT:
            return itertools.repeat(self._inside[0])
        # Without a cache, a repeated subject is as cold as before.
        return iter(self._inside) if self._keeps else itertools.cycle(self._inside)

    def _cache(self) -> CacheFigures | None:
        return self._server.cache() if self._keeps else None


def take(reads: Sequence[Read], ours: Server, our_url: str, by_hand: Server, token: str, pace: Pace) -> list[Row]:
    """Measure every read at every temperature in each round, after a round for warm-up."""
    rows = [Row(read, temperature) for read in reads for temperature in Temperature]
    sides = [_sides(read, ours, by_hand, token) for read in reads]
    for number in range(pace.rounds + 1):
        seconds = pace.seconds if number else pace.seconds * 0.3
        for read, (our_side, hand_side) in zip(reads, sides, strict=True):
            asyncio.run(_forget(our_url))
            our_side.warm()
            for row in (row for row in rows if row.read is read):
                into = row if number else Row(read, row.temperature)
                for is_ours in (number % 2 == 0, number % 2 == 1):
                    if is_ours:
                        taken, hit_rate = our_side.ask(row.temperature, seconds)
                        into.ours.loaded.append(taken)
                        if hit_rate is not None:
                            into.hit_rates.append(hit_rate)
                    else:
                        into.by_hand.loaded.append(hand_side.ask(row.temperature, seconds)[0])
    return rows


def _sides(read: Read, ours: Server, by_hand: Server, token: str) -> tuple[_Side, _Side]:
    popular = read.popular()
    return (
        _Side(ours, read.question.ours(token), read.ours_ordered(token), popular, keeps=True),
        _Side(by_hand, read.question.by_hand(token), read.by_hand_ordered(token), popular, keeps=False),
    )


def _hit_rate(before: CacheFigures | None, after: CacheFigures | None) -> float | None:
    """The hit rate; None if the server has no such metrics."""
    if before is None or after is None:
        return None
    hits, misses = after.hits - before.hits, after.misses - before.misses
    return hits / (hits + misses) if hits + misses else None


async def _forget(url: str) -> None:
    """Make the server on this database drop its cache."""
    async with connection.opened(databases.opened_as(url)):
        await transactions.run(lambda: outbox.add([RESET]))
