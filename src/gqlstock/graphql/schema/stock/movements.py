"""Lines of the ledger in the schema."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from gqlstock.graphql import reach
from gqlstock.graphql.relay import batch, nodes
from gqlstock.graphql.relay.nodes import Node
from gqlstock.rules import ledger as ledger_rules
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.scopes import Scope
from gqlstock.services import list_movements, list_orders
from gqlstock.stock import present

if TYPE_CHECKING:
    from gqlstock.graphql.schema.orders.orders import Order
from gqlstock.graphql.schema.stock.levels import InventoryLevel


@strawberry.type(
    description="An entry of the ledger. Every change of onHand has exactly one. Movements are never edited or removed."
)
class StockMovement(Node):
    row: strawberry.Private[ledger_rules.StockMovement]
    level: InventoryLevel = batch.field(nodes.by_id(present.levels, "level_id"), description="The level.")
    kind: MovementKind = strawberry.field(description="Why onHand changed.")
    quantity: Decimal = strawberry.field(description="The signed change.")
    on_hand_after: Decimal = strawberry.field(description="onHand right after the movement.")
    reason: str | None = strawberry.field(description="The reason that the caller gave.")
    reference: str | None = strawberry.field(description="The number of a document in another system, such as an ERP.")
    actor: str = strawberry.field(description="Who made the change: the name of the token or user.")
    order: Annotated["Order", strawberry.lazy("gqlstock.graphql.schema.orders.orders")] | None = batch.field(
        nodes.by_id(list_orders.by_id, "order_id"),
        description="The order that caused it. Needs orders:read.",
        scope=Scope.ORDERS_READ,
    )
    created_at: datetime = strawberry.field(description="When the movement was written.")

    @classmethod
    def of(cls, row: ledger_rules.StockMovement) -> "StockMovement":
        return cls(
            row=row,
            id=nodes.global_id("StockMovement", row.id),
            kind=row.kind,
            quantity=row.quantity,
            on_hand_after=row.on_hand_after,
            reason=row.reason,
            reference=row.reference,
            actor=row.actor,
            created_at=row.created_at,
        )


nodes.register(
    ledger_rules.StockMovement,
    "StockMovement",
    StockMovement.of,
    list_movements.by_id,
    Scope.INVENTORY_READ,
    reach.seen_by_level,
)
