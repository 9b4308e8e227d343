"""``gqlstock import levels`` beside SQL by hand: the same file into copies of the same database, each in one transaction."""

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import by_hand_import
import databases
import shop
from databases import Place
from gqlstock.services import verification
from gqlstock.store.db import connection, sql

_UNIT = 10_000


@dataclass(frozen=True, slots=True)
class Taken:
    seconds: float
    megabytes: float


def compare(place: Place, directory: Path, items: int, warehouses: int) -> tuple[Taken, Taken]:
    """What one file of so many levels takes, ours and by hand; both must leave the same levels."""
    file = directory / "levels.csv"
    with databases.made(place, "empty") as url:
        asyncio.run(shop.without_levels(databases.opened_as(url), items, warehouses))
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(shop.counts(items, warehouses))
        with databases.copied(place, "empty", "ours") as ours, databases.copied(place, "empty", "by_hand") as by_hand:
            command = [sys.executable, "-m", "gqlstock.cli", "import", "levels", str(file)]
            taken = (
                _run(command, GQLSTOCK_DATABASE_URL=ours),
                _run([sys.executable, by_hand_import.__file__, by_hand, str(file)]),
            )
            left = [asyncio.run(_left(one)) for one in (ours, by_hand)]
    assert left[0] == left[1] == (items * warehouses, sum(shop.counted(number) for number in range(items)) * warehouses)
    return taken


# A process counts the memory of the one that started it as its own peak: one that is small starts it, and tells.
_SMALL = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def _run(command: list[str], **environment: str) -> Taken:
    began = time.monotonic()
    small = [sys.executable, "-S", "-c", _SMALL, *command]
    told = subprocess.run(small, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True)
    return Taken(time.monotonic() - began, int(told.stdout) / 1024)


async def _left(url: str) -> tuple[int, int]:
    """How many levels there are, and how many units; the ledger must agree."""
    async with connection.opened(databases.opened_as(url)):
        assert await verification.verify() == []
        (found,) = await sql.query("SELECT COUNT(*) AS levels, SUM(on_hand) AS units FROM inventory_level")
        return int(found["levels"]), int(found["units"]) // _UNIT
