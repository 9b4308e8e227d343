"""Mutations of stock."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.mutations import ERRORS, DeletePayload
from gqlstock.graphql.schema.stock.levels import InventoryLevel
from gqlstock.graphql.schema.stock.movements import StockMovement
from gqlstock.graphql.schema.user_errors import UserError, user_error
from gqlstock.rules.scopes import Scope
from gqlstock.services import adjust_stock, count_stock, delete_level, transfer_stock
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.count_stock import CountStockRequest, StockCount
from gqlstock.services.stock_edits import StockLine
from gqlstock.services.transfer_stock import TransferStockRequest
from gqlstock.stock.command import Result

_PARTIAL = "Bad rows go to userErrors and the others are written; such an answer is kept under its key."
_REASON = "Why, for people."
_REFERENCE = "The document behind it in another system."


@strawberry.input(description="So many units more or less of one item in one warehouse.")
class StockDeltaInput:
    sku: str = strawberry.field(description="The item's SKU.")
    warehouse: str = strawberry.field(description="The warehouse's code.")
    delta: Decimal = strawberry.field(description="Signed; not 0.")


@strawberry.input(description="What was counted of one item in one warehouse.")
class StockCountInput:
    sku: str = strawberry.field(description="The item's SKU.")
    warehouse: str = strawberry.field(description="The warehouse's code.")
    on_hand: Decimal = strawberry.field(description="What was counted: 0 or more.")
    expected_on_hand: Decimal | None = strawberry.field(
        default=None, description="What onHand must be now; else STALE_QUANTITY."
    )
    counted_at: datetime | None = strawberry.field(
        default=None,
        description=(
            "The moment the count was true; what moved since is added to it, so that a late count undoes no sale."
        ),
    )


@strawberry.input(description="Corrections of stock.")
class AdjustStockInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    partial: bool = strawberry.field(default=False, description=_PARTIAL)
    reason: str | None = strawberry.field(default=None, description=_REASON)
    reference: str | None = strawberry.field(default=None, description=_REFERENCE)
    changes: list[StockDeltaInput] = strawberry.field(description="1 to 1,000 rows.")


@strawberry.input(description="Counts of stock.")
class SetStockInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    partial: bool = strawberry.field(default=False, description=_PARTIAL)
    reason: str | None = strawberry.field(default=None, description=_REASON)
    reference: str | None = strawberry.field(default=None, description=_REFERENCE)
    counts: list[StockCountInput] = strawberry.field(description="1 to 1,000 rows; one for each item and warehouse.")


@strawberry.input(description="So many units of one item.")
class StockLineInput:
    sku: str = strawberry.field(description="The item's SKU.")
    quantity: Decimal = strawberry.field(description="More than 0.")


@strawberry.input(description="A move from one warehouse to another.")
class TransferStockInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    reason: str | None = strawberry.field(default=None, description=_REASON)
    reference: str | None = strawberry.field(default=None, description=_REFERENCE)
    from_: str = strawberry.field(name="from", description="The code of the warehouse that gives.")
    to: str = strawberry.field(description="The code of the warehouse that receives.")
    lines: list[StockLineInput] = strawberry.field(description="1 to 1,000 rows; each at most what is available.")


@strawberry.input(description="Which level to take out of use.")
class DeleteInventoryLevelInput:
    sku: str = strawberry.field(description="The item's SKU.")
    warehouse: str = strawberry.field(description="The warehouse's code.")


@strawberry.type(description="What became of the stock.")
class StockPayload:
    inventory_levels: list[InventoryLevel] = strawberry.field(description="Every level that a written row names, once.")
    movements: list[StockMovement] = strawberry.field(description="What was written to the ledger.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def stock_payload(info: Info, kept: Result) -> StockPayload:
    return StockPayload(
        inventory_levels=await nodes.all_seen(info, "InventoryLevel", kept.ids["levels"], kept.rows),
        movements=await nodes.all_seen(info, "StockMovement", kept.ids["movements"], kept.rows),
        user_errors=[user_error(refusal) for refusal in kept.refusals],
    )


INPUT = strawberry.argument(description="All of it is done, or none.")
WRITES = Scope.INVENTORY_WRITE


@strawberry.type
class StockMutations:
    @mutations.field(
        description="Adds units to levels or takes them away. Needs inventory:write.",
        payload=StockPayload,
        scope=WRITES,
    )
    async def adjust_stock(self, info: Info, input: Annotated[AdjustStockInput, INPUT]) -> StockPayload:
        request = AdjustStockRequest(
            tuple(StockAdjustment(row.sku, row.warehouse, row.delta) for row in input.changes),
            input.reason,
            input.reference,
            input.partial,
        )
        return await stock_payload(info, await adjust_stock.adjust(info.context.caller, request, input.idempotency_key))

    @mutations.field(
        description=(
            "States what was counted; the ledger gets the difference. expectedOnHand makes it compare-and-set. "
            "Needs inventory:write."
        ),
        payload=StockPayload,
        scope=WRITES,
    )
    async def set_stock(self, info: Info, input: Annotated[SetStockInput, INPUT]) -> StockPayload:
        request = CountStockRequest(
            tuple(
                StockCount(row.sku, row.warehouse, row.on_hand, row.expected_on_hand, row.counted_at)
                for row in input.counts
            ),
            input.reason,
            input.reference,
            input.partial,
        )
        return await stock_payload(info, await count_stock.count(info.context.caller, request, input.idempotency_key))

    @mutations.field(
        description="Moves available units to another warehouse. Needs inventory:write.",
        payload=StockPayload,
        scope=WRITES,
    )
    async def transfer_stock(self, info: Info, input: Annotated[TransferStockInput, INPUT]) -> StockPayload:
        lines = tuple(StockLine(line.sku, line.quantity) for line in input.lines)
        request = TransferStockRequest(input.from_, input.to, lines, input.reason, input.reference)
        return await stock_payload(
            info, await transfer_stock.transfer(info.context.caller, request, input.idempotency_key)
        )

    @mutations.field(
        description="Takes an empty level out of use. Needs inventory:write.", payload=DeletePayload, scope=WRITES
    )
    async def delete_inventory_level(
        self, info: Info, input: Annotated[DeleteInventoryLevelInput, INPUT]
    ) -> DeletePayload:
        found = await delete_level.delete(info.context.caller, input.sku, input.warehouse)
        return DeletePayload(deleted_id=nodes.global_id("InventoryLevel", found), user_errors=[])
