"""Levels for exports. The CSV form has the columns that ``gqlstock import levels`` reads."""

from collections.abc import Sequence
from typing import Any

from gqlstock.rules.ids import global_id
from gqlstock.rules.scopes import Caller
from gqlstock.services.exports.page import Row
from gqlstock.store import catalog, export_pages, warehouses
from gqlstock.store.db import clock
from gqlstock.store.db.fields import wire_units
from gqlstock.store.db.records import wire_moment

COLUMNS = ("sku", "warehouse", "on_hand")
_LEVELS = 1_000


async def page(caller: Caller, after: int | None) -> tuple[list[Row], int | None]:
    """Levels in use, by id."""
    found = await export_pages.levels(after or 0, _LEVELS, caller.warehouses, clock.now())
    return _rows(found), found[-1][0] if len(found) == _LEVELS else None


async def page_by_sku(_: Caller, after: str | None) -> tuple[list[Row], str | None]:
    """Levels in use of items in use, by SKU, then by warehouse."""
    # Each item may have a level in every warehouse.
    most = max(_LEVELS // max(len(await warehouses.codes_by_id()), 1), 1)
    items = await catalog.skus_after(after or "", most)
    if not items:
        return [], None
    place = {item_id: number for number, (item_id, _) in enumerate(items)}
    found = await export_pages.levels_of(place, clock.now())
    ordered = sorted(found, key=lambda level: (place[level[1]], level[4]))
    return _rows(ordered), items[-1][1] if len(items) == most else None


def _rows(found: Sequence[Sequence[Any]]) -> list[Row]:
    # Unrolled: a loop over the column names is slower.
    return [
        {
            "id": global_id("InventoryLevel", level_id),
            "itemId": global_id("Product", item_id) if product is None else global_id("Combination", item_id),
            "sku": sku,
            "warehouse": warehouse,
            "onHand": wire_units(on_hand),
            "reserved": wire_units(reserved),
            "planned": wire_units(planned),
            "backordered": wire_units(backordered),
            "held": wire_units(held),
            "incoming": wire_units(incoming),
            "available": wire_units(available),
            "updatedAt": wire_moment(at),
        }
        for (
            level_id,
            item_id,
            product,
            sku,
            warehouse,
            on_hand,
            reserved,
            planned,
            backordered,
            held,
            incoming,
            available,
            at,
        ) in found
    ]


def cells(row: Row) -> list[tuple[Any, ...]]:
    return [(row["sku"], row["warehouse"], row["onHand"])]
