"""Finds orders with their lines and allocations."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from gqlstock.rules import orders as rules
from gqlstock.rules.allocation import Allocation, AllocationState
from gqlstock.rules.filters import OrderFilter
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import Caller
from gqlstock.stock import reading
from gqlstock.stock.lists import QueryRows, QueryRowsBelow, Rows, RowsBelow
from gqlstock.store import orders as rows


async def by_id(ids: Collection[int]) -> dict[int, Order]:
    return await rows.orders(ids)


async def by_number(number: str) -> Order | None:
    order_id = rules.id_of(number)
    return None if order_id is None else (await rows.orders([order_id])).get(order_id)


async def matching(chosen: OrderFilter, caller: Caller) -> Rows[Order]:
    """The orders that match a filter. A filter by warehouse is limited to those that the caller has access to."""
    return QueryRows(await rows.matching(chosen, caller.warehouses))


async def lines(ids: Collection[int]) -> dict[int, OrderLine]:
    return await rows.lines(ids)


async def lines_of(order_ids: Collection[int]) -> dict[int, list[OrderLine]]:
    """The lines of each order, in order. Read once for all fields of these orders."""
    return await reading.once(("lines", *order_ids), lambda: rows.lines_of(order_ids))


async def allocations(ids: Collection[int]) -> dict[int, Allocation]:
    return await rows.allocations(ids)


async def allocations_of(line_ids: Sequence[int]) -> dict[int, list[Allocation]]:
    """The allocations of each line, oldest first. Read once for all fields of these lines."""
    return await reading.once(("allocations", *line_ids), lambda: rows.allocations_of(line_ids))


async def allocations_of_levels(level_ids: Collection[int], caller: Caller) -> RowsBelow[Allocation]:
    """The allocations of each level."""
    return QueryRowsBelow(rows.all_allocations(), "level_id", level_ids)


async def units_in(line_ids: Sequence[int], *states: AllocationState) -> list[Decimal]:
    """How many units of each line are in one of these states."""
    found = await allocations_of(line_ids)
    return [sum((one.quantity for one in found[line_id] if one.state in states), ZERO) for line_id in line_ids]
