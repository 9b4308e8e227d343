"""Low-inventory alerts in the schema."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated

import strawberry

from gqlstock.graphql import reach
from gqlstock.graphql.context import Part
from gqlstock.graphql.relay import batch, nodes
from gqlstock.graphql.relay.nodes import Node
from gqlstock.graphql.schema.catalog.items import InventoryItem
from gqlstock.graphql.schema.network.warehouses import Warehouse
from gqlstock.rules import alerts as rules
from gqlstock.rules.alerts import AlertState
from gqlstock.rules.filters import AlertFilter
from gqlstock.rules.scopes import Scope
from gqlstock.services import list_alerts
from gqlstock.stock import network, present


@strawberry.type(
    description="Raised when an item's quantity falls below notifyBelow, once for each fall; resolved when it is back."
)
class LowInventoryAlert(Node):
    row: strawberry.Private[rules.LowInventoryAlert]
    item: InventoryItem = batch.field(nodes.by_id(present.items, "item_id"), description="What is low.")
    sku: str = strawberry.field(description="The item's SKU when the alert was raised.")
    name: str = strawberry.field(description="The item's name when the alert was raised.")
    code: str = strawberry.field(description="The item's code when the alert was raised.")
    warehouse: Warehouse | None = batch.field(
        nodes.by_id(network.warehouses, "warehouse_id"),
        description="null: the quantity of all active warehouses together.",
    )
    quantity_left: Decimal = strawberry.field(description="What was left when it was raised.")
    threshold: Decimal = strawberry.field(description="The notifyBelow that it fell below.")
    state: AlertState = strawberry.field(description="Whether it is still open.")
    raised_at: datetime = strawberry.field(description="When it was raised.")
    acknowledged_at: datetime | None = strawberry.field(description="When somebody took it on.")
    acknowledged_by: str | None = strawberry.field(description="Who took it on.")
    resolved_at: datetime | None = strawberry.field(description="When the quantity was back.")

    @classmethod
    def of(cls, row: rules.LowInventoryAlert) -> "LowInventoryAlert":
        return cls(
            row=row,
            id=nodes.global_id("LowInventoryAlert", row.id),
            sku=row.sku,
            name=row.name,
            code=row.code,
            quantity_left=row.quantity_left,
            threshold=row.threshold,
            state=row.state,
            raised_at=row.raised_at,
            acknowledged_at=row.acknowledged_at,
            acknowledged_by=row.acknowledged_by,
            resolved_at=row.resolved_at,
        )


@strawberry.input(description="Which alerts; everything given must hold.")
class LowInventoryAlertFilter:
    state: AlertState | None = strawberry.field(default=None, description="Only open or only resolved ones.")
    acknowledged: bool | None = strawberry.field(
        default=None, description="Only those that somebody took on, or nobody."
    )
    skus: list[str] | None = strawberry.field(
        default=None, description="Only of these items, by SKU as it was when the alert was raised or is now."
    )
    warehouses: list[str] | None = strawberry.field(
        default=None, description="Only of these warehouses by themselves, by code."
    )
    category: str | None = strawberry.field(
        default=None, description="Only of products in this category or one below it, by slug."
    )


FilterArg = Annotated[LowInventoryAlertFilter | None, strawberry.argument(description="Which alerts.")]


async def passing(part: Part, ids: Collection[int], wanted: AlertFilter) -> Collection[int]:
    """The alerts of a part of the feed that a filter lets through by what does not change; once for equal filters."""
    lasting = list_alerts.lasting(wanted)
    return await part.once(("passing", lasting), partial(list_alerts.passing, ids, lasting))


nodes.register(
    rules.LowInventoryAlert,
    "LowInventoryAlert",
    LowInventoryAlert.of,
    list_alerts.by_id,
    Scope.INVENTORY_READ,
    reach.seen,
)
