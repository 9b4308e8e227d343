"""Low-inventory alerts in the schema."""

import dataclasses
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from gqlstock.graphql import batch, nodes, reach
from gqlstock.graphql.context import Part
from gqlstock.graphql.items import InventoryItem
from gqlstock.graphql.levels import category_ids, limited
from gqlstock.graphql.nodes import Node
from gqlstock.graphql.warehouses import Warehouse
from gqlstock.rules import alerts as rules
from gqlstock.rules.alerts import AlertState
from gqlstock.rules.scopes import SYSTEM, Caller, Scope
from gqlstock.store import alerts as rows
from gqlstock.store import catalog, warehouses


@strawberry.type(
    description="Raised when an item's quantity falls below notifyBelow, once for each fall; resolved when it is back."
)
class LowInventoryAlert(Node):
    row: strawberry.Private[rules.LowInventoryAlert]
    item: InventoryItem = batch.field(nodes.by_id(catalog.items, "item_id"), description="What is low.")
    sku: str = strawberry.field(description="The item's SKU when the alert was raised.")
    name: str = strawberry.field(description="The item's name when the alert was raised.")
    code: str = strawberry.field(description="The item's code when the alert was raised.")
    warehouse: Warehouse | None = batch.field(
        nodes.by_id(warehouses.warehouses, "warehouse_id"),
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


async def query(chosen: LowInventoryAlertFilter | None, caller: Caller = SYSTEM) -> Any:
    """The alerts that a filter lets through; those of all warehouses together are for callers who see all of them."""
    found = reach.within(rows.all_alerts(), caller)
    if chosen is None:
        return found
    if chosen.state is not None:
        found = found.filter(state=chosen.state)
    if chosen.acknowledged is not None:
        found = found.filter(acknowledged_at__isnull=not chosen.acknowledged)
    if chosen.skus is not None:
        found = found.filter(await catalog.with_skus(limited(chosen.skus, "skus")))
    if chosen.warehouses is not None:
        # By id: few alerts, or none, are of one warehouse by itself, and only by id is that known beforehand.
        places = await warehouses.warehouses_by_code(limited(chosen.warehouses, "warehouses"))
        found = found.filter(warehouse_id__in=[place.id for place in places.values()])
    if chosen.category is not None:
        found = found.filter(catalog.in_categories(await category_ids(chosen.category), "item__"))
    return found


async def passing(part: Part, ids: Collection[int], chosen: LowInventoryAlertFilter | None) -> Collection[int]:
    """Which alerts of a part of the feed a filter lets through by what does not change; asked once for equal filters."""
    if chosen is None:
        return ids
    lasting = dataclasses.replace(chosen, state=None, acknowledged=None)
    if lasting == LowInventoryAlertFilter():
        return ids

    async def ask() -> set[int]:
        return set(await (await query(lasting)).filter(id__in=ids).values_list("id", flat=True))

    return await part.once(("passing", repr(lasting)), ask)


def passes(alert: rules.LowInventoryAlert, chosen: LowInventoryAlertFilter | None) -> bool:
    """Whether a filter lets an alert through as it was when the news of it was written; ``passing`` says the rest."""
    if chosen is None:
        return True
    if chosen.state is not None and alert.state is not chosen.state:
        return False
    return chosen.acknowledged is None or (alert.acknowledged_at is not None) == chosen.acknowledged


nodes.register(
    rules.LowInventoryAlert,
    "LowInventoryAlert",
    LowInventoryAlert.of,
    rows.alerts,
    Scope.INVENTORY_READ,
    reach.seen,
)
