"""Reports of the demand for items and categories, and of stock cover."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import BadUserInput
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page
from gqlstock.graphql.schema.catalog.categories import Category
from gqlstock.graphql.schema.catalog.items import InventoryItem
from gqlstock.graphql.schema.enums import described
from gqlstock.rules import demand as rules
from gqlstock.rules.limits import COUNT_COST
from gqlstock.rules.paging import Figure, Key, SortOrder, Span
from gqlstock.rules.scopes import Scope
from gqlstock.services import assortments, categories
from gqlstock.services import demand as services
from gqlstock.stock import present
from gqlstock.stock.lists import ComputedRows

READS = Scope.INVENTORY_READ

# Items without orders never run out, so they are sorted after all others.
_BEHIND_ALL = Decimal(10) ** 13

DaysArg = Annotated[int, strawberry.argument(description=f"The period in days: 1 to {rules.MAX_DAYS}.")]


class ItemDemandSort(StrEnum):
    DAYS_OF_COVER = "days_of_cover"
    ORDERED = "ordered"
    SUGGESTED_REORDER = "suggested_reorder"

    @property
    def order(self) -> SortOrder:
        return SortOrder(self.value, descending=self is not ItemDemandSort.DAYS_OF_COVER)

    def is_ahead(self, row: services.ItemDemand) -> bool:
        """Whether an item is sorted before all items without orders."""
        if self is ItemDemandSort.DAYS_OF_COVER:
            return row.outlook.days_of_cover is not None
        return bool(self.key(row)[0] > 0)

    def key(self, row: services.ItemDemand) -> Key:
        if self is ItemDemandSort.ORDERED:
            return row.demand.ordered, row.item.id
        if self is ItemDemandSort.SUGGESTED_REORDER:
            return row.outlook.suggested_reorder, row.item.id
        cover = row.outlook.days_of_cover
        return _BEHIND_ALL if cover is None else min(cover, _BEHIND_ALL - 1), row.item.id


described(
    ItemDemandSort,
    "The sort order of item demand.",
    {
        "DAYS_OF_COVER": "By days of cover, shortest first.",
        "ORDERED": "By ordered quantity, highest first.",
        "SUGGESTED_REORDER": "By suggested reorder quantity, highest first.",
    },
)


@strawberry.type(description="The demand for an item in a period, and how long its stock lasts.")
class ItemDemand:
    item: InventoryItem = strawberry.field(description="The item.")
    ordered: Decimal = strawberry.field(description="Units ordered and not canceled.")
    ordered_before: Decimal = strawberry.field(description="Units ordered in the period of the same length before.")
    shipped: Decimal = strawberry.field(description="Units shipped.")
    returned: Decimal = strawberry.field(description="Units returned.")
    per_day: Decimal = strawberry.field(description="Units ordered per day.")
    available: Decimal = strawberry.field(description="The quantity available now, over active warehouses.")
    days_of_cover: float | None = strawberry.field(description="available / perDay. Null if nothing was ordered.")
    stockout_date: datetime | None = strawberry.field(description="The last day with stock at this rate.")
    suggested_reorder: Decimal = strawberry.field(
        description="The quantity that raises the cover to coverDays, with incoming stock counted."
    )

    @classmethod
    def of(cls, row: services.ItemDemand) -> "ItemDemand":
        cover = row.outlook.days_of_cover
        return cls(
            item=nodes.show(row.item),
            ordered=row.demand.ordered,
            ordered_before=row.demand.ordered_before,
            shipped=row.demand.shipped,
            returned=row.demand.returned,
            per_day=row.outlook.per_day,
            available=row.available,
            days_of_cover=float(cover) if cover is not None else None,
            stockout_date=row.outlook.stockout,
            suggested_reorder=row.outlook.suggested_reorder,
        )


@strawberry.type(description="The demand for a category and its descendants in a period.")
class CategoryDemand:
    category: Category = strawberry.field(description="The category.")
    ordered: Decimal = strawberry.field(description="Units ordered and not canceled.")
    ordered_before: Decimal = strawberry.field(description="Units ordered in the period of the same length before.")


class _Sorted:
    """A sorted report. Items with orders come first, so a page of them does not read the others."""

    name = "report"

    def __init__(self, report: services.Report, sort: ItemDemandSort) -> None:
        self._report = report
        self._sort = sort

    def kind(self, order: SortOrder) -> type:
        return Figure

    async def page(self, span: Span) -> Sequence[tuple[services.ItemDemand, Key]]:
        if span.order == self._sort.order:
            by_days = self._sort is ItemDemandSort.DAYS_OF_COVER
            ordered = await (self._report.soonest(span.after, span.limit) if by_days else self._report.of_ordered())
            ahead = [row for row in ordered if self._sort.is_ahead(row)]
            found = await ComputedRows(ahead, self._sort.key).page(span)
            if len(found) == span.limit:
                return found
        return await ComputedRows(await self._report.of_all(), self._sort.key).page(span)

    async def count(self) -> int:
        return len(await self._report.of_all())


def _check(name: str, days: int) -> None:
    if not 1 <= days <= rules.MAX_DAYS:
        raise BadUserInput(f"{name} must be between 1 and {rules.MAX_DAYS}, not {days}.")


@strawberry.type
class DemandQueries:
    @access.field(
        description="Demand by item, and how long the stock lasts. Needs inventory:read.",
        scope=READS,
        work=COUNT_COST,
    )
    async def demand_report(
        self,
        info: Info,
        days: DaysArg = 30,
        cover_days: Annotated[int, strawberry.argument(description="The number of days that stock should last.")] = 30,
        website: Annotated[
            str | None, strawberry.argument(description="Only this website's orders and stock, by code.")
        ] = None,
        category: Annotated[
            str | None, strawberry.argument(description="Only this category and its descendants, by slug.")
        ] = None,
        sort: Annotated[
            ItemDemandSort, strawberry.argument(description="The sort order.")
        ] = ItemDemandSort.DAYS_OF_COVER,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ItemDemand] | None:
        page = Page.of(first, after, last, before)
        _check("days", days)
        _check("coverDays", cover_days)
        found = await services.by_item(
            await present.network(),
            days=days,
            cover_days=cover_days,
            channel=await assortments.channel(website) if website is not None else None,
            category_ids=await categories.ids_below(category) if category is not None else None,
            caller=info.context.caller,
        )
        return await paging.connection(page, sort.order, _Sorted(found, sort), ItemDemand.of)

    @access.field(description="Demand by category. Needs inventory:read.", scope=READS, work=COUNT_COST)
    async def category_demand_report(
        self,
        info: Info,
        days: DaysArg = 30,
        website: Annotated[str | None, strawberry.argument(description="Only this website's orders, by code.")] = None,
    ) -> list[CategoryDemand] | None:
        _check("days", days)
        channel = await assortments.channel(website) if website is not None else None
        found = await services.by_category(days=days, channel=channel)
        return [
            CategoryDemand(category=nodes.show(row.category), ordered=row.ordered, ordered_before=row.ordered_before)
            for row in found
        ]
