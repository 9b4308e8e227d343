"""Orders and their lines in the schema, and an order worked out without placing it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from gqlstock.graphql import batch, below, nodes, public_orders, reach
from gqlstock.graphql.below import NEWEST_FIRST
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import UserError, user_error
from gqlstock.graphql.inventory import StockMovement
from gqlstock.graphql.items import InventoryItem
from gqlstock.graphql.nodes import Node
from gqlstock.graphql.options import SelectedOption
from gqlstock.graphql.paging import Connection
from gqlstock.graphql.shipments import Shipment
from gqlstock.graphql.warehouses import Warehouse, Website
from gqlstock.rules import allocation
from gqlstock.rules import orders as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.order_plan import OrderPlan, PlannedLine
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import UnavailableReason
from gqlstock.rules.scopes import Scope
from gqlstock.store import catalog, ledger, shipments, warehouses
from gqlstock.store import orders as rows

_FULFILMENT = (Scope.ORDERS_READ, Scope.ORDERS_WRITE)
"""Who sees which warehouses an order's units come from. The public, which may place orders, does not."""


async def _lines(parents: Sequence["Order"], info: Info) -> list[list["OrderLine"]]:
    found = await rows.lines_of([parent.row.id for parent in parents])
    return [[OrderLine.of(row) for row in found[parent.row.id]] for parent in parents]


async def _shipments(parents: Sequence["Order"], info: Info) -> list[list[Shipment]]:
    found = await shipments.shipments_of([parent.row.id for parent in parents])
    mine = info.context.caller.reaches
    return [[Shipment.of(row) for row in found[p.row.id] if mine(row.warehouse_id)] for p in parents]


