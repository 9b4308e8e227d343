"""Levels in the schema."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from gqlstock.graphql import reach
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import batch, below, nodes
from gqlstock.graphql.relay.nodes import Node
from gqlstock.graphql.relay.paging import Connection
from gqlstock.graphql.schema.network.warehouses import Warehouse
from gqlstock.graphql.schema.settings.settings import InventorySettings, SettingOrigin
from gqlstock.rules import ledger as ledger_rules
from gqlstock.rules.paging import NEWEST_FIRST, OLDEST_FIRST
from gqlstock.rules.scopes import Scope
from gqlstock.services import effective_settings, list_announcements, list_movements, list_orders
from gqlstock.stock import network, present

if TYPE_CHECKING:
    from gqlstock.graphql.schema.catalog.items import InventoryItem
    from gqlstock.graphql.schema.orders.orders import Allocation
    from gqlstock.graphql.schema.stock.announcements import StockAnnouncement
    from gqlstock.graphql.schema.stock.movements import StockMovement

TimeArg = Annotated[datetime, strawberry.argument(description="The point in time.")]


async def _on_hand_at(parents: Sequence["InventoryLevel"], info: Info, time: TimeArg) -> list[Decimal]:
    found = await list_movements.on_hand_at([parent.row.id for parent in parents], time)
    return [found[parent.row.id] for parent in parents]


async def _settings(parents: Sequence["InventoryLevel"], info: Info) -> list[InventorySettings]:
    found = await effective_settings.of_levels([parent.row for parent in parents])
    return [InventorySettings.of(settings) for settings in found]


async def _origins(parents: Sequence["InventoryLevel"], info: Info) -> list[list[SettingOrigin]]:
    found = await effective_settings.origins_of_levels([parent.row for parent in parents])
    return [[SettingOrigin.of(origin) for origin in origins] for origins in found]


@strawberry.type(description="One item's stock in one warehouse.")
class InventoryLevel(Node):
    row: strawberry.Private[ledger_rules.Level]
    item: Annotated["InventoryItem", strawberry.lazy("gqlstock.graphql.schema.catalog.items")] = batch.field(
        nodes.by_id(present.items, "item_id"), description="The item, even if it was deleted."
    )
    warehouse: Warehouse = batch.field(nodes.by_id(network.warehouses, "warehouse_id"), description="The warehouse.")
    on_hand: Decimal = strawberry.field(
        description=(
            "Units not sold yet (ON_ORDER) or not shipped yet (ON_SHIPMENT); the figure that counts set. Below zero only by "
            "backorders, late counts, or shipments with allowNegative."
        )
    )
    reserved: Decimal = strawberry.field(description="Units that are ordered and in no shipment yet.")
    planned: Decimal = strawberry.field(description="Units that are ordered and in a shipment that has not left.")
    backordered: Decimal = strawberry.field(description="Ordered units that wait for stock.")
    held: Decimal = strawberry.field(description="Units held for carts.")
    incoming: Decimal = strawberry.field(description="Units that are announced and not received yet.")
    available: Decimal = strawberry.field(description="onHand - reserved - planned - held.")
    inventory_settings: InventorySettings | None = batch.field(
        _settings, description="The effective settings of this level, after the fallback.", scope=Scope.INVENTORY_READ
    )
    setting_origins: list[SettingOrigin] | None = batch.field(
        _origins, description="The origin of each effective setting.", scope=Scope.INVENTORY_READ
    )
    on_hand_at: Decimal | None = batch.field(
        _on_hand_at,
        description="onHand at that time, from the ledger.",
        scope=Scope.INVENTORY_READ,
    )
    movements: (
        Connection[Annotated["StockMovement", strawberry.lazy("gqlstock.graphql.schema.stock.movements")]] | None
    ) = batch.field(
        below.rows(list_movements.of_levels, NEWEST_FIRST),
        description="Its movements, newest first.",
        scope=Scope.INVENTORY_READ,
    )
    allocations: (
        Connection[Annotated["Allocation", strawberry.lazy("gqlstock.graphql.schema.orders.orders")]] | None
    ) = batch.field(
        below.rows(list_orders.allocations_of_levels, OLDEST_FIRST),
        description="The allocations of orders from it, oldest first. Needs orders:read.",
        scope=Scope.ORDERS_READ,
    )
    announcements: (
        Connection[Annotated["StockAnnouncement", strawberry.lazy("gqlstock.graphql.schema.stock.announcements")]]
        | None
    ) = batch.field(
        below.rows(list_announcements.of_levels, OLDEST_FIRST),
        description="Its announcements, oldest first.",
        scope=Scope.INVENTORY_READ,
    )
    updated_at: datetime = strawberry.field(description="When one of its figures last changed.")
    deleted_at: datetime | None = strawberry.field(description="When the level was deleted. Its ledger is kept.")

    @classmethod
    def of(cls, row: ledger_rules.Level) -> "InventoryLevel":
        assert row.updated_at is not None  # It is stored.
        return cls(
            row=row,
            id=nodes.global_id("InventoryLevel", row.id),
            on_hand=row.on_hand,
            reserved=row.reserved,
            planned=row.planned,
            held=row.held,
            backordered=row.backordered,
            incoming=row.incoming,
            available=row.available,
            updated_at=row.updated_at,
            deleted_at=row.deleted_at,
        )


nodes.register(
    ledger_rules.Level,
    "InventoryLevel",
    InventoryLevel.of,
    present.levels,
    Scope.INVENTORY_READ,
    reach.seen,
)
