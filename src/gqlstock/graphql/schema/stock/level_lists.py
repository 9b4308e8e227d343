"""Lists of inventory levels in the schema: their filter, their order, and the levels of many parents at once."""

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
    "What levels can be sorted by.",
    {
        "SKU": "The item's SKU.",
        "NAME": "The item's name.",
        "AVAILABLE": "What is available, least first.",
        "ON_HAND": "What is on hand, least first.",
        "UPDATED": "When it last changed, longest ago first.",
    },
)


@strawberry.input(description="Which levels to list; everything given must hold.")
class InventoryLevelFilter:
    search: str | None = strawberry.field(
        default=None, description="Looks in name, SKU, code and barcode, without case and accents."
    )
    website: str | None = strawberry.field(default=None, description="Only in warehouses that this website sells from.")
    available_at_least: Decimal | None = strawberry.field(default=None, description="Only with as much available.")
    updated_since: datetime | None = strawberry.field(default=None, description="Only changed at or after that moment.")
    skus: list[str] | None = strawberry.field(default=None, description="Only of these items.")
    warehouses: list[str] | None = strawberry.field(default=None, description="Only in these warehouses, by code.")
    product: str | None = strawberry.field(
        default=None, description="Only of the product of this SKU and its combinations."
    )
    category: str | None = strawberry.field(
        default=None, description="Only of products in this category or one below it, by slug."
    )
    available_below: Decimal | None = strawberry.field(default=None, description="Only with less available.")
    status: list[InventoryStatus] | None = strawberry.field(
        default=None, description="Only of products whose status set by hand is one of these."
    )
    include_deleted: bool | None = strawberry.field(default=None, description="Also those that were taken out of use.")


FilterArg = Annotated[InventoryLevelFilter | None, strawberry.argument(description="Which levels to list.")]
SortArg = Annotated[InventoryLevelSort, strawberry.argument(description="What to sort by.")]


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
