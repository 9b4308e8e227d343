"""What a caller sees of stock whose token is for some warehouses alone: no row of another one, in no list and by no id."""

from collections.abc import Awaitable, Callable
from typing import Any

from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import Forbidden
from gqlstock.rules.scopes import Caller
from gqlstock.store import named_levels

Seen = Callable[[Info, dict[int, Any]], Awaitable[dict[int, Any]]]


def within(query: Any, caller: Caller, column: str = "warehouse_id") -> Any:
    """The rows of a query that are of the caller's warehouses, by the column that names the warehouse."""
    return query if caller.warehouses is None else query.filter(**{f"{column}__in": caller.warehouses})


async def seen(info: Info, rows: dict[int, Any]) -> dict[int, Any]:
    """Of rows that name their warehouse, those that the caller may see."""
    return {row_id: row for row_id, row in rows.items() if info.context.caller.reaches(row.warehouse_id)}


async def seen_by_level(info: Info, rows: dict[int, Any]) -> dict[int, Any]:
    """Of rows that name their level, those that the caller may see."""
    if info.context.caller.warehouses is None:
        return rows
    places = await named_levels.warehouse_ids({row.level_id for row in rows.values()})
    return {row_id: row for row_id, row in rows.items() if info.context.caller.reaches(places[row.level_id])}


def require_all(caller: Caller, what: str) -> None:
    """Refuse a caller who is for some warehouses alone what concerns the stock of all."""
    if caller.warehouses is not None:
        raise Forbidden(f"{what} concerns the stock of all warehouses: the token is for some of them.")
