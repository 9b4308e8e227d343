"""Waiting for an item that is out of stock, in the schema."""

from datetime import datetime
from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import batch, nodes, paging
from gqlstock.graphql.relay.nodes import Node
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.mutations import ERRORS
from gqlstock.graphql.schema.network.warehouses import Website
from gqlstock.graphql.schema.user_errors import UserError
from gqlstock.rules import back_in_stock as rules
from gqlstock.rules.back_in_stock import BackInStockState
from gqlstock.rules.paging import SortOrder
from gqlstock.rules.scopes import Scope
from gqlstock.services import back_in_stock as services
from gqlstock.services import list_back_in_stock
from gqlstock.stock import network

LAST_ASKED_FIRST = SortOrder("created_at", descending=True)


@strawberry.type(description="An address that is written to once, when an item is back in stock on a website.")
class BackInStockSubscription(Node):
    row: strawberry.Private[rules.BackInStockSubscription]
    sku: str = strawberry.field(description="The item's SKU when it was asked for.")
    website: Website = batch.field(nodes.by_id(network.websites, "website_id"), description="Where it is waited for.")
    email: str = strawberry.field(description="Who is written to.")
    state: BackInStockState = strawberry.field(description="Whether they still wait.")
    created_at: datetime = strawberry.field(description="When it was asked for, the last time.")
    notified_at: datetime | None = strawberry.field(description="When the mail was sent.")

    @classmethod
    def of(cls, row: rules.BackInStockSubscription) -> "BackInStockSubscription":
        return cls(
            row=row,
            id=nodes.global_id("BackInStockSubscription", row.id),
            sku=row.sku,
            email=row.email,
            state=row.state,
            created_at=row.created_at,
            notified_at=row.notified_at,
        )


@strawberry.type
class BackInStockQueries:
    @access.field(description="Who waits for what, who asked last first. Needs orders:read.", scope=Scope.ORDERS_READ)
    async def back_in_stock_subscriptions(
        self,
        info: Info,
        sku: Annotated[
            str | None,
            strawberry.argument(description="Only for the item of this SKU, as it was then or as it is now."),
        ] = None,
        state: Annotated[BackInStockState | None, strawberry.argument(description="Only those in this state.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[BackInStockSubscription] | None:
        page = Page.of(first, after, last, before)
        found = await list_back_in_stock.matching(sku, state)
        return await paging.connection(page, LAST_ASKED_FIRST, found, nodes.show)


@strawberry.input(description="An address to write to when an item is back.")
class SubscribeToBackInStockInput:
    sku: str = strawberry.field(description="The SKU of a product or a combination that is out of stock.")
    website: str | None = strawberry.field(default=None, description="The website's code; left out, the default one.")
    email: str = strawberry.field(description="Whom to write to.")


@strawberry.input(description="Who does not want to be written to.")
class UnsubscribeFromBackInStockInput:
    token: str = strawberry.field(description="The token from the mail.")


@strawberry.type(description="The answer to somebody who waits, or does not any more.")
class BackInStockPayload:
    subscription: BackInStockSubscription | None = strawberry.field(description="What they asked for.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


INPUT = strawberry.argument(description="Who, and what.")


@strawberry.type
class BackInStockMutations:
    @mutations.field(
        description=(
            "Leaves an address for an item that is out of stock: one mail when it is back. Asking again while it waits "
            "is answered as the first time. [public]"
        ),
        payload=BackInStockPayload,
        scope=None,
    )
    async def subscribe_to_back_in_stock(
        self, info: Info, input: Annotated[SubscribeToBackInStockInput, INPUT]
    ) -> BackInStockPayload:
        found = await services.subscribe(input.sku, input.website, input.email)
        return BackInStockPayload(subscription=await nodes.loaded("BackInStockSubscription", found), user_errors=[])

    @mutations.field(
        description="Takes an address back, with the token from the mail. [public]",
        payload=BackInStockPayload,
        scope=None,
    )
    async def unsubscribe_from_back_in_stock(
        self, info: Info, input: Annotated[UnsubscribeFromBackInStockInput, INPUT]
    ) -> BackInStockPayload:
        found = await services.unsubscribe(input.token)
        return BackInStockPayload(subscription=await nodes.loaded("BackInStockSubscription", found), user_errors=[])


nodes.register(
    rules.BackInStockSubscription,
    "BackInStockSubscription",
    BackInStockSubscription.of,
    list_back_in_stock.by_id,
    Scope.ORDERS_READ,
)
