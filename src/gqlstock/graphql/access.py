"""Authorization: the scope check, and fields that require a scope."""

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
        raise Forbidden(f"{scope.value} covers all warehouses, but this token is limited to some of them.")
    if not caller.authenticated:
        raise Unauthenticated(f"A token with the scope {scope.value} is required.")
    raise Forbidden(f"The scope {scope.value} is required, and the token does not have it.")


def require_to_order(context: "Context") -> None:
    """Refuse a caller who may not order or hold stock. Where the public may order, everybody may."""
    if not context.deployment.public_orders:
        require(context.caller, Scope.ORDERS_WRITE)


def field(*, description: str, scope: Scope | None = None, work: int = 0) -> Callable[[Resolver], Any]:
    """A root field with its own resolver. ``scope`` is the scope that callers need.

    ``work``: the rows that it reads beyond those it returns, for the cost limit (``http.cost``).
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
