"""Placing orders, and the inputs that say what to order."""

from decimal import Decimal
from typing import Annotated

import strawberry

from gqlstock.graphql import access, mutations, nodes, questions
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import UserError
from gqlstock.graphql.mutations import ERRORS
from gqlstock.graphql.options import SelectedOptionInput
from gqlstock.graphql.orders import Order
from gqlstock.graphql.warehouse_mutations import GeoPointInput
from gqlstock.rules import geo
from gqlstock.rules.geo import Point
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.scopes import Scope
from gqlstock.services import cancel_order, place_order, retry_order, return_items
from gqlstock.services.cancel_order import CancelOrderRequest
from gqlstock.services.open_order import LineQuantity
from gqlstock.services.return_items import ReturnItemsRequest
from gqlstock.stock.command import Result


@strawberry.input(description="So many units of one item.")
class OrderLineInput:
    sku: str = strawberry.field(description="The SKU of a product or a combination.")
    quantity: Decimal = strawberry.field(description="More than 0.")
    options: list[SelectedOptionInput] | None = strawberry.field(
        default=None,
        description=(
            "The shopper's choice, for a product's SKU; tracked with options it stands for that combination's SKU. "
            "Kept on the line."
        ),
    )

    def line(self) -> RequestedLine:
        options = tuple((option.name, option.value) for option in self.options or ())
        return RequestedLine(self.sku, self.quantity, options)


_HOLD = "The hold that it orders: worked out as if that had just ended, its warehouses first."


@strawberry.input(description="An order to work out without placing it.")
class CheckOrderInput:
    website: str | None = strawberry.field(default=None, description="The website's code; left out, the default one.")
    lines: list[OrderLineInput] = strawberry.field(description="1 to 500 lines.")
    hold: strawberry.ID | None = strawberry.field(default=None, description=_HOLD)
    ship_to: GeoPointInput | None = strawberry.field(default=None, description="Where it goes, to find the nearest.")

    def request(self) -> OrderRequest:
        lines = tuple(line.line() for line in self.lines)
        return OrderRequest(lines, self.website, ship_to=_point(self.ship_to), hold=given_hold(self.hold))


@strawberry.input(description="An order to place.")
class PlaceOrderInput:
    idempotency_key: str | None = strawberry.field(
        default=None,
        description=mutations.KEY,
    )
    website: str | None = strawberry.field(default=None, description="The website's code; left out, the default one.")
    lines: list[OrderLineInput] = strawberry.field(description="1 to 500 lines.")
    customer_email: str | None = strawberry.field(
        default=None, description="Kept as it is given: one @, no blanks, at most 254 characters."
    )
    reference: str | None = strawberry.field(default=None, description="The caller's own number for it.")
    hold: strawberry.ID | None = strawberry.field(default=None, description=_HOLD)
    ship_to: GeoPointInput | None = strawberry.field(default=None, description="Where it goes, to find the nearest.")

    def request(self) -> OrderRequest:
        lines = tuple(line.line() for line in self.lines)
        ship_to = _point(self.ship_to)
        return OrderRequest(lines, self.website, self.customer_email, self.reference, ship_to, given_hold(self.hold))


def given_hold(text: str | None) -> GivenId | None:
    return GivenId(nodes.row_id("StockHold", text), text) if text is not None else None


def _point(given: GeoPointInput | None) -> Point | None:
    return geo.point(given.latitude, given.longitude, "shipTo") if given is not None else None


@strawberry.type(description="An order that was placed or changed.")
class OrderPayload:
    order: Order | None = strawberry.field(description="The order.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.input(description="So many units of a line.")
class OrderLineQuantityInput:
    sku: str = strawberry.field(description="The SKU of the line's item, as it was ordered or as it is now.")
    quantity: Decimal = strawberry.field(description="More than 0.")
    line: strawberry.ID | None = strawberry.field(
        default=None,
        description="The line's id, where an order has several of a SKU; left out, they go in their order.",
    )

    def quantity_of_line(self) -> LineQuantity:
        line = nodes.row_id("OrderLine", self.line) if self.line is not None else None
        return LineQuantity(self.sku, self.quantity, line, self.line)


def line_quantities(given: list[OrderLineQuantityInput] | None) -> tuple[LineQuantity, ...] | None:
    return tuple(line.quantity_of_line() for line in given) if given is not None else None


@strawberry.input(description="A cancellation. Without lines: all that is not shipped.")
class CancelOrderInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    number: str = strawberry.field(description="The order's number.")
    lines: list[OrderLineQuantityInput] | None = strawberry.field(default=None, description="What to cancel.")
    reason: str | None = strawberry.field(default=None, description="Why, for people.")
    restock: bool = strawberry.field(
        default=True, description="Whether canceled units can be sold again; if not, those on hand are written off."
    )


@strawberry.input(description="A parked order to try again.")
class RetryOrderInput:
    number: str = strawberry.field(description="The order's number.")


@strawberry.input(description="Shipped units that came back.")
class ReturnItemsInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    order: str = strawberry.field(description="The order's number.")
    lines: list[OrderLineQuantityInput] = strawberry.field(description="What came back.")
    restock: bool | None = strawberry.field(
        default=None, description="Whether it counts as stock again; left out, as restockOnReturn says."
    )
    reason: str | None = strawberry.field(default=None, description="Why, for people.")


async def _order_payload(kept: Result) -> OrderPayload:
    return OrderPayload(order=await nodes.loaded("Order", kept.ids["order"][0], kept.rows), user_errors=[])


INPUT = strawberry.argument(description="All of it is done, or none.")
WRITES = Scope.ORDERS_WRITE


@strawberry.type
class OrderMutations:
    @mutations.field(
        description="Places an order: all of it or nothing. Needs orders:write.", payload=OrderPayload, scope=None
    )
    async def place_order(self, info: Info, input: Annotated[PlaceOrderInput, INPUT]) -> OrderPayload:
        access.require_to_order(info.context)
        request = input.request()
        await questions.check(info.context, request.lines, "placeOrder", input.idempotency_key)
        kept = await place_order.place(info.context.caller, request, input.idempotency_key)
        return await _order_payload(kept)

    @mutations.field(
        description="Cancels what has not left of an order. Needs orders:write.", payload=OrderPayload, scope=WRITES
    )
    async def cancel_order(self, info: Info, input: Annotated[CancelOrderInput, INPUT]) -> OrderPayload:
        request = CancelOrderRequest(input.number, line_quantities(input.lines), input.reason, input.restock)
        kept = await cancel_order.cancel(info.context.caller, request, input.idempotency_key)
        return await _order_payload(kept)

    @mutations.field(
        description="Tries an order with the status BACKORDERED again. Needs orders:write.",
        payload=OrderPayload,
        scope=WRITES,
    )
    async def retry_order(self, info: Info, input: Annotated[RetryOrderInput, INPUT]) -> OrderPayload:
        return await _order_payload(await retry_order.retry(info.context.caller, input.number))

    @mutations.field(description="Takes shipped units back. Needs orders:write.", payload=OrderPayload, scope=WRITES)
    async def return_items(self, info: Info, input: Annotated[ReturnItemsInput, INPUT]) -> OrderPayload:
        lines = line_quantities(input.lines) or ()
        request = ReturnItemsRequest(input.order, lines, input.restock, input.reason)
        kept = await return_items.take_back(info.context.caller, request, input.idempotency_key)
        return await _order_payload(kept)
