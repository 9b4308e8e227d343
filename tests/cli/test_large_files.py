"""Files with more rows than are held in memory: what a person sees, what is left when it is stopped, the memory it takes."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from gqlstock.rules.catalog import new_product
from gqlstock.services import verification
from gqlstock.store import catalog
from gqlstock.store.db import clock, sql, transactions
from gqlstock.store.inventory import InventoryLevel, StockMovement
from gqlstock.store.outbox import OutboxEntry
from gqlstock.store.warehouses import Warehouse
from support import shop_builders as make
from support.command_line import PATIENCE, Fill, Run, at_a_terminal

PLACES = 100
PEAK = """
import sys
from gqlstock.cli import app
try:
    app(sys.argv[1:])
finally:
    status = open("/proc/self/status").read()
    print(status.split("VmHWM:")[1].split()[0], file=sys.stderr)
"""


async def shop(items: int) -> None:
    """A hundred warehouses and so many products."""
    at = clock.now()
    places = [(f"W{number:02}", "Warehouse", True, at, at) for number in range(PLACES)]
    made = [replace(new_product(f"P{number}", "P", at), slug=f"p{number}") for number in range(items)]

    async def work() -> None:
        await sql.insert(Warehouse, ("code", "name", "active", "created_at", "updated_at"), places)
        await catalog.insert(made)

    await transactions.run(work)
    await make.website("shop", warehouses=["W00"])


def levels(file: Path, items: int, on_hand: int = 5) -> Path:
    """Counts of all items in all warehouses."""
    rows = (f"P{number},W{place:02},{on_hand}\n" for number in range(items) for place in range(PLACES))
    return written(file, "sku,warehouse,on_hand\n", rows)


def products(file: Path, count: int) -> Path:
    """Products of ten combinations each."""
    head = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,"
    rows = (
        f"tee-{number},{'Tee' if size == 0 else ''},{'Size' if size == 0 else ''},{size},T{number}-{size},shopify,3,deny\n"
        for number in range(count)
        for size in range(10)
    )
    return written(file, f"{head}Variant Inventory Policy\n", rows)


def written(file: Path, head: str, rows: Iterable[str]) -> Path:
    with file.open("w") as target:
        target.write(head)
        target.writelines(rows)
    return file


def peak(env: dict[str, str], *arguments: str | Path) -> int:
    """The most memory that a command had, in KB."""
    command = [sys.executable, "-c", PEAK, *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=2 * PATIENCE)
    assert done.returncode == 0, done.stderr
    return int(done.stderr)


def test_memory_does_not_grow_with_a_file_of_levels(fill: Fill, database_env: dict[str, str], tmp_path: Path) -> None:
    fill(lambda: shop(400))

    small = peak(database_env, "import", "levels", levels(tmp_path / "small.csv", 20, 3))
    large = peak(database_env, "import", "levels", levels(tmp_path / "large.csv", 400))
    exported = peak(database_env, "export", "levels", tmp_path / "out.csv")

    # Ten megabytes are 260 bytes for each of 38,000 rows more.
    assert large - small < 10_000
    assert exported - small < 10_000
    fill(lambda: everything_is_there(40_000))


async def everything_is_there(count: int) -> None:
    assert await InventoryLevel.filter(on_hand=Decimal(5)).count() == count
    assert await verification.verify() == []


def test_memory_does_not_grow_with_a_file_of_products(fill: Fill, database_env: dict[str, str], tmp_path: Path) -> None:
    fill(make.shop)

    small = peak(database_env, "import", "shopify-products", products(tmp_path / "a.csv", 200), "--warehouse", "BERLIN")
    large = peak(
        database_env, "import", "shopify-products", products(tmp_path / "b.csv", 1_500), "--warehouse", "BERLIN"
    )

    assert large - small < 10_000


def test_a_terminal_is_shown_how_far_it_is(fill: Fill, database_env: dict[str, str], tmp_path: Path) -> None:
    fill(lambda: shop(50))
    file = levels(tmp_path / "in.csv", 50)

    with at_a_terminal("import", "levels", str(file), env=database_env) as (process, screen):
        shown = screen.until()
        stdout, _ = process.communicate(timeout=PATIENCE)

    assert (process.returncode, stdout) == (0, "Levels: 5000 counted, 0 unchanged.\n")
    assert re.search(r"Counted .*5000/5000", shown)


def test_what_is_no_terminal_is_shown_nothing(run: Run, fill: Fill, tmp_path: Path) -> None:
    fill(lambda: shop(50))

    result = run("import", "levels", levels(tmp_path / "in.csv", 50))

    assert (result.stdout, result.stderr) == ("Levels: 5000 counted, 0 unchanged.\n", "")


def test_an_import_that_is_stopped_leaves_whole_parts_and_is_finished_by_another(
    run: Run, fill: Fill, database_env: dict[str, str], tmp_path: Path
) -> None:
    fill(lambda: shop(600))
    file = levels(tmp_path / "in.csv", 600)

    with at_a_terminal("import", "levels", str(file), env=database_env) as (process, screen):
        screen.until("Counted")
        process.send_signal(signal.SIGINT)
        shown = screen.until()
        stdout, _ = process.communicate(timeout=PATIENCE)

    written: list[int] = []

    async def check() -> None:
        count = await InventoryLevel.all().count()
        assert await StockMovement.all().count() == count
        assert await OutboxEntry.filter(topic="LEVEL").count() == count
        assert count % 1_000 == 0
        written.append(count)

    assert (process.returncode, stdout) == (130, "")
    assert shown.splitlines()[-1] == (
        f"Stopped: {file} may be partly imported. Import it again to finish; what is already imported stays unchanged."
    )
    fill(check)
    assert written[0] < 60_000

    assert run("import", "levels", file).stdout == (f"Levels: {60_000 - written[0]} counted, {written[0]} unchanged.\n")
    fill(lambda: everything_is_there(60_000))


def test_an_export_takes_the_place_of_the_file_once_it_is_whole(run: Run, fill: Fill, tmp_path: Path) -> None:
    fill(lambda: shop(1))
    run("import", "levels", levels(tmp_path / "in.csv", 1))
    (tmp_path / "out.csv").write_text("older and longer\n" * 1_000)

    result = run("export", "levels", tmp_path / "out.csv")

    assert result.exit_code == 0
    assert (tmp_path / "out.csv").read_text() == (tmp_path / "in.csv").read_text()
    assert sorted(one.name for one in tmp_path.glob("*.csv*")) == ["in.csv", "out.csv"]
