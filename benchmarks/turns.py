"""Measures gqlstock and the hand-written code alternately, so other load on the machine affects both."""

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
    """The number of rounds, and the seconds of a turn with many clients and with one."""

    rounds: int
    loaded: float
    alone: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A turn, and the CPU seconds of the server during it."""

    turn: Turn
    busy: float

    @property
    def busy_ms(self) -> float:
        """The CPU milliseconds per request."""
        return self.busy / len(self.turn.each) * 1_000


@dataclass(frozen=True, slots=True)
class Way:
    """The results of one implementation: turns with many clients, and turns with one."""

    loaded: list[Taken] = field(default_factory=list)
    alone: list[Taken] = field(default_factory=list)

    @property
    def per_second(self) -> list[float]:
        return [taken.turn.per_second for taken in self.loaded]

    @property
    def milliseconds(self) -> float:
        """The median response time of a single client: the median over all turns."""
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
    """Raise unless both give the same answers."""
    for question in asked:
        requests = list(zip(question.ours(token), question.by_hand(token), strict=True))
        compared = (
            (requests[0], requests[len(requests) // 2], requests[-1]) if question.part == "reads" else requests[:1]
        )
        for our_request, by_hand_request in compared:
            our_answer = json.loads(client.once(ours.port, our_request))
            by_hand_answer = json.loads(client.once(by_hand.port, by_hand_request))
            if our_answer != by_hand_answer:
                raise AssertionError(
                    f"{question.name}: gqlstock answers {our_answer}, the hand-written code {by_hand_answer}"[:2_000]
                )


def take(asked: Sequence[Question], ours: Server, by_hand: Server, token: str, pace: Pace) -> list[Row]:
    """Measure all rows in each round, after a round for warm-up. The implementation that starts alternates between rounds."""
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
