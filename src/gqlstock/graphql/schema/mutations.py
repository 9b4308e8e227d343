"""Mutation fields: the payload has either the result or the reasons why nothing was written."""

import dataclasses
import functools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import strawberry
from strawberry.types.base import StrawberryList

from gqlstock.graphql import access, outcomes
from gqlstock.graphql.context import Info
from gqlstock.graphql.schema.user_errors import UserError, user_error
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import Scope
from gqlstock.stock import reading

Resolver = TypeVar("Resolver", bound=Callable[..., Awaitable[Any]])

ERRORS = "Why nothing was written. Empty if it was."
KEY = "An idempotency key. For at least 24 hours, the same key with the same input returns the first answer again."


def field(*, description: str, payload: type, scope: Scope | None) -> Callable[[Resolver], Any]:
    """A mutation field. Refusals become the payload's userErrors. Without a scope, the resolver checks access itself."""

    def made(resolver: Resolver) -> Any:
        @functools.wraps(resolver)
        async def run(self: Any, info: Info, *args: Any, **kwargs: Any) -> Any:
            if scope is not None:
                access.require(info.context.caller, scope)
            with outcomes.mutation(str(info.path.key)):
                try:
                    answer = await reading.around(lambda: resolver(self, info, *args, **kwargs))
                except Refused as error:
                    return refused(payload, error)
                outcomes.committed()
                return answer

        return strawberry.field(resolver=run, description=description, metadata={"scope": scope})

    return made


def refused(payload: type, error: Refused) -> Any:
    """A payload with errors only."""
    errors: list[UserError] = [user_error(refusal) for refusal in error.refusals]
    nothing: dict[str, Any] = {
        f.name: [] if isinstance(f.type, StrawberryList) else None for f in dataclasses.fields(payload)
    }
    return payload(**nothing | {"user_errors": errors})


def given(value: Any) -> dict[str, Any]:
    """The given fields of an input. Omitted fields are left out."""
    return {name: v for name, v in vars(value).items() if v is not strawberry.UNSET}


@strawberry.type(description="The result of a deletion.")
class DeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the deleted object.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)
