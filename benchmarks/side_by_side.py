"""The server beside code by hand, in turns in one run, as tables of ratios: ``scripts/bench``."""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import client
import databases
import questions
import serving
import shop
from client import Turn
from databases import Cluster, Directory, Place
from questions import Question
from serving import Server

PARTS = ("reads", "orders", "stock", "bulk")
_PRODUCTS, _COMBINATIONS, _SINGLES = 48, 4, 2_000
_TOKEN_NAME = "token"


@dataclass(frozen=True, slots=True)
class Pace:
    """How many rounds there are, and how long a turn takes: with many clients, and with one."""

    rounds: int
    seconds: float
    alone: float


FULL, QUICK = Pace(5, 0.8, 0.3), Pace(3, 0.3, 0.15)


@dataclass(slots=True)
class Figures:
    """What the turns of one row came to: ours and by hand, with many clients and with one."""

    loaded: list[tuple[Turn, Turn]] = field(default_factory=list)
    alone: list[tuple[Turn, Turn]] = field(default_factory=list)


def measure(chosen: Sequence[Question], ours: Server, by_hand: Server, token: str, pace: Pace) -> dict[str, Figures]:
    """Every row in turns: all of a round before the next, so that what disturbs one disturbs its neighbour too."""
    asked = {q.name: (questions.endless(q.ours(token)), questions.endless(q.by_hand(token))) for q in chosen}
    figures = {question.name: Figures() for question in chosen}
    for number in range(pace.rounds + 1):
        # The first round only warms up.
        short = 0.3 if number == 0 else 1.0
        for question in chosen:
            for clients, seconds, into in (
                (question.clients, pace.seconds, figures[question.name].loaded),
                (1, pace.alone, figures[question.name].alone),
            ):
                if not clients:
                    continue
                ways = ((ours, asked[question.name][0]), (by_hand, asked[question.name][1]))
                turns = [client.ask(server.port, one, clients, seconds * short) for server, one in ways]
                if number:
                    into.append((turns[0], turns[1]))
    return figures


def compare(chosen: Sequence[Question], ours: Server, by_hand: Server, token: str) -> None:
    """Both ways must tell the same, or there is nothing to compare."""
    for question in chosen:
        answers = [
            json.loads(client.once(server.port, requests[0]))
            for server, requests in ((ours, question.ours(token)), (by_hand, question.by_hand(token)))
        ]
        if answers[0] != answers[1]:
            raise AssertionError(f"{question.name}: {answers[0]} is not {answers[1]}"[:2_000])


def table(title: str, chosen: Sequence[Question], figures: dict[str, Figures]) -> str:
    lines = [
        f"### {title}",
        "",
        f"| {questions.CLIENTS} clients | ours /s | by hand /s | ours / by hand | 1 client: ours ms | by hand ms |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for question in chosen:
        loaded, alone = figures[question.name].loaded, figures[question.name].alone
        cells = ["–", "–", "–"]
        if loaded:
            ours, by_hand = (statistics.median(turns[way].per_second for turns in loaded) for way in (0, 1))
            ratio = statistics.median(turns[0].per_second / turns[1].per_second for turns in loaded)
            cells = [f"{ours:,.0f}", f"{by_hand:,.0f}", f"{ratio:.2f}"]
        cells += [f"{statistics.median(turns[way].median_ms for turns in alone):.2f}" for way in (0, 1)]
        lines.append(f"| {question.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


@contextlib.contextmanager
def side_by_side(place: Place, token: str, workers: int, redis: str | None) -> Iterator[tuple[Server, Server]]:
    """Both servers, each on a copy of the shop of its own."""
    with (
        databases.copied(place, "shop", "ours") as our_url,
        databases.copied(place, "shop", "by_hand") as hand_url,
        serving.ours(our_url, workers, **({"GQLSTOCK_REDIS_URL": redis} if redis else {})) as ours,
        serving.by_hand(hand_url, token, workers) as by_hand,
    ):
        yield ours, by_hand


def run(title: str, place: Place, workers: Sequence[int], parts: Sequence[str], pace: Pace) -> None:
    chosen = [one for one in questions.all_of(_SINGLES) if one.part in parts]
    redis = os.environ.get("GQLSTOCK_TEST_REDIS_URL")
    with databases.made(place, "shop") as url:
        asyncio.run(shop.make(databases.opened_as(url), _PRODUCTS, _COMBINATIONS, _SINGLES))
        token = asyncio.run(shop.token(databases.opened_as(url)))
        for count in workers:
            with side_by_side(place, token, count, redis if count > 1 else None) as (ours, by_hand):
                compare(chosen, ours, by_hand, token)
                rest = ours.memory(), by_hand.memory()
                figures = measure(chosen, ours, by_hand, token, pace)
                told = f"{title}, {count} worker{'s' if count > 1 else ''}"
                print("\n" + table(told, chosen, figures), flush=True)
                print(f"\nMemory: {rest[0]:.0f} MB at rest and {ours.memory():.0f} MB after;", end=" ")
                print(f"by hand {rest[1]:.0f} and {by_hand.memory():.0f} MB.", flush=True)


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter turns and fewer rounds")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be given again")
    parser.add_argument("--database", choices=("sqlite", "postgres"), action="append", help="one of both")
    parser.add_argument("--rounds", type=int, help="how many turns each has in a row")
    chosen = parser.parse_args(given)
    pace = QUICK if chosen.quick else FULL
    pace = Pace(chosen.rounds or pace.rounds, pace.seconds, pace.alone)
    parts, wanted = chosen.only or PARTS, chosen.database or ("sqlite", "postgres")
    if "sqlite" in wanted:
        with tempfile.TemporaryDirectory() as directory:
            run("SQLite", Directory(Path(directory)), [1], parts, pace)
    cluster = os.environ.get("GQLSTOCK_TEST_DATABASE_URL")
    if "postgres" in wanted and cluster:
        workers = [1, 2] if os.environ.get("GQLSTOCK_TEST_REDIS_URL") else [1]
        run("PostgreSQL", Cluster(cluster), workers, parts, pace)
    elif "postgres" in wanted:
        print("\nPostgreSQL is left out: GQLSTOCK_TEST_DATABASE_URL is not set.")


if __name__ == "__main__":
    main()
