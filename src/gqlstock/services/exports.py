"""Exports all levels, in parts, as rows that ``imports.levels`` can read."""

from collections.abc import AsyncIterator

from gqlstock.rules import formulas, quantities
from gqlstock.store import catalog, counts, warehouses

COLUMNS = ("sku", "warehouse", "on_hand")
_LEVELS_PER_PART = 5_000

LevelRow = tuple[str, str, str]


async def levels() -> AsyncIterator[list[LevelRow]]:
    """All levels in use by SKU, then by warehouse. Text cells are guarded against spreadsheet formulas."""
    codes = await warehouses.codes_by_id()
    # Each item may have a level in every warehouse.
    items_per_part = max(_LEVELS_PER_PART // max(len(codes), 1), 1)
    last = ""
    while items := await catalog.skus_after(last, items_per_part):
        found: dict[int, list[tuple[str, str]]] = {item_id: [] for item_id, _ in items}
        for (item_id, warehouse_id), on_hand in (await counts.on_hand_of(found.keys())).items():
            found[item_id].append((codes[warehouse_id], quantities.text(on_hand)))
        yield [
            (formulas.guard(sku), formulas.guard(code), on_hand)
            for item_id, sku in items
            for code, on_hand in sorted(found[item_id])
        ]
        last = items[-1][1]
