"""Products, combinations and categories in the schema."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry

from gqlstock.graphql import batch, listing, nodes, paging, selection
from gqlstock.graphql.availability import WebsiteArg, assortments, channel_of
from gqlstock.graphql.below import OLDEST_FIRST
from gqlstock.graphql.context import Info
from gqlstock.graphql.executor import derived_field
from gqlstock.graphql.items import InventoryItem
from gqlstock.graphql.listing import ProductFilter, ProductSort
from gqlstock.graphql.nodes import Node
from gqlstock.graphql.options import Image, ProductOption, SelectedOption
from gqlstock.graphql.paging import After, Before, Connection, First, Last, Page, Reverse
from gqlstock.graphql.selection import ProductSelection
from gqlstock.graphql.warehouses import Warehouse
from gqlstock.rules import categories as category_rules
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking, Item
from gqlstock.rules.limits import FILTERED_LIST_COST
from gqlstock.rules.scopes import Scope
from gqlstock.services.availability import is_visible
from gqlstock.store import catalog as rows
from gqlstock.store import categories, warehouses


async def _combinations(
    parents: Sequence["Product"],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> list[Any]:
    page = Page.of(first, after, last, before)
    ids = [parent.row.id for parent in parents]
    found = await paging.nested(page, OLDEST_FIRST, rows.live_items(), "product_id", ids, Combination.of)
    # A product may be asked more than once, on one website and on another.
    for parent, connection in zip(parents, found, strict=True):
        for combination in connection.nodes:
            combination.website = parent.website
    return found


@strawberry.type(description="A product of the shop.")
class Product(InventoryItem):
    images: list[Image] = derived_field(
        lambda product: [Image.of(image) for image in product.row.images],
        description="Pictures; a combination without its own shows the product's.",
    )
    slug: str = strawberry.field(description="Unique, such as garden-hose.")
    description: str | None = strawberry.field(description="What is said about it.")
    category: "Category | None" = batch.field(
        nodes.by_id(categories.categories, "category_id"), description="Where it is shown."
    )
    tracking: InventoryTracking = strawberry.field(description="How its stock is counted.")
    published: bool = strawberry.field(
        description="The merchant's own switch. lowStockActivity UNPUBLISH hides a product without touching it."
    )
    inventory_status: InventoryStatus = strawberry.field(
        description="The status set by hand; availability.status is the one in effect."
    )
    shipping_origin: Warehouse | None = batch.field(
        nodes.by_id(warehouses.warehouses, "shipping_origin_id"),
        description="The warehouse that shipping rates are reckoned from.",
        scope=Scope.INVENTORY_READ,
    )
    options: list[ProductOption] = derived_field(
        lambda product: [ProductOption.of(option) for option in product.row.options],
        description="What shoppers can choose.",
    )
    combinations: Connection["Combination"] = batch.field(
        _combinations, description="The combinations of its inventory options, oldest first."
    )
    selection: ProductSelection | None = batch.field(
        selection.of_products,
        description="What the shop shows once these option values are chosen: code, pictures, availability. [public]",
    )
    created_at: datetime = strawberry.field(description="When it was made.")

    @classmethod
    def of(cls, row: Item) -> "Product":
        return cls(
            row=row,
            website=None,
            id=nodes.global_id("Product", row.id),
            sku=row.sku,
            name=row.name,
            barcode=row.barcode,
            updated_at=row.updated_at,
            deleted_at=row.deleted_at,
            code=row.sku,
            slug=row.slug or "",
            description=row.description,
            tracking=row.tracking,
            published=row.published,
            inventory_status=row.inventory_status,
            created_at=row.created_at,
        )


async def _product_of(parents: Sequence["Combination"], info: Info) -> list[Product]:
    found = await rows.items({parent.product_id for parent in parents})
    out = []
    for parent in parents:
        product = Product.of(found[parent.product_id])
        product.website = parent.website
        out.append(product)
    return out


async def _code(parents: Sequence["Combination"], info: Info) -> list[str]:
    found = await rows.items({parent.product_id for parent in parents if not parent.row.own_code})
    return [parent.row.own_code or found[parent.product_id].sku for parent in parents]


async def _images(parents: Sequence["Combination"], info: Info) -> list[list[Image]]:
    found = await rows.items({parent.product_id for parent in parents if not parent.row.images})
    return [[Image.of(image) for image in parent.row.images or found[parent.product_id].images] for parent in parents]


@strawberry.type(description="One combination of a product's inventory options, such as Red / L.")
class Combination(InventoryItem):
    code: str = batch.field(_code, description="The code shown to shoppers: its own, else the product's.")
    images: list[Image] = batch.field(_images, description="Its own pictures; without any, the product's.")
    product: Product = batch.field(_product_of, description="The product it is of.")
    selected_options: list[SelectedOption] = derived_field(
        lambda combination: SelectedOption.listed(combination.row.choice),
        description="The value of each inventory option.",
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    product_id: strawberry.Private[int]

    @classmethod
    def of(cls, row: Item) -> "Combination":
        assert row.product_id is not None
        return cls(
            row=row,
            product_id=row.product_id,
            website=None,
            id=nodes.global_id("Combination", row.id),
            sku=row.sku,
            name=row.name,
            barcode=row.barcode,
            updated_at=row.updated_at,
            deleted_at=row.deleted_at,
            created_at=row.created_at,
        )


async def visible(info: Info, found: Sequence[Item], website: str | None) -> list[Item]:
    """The items that this caller may see: for the public, what the website shows."""
    await channel_of(info, website)
    if info.context.caller.may(Scope.CATALOG_READ):
        return list(found)
    assortment = (await assortments([(item, website) for item in found], info)).get(website)
    return [item for item in found if assortment is not None and is_visible(item, assortment.assess(item))]


FilterArg = Annotated[ProductFilter | None, strawberry.argument(description="Which products to list.")]
SortArg = Annotated[ProductSort, strawberry.argument(description="What to sort by.")]


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


@strawberry.type(description="A place in the shop's tree of categories.")
class Category(Node):
    row: strawberry.Private[category_rules.Category]
    website: strawberry.Private[str | None] = None
    slug: str = strawberry.field(description="Unique, such as garden-tools.")
    name: str = strawberry.field(description="For people.")
    parent: "Category | None" = batch.field(
        nodes.by_id(categories.categories, "parent_id"), description="The one above it."
    )
    children: list["Category"] = batch.field(_children, description="The ones right below it, by name.")
    products: Connection[Product] | None = batch.field(
        _products, description="The products in it and below it.", work=FILTERED_LIST_COST
    )

    @classmethod
    def of(cls, row: category_rules.Category) -> "Category":
        return cls(row=row, id=nodes.global_id("Category", row.id), slug=row.slug, name=row.name)


def _item(row: Item) -> Product | Combination:
    return Product.of(row) if row.is_product else Combination.of(row)


async def _seen(info: Info, found: dict[int, Item]) -> dict[int, Item]:
    return {item.id: item for item in await visible(info, list(found.values()), None)}


nodes.register(Item, "Product", _item, rows.items, seen=_seen)
nodes.register(Item, "Combination", _item, rows.items, seen=_seen)
nodes.register(category_rules.Category, "Category", Category.of, categories.categories)
