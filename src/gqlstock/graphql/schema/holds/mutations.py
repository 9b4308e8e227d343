"""Mutations of holds."""

from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.http import questions
from gqlstock.graphql.relay import nodes
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.holds.holds import StockHold
from gqlstock.graphql.schema.mutations import ERRORS
from gqlstock.graphql.schema.orders.inputs import OrderLineInput, given_hold
from gqlstock.graphql.schema.user_errors import UserError
from gqlstock.rules.given_ids import GivenId
from gqlstock.services import hold_stock, release_hold
from gqlstock.services.hold_stock import Guest, HoldRequest


@strawberry.input(description="Stock to hold for a cart.")
class HoldStockInput:
    idempotency_key: str | None = strawberry.field(default=None, description=mutations.KEY)
    website: str | None = strawberry.field(
        default=None, description="The website's code. Default: the default website."
    )
    lines: list[OrderLineInput] = strawberry.field(description="1 to 500 lines. Without a token, at most 50.")
    minutes: int = strawberry.field(
        default=15, description="The duration: 1 to 1,440 minutes. Without a token, at most 30."
    )
    replaces: strawberry.ID | None = strawberry.field(
        default=None, description="The cart's previous hold. It ends when this one is created."
    )


@strawberry.input(description="A hold to release.")
class ReleaseStockHoldInput:
    id: strawberry.ID = strawberry.field(description="The hold's id.")


@strawberry.type(description="A hold that was created or changed.")
class StockHoldPayload:
    hold: StockHold | None = strawberry.field(description="The hold.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def _hold_payload(hold_id: int) -> StockHoldPayload:
    return StockHoldPayload(hold=await nodes.loaded("StockHold", hold_id), user_errors=[])


INPUT = strawberry.argument(description="The input. It is applied completely or not at all.")


@strawberry.type
class HoldMutations:
    @mutations.field(
        description="Holds available stock for a cart, completely or not at all. Needs orders:write.",
        payload=StockHoldPayload,
        scope=None,
    )
    async def hold_stock(self, info: Info, input: Annotated[HoldStockInput, INPUT]) -> StockHoldPayload:
        access.require_to_order(info.context)
        request = HoldRequest(
            tuple(line.line() for line in input.lines), input.website, input.minutes, given_hold(input.replaces)
        )
        await questions.check(info, request.lines, "holdStock", input.idempotency_key)
        context = info.context
        guest = None if context.caller.authenticated else Guest(context.address, context.deployment.public_holds)
        kept = await hold_stock.hold(context.caller, request, input.idempotency_key, guest)
        return await _hold_payload(kept.ids["hold"][0])

    @mutations.field(description="Releases a hold. Needs orders:write.", payload=StockHoldPayload, scope=None)
    async def release_stock_hold(self, info: Info, input: Annotated[ReleaseStockHoldInput, INPUT]) -> StockHoldPayload:
        access.require_to_order(info.context)
        given_id = GivenId(nodes.row_id("StockHold", input.id), input.id)
        return await _hold_payload(await release_hold.release(info.context.caller, given_id))
