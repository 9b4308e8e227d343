"""Levels by SKU and warehouse code: filters for feeds, and the names and items of changed levels."""

from collections.abc import Collection

from gqlstock.store import outbox
from gqlstock.store.db import sql


def among(
    skus: Collection[str] | None, warehouses: Collection[str] | None, within: Collection[int] | None
) -> outbox.Among:
    """A filter for levels, deleted ones included, by SKU, warehouse code and warehouse id. None matches any."""
    where = "TRUE"
    values: list[str | int] = []
    for column, names in (("i.sku", skus), ("w.code", warehouses), ("w.id", within)):
        if names is not None:
            where += f" AND {column} IN ({sql.slots(names)})"
            values += names
    return outbox.Among(
        f"""SELECT l.id FROM inventory_level l JOIN item i ON i.id = l.item_id JOIN warehouse w ON w.id = l.warehouse_id
            WHERE {where}""",
        tuple(values),
    )


async def names(level_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Each level's SKU and warehouse code."""
    slots = sql.slots(level_ids)
    rows = await sql.query(
        f"""SELECT l.id AS id, i.sku AS sku, w.code AS code FROM inventory_level l
            JOIN item i ON i.id = l.item_id JOIN warehouse w ON w.id = l.warehouse_id WHERE l.id IN ({slots})""",
        *level_ids,
    )
    return {row["id"]: (row["sku"], row["code"]) for row in rows}


async def touched(level_ids: Collection[int], item_ids: Collection[int]) -> dict[int, int | None]:
    """These items and the items of these levels, each with its product if it is a combination, else None."""
    levels, items = sql.slots(level_ids), sql.slots(item_ids)
    rows = await sql.query(
        f"""SELECT id, product_id FROM item
            WHERE id IN ({items}) OR id IN (SELECT item_id FROM inventory_level WHERE id IN ({levels}))""",
        *item_ids,
        *level_ids,
    )
    return {row["id"]: row["product_id"] for row in rows}
