"""Finds holds with their lines."""

from collections.abc import Collection

from gqlstock.rules.filters import HoldFilter
from gqlstock.rules.holds import StockHold, StockHoldLine
from gqlstock.stock import reading
from gqlstock.stock.lists import QueryRows, Rows
from gqlstock.store import holds as rows


async def by_id(ids: Collection[int]) -> dict[int, StockHold]:
    return await rows.holds(ids)


async def matching(chosen: HoldFilter) -> Rows[StockHold]:
    """The holds that match a filter, by their current state."""
    return QueryRows(await rows.matching(chosen, reading.now()))


async def lines_of(hold_ids: Collection[int]) -> dict[int, list[StockHoldLine]]:
    """The lines of each hold, in their order."""
    return await rows.lines_of(hold_ids)
