"""Tokens: making one, and finding out whom one stands for."""

import secrets
from collections.abc import Collection, Sequence

from gqlstock.rules import catalog, refusals
from gqlstock.rules.refusals import invalid
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.store import database, tokens

_MARK = "gqls_"


async def create(name: str, scopes: Sequence[str]) -> str:
    """Make a token and give its text, which is kept nowhere: only its digest is."""
    known = [scope.value for scope in Scope]
    unknown = [scope for scope in scopes if scope not in known]
    if unknown:
        raise invalid(f"There is no scope {unknown[0]}; there are: {', '.join(known)}.", "scope")
    if not scopes:
        raise invalid(f"A token needs a scope: {', '.join(known)}.", "scope")
    checked = catalog.text(name, "name", "name")
    token = _MARK + secrets.token_urlsafe(32)

    async def work() -> None:
        if await tokens.exists(checked):
            raise refusals.taken("token", checked, "name")
        await tokens.create(checked, token, frozenset(Scope(scope) for scope in scopes))

    await database.transaction(work)
    return token


async def callers(given: Collection[str]) -> dict[str, Caller]:
    """Whom tokens stand for, without those that do not exist, are revoked or have expired."""
    return await tokens.callers(given, database.now())
