"""A copy of the SQLite database, made while orders are placed."""

import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gqlstock.rules.feed import Cursor, OutOfReach
from gqlstock.store import outbox
from gqlstock.store.db.connection import DatabaseUrl, SqliteFile
from support import shop_builders as make
from support.command_line import Fill, Run


@pytest.fixture
def path(database_url: DatabaseUrl) -> str:
    if not isinstance(database_url, SqliteFile):
        pytest.skip("SQLite's alone")
    return database_url.path


async def stocked() -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=5)


def test_a_copy_has_what_was_committed_and_is_for_its_owner(run: Run, fill: Fill, path: str, tmp_path: Path) -> None:
    fill(stocked)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        # What is not committed is not in it, and does not hold it up.
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE inventory_level SET on_hand = 0")

        result = run("backup", tmp_path / "copy.db")

        writer.execute("ROLLBACK")
    verified = run("verify", env={"GQLSTOCK_DATABASE_URL": f"sqlite:///{tmp_path}/copy.db"})
    exported = run("export", "levels", env={"GQLSTOCK_DATABASE_URL": f"sqlite:///{tmp_path}/copy.db"})

    assert (result.exit_code, result.stdout) == (0, f"Copied the database to {tmp_path}/copy.db.\n")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert verified.exit_code == 0
    assert exported.stdout == "sku,warehouse,on_hand\nMUG,BERLIN,5\n"
    assert sorted(one.name for one in tmp_path.glob("copy*.part")) == []


def test_copies_made_while_orders_are_placed_agree_with_themselves(
    run: Run, fill: Fill, path: str, tmp_path: Path
) -> None:
    fill(stocked)
    over = threading.Event()

    async def keep_counting() -> None:
        number = 0
        while not over.is_set():
            number += 1
            await make.stock("MUG", on_hand=number % 7)

    counting = threading.Thread(target=fill, args=[keep_counting])
    counting.start()
    try:
        copies = [tmp_path / f"copy{number}.db" for number in range(5)]
        codes = [run("backup", copy).exit_code for copy in copies]
    finally:
        over.set()
        counting.join()
    verified = [run("verify", env={"GQLSTOCK_DATABASE_URL": f"sqlite:///{copy}"}).exit_code for copy in copies]

    assert (codes, verified) == ([0] * 5, [0] * 5)


def test_a_file_that_is_there_is_not_written_over(run: Run, path: str, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")

    result = run("backup", tmp_path / "copy.db")

    assert (result.exit_code, result.stderr) == (1, f"{tmp_path}/copy.db already exists: name another file.\n")
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_postgresql_is_left_to_its_own_tools(run: Run, tmp_path: Path) -> None:
    result = run("backup", tmp_path / "copy.db", env={"GQLSTOCK_DATABASE_URL": "postgres://shop@127.0.0.1:1/stock"})

    assert result.exit_code == 1
    assert result.stderr == (
        "This command copies SQLite databases. Back up PostgreSQL with pg_dump; see docs/backup.md.\n"
    )


def test_a_copy_in_place_of_the_database_refuses_cursors_of_what_came_after_it(
    run: Run, fill: Fill, path: str, tmp_path: Path
) -> None:
    """Also when its feed has got further than the one that was put aside."""
    cursors: list[Cursor] = []

    async def write_down() -> None:
        cursors.append(await outbox.latest())

    async def count(*quantities: int) -> None:
        for quantity in quantities:
            await make.stock("MUG", on_hand=quantity)

    fill(stocked)
    fill(write_down)
    run("backup", tmp_path / "copy.db")
    fill(lambda: count(1, 2))
    fill(write_down)
    for old in Path(path).parent.glob(f"{Path(path).name}*"):
        old.unlink()
    shutil.copy(tmp_path / "copy.db", path)
    fill(lambda: count(3, 4, 5))
    kept, lost = cursors

    async def look() -> None:
        await outbox.check(kept)
        assert (await outbox.latest()).id > lost.id
        with pytest.raises(OutOfReach, match="not from this database's history"):
            await outbox.check(lost)

    fill(look)
