"""What the back office asks: warehouses, levels, the ledger, settings, orders, alerts; and any object by its id."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import strawberry

from gqlstock.graphql import access, alerts, batch, levels, nodes, paging, reach
from gqlstock.graphql.alerts import LowInventoryAlert
from gqlstock.graphql.below import NEWEST_FIRST, OLDEST_FIRST
from gqlstock.graphql.context import Info
from gqlstock.graphql.enums import described
from gqlstock.graphql.errors import BadUserInput
from gqlstock.graphql.inventory import InventoryLevel, StockMovement
from gqlstock.graphql.levels import InventoryLevelSort, limited, searched
from gqlstock.graphql.nodes import Node
from gqlstock.graphql.orders import Order
from gqlstock.graphql.paging import After, Before, Connection, First, Last, Page, Reverse
from gqlstock.graphql.settings import ScopedSettings, SettingScopeInput
from gqlstock.graphql.warehouses import Organization, Warehouse, Website
from gqlstock.rules import orders as order_rules
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.services import settings as setting_services
from gqlstock.store import catalog, ledger, orders, warehouses
from gqlstock.store import levels as level_rows
from gqlstock.store.db import keyset

CodeArg = Annotated[str, strawberry.argument(description="Its code.")]
READS = Scope.INVENTORY_READ


class OrderSort(StrEnum):
    PLACED = "placed_at"
    UPDATED = "updated_at"
    NUMBER = "id"


described(
    OrderSort,
    "What orders can be sorted by; the latest comes first.",
    {"PLACED": "When they were placed.", "UPDATED": "When they last changed.", "NUMBER": "Their number."},
)


@strawberry.input(description="Which movements; everything given must hold.")
class StockMovementFilter:
    skus: list[str] | None = strawberry.field(default=None, description="Only of these items.")
    warehouses: list[str] | None = strawberry.field(default=None, description="Only in these warehouses, by code.")
    kinds: list[MovementKind] | None = strawberry.field(default=None, description="Only of these kinds.")
    order: str | None = strawberry.field(default=None, description="Only of the order of this number.")
    reference: str | None = strawberry.field(default=None, description="Only with this reference.")
    since: datetime | None = strawberry.field(default=None, description="Only written at or after that moment.")
    until: datetime | None = strawberry.field(default=None, description="Only written before that moment.")


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


async def _warehouses_of_viewer(parents: Sequence["Viewer"], info: Info) -> list[list[str] | None]:
    known = await warehouses.warehouses({one for parent in parents for one in parent.caller.warehouses or ()})
    return [
        None if parent.caller.warehouses is None else sorted(known[one].code for one in parent.caller.warehouses)
        for parent in parents
    ]


@strawberry.type(description="Who is asking, and what they may do.")
class Viewer:
    caller: strawberry.Private[Caller]
    name: str | None = strawberry.field(description="The token's name; null for the public.")
    authenticated: bool = strawberry.field(description="Whether there is a token.")
    scopes: list[str] = strawberry.field(description="What the token allows.")
    warehouses: list[str] | None = batch.field(
        _warehouses_of_viewer,
        description="The codes of the warehouses whose stock the token sees and moves; null: of all of them.",
    )


def _movements(chosen: StockMovementFilter | None, caller: Caller) -> Any:
    found = reach.within(ledger.all_movements(), caller, "level__warehouse_id")
    if chosen is None:
        return found
    if chosen.skus is not None:
        found = found.filter(level__item__sku__in=limited(chosen.skus, "skus"), level__item__deleted_at=None)
    if chosen.warehouses is not None:
        found = found.filter(level__warehouse__code__in=limited(chosen.warehouses, "warehouses"))
    if chosen.kinds is not None:
        found = found.filter(kind__in=chosen.kinds)
    if chosen.order is not None:
        found = found.filter(order_id=order_rules.id_of(chosen.order) or 0)
    if chosen.reference is not None:
        found = found.filter(reference=chosen.reference)
    if chosen.since is not None:
        found = found.filter(created_at__gte=chosen.since)
    if chosen.until is not None:
        found = found.filter(created_at__lt=chosen.until)
    return found


def _order_of(chosen: StockMovementFilter | None) -> keyset.SortOrder:
    """Newest first. Where a span of time is asked for by the time, so that an index leads to it."""
    timed = chosen is not None and (chosen.since is not None or chosen.until is not None)
    return keyset.SortOrder("created_at", descending=True) if timed else NEWEST_FIRST


async def _orders(chosen: OrderFilter | None, caller: Caller) -> Any:
    found = orders.all_orders()
    if chosen is None:
        return found
    if chosen.search:
        found = found.filter(orders.matches(searched(chosen.search)))
    if chosen.statuses is not None:
        found = found.filter(status__in=chosen.statuses)
    if chosen.warehouse is not None:
        found = found.filter(orders.from_warehouse(chosen.warehouse, caller.warehouses))
    if chosen.sku is not None:
        found = found.filter(await orders.with_sku(chosen.sku))
    if chosen.reference is not None:
        found = found.filter(reference=chosen.reference)
    if chosen.website is not None:
        found = found.filter(website__code=chosen.website)
    if chosen.customer_email is not None:
        found = found.filter(customer_email__iexact=chosen.customer_email)
    if chosen.updated_since is not None:
        found = found.filter(updated_at__gte=chosen.updated_since)
    if chosen.placed_since is not None:
        found = found.filter(placed_at__gte=chosen.placed_since)
    if chosen.placed_until is not None:
        found = found.filter(placed_at__lt=chosen.placed_until)
    return found


@strawberry.type
class OfficeQueries:
    @access.field(description="Any object by its id; null for an id that stands for nothing. Needs its own scope.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The object's id.")]
    ) -> Node | None:
        found: list[Node | None] = await nodes.nodes(info, [id])
        return found[0]

    @access.field(description="Objects by their ids, in that order. Needs their own scopes.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"At most {nodes.MAX_IDS} ids.")],
    ) -> list[Node | None]:
        if len(ids) > nodes.MAX_IDS:
            raise BadUserInput(f"{len(ids)} ids are too many: at most {nodes.MAX_IDS}.")
        return await nodes.nodes(info, ids)

    @access.field(description="Who is asking, and what they may do. [public]")
    async def viewer(self, info: Info) -> Viewer:
        caller = info.context.caller
        scopes = sorted(scope.value for scope in caller.scopes)
        return Viewer(
            caller=caller,
            name=caller.name if caller.authenticated else None,
            authenticated=caller.authenticated,
            scopes=scopes,
        )

    @access.field(description="A warehouse. Needs inventory:read.", scope=READS)
    async def warehouse(self, info: Info, code: CodeArg) -> Warehouse | None:
        return nodes.show_optional(await warehouses.warehouse(code))  # type: ignore[no-any-return]

    @access.field(description="Warehouses, oldest first. Needs inventory:read.", scope=READS)
    async def warehouses(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Warehouse] | None:
        page = Page.of(first, after, last, before)
        return await paging.rows(page, OLDEST_FIRST, warehouses.every_warehouse(), nodes.show)

    @access.field(description="A website. Needs inventory:read.", scope=READS)
    async def website(self, info: Info, code: CodeArg) -> Website | None:
        return nodes.show_optional(await warehouses.website(code))  # type: ignore[no-any-return]

    @access.field(description="Websites, oldest first. Needs inventory:read.", scope=READS)
    async def websites(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Website] | None:
        page = Page.of(first, after, last, before)
        return await paging.rows(page, OLDEST_FIRST, warehouses.every_website(), nodes.show)

    @access.field(description="An organization. Needs inventory:read.", scope=READS)
    async def organization(self, info: Info, code: CodeArg) -> Organization | None:
        return nodes.show_optional(await warehouses.organization(code))  # type: ignore[no-any-return]

    @access.field(description="Organizations, oldest first. Needs inventory:read.", scope=READS)
    async def organizations(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Organization] | None:
        page = Page.of(first, after, last, before)
        return await paging.rows(page, OLDEST_FIRST, warehouses.every_organization(), nodes.show)

    @access.field(description="One item's stock in one warehouse. Needs inventory:read.", scope=READS)
    async def inventory_level(
        self,
        info: Info,
        sku: Annotated[str, strawberry.argument(description="The item's SKU.")],
        warehouse: Annotated[str, strawberry.argument(description="The warehouse's code.")],
    ) -> InventoryLevel | None:
        item = (await catalog.by_sku([sku])).get(sku)
        place = (await warehouses.warehouses_by_code([warehouse])).get(warehouse)
        if item is None or place is None or not info.context.caller.reaches(place.id):
            return None
        found = await level_rows.levels_in(place.id, [item.id])
        return nodes.show_optional(found.get(item.id))  # type: ignore[no-any-return]

    @access.field(description="Levels. Needs inventory:read.", scope=READS)
    async def inventory_levels(
        self,
        info: Info,
        filter: levels.FilterArg = None,
        sort: levels.SortArg = InventoryLevelSort.SKU,
        reverse: Reverse = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[InventoryLevel] | None:
        page = Page.of(first, after, last, before)
        order = keyset.SortOrder(sort.value, reverse)
        found = await levels.query(filter, info.context.caller)
        return await paging.rows(page, order, found, nodes.show, level_rows.current)

    @access.field(description="The ledger, newest first. Needs inventory:read.", scope=READS)
    async def stock_movements(
        self,
        info: Info,
        filter: Annotated[StockMovementFilter | None, strawberry.argument(description="Which movements.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[StockMovement] | None:
        page = Page.of(first, after, last, before)
        return await paging.rows(page, _order_of(filter), _movements(filter, info.context.caller), nodes.show)

    @access.field(
        description="Own values, values in effect and their origins at one place. Needs inventory:read.", scope=READS
    )
    async def inventory_settings(
        self, info: Info, scope: Annotated[SettingScopeInput, strawberry.argument(description="The place.")]
    ) -> ScopedSettings | None:
        return ScopedSettings.of(await setting_services.at(scope.target()))

    @access.field(description="An order. Needs orders:read.", scope=Scope.ORDERS_READ)
    async def order(
        self, info: Info, number: Annotated[str, strawberry.argument(description="Its number.")]
    ) -> Order | None:
        order_id = order_rules.id_of(number)
        found = (await orders.orders([order_id])).get(order_id) if order_id is not None else None
        return nodes.show_optional(found)  # type: ignore[no-any-return]

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
        order = keyset.SortOrder(sort.value, descending=not reverse)
        return await paging.rows(page, order, await _orders(filter, info.context.caller), nodes.show)

    @access.field(description="Low-inventory alerts, newest first. Needs inventory:read.", scope=READS)
    async def low_inventory_alerts(
        self,
        info: Info,
        filter: alerts.FilterArg = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[LowInventoryAlert] | None:
        page = Page.of(first, after, last, before)
        found = await alerts.query(filter, info.context.caller)
        return await paging.rows(page, NEWEST_FIRST, found, nodes.show)
