"""Mutations of incoming stock."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.stock.mutations import StockLineInput, StockPayload, stock_payload
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.scopes import Scope
from gqlstock.services import receive, update_announcement
from gqlstock.services.receive import AnnounceStockRequest, ReceivedLine, ReceiveStockRequest
from gqlstock.services.stock_edits import StockLine

_REFERENCE = "The number of a document in another system."


@strawberry.input(description="Stock that will arrive at a warehouse.")
class AnnounceStockInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    reference: str | None = strawberry.field(default=None, description=_REFERENCE)
    warehouse: str = strawberry.field(description="The warehouse's code.")
    lines: list[StockLineInput] = strawberry.field(description="1 to 1,000 rows. Each becomes an announcement.")
    expected_at: datetime | None = strawberry.field(default=None, description="When it is expected. Null: unknown.")


@strawberry.input(description="An announcement to withdraw.")
class WithdrawStockAnnouncementInput:
    id: strawberry.ID = strawberry.field(description="The announcement's id.")


@strawberry.input(description="Changes of an announcement. Omitted fields stay unchanged.")
class UpdateStockAnnouncementInput:
    id: strawberry.ID = strawberry.field(description="The announcement's id.")
    quantity: Decimal | None = strawberry.field(
        default=strawberry.UNSET,
        description="The announced quantity, including received units. At least the received quantity.",
    )
    expected_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it is expected. Null: unknown."
    )
    reference: str | None = strawberry.field(default=strawberry.UNSET, description=f"{_REFERENCE} Null clears it.")


@strawberry.input(description="A received quantity of one item.")
class ReceiveStockLineInput:
    sku: str = strawberry.field(description="The item's SKU.")
    quantity: Decimal = strawberry.field(description="More than 0.")
    announcement: strawberry.ID | None = strawberry.field(
        default=None,
        description=(
            "The announcement that it fills. Default: the item's announcement with the same reference, else its oldest one."
        ),
    )


@strawberry.input(description="A delivery that arrived at a warehouse.")
class ReceiveStockInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    reference: str | None = strawberry.field(default=None, description=_REFERENCE)
    reason: str | None = strawberry.field(default=None, description="The reason, for people.")
    warehouse: str = strawberry.field(description="The warehouse's code.")
    lines: list[ReceiveStockLineInput] = strawberry.field(description="1 to 1,000 rows.")


INPUT = strawberry.argument(description="The input. It is applied completely or not at all.")
WRITES = Scope.INVENTORY_WRITE


@strawberry.type
class ReceivingMutations:
    @mutations.field(
        description="Announces stock, which counts as incoming. Needs inventory:write.",
        payload=StockPayload,
        scope=WRITES,
    )
    async def announce_stock(self, info: Info, input: Annotated[AnnounceStockInput, INPUT]) -> StockPayload:
        lines = tuple(StockLine(line.sku, line.quantity) for line in input.lines)
        request = AnnounceStockRequest(input.warehouse, lines, input.expected_at, input.reference)
        return await stock_payload(info, await receive.announce(info.context.caller, request, input.idempotency_key))

    @mutations.field(
        description="Receives stock, announced or not. Needs inventory:write.",
        payload=StockPayload,
        scope=WRITES,
    )
    async def receive_stock(self, info: Info, input: Annotated[ReceiveStockInput, INPUT]) -> StockPayload:
        lines = tuple(
            ReceivedLine(
                line.sku,
                line.quantity,
                nodes.row_id("StockAnnouncement", line.announcement) if line.announcement is not None else None,
                line.announcement,
            )
            for line in input.lines
        )
        request = ReceiveStockRequest(input.warehouse, lines, input.reason, input.reference)
        return await stock_payload(info, await receive.receive(info.context.caller, request, input.idempotency_key))

    @mutations.field(
        description="Withdraws the rest of an announcement. Needs inventory:write.",
        payload=StockPayload,
        scope=WRITES,
    )
    async def withdraw_stock_announcement(
        self, info: Info, input: Annotated[WithdrawStockAnnouncementInput, INPUT]
    ) -> StockPayload:
        announcement_id = GivenId(nodes.row_id("StockAnnouncement", input.id), input.id)
        return await stock_payload(info, await receive.withdraw(info.context.caller, announcement_id))

    @mutations.field(
        description=("Changes an announcement. Omitted fields stay unchanged. Needs inventory:write."),
        payload=StockPayload,
        scope=WRITES,
    )
    async def update_stock_announcement(
        self, info: Info, input: Annotated[UpdateStockAnnouncementInput, INPUT]
    ) -> StockPayload:
        given = mutations.given(input)
        announcement_id = GivenId(nodes.row_id("StockAnnouncement", input.id), given.pop("id"))
        return await stock_payload(info, await update_announcement.update(info.context.caller, announcement_id, given))
