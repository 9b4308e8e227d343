"""Lists of inventory levels: their filter, their sort orders, and batch functions for many parents."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import After, Before, First, Last, Page, Reverse
from gqlstock.graphql.schema.enums import described
from gqlstock.graphql.schema.filters import chosen
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.filters import LevelFilter
from gqlstock.rules.ledger import Level
from gqlstock.rules.paging import SortOrder
from gqlstock.rules.scopes import Caller
from gqlstock.services import list_levels
from gqlstock.stock.lists import RowsBelow


class InventoryLevelSort(StrEnum):
    SKU = "item__sku"
    NAME = "item__name"
    AVAILABLE = "available"
    ON_HAND = "on_hand"
    UPDATED = "updated_at"


described(
    InventoryLevelSort,
    "The sort order of levels.",
    {
        "SKU": "The item's SKU.",
        "NAME": "The item's name.",
        "AVAILABLE": "By available quantity, lowest first.",
        "ON_HAND": "By quantity on hand, lowest first.",
        "UPDATED": "By the time of the last change, oldest first.",
    },
)


@strawberry.input(description="Selects levels. All given conditions must hold.")
class InventoryLevelFilter:
    search: str | None = strawberry.field(
        default=None, description="Searches name, SKU, code and barcode. Ignores case and accents."
    )
    website: str | None = strawberry.field(
        default=None, description="Only levels in warehouses that this website sells from, by code."
    )
    available_at_least: Decimal | None = strawberry.field(
        default=None, description="Only levels with at least this available."
    )
    updated_since: datetime | None = strawberry.field(
        default=None, description="Only those changed at or after this time."
    )
    skus: list[str] | None = strawberry.field(default=None, description="Only these items, by SKU.")
    warehouses: list[str] | None = strawberry.field(default=None, description="Only these warehouses, by code.")
    product: str | None = strawberry.field(
        default=None, description="Only the product with this SKU and its combinations."
    )
    category: str | None = strawberry.field(
        default=None, description="Only products in this category or its descendants, by slug."
    )
    available_below: Decimal | None = strawberry.field(
        default=None, description="Only levels with less than this available."
    )
    status: list[InventoryStatus] | None = strawberry.field(
        default=None, description="Only products whose manually set status is one of these."
    )
    include_deleted: bool | None = strawberry.field(default=None, description="true: include deleted levels.")


FilterArg = Annotated[InventoryLevelFilter | None, strawberry.argument(description="Selects levels.")]
SortArg = Annotated[InventoryLevelSort, strawberry.argument(description="The sort order.")]


Below = Callable[[Sequence[Any], LevelFilter, Caller], Awaitable[RowsBelow[Level]]]
"""Finds the levels below each parent."""


def _batch_function(below: Below) -> Any:
    """The levels below each parent, as a batch function."""

    async def inventory_levels(
        parents: Sequence[Any],
        info: Info,
        filter: FilterArg = None,
        sort: SortArg = InventoryLevelSort.SKU,
        reverse: Reverse = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> list[Any]:
        page = Page.of(first, after, last, before)
        rows = [parent.row for parent in parents]
        found = await below(rows, chosen(filter, LevelFilter), info.context.caller)
        order = SortOrder(sort.value, reverse)
        return await paging.connections(page, order, found, [row.id for row in rows], nodes.show)

    return inventory_levels


async def _in_warehouses(places: Sequence[Any], wanted: LevelFilter, caller: Caller) -> RowsBelow[Level]:
    return await list_levels.in_warehouses([place.id for place in places], wanted, caller)


of_items = _batch_function(list_levels.of_items)
in_warehouses = _batch_function(_in_warehouses)
