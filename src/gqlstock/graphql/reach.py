"""What a caller sees of stock whose token is for some warehouses alone: no row of another one, in no list and by no id."""

from collections.abc import Awaitable, Callable
from typing import Any

from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import Forbidden
from gqlstock.rules.scopes import Caller
from gqlstock.rules.transfers import InventoryTransfer
from gqlstock.services import list_transfers
from gqlstock.stock import present

Seen = Callable[[Info, dict[int, Any]], Awaitable[dict[int, Any]]]


async def seen(info: Info, rows: dict[int, Any]) -> dict[int, Any]:
    """Of rows that name their warehouse, those that the caller may see."""
    return {row_id: row for row_id, row in rows.items() if info.context.caller.reaches(row.warehouse_id)}


async def seen_by_either_end(info: Info, rows: dict[int, InventoryTransfer]) -> dict[int, InventoryTransfer]:
    """Of transfers, those that the caller may see."""
    return {row_id: row for row_id, row in rows.items() if list_transfers.seen(row, info.context.caller)}


async def seen_by_level(info: Info, rows: dict[int, Any]) -> dict[int, Any]:
    """Of rows that name their level, those that the caller may see."""
    if info.context.caller.warehouses is None:
        return rows
    levels = await present.levels({row.level_id for row in rows.values()})
    mine = info.context.caller.reaches
    return {row_id: row for row_id, row in rows.items() if mine(levels[row.level_id].warehouse_id)}


def require_all(caller: Caller, what: str) -> None:
    """Refuse a caller who is for some warehouses alone what concerns the stock of all."""
    if caller.warehouses is not None:
        raise Forbidden(f"{what} concerns the stock of all warehouses: the token is for some of them.")
