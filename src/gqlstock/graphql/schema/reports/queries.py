"""Queries that explain figures: the sum behind an availability, and the low-stock report."""

from decimal import Decimal
from typing import Annotated, Any

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import BadUserInput
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page
from gqlstock.graphql.schema.catalog import availability
from gqlstock.graphql.schema.catalog.availability import (
    AvailabilityExplanation,
    AvailabilityTerm,
    WebsiteArg,
)
from gqlstock.graphql.schema.catalog.items import InventoryItem
from gqlstock.graphql.schema.network.warehouses import Warehouse
from gqlstock.rules.limits import COUNT_COST
from gqlstock.rules.paging import SortOrder
from gqlstock.rules.scopes import Scope
from gqlstock.services import assortments, categories, explanations, reports
from gqlstock.services.reports import LowStock
from gqlstock.stock import network, present
from gqlstock.stock.lists import ComputedRows

READS = Scope.INVENTORY_READ
MOST_SHORT_FIRST = SortOrder("short", descending=True)


@strawberry.type(description="An item whose available quantity is at or below its minimumStockQuantity.")
class LowStockItem:
    item: InventoryItem = strawberry.field(description="The item.")
    warehouse: Warehouse | None = strawberry.field(description="The selected warehouse. Null: several together.")
    available: Decimal = strawberry.field(description="The available quantity, less safety stock.")
    minimum_stock_quantity: Decimal = strawberry.field(description="The item's minimumStockQuantity.")


@strawberry.type
class ReportQueries:
    @access.field(
        description=(
            "Explains an availability: units on hand by warehouse, less claims on them, less thresholds with their origins. "
            "A token that is limited to warehouses gets the sum over those. Needs inventory:read."
        ),
        scope=READS,
    )
    async def explain_availability(
        self,
        info: Info,
        sku: Annotated[str, strawberry.argument(description="The item's SKU.")],
        website: WebsiteArg = None,
    ) -> AvailabilityExplanation | None:
        found = await explanations.of_sku(sku, website, info.context.caller)
        if found is None:
            return None
        return AvailabilityExplanation(
            availability=availability.of(found.showing), terms=[AvailabilityTerm.of(term) for term in found.terms]
        )

    @access.field(
        description="Tracked items that are low, those with the largest shortage first. Needs inventory:read.",
        scope=READS,
        work=COUNT_COST,
    )
    async def low_stock_report(
        self,
        info: Info,
        warehouse: Annotated[
            str | None, strawberry.argument(description="Only this warehouse's stock, by code.")
        ] = None,
        website: Annotated[
            str | None, strawberry.argument(description="Only the stock that this website sells from, by code.")
        ] = None,
        category: Annotated[
            str | None, strawberry.argument(description="Only this category and its descendants, by slug.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[LowStockItem] | None:
        page = Page.of(first, after, last, before)
        place = await network.warehouse(warehouse) if warehouse is not None else None
        if warehouse is not None and place is None:
            raise BadUserInput(f"There is no warehouse {warehouse:.80}.")
        if place is not None and not info.context.caller.reaches(place.id):
            raise BadUserInput(f"The token does not cover the warehouse {place.code}.")
        found = await reports.low_stock(
            await present.network(),
            channel=await assortments.channel(website) if website is not None else None,
            warehouse_id=place.id if place else None,
            category_ids=await categories.ids_below(category) if category is not None else None,
            caller=info.context.caller,
        )

        def node(low: LowStock) -> Any:
            return LowStockItem(
                item=nodes.show(low.item),
                warehouse=nodes.show_optional(place),
                available=low.available,
                minimum_stock_quantity=low.minimum,
            )

        rows = ComputedRows(found, lambda low: (low.short, low.item.id))
        return await paging.connection(page, MOST_SHORT_FIRST, rows, node)
