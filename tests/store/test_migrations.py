"""What the migrations leave behind, on SQLite, where changing a column copies its table."""

from pathlib import Path

from tortoise import Tortoise
from tortoise.migrations.api.migrate import migrate

from gqlstock.rules.catalog import InventoryStatus
from gqlstock.store import database, dispatch, outbox, versions
from gqlstock.store.catalog import Category, Item
from gqlstock.store.database import SqliteFile
from gqlstock.store.orders import Allocation
from gqlstock.store.outbox import START


async def test_no_migration_has_cost_a_table_its_indexes(tmp_path: Path) -> None:
    url = SqliteFile(str(tmp_path / "sqlite.db"))
    await versions.migrate(url)

    async with database.opened(url):
        assert Tortoise.apps is not None
        for model in Tortoise.apps["gqlstock"].values():
            there = await database.query(
                "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?",
                model._meta.db_table,
            )
            assert len(there) >= len(model._meta.indexes), model._meta.db_table


async def test_combinations_of_before_get_their_products_category_and_status(tmp_path: Path) -> None:
    url = SqliteFile(str(tmp_path / "sqlite.db"))
    async with database.opened(url):
        await migrate(config=database.settings(url), target="gqlstock.0004_token_warehouses")
        at = database.now()
        of = {"created_at": at, "updated_at": at}
        status = InventoryStatus.DISCONTINUED
        category = Category(slug="kitchen", name="Kitchen", **of)
        await database.insert_many([category])
        mug = Item(sku="MUG", slug="mug", name="Mug", category_id=category.id, inventory_status=status, **of)
        cup = Item(sku="CUP", slug="cup", name="Cup", **of)
        await database.insert_many([mug, cup])
        small = Item(sku="MUG-S", name="Mug S", product_id=mug.id, **of)
        await database.insert_many([small])

    await versions.migrate(url)

    async with database.opened(url):
        rows = await Item.all().order_by("id").values_list("id", "category_id", "inventory_status")
        assert rows == [(mug.id, category.id, status), (cup.id, None, "IN_STOCK"), (small.id, category.id, status)]


async def test_entries_of_before_get_a_mark_and_what_was_dispatched_stays_so(tmp_path: Path) -> None:
    url = SqliteFile(str(tmp_path / "sqlite.db"))
    async with database.opened(url):
        await migrate(config=database.settings(url), target="gqlstock.0005_growth")
        for id in (5, 6, 7):
            await database.execute(
                "INSERT INTO outbox (id, tx, topic, subject, data, created_at) VALUES (?, 0, 'ORDER', 1, '{}', ?)",
                id,
                database.now(),
            )
        await database.execute("INSERT INTO outbox_horizon (id, tx, entry_id) VALUES (1, 0, 4)")
        await database.execute("UPDATE dispatch SET entry_id = 6")

    await versions.migrate(url)

    async with database.opened(url):
        horizon, entries = await outbox.horizon(), await outbox.after(START, 10)
        assert horizon.place == (0, 0, 4)
        assert [entry.cursor.place for entry in entries] == [(0, 0, 5), (0, 0, 6), (0, 0, 7)]
        assert len({horizon.mark, *(entry.cursor.mark for entry in entries)}) == 4
        assert await dispatch.place() == entries[1].cursor
        # A server of the previous version that still runs.
        await database.execute(
            "INSERT INTO outbox (tx, topic, subject, data, created_at) VALUES (0, 'ORDER', 9, '{}', ?)", database.now()
        )
        assert [entry.subject for entry in await outbox.follow(entries[2].cursor, 10)] == [9]


async def test_allocations_of_before_keep_the_order_in_which_their_units_were_planned(tmp_path: Path) -> None:
    url = SqliteFile(str(tmp_path / "sqlite.db"))
    async with database.opened(url):
        await migrate(config=database.settings(url), target="gqlstock.0005_growth")
        # The order and its line are of no interest here.
        await database.execute("PRAGMA foreign_keys = OFF")
        for position in (0, 1, 0, 1, 0):
            await database.execute(
                """INSERT INTO allocation (line_id, warehouse_id, position, quantity, state, changed_at)
                   VALUES (1, 1, ?, 10000, 'BACKORDERED', ?)""",
                position,
                database.now(),
            )

    await versions.migrate(url)

    async with database.opened(url):
        rows = await Allocation.all().order_by("id")
        assert [(row.id, row.split_from, row.planned_as) for row in rows] == [
            (1, None, 1),
            (2, None, 2),
            (3, 1, 1),
            (4, 2, 2),
            (5, 1, 1),
        ]
