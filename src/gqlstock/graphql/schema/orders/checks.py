"""An order in the schema that is worked out without placing it."""

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


@strawberry.type(description="So many units that a warehouse would give.")
class PlannedAllocation:
    warehouse: str = strawberry.field(description="The warehouse's code.")
    quantity: Decimal = strawberry.field(description="How many units.")
    state: AllocationState = strawberry.field(description="Whether they are there or would wait.")
    expected_at: datetime | None = strawberry.field(
        description="When the last of units that would wait could leave; null where no date is known."
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
    """Whoever guesses a SKU that is not published learns no more of it than that."""
    sees_all = info.context.caller.may(Scope.CATALOG_READ)
    return [
        nodes.show_optional(parent.line.item)
        if sees_all or parent.line.reason is not UnavailableReason.NOT_PUBLISHED
        else None
        for parent in parents
    ]


@strawberry.type(description="One line of an order that was not placed.")
class OrderCheckLine:
    line: strawberry.Private[PlannedLine]
    sku: str = strawberry.field(description="What would be ordered; a combination's where options stand for one.")
    quantity: Decimal = strawberry.field(description="How many units were asked for.")
    backordered: Decimal = strawberry.field(
        description=(
            "How many of them would wait for stock; where the caller may not see salableQuantity, all of them or none."
        )
    )
    orderable: bool = strawberry.field(description="Whether this line could be ordered.")
    unavailable_reason: UnavailableReason | None = strawberry.field(description="Why the item cannot be had.")
    item: InventoryItem | None = batch.field(
        _checked_item, description="The item; null for an unknown SKU, and where the public may not see it."
    )
    allocations: list[PlannedAllocation] | None = batch.field(
        _planned, description="Where the units would come from; null without inventory:read."
    )
    message: str | None = strawberry.field(description="What to tell the shopper, such as the backorder notice.")
    expected_at: datetime | None = strawberry.field(
        description=(
            "When all of its units that would wait could leave; null where none would, where no date is known, and where "
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


@strawberry.type(description="placeOrder's answer without placing it.")
class OrderCheck:
    orderable: bool = strawberry.field(description="Whether the order would be placed and not parked.")
    lines: list[OrderCheckLine] = strawberry.field(description="Every line, as it would be ordered.")
    user_errors: list[UserError] = strawberry.field(description="Why not; empty when it would be placed.")

    @classmethod
    def of(cls, plan: OrderPlan) -> "OrderCheck":
        return cls(
            orderable=plan.orderable,
            lines=[OrderCheckLine.of(line) for line in plan.lines],
            user_errors=[user_error(refusal) for refusal in plan.refusals],
        )
