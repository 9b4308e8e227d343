"""Mutations of transfers on the way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.mutations import ERRORS
from gqlstock.graphql.schema.stock.mutations import StockLineInput
from gqlstock.graphql.schema.transfers.transfers import InventoryTransfer
from gqlstock.graphql.schema.user_errors import UserError
from gqlstock.rules.scopes import Scope
from gqlstock.services import cancel_transfer, receive_transfer, ship_transfer
from gqlstock.services.receive_transfer import ReceiveTransferRequest
from gqlstock.services.ship_transfer import ShipTransferRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.stock.command import Result

_REASON = "Why, for people."


@strawberry.input(description="Units that leave one warehouse for another.")
class ShipTransferInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    from_: str = strawberry.field(name="from", description="The code of the warehouse that they leave.")
    to: str = strawberry.field(description="The code of the warehouse that they go to.")
    lines: list[StockLineInput] = strawberry.field(
        description="1 to 1,000 rows; each at most what is available. Rows of one item make one line."
    )
    expected_at: datetime | None = strawberry.field(default=None, description="When they are expected.")
    reference: str | None = strawberry.field(default=None, description="The document behind it in another system.")
    reason: str | None = strawberry.field(default=None, description=_REASON)


@strawberry.input(description="Units of a transfer that have arrived.")
class ReceiveTransferInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    number: str = strawberry.field(description="The transfer's number.")
    lines: list[StockLineInput] | None = strawberry.field(
        default=None, description="What has arrived; left out, all that is on the way. Empty only with close."
    )
    close: bool = strawberry.field(default=False, description="Nothing more will come: what has not is lost.")
    reason: str | None = strawberry.field(default=None, description=_REASON)


@strawberry.input(description="A transfer whose units come back.")
class CancelTransferInput:
    number: str = strawberry.field(description="The transfer's number.")
    reason: str | None = strawberry.field(default=None, description=_REASON)


@strawberry.type(description="A transfer that was made or changed.")
class InventoryTransferPayload:
    transfer: InventoryTransfer | None = strawberry.field(description="The transfer.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def _payload(info: Info, kept: Result) -> InventoryTransferPayload:
    seen = await nodes.all_seen(info, "InventoryTransfer", kept.ids["transfer"])
    return InventoryTransferPayload(transfer=seen[0] if seen else None, user_errors=[])


def _lines(given: Sequence[StockLineInput]) -> tuple[StockLine, ...]:
    return tuple(StockLine(line.sku, line.quantity) for line in given)


INPUT = strawberry.argument(description="All of it is done, or none.")
WRITES = Scope.INVENTORY_WRITE


@strawberry.type
class TransferMutations:
    @mutations.field(
        description=(
            "Takes available units off a warehouse now and announces them at another. Needs inventory:write; a token "
            "for some warehouses needs the one that they leave."
        ),
        payload=InventoryTransferPayload,
        scope=WRITES,
    )
    async def ship_transfer(self, info: Info, input: Annotated[ShipTransferInput, INPUT]) -> InventoryTransferPayload:
        lines, details = _lines(input.lines), (input.expected_at, input.reference, input.reason)
        request = ShipTransferRequest(input.from_, input.to, lines, *details)
        return await _payload(info, await ship_transfer.ship(info.context.caller, request, input.idempotency_key))

    @mutations.field(
        description=(
            "Takes in units of a transfer, in parts if they come so. Needs inventory:write; a token for some "
            "warehouses needs the one that they go to."
        ),
        payload=InventoryTransferPayload,
        scope=WRITES,
    )
    async def receive_transfer(
        self, info: Info, input: Annotated[ReceiveTransferInput, INPUT]
    ) -> InventoryTransferPayload:
        lines = _lines(input.lines) if input.lines is not None else None
        request = ReceiveTransferRequest(input.number, lines, input.close, input.reason)
        return await _payload(info, await receive_transfer.receive(info.context.caller, request, input.idempotency_key))

    @mutations.field(
        description=(
            "Brings what is still on the way back to the warehouse that it left. Needs inventory:write; a token for "
            "some warehouses needs that one."
        ),
        payload=InventoryTransferPayload,
        scope=WRITES,
    )
    async def cancel_transfer(
        self, info: Info, input: Annotated[CancelTransferInput, INPUT]
    ) -> InventoryTransferPayload:
        return await _payload(info, await cancel_transfer.cancel(info.context.caller, input.number, input.reason))
