"""What products and combinations have in common: stock, availability, settings."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from gqlstock.graphql import availability, batch, levels, nodes
from gqlstock.graphql.availability import Availability, WebsiteArg, assortments, channel_of
from gqlstock.graphql.context import Info
from gqlstock.graphql.inventory import InventoryLevel
from gqlstock.graphql.nodes import Node
from gqlstock.graphql.options import Image
from gqlstock.graphql.paging import Connection
from gqlstock.graphql.settings import InventorySettings, SettingOrigin
from gqlstock.rules import catalog as rules
from gqlstock.rules import fallback, ledger
from gqlstock.rules.scopes import Scope
from gqlstock.store import catalog as rows
from gqlstock.store import levels as level_rows
from gqlstock.store import settings as setting_rows
from gqlstock.store import warehouses

WarehouseArg = Annotated[str, strawberry.argument(description="The warehouse's code.")]
WarehousesArg = Annotated[
    list[str] | None, strawberry.argument(description="Only these warehouses, by code; left out, all active ones.")
]


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
    if place is None or not info.context.caller.reaches(place.id):
        return [None] * len(parents)
    found = await level_rows.levels_in(place.id, [parent.row.id for parent in parents])
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
    found = await level_rows.levels_of({member for ids in members.values() for member in ids})
    out = []
    for parent in parents:
        counted = [
            level for member in members[parent.row.id] for level in found[member] if level.warehouse_id in places
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
    """The active warehouses among those asked for, as far as the caller sees their stock."""
    active = (await info.context.network()).active
    places = {warehouse_id for warehouse_id in active if info.context.caller.reaches(warehouse_id)}
    if codes is not None:
        known = await warehouses.warehouses_by_code(levels.limited(codes, "warehouses"))
        places &= {place.id for place in known.values()}
    if website is not None:
        channel = await channel_of(info, website)
        places &= {one.warehouse_id for one in channel.warehouses} if channel else set()
    return places


async def _settings(
    parents: Sequence["InventoryItem"], info: Info, website: WebsiteArg = None
) -> list[InventorySettings | None]:
    wanted = [(parent.row, website if website is not None else parent.website) for parent in parents]
    found = await assortments(wanted, info)
    # While there is no website, what is set for the item itself and for the system still counts.
    known = None if found else await setting_rows.lookup([item for item, _ in wanted])
    return [
        InventorySettings.of(known.settings(item, None) if known else found[asked].settings(item))
        for item, asked in wanted
    ]


async def _origins(
    parents: Sequence["InventoryItem"], info: Info, website: WebsiteArg = None
) -> list[list[SettingOrigin] | None]:
    known = await setting_rows.lookup([parent.row for parent in parents], await info.context.network())
    out: list[list[SettingOrigin] | None] = []
    for parent in parents:
        channel = await channel_of(info, website if website is not None else parent.website)
        places = known.places(parent.row, channel)
        out.append([SettingOrigin.of(origin) for origin in fallback.origins(places)])
    return out


@strawberry.interface(description="What can be counted and ordered: a product, or one of its combinations.")
class InventoryItem(Node):
    row: strawberry.Private[rules.Item]
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
