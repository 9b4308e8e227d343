"""Placing orders, and the inputs that say what to order."""

from decimal import Decimal
from typing import Annotated

import strawberry

from gqlstock.graphql import access, mutations, nodes
from gqlstock.graphql.catalog import SelectedOptionInput
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import UserError
from gqlstock.graphql.mutations import ERRORS
from gqlstock.graphql.orders import Order
from gqlstock.graphql.warehouse_mutations import GeoPointInput
from gqlstock.rules import geo
from gqlstock.rules.geo import Point
from gqlstock.rules.scopes import Scope
from gqlstock.services import orders as services


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

    def line(self) -> services.OrderLine:
        options = tuple((option.name, option.value) for option in self.options or ())
        return services.OrderLine(self.sku, self.quantity, options)


@strawberry.input(description="An order to work out without placing it.")
class CheckOrderInput:
    website: str | None = strawberry.field(default=None, description="The website's code; left out, the default one.")
    lines: list[OrderLineInput] = strawberry.field(description="1 to 500 lines.")
    ship_to: GeoPointInput | None = strawberry.field(default=None, description="Where it goes, to find the nearest.")

    def asked(self) -> services.Asked:
        return services.Asked(tuple(line.line() for line in self.lines), self.website, ship_to=_point(self.ship_to))


@strawberry.input(description="An order to place.")
class PlaceOrderInput:
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="The same key with the same input answers again what it answered first, for at least 24 hours.",
    )
    website: str | None = strawberry.field(default=None, description="The website's code; left out, the default one.")
    lines: list[OrderLineInput] = strawberry.field(description="1 to 500 lines.")
    customer_email: str | None = strawberry.field(default=None, description="Where the customer is written to.")
    reference: str | None = strawberry.field(default=None, description="The caller's own number for it.")
    ship_to: GeoPointInput | None = strawberry.field(default=None, description="Where it goes, to find the nearest.")

    def asked(self) -> services.Asked:
        lines = tuple(line.line() for line in self.lines)
        return services.Asked(lines, self.website, self.customer_email, self.reference, _point(self.ship_to))


def _point(given: GeoPointInput | None) -> Point | None:
    return geo.point(given.latitude, given.longitude, "shipTo") if given is not None else None


@strawberry.type(description="An order that was placed or changed.")
class OrderPayload:
    order: Order | None = strawberry.field(description="The order.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type
class OrderMutations:
    @mutations.field(
        description="Places an order: all of it or nothing. Needs orders:write.", payload=OrderPayload, scope=None
    )
    async def place_order(
        self,
        info: Info,
        input: Annotated[PlaceOrderInput, strawberry.argument(description="All of it is done, or none.")],
    ) -> OrderPayload:
        if not info.context.public_orders:
            access.require(info.context.caller, Scope.ORDERS_WRITE)
        kept = await services.place(info.context.caller, input.asked(), input.idempotency_key)
        return OrderPayload(order=await nodes.loaded("Order", kept.ids["order"][0]), user_errors=[])
