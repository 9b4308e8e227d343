"""Shipments by number, and lists of them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page, Reverse
from gqlstock.graphql.schema.enums import described
from gqlstock.graphql.schema.filters import chosen
from gqlstock.graphql.schema.shipments.shipments import Shipment
from gqlstock.rules import filters
from gqlstock.rules.paging import SortOrder
from gqlstock.rules.scopes import Scope
from gqlstock.rules.shipments import ShipmentState
from gqlstock.services import list_shipments

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


@strawberry.type
class ShipmentQueries:
    @access.field(description="A shipment. Needs orders:read.", scope=READS)
    async def shipment(
        self, info: Info, number: Annotated[str, strawberry.argument(description="Its number.")]
    ) -> Shipment | None:
        return nodes.show_optional(await list_shipments.by_number(number, info.context.caller))  # type: ignore[no-any-return]

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
        found = list_shipments.matching(chosen(filter, filters.ShipmentFilter), info.context.caller)
        return await paging.connection(page, SortOrder(sort.value, reverse), found, nodes.show)
