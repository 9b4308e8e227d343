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
from gqlstock.graphql.schema.orders.inputs import CheckOrderInput
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
    "The sort order of orders, latest first.",
    {"PLACED": "By the time of placing.", "UPDATED": "By the time of the last change.", "NUMBER": "By number."},
)


@strawberry.input(description="Which orders; everything given must hold.")
class OrderFilter:
    search: str | None = strawberry.field(
        default=None, description="Searches number, reference, e-mail address, and the lines' names and SKUs."
    )
    statuses: list[OrderStatus] | None = strawberry.field(
        default=None, description="Only orders in one of these statuses."
    )
    warehouse: str | None = strawberry.field(
        default=None, description="Only orders with units from this warehouse, by code."
    )
    reference: str | None = strawberry.field(default=None, description="Only those with this reference.")
    updated_since: datetime | None = strawberry.field(
        default=None, description="Only those changed at or after this time."
    )
    website: str | None = strawberry.field(default=None, description="Only those of this website, by code.")
    customer_email: str | None = strawberry.field(
        default=None, description="Only orders of this customer, by e-mail address. Ignores case."
    )
    to_ship: bool | None = strawberry.field(
        default=None,
        description="true: only orders with units ON_HAND that have not left. false: only the others. Together with "
        "warehouse, only its units count.",
    )
    sku: str | None = strawberry.field(
        default=None, description="Only orders with a line of this SKU, current or when it was ordered."
    )
    placed_since: datetime | None = strawberry.field(
        default=None, description="Only orders placed at or after this time."
    )
    placed_until: datetime | None = strawberry.field(default=None, description="Only orders placed before this time.")


@strawberry.type
class OrderQueries:
    @access.field(description="An order. Needs orders:read.", scope=Scope.ORDERS_READ)
    async def order(
        self, info: Info, number: Annotated[str, strawberry.argument(description="The number.")]
    ) -> Order | None:
        return nodes.show_optional(await list_orders.by_number(number))  # type: ignore[no-any-return]

    @access.field(
        description=(
            "One order, for the shopper with its accessToken. Null for any other text. Without the scopes, its "
            "movements and accessToken are null, its allocations empty, and hidden quantities and dates stay hidden. [public]"
        )
    )
    async def order_by_token(
        self, info: Info, token: Annotated[str, strawberry.argument(description="Its accessToken.")]
    ) -> Order | None:
        # Not cached: the answer may be personal data, and wrong tokens must not take memory.
        reading.never_keep()
        found = await order_tokens.find(token)
        return None if found is None else Order.of(found, Audience.SHOPPER)

    @access.field(description="Orders, newest first. Needs orders:read.", scope=Scope.ORDERS_READ)
    async def orders(
        self,
        info: Info,
        filter: Annotated[OrderFilter | None, strawberry.argument(description="Selects orders.")] = None,
        sort: Annotated[OrderSort, strawberry.argument(description="The sort order.")] = OrderSort.PLACED,
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
    @access.field(description="Checks an order: returns what placeOrder would, without placing it. [public]")
    async def check_order(
        self,
        info: Info,
        input: Annotated[CheckOrderInput, strawberry.argument(description="The order to check.")],
    ) -> OrderCheck | None:
        try:
            request = input.request()
            await questions.check(info, request.lines)
            async with info.context.turn():
                return OrderCheck.of(await check_order.check(info.context.caller, request))
        except Refused as error:
            return OrderCheck.of(order_plan.refused((), error.refusals))
