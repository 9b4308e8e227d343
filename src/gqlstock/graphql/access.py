"""Who may ask for what: the one check, and the fields that have it."""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import strawberry

from gqlstock.graphql.errors import Forbidden, Unauthenticated
from gqlstock.rules.scopes import OVER_ALL_WAREHOUSES, Caller, Scope

if TYPE_CHECKING:
    from gqlstock.graphql.context import Context

Resolver = TypeVar("Resolver", bound=Callable[..., Any])


def require(caller: Caller, scope: Scope) -> None:
    """Refuse a caller without the scope: UNAUTHENTICATED for the public, FORBIDDEN for a token that lacks it."""
    if caller.may(scope):
        return
    if caller.warehouses is not None and scope in OVER_ALL_WAREHOUSES:
        raise Forbidden(f"{scope.value} is over all warehouses: the token is for some of them.")
    if not caller.authenticated:
        raise Unauthenticated(f"This needs a token with the scope {scope.value}.")
    raise Forbidden(f"This needs the scope {scope.value}, which the token does not have.")


def require_to_order(context: "Context") -> None:
    """Refuse a caller who may not take stock for a cart: without orders:write only where the public may order."""
    if not context.deployment.public_orders:
        require(context.caller, Scope.ORDERS_WRITE)


def field(*, description: str, scope: Scope | None = None, work: int = 0) -> Callable[[Resolver], Any]:
    """A field with a resolver of its own, for the roots; ``scope`` is what a caller needs to ask for it.

    ``work``: what it looks at besides what it shows, as ``cost`` has it.
    """

    def made(resolver: Resolver) -> Any:
        checked = resolver if scope is None else _checked(resolver, scope)
        return strawberry.field(resolver=checked, description=description, metadata={"scope": scope, "work": work})

    return made


def _checked(resolver: Resolver, scope: Scope) -> Resolver:
    assert inspect.iscoroutinefunction(resolver)

    @functools.wraps(resolver)
    async def run(self: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
        require(info.context.caller, scope)
        return await resolver(self, info, *args, **kwargs)

    return run  # type: ignore[return-value]
