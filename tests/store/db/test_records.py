"""How rows become records, whatever gives the rows."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gqlstock.rules import moments, quantities
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking, Item
from gqlstock.rules.ledger import Level, StockMovement
from gqlstock.store.db import sql
from gqlstock.store.db.fields import from_units, wire_units
from gqlstock.store.db.records import below, by_id, hydrate, moment, records, wire_moment
from gqlstock.store.inventory import InventoryLevel
from support import shop_builders as make


async def _levels() -> list[int]:
    await make.warehouse("A")
    await make.warehouse("B")
    await make.product("MUG")
    return [await make.stock("MUG", place, units) for place, units in (("A", 3), ("B", 4))]


async def test_a_query_set_and_sql_give_the_same_records(db: None) -> None:
    await _levels()

    by_query_set = await records(Level, InventoryLevel.all().order_by("id"))
    by_columns = await records(Level, "SELECT {columns} FROM inventory_level WHERE on_hand > ? ORDER BY id", 0)
    by_all = await records(Level, "SELECT available, * FROM inventory_level ORDER BY id")
    by_dict = hydrate(Level, await sql.query("SELECT * FROM inventory_level ORDER BY id"))

    assert [int(level.on_hand) for level in by_query_set] == [3, 4]
    assert by_query_set == by_columns == by_all == by_dict


async def test_records_come_in_the_order_of_their_ids(db: None) -> None:
    first, second = await _levels()

    assert list(await by_id(Level, [second, 999, first])) == [first, second]
    assert await by_id(Level, []) == {}


async def test_records_below_parents_are_found_for_each_of_them(db: None) -> None:
    first, second = await _levels()
    await make.stock("MUG", "A", 5)

    found = await below(StockMovement, "level_id", [second, first, 999])

    assert {parent: [int(one.quantity) for one in moved] for parent, moved in found.items()} == {
        first: [3, 2],
        second: [4],
        999: [],
    }
    assert await below(StockMovement, "level_id", []) == {}


STORED: dict[str, Any] = {
    "id": 1,
    "product_id": None,
    "sku": "MUG",
    "name": "Mug",
    "barcode": None,
    "own_images": '[{"url": "a.png", "alt": null}]',
    "created_at": "2026-03-01 12:00:00.000001+00:00",
    "updated_at": "2026-03-01 14:00:00+02:00",
    "deleted_at": None,
    "slug": "mug",
    "description": None,
    "category_id": None,
    "tracking": "DO_NOT_TRACK",
    "published": 0,
    "inventory_status": "DISCONTINUED",
    "shipping_origin_id": None,
    "stored_options": "[]",
    "own_code": None,
    "choice": "{}",
    "choice_digest": None,
}


def test_every_kind_of_column_is_converted() -> None:
    (item,) = hydrate(Item, [STORED])

    assert item.own_images == [{"url": "a.png", "alt": None}]
    assert item.created_at == datetime(2026, 3, 1, 12, 0, 0, 1, UTC)
    assert item.updated_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert item.tracking is InventoryTracking.DO_NOT_TRACK
    assert item.published is False
    assert item.inventory_status is InventoryStatus.DISCONTINUED
    assert (item.stored_options, item.choice) == ([], {})
    assert (item.product_id, item.deleted_at, item.description) == (None, None, None)


def test_rows_share_no_list_and_no_mapping() -> None:
    one, other = hydrate(Item, [STORED, STORED])

    assert one.stored_options is not other.stored_options
    assert one.choice is not other.choice


def test_json_of_half_of_a_surrogate_pair_is_read() -> None:
    (item,) = hydrate(Item, [STORED | {"choice": '{"Size": "\\ud83d"}'}])

    assert item.choice == {"Size": "\ud83d"}


def test_an_unknown_member_and_a_missing_column_are_errors() -> None:
    with pytest.raises(ValueError, match="LOST"):
        hydrate(Item, [STORED | {"inventory_status": "LOST"}])
    with pytest.raises(ValueError, match="not in"):
        hydrate(Item, [{key: value for key, value in STORED.items() if key != "name"}])


@pytest.mark.parametrize("text", ["2026-01-31 12:00:00+00:00", "2026-01-31 12:00:00.000500+00:00"])
def test_a_stored_moment_is_written_as_its_moment_is(text: str) -> None:
    assert wire_moment(text) == moments.wire(moment(text))


@pytest.mark.parametrize("units", [0, 5, 25_000, -70_000, -1, 999_999_999_999_999])
def test_a_stored_quantity_is_written_as_its_quantity_is(units: int) -> None:
    assert (wire_units(units), type(wire_units(units))) == (
        quantities.wire(from_units(units)),
        type(quantities.wire(from_units(units))),
    )
