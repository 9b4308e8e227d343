"""Ledger entries for exports, oldest first."""

from typing import Any

from gqlstock.rules import orders as order_rules
from gqlstock.rules.ids import global_id
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.services.exports.page import Row
from gqlstock.store import export_pages
from gqlstock.store.db.fields import wire_units
from gqlstock.store.db.records import wire_moment

COLUMNS = (
    *("id", "createdAt", "sku", "warehouse", "kind", "quantity", "onHandAfter"),
    *("reason", "reference", "actor", "order"),
)
_MOVEMENTS = 1_000


async def page(caller: Caller, after: int | None) -> tuple[list[Row], int | None]:
    found = await export_pages.movements(after or 0, _MOVEMENTS, caller.warehouses)
    sees_orders = caller.may(Scope.ORDERS_READ)
    rows: list[Row] = [
        {
            "id": global_id("StockMovement", movement_id),
            "createdAt": wire_moment(at),
            "levelId": global_id("InventoryLevel", level_id),
            "sku": sku,
            "warehouse": warehouse,
            "kind": kind,
            "quantity": wire_units(quantity),
            "onHandAfter": wire_units(after),
            "reason": reason,
            "reference": reference,
            "actor": actor,
            "order": order_rules.number(order) if order is not None and sees_orders else None,
        }
        for (
            movement_id,
            level_id,
            sku,
            warehouse,
            kind,
            quantity,
            after,
            reason,
            reference,
            actor,
            order,
            at,
        ) in found
    ]
    return rows, found[-1][0] if len(found) == _MOVEMENTS else None


def cells(row: Row) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in COLUMNS)]
