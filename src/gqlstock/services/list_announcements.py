"""Finds stock announcements in the warehouses that the caller has access to."""

from collections.abc import Collection

from gqlstock.rules.filters import AnnouncementFilter
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.scopes import Caller
from gqlstock.stock import reading
from gqlstock.stock.lists import QueryRows, QueryRowsBelow, Rows, RowsBelow
from gqlstock.store import announcements as rows


async def by_id(ids: Collection[int]) -> dict[int, StockAnnouncement]:
    return await rows.announcements(ids)


async def matching(chosen: AnnouncementFilter, caller: Caller) -> Rows[StockAnnouncement]:
    """The announcements that match a filter."""
    now = reading.now()
    if chosen.overdue is not None:
        reading.holds_until(await rows.next_overdue(now))
    return QueryRows(rows.matching(chosen, caller.warehouses, now))


async def of_levels(level_ids: Collection[int], caller: Caller) -> RowsBelow[StockAnnouncement]:
    return QueryRowsBelow(rows.all_announcements(), "level_id", level_ids)
