"""Back-in-stock subscriptions in the schema."""

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


@strawberry.type(description="A subscription to one mail when an item is back in stock on a website.")
class BackInStockSubscription(Node):
    row: strawberry.Private[rules.BackInStockSubscription]
    sku: str = strawberry.field(description="The item's SKU when the subscription was created.")
    website: Website = batch.field(nodes.by_id(network.websites, "website_id"), description="The website.")
    email: str = strawberry.field(description="The address that gets the mail.")
    state: BackInStockState = strawberry.field(description="The state of the subscription.")
    created_at: datetime = strawberry.field(description="When the subscription was last requested.")
    notified_at: datetime | None = strawberry.field(description="When the mail was sent. Null: not yet.")

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
    @access.field(description="Back-in-stock subscriptions, latest first. Needs orders:read.", scope=Scope.ORDERS_READ)
    async def back_in_stock_subscriptions(
        self,
        info: Info,
        sku: Annotated[
            str | None,
            strawberry.argument(
                description="Only for the item with this SKU, current or when the subscription was created."
            ),
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


@strawberry.input(description="A request for a mail when an item is back in stock.")
class SubscribeToBackInStockInput:
    sku: str = strawberry.field(description="The SKU of a product or combination that is out of stock.")
    website: str | None = strawberry.field(
        default=None, description="The website's code. Default: the default website."
    )
    email: str = strawberry.field(description="The e-mail address.")


@strawberry.input(description="A subscription to cancel.")
class UnsubscribeFromBackInStockInput:
    token: str = strawberry.field(description="The token from the mail.")


@strawberry.type(description="A subscription that was made or canceled.")
class BackInStockPayload:
    subscription: BackInStockSubscription | None = strawberry.field(description="The subscription.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


INPUT = strawberry.argument(description="The input. It is applied completely or not at all.")


@strawberry.type
class BackInStockMutations:
    @mutations.field(
        description=(
            "Subscribes an address to one mail when an item is back in stock. Repeating the request while it waits "
            "returns the same subscription. [public]"
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
        description="Cancels a subscription, with the token from the mail. [public]",
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
