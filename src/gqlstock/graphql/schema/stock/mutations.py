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

_PARTIAL = "Write the valid rows and report the others in userErrors. The answer is stored under its key."
_REASON = "The reason, for people."
_REFERENCE = "The number of a document in another system."


@strawberry.input(description="A change of the stock of one item in one warehouse.")
class StockDeltaInput:
    sku: str = strawberry.field(description="The item's SKU.")
    warehouse: str = strawberry.field(description="The warehouse's code.")
    delta: Decimal = strawberry.field(description="The signed change. Not 0.")


@strawberry.input(description="A count of one item in one warehouse.")
class StockCountInput:
    sku: str = strawberry.field(description="The item's SKU.")
    warehouse: str = strawberry.field(description="The warehouse's code.")
    on_hand: Decimal = strawberry.field(description="The counted quantity, 0 or more.")
    expected_on_hand: Decimal | None = strawberry.field(
        default=None, description="The value that onHand must have now, or else the row is refused with STALE_QUANTITY."
    )
    counted_at: datetime | None = strawberry.field(
        default=None,
        description=(
            "When the count was made. Later movements are added to it, so that a late count does not undo sales."
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


@strawberry.input(description="A quantity of one item.")
class StockLineInput:
    sku: str = strawberry.field(description="The item's SKU.")
    quantity: Decimal = strawberry.field(description="More than 0.")


@strawberry.input(description="An immediate transfer from one warehouse to another.")
class TransferStockInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    reason: str | None = strawberry.field(default=None, description=_REASON)
    reference: str | None = strawberry.field(default=None, description=_REFERENCE)
    from_: str = strawberry.field(name="from", description="The code of the source warehouse.")
    to: str = strawberry.field(description="The code of the target warehouse.")
    lines: list[StockLineInput] = strawberry.field(description="1 to 1,000 rows, each at most the available quantity.")


@strawberry.input(description="An empty level to delete.")
class DeleteInventoryLevelInput:
    sku: str = strawberry.field(description="The item's SKU.")
    warehouse: str = strawberry.field(description="The warehouse's code.")


@strawberry.type(description="The result of a stock change.")
class StockPayload:
    inventory_levels: list[InventoryLevel] = strawberry.field(description="The changed levels, each once.")
    movements: list[StockMovement] = strawberry.field(description="The movements that were written to the ledger.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def stock_payload(info: Info, kept: Result) -> StockPayload:
    return StockPayload(
        inventory_levels=await nodes.all_seen(info, "InventoryLevel", kept.ids["levels"], kept.rows),
        movements=await nodes.all_seen(info, "StockMovement", kept.ids["movements"], kept.rows),
        user_errors=[user_error(refusal) for refusal in kept.refusals],
    )


INPUT = strawberry.argument(description="The input. It is applied completely or not at all.")
WRITES = Scope.INVENTORY_WRITE


@strawberry.type
class StockMutations:
    @mutations.field(
        description="Adds units to levels or removes them. Needs inventory:write.",
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
            "Sets onHand to counted quantities; the ledger records the difference. expectedOnHand makes it compare-and-set. "
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
        description="Moves available units to another warehouse immediately. Needs inventory:write.",
        payload=StockPayload,
        scope=WRITES,
    )
    async def transfer_stock(self, info: Info, input: Annotated[TransferStockInput, INPUT]) -> StockPayload:
        lines = tuple(StockLine(line.sku, line.quantity) for line in input.lines)
        request = TransferStockRequest(input.from_, input.to, lines, input.reason, input.reference)
        return await stock_payload(
            info, await transfer_stock.transfer(info.context.caller, request, input.idempotency_key)
        )

    @mutations.field(description="Deletes an empty level. Needs inventory:write.", payload=DeletePayload, scope=WRITES)
    async def delete_inventory_level(
        self, info: Info, input: Annotated[DeleteInventoryLevelInput, INPUT]
    ) -> DeletePayload:
        found = await delete_level.delete(info.context.caller, input.sku, input.warehouse)
        return DeletePayload(deleted_id=nodes.global_id("InventoryLevel", found), user_errors=[])
