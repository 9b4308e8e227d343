"""Compares gqlstock with hand-written code, alternating in one run, and prints tables of ratios."""

import argparse
import asyncio
import contextlib
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import databases
import hot_and_cold
import importing
import memory
import profiling
import questions
import reads
import serving
import shop
import starting
import tables
import turns
from databases import Cluster, Directory, Place
from gqlstock.services import verification
from gqlstock.store.db import connection
from hot_and_cold import Pace as ReadPace
from questions import Question
from reads import Read, Temperature
from serving import Server
from turns import Pace

CLUSTER, REDIS = "GQLSTOCK_TEST_DATABASE_URL", "GQLSTOCK_TEST_REDIS_URL"
PARTS = ("reads", "orders", "stock", "bulk", "start", "memory", "subscribers")
_TITLES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
_WRITTEN_SINGLES = 2_000
_WAREHOUSES = 10
_PROFILED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Extent:
    """The extent of a run: the turns, the items in the file of levels, the starts, the subscribers, and the requests before
    memory is measured again."""

    reads: ReadPace
    pace: Pace
    items: int
    starts: int
    subscribers: int
    requests: int


FULL = Extent(ReadPace(5, 0.5), Pace(5, 0.6, 0.25), items=10_000, starts=3, subscribers=500, requests=50_000)
QUICK = Extent(ReadPace(2, 0.25), Pace(2, 0.15, 0.1), items=1_000, starts=1, subscribers=100, requests=0)


def run(kind: str, parts: Collection[str], extent: Extent) -> None:
    """Run all measurements on one kind of database."""
    signal.signal(signal.SIGTERM, _end)
    asked = [question for question in questions.writes(_WRITTEN_SINGLES) if question.part in parts]
    read = reads.ALL if "reads" in parts else ()
    with _place(kind) as (place, directory):
        with _shop(place) as token:
            for workers in _workers(kind) if asked or read else ():
                title = f"{_TITLES[kind]}, {workers} worker{'s' if workers > 1 else ''}"
                _rows(title, read, asked, place, token, workers, extent)
            if "start" in parts:
                ready = ("until /readyz answers", starting.ready(place, token, extent.starts))
                imported = ("importing the application", starting.imported(extent.starts))
                _say(tables.of_pairs(f"{_TITLES[kind]}: seconds to start", [ready, imported]))
            if "memory" in parts and extent.requests:
                _say(tables.of_memory(f"{_TITLES[kind]}: MB in memory", memory.measure(place, extent.requests)))
        if "bulk" in parts:
            ours, by_hand = importing.compare(place, directory, extent.items, _WAREHOUSES)
            seconds = ("seconds", (ours.seconds, by_hand.seconds))
            most = ("peak memory in MB", (ours.megabytes, by_hand.megabytes))
            title = f"{_TITLES[kind]}: import of {extent.items * _WAREHOUSES:,} levels"
            _say(tables.of_pairs(title, [seconds, most]))


def _rows(
    title: str, read: Sequence[Read], asked: Sequence[Question], place: Place, token: str, workers: int, extent: Extent
) -> None:
    with _both(place, token, workers) as (ours, by_hand):
        turns.compare([*(one.question for one in read), *asked], ours, by_hand, token)
        rest = ours.memory(), by_hand.memory()
        if read:
            read_rows = hot_and_cold.take(read, ours, place.url("ours"), by_hand, token, extent.reads)
            _say(tables.of_reads(f"{title}: reads", read_rows))
        if asked:
            _say(tables.of_rows(f"{title}: changes", turns.take(asked, ours, by_hand, token, extent.pace)))
        after = ours.memory(), by_hand.memory()
    _say(tables.of_pairs(f"{title}: MB in memory", [("at rest", rest), ("after that", after)]))


