"""Levels and the ledger in the schema."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from gqlstock.graphql import batch, below, nodes, reach
from gqlstock.graphql.below import NEWEST_FIRST, OLDEST_FIRST
from gqlstock.graphql.context import Info
from gqlstock.graphql.nodes import Node
from gqlstock.graphql.paging import Connection
from gqlstock.graphql.settings import InventorySettings, SettingOrigin
from gqlstock.graphql.warehouses import Warehouse
from gqlstock.rules import fallback, receiving
from gqlstock.rules import ledger as ledger_rules
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import Scope
from gqlstock.store import announcements, catalog, ledger, orders, settings, warehouses
from gqlstock.store import levels as level_rows

if TYPE_CHECKING:
    from gqlstock.graphql.items import InventoryItem
    from gqlstock.graphql.orders import Allocation, Order

TimeArg = Annotated[datetime, strawberry.argument(description="The moment to look at.")]


async def _on_hand_at(parents: Sequence["InventoryLevel"], info: Info, time: TimeArg) -> list[Decimal]:
    found = await ledger.on_hand_at([parent.row.id for parent in parents], time)
    return [found.get(parent.row.id, ZERO) for parent in parents]


async def _settings(parents: Sequence["InventoryLevel"], info: Info) -> list[InventorySettings]:
    return [InventorySettings.of(fallback.resolve(places)) for places in await _places([p.row for p in parents], info)]


async def _origins(parents: Sequence["InventoryLevel"], info: Info) -> list[list[SettingOrigin]]:
    return [
        [SettingOrigin.of(origin) for origin in fallback.origins(places)]
        for places in await _places([p.row for p in parents], info)
    ]


async def _places(levels: Sequence[ledger_rules.Level], info: Info) -> list[list[fallback.Place]]:
    """The places that each level looks up, through the first-created website that sells from its warehouse."""
    items = await catalog.items({level.item_id for level in levels})
    codes = await warehouses.warehouses({level.warehouse_id for level in levels})
    known = await settings.lookup(items.values(), await info.context.network())
    return [
        known.places(
            items[level.item_id],
            known.network.selling_from({level.warehouse_id}),
            (level.id, f"{items[level.item_id].sku}@{codes[level.warehouse_id].code}"),
        )
        for level in levels
    ]


@strawberry.type(description="One item's stock in one warehouse.")
class InventoryLevel(Node):
    row: strawberry.Private[ledger_rules.Level]
    item: Annotated["InventoryItem", strawberry.lazy("gqlstock.graphql.items")] = batch.field(
        nodes.by_id(catalog.items, "item_id"), description="What lies there; also after it was deleted."
    )
    warehouse: Warehouse = batch.field(nodes.by_id(warehouses.warehouses, "warehouse_id"), description="Where it lies.")
    on_hand: Decimal = strawberry.field(
        description=(
            "Units not sold yet (ON_ORDER) or not shipped yet (ON_SHIPMENT); what a count states. Below zero only by "
            "backorders or a late count."
        )
    )
    reserved: Decimal = strawberry.field(description="Ordered, not shipped, in no shipment yet.")
    planned: Decimal = strawberry.field(description="Ordered and in a shipment that has not left.")
    backordered: Decimal = strawberry.field(description="The part of what was ordered that waits for stock.")
    held: Decimal = strawberry.field(description="Held for carts, until the hold ends.")
    incoming: Decimal = strawberry.field(description="Announced and not received yet.")
    available: Decimal = strawberry.field(description="onHand - reserved - planned - held.")
    inventory_settings: InventorySettings | None = batch.field(
        _settings, description="Every setting as it takes effect for this level.", scope=Scope.INVENTORY_READ
    )
    setting_origins: list[SettingOrigin] | None = batch.field(
        _origins, description="Where each of those values came from.", scope=Scope.INVENTORY_READ
    )
    on_hand_at: Decimal | None = batch.field(
        _on_hand_at,
        description="onHand as it stood at that moment, read from the ledger.",
        scope=Scope.INVENTORY_READ,
    )
    movements: Connection["StockMovement"] | None = batch.field(
        below.rows(ledger.all_movements, "level_id", NEWEST_FIRST),
        description="Its ledger, newest first.",
        scope=Scope.INVENTORY_READ,
    )
    allocations: Connection[Annotated["Allocation", strawberry.lazy("gqlstock.graphql.orders")]] | None = batch.field(
        below.rows(orders.all_allocations, "level_id", OLDEST_FIRST),
        description="What orders have of it, oldest first. Needs orders:read.",
        scope=Scope.ORDERS_READ,
    )
    announcements: Connection["StockAnnouncement"] | None = batch.field(
        below.rows(announcements.all_announcements, "level_id", OLDEST_FIRST),
        description="What was announced for it, oldest first.",
        scope=Scope.INVENTORY_READ,
    )
    updated_at: datetime = strawberry.field(description="When one of its figures last changed.")
    deleted_at: datetime | None = strawberry.field(
        description="Set when the level was taken out of use; its ledger stays."
    )

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


@strawberry.type(
    description="One line of the ledger. Every change of onHand has exactly one; they are never edited or removed."
)
class StockMovement(Node):
    row: strawberry.Private[ledger_rules.StockMovement]
    level: InventoryLevel = batch.field(nodes.by_id(level_rows.levels, "level_id"), description="The level it is of.")
    kind: MovementKind = strawberry.field(description="Why onHand changed.")
    quantity: Decimal = strawberry.field(description="By how much; signed.")
    on_hand_after: Decimal = strawberry.field(description="onHand right after it.")
    reason: str | None = strawberry.field(description="What the caller gave as the reason.")
    reference: str | None = strawberry.field(
        description="The document behind it in another system, such as an ERP's own number."
    )
    actor: str = strawberry.field(description="Who did it: the token's or the user's name.")
    order: Annotated["Order", strawberry.lazy("gqlstock.graphql.orders")] | None = batch.field(
        nodes.by_id(orders.orders, "order_id"),
        description="The order behind it. Needs orders:read.",
        scope=Scope.ORDERS_READ,
    )
    created_at: datetime = strawberry.field(description="When it was written.")

    @classmethod
    def of(cls, row: ledger_rules.StockMovement) -> "StockMovement":
        return cls(
            row=row,
            id=nodes.global_id("StockMovement", row.id),
            kind=row.kind,
            quantity=row.quantity,
            on_hand_after=row.on_hand_after,
            reason=row.reason,
            reference=row.reference,
            actor=row.actor,
            created_at=row.created_at,
        )


@strawberry.type(description="Stock on its way; quantity - received is what incoming counts.")
class StockAnnouncement(Node):
    row: strawberry.Private[receiving.StockAnnouncement]
    level: InventoryLevel = batch.field(nodes.by_id(level_rows.levels, "level_id"), description="Where it is to come.")
    quantity: Decimal = strawberry.field(description="How many units were announced.")
    received: Decimal = strawberry.field(description="How many of them have come.")
    expected_at: datetime | None = strawberry.field(description="When they are expected.")
    reference: str | None = strawberry.field(description="The document behind it in another system.")
    created_at: datetime = strawberry.field(description="When it was announced.")
    withdrawn_at: datetime | None = strawberry.field(description="Set when the rest of it will not come.")

    @classmethod
    def of(cls, row: receiving.StockAnnouncement) -> "StockAnnouncement":
        return cls(
            row=row,
            id=nodes.global_id("StockAnnouncement", row.id),
            quantity=row.quantity,
            received=row.received,
            expected_at=row.expected_at,
            reference=row.reference,
            created_at=row.created_at,
            withdrawn_at=row.withdrawn_at,
        )


nodes.register(
    receiving.StockAnnouncement,
    "StockAnnouncement",
    StockAnnouncement.of,
    announcements.announcements,
    Scope.INVENTORY_READ,
    reach.seen_by_level,
)
nodes.register(
    ledger_rules.Level,
    "InventoryLevel",
    InventoryLevel.of,
    level_rows.levels,
    Scope.INVENTORY_READ,
    reach.seen,
)
nodes.register(
    ledger_rules.StockMovement,
    "StockMovement",
    StockMovement.of,
    ledger.movements,
    Scope.INVENTORY_READ,
    reach.seen_by_level,
)
