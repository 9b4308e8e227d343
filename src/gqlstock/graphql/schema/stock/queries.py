"""Levels, the ledger, and what was announced."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page, Reverse
from gqlstock.graphql.schema.enums import described
from gqlstock.graphql.schema.filters import chosen
from gqlstock.graphql.schema.stock import level_lists
from gqlstock.graphql.schema.stock.announcements import StockAnnouncement
from gqlstock.graphql.schema.stock.level_lists import InventoryLevelSort
from gqlstock.graphql.schema.stock.levels import InventoryLevel
from gqlstock.graphql.schema.stock.movements import StockMovement
from gqlstock.rules.filters import AnnouncementFilter, LevelFilter, MovementFilter
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.paging import NEWEST_FIRST, SortOrder
from gqlstock.rules.scopes import Scope
from gqlstock.services import list_announcements, list_levels, list_movements

READS = Scope.INVENTORY_READ


@strawberry.input(description="Selects movements. All given conditions must hold.")
class StockMovementFilter:
    skus: list[str] | None = strawberry.field(default=None, description="Only these items, by SKU.")
    warehouses: list[str] | None = strawberry.field(default=None, description="Only these warehouses, by code.")
    kinds: list[MovementKind] | None = strawberry.field(default=None, description="Only these kinds.")
    order: str | None = strawberry.field(default=None, description="Only those of the order with this number.")
    reference: str | None = strawberry.field(default=None, description="Only those with this reference.")
    since: datetime | None = strawberry.field(default=None, description="Only those written at or after this time.")
    until: datetime | None = strawberry.field(default=None, description="Only those written before this time.")


class StockAnnouncementSort(StrEnum):
    EXPECTED = "expected_at"
    CREATED = "id"


described(
    StockAnnouncementSort,
    "The sort order of announcements.",
    {
        "EXPECTED": "By expected date, soonest first, those without a date last.",
        "CREATED": "By the time of announcement, oldest first.",
    },
)


@strawberry.input(description="Selects announcements. All given conditions must hold.")
class StockAnnouncementFilter:
    skus: list[str] | None = strawberry.field(default=None, description="Only these items, by SKU.")
    warehouses: list[str] | None = strawberry.field(
        default=None, description="Only announcements for these warehouses, by code."
    )
    open: bool | None = strawberry.field(
        default=None, description="true: only those with units still to arrive. false: only the others."
    )
    overdue: bool | None = strawberry.field(
        default=None, description="true: only overdue ones. false: only the others."
    )
    expected_from: datetime | None = strawberry.field(
        default=None, description="Only those expected at or after this time. Excludes those without a date."
    )
    expected_until: datetime | None = strawberry.field(
        default=None, description="Only those expected at or before this time. Excludes those without a date."
    )
    reference: str | None = strawberry.field(default=None, description="Only those with this reference.")


def _order_of(chosen: StockMovementFilter | None) -> SortOrder:
    """Newest first. By time if a period is given, so that the index on the time is used."""
    timed = chosen is not None and (chosen.since is not None or chosen.until is not None)
    return SortOrder("created_at", descending=True) if timed else NEWEST_FIRST


def _order_of_announcements(sort: StockAnnouncementSort, chosen: AnnouncementFilter, *, reverse: bool) -> SortOrder:
    """The sort order. Filters by date exclude announcements without one, so the sort column is then not nullable."""
    dated = chosen.overdue or chosen.expected_from is not None or chosen.expected_until is not None
    return SortOrder(sort.value, reverse, nullable=sort is StockAnnouncementSort.EXPECTED and not dated)


@strawberry.type
class StockQueries:
    @access.field(description="One item's stock in one warehouse. Needs inventory:read.", scope=READS)
    async def inventory_level(
        self,
        info: Info,
        sku: Annotated[str, strawberry.argument(description="The item's SKU.")],
        warehouse: Annotated[str, strawberry.argument(description="The warehouse's code.")],
    ) -> InventoryLevel | None:
        return nodes.show_optional(await list_levels.one(sku, warehouse, info.context.caller))  # type: ignore[no-any-return]

    @access.field(description="Levels. Needs inventory:read.", scope=READS)
    async def inventory_levels(
        self,
        info: Info,
        filter: level_lists.FilterArg = None,
        sort: level_lists.SortArg = InventoryLevelSort.SKU,
        reverse: Reverse = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[InventoryLevel] | None:
        page = Page.of(first, after, last, before)
        order = SortOrder(sort.value, reverse)
        found = await list_levels.matching(chosen(filter, LevelFilter), info.context.caller)
        return await paging.connection(page, order, found, nodes.show)

    @access.field(description="The ledger, newest first. Needs inventory:read.", scope=READS)
    async def stock_movements(
        self,
        info: Info,
        filter: Annotated[StockMovementFilter | None, strawberry.argument(description="Selects movements.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[StockMovement] | None:
        page = Page.of(first, after, last, before)
        found = list_movements.matching(chosen(filter, MovementFilter), info.context.caller)
        return await paging.connection(page, _order_of(filter), found, nodes.show)

    @access.field(
        description=(
            "Announcements, soonest first, those without a date last. reverse reverses the whole order. "
            "Needs inventory:read."
        ),
        scope=READS,
    )
    async def stock_announcements(
        self,
        info: Info,
        filter: Annotated[
            StockAnnouncementFilter | None, strawberry.argument(description="Selects announcements.")
        ] = None,
        sort: Annotated[
            StockAnnouncementSort, strawberry.argument(description="The sort order.")
        ] = StockAnnouncementSort.EXPECTED,
        reverse: Reverse = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[StockAnnouncement] | None:
        page = Page.of(first, after, last, before)
        wanted = chosen(filter, AnnouncementFilter)
        order = _order_of_announcements(sort, wanted, reverse=reverse)
        found = await list_announcements.matching(wanted, info.context.caller)
        return await paging.connection(page, order, found, nodes.show)
