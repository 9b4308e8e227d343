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
    "The sort order of shipments, oldest first, because those are packed first.",
    {"CREATED": "By creation time.", "UPDATED": "By the time of the last change."},
)


@strawberry.input(description="Selects shipments. All given conditions must hold.")
class ShipmentFilter:
    states: list[ShipmentState] | None = strawberry.field(
        default=None, description="Only those in one of these states."
    )
    warehouse: str | None = strawberry.field(default=None, description="Only those from this warehouse, by code.")
    order: str | None = strawberry.field(default=None, description="Only those of the order with this number.")
    updated_since: datetime | None = strawberry.field(
        default=None, description="Only those changed at or after this time."
    )


@strawberry.type
class ShipmentQueries:
    @access.field(description="A shipment. Needs orders:read.", scope=READS)
    async def shipment(
        self, info: Info, number: Annotated[str, strawberry.argument(description="The number.")]
    ) -> Shipment | None:
        return nodes.show_optional(await list_shipments.by_number(number, info.context.caller))  # type: ignore[no-any-return]

    @access.field(description="Shipments, oldest first. Needs orders:read.", scope=READS)
    async def shipments(
        self,
        info: Info,
        filter: Annotated[ShipmentFilter | None, strawberry.argument(description="Selects shipments.")] = None,
        sort: Annotated[ShipmentSort, strawberry.argument(description="The sort order.")] = ShipmentSort.CREATED,
        reverse: Reverse = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Shipment] | None:
        page = Page.of(first, after, last, before)
        found = list_shipments.matching(chosen(filter, filters.ShipmentFilter), info.context.caller)
        return await paging.connection(page, SortOrder(sort.value, reverse), found, nodes.show)
