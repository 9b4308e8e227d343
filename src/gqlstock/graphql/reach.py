"""Warehouse limits of tokens: which rows a caller may see whose token is limited to some warehouses."""

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
    """The rows that the caller may see, by their ``warehouse_id``."""
    return {row_id: row for row_id, row in rows.items() if info.context.caller.reaches(row.warehouse_id)}


async def seen_by_either_end(info: Info, rows: dict[int, InventoryTransfer]) -> dict[int, InventoryTransfer]:
    """The transfers that the caller may see."""
    return {row_id: row for row_id, row in rows.items() if list_transfers.seen(row, info.context.caller)}


async def seen_by_level(info: Info, rows: dict[int, Any]) -> dict[int, Any]:
    """The rows that the caller may see, by the warehouse of their level."""
    if info.context.caller.warehouses is None:
        return rows
    levels = await present.levels({row.level_id for row in rows.values()})
    mine = info.context.caller.reaches
    return {row_id: row for row_id, row in rows.items() if mine(levels[row.level_id].warehouse_id)}


def require_all(caller: Caller, what: str) -> None:
    """Refuse a caller whose token is limited to some warehouses."""
    if caller.warehouses is not None:
        raise Forbidden(f"{what} covers the stock of all warehouses, but this token is limited to some of them.")
