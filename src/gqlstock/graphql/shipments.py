"""Shipments in the schema."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from gqlstock.graphql import batch, nodes, reach
from gqlstock.graphql.context import Info
from gqlstock.graphql.nodes import Node
from gqlstock.graphql.warehouses import Warehouse
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import Allocation, AllocationState
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import Scope
from gqlstock.rules.shipments import ShipmentState
from gqlstock.store import orders, warehouses
from gqlstock.store import shipments as rows

if TYPE_CHECKING:
    from gqlstock.graphql.orders import Order, OrderLine


@strawberry.type(description="Units of one line in a shipment.")
class ShipmentItem:
    line: Annotated["OrderLine", strawberry.lazy("gqlstock.graphql.orders")] = strawberry.field(
        description="The line they are of."
    )
    quantity: Decimal = strawberry.field(description="How many units of it are in the shipment, or were when it left.")
    backordered: Decimal = strawberry.field(description="How many of them wait for stock.")


async def _items(parents: Sequence["Shipment"], info: Info) -> list[list[ShipmentItem]]:
    inside = await rows.contents([parent.row.id for parent in parents])
    lines = await orders.lines({allocation.line_id for found in inside.values() for allocation in found})
    return [_listed(inside[parent.row.id], lines) for parent in parents]


def _listed(inside: Sequence[Allocation], lines: dict[int, order_rules.OrderLine]) -> list[ShipmentItem]:
    by_line: dict[int, list[Allocation]] = {}
    for allocation in inside:
        by_line.setdefault(allocation.line_id, []).append(allocation)
    return [
        ShipmentItem(
            line=nodes.show(lines[line_id]),
            quantity=sum((a.quantity for a in found), ZERO),
            backordered=sum((a.quantity for a in found if a.state is AllocationState.BACKORDERED), ZERO),
        )
        for line_id, found in by_line.items()
    ]


@strawberry.type(description="Units of one order that leave one warehouse together.")
class Shipment(Node):
    row: strawberry.Private[rules.Shipment]
    number: str = strawberry.field(description="What people call it by.")
    order: Annotated["Order", strawberry.lazy("gqlstock.graphql.orders")] = batch.field(
        nodes.by_id(orders.orders, "order_id"), description="The order it is of."
    )
    warehouse: Warehouse = batch.field(
        nodes.by_id(warehouses.warehouses, "warehouse_id"), description="The warehouse it leaves."
    )
    state: ShipmentState = strawberry.field(
        description="PENDING while a unit in it is backordered; only READY can be shipped."
    )
    items: list[ShipmentItem] = batch.field(_items, description="What is in it, line by line.")
    tracking_number: str | None = strawberry.field(description="The carrier's number for it.")
    carrier: str | None = strawberry.field(description="Who carries it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    shipped_at: datetime | None = strawberry.field(description="When it left.")

    @classmethod
    def of(cls, row: rules.Shipment) -> "Shipment":
        return cls(
            row=row,
            id=nodes.global_id("Shipment", row.id),
            number=rules.number(row.id),
            state=row.state,
            tracking_number=row.tracking_number,
            carrier=row.carrier,
            created_at=row.created_at,
            updated_at=row.updated_at,
            shipped_at=row.shipped_at,
        )


nodes.register(rules.Shipment, "Shipment", Shipment.of, rows.shipments, Scope.ORDERS_READ, reach.seen)
