"""What packers and carts ask: shipments, and holds."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import strawberry

from gqlstock.graphql import access, nodes, paging, reach
from gqlstock.graphql.context import Info
from gqlstock.graphql.enums import described
from gqlstock.graphql.holds import StockHold
from gqlstock.graphql.paging import After, Before, Connection, First, Last, Page, Reverse
from gqlstock.graphql.shipments import Shipment
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as rules
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.rules.shipments import ShipmentState
from gqlstock.store import holds, shipments
from gqlstock.store.db import keyset

READS = Scope.ORDERS_READ


class ShipmentSort(StrEnum):
    CREATED = "created_at"
    UPDATED = "updated_at"


described(
    ShipmentSort,
    "What shipments can be sorted by; the oldest comes first, as it is to be packed.",
    {"CREATED": "When they were made.", "UPDATED": "When they last changed."},
)


@strawberry.input(description="Which shipments; everything given must hold.")
class ShipmentFilter:
    states: list[ShipmentState] | None = strawberry.field(default=None, description="Only in one of these states.")
    warehouse: str | None = strawberry.field(default=None, description="Only from this warehouse, by code.")
    order: str | None = strawberry.field(default=None, description="Only of the order of this number.")
    updated_since: datetime | None = strawberry.field(default=None, description="Only changed at or after that moment.")


def _shipments(chosen: ShipmentFilter | None, caller: Caller) -> Any:
    found = reach.within(shipments.all_shipments(), caller)
    if chosen is None:
        return found
    if chosen.states is not None:
        found = found.filter(state__in=chosen.states)
    if chosen.warehouse is not None:
        found = found.filter(warehouse__code=chosen.warehouse)
    if chosen.order is not None:
        found = found.filter(order_id=order_rules.id_of(chosen.order) or 0)
    if chosen.updated_since is not None:
        found = found.filter(updated_at__gte=chosen.updated_since)
    return found


@strawberry.type
class FulfilmentQueries:
    @access.field(description="A shipment. Needs orders:read.", scope=READS)
    async def shipment(
        self, info: Info, number: Annotated[str, strawberry.argument(description="Its number.")]
    ) -> Shipment | None:
        shipment_id = rules.id_of(number)
        found = (await shipments.shipments([shipment_id])).get(shipment_id) if shipment_id is not None else None
        mine = found is not None and info.context.caller.reaches(found.warehouse_id)
        return nodes.show_optional(found if mine else None)  # type: ignore[no-any-return]

    @access.field(description="Shipments, oldest first. Needs orders:read.", scope=READS)
    async def shipments(
        self,
        info: Info,
        filter: Annotated[ShipmentFilter | None, strawberry.argument(description="Which shipments.")] = None,
        sort: Annotated[ShipmentSort, strawberry.argument(description="What to sort by.")] = ShipmentSort.CREATED,
        reverse: Reverse = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Shipment] | None:
        page = Page.of(first, after, last, before)
        return await paging.rows(
            page, keyset.SortOrder(sort.value, reverse), _shipments(filter, info.context.caller), nodes.show
        )

    @access.field(description="A hold. Needs orders:read.", scope=READS)
    async def stock_hold(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> StockHold | None:
        hold_id = nodes.row_id("StockHold", id)
        found = (await holds.holds([hold_id])).get(hold_id) if hold_id is not None else None
        return nodes.show_optional(found)  # type: ignore[no-any-return]
