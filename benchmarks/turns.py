"""Rows asked in turns: ours, by hand, ours, by hand, so that what disturbs the machine disturbs both."""

import itertools
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

import client
from client import Turn
from questions import Question
from serving import Server


@dataclass(frozen=True, slots=True)
class Pace:
    """How many rounds there are, and how many seconds a turn takes: with many clients, and with one."""

    rounds: int
    loaded: float
    alone: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A turn, and the seconds of a processor that the server had in it."""

    turn: Turn
    busy: float

    @property
    def busy_ms(self) -> float:
        """For each request."""
        return self.busy / len(self.turn.each) * 1_000


@dataclass(frozen=True, slots=True)
class Way:
    """What one way took: the turns with many clients, and those with one."""

    loaded: list[Taken] = field(default_factory=list)
    alone: list[Taken] = field(default_factory=list)

    @property
    def per_second(self) -> list[float]:
        return [taken.turn.per_second for taken in self.loaded]

    @property
    def milliseconds(self) -> float:
        """The median of an answer to one client, the median of all turns."""
        return statistics.median(taken.turn.median_ms for taken in self.alone)

    @property
    def busy_ms(self) -> float:
        return statistics.median(taken.busy_ms for taken in self.loaded or self.alone)


@dataclass(frozen=True, slots=True)
class Row:
    question: Question
    ours: Way = field(default_factory=Way)
    by_hand: Way = field(default_factory=Way)


def compare(asked: Sequence[Question], ours: Server, by_hand: Server, token: str) -> None:
    """Both ways must tell the same, or there is nothing to compare."""
    for question in asked:
        requests = list(zip(question.ours(token), question.by_hand(token), strict=True))
        compared = (
            (requests[0], requests[len(requests) // 2], requests[-1]) if question.part == "reads" else requests[:1]
        )
        for our_request, by_hand_request in compared:
            told = json.loads(client.once(ours.port, our_request))
            by_hand_told = json.loads(client.once(by_hand.port, by_hand_request))
            if told != by_hand_told:
                raise AssertionError(f"{question.name}: {told} by the server, {by_hand_told} by hand"[:2_000])


def take(asked: Sequence[Question], ours: Server, by_hand: Server, token: str, pace: Pace) -> list[Row]:
    """All rows of a round before the next; who begins changes from round to round. One more round before warms up."""
    rows = [Row(question) for question in asked]
    sides = [
        [
            (ours, row.ours, itertools.cycle(row.question.ours(token))),
            (by_hand, row.by_hand, itertools.cycle(row.question.by_hand(token))),
        ]
        for row in rows
    ]
    for number in range(pace.rounds + 1):
        part = 1.0 if number else 0.3
        for row, both in zip(rows, sides, strict=True):
            both.reverse()
            for clients, seconds in ((row.question.clients, pace.loaded), (1, pace.alone)):
                for server, way, requests in both if clients else ():
                    before = server.busy()
                    turn = client.ask(server.port, requests, clients, seconds * part)
                    taken = Taken(turn, server.busy() - before)
                    if number:
                        (way.alone if clients == 1 else way.loaded).append(taken)
    return rows
