"""What the migrations leave behind, on SQLite, where changing a column copies its table."""

from pathlib import Path

from gqlstock.store import database
from gqlstock.store.database import SqliteFile


async def test_no_migration_has_cost_a_table_its_indexes(tmp_path: Path) -> None:
    url = SqliteFile(str(tmp_path / "sqlite.db"))
    await database.migrate(url)

    async with database.opened(url):
        assert database.Tortoise.apps is not None
        for model in database.Tortoise.apps["gqlstock"].values():
            there = await database.query(
                "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?",
                model._meta.db_table,
            )
            assert len(there) >= len(model._meta.indexes), model._meta.db_table
