"""Mutations that place, cancel, edit and return orders. ``inputs`` has what they take."""

from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.http import questions
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.mutations import ERRORS
from gqlstock.graphql.schema.orders.audiences import Audience
from gqlstock.graphql.schema.orders.inputs import (
    CancelOrderInput,
    EditOrderInput,
    MoveAllocationsInput,
    PlaceOrderInput,
    RetryOrderInput,
    ReturnItemsInput,
)
from gqlstock.graphql.schema.orders.orders import Order
from gqlstock.graphql.schema.user_errors import UserError
from gqlstock.rules.orders import OrderLine
from gqlstock.rules.scopes import Scope
from gqlstock.services import cancel_order, edit_order, move_allocations, place_order, retry_order, return_items
from gqlstock.stock.command import Result


@strawberry.type(description="An order that was placed or changed.")
class OrderPayload:
    order: Order | None = strawberry.field(description="The order.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def _order_payload(kept: Result, audience: Audience = Audience.STAFF) -> OrderPayload:
    order: Order = await nodes.loaded("Order", kept.ids["order"][0], kept.rows)
    order.audience = audience
    order.lines_at_hand = [row for row in kept.rows if isinstance(row, OrderLine)] or None
    return OrderPayload(order=order, user_errors=[])


INPUT = strawberry.argument(description="The input. It is applied completely or not at all.")
WRITES = Scope.ORDERS_WRITE


@strawberry.type
class OrderMutations:
    @mutations.field(
        description="Places an order, completely or not at all. Needs orders:write.", payload=OrderPayload, scope=None
    )
    async def place_order(self, info: Info, input: Annotated[PlaceOrderInput, INPUT]) -> OrderPayload:
        access.require_to_order(info.context)
        request = input.request()
        await questions.check(info, request.lines, "placeOrder", input.idempotency_key)
        kept = await place_order.place(info.context.caller, request, input.idempotency_key)
        return await _order_payload(kept, Audience.BUYER)

    @mutations.field(
        description="Cancels unshipped units of an order. Needs orders:write.", payload=OrderPayload, scope=WRITES
    )
    async def cancel_order(self, info: Info, input: Annotated[CancelOrderInput, INPUT]) -> OrderPayload:
        kept = await cancel_order.cancel(info.context.caller, input.request(), input.idempotency_key)
        return await _order_payload(kept)

    @mutations.field(
        description=(
            "Moves unshipped units of an order to other warehouses, which must have them available. They are then on hand "
            "there and in no shipment. Needs orders:write."
        ),
        payload=OrderPayload,
        scope=WRITES,
    )
    async def move_allocations(self, info: Info, input: Annotated[MoveAllocationsInput, INPUT]) -> OrderPayload:
        kept = await move_allocations.move(info.context.caller, input.request(), input.idempotency_key)
        return await _order_payload(kept)

    @mutations.field(
        description=(
            "Adds lines to an order and changes quantities of its lines, until everything is shipped. Applied completely or "
            "not at all. Increases are allocated as by placeOrder, decreases canceled as by cancelOrder. Needs orders:write."
        ),
        payload=OrderPayload,
        scope=WRITES,
    )
    async def edit_order(self, info: Info, input: Annotated[EditOrderInput, INPUT]) -> OrderPayload:
        kept = await edit_order.edit(info.context.caller, input.request(), input.idempotency_key)
        return await _order_payload(kept)

    @mutations.field(
        description="Retries an order with the status BACKORDERED. Needs orders:write.",
        payload=OrderPayload,
        scope=WRITES,
    )
    async def retry_order(self, info: Info, input: Annotated[RetryOrderInput, INPUT]) -> OrderPayload:
        return await _order_payload(await retry_order.retry(info.context.caller, input.number))

    @mutations.field(
        description="Records the return of shipped units. Needs orders:write.", payload=OrderPayload, scope=WRITES
    )
    async def return_items(self, info: Info, input: Annotated[ReturnItemsInput, INPUT]) -> OrderPayload:
        kept = await return_items.take_back(info.context.caller, input.request(), input.idempotency_key)
        return await _order_payload(kept)
