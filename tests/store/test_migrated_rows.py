"""What the migrations make of the rows that there are."""

import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncpg
import pytest
from tortoise.migrations.api.migrate import migrate

from gqlstock.config import Config
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.feed import START
from gqlstock.store import catalog, dispatch, orders, outbox, search
from gqlstock.store.catalog import Item
from gqlstock.store.db import clock, connection, sql, transactions, versions
from gqlstock.store.db.connection import DatabaseUrl, Postgres, SqliteFile
from gqlstock.store.orders import Order, OrderLine
from gqlstock.store.warehouses import Warehouse

POSTGRES = os.environ.get("GQLSTOCK_TEST_DATABASE_URL")


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[DatabaseUrl]:
    """A database without a single table."""
    if not POSTGRES:
        yield SqliteFile(str(tmp_path / "sqlite.db"))
        return
    told = Config.from_env({"GQLSTOCK_DATABASE_URL": f"{POSTGRES}_migrations"}).database
    assert isinstance(told, Postgres)
    name = told.credentials["database"]
    server = await asyncpg.connect(**{**told.credentials, "database": "postgres"})
    await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await server.execute(f'CREATE DATABASE "{name}"')
    yield told
    await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await server.close()


async def insert(table: str, *rows: dict[str, object]) -> None:
    """Rows as an earlier version wrote them."""
    for row in rows:
        slots = ", ".join("?" * len(row))
        await sql.execute_many(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({slots})", [list(row.values())])


def item(item_id: int, sku: str, name: str, **more: object) -> dict[str, object]:
    return {
        "id": item_id,
        "sku": sku,
        "name": name,
        "own_images": "[]",
        "stored_options": "[]",
        "choice": "{}",
        "tracking": "TRACK_WITHOUT_OPTIONS",
        "published": True,
        "inventory_status": "IN_STOCK",
        **made(),
    } | more


def made() -> dict[str, object]:
    return {"created_at": clock.now(), "updated_at": clock.now()}


async def folded_of(model: type[Item | Order | OrderLine]) -> Sequence[tuple[str | None, str | None]]:
    return [(row.folded, getattr(row, "folded_sku", None)) for row in await model.all().order_by("id")]


async def test_combinations_of_before_get_their_products_category_and_status(url: DatabaseUrl) -> None:
    status = InventoryStatus.DISCONTINUED
    async with connection.opened(url, create=True):
        await migrate(config=connection.settings(url, create=True), target="gqlstock.0004_token_warehouses")
        await insert("category", {"id": 1, "slug": "kitchen", "name": "Kitchen", **made()})
        await insert(
            "item",
            item(1, "MUG", "Mug", slug="mug", category_id=1, inventory_status=status),
            item(2, "CUP", "Cup", slug="cup"),
            item(3, "MUG-S", "Mug S", product_id=1),
        )

    await versions.migrate(url)

    async with connection.opened(url):
        rows = await Item.all().order_by("id").values_list("id", "category_id", "inventory_status")
        assert rows == [(1, 1, status), (2, None, "IN_STOCK"), (3, 1, status)]


async def test_skus_and_codes_of_before_get_one_spelling_and_twins_a_number(
    url: DatabaseUrl, caplog: pytest.LogCaptureFixture
) -> None:
    async with connection.opened(url, create=True):
        await migrate(config=connection.settings(url, create=True), target="gqlstock.0005_growth")
        await insert(
            "item",
            item(1, "CAFE\u0301", "Café"),
            item(2, "\ufeffMUG", "Mug"),
            item(3, "CUP", "Cup"),
            item(4, "CUP\u200b", "Cup twin"),
            item(5, "C\u200dUP", "Cup triplet"),
            item(6, "CUP\u200b", "Deleted", deleted_at=clock.now()),
            item(7, "\u200b", "Nothing"),
            item(8, "ЧАШКА", "Чашка"),
        )
        await insert("warehouse", {"id": 1, "code": "KO\u0308LN", "name": "Köln", "active": True, **made()})

    await versions.migrate(url)

    async with connection.opened(url):
        rows = await Item.all().order_by("id").values_list("sku", flat=True)
        assert rows == ["CAFÉ", "MUG", "CUP", "CUP-2", "CUP-3", "CUP", "item-7", "ЧАШКА"]
        assert [one.code for one in await Warehouse.all()] == ["KÖLN"]
        assert (await catalog.by_sku(["CUP\u200b"]))["CUP\u200b"].id == 3
    told = [record.getMessage() for record in caplog.records if "is taken or empty" in record.getMessage()]
    assert told == [
        "item 4: sku 'CUP\\u200b' changed to 'CUP-2', because 'CUP' is taken or empty.",
        "item 5: sku 'C\\u200dUP' changed to 'CUP-3', because 'CUP' is taken or empty.",
        "item 7: sku '\\u200b' changed to 'item-7', because '' is taken or empty.",
    ]


async def test_what_was_there_before_is_searched_as_what_is_written_now(url: DatabaseUrl) -> None:
    at = clock.now()
    async with connection.opened(url, create=True):
        await migrate(config=connection.settings(url, create=True), target="gqlstock.0005_growth")
        await insert(
            "item",
            item(1, "MUG-1", "Blue  Mug", barcode="Ab12"),
            item(2, "STRASSE", "Straße", own_code="Maße"),
            item(3, "PLAIN", "Plain Thing", own_code="CODE", barcode="EAN"),
        )
        await insert("organization", {"id": 1, "code": "acme", "name": "Acme", "created_at": at})
        await insert("website", {"id": 1, "code": "shop", "name": "Shop", "organization_id": 1, "created_at": at})
        order = {"website_id": 1, "status": "PLACED", "placed_at": at, "updated_at": at}
        await insert("customer_order", {"id": 1, "customer_email": "JOSÉ@example.com", "reference": "R-7", **order})
        await insert("customer_order", {"id": 2, "reference": "R-8", **order})
        line = {"order_id": 1, "item_id": 1, "sku": "MUG-1", "name": "Blue  Mug", "code": "MUG-1", "quantity": 10_000}
        await insert("order_line", {**line, "selected_options": "{}", "canceled": 0, "decrement": "ON_ORDER"})

    await versions.migrate(url)

    async with connection.opened(url):
        for model in (Item, Order, OrderLine):
            before = await folded_of(model)
            for row in await model.all():
                await transactions.run(row.save)
            assert await folded_of(model) == before
        assert [row.sku for row in await Item.filter(await search.items("BLUE MUG"))] == ["MUG-1"]
        assert [row.sku for row in await Item.filter(await search.items("MASSE"))] == ["STRASSE"]
        assert [row.id for row in await Order.filter(orders.matches("jose@"))] == [1]


async def test_entries_of_before_get_a_mark_and_what_was_dispatched_stays_so(tmp_path: Path) -> None:
    url = SqliteFile(str(tmp_path / "sqlite.db"))
    async with connection.opened(url, create=True):
        await migrate(config=connection.settings(url, create=True), target="gqlstock.0005_growth")
        for id in (5, 6, 7):
            await sql.execute(
                "INSERT INTO outbox (id, tx, topic, subject, data, created_at) VALUES (?, 0, 'ORDER', 1, '{}', ?)",
                id,
                clock.now(),
            )
        await sql.execute("INSERT INTO outbox_horizon (id, tx, entry_id) VALUES (1, 0, 4)")
        await sql.execute("UPDATE dispatch SET entry_id = 6")

    await versions.migrate(url)

    async with connection.opened(url):
        horizon, entries = await outbox.horizon(), await outbox.after(START, 10)
        assert horizon.place == (0, 0, 4)
        assert [entry.cursor.place for entry in entries] == [(0, 0, 5), (0, 0, 6), (0, 0, 7)]
        assert len({horizon.mark, *(entry.cursor.mark for entry in entries)}) == 4
        assert await dispatch.place() == entries[1].cursor
        # A server of the previous version that still runs.
        await sql.execute(
            "INSERT INTO outbox (tx, topic, subject, data, created_at) VALUES (0, 'ORDER', 9, '{}', ?)", clock.now()
        )
        assert [entry.subject for entry in await outbox.resume(entries[2].cursor, 10)] == [9]


async def test_allocations_of_before_keep_the_order_in_which_their_units_were_planned(tmp_path: Path) -> None:
    url = SqliteFile(str(tmp_path / "sqlite.db"))
    async with connection.opened(url, create=True):
        await migrate(config=connection.settings(url, create=True), target="gqlstock.0005_growth")
        # The order and its line are of no interest here.
        await sql.execute("PRAGMA foreign_keys = OFF")
        for position in (0, 1, 0, 1, 0):
            await sql.execute(
                """INSERT INTO allocation (line_id, warehouse_id, position, quantity, state, changed_at)
                   VALUES (1, 1, ?, 10000, 'BACKORDERED', ?)""",
                position,
                clock.now(),
            )

    await versions.migrate(url)

    async with connection.opened(url):
        rows = (await orders.allocations(range(1, 6))).values()
        assert [(row.id, row.split_from, row.planned_as) for row in rows] == [
            (1, None, 1),
            (2, None, 2),
            (3, 1, 1),
            (4, 2, 2),
            (5, 1, 1),
        ]
