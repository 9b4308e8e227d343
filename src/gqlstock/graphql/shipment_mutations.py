"""Mutations of shipments and of holds."""

from typing import Annotated

import strawberry

from gqlstock.graphql import access, mutations, nodes, questions
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import UserError
from gqlstock.graphql.holds import StockHold
from gqlstock.graphql.mutations import ERRORS
from gqlstock.graphql.order_mutations import OrderLineInput, OrderLineQuantityInput, given_hold, line_quantities
from gqlstock.graphql.shipments import Shipment
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.scopes import Scope
from gqlstock.services import hold_stock, release_hold, ship
from gqlstock.services.hold_stock import Guest, HoldRequest
from gqlstock.services.ship import CreateShipmentRequest


@strawberry.input(
    description="A new shipment. Without lines: all of the order's units in that warehouse that are in no shipment."
)
class CreateShipmentInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    order: str = strawberry.field(description="The order's number.")
    warehouse: str = strawberry.field(description="The code of the warehouse it leaves.")
    lines: list[OrderLineQuantityInput] | None = strawberry.field(default=None, description="What goes into it.")


@strawberry.input(description="A shipment that leaves.")
class ShipShipmentInput:
    number: str = strawberry.field(description="The shipment's number.")
    tracking_number: str | None = strawberry.field(default=None, description="The carrier's number for it.")
    carrier: str | None = strawberry.field(default=None, description="Who carries it.")


@strawberry.input(description="A shipment to unpack.")
class CancelShipmentInput:
    number: str = strawberry.field(description="The shipment's number.")


@strawberry.input(description="Stock to keep for a cart.")
class HoldStockInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    website: str | None = strawberry.field(default=None, description="The website's code; left out, the default one.")
    lines: list[OrderLineInput] = strawberry.field(description="1 to 500 lines; without a token at most 50.")
    minutes: int = strawberry.field(default=15, description="For how long: 1 to 1,440; without a token at most 30.")
    replaces: strawberry.ID | None = strawberry.field(
        default=None, description="The cart's hold so far; it ends when this one is made."
    )


@strawberry.input(description="A hold to give back.")
class ReleaseStockHoldInput:
    id: strawberry.ID = strawberry.field(description="The hold's id.")


@strawberry.type(description="A shipment that was made or changed.")
class ShipmentPayload:
    shipment: Shipment | None = strawberry.field(description="The shipment.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="A hold that was made or changed.")
class StockHoldPayload:
    hold: StockHold | None = strawberry.field(description="The hold.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def _shipment_payload(info: Info, shipment_id: int) -> ShipmentPayload:
    seen = await nodes.all_seen(info, "Shipment", [shipment_id])
    return ShipmentPayload(shipment=seen[0] if seen else None, user_errors=[])


async def _hold_payload(hold_id: int) -> StockHoldPayload:
    return StockHoldPayload(hold=await nodes.loaded("StockHold", hold_id), user_errors=[])


INPUT = strawberry.argument(description="All of it is done, or none.")
WRITES = Scope.ORDERS_WRITE


@strawberry.type
class ShipmentMutations:
    @mutations.field(
        description="Puts units of an order into a shipment. Needs orders:write.", payload=ShipmentPayload, scope=WRITES
    )
    async def create_shipment(self, info: Info, input: Annotated[CreateShipmentInput, INPUT]) -> ShipmentPayload:
        request = CreateShipmentRequest(input.order, input.warehouse, line_quantities(input.lines))
        kept = await ship.create(info.context.caller, request, input.idempotency_key)
        return await _shipment_payload(info, kept.ids["shipment"][0])

    @mutations.field(
        description="Sends a READY shipment off. Needs orders:write.", payload=ShipmentPayload, scope=WRITES
    )
    async def ship_shipment(self, info: Info, input: Annotated[ShipShipmentInput, INPUT]) -> ShipmentPayload:
        shipped = await ship.ship(info.context.caller, input.number, input.tracking_number, input.carrier)
        return await _shipment_payload(info, shipped)

    @mutations.field(
        description="Puts a shipment's units back into no shipment. Needs orders:write.",
        payload=ShipmentPayload,
        scope=WRITES,
    )
    async def cancel_shipment(self, info: Info, input: Annotated[CancelShipmentInput, INPUT]) -> ShipmentPayload:
        return await _shipment_payload(info, await ship.cancel(info.context.caller, input.number))

    @mutations.field(
        description="Keeps what is free for a cart: all of it or nothing. Needs orders:write.",
        payload=StockHoldPayload,
        scope=None,
    )
    async def hold_stock(self, info: Info, input: Annotated[HoldStockInput, INPUT]) -> StockHoldPayload:
        access.require_to_order(info.context)
        request = HoldRequest(
            tuple(line.line() for line in input.lines), input.website, input.minutes, given_hold(input.replaces)
        )
        await questions.check(info.context, request.lines, "holdStock", input.idempotency_key)
        guest = None if info.context.caller.authenticated else Guest(info.context.address, info.context.public_holds)
        kept = await hold_stock.hold(info.context.caller, request, input.idempotency_key, guest)
        return await _hold_payload(kept.ids["hold"][0])

    @mutations.field(description="Gives a hold's units back. Needs orders:write.", payload=StockHoldPayload, scope=None)
    async def release_stock_hold(self, info: Info, input: Annotated[ReleaseStockHoldInput, INPUT]) -> StockHoldPayload:
        access.require_to_order(info.context)
        given_id = GivenId(nodes.row_id("StockHold", input.id), input.id)
        return await _hold_payload(await release_hold.release(info.context.caller, given_id))
