"""The cache keys of rows that a cached answer may show, and the row changes without an outbox entry."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from gqlstock.rules import cache_keys
from gqlstock.rules.cache_keys import EVERYTHING, ITEMS, LEVELS, SETTINGS, TOKENS, Key
from gqlstock.store.db import sql
from support.row_changes import Row, RowChange


@dataclass(frozen=True, slots=True)
class _Links:
    """The references of rows. Items, levels and holds are never deleted from their tables or reassigned."""

    products: Mapping[int, int]
    """The product of each item, itself for a product."""
    items: Mapping[int, int]
    """The item of each level."""
    held: Mapping[int, Collection[int]]
    """The items of each hold's units."""

    def stock(self, item_id: int) -> set[Key]:
        return {cache_keys.levels(item_id), LEVELS}

    def catalog(self, item_id: int) -> set[Key]:
        return {cache_keys.item(self.products[item_id]), ITEMS}

    def setting(self, row: Row) -> set[Key]:
        match row["scope"]:
            case "PRODUCT" | "COMBINATION":
                return self.catalog(row["owner_id"])
            case "LEVEL":
                return self.catalog(self.items[row["owner_id"]])
        return {SETTINGS}


def _settings(row: Row, links: _Links) -> set[Key]:
    return {SETTINGS}


def _of_level(row: Row, links: _Links) -> set[Key]:
    return links.stock(links.items[row["level_id"]]) if row["level_id"] is not None else set()


def _of_item(row: Row, links: _Links) -> set[Key]:
    return links.stock(row["item_id"])


KEYS: Mapping[str, Callable[[Row, _Links], set[Key]]] = {
    "organization": _settings,
    "website": _settings,
    "warehouse": _settings,
    "assignment": _settings,
    "category": _settings,
    "setting_override": lambda row, links: links.setting(row),
    "item": lambda row, links: links.catalog(row["id"]),
    "inventory_level": _of_item,
    "stock_movement": _of_level,
    "stock_announcement": _of_level,
    "held_units": _of_level,
    "stock_hold": lambda row, links: {key for item_id in links.held[row["id"]] for key in links.stock(item_id)},
    "low_inventory_alert": _of_item,
    "api_token": lambda row, links: {TOKENS},
    "order_key": lambda row, links: {TOKENS},
}
"""The cache keys of each row of a table."""

_ORDERS = "answers with orders are not kept"
_HOLDS = "answers with holds need orders:read, and answers with orders are not kept; levels show only their units"
_TRANSFERS = "answers with transfers are not kept"
NOT_KEPT_TABLES: Mapping[str, str] = {
    "customer_order": _ORDERS,
    "order_line": _ORDERS,
    "allocation": "allocations are shown with their orders; what they take of a level is in its figures",
    "shipment": _ORDERS,
    "stock_hold_line": _HOLDS,
    "inventory_transfer": _TRANSFERS,
    "inventory_transfer_line": _TRANSFERS,
    "reassessment": "a queue of work, which no answer shows",
    "outbox": "the entries themselves: answers with them are not kept",
    "outbox_horizon": "where entries begin: validation reads it",
    "outbox_era": "whose transaction numbers entries have: validation notices another server",
    "dispatch": "a place in the outbox, which no answer shows",
    "webhook_endpoint": "answers with webhooks are not kept",
    "webhook_delivery": "answers with webhooks are not kept",
    "back_in_stock_subscription": "personal data is not kept",
    "mail": "personal data is not kept",
    "kept_answer": "answers of mutations are not kept in memory",
}
"""Why no cached answer shows rows of these tables."""

NOT_KEPT_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "stock_hold": {
        "id": _HOLDS,
        "website_id": _HOLDS,
        "created_at": _HOLDS,
        "address": "personal data, which no answer shows",
        "seal": "only verify reads it",
    },
    "stock_announcement": {"lapsed_at": "what the sweep of passed dates has done, which no answer shows"},
}
"""Why no cached answer shows these columns of the other tables."""


def kept_columns(table: str, columns: Collection[str]) -> set[str]:
    """The columns of a table that a cached answer may show."""
    return set(columns) - NOT_KEPT_COLUMNS.get(table, {}).keys() if table in KEYS else set()


async def uncovered(changes: Collection[RowChange]) -> list[str]:
    """The changes whose keys no outbox entry of the same transaction drops, as texts."""
    links = await _links()
    dropped = {
        transaction: cache_keys.dropped(
            (one.after["topic"], one.after["item_id"])
            for one in changes
            if one.table == "outbox" and one.after is not None and one.transaction == transaction
        )
        for transaction in {one.transaction for one in changes}
    }
    found = []
    for one in changes:
        columns = kept_columns(one.table, one.columns)
        rows = [row for row in (one.before, one.after) if row is not None]
        keys = {key for row in rows for key in KEYS[one.table](row, links)} if columns else set()
        missing = set() if EVERYTHING in dropped[one.transaction] else keys - dropped[one.transaction]
        if missing:
            found.append(
                f"{one.table} {rows[0]['id']}: {sorted(columns)} changed, and no entry drops {sorted(missing)}"
            )
    return found


async def _links() -> _Links:
    items = await sql.query("SELECT id, COALESCE(product_id, id) AS product FROM item")
    levels = await sql.query("SELECT id, item_id FROM inventory_level")
    held = await sql.query(
        """SELECT h.id AS id, l.item_id AS item_id FROM stock_hold h LEFT JOIN held_units u ON u.hold_id = h.id
           LEFT JOIN inventory_level l ON l.id = u.level_id"""
    )
    of_holds: dict[int, set[int]] = {row["id"]: set() for row in held}
    for row in held:
        if row["item_id"] is not None:
            of_holds[row["id"]].add(row["item_id"])
    return _Links({row["id"]: row["product"] for row in items}, {row["id"]: row["item_id"] for row in levels}, of_holds)
