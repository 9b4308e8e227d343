"""Mutations of transfers."""

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

_REASON = "The reason, for people."


@strawberry.input(description="Units that are shipped from one warehouse to another.")
class ShipTransferInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    from_: str = strawberry.field(name="from", description="The code of the source warehouse.")
    to: str = strawberry.field(description="The code of the target warehouse.")
    lines: list[StockLineInput] = strawberry.field(
        description="1 to 1,000 rows, each at most the available quantity. Rows of one item become one line."
    )
    expected_at: datetime | None = strawberry.field(
        default=None, description="When the units are expected. Null: unknown."
    )
    reference: str | None = strawberry.field(default=None, description="The number of a document in another system.")
    reason: str | None = strawberry.field(default=None, description=_REASON)


@strawberry.input(description="Received units of a transfer.")
class ReceiveTransferInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    number: str = strawberry.field(description="The transfer's number.")
    lines: list[StockLineInput] | None = strawberry.field(
        default=None, description="The received units. Default: all units in transit. May be empty only with close."
    )
    close: bool = strawberry.field(
        default=False, description="Close the transfer. Units that have not arrived are lost."
    )
    reason: str | None = strawberry.field(default=None, description=_REASON)


@strawberry.input(description="A transfer to cancel.")
class CancelTransferInput:
    number: str = strawberry.field(description="The transfer's number.")
    reason: str | None = strawberry.field(default=None, description=_REASON)


@strawberry.type(description="A transfer that was created or changed.")
class InventoryTransferPayload:
    transfer: InventoryTransfer | None = strawberry.field(description="The transfer.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def _payload(info: Info, kept: Result) -> InventoryTransferPayload:
    seen = await nodes.all_seen(info, "InventoryTransfer", kept.ids["transfer"])
    return InventoryTransferPayload(transfer=seen[0] if seen else None, user_errors=[])


def _lines(given: Sequence[StockLineInput]) -> tuple[StockLine, ...]:
    return tuple(StockLine(line.sku, line.quantity) for line in given)


INPUT = strawberry.argument(description="The input. It is applied completely or not at all.")
WRITES = Scope.INVENTORY_WRITE


@strawberry.type
class TransferMutations:
    @mutations.field(
        description=(
            "Removes available units from a warehouse now and announces them at another. Needs inventory:write. A token "
            "that is limited to warehouses needs the source."
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
            "Receives units of a transfer, also in parts. Needs inventory:write. A token that is limited to "
            "warehouses needs the target."
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
            "Cancels a transfer. Units in transit return to the source. Needs inventory:write. A token that is limited to "
            "warehouses needs the source."
        ),
        payload=InventoryTransferPayload,
        scope=WRITES,
    )
    async def cancel_transfer(
        self, info: Info, input: Annotated[CancelTransferInput, INPUT]
    ) -> InventoryTransferPayload:
        return await _payload(info, await cancel_transfer.cancel(info.context.caller, input.number, input.reason))
