"""Orders and their lines in the schema."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from gqlstock.graphql import reach
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import batch, below, nodes
from gqlstock.graphql.relay.nodes import Node
from gqlstock.graphql.relay.paging import Connection
from gqlstock.graphql.schema.catalog.items import InventoryItem
from gqlstock.graphql.schema.catalog.options import SelectedOption
from gqlstock.graphql.schema.network.warehouses import Warehouse, Website
from gqlstock.graphql.schema.orders.audiences import Audience, is_shopper
from gqlstock.graphql.schema.shipments.shipments import Shipment
from gqlstock.graphql.schema.stock.announcements import StockAnnouncement
from gqlstock.graphql.schema.stock.movements import StockMovement
from gqlstock.rules import allocation
from gqlstock.rules import orders as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.paging import NEWEST_FIRST
from gqlstock.rules.scopes import Scope
from gqlstock.services import (
    list_movements,
    list_orders,
    list_shipments,
    order_dates,
    order_tokens,
    public_orders,
)
from gqlstock.stock import network, present

_FULFILMENT = (Scope.ORDERS_READ, Scope.ORDERS_WRITE)
"""The scopes for seeing the warehouses of an order's units. The public, which may place orders, does not see them.

A shopper sees the shipments of the order with their access token.
"""


async def _lines(parents: Sequence["Order"], info: Info) -> list[list["OrderLine"]]:
    found = await list_orders.lines_of([parent.row.id for parent in parents])
    return [[OrderLine.of(row, parent.audience) for row in found[parent.row.id]] for parent in parents]


def _lines_at_hand(parent: "Order") -> list["OrderLine"] | None:
    rows = parent.lines_at_hand
    return None if rows is None else [OrderLine.of(row, parent.audience) for row in rows]


async def _shipments(parents: Sequence["Order"], info: Info) -> list[list[Shipment]]:
    mine = info.context.caller.reaches
    found = await list_shipments.of_orders([parent.row.id for parent in parents])
    return [
        [Shipment.of(row, p.audience) for row in found[p.row.id] if is_shopper(p) or mine(row.warehouse_id)]
        for p in parents
    ]


async def _access_tokens(parents: Sequence["Order"], info: Info) -> list[str | None]:
    may_read = info.context.caller.may(Scope.ORDERS_READ)
    seen = [parent.row for parent in parents if may_read or parent.audience is Audience.BUYER]
    tokens = dict(zip([row.id for row in seen], await order_tokens.tokens(seen) if seen else (), strict=True))
    return [tokens.get(parent.row.id) for parent in parents]


async def _order_expected(parents: Sequence["Order"], info: Info) -> list[datetime | None]:
    at_hand = {p.row.id: p.lines_at_hand for p in parents if p.lines_at_hand is not None}
    known = at_hand if all(parent.row.id in at_hand for parent in parents) else None
    return await order_dates.of_orders([parent.row for parent in parents], info.context.caller, known)


async def _order_promised(parents: Sequence["Order"], info: Info) -> list[datetime | None]:
    return await order_dates.promised_of_orders([parent.row for parent in parents], info.context.caller)


@strawberry.type(description="An order of a customer.")
class Order(Node):
    row: strawberry.Private[rules.Order]
    audience: strawberry.Private[Audience] = Audience.STAFF
    lines_at_hand: strawberry.Private[list[rules.OrderLine] | None] = None
    """The lines of an order that was just placed, so that they need not be read again."""
    number: str = strawberry.field(description="The number that people use.")
    status: OrderStatus = strawberry.field(description="The status of the order.")
    website: Website = batch.field(
        nodes.by_id(network.websites, "website_id"), description="The website where it was placed."
    )
    lines: list["OrderLine"] = batch.field(
        _lines, description="The ordered lines, in the given order.", at_hand=_lines_at_hand
    )
    shipments: list[Shipment] = batch.seen_list(
        _shipments,
        description=(
            "Its shipments, oldest first. Empty without orders:read or orders:write, except for the shopper with its "
            "accessToken."
        ),
        scopes=_FULFILMENT,
        seen_for=is_shopper,
    )
    customer_email: str | None = strawberry.field(description="The customer's e-mail address.")
    reference: str | None = strawberry.field(description="The caller's own number for the order.")
    access_token: str | None = batch.field(
        _access_tokens,
        description=(
            "A token for the shopper, which reads this order by orderByToken. Visible with orders:read, and in the payload "
            "of placeOrder; else null."
        ),
    )
    movements: Connection[StockMovement] | None = batch.field(
        below.rows(list_movements.of_orders, NEWEST_FIRST),
        description="Its movements in the ledger, newest first. Null for the shopper with its accessToken.",
        scope=Scope.INVENTORY_READ,
        null_for=is_shopper,
    )
    expected_at: datetime | None = batch.field(
        _order_expected,
        description=(
            "When the last backordered unit can leave. Null if nothing is backordered, or if the date of any unit is "
            "unknown. It changes with announcements and with the queue of orders."
        ),
    )
    promised_at: datetime | None = batch.field(
        _order_promised, description="The value of expectedAt when the order was placed, retried or last edited."
    )
    placed_at: datetime = strawberry.field(description="When it was placed.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    canceled_at: datetime | None = strawberry.field(description="When the whole order was canceled.")

    @classmethod
    def of(cls, row: rules.Order, audience: Audience = Audience.STAFF) -> "Order":
        return cls(
            row=row,
            audience=audience,
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
    """A batch function for the units of a line in one of these states."""

    async def units(parents: Sequence["OrderLine"], info: Info) -> list[Decimal]:
        return await list_orders.units_in([parent.row.id for parent in parents], *states)

    return units


async def _backordered(parents: Sequence["OrderLine"], info: Info) -> list[Decimal]:
    return await public_orders.waiting([parent.row for parent in parents], info.context.caller)


async def _message(parents: Sequence["OrderLine"], info: Info) -> list[str | None]:
    return await public_orders.messages([parent.row for parent in parents], info.context.caller)


async def _item(parents: Sequence["OrderLine"], info: Info) -> list[InventoryItem | None]:
    """The items of the lines. The public does not see unpublished items, even in orders."""
    caller = info.context.caller
    found = await present.items_in_use({parent.row.item_id for parent in parents})
    if not (caller.sees_orders_in_full or caller.may(Scope.CATALOG_READ)):
        products = await present.with_products(found.values())
        found = {row_id: item for row_id, item in found.items() if products[item.product_id or item.id].published}
    return [nodes.show_optional(found.get(parent.row.item_id)) for parent in parents]


async def _line_expected(parents: Sequence["OrderLine"], info: Info) -> list[datetime | None]:
    return await order_dates.of_lines([parent.row for parent in parents], info.context.caller)


async def _line_promised(parents: Sequence["OrderLine"], info: Info) -> list[datetime | None]:
    return await order_dates.promised_of_lines([parent.row for parent in parents], info.context.caller)


async def _allocations(parents: Sequence["OrderLine"], info: Info) -> list[list["Allocation"]]:
    found = await list_orders.allocations_of([parent.row.id for parent in parents])
    mine = info.context.caller.reaches
    return [[Allocation.of(row) for row in found[p.row.id] if mine(row.warehouse_id)] for p in parents]


@strawberry.type(description="One line of an order.")
class OrderLine(Node):
    row: strawberry.Private[rules.OrderLine]
    audience: strawberry.Private[Audience] = Audience.STAFF
    order: Order = batch.field(
        nodes.by_id(list_orders.by_id, "order_id", hands_down="audience"), description="The order."
    )
    selected_options: list[SelectedOption] = strawberry.field(description="The options that the shopper selected.")
    sku: str = strawberry.field(description="The item's SKU when it was ordered.")
    name: str = strawberry.field(description="The item's name when it was ordered.")
    code: str = strawberry.field(description="The item's code when it was ordered.")
    item: InventoryItem | None = batch.field(
        _item, description="The item. Null if it is deleted, and for the public while it is unpublished."
    )
    quantity: Decimal = strawberry.field(description="The ordered quantity, including canceled units.")
    backordered: Decimal = batch.field(
        _backordered,
        description=("The backordered units. If the public may not see salableQuantity, it sees all of them or none."),
    )
    shipped: Decimal = batch.field(
        _in_states(AllocationState.SHIPPED, AllocationState.RETURNED),
        description="The shipped units, including returned ones.",
    )
    returned: Decimal = batch.field(_in_states(AllocationState.RETURNED), description="The returned units.")
    canceled: Decimal = strawberry.field(description="The canceled units.")
    allocations: list["Allocation"] = batch.seen_list(
        _allocations,
        description="The allocations of its units, oldest first. Empty without orders:read or orders:write.",
        scopes=_FULFILMENT,
    )
    expected_at: datetime | None = batch.field(
        _line_expected,
        description=(
            "When its last backordered unit can leave. Null if none is backordered, or if the date of any is unknown."
        ),
    )
    promised_at: datetime | None = batch.field(
        _line_promised, description="The value of expectedAt when the line was ordered, retried or last edited."
    )
    message: str | None = batch.field(
        _message, description="The message for the shopper, such as the backorder notice."
    )

    @classmethod
    def of(cls, row: rules.OrderLine, audience: Audience = Audience.STAFF) -> "OrderLine":
        return cls(
            row=row,
            audience=audience,
            id=nodes.global_id("OrderLine", row.id),
            selected_options=SelectedOption.listed(row.selected_options),
            sku=row.sku,
            name=row.name,
            code=row.code,
            quantity=row.quantity,
            canceled=row.canceled,
        )


async def _allocation_expected(parents: Sequence["Allocation"], info: Info) -> list[datetime | None]:
    promised = await order_dates.of_allocations([parent.row for parent in parents])
    return [promised[parent.row.id].expected_at if parent.row.id in promised else None for parent in parents]


async def _announcement(parents: Sequence["Allocation"], info: Info) -> list[StockAnnouncement | None]:
    caller = info.context.caller
    if not caller.may(Scope.INVENTORY_READ):
        return [None] * len(parents)
    seen = [parent.row for parent in parents if caller.reaches(parent.row.warehouse_id)]
    promised = await order_dates.of_allocations(seen)
    return [
        StockAnnouncement.of(promised[parent.row.id].announcement) if parent.row.id in promised else None
        for parent in parents
    ]


@strawberry.type(description="A part of an order line: units from one warehouse in one state.")
class Allocation(Node):
    row: strawberry.Private[allocation.Allocation]
    line: OrderLine = batch.field(nodes.by_id(list_orders.lines, "line_id"), description="The order line.")
    shipment: Shipment | None = batch.field(
        nodes.by_id(list_shipments.by_id, "shipment_id"), description="The shipment of its units. Null: none yet."
    )
    warehouse: Warehouse = batch.field(
        nodes.by_id(network.warehouses, "warehouse_id"), description="The warehouse that supplies the units."
    )
    quantity: Decimal = strawberry.field(description="The number of units.")
    state: AllocationState = strawberry.field(description="The state of the units.")
    expected_at: datetime | None = batch.field(
        _allocation_expected,
        description=(
            "When the last of its units can leave. Null if they are not backordered, or if announcements do not cover them."
        ),
    )
    announcement: StockAnnouncement | None = batch.field(
        _announcement, description="The announcement that covers the last of them. Null without inventory:read."
    )

    @classmethod
    def of(cls, row: allocation.Allocation) -> "Allocation":
        return cls(row=row, id=nodes.global_id("Allocation", row.id), quantity=row.quantity, state=row.state)


nodes.register(rules.Order, "Order", Order.of, list_orders.by_id, Scope.ORDERS_READ)
nodes.register(rules.OrderLine, "OrderLine", OrderLine.of, list_orders.lines, Scope.ORDERS_READ)
nodes.register(
    allocation.Allocation, "Allocation", Allocation.of, list_orders.allocations, Scope.ORDERS_READ, reach.seen
)
