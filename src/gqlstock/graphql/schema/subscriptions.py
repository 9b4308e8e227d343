"""Subscriptions: changes as they are committed, after those that a cursor has missed."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import BadUserInput
from gqlstock.graphql.schema import filters
from gqlstock.graphql.schema.alerts import alerts
from gqlstock.graphql.schema.alerts.alerts import LowInventoryAlert
from gqlstock.graphql.schema.catalog import availability
from gqlstock.graphql.schema.catalog.availability import Availability
from gqlstock.graphql.schema.changes import feeds, inventory
from gqlstock.graphql.schema.changes.feeds import AfterArg
from gqlstock.graphql.schema.changes.inventory import InventoryChange, SkusArg, WarehousesArg
from gqlstock.graphql.schema.filters import MAX_NAMES
from gqlstock.graphql.schema.orders.audiences import Audience
from gqlstock.graphql.schema.orders.orders import Order
from gqlstock.rules import alerts as alert_rules
from gqlstock.rules import events
from gqlstock.rules import orders as order_rules
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import Entry, row_of
from gqlstock.rules.filters import AlertFilter
from gqlstock.rules.scopes import Scope
from gqlstock.services import assortments, list_alerts, list_orders, order_tokens
from gqlstock.services.list_changes import TOPICS


@strawberry.type(description="An alert that was raised, acknowledged or resolved.")
class LowInventoryAlertChange:
    cursor: str = strawberry.field(description="The position of this change in the feed, for `after`.")
    alert: LowInventoryAlert = strawberry.field(description="The alert as it was at that moment.")
    changed_at: datetime = strawberry.field(description="When the change was committed.")


@strawberry.type(description="A change of an order.")
class OrderChange:
    cursor: str = strawberry.field(description="The position of this change in the feed, for `after`.")
    order: Order = strawberry.field(description="The current state of the order, which may include later changes.")
    changed_at: datetime = strawberry.field(description="When the change was committed.")


async def _alert_changes(
    entries: Sequence[Entry],
) -> list[tuple[alert_rules.LowInventoryAlert, LowInventoryAlertChange]]:
    known = await list_alerts.by_id({entry.subject for entry in entries})
    told = [(entry, events.alert_then(row_of(known, entry.subject), entry.data)) for entry in entries]
    return [
        (
            alert,
            LowInventoryAlertChange(
                cursor=entry.cursor.text, alert=LowInventoryAlert.of(alert), changed_at=entry.created_at
            ),
        )
        for entry, alert in told
    ]


async def _order_changes(entries: Sequence[Entry]) -> list[tuple[order_rules.Order, OrderChange]]:
    known = await list_orders.by_id({entry.subject for entry in entries})
    orders = [(entry, row_of(known, entry.subject)) for entry in entries]
    return [
        (order, OrderChange(cursor=entry.cursor.text, order=Order.of(order), changed_at=entry.created_at))
        for entry, order in orders
    ]


async def _order_of(token: str) -> order_rules.Order:
    found = await order_tokens.find(token)
    if found is None:
        raise BadUserInput(
            "The token is not the accessToken of an order. It may have been invalidated when all tokens were renewed."
        )
    return found


async def _changes_for_shopper(token: str, entries: Sequence[Entry]) -> list[OrderChange]:
    # A token that has become invalid must not show anything more.
    order = await _order_of(token)
    return [
        OrderChange(
            cursor=await order_tokens.sealed(order, entry.cursor),
            order=Order.of(order, Audience.SHOPPER),
            changed_at=entry.created_at,
        )
        for entry in entries
    ]


@strawberry.type(
    description=(
        "Changes, pushed as they are committed, over websockets (graphql-transport-ws) and server-sent events (graphql-sse). "
        "With a cursor, missed changes come first and nothing comes twice. A connection ends within seconds after its token."
    )
)
class Subscription:
    @strawberry.subscription(  # type: ignore[untyped-decorator]
        description=(
            "Each alert that is raised, acknowledged or resolved. A client that reconnects with its last cursor misses "
            "nothing and receives nothing twice. Needs inventory:read."
        )
    )
    async def low_inventory_alerts(
        self, info: Info, filter: alerts.FilterArg = None, after: AfterArg = None
    ) -> AsyncGenerator[LowInventoryAlertChange, None]:
        access.require(info.context.caller, Scope.INVENTORY_READ)
        wanted = filters.chosen(filter, AlertFilter)
        async with contextlib.aclosing(feeds.parts(info, [Topic.ALERT], after)) as news:
            async for part in news:
                ids = {entry.subject for entry in part.entries}
                changes = await part.once("alerts", partial(_alert_changes, part.entries))
                lasting = await alerts.passing(part, ids, wanted)
                for alert, change in changes:
                    mine = info.context.caller.reaches(alert.warehouse_id)
                    if mine and alert.id in lasting and list_alerts.passes(alert, wanted):
                        yield change

    @strawberry.subscription(  # type: ignore[untyped-decorator]
        description=(
            "Each change of a level, with its movement if there is one. A client that reconnects with its "
            "last cursor misses nothing and receives nothing twice. Needs inventory:read."
        )
    )
    async def inventory_changes(
        self, info: Info, skus: SkusArg = None, warehouses: WarehousesArg = None, after: AfterArg = None
    ) -> AsyncGenerator[InventoryChange, None]:
        access.require(info.context.caller, Scope.INVENTORY_READ)
        wanted = inventory.chosen(skus, warehouses)
        async with contextlib.aclosing(feeds.parts(info, TOPICS, after)) as news:
            async for part in news:
                for change in await inventory.passing(part, wanted, info.context.caller):
                    yield change

    @strawberry.subscription(  # type: ignore[untyped-decorator]
        description=(
            "First the current state of each SKU, in the given order, then each change of what the shop shows to this "
            "caller. Unknown and unpublished SKUs send nothing until there is something to show. An item that was "
            "shown and was then unpublished, deleted or renamed is sent once more with visible false. Slow clients get "
            "only the latest state of each SKU. [public]"
        )
    )
    async def availability_changes(
        self,
        info: Info,
        skus: Annotated[list[str], strawberry.argument(description=f"At most {MAX_NAMES} SKUs.")],
        website: Annotated[
            str | None, strawberry.argument(description="The website's code. Default: the default website.")
        ] = None,
    ) -> AsyncGenerator[Availability, None]:
        if len(skus) > MAX_NAMES:
            raise BadUserInput(f"Too many skus: {len(skus)} given; at most {MAX_NAMES} allowed.")
        await assortments.channel(website)
        storefront = info.context.deployment.storefront
        async with contextlib.aclosing(storefront.watch(skus, website, info.context.caller)) as showings:
            async for shown in showings:
                yield shown.once(availability.of)

    @strawberry.subscription(  # type: ignore[untyped-decorator]
        description=(
            "Each committed change of an order. A client that reconnects with its last cursor misses nothing and "
            "receives nothing twice. Needs orders:read."
        )
    )
    async def order_changes(
        self,
        info: Info,
        number: Annotated[
            str | None, strawberry.argument(description="Only those of the order with this number.")
        ] = None,
        website: Annotated[
            str | None, strawberry.argument(description="Only orders placed on this website, by code.")
        ] = None,
        after: AfterArg = None,
    ) -> AsyncGenerator[OrderChange, None]:
        access.require(info.context.caller, Scope.ORDERS_READ)
        channel = await assortments.channel(website) if website is not None else None
        order_id = order_rules.id_of(number) if number is not None else None
        async with contextlib.aclosing(feeds.parts(info, [Topic.ORDER], after)) as news:
            async for part in news:
                for order, change in await part.once("orders", partial(_order_changes, part.entries)):
                    of_website = channel is None or order.website_id == channel.id
                    if of_website and (number is None or order.id == order_id):
                        yield change

    @strawberry.subscription(  # type: ignore[untyped-decorator]
        description=(
            "Each committed change of one order, for the shopper with its accessToken, as orderByToken shows it. A client "
            "that reconnects with its last cursor misses nothing and receives nothing twice. A wrong token is refused "
            "immediately. [public]"
        )
    )
    async def order_changes_by_token(
        self,
        info: Info,
        token: Annotated[str, strawberry.argument(description="The order's accessToken.")],
        after: AfterArg = None,
    ) -> AsyncGenerator[OrderChange, None]:
        order = await _order_of(token)
        behind = await order_tokens.opened(order, after) if after is not None else None
        place = behind if behind is not None else feeds.place(after)
        async with contextlib.aclosing(feeds.parts_behind(info, [Topic.ORDER], place, order.id)) as news:
            async for part in news:
                # All subscribers with this token get the same objects, so they share pushes.
                for change in await part.once(("token", token), partial(_changes_for_shopper, token, part.entries)):
                    yield change
