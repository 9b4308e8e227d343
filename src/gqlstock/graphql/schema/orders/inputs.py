"""The inputs of orders: what to order, and what to cancel, move, edit and return of an order."""

from decimal import Decimal

import strawberry

from gqlstock.graphql.relay import nodes
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.catalog.options import SelectedOptionInput
from gqlstock.graphql.schema.network.mutations import GeoPointInput
from gqlstock.rules import geo
from gqlstock.rules.geo import Point
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.services.cancel_order import CancelOrderRequest
from gqlstock.services.edit_order import EditOrderRequest
from gqlstock.services.move_allocations import MoveAllocationsRequest, MovedQuantity
from gqlstock.services.open_order import LineQuantity
from gqlstock.services.return_items import ReturnItemsRequest


@strawberry.input(description="A quantity of one item.")
class OrderLineInput:
    sku: str = strawberry.field(description="The SKU of a product or a combination.")
    quantity: Decimal = strawberry.field(description="More than 0.")
    options: list[SelectedOptionInput] | None = strawberry.field(
        default=None,
        description=(
            "The selected options, for a product's SKU. If the product is tracked with options, they select the combination. "
            "They are stored on the line."
        ),
    )

    def line(self) -> RequestedLine:
        options = tuple((option.name, option.value) for option in self.options or ())
        return RequestedLine(self.sku, self.quantity, options)


_HOLD = "The hold to order. Its units count as free, and its warehouses are used first."


@strawberry.input(description="An order to check without placing it.")
class CheckOrderInput:
    website: str | None = strawberry.field(
        default=None, description="The website's code. Default: the default website."
    )
    lines: list[OrderLineInput] = strawberry.field(description="1 to 500 lines.")
    hold: strawberry.ID | None = strawberry.field(default=None, description=_HOLD)
    ship_to: GeoPointInput | None = strawberry.field(
        default=None, description="The destination, for sourcing by distance."
    )

    def request(self) -> OrderRequest:
        lines = tuple(line.line() for line in self.lines)
        return OrderRequest(lines, self.website, ship_to=_point(self.ship_to), hold=given_hold(self.hold))


@strawberry.input(description="An order to place.")
class PlaceOrderInput:
    idempotency_key: str | None = strawberry.field(
        default=None,
        description=mutations.KEY,
    )
    website: str | None = strawberry.field(
        default=None, description="The website's code. Default: the default website."
    )
    lines: list[OrderLineInput] = strawberry.field(description="1 to 500 lines.")
    customer_email: str | None = strawberry.field(
        default=None, description="Stored as given: one @, no spaces, at most 254 characters."
    )
    reference: str | None = strawberry.field(default=None, description="The caller's own number for the order.")
    hold: strawberry.ID | None = strawberry.field(default=None, description=_HOLD)
    ship_to: GeoPointInput | None = strawberry.field(
        default=None, description="The destination, for sourcing by distance."
    )

    def request(self) -> OrderRequest:
        lines = tuple(line.line() for line in self.lines)
        ship_to = _point(self.ship_to)
        return OrderRequest(lines, self.website, self.customer_email, self.reference, ship_to, given_hold(self.hold))


def given_hold(text: str | None) -> GivenId | None:
    return GivenId(nodes.row_id("StockHold", text), text) if text is not None else None


def _point(given: GeoPointInput | None) -> Point | None:
    return geo.point(given.latitude, given.longitude, "shipTo") if given is not None else None


@strawberry.input(description="A quantity of an order line.")
class OrderLineQuantityInput:
    sku: str = strawberry.field(description="The SKU of the line's item, current or when it was ordered.")
    quantity: Decimal = strawberry.field(
        description="More than 0. In editOrder: the new quantity, 0 to cancel the line."
    )
    line: strawberry.ID | None = strawberry.field(
        default=None,
        description=(
            "The line's id, if an order has several lines of a SKU. Default: lines are used in order. "
            "editOrder requires it in this case."
        ),
    )

    def quantity_of_line(self) -> LineQuantity:
        line = nodes.row_id("OrderLine", self.line) if self.line is not None else None
        return LineQuantity(self.sku, self.quantity, line, self.line)


