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
    description="Raised once when an item's quantity falls below notifyBelow, and resolved when it has recovered."
)
class LowInventoryAlert(Node):
    row: strawberry.Private[rules.LowInventoryAlert]
    item: InventoryItem = batch.field(nodes.by_id(present.items, "item_id"), description="The item that is low.")
    sku: str = strawberry.field(description="The item's SKU when the alert was raised.")
    name: str = strawberry.field(description="The item's name when the alert was raised.")
    code: str = strawberry.field(description="The item's code when the alert was raised.")
    warehouse: Warehouse | None = batch.field(
        nodes.by_id(network.warehouses, "warehouse_id"),
        description="The warehouse. Null if the alert is about all active warehouses together.",
    )
    quantity_left: Decimal = strawberry.field(description="The quantity when the alert was raised.")
    threshold: Decimal = strawberry.field(description="The value of notifyBelow when the alert was raised.")
    state: AlertState = strawberry.field(description="Whether the alert is open or resolved.")
    raised_at: datetime = strawberry.field(description="When the alert was raised.")
    acknowledged_at: datetime | None = strawberry.field(description="When the alert was acknowledged.")
    acknowledged_by: str | None = strawberry.field(description="Who acknowledged it.")
    resolved_at: datetime | None = strawberry.field(description="When the quantity had recovered.")

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


@strawberry.input(description="Selects alerts. All given conditions must hold.")
class LowInventoryAlertFilter:
    state: AlertState | None = strawberry.field(default=None, description="Only alerts in this state.")
    acknowledged: bool | None = strawberry.field(
        default=None, description="true: only acknowledged alerts. false: only the others."
    )
    skus: list[str] | None = strawberry.field(
        default=None, description="Only alerts for these items, by current SKU or by SKU when the alert was raised."
    )
    warehouses: list[str] | None = strawberry.field(
        default=None,
        description="Only alerts for these single warehouses, by code. Alerts over all warehouses are excluded.",
    )
    category: str | None = strawberry.field(
        default=None, description="Only products in this category or its descendants, by slug."
    )


FilterArg = Annotated[LowInventoryAlertFilter | None, strawberry.argument(description="Selects alerts.")]


async def passing(part: Part, ids: Collection[int], wanted: AlertFilter) -> Collection[int]:
    """The alerts in a part of the feed that match the unchanging conditions of a filter. Computed once for equal filters."""
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
