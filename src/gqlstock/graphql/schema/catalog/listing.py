"""Lists of products and items in the schema: their filters and orders."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import Connection, Page
from gqlstock.graphql.schema.enums import described
from gqlstock.graphql.schema.filters import chosen
from gqlstock.rules import filters
from gqlstock.rules.catalog import InventoryTracking, Item
from gqlstock.rules.paging import SortOrder
from gqlstock.rules.scopes import Scope
from gqlstock.services import assortments, list_products
from gqlstock.services.list_products import Audience


class ProductSort(StrEnum):
    NAME = "name"
    SKU = "sku"
    NEWEST = "id"
    UPDATED = "updated_at"

    def order(self, *, reverse: bool) -> SortOrder:
        return SortOrder(self.value, reverse != (self is ProductSort.NEWEST))


described(
    ProductSort,
    "The sort order of products.",
    {
        "NAME": "By name.",
        "SKU": "By SKU.",
        "NEWEST": "By creation time, newest first.",
        "UPDATED": "By the time of the last change, oldest first.",
    },
)


class InventoryItemSort(StrEnum):
    SKU = "sku"
    NAME = "name"
    AVAILABLE = "total_available"
    UPDATED = "updated_at"


described(
    InventoryItemSort,
    "The sort order of items.",
    {
        "SKU": "By SKU.",
        "NAME": "By name.",
        "AVAILABLE": "By the total available quantity, lowest first.",
        "UPDATED": "By the time of the last change, oldest first.",
    },
)


@strawberry.input(description="Selects products. All given conditions must hold.")
class ProductFilter:
    updated_since: datetime | None = strawberry.field(
        default=None, description="Only those changed at or after this time."
    )
    search: str | None = strawberry.field(
        default=None, description="Searches name, SKU, code and barcode. Ignores case and accents."
    )
    category: str | None = strawberry.field(
        default=None, description="Only those in this category or its descendants, by slug."
    )
    in_stock: bool | None = strawberry.field(
        default=None, description="true: only items that are IN_STOCK on the website. false: only the others."
    )
    published: bool | None = strawberry.field(
        default=None, description="true: only published products. false: only unpublished ones."
    )
    tracking: InventoryTracking | None = strawberry.field(default=None, description="Only products with this tracking.")
    skus: list[str] | None = strawberry.field(default=None, description="Only these SKUs.")


@strawberry.input(description="Selects items. All given conditions must hold.")
class InventoryItemFilter:
    search: str | None = strawberry.field(
        default=None, description="Searches name, SKU, code and barcode. Ignores case and accents."
    )
    skus: list[str] | None = strawberry.field(default=None, description="Only these SKUs.")
    category: str | None = strawberry.field(
        default=None, description="Only those in this category or its descendants, by slug."
    )
    warehouse: str | None = strawberry.field(
        default=None, description="Only items with a level in this warehouse, by code."
    )
    available_below: Decimal | None = strawberry.field(
        default=None, description="Only items with less than this available in all active warehouses together."
    )
    updated_since: datetime | None = strawberry.field(
        default=None, description="Only those changed at or after this time."
    )
    low: bool | None = strawberry.field(
        default=None,
        description="true: only items with an open low-inventory alert. false: only the others. Products tracked with "
        "options have no alerts; their combinations do.",
    )
    out_of_stock: bool | None = strawberry.field(
        default=None,
        description="true: only counted items with nothing available in any active warehouse. false: only the others. A "
        "product tracked with options is out of stock when all its combinations are.",
    )
    backordered: bool | None = strawberry.field(
        default=None,
        description="true: only items with ordered units that wait for stock, in any warehouse. false: only the others. "
        "Products tracked with options have the units of their combinations.",
    )
    incoming: bool | None = strawberry.field(
        default=None,
        description="true: only items with announced units still to be received, in any warehouse, including overdue "
        "units and transfers in transit. false: only the others. Products tracked with options have the units of their "
        "combinations.",
    )


async def products(
    info: Info, filter: ProductFilter | None, order: SortOrder, page: Page, website: str | None
) -> Connection[Any]:
    """A page of products."""
    rows = await list_products.products(chosen(filter, filters.ProductFilter), await _audience(info, website))
    return await paging.connection(page, order, rows, _shown_on(website))


async def products_below(
    info: Info,
    category_ids: Sequence[int],
    filter: ProductFilter | None,
    order: SortOrder,
    page: Page,
    website: str | None,
) -> list[Connection[Any]]:
    """A page of products for each category, with those of its descendants."""
    wanted = chosen(filter, filters.ProductFilter)
    rows = await list_products.products_below(category_ids, wanted, await _audience(info, website))
    return await paging.connections(page, order, rows, category_ids, _shown_on(website))


async def items(
    info: Info,
    filter: InventoryItemFilter | None,
    sort: InventoryItemSort,
    page: Page,
    website: str | None,
    *,
    reverse: bool,
) -> Connection[Any]:
    """A page of products and combinations. Filters and sort orders that reveal quantities need inventory:read."""
    wanted = chosen(filter, filters.ItemFilter)
    if sort is InventoryItemSort.AVAILABLE or wanted.tells_stock:
        access.require(info.context.caller, Scope.INVENTORY_READ)
    order = SortOrder(sort.value, reverse)
    rows = await list_products.items(wanted, order, await _audience(info, website))
    return await paging.connection(page, order, rows, _shown_on(website))


async def _audience(info: Info, website: str | None) -> Audience:
    return Audience(info.context.caller, await assortments.channel(website), info.context.turn)


def _shown_on(website: str | None) -> Callable[[Item], Any]:
    return lambda row: nodes.on_website(nodes.show(row), website)
