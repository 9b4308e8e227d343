"""Shipments in the schema."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from gqlstock.graphql import reach
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import batch, nodes
from gqlstock.graphql.relay.nodes import Node
from gqlstock.graphql.schema.network.warehouses import Warehouse
from gqlstock.graphql.schema.orders.audiences import Audience
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import Allocation
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import Scope
from gqlstock.rules.shipments import ShipmentState
from gqlstock.services import list_orders, list_shipments, order_dates, public_orders
from gqlstock.stock import network

if TYPE_CHECKING:
    from gqlstock.graphql.schema.orders.orders import Order, OrderLine


@strawberry.type(description="Units of one order line in a shipment.")
class ShipmentItem:
    line: Annotated["OrderLine", strawberry.lazy("gqlstock.graphql.schema.orders.orders")] = strawberry.field(
        description="The order line."
    )
    quantity: Decimal = strawberry.field(description="The units in the shipment, or when it left.")
    backordered: Decimal = strawberry.field(
        description=("The backordered units. If the public may not see salableQuantity, it sees all of them or none.")
    )


async def _items(parents: Sequence["Shipment"], info: Info) -> list[list[ShipmentItem]]:
    inside = await list_shipments.contents([parent.row.id for parent in parents])
    lines = await list_orders.lines({allocation.line_id for found in inside.values() for allocation in found})
    waiting = await public_orders.waiting_in_shipments(inside, lines, info.context.caller)
    return [_listed(parent, inside[parent.row.id], lines, waiting[parent.row.id]) for parent in parents]


def _listed(
    parent: "Shipment",
    inside: Sequence[Allocation],
    lines: dict[int, order_rules.OrderLine],
    waiting: dict[int, Decimal],
) -> list[ShipmentItem]:
    units: dict[int, Decimal] = {}
    for allocation in inside:
        units[allocation.line_id] = units.get(allocation.line_id, ZERO) + allocation.quantity
    return [
        ShipmentItem(
            line=nodes.with_attribute(nodes.show(lines[line_id]), "audience", parent.audience),
            quantity=quantity,
            backordered=waiting[line_id],
        )
        for line_id, quantity in units.items()
    ]


async def _expected_at(parents: Sequence["Shipment"], info: Info) -> list[datetime | None]:
    return await order_dates.of_shipments([parent.row for parent in parents], info.context.caller)


@strawberry.type(description="Units of one order that leave one warehouse together.")
class Shipment(Node):
    row: strawberry.Private[rules.Shipment]
    audience: strawberry.Private[Audience] = Audience.STAFF
    number: str = strawberry.field(description="The number that people use.")
    order: Annotated["Order", strawberry.lazy("gqlstock.graphql.schema.orders.orders")] = batch.field(
        nodes.by_id(list_orders.by_id, "order_id", hands_down="audience"), description="The order."
    )
    warehouse: Warehouse = batch.field(
        nodes.by_id(network.warehouses, "warehouse_id"), description="The warehouse that it leaves."
    )
    state: ShipmentState = strawberry.field(
        description="PENDING while a unit in it is backordered. Only READY shipments can be shipped."
    )
    items: list[ShipmentItem] = batch.field(_items, description="Its contents, by order line.")
    expected_at: datetime | None = batch.field(
        _expected_at,
        description=(
            "When the last backordered unit in it can leave. Null if none is backordered, or if the date of any is unknown."
        ),
    )
    tracking_number: str | None = strawberry.field(description="The carrier's tracking number.")
    carrier: str | None = strawberry.field(description="The carrier.")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    shipped_at: datetime | None = strawberry.field(description="When it was shipped.")

    @classmethod
    def of(cls, row: rules.Shipment, audience: Audience = Audience.STAFF) -> "Shipment":
        return cls(
            row=row,
            audience=audience,
            id=nodes.global_id("Shipment", row.id),
            number=rules.number(row.id),
            state=row.state,
            tracking_number=row.tracking_number,
            carrier=row.carrier,
            created_at=row.created_at,
            updated_at=row.updated_at,
            shipped_at=row.shipped_at,
        )


nodes.register(rules.Shipment, "Shipment", Shipment.of, list_shipments.by_id, Scope.ORDERS_READ, reach.seen)
