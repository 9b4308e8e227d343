"""Holds by id, and lists of them."""

from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page
from gqlstock.graphql.schema.filters import chosen
from gqlstock.graphql.schema.holds.holds import StockHold
from gqlstock.rules.filters import HoldFilter
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.paging import SortOrder
from gqlstock.rules.scopes import Scope
from gqlstock.services import list_holds

READS = Scope.ORDERS_READ
# Ids are random.
_NEWEST_FIRST = SortOrder("created_at", descending=True)


@strawberry.input(description="Selects holds. All given conditions must hold.")
class StockHoldFilter:
    states: list[StockHoldState] | None = strawberry.field(
        default=None, description="Only those that are now in one of these states."
    )
    website: str | None = strawberry.field(default=None, description="Only those of this website, by code.")
    sku: str | None = strawberry.field(
        default=None, description="Only those with a line of this SKU, current or when it was held."
    )


@strawberry.type
class HoldQueries:
    @access.field(description="A hold. Needs orders:read.", scope=READS)
    async def stock_hold(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The id.")]
    ) -> StockHold | None:
        hold_id = nodes.row_id("StockHold", id)
        found = (await list_holds.by_id([hold_id])).get(hold_id) if hold_id is not None else None
        return nodes.show_optional(found)  # type: ignore[no-any-return]

    @access.field(description="Holds, newest first. Needs orders:read.", scope=READS)
    async def stock_holds(
        self,
        info: Info,
        filter: Annotated[StockHoldFilter | None, strawberry.argument(description="Selects holds.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[StockHold] | None:
        page = Page.of(first, after, last, before)
        found = await list_holds.matching(chosen(filter, HoldFilter))
        return await paging.connection(page, _NEWEST_FIRST, found, nodes.show)
