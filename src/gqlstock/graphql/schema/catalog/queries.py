"""Catalog queries: products, items, categories, availabilities."""

from typing import Annotated, Any

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import BadUserInput
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page, Reverse
from gqlstock.graphql.schema.catalog import availability, listing
from gqlstock.graphql.schema.catalog.availability import Availability, WebsiteArg
from gqlstock.graphql.schema.catalog.categories import Category
from gqlstock.graphql.schema.catalog.categories import FilterArg as ProductFilterArg
from gqlstock.graphql.schema.catalog.categories import SortArg as ProductSortArg
from gqlstock.graphql.schema.catalog.items import InventoryItem
from gqlstock.graphql.schema.catalog.listing import InventoryItemFilter, InventoryItemSort, ProductSort
from gqlstock.graphql.schema.catalog.products import Combination, Product, visible
from gqlstock.graphql.schema.filters import MAX_NAMES
from gqlstock.rules.catalog import Item
from gqlstock.rules.limits import FILTERED_LIST_COST
from gqlstock.rules.paging import SortOrder
from gqlstock.services import assortments
from gqlstock.services import availability as services
from gqlstock.services import categories as category_services
from gqlstock.stock import categories, present

SkuArg = Annotated[str | None, strawberry.argument(description="The SKU. Give either this or the slug.")]
SlugArg = Annotated[str | None, strawberry.argument(description="The slug. Give either this or the SKU.")]


async def _visible(info: Info, item: Item | None, website: str | None) -> Any:
    """The item if the caller may see it on the website."""
    found = await visible(info, [item] if item is not None else [], website)
    return nodes.on_website(nodes.show(found[0]), website) if found else None


@strawberry.type
class CatalogQueries:
    @access.field(description="One product, by SKU or by slug. [public]")
    async def product(
        self, info: Info, sku: SkuArg = None, slug: SlugArg = None, website: WebsiteArg = None
    ) -> Product | None:
        if (sku is None) == (slug is None):
            raise BadUserInput("Give exactly one of sku and slug.")
        return await _visible(info, await present.product(sku=sku, slug=slug), website)  # type: ignore[no-any-return]

    @access.field(description="A product or a combination, by SKU. [public]")
    async def inventory_item(
        self,
        info: Info,
        sku: Annotated[str, strawberry.argument(description="The SKU.")],
        website: WebsiteArg = None,
    ) -> InventoryItem | None:
        return await _visible(info, (await present.by_sku([sku])).get(sku), website)  # type: ignore[no-any-return]

    @access.field(description="Products and combinations. [public]", work=FILTERED_LIST_COST)
    async def inventory_items(
        self,
        info: Info,
        filter: Annotated[InventoryItemFilter | None, strawberry.argument(description="Selects items.")] = None,
        sort: Annotated[InventoryItemSort, strawberry.argument(description="The sort order.")] = InventoryItemSort.NAME,
        reverse: Reverse = False,
        website: WebsiteArg = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[InventoryItem] | None:
        page = Page.of(first, after, last, before)
        return await listing.items(info, filter, sort, page, website, reverse=reverse)

    @access.field(description="Products. [public]", work=FILTERED_LIST_COST)
    async def products(
        self,
        info: Info,
        filter: ProductFilterArg = None,
        sort: ProductSortArg = ProductSort.NAME,
        reverse: Reverse = False,
        website: WebsiteArg = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Product] | None:
        page = Page.of(first, after, last, before)
        return await listing.products(info, filter, sort.order(reverse=reverse), page, website)

    @access.field(description="A combination, by SKU. [public]")
    async def combination(
        self,
        info: Info,
        sku: Annotated[str, strawberry.argument(description="The combination's SKU.")],
        website: WebsiteArg = None,
    ) -> Combination | None:
        found = (await present.by_sku([sku])).get(sku)
        wanted = found if found is not None and not found.is_product else None
        return await _visible(info, wanted, website)  # type: ignore[no-any-return]

    @access.field(description="A category, by slug. [public]")
    async def category(
        self,
        info: Info,
        slug: Annotated[str, strawberry.argument(description="The category's slug.")],
        website: WebsiteArg = None,
    ) -> Category | None:
        await assortments.channel(website)
        shown = nodes.show_optional(await categories.category(slug))
        return nodes.on_website(shown, website)  # type: ignore[no-any-return]

    @access.field(description="Categories, by slug. [public]")
    async def categories(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Category]:
        page = Page.of(first, after, last, before)
        return await paging.connection(page, SortOrder("slug"), category_services.every(), nodes.show)

    @access.field(description="One entry for each SKU, in the given order. Null for unknown SKUs. [public]")
    async def availabilities(
        self,
        info: Info,
        skus: Annotated[list[str], strawberry.argument(description=f"At most {MAX_NAMES} SKUs.")],
        website: WebsiteArg = None,
    ) -> list[Availability | None] | None:
        if len(skus) > MAX_NAMES:
            raise BadUserInput(f"Too many skus: {len(skus)} given; at most {MAX_NAMES} allowed.")
        channel = await assortments.channel(website)
        if channel is None:
            return [None] * len(skus)
        shown = await services.of_skus(skus, channel, info.context.caller)
        return [None if one is None else availability.of(one) for one in shown]
