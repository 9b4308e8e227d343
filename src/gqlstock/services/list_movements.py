"""Finds movements in the warehouses that the caller has access to."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from gqlstock.rules.filters import MovementFilter
from gqlstock.rules.ledger import StockMovement
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import Caller
from gqlstock.stock.lists import QueryRows, QueryRowsBelow, Rows, RowsBelow
from gqlstock.store import ledger


async def by_id(ids: Collection[int]) -> dict[int, StockMovement]:
    return await ledger.movements(ids)


def matching(chosen: MovementFilter, caller: Caller) -> Rows[StockMovement]:
    """The movements that match a filter."""
    return QueryRows(ledger.matching(chosen, caller.warehouses))


async def of_levels(level_ids: Collection[int], caller: Caller) -> RowsBelow[StockMovement]:
    return QueryRowsBelow(ledger.matching(MovementFilter(), None), "level_id", level_ids)


async def of_orders(order_ids: Collection[int], caller: Caller) -> RowsBelow[StockMovement]:
    return QueryRowsBelow(ledger.matching(MovementFilter(), caller.warehouses), "order_id", order_ids)


async def on_hand_at(level_ids: Collection[int], moment: datetime) -> dict[int, Decimal]:
    """Each level's onHand at a moment: the sum of its movements up to and including it."""
    found = await ledger.on_hand_at(level_ids, moment)
    return {level_id: found.get(level_id, ZERO) for level_id in level_ids}
