"""Announced stock in the schema."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from gqlstock.graphql import reach
from gqlstock.graphql.relay import batch, nodes
from gqlstock.graphql.relay.nodes import Node
from gqlstock.graphql.schema.stock.levels import InventoryLevel
from gqlstock.rules import receiving
from gqlstock.rules.scopes import Scope
from gqlstock.services import list_announcements, list_transfers
from gqlstock.stock import present, reading

if TYPE_CHECKING:
    from gqlstock.graphql.schema.transfers.transfers import InventoryTransfer


@strawberry.type(description="Announced stock. incoming counts quantity - received.")
class StockAnnouncement(Node):
    row: strawberry.Private[receiving.StockAnnouncement]
    level: InventoryLevel = batch.field(
        nodes.by_id(present.levels, "level_id"), description="The level that it will arrive at."
    )
    quantity: Decimal = strawberry.field(description="The announced quantity, including received units.")
    received: Decimal = strawberry.field(description="The received quantity.")
    expected_at: datetime | None = strawberry.field(description="When the units are expected. Null: unknown.")
    reference: str | None = strawberry.field(description="The number of a document in another system.")
    overdue: bool = strawberry.field(description="Whether units are missing although the expected date has passed.")
    created_at: datetime = strawberry.field(description="When it was announced.")
    withdrawn_at: datetime | None = strawberry.field(description="When the rest of it was withdrawn.")
    transfer: Annotated["InventoryTransfer", strawberry.lazy("gqlstock.graphql.schema.transfers.transfers")] | None = (
        batch.field(
            nodes.by_id(list_transfers.by_id, "transfer_id"),
            description="The transfer that fills it. Null if receiveStock fills it.",
        )
    )

    @classmethod
    def of(cls, row: receiving.StockAnnouncement) -> "StockAnnouncement":
        now = reading.now()
        reading.holds_until(receiving.overdue_from(row, now))
        return cls(
            row=row,
            id=nodes.global_id("StockAnnouncement", row.id),
            quantity=row.quantity,
            received=row.received,
            expected_at=row.expected_at,
            reference=row.reference,
            overdue=receiving.is_overdue(row, now),
            created_at=row.created_at,
            withdrawn_at=row.withdrawn_at,
        )


nodes.register(
    receiving.StockAnnouncement,
    "StockAnnouncement",
    StockAnnouncement.of,
    list_announcements.by_id,
    Scope.INVENTORY_READ,
    reach.seen_by_level,
)
