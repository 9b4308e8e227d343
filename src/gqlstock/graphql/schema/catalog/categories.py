"""Categories in the schema."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import batch, nodes
from gqlstock.graphql.relay.nodes import Node
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page, Reverse
from gqlstock.graphql.schema.catalog import listing
from gqlstock.graphql.schema.catalog.availability import WebsiteArg
from gqlstock.graphql.schema.catalog.listing import ProductFilter, ProductSort
from gqlstock.graphql.schema.catalog.products import Product
from gqlstock.rules import categories as category_rules
from gqlstock.rules.limits import FILTERED_LIST_COST
from gqlstock.stock import categories

FilterArg = Annotated[ProductFilter | None, strawberry.argument(description="Selects products.")]
SortArg = Annotated[ProductSort, strawberry.argument(description="The sort order.")]


async def _children(parents: Sequence["Category"], info: Info) -> list[list["Category"]]:
    found = await categories.children([parent.row.id for parent in parents])
    return [[nodes.on_website(Category.of(row), p.website) for row in found[p.row.id]] for p in parents]


async def _products(
    parents: Sequence["Category"],
    info: Info,
    filter: FilterArg = None,
    sort: SortArg = ProductSort.NAME,
    reverse: Reverse = False,
    website: WebsiteArg = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> list[Any]:
    page = Page.of(first, after, last, before)
    order = sort.order(reverse=reverse)
    by_website: dict[str | None, list[int]] = {}
    for parent in parents:
        by_website.setdefault(website if website is not None else parent.website, []).append(parent.row.id)
    found: dict[int, Any] = {}
    for asked, ids in by_website.items():
        below = await listing.products_below(info, ids, filter, order, page, asked)
        found |= dict(zip(ids, below, strict=True))
    return [found[parent.row.id] for parent in parents]


@strawberry.type(description="A category in the shop's category tree.")
class Category(Node):
    row: strawberry.Private[category_rules.Category]
    website: strawberry.Private[str | None] = None
    slug: str = strawberry.field(description="Unique, such as garden-tools.")
    name: str = strawberry.field(description="The display name.")
    parent: "Category | None" = batch.field(
        nodes.by_id(categories.categories, "parent_id"), description="The parent category. Null at the top level."
    )
    children: list["Category"] = batch.field(_children, description="The direct child categories, by name.")
    products: Connection[Product] | None = batch.field(
        _products, description="The products in this category and its descendants.", work=FILTERED_LIST_COST
    )

    @classmethod
    def of(cls, row: category_rules.Category) -> "Category":
        return cls(row=row, id=nodes.global_id("Category", row.id), slug=row.slug, name=row.name)


nodes.register(category_rules.Category, "Category", Category.of, categories.categories)