def line_quantities(given: list[OrderLineQuantityInput] | None) -> tuple[LineQuantity, ...] | None:
    return tuple(line.quantity_of_line() for line in given) if given is not None else None


@strawberry.input(description="A cancellation.")
class CancelOrderInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    number: str = strawberry.field(description="The order's number.")
    lines: list[OrderLineQuantityInput] | None = strawberry.field(
        default=None, description="What to cancel. Default: everything that is not shipped."
    )
    reason: str | None = strawberry.field(default=None, description="The reason, for people.")
    restock: bool = strawberry.field(
        default=True, description="Whether canceled units can be sold again. If not, those on hand are written off."
    )

    def request(self) -> CancelOrderRequest:
        return CancelOrderRequest(self.number, line_quantities(self.lines), self.reason, self.restock)


@strawberry.input(description="A quantity of an order line to move to another warehouse.")
class MoveAllocationLineInput:
    sku: str = strawberry.field(description="The SKU of the line's item, current or when it was ordered.")
    line: strawberry.ID | None = strawberry.field(
        default=None,
        description="The line's id, if an order has several lines of a SKU. Default: lines are used in order.",
    )
    quantity: Decimal = strawberry.field(
        description="More than 0. Backordered units move first, then units in no shipment, then those in open shipments."
    )
    from_: str = strawberry.field(name="from", description="The code of the warehouse that supplies them now.")
    to: str = strawberry.field(
        description="The code of the warehouse to supply them instead: an active one of the order's website."
    )

    def moved(self) -> MovedQuantity:
        line = nodes.row_id("OrderLine", self.line) if self.line is not None else None
        return MovedQuantity(self.sku, self.quantity, line, self.line, source=self.from_, target=self.to)


@strawberry.input(description="Units of an order to move to other warehouses. Rows are applied in order.")
class MoveAllocationsInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    number: str = strawberry.field(description="The order's number.")
    lines: list[MoveAllocationLineInput] = strawberry.field(description="What to move: 1 to 500 rows.")
    reason: str | None = strawberry.field(default=None, description="The reason, for people.")

    def request(self) -> MoveAllocationsRequest:
        return MoveAllocationsRequest(self.number, tuple(line.moved() for line in self.lines), self.reason)


@strawberry.input(description="Lines to add to an order, and new quantities for existing lines.")
class EditOrderInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    number: str = strawberry.field(description="The order's number.")
    add: list[OrderLineInput] | None = strawberry.field(
        default=None, description="New lines, allocated as by placeOrder. An order has at most 500 lines."
    )
    change: list[OrderLineQuantityInput] | None = strawberry.field(
        default=None, description="Existing lines, each with its new quantity without canceled units."
    )
    reason: str | None = strawberry.field(default=None, description="The reason, for people.")

    def request(self) -> EditOrderRequest:
        added = tuple(line.line() for line in self.add or ())
        return EditOrderRequest(self.number, added, line_quantities(self.change) or (), self.reason)


@strawberry.input(description="A parked order to retry.")
class RetryOrderInput:
    number: str = strawberry.field(description="The order's number.")


@strawberry.input(description="Shipped units that were returned.")
class ReturnItemsInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    order: str = strawberry.field(description="The order's number.")
    lines: list[OrderLineQuantityInput] = strawberry.field(description="The returned units.")
    restock: bool | None = strawberry.field(
        default=None, description="Whether the units are restocked. Default: the setting restockOnReturn."
    )
    reason: str | None = strawberry.field(default=None, description="The reason, for people.")

    def request(self) -> ReturnItemsRequest:
        return ReturnItemsRequest(self.order, line_quantities(self.lines) or (), self.restock, self.reason)
