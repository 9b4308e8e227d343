"""Transfers by number, and lists of them."""

from datetime import datetime
from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page
from gqlstock.graphql.schema.filters import chosen
from gqlstock.graphql.schema.transfers.transfers import InventoryTransfer
from gqlstock.rules.filters import TransferFilter
from gqlstock.rules.paging import NEWEST_FIRST
from gqlstock.rules.scopes import Scope
from gqlstock.rules.transfers import InventoryTransferState
from gqlstock.services import list_transfers

READS = Scope.INVENTORY_READ


@strawberry.input(description="Selects transfers. All given conditions must hold.")
class InventoryTransferFilter:
    states: list[InventoryTransferState] | None = strawberry.field(
        default=None, description="Only those in one of these states."
    )
    warehouse: str | None = strawberry.field(default=None, description="Only those from or to this warehouse, by code.")
    skus: list[str] | None = strawberry.field(
        default=None, description="Only transfers with one of these items, by current SKU or by SKU when it left."
    )
    reference: str | None = strawberry.field(default=None, description="Only those with this reference.")
    updated_since: datetime | None = strawberry.field(
        default=None, description="Only those changed at or after this time."
    )


@strawberry.type
class TransferQueries:
    @access.field(description="A transfer. Needs inventory:read.", scope=READS)
    async def inventory_transfer(
        self, info: Info, number: Annotated[str, strawberry.argument(description="The number.")]
    ) -> InventoryTransfer | None:
        return nodes.show_optional(await list_transfers.by_number(number, info.context.caller))  # type: ignore[no-any-return]

    @access.field(description="Transfers, newest first. Needs inventory:read.", scope=READS)
    async def inventory_transfers(
        self,
        info: Info,
        filter: Annotated[InventoryTransferFilter | None, strawberry.argument(description="Selects transfers.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[InventoryTransfer] | None:
        page = Page.of(first, after, last, before)
        found = await list_transfers.matching(chosen(filter, TransferFilter), info.context.caller)
        return await paging.connection(page, NEWEST_FIRST, found, nodes.show)