@strawberry.type(description="What a customer ordered.")
class Order(Node):
    row: strawberry.Private[rules.Order]
    number: str = strawberry.field(description="What people call it by.")
    status: OrderStatus = strawberry.field(description="How far it is.")
    website: Website = batch.field(nodes.by_id(warehouses.websites, "website_id"), description="Where it was placed.")
    lines: list["OrderLine"] = batch.field(_lines, description="What was ordered, in the order in which it was given.")
    shipments: list[Shipment] = batch.seen_list(
        _shipments,
        description="Its shipments, oldest first. Empty without orders:read or orders:write.",
        scopes=_FULFILMENT,
    )
    customer_email: str | None = strawberry.field(description="Where the customer is written to.")
    reference: str | None = strawberry.field(description="The caller's own number for it.")
    movements: Connection[StockMovement] | None = batch.field(
        below.rows(ledger.all_movements, "order_id", NEWEST_FIRST, "level__warehouse_id"),
        description="What it did to the ledger, newest first.",
        scope=Scope.INVENTORY_READ,
    )
    placed_at: datetime = strawberry.field(description="When it was placed.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    canceled_at: datetime | None = strawberry.field(description="When all of it was canceled.")

    @classmethod
    def of(cls, row: rules.Order) -> "Order":
        return cls(
            row=row,
            id=nodes.global_id("Order", row.id),
            number=rules.number(row.id),
            status=row.status,
            customer_email=row.customer_email,
            reference=row.reference,
            placed_at=row.placed_at,
            updated_at=row.updated_at,
            canceled_at=row.canceled_at,
        )


def _in_states(*states: AllocationState) -> Any:
    """A batch function for how many units of a line are in one of these states."""

    async def units(parents: Sequence["OrderLine"], info: Info) -> list[Decimal]:
        found = await rows.allocations_of([parent.row.id for parent in parents])
        return [sum((a.quantity for a in found[p.row.id] if a.state in states), ZERO) for p in parents]

    return units


_waiting = _in_states(AllocationState.BACKORDERED)


async def _backordered(parents: Sequence["OrderLine"], info: Info) -> list[Decimal]:
    rows_of = [parent.row for parent in parents]
    if info.context.caller.authenticated:
        return await _waiting(parents, info)  # type: ignore[no-any-return]
    shown = await public_orders.waiting(info, rows_of)
    return [shown[row.id] for row in rows_of]


async def _message(parents: Sequence["OrderLine"], info: Info) -> list[str | None]:
    rows_of = [parent.row for parent in parents]
    if info.context.caller.authenticated:
        return [row.message for row in rows_of]
    shown = await public_orders.messages(info, rows_of)
    return [shown[row.id] for row in rows_of]


async def _allocations(parents: Sequence["OrderLine"], info: Info) -> list[list["Allocation"]]:
    found = await rows.allocations_of([parent.row.id for parent in parents])
    mine = info.context.caller.reaches
    return [[Allocation.of(row) for row in found[p.row.id] if mine(row.warehouse_id)] for p in parents]


@strawberry.type(description="One line of an order, as it was when ordered.")
class OrderLine(Node):
    row: strawberry.Private[rules.OrderLine]
    order: Order = batch.field(nodes.by_id(rows.orders, "order_id"), description="The order it is of.")
    selected_options: list[SelectedOption] = strawberry.field(description="What the shopper chose.")
    sku: str = strawberry.field(description="The item's SKU when it was ordered.")
    name: str = strawberry.field(description="The item's name when it was ordered.")
    code: str = strawberry.field(description="As it was when ordered.")
    item: InventoryItem | None = batch.field(
        nodes.by_id(catalog.items_in_use, "item_id"), description="The item; null once it is deleted."
    )
    quantity: Decimal = strawberry.field(description="How many units were ordered.")
    backordered: Decimal = batch.field(
        _backordered,
        description=(
            "How many of them wait for stock; to the public, where it may not see salableQuantity, all of them or none."
        ),
    )
    shipped: Decimal = batch.field(
        _in_states(AllocationState.SHIPPED, AllocationState.RETURNED),
        description="How many of them have left, those that came back as well.",
    )
    returned: Decimal = batch.field(
        _in_states(AllocationState.RETURNED), description="How many of them have come back."
    )
    canceled: Decimal = strawberry.field(description="How many of them are not wanted any more.")
    allocations: list["Allocation"] = batch.seen_list(
        _allocations,
        description="Where its units come from, oldest first. Empty without orders:read or orders:write.",
        scopes=_FULFILMENT,
    )
    message: str | None = batch.field(
        _message, description="What the shopper was told about it, such as the backorder notice."
    )

    @classmethod
    def of(cls, row: rules.OrderLine) -> "OrderLine":
        return cls(
            row=row,
            id=nodes.global_id("OrderLine", row.id),
            selected_options=SelectedOption.listed(row.selected_options),
            sku=row.sku,
            name=row.name,
            code=row.code,
            quantity=row.quantity,
            canceled=row.canceled,
        )


@strawberry.type(description="Part of a line: so many units of it, from one warehouse, in one state.")
class Allocation(Node):
    row: strawberry.Private[allocation.Allocation]
    line: OrderLine = batch.field(nodes.by_id(rows.lines, "line_id"), description="The line it is of.")
    shipment: Shipment | None = batch.field(
        nodes.by_id(shipments.shipments, "shipment_id"), description="The shipment that its units are in."
    )
    warehouse: Warehouse = batch.field(
        nodes.by_id(warehouses.warehouses, "warehouse_id"), description="The warehouse that gives."
    )
    quantity: Decimal = strawberry.field(description="How many units.")
    state: AllocationState = strawberry.field(description="How they stand.")

    @classmethod
    def of(cls, row: allocation.Allocation) -> "Allocation":
        return cls(row=row, id=nodes.global_id("Allocation", row.id), quantity=row.quantity, state=row.state)


@strawberry.type(description="So many units that a warehouse would give.")
class PlannedAllocation:
    warehouse: str = strawberry.field(description="The warehouse's code.")
    quantity: Decimal = strawberry.field(description="How many units.")
    state: AllocationState = strawberry.field(description="Whether they are there or would wait.")


async def _planned(parents: Sequence["OrderCheckLine"], info: Info) -> list[list[PlannedAllocation] | None]:
    if not info.context.caller.may(Scope.INVENTORY_READ):
        return [None] * len(parents)
    known = await warehouses.warehouses({part.warehouse_id for parent in parents for part in parent.line.parts})
    return [
        [
            PlannedAllocation(warehouse=known[part.warehouse_id].code, quantity=part.quantity, state=part.state)
            for part in parent.line.parts
            if info.context.caller.reaches(part.warehouse_id)
        ]
        for parent in parents
    ]


async def _checked_item(parents: Sequence["OrderCheckLine"], info: Info) -> list[InventoryItem | None]:
    """Whoever guesses a SKU that is not published learns no more of it than that."""
    sees_all = info.context.caller.may(Scope.CATALOG_READ)
    return [
        nodes.show_optional(parent.line.item)
        if sees_all or parent.line.reason is not UnavailableReason.NOT_PUBLISHED
        else None
        for parent in parents
    ]


@strawberry.type(description="One line of an order that was not placed.")
class OrderCheckLine:
    line: strawberry.Private[PlannedLine]
    sku: str = strawberry.field(description="What would be ordered; a combination's where options stand for one.")
    quantity: Decimal = strawberry.field(description="How many units were asked for.")
    backordered: Decimal = strawberry.field(
        description=(
            "How many of them would wait for stock; where the caller may not see salableQuantity, all of them or none."
        )
    )
    orderable: bool = strawberry.field(description="Whether this line could be ordered.")
    unavailable_reason: UnavailableReason | None = strawberry.field(description="Why the item cannot be had.")
    item: InventoryItem | None = batch.field(
        _checked_item, description="The item; null for an unknown SKU, and where the public may not see it."
    )
    allocations: list[PlannedAllocation] | None = batch.field(
        _planned, description="Where the units would come from; null without inventory:read."
    )
    message: str | None = strawberry.field(description="What to tell the shopper, such as the backorder notice.")

    @classmethod
    def of(cls, line: PlannedLine) -> "OrderCheckLine":
        return cls(
            line=line,
            sku=line.sku,
            quantity=line.requested.quantity,
            backordered=line.shown_backordered,
            orderable=line.orderable,
            unavailable_reason=line.reason,
            message=line.shown_message,
        )


@strawberry.type(description="placeOrder's answer without placing it.")
class OrderCheck:
    orderable: bool = strawberry.field(description="Whether the order would be placed and not parked.")
    lines: list[OrderCheckLine] = strawberry.field(description="Every line, as it would be ordered.")
    user_errors: list[UserError] = strawberry.field(description="Why not; empty when it would be placed.")

    @classmethod
    def of(cls, plan: OrderPlan) -> "OrderCheck":
        return cls(
            orderable=plan.orderable,
            lines=[OrderCheckLine.of(line) for line in plan.lines],
            user_errors=[user_error(refusal) for refusal in plan.refusals],
        )


nodes.register(rules.Order, "Order", Order.of, rows.orders, Scope.ORDERS_READ)
nodes.register(rules.OrderLine, "OrderLine", OrderLine.of, rows.lines, Scope.ORDERS_READ)
nodes.register(allocation.Allocation, "Allocation", Allocation.of, rows.allocations, Scope.ORDERS_READ, reach.seen)
