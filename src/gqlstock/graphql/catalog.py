"""Products, combinations and categories in the schema."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from gqlstock.graphql import availability, batch, levels, listing, nodes, paging
from gqlstock.graphql.availability import Availability, WebsiteArg, channel_of, shelves
from gqlstock.graphql.below import OLDEST_FIRST
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import BadUserInput
from gqlstock.graphql.inventory import InventoryLevel
from gqlstock.graphql.listing import ProductFilter, ProductSort
from gqlstock.graphql.nodes import Node
from gqlstock.graphql.paging import After, Before, Connection, First, Last, Page, Reverse
from gqlstock.graphql.settings import InventorySettings, SettingOrigin
from gqlstock.graphql.warehouses import Warehouse
from gqlstock.rules import catalog as rules
from gqlstock.rules import ledger, refusals
from gqlstock.rules import settings as setting_rules
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking
from gqlstock.rules.scopes import Scope
from gqlstock.services import lookup as lookups
from gqlstock.services.availability import Shelf, choice_values, is_visible
from gqlstock.store import catalog as rows
from gqlstock.store import inventory, warehouses

WarehouseArg = Annotated[str, strawberry.argument(description="The warehouse's code.")]
WarehousesArg = Annotated[
    list[str] | None, strawberry.argument(description="Only these warehouses, by code; left out, all active ones.")
]


@strawberry.type(description="A picture.")
class Image:
    url: str = strawberry.field(description="Where it is.")
    alt: str | None = strawberry.field(description="What it shows, for those who cannot see it.")

    @classmethod
    def of(cls, image: rules.Image) -> "Image":
        return cls(url=image.url, alt=image.alt)


@strawberry.type(description="Sums over levels in active warehouses.")
class InventoryTotals:
    on_hand: Decimal = strawberry.field(description="Sum of onHand.")
    reserved: Decimal = strawberry.field(description="Sum of reserved.")
    planned: Decimal = strawberry.field(description="Sum of planned.")
    backordered: Decimal = strawberry.field(description="Sum of backordered.")
    held: Decimal = strawberry.field(description="Sum of held.")
    incoming: Decimal = strawberry.field(description="Sum of incoming.")
    available: Decimal = strawberry.field(description="Sum of available.")


async def _inventory_level(
    parents: Sequence["InventoryItem"], info: Info, warehouse: WarehouseArg
) -> list[InventoryLevel | None]:
    place = (await warehouses.warehouses_by_code([warehouse])).get(warehouse)
    if place is None:
        return [None] * len(parents)
    found = await inventory.levels_in(place.id, [parent.row.id for parent in parents])
    return [nodes.show_optional(found.get(parent.row.id)) for parent in parents]


async def _inventory_totals(
    parents: Sequence["InventoryItem"],
    info: Info,
    warehouses: WarehousesArg = None,
    website: WebsiteArg = None,
) -> list[InventoryTotals]:
    places = await _counted_places(info, warehouses, website)
    tracked = [p.row.id for p in parents if p.row.is_product and rules.counts_combinations(p.row.tracking)]
    made = await rows.combinations(tracked)
    # What a product tracked with options has is what its combinations have.
    members = {p.row.id: [c.id for c in made[p.row.id]] if p.row.id in made else [p.row.id] for p in parents}
    found = await inventory.levels_of({member for ids in members.values() for member in ids})
    out = []
    for parent in parents:
        counted = [
            level.state for member in members[parent.row.id] for level in found[member] if level.warehouse_id in places
        ]
        total = ledger.total(counted)
        out.append(
            InventoryTotals(
                on_hand=total.on_hand,
                reserved=total.reserved,
                planned=total.planned,
                backordered=total.backordered,
                held=total.held,
                incoming=total.incoming,
                available=total.available,
            )
        )
    return out


async def _counted_places(info: Info, codes: list[str] | None, website: str | None) -> set[int]:
    """The active warehouses among those asked for."""
    places = set((await info.context.network()).active)
    if codes is not None:
        known = await warehouses.warehouses_by_code(levels.limited(codes, "warehouses"))
        places &= {place.id for place in known.values()}
    if website is not None:
        channel = await channel_of(info, website)
        places &= {site.warehouse_id for site in channel.sites} if channel else set()
    return places


async def _settings(
    parents: Sequence["InventoryItem"], info: Info, website: WebsiteArg = None
) -> list[InventorySettings | None]:
    wanted = [(parent.row, website if website is not None else parent.website) for parent in parents]
    found = await shelves(wanted, info)
    # While there is no website, what is set for the item itself and for the system still counts.
    known = None if found else await lookups.lookup([item for item, _ in wanted])
    return [
        InventorySettings.of(known.settings(item, None) if known else found[asked].settings(item))
        for item, asked in wanted
    ]


async def _origins(
    parents: Sequence["InventoryItem"], info: Info, website: WebsiteArg = None
) -> list[list[SettingOrigin] | None]:
    known = await lookups.lookup([parent.row for parent in parents], await info.context.network())
    out: list[list[SettingOrigin] | None] = []
    for parent in parents:
        channel = await channel_of(info, website if website is not None else parent.website)
        places = known.places(parent.row, channel)
        out.append([SettingOrigin.of(origin) for origin in setting_rules.origins(places)])
    return out


@strawberry.interface(description="What can be counted and ordered: a product, or one of its combinations.")
class InventoryItem(Node):
    row: strawberry.Private[rows.Item]
    website: strawberry.Private[str | None]
    sku: str = strawberry.field(description="Unique over products and combinations in use.")
    name: str = strawberry.field(description="For people; a combination's is its product's with its values.")
    barcode: str | None = strawberry.field(description="What scanners read.")
    updated_at: datetime = strawberry.field(description="When the item itself was last changed; stock does not count.")
    deleted_at: datetime | None = strawberry.field(description="Set when it was taken out of use.")
    inventory_level: InventoryLevel | None = batch.field(
        _inventory_level, description="Its stock in one warehouse.", scope=Scope.INVENTORY_READ
    )
    inventory_totals: InventoryTotals | None = batch.field(
        _inventory_totals,
        description="Its stock over warehouses; of a product tracked with options, the sums of its combinations.",
        scope=Scope.INVENTORY_READ,
    )
    availability: Availability | None = availability.FIELD
    inventory_levels: Connection[InventoryLevel] | None = batch.field(
        levels.below("item_id"), description="Its stock, warehouse by warehouse.", scope=Scope.INVENTORY_READ
    )
    inventory_settings: InventorySettings | None = batch.field(
        _settings,
        description="Every setting as it takes effect for this item, after the fallback.",
        scope=Scope.INVENTORY_READ,
    )
    setting_origins: list[SettingOrigin] | None = batch.field(
        _origins, description="Where each of those values came from.", scope=Scope.INVENTORY_READ
    )
    code: str = strawberry.field(description="The code shown to shoppers: the combination's own, else the product's.")
    images: list[Image] = strawberry.field(description="Pictures; a combination without its own shows the product's.")


@strawberry.type(description="A value that an option can have, such as Red.")
class ProductOptionValue:
    name: str = strawberry.field(description="Unique within the option.")
    images: list[Image] = strawberry.field(description="Pictures shown once it is chosen.")


@strawberry.type(description="An option of a product, such as Color.")
class ProductOption:
    name: str = strawberry.field(description="Unique within the product.")
    inventory: bool = strawberry.field(
        description="Whether this option is part of the combinations (the Inventory checkbox)."
    )
    values: list[ProductOptionValue] = strawberry.field(description="What can be chosen.")

    @classmethod
    def of(cls, option: rules.Option) -> "ProductOption":
        values = [
            ProductOptionValue(name=value.name, images=[Image.of(image) for image in value.images])
            for value in option.values
        ]
        return cls(name=option.name, inventory=option.inventory, values=values)


@strawberry.type(description="One option with the value that was chosen.")
class SelectedOption:
    name: str = strawberry.field(description="The option's name.")
    value: str = strawberry.field(description="The value's name.")

    @classmethod
    def listed(cls, choice: rules.Choice) -> list["SelectedOption"]:
        return [cls(name=name, value=value) for name, value in choice.items()]


@strawberry.input(description="One option with the value to choose.")
class SelectedOptionInput:
    name: str = strawberry.field(description="The option's name.")
    value: str = strawberry.field(description="The value's name.")


OptionsArg = Annotated[
    list[SelectedOptionInput], strawberry.argument(description="What the shopper has chosen so far.")
]


@strawberry.type(description="A value of an option, as the picker shows it.")
class OptionChoiceValue:
    name: str = strawberry.field(description="The value's name.")
    selected: bool = strawberry.field(description="Whether it is chosen.")
    exists: bool = strawberry.field(description="Whether there is such a combination with the rest of the choice.")
    orderable: bool = strawberry.field(description="Whether one of those can be ordered.")


@strawberry.type(description="An option, as the picker shows it.")
class OptionChoice:
    name: str = strawberry.field(description="The option's name.")
    values: list[OptionChoiceValue] = strawberry.field(description="What can be chosen.")


@strawberry.type(description="What the shop shows once option values are chosen.")
class ProductSelection:
    product: "Product" = strawberry.field(description="The product.")
    combination: "Combination | None" = strawberry.field(description="The combination chosen, if there is one.")
    complete: bool = strawberry.field(description="False until every inventory option has a value.")
    code: str = strawberry.field(description="The code to show.")
    images: list[Image] = strawberry.field(description="The pictures to show.")
    choices: list[OptionChoice] = strawberry.field(
        description="Every option with its values, as the picker shows them."
    )
    availability: Availability | None = strawberry.field(description="What can be sold of the choice.")


async def _selection(
    parents: Sequence["Product"], info: Info, options: OptionsArg, website: WebsiteArg = None
) -> list[ProductSelection | Exception | None]:
    wanted = [(parent.row, website if website is not None else parent.website) for parent in parents]
    found = await shelves(wanted, info)
    # A shelf knows the combinations that are counted; the others show their pictures all the same.
    uncounted = await rows.combinations(
        [p.row.id for p in parents if p.options and not rules.counts_combinations(p.tracking)]
    )
    out: list[ProductSelection | Exception | None] = []
    for parent, (_, asked) in zip(parents, wanted, strict=True):
        try:
            made = uncounted.get(parent.row.id, [])
            out.append(_select(parent, asked, options, found[asked], made, info) if asked in found else None)
        except refusals.Refused as error:
            out.append(BadUserInput(str(error)))
    return out


def _select(
    parent: "Product",
    website: str | None,
    options: OptionsArg,
    shelf: Shelf,
    uncounted: Sequence[rows.Item],
    info: Info,
) -> ProductSelection:
    product = parent.row
    choice = rules.check_choice([(option.name, option.value) for option in options], product.options, "options")
    complete = rules.is_complete(choice, product.options)
    combination = None
    if complete and (chosen := rules.inventory_part(choice, product.options)):
        digest = rules.digest(chosen)
        known = [*shelf.combinations(product), *uncounted]
        combination = next((one for one in known if one.choice_digest == digest), None)
    by_options = rules.counts_combinations(product.tracking)
    item = combination if combination is not None and by_options else product
    assessment = shelf.assess(item, choice if item is product and by_options and complete else None)
    pictures = rules.pictures(product.options, choice, combination.images if combination else (), product.images)
    return ProductSelection(
        product=parent,
        combination=nodes.on_website(nodes.show_optional(combination), website),
        complete=complete,
        code=(item.own_code or product.sku),
        images=[Image.of(image) for image in pictures],
        choices=[
            OptionChoice(
                name=option.name,
                values=[
                    OptionChoiceValue(name=v.name, selected=v.selected, exists=v.exists, orderable=v.orderable)
                    for v in choice_values(product, option, choice, shelf)
                ],
            )
            for option in product.options
        ],
        availability=availability.shown(item, assessment, shelf, info),
    )


async def _combinations(
    parents: Sequence["Product"],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> list[Any]:
    page = Page.of(first, after, last, before)
    by_product = {parent.row.id: parent for parent in parents}

    def node(row: rows.Item) -> Any:
        shown = Combination.of(row)
        shown.website = by_product[row.product_id].website if row.product_id in by_product else None
        return shown

    return await paging.nested(page, OLDEST_FIRST, rows.live_items(), "product_id", list(by_product), node)


@strawberry.type(description="A product of the shop.")
class Product(InventoryItem):
    slug: str = strawberry.field(description="Unique, such as garden-hose.")
    description: str | None = strawberry.field(description="What is said about it.")
    category: "Category | None" = batch.field(
        nodes.by_id(rows.categories, "category_id"), description="Where it is shown."
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
    options: list[ProductOption] = strawberry.field(description="What shoppers can choose.")
    combinations: Connection["Combination"] = batch.field(
        _combinations, description="The combinations of its inventory options, oldest first."
    )
    selection: ProductSelection | None = batch.field(
        _selection,
        description="What the shop shows once these option values are chosen: code, pictures, availability. [public]",
    )
    created_at: datetime = strawberry.field(description="When it was made.")

    @classmethod
    def of(cls, row: rows.Item) -> "Product":
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
            images=[Image.of(image) for image in row.images],
            slug=row.slug or "",
            description=row.description,
            tracking=row.tracking,
            published=row.published,
            inventory_status=row.inventory_status,
            options=[ProductOption.of(option) for option in row.options],
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
    selected_options: list[SelectedOption] = strawberry.field(description="The value of each inventory option.")
    created_at: datetime = strawberry.field(description="When it was made.")
    product_id: strawberry.Private[int]

    @classmethod
    def of(cls, row: rows.Item) -> "Combination":
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
            selected_options=SelectedOption.listed(row.choice),
            created_at=row.created_at,
        )


async def visible(info: Info, found: Sequence[rows.Item], website: str | None) -> list[rows.Item]:
    """The items that this caller may see: for the public, what the website shows."""
    await channel_of(info, website)
    if info.context.caller.may(Scope.CATALOG_READ):
        return list(found)
    shelf = (await shelves([(item, website) for item in found], info)).get(website)
    return [item for item in found if shelf is not None and is_visible(item, shelf.assess(item))]


FilterArg = Annotated[ProductFilter | None, strawberry.argument(description="Which products to list.")]
SortArg = Annotated[ProductSort, strawberry.argument(description="What to sort by.")]


async def _children(parents: Sequence["Category"], info: Info) -> list[list["Category"]]:
    found = await rows.children([parent.row.id for parent in parents])
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
    row: strawberry.Private[rows.Category]
    website: strawberry.Private[str | None] = None
    slug: str = strawberry.field(description="Unique, such as garden-tools.")
    name: str = strawberry.field(description="For people.")
    parent: "Category | None" = batch.field(nodes.by_id(rows.categories, "parent_id"), description="The one above it.")
    children: list["Category"] = batch.field(_children, description="The ones right below it, by name.")
    products: Connection[Product] | None = batch.field(_products, description="The products in it and below it.")

    @classmethod
    def of(cls, row: rows.Category) -> "Category":
        return cls(row=row, id=nodes.global_id("Category", row.id), slug=row.slug, name=row.name)


def _item(row: rows.Item) -> Product | Combination:
    return Product.of(row) if row.is_product else Combination.of(row)


async def _seen(info: Info, found: dict[int, rows.Item]) -> dict[int, rows.Item]:
    return {item.id: item for item in await visible(info, list(found.values()), None)}


nodes.register(rows.Item, "Product", _item, rows.items, seen=_seen)
nodes.register(rows.Item, "Combination", _item, rows.items, seen=_seen)
nodes.register(rows.Category, "Category", Category.of, rows.categories)