@contextlib.contextmanager
def _place(kind: str) -> Iterator[tuple[Place, Path]]:
    """A place for databases of this kind, and a directory for files."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        yield (Directory(path) if kind == "sqlite" else Cluster(os.environ[CLUSTER])), path


@contextlib.contextmanager
def _shop(place: Place) -> Iterator[str]:
    """A template database with the shop. Yields a token with all scopes."""
    with databases.made(place, "shop") as url:
        asyncio.run(shop.make(databases.opened_as(url), reads.PRODUCTS, reads.COMBINATIONS, reads.SINGLES))
        yield asyncio.run(shop.token(databases.opened_as(url)))


@contextlib.contextmanager
def _both(place: Place, token: str, workers: int) -> Iterator[tuple[Server, Server]]:
    """Both servers, each on its own copy of the shop. Ledger and levels must agree at the end."""
    redis = {"GQLSTOCK_REDIS_URL": os.environ[REDIS]} if workers > 1 else {}
    with (
        databases.copied(place, "shop", "ours") as our_url,
        databases.copied(place, "shop", "by_hand") as hand_url,
    ):
        with serving.ours(our_url, workers, **redis) as ours, serving.by_hand(hand_url, token, workers) as by_hand:
            yield ours, by_hand
        for url in (our_url, hand_url):
            asyncio.run(_verify(url))


async def _verify(url: str) -> None:
    async with connection.opened(databases.opened_as(url)):
        found = await verification.verify()
    if found:
        raise AssertionError(f"{len(found)} figures of {url} do not match, for example: {found[0]}")


def _workers(kind: str) -> Sequence[int]:
    return (1, 2) if kind == "postgres" and REDIS in os.environ else (1,)


def _say(text: str) -> None:
    print(text, flush=True)


def _apart(kind: str, parts: Collection[str], extent: Extent) -> None:
    """Run in a separate process, because Tortoise caches statements of the first kind of database that a process opens."""
    process = multiprocessing.get_context("spawn").Process(target=run, args=(kind, parts, extent))
    process.start()
    try:
        process.join()
    except SystemExit:
        process.terminate()
        raise
    finally:
        process.join()
    if process.exitcode:
        raise SystemExit(1)


def _end(*_: object) -> None:
    """On a signal, exit through the cleanup code."""
    raise SystemExit(143)


def _profile(key: str, temperature: Temperature, kind: str) -> None:
    every = [*(one.question for one in reads.ALL), *questions.writes(_WRITTEN_SINGLES)]
    (question,) = (one for one in every if one.key == key)
    with _place(kind) as (place, _), _shop(place) as token:
        *asked, outside = question.ours(token)
        if question.part != "reads":
            profiling.show(place, outside, itertools.cycle(asked or [outside]), _PROFILED_SECONDS)
        elif temperature is Temperature.HOT:
            profiling.show(place, asked[0], itertools.repeat(asked[0]), _PROFILED_SECONDS)
        else:
            profiling.show(place, outside, iter(asked), _PROFILED_SECONDS)


def main(given: Sequence[str] | None = None) -> None:
    chosen = _parser().parse_args(given)
    signal.signal(signal.SIGTERM, _end)
    extent = QUICK if chosen.quick else FULL
    if chosen.rounds:
        paces = replace(extent.reads, rounds=chosen.rounds), replace(extent.pace, rounds=chosen.rounds)
        extent = replace(extent, reads=paces[0], pace=paces[1], starts=chosen.rounds)
    if chosen.requests is not None:
        extent = replace(extent, requests=chosen.requests)
    kinds = [chosen.database] if chosen.database else list(_TITLES)
    if "postgres" in kinds and CLUSTER not in os.environ:
        _say(f"{CLUSTER} is not set: skipping PostgreSQL.\n")
        kinds.remove("postgres")
    elif "postgres" in kinds and REDIS not in os.environ:
        _say(f"{REDIS} is not set: skipping two workers.\n")
    if chosen.profile:
        _profile(chosen.profile, Temperature(chosen.temperature), kinds[0])
        return
    parts = chosen.only or PARTS
    for kind in kinds:
        _apart(kind, parts, extent)
    if "subscribers" in parts and "sqlite" in kinds:
        _say(f"### SQLite: {extent.subscribers:,} dashboards over websockets\n")
        script = Path(__file__).with_name("subscribers.py")
        subprocess.run([sys.executable, str(script), "--subscribers", str(extent.subscribers)], check=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a shorter run of about three minutes")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; may be repeated")
    parser.add_argument("--database", choices=list(_TITLES), help="only this database")
    parser.add_argument("--rounds", type=int, help="turns per row and implementation")
    parser.add_argument("--requests", type=int, help="number of different requests before memory is measured again")
    keys = [*(read.question.key for read in reads.ALL), *(one.key for one in questions.writes(_WRITTEN_SINGLES))]
    parser.add_argument("--profile", choices=keys, metavar="ROW", help=f"profile a row: {', '.join(keys)}")
    temperatures = [Temperature.COLD.value, Temperature.HOT.value]
    parser.add_argument(
        "--temperature", choices=temperatures, default=temperatures[0], help="the temperature of the profiled row"
    )
    return parser


if __name__ == "__main__":
    main()
