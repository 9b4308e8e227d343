"""What products and combinations share: stock, availability, settings."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import batch, nodes
from gqlstock.graphql.relay.nodes import Node
from gqlstock.graphql.relay.paging import Connection
from gqlstock.graphql.schema import filters
from gqlstock.graphql.schema.catalog import availability
from gqlstock.graphql.schema.catalog.availability import Availability, WebsiteArg
from gqlstock.graphql.schema.catalog.options import Image
from gqlstock.graphql.schema.settings.settings import InventorySettings, SettingOrigin
from gqlstock.graphql.schema.stock import level_lists
from gqlstock.graphql.schema.stock.levels import InventoryLevel
from gqlstock.rules import catalog as rules
from gqlstock.rules.ledger import Level
from gqlstock.rules.scopes import Scope
from gqlstock.services import effective_settings, list_levels, total_stock

WarehouseArg = Annotated[str, strawberry.argument(description="The warehouse's code.")]
WarehousesArg = Annotated[
    list[str] | None, strawberry.argument(description="Only these warehouses, by code. Default: all active warehouses.")
]


@strawberry.type(description="Sums over levels in active warehouses.")
class InventoryTotals:
    on_hand: Decimal = strawberry.field(description="The sum of onHand.")
    reserved: Decimal = strawberry.field(description="The sum of reserved.")
    planned: Decimal = strawberry.field(description="The sum of planned.")
    backordered: Decimal = strawberry.field(description="The sum of backordered.")
    held: Decimal = strawberry.field(description="The sum of held.")
    incoming: Decimal = strawberry.field(description="The sum of incoming.")
    available: Decimal = strawberry.field(description="The sum of available.")

    @classmethod
    def of(cls, total: Level) -> "InventoryTotals":
        return cls(
            on_hand=total.on_hand,
            reserved=total.reserved,
            planned=total.planned,
            backordered=total.backordered,
            held=total.held,
            incoming=total.incoming,
            available=total.available,
        )


async def _inventory_level(
    parents: Sequence["InventoryItem"], info: Info, warehouse: WarehouseArg
) -> list[InventoryLevel | None]:
    found = await list_levels.in_warehouse(warehouse, [parent.row.id for parent in parents], info.context.caller)
    return [nodes.show_optional(found.get(parent.row.id)) for parent in parents]


async def _inventory_totals(
    parents: Sequence["InventoryItem"],
    info: Info,
    warehouses: WarehousesArg = None,
    website: WebsiteArg = None,
) -> list[InventoryTotals]:
    codes = None if warehouses is None else filters.limited(warehouses, "warehouses")
    rows = [parent.row for parent in parents]
    totals = await total_stock.of_items(rows, info.context.caller, warehouses=codes, website=website)
    return [InventoryTotals.of(total) for total in totals]


async def _settings(
    parents: Sequence["InventoryItem"], info: Info, website: WebsiteArg = None
) -> list[InventorySettings | None]:
    found = await effective_settings.of_items(availability.on_websites(parents, website))
    return [InventorySettings.of(settings) for settings in found]


async def _origins(
    parents: Sequence["InventoryItem"], info: Info, website: WebsiteArg = None
) -> list[list[SettingOrigin] | None]:
    found = await effective_settings.origins_of_items(availability.on_websites(parents, website))
    return [[SettingOrigin.of(origin) for origin in origins] for origins in found]


@strawberry.interface(description="An item that can be counted and ordered: a product or a combination.")
class InventoryItem(Node):
    row: strawberry.Private[rules.Item]
    website: strawberry.Private[str | None]
    sku: str = strawberry.field(description="Unique among all products and combinations in use.")
    name: str = strawberry.field(
        description="The display name. A combination's is the product's name with its option values."
    )
    barcode: str | None = strawberry.field(description="The barcode.")
    updated_at: datetime = strawberry.field(
        description="When the item itself last changed. Stock changes do not count."
    )
    deleted_at: datetime | None = strawberry.field(description="When it was deleted. Null while it is in use.")
    inventory_level: InventoryLevel | None = batch.field(
        _inventory_level, description="Its stock in one warehouse.", scope=Scope.INVENTORY_READ
    )
    inventory_totals: InventoryTotals | None = batch.field(
        _inventory_totals,
        description="Its stock over warehouses. For a product tracked with options, the sums over its combinations.",
        scope=Scope.INVENTORY_READ,
    )
    availability: Availability | None = availability.FIELD
    inventory_levels: Connection[InventoryLevel] | None = batch.field(
        level_lists.of_items, description="Its stock by warehouse.", scope=Scope.INVENTORY_READ
    )
    inventory_settings: InventorySettings | None = batch.field(
        _settings,
        description="The effective settings of this item, after the fallback.",
        scope=Scope.INVENTORY_READ,
    )
    setting_origins: list[SettingOrigin] | None = batch.field(
        _origins, description="The origin of each effective setting.", scope=Scope.INVENTORY_READ
    )
    code: str = strawberry.field(
        description="The code shown to shoppers: the combination's own code, else the product's."
    )
    images: list[Image] = strawberry.field(
        description="The pictures. A combination without its own shows the product's."
    )
