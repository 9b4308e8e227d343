"""Mutations of shipments."""

from typing import Annotated

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.mutations import ERRORS
from gqlstock.graphql.schema.orders.inputs import OrderLineQuantityInput, line_quantities
from gqlstock.graphql.schema.shipments.shipments import Shipment
from gqlstock.graphql.schema.user_errors import UserError
from gqlstock.rules.scopes import Scope
from gqlstock.services import ship
from gqlstock.services.ship import CreateShipmentRequest


@strawberry.input(description="A new shipment.")
class CreateShipmentInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    order: str = strawberry.field(description="The order's number.")
    warehouse: str = strawberry.field(description="The code of the warehouse that it leaves.")
    lines: list[OrderLineQuantityInput] | None = strawberry.field(
        default=None,
        description="The contents. Default: all units of the order in that warehouse that are in no shipment.",
    )


@strawberry.input(description="A shipment that has left.")
class ShipShipmentInput:
    number: str = strawberry.field(description="The shipment's number.")
    tracking_number: str | None = strawberry.field(default=None, description="The carrier's tracking number.")
    carrier: str | None = strawberry.field(default=None, description="The carrier.")
    allow_negative: bool = strawberry.field(
        default=False,
        description="Ships even if onHand is too low; onHand may then fall below zero. Backordered units still have to wait.",
    )


@strawberry.input(description="A shipment to cancel.")
class CancelShipmentInput:
    number: str = strawberry.field(description="The shipment's number.")


@strawberry.type(description="A shipment that was created or changed.")
class ShipmentPayload:
    shipment: Shipment | None = strawberry.field(description="The shipment.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def _shipment_payload(info: Info, shipment_id: int) -> ShipmentPayload:
    seen = await nodes.all_seen(info, "Shipment", [shipment_id])
    return ShipmentPayload(shipment=seen[0] if seen else None, user_errors=[])


INPUT = strawberry.argument(description="The input. It is applied completely or not at all.")
WRITES = Scope.ORDERS_WRITE


@strawberry.type
class ShipmentMutations:
    @mutations.field(
        description="Creates a shipment with units of an order. Needs orders:write.",
        payload=ShipmentPayload,
        scope=WRITES,
    )
    async def create_shipment(self, info: Info, input: Annotated[CreateShipmentInput, INPUT]) -> ShipmentPayload:
        request = CreateShipmentRequest(input.order, input.warehouse, line_quantities(input.lines))
        kept = await ship.create(info.context.caller, request, input.idempotency_key)
        return await _shipment_payload(info, kept.ids["shipment"][0])

    @mutations.field(
        description="Marks a READY shipment as shipped. Needs orders:write.", payload=ShipmentPayload, scope=WRITES
    )
    async def ship_shipment(self, info: Info, input: Annotated[ShipShipmentInput, INPUT]) -> ShipmentPayload:
        shipped = await ship.ship(
            info.context.caller,
            input.number,
            input.tracking_number,
            input.carrier,
            allow_negative=input.allow_negative,
        )
        return await _shipment_payload(info, shipped)

    @mutations.field(
        description="Cancels a shipment. Its units are then in no shipment. Needs orders:write.",
        payload=ShipmentPayload,
        scope=WRITES,
    )
    async def cancel_shipment(self, info: Info, input: Annotated[CancelShipmentInput, INPUT]) -> ShipmentPayload:
        return await _shipment_payload(info, await ship.cancel(info.context.caller, input.number))
