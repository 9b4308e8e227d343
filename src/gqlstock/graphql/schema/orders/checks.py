"""The result of checkOrder: a planned order that is not placed."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import batch, nodes
from gqlstock.graphql.schema.catalog.items import InventoryItem
from gqlstock.graphql.schema.user_errors import UserError, user_error
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.order_plan import OrderPlan, PlannedLine
from gqlstock.rules.refusals import UnavailableReason
from gqlstock.rules.scopes import Scope
from gqlstock.stock import network


@strawberry.type(description="Units that a warehouse would supply.")
class PlannedAllocation:
    warehouse: str = strawberry.field(description="The warehouse's code.")
    quantity: Decimal = strawberry.field(description="The number of units.")
    state: AllocationState = strawberry.field(description="Whether they are on hand or would be backordered.")
    expected_at: datetime | None = strawberry.field(
        description="When the last backordered unit could leave. Null if no date is known."
    )


async def _planned(parents: Sequence["OrderCheckLine"], info: Info) -> list[list[PlannedAllocation] | None]:
    if not info.context.caller.may(Scope.INVENTORY_READ):
        return [None] * len(parents)
    known = await network.warehouses({part.warehouse_id for parent in parents for part in parent.line.parts})
    return [
        [
            PlannedAllocation(
                warehouse=known[part.warehouse_id].code,
                quantity=part.quantity,
                state=part.state,
                expected_at=part.expected_at,
            )
            for part in parent.line.parts
            if info.context.caller.reaches(part.warehouse_id)
        ]
        for parent in parents
    ]


async def _checked_item(parents: Sequence["OrderCheckLine"], info: Info) -> list[InventoryItem | None]:
    """The items of the lines. Unpublished items are hidden, so that guessing SKUs reveals nothing about them."""
    sees_all = info.context.caller.may(Scope.CATALOG_READ)
    return [
        nodes.show_optional(parent.line.item)
        if sees_all or parent.line.reason is not UnavailableReason.NOT_PUBLISHED
        else None
        for parent in parents
    ]


@strawberry.type(description="One line of a checked order.")
class OrderCheckLine:
    line: strawberry.Private[PlannedLine]
    sku: str = strawberry.field(description="The SKU that would be ordered: the combination's, if options select one.")
    quantity: Decimal = strawberry.field(description="The requested quantity.")
    backordered: Decimal = strawberry.field(
        description=(
            "The units that would be backordered. If the caller may not see salableQuantity, all of them or none."
        )
    )
    orderable: bool = strawberry.field(description="Whether this line could be ordered.")
    unavailable_reason: UnavailableReason | None = strawberry.field(
        description="Why the item cannot be ordered. Null if orderable."
    )
    item: InventoryItem | None = batch.field(
        _checked_item, description="The item. Null for an unknown SKU, and if the public may not see it."
    )
    allocations: list[PlannedAllocation] | None = batch.field(
        _planned, description="The warehouses that would supply the units. Null without inventory:read."
    )
    message: str | None = strawberry.field(description="A message for the shopper, such as the backorder notice.")
    expected_at: datetime | None = strawberry.field(
        description=(
            "When all its backordered units could leave. Null if none would be backordered, if no date is known, and if "
            "the caller may not see it (displayAvailability)."
        )
    )

    @classmethod
    def of(cls, line: PlannedLine) -> "OrderCheckLine":
        return cls(
            line=line,
            sku=line.sku,
            quantity=line.requested.quantity,
            backordered=line.shown_backordered,
            orderable=line.orderable,
            unavailable_reason=line.reason,
            message=line.shown_message,
            expected_at=line.shown_expected_at,
        )


@strawberry.type(description="The result that placeOrder would have, without placing the order.")
class OrderCheck:
    orderable: bool = strawberry.field(description="Whether the order would be placed, not refused or parked.")
    lines: list[OrderCheckLine] = strawberry.field(description="All lines, as they would be ordered.")
    user_errors: list[UserError] = strawberry.field(
        description="Why the order would not be placed. Empty if it would be."
    )

    @classmethod
    def of(cls, plan: OrderPlan) -> "OrderCheck":
        return cls(
            orderable=plan.orderable,
            lines=[OrderCheckLine.of(line) for line in plan.lines],
            user_errors=[user_error(refusal) for refusal in plan.refusals],
        )
