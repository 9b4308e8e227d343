"""Products and combinations in the schema."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.executor import derived_field
from gqlstock.graphql.relay import batch, nodes, paging
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page
from gqlstock.graphql.schema.catalog import selection
from gqlstock.graphql.schema.catalog.items import InventoryItem
from gqlstock.graphql.schema.catalog.options import Image, ProductOption, SelectedOption
from gqlstock.graphql.schema.catalog.selection import ProductSelection
from gqlstock.graphql.schema.network.warehouses import Warehouse
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking, Item
from gqlstock.rules.paging import OLDEST_FIRST
from gqlstock.rules.scopes import Scope
from gqlstock.services import assortments, availability, list_combinations
from gqlstock.stock import categories, network, present

if TYPE_CHECKING:
    from gqlstock.graphql.schema.catalog.categories import Category


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
    below = list_combinations.of_products([parent.row for parent in parents])
    found = await paging.connections(page, OLDEST_FIRST, below, ids, Combination.of)
    # A product may occur more than once, for different websites.
    for parent, connection in zip(parents, found, strict=True):
        for combination in connection.nodes:
            combination.website = parent.website
    return found


@strawberry.type(description="A product of the shop.")
class Product(InventoryItem):
    images: list[Image] = derived_field(
        lambda product: [Image.of(image) for image in product.row.images],
        description="The pictures. A combination without its own shows the product's.",
    )
    slug: str = strawberry.field(description="Unique, such as garden-hose.")
    description: str | None = strawberry.field(description="The description.")
    category: Annotated["Category", strawberry.lazy("gqlstock.graphql.schema.catalog.categories")] | None = batch.field(
        nodes.by_id(categories.categories, "category_id"), description="The category. Null: none."
    )
    tracking: InventoryTracking = strawberry.field(description="How its stock is counted.")
    published: bool = strawberry.field(
        description="Whether the merchant has published it. lowStockActivity UNPUBLISH hides a product without changing this."
    )
    inventory_status: InventoryStatus = strawberry.field(
        description="The manually set status. availability.status is the effective one."
    )
    shipping_origin: Warehouse | None = batch.field(
        nodes.by_id(network.warehouses, "shipping_origin_id"),
        description="The warehouse from which shipping rates are calculated.",
        scope=Scope.INVENTORY_READ,
    )
    options: list[ProductOption] = derived_field(
        lambda product: [ProductOption.of(option) for option in product.row.options],
        description="The options that shoppers can choose.",
    )
    combinations: Connection["Combination"] = batch.field(
        _combinations, description="The combinations of its inventory options, oldest first."
    )
    selection: ProductSelection | None = batch.field(
        selection.of_products,
        description="What the shop shows when these option values are selected: code, pictures, availability. [public]",
    )
    created_at: datetime = strawberry.field(description="When it was created.")

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
    found = await present.items({parent.product_id for parent in parents})
    out = []
    for parent in parents:
        product = Product.of(found[parent.product_id])
        product.website = parent.website
        out.append(product)
    return out


async def _code(parents: Sequence["Combination"], info: Info) -> list[str]:
    found = await present.items({parent.product_id for parent in parents if not parent.row.own_code})
    return [parent.row.own_code or found[parent.product_id].sku for parent in parents]


async def _images(parents: Sequence["Combination"], info: Info) -> list[list[Image]]:
    found = await present.items({parent.product_id for parent in parents if not parent.row.images})
    return [[Image.of(image) for image in parent.row.images or found[parent.product_id].images] for parent in parents]


@strawberry.type(description="One combination of a product's inventory options, such as Red / L.")
class Combination(InventoryItem):
    code: str = batch.field(_code, description="The code shown to shoppers: its own code, else the product's.")
    images: list[Image] = batch.field(_images, description="Its own pictures. If it has none, the product's.")
    product: Product = batch.field(_product_of, description="The product of the combination.")
    selected_options: list[SelectedOption] = derived_field(
        lambda combination: SelectedOption.listed(combination.row.choice),
        description="The value of each inventory option.",
    )
    created_at: datetime = strawberry.field(description="When it was created.")
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
    """The items that the caller may see. The public sees what the website shows."""
    return await availability.visible(found, await assortments.channel(website), info.context.caller)


def _item(row: Item) -> Product | Combination:
    return Product.of(row) if row.is_product else Combination.of(row)


async def _seen(info: Info, found: dict[int, Item]) -> dict[int, Item]:
    return {item.id: item for item in await visible(info, list(found.values()), None)}


nodes.register(Item, "Product", _item, present.items, seen=_seen)
nodes.register(Item, "Combination", _item, present.items, seen=_seen)
