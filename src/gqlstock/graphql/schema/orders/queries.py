"""Orders by number, lists of them, and an order that is only checked."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.http import questions
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page, Reverse
from gqlstock.graphql.schema import filters
from gqlstock.graphql.schema.enums import described
from gqlstock.graphql.schema.orders.audiences import Audience
from gqlstock.graphql.schema.orders.checks import OrderCheck
from gqlstock.graphql.schema.orders.mutations import CheckOrderInput
from gqlstock.graphql.schema.orders.orders import Order
from gqlstock.rules import filters as rules
from gqlstock.rules import order_plan
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.paging import SortOrder
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import Scope
from gqlstock.services import check_order, list_orders, order_tokens
from gqlstock.stock import reading


class OrderSort(StrEnum):
    PLACED = "placed_at"
    UPDATED = "updated_at"
    NUMBER = "id"


described(
    OrderSort,
    "What orders can be sorted by; the latest comes first.",
    {"PLACED": "When they were placed.", "UPDATED": "When they last changed.", "NUMBER": "Their number."},
)


@strawberry.input(description="Which orders; everything given must hold.")
class OrderFilter:
    search: str | None = strawberry.field(
        default=None, description="Looks in number, reference, e-mail address, and the lines' names and SKUs."
    )
    statuses: list[OrderStatus] | None = strawberry.field(default=None, description="Only in one of these statuses.")
    warehouse: str | None = strawberry.field(default=None, description="Only with units from this warehouse, by code.")
    reference: str | None = strawberry.field(default=None, description="Only with this reference.")
    updated_since: datetime | None = strawberry.field(default=None, description="Only changed at or after that moment.")
    website: str | None = strawberry.field(default=None, description="Only of this website, by code.")
    customer_email: str | None = strawberry.field(default=None, description="Only of this customer, whatever the case.")
    sku: str | None = strawberry.field(
        default=None, description="Only with a line of this SKU, as it was ordered or as it is now."
    )
    placed_since: datetime | None = strawberry.field(default=None, description="Only placed at or after that moment.")
    placed_until: datetime | None = strawberry.field(default=None, description="Only placed before that moment.")


@strawberry.type
class OrderQueries:
    @access.field(description="An order. Needs orders:read.", scope=Scope.ORDERS_READ)
    async def order(
        self, info: Info, number: Annotated[str, strawberry.argument(description="Its number.")]
    ) -> Order | None:
        return nodes.show_optional(await list_orders.by_number(number))  # type: ignore[no-any-return]

    @access.field(
        description=(
            "One order, for the shopper who has its accessToken; null for any other text. Where they lack the scopes, its "
            "movements and accessToken are null, its allocations empty, and hidden quantities and dates stay hidden. [public]"
        )
    )
    async def order_by_token(
        self, info: Info, token: Annotated[str, strawberry.argument(description="Its accessToken.")]
    ) -> Order | None:
        # It may be personal data. Nor do wrong tokens take memory.
        reading.never_keep()
        found = await order_tokens.find(token)
        return None if found is None else Order.of(found, Audience.SHOPPER)

    @access.field(description="Orders, newest first. Needs orders:read.", scope=Scope.ORDERS_READ)
    async def orders(
        self,
        info: Info,
        filter: Annotated[OrderFilter | None, strawberry.argument(description="Which orders.")] = None,
        sort: Annotated[OrderSort, strawberry.argument(description="What to sort by.")] = OrderSort.PLACED,
        reverse: Reverse = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Order] | None:
        page = Page.of(first, after, last, before)
        order = SortOrder(sort.value, descending=not reverse)
        found = await list_orders.matching(filters.chosen(filter, rules.OrderFilter), info.context.caller)
        return await paging.connection(page, order, found, nodes.show)


@strawberry.type
class OrderCheckQueries:
    @access.field(description="placeOrder's answer without placing it. [public]")
    async def check_order(
        self,
        info: Info,
        input: Annotated[CheckOrderInput, strawberry.argument(description="The order to work out.")],
    ) -> OrderCheck | None:
        try:
            request = input.request()
            await questions.check(info, request.lines)
            async with info.context.turn():
                return OrderCheck.of(await check_order.check(info.context.caller, request))
        except Refused as error:
            return OrderCheck.of(order_plan.refused((), error.refusals))
