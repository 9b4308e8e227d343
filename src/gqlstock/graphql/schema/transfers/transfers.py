"""Transfers in the schema."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import strawberry

from gqlstock.graphql import reach
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import batch, nodes
from gqlstock.graphql.relay.nodes import Node
from gqlstock.graphql.schema.catalog.items import InventoryItem
from gqlstock.graphql.schema.network.warehouses import Warehouse
from gqlstock.rules import transfers as rules
from gqlstock.rules.scopes import Scope
from gqlstock.rules.transfers import InventoryTransferState
from gqlstock.services import list_transfers
from gqlstock.stock import network, present


@strawberry.type(description="One item of a transfer. quantity = received + returned + lost + units in transit.")
class InventoryTransferLine:
    row: strawberry.Private[rules.InventoryTransferLine]
    sku: str = strawberry.field(description="The item's SKU when the units left.")
    item: InventoryItem | None = batch.field(
        nodes.by_id(present.items_in_use, "item_id"), description="The item. Null if it is deleted."
    )
    quantity: Decimal = strawberry.field(description="The shipped quantity.")
    received: Decimal = strawberry.field(description="The received quantity.")
    returned: Decimal = strawberry.field(description="The quantity that returned because the transfer was canceled.")
    lost: Decimal = strawberry.field(description="The quantity that had not arrived when the transfer was closed.")

    @classmethod
    def of(cls, row: rules.InventoryTransferLine) -> "InventoryTransferLine":
        return cls(
            row=row,
            sku=row.sku,
            quantity=row.quantity,
            received=row.received,
            returned=row.returned,
            lost=row.lost,
        )


async def _lines(parents: Sequence["InventoryTransfer"], info: Info) -> list[list[InventoryTransferLine]]:
    found = await list_transfers.lines_of([parent.row.id for parent in parents])
    return [[InventoryTransferLine.of(line) for line in found[parent.row.id]] for parent in parents]


async def _expected_at(parents: Sequence["InventoryTransfer"], info: Info) -> list[datetime | None]:
    return await list_transfers.expected_at([parent.row.id for parent in parents])


@strawberry.type(description="Units that have left one warehouse and are announced at another until they arrive.")
class InventoryTransfer(Node):
    row: strawberry.Private[rules.InventoryTransfer]
    number: str = strawberry.field(description="The number that people use.")
    state: InventoryTransferState = strawberry.field(description="The state of the transfer.")
    from_: Warehouse = batch.field(
        nodes.by_id(network.warehouses, "source_id"), name="from", description="The source warehouse."
    )
    to: Warehouse = batch.field(nodes.by_id(network.warehouses, "target_id"), description="The target warehouse.")
    lines: list[InventoryTransferLine] = batch.field(_lines, description="The contents, one line for each item.")
    expected_at: datetime | None = batch.field(
        _expected_at,
        description=(
            "The latest expected date of units in transit, null if any has none. Once closed, the latest date of all units."
        ),
    )
    reference: str | None = strawberry.field(description="The number of a document in another system.")
    created_at: datetime = strawberry.field(description="When the units left the source.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    closed_at: datetime | None = strawberry.field(
        description="When the last units were received, returned or lost. Null before."
    )

    @classmethod
    def of(cls, row: rules.InventoryTransfer) -> "InventoryTransfer":
        return cls(
            row=row,
            id=nodes.global_id("InventoryTransfer", row.id),
            number=rules.number(row.id),
            state=row.state,
            reference=row.reference,
            created_at=row.created_at,
            updated_at=row.updated_at,
            closed_at=row.closed_at,
        )


nodes.register(
    rules.InventoryTransfer,
    "InventoryTransfer",
    InventoryTransfer.of,
    list_transfers.by_id,
    Scope.INVENTORY_READ,
    reach.seen_by_either_end,
)
