"""Compares ``gqlstock import`` of counts with hand-written SQL: the same file into copies of the same database.

The hand-written code is one transaction. Run directly, this module measures a file of Magento sources:

    .venv/bin/python benchmarks/importing.py [--rows 1000000] [--postgres postgres://…/name]

Without ``--postgres`` it uses SQLite.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import by_hand_import
import databases
import shop
import tables
from databases import Cluster, Directory, Place
from gqlstock.services import verification
from gqlstock.store.db import connection, sql

_UNIT = 10_000
_WAREHOUSES = 10


@dataclass(frozen=True, slots=True)
class Taken:
    seconds: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Format:
    """A format of counts. ``columns``: its columns of SKU, warehouse and units."""

    name: str
    lines: Callable[[int, int], Iterable[str]]
    columns: tuple[str, str, str]


LEVELS = Format("levels", shop.counts, ("sku", "warehouse", "on_hand"))
SOURCES = Format("magento-sources", shop.sources, ("sku", "source_code", "quantity"))


def compare(
    place: Place, directory: Path, items: int, warehouses: int, format_: Format = LEVELS
) -> tuple[Taken, Taken]:
    """Measure both on a file of this many levels. Both must result in the same levels."""
    file = directory / f"{format_.name}.csv"
    with databases.made(place, "empty") as url:
        asyncio.run(shop.without_levels(databases.opened_as(url), items, warehouses))
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(format_.lines(items, warehouses))
        with databases.copied(place, "empty", "ours") as ours, databases.copied(place, "empty", "by_hand") as by_hand:
            command = [sys.executable, "-m", "gqlstock.cli", "import", format_.name, str(file)]
            taken = (
                _run(command, GQLSTOCK_DATABASE_URL=ours),
                _run([sys.executable, by_hand_import.__file__, by_hand, str(file), *format_.columns]),
            )
            left = [asyncio.run(_left(one)) for one in (ours, by_hand)]
    assert left[0] == left[1] == (items * warehouses, sum(shop.counted(number) for number in range(items)) * warehouses)
    return taken


# A process counts its parent's memory as its own peak, so a small process starts it and prints the peak.
_SMALL = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def _run(command: list[str], **environment: str) -> Taken:
    began = time.monotonic()
    small = [sys.executable, "-S", "-c", _SMALL, *command]
    result = subprocess.run(small, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True)
    return Taken(time.monotonic() - began, int(result.stdout) / 1024)


async def _left(url: str) -> tuple[int, int]:
    """The numbers of levels and units, which must match the ledger."""
    async with connection.opened(databases.opened_as(url)):
        assert await verification.verify() == []
        (found,) = await sql.query("SELECT COUNT(*) AS levels, SUM(on_hand) AS units FROM inventory_level")
        return int(found["levels"]), int(found["units"]) // _UNIT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument(
        "--postgres", metavar="URL", help="the URL of a database; temporary ones are created next to it"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        place = Cluster(args.postgres) if args.postgres else Directory(Path(directory))
        taken = compare(place, Path(directory), args.rows // _WAREHOUSES, _WAREHOUSES, SOURCES)
    seconds = ("seconds", (taken[0].seconds, taken[1].seconds))
    most = ("peak memory in MB", (taken[0].megabytes, taken[1].megabytes))
    kind = "PostgreSQL" if args.postgres else "SQLite"
    print(tables.of_pairs(f"{kind}: import of {args.rows:,} rows of Magento sources", [seconds, most]))


if __name__ == "__main__":
    main()
