"""Idempotency keys of calls: how a call's key is made, and how long answers are kept."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from gqlstock.rules import canonical, catalog, skus
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.scopes import Caller
from gqlstock.store import idempotency, warehouses
from gqlstock.store.db import clock

_REFUSALS_KEPT = timedelta(hours=1)
"""A refusal only decides for calls that had arrived before it."""


class _OnWebsite(Protocol):
    """A request on a website; None is the default one."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def website(self) -> str | None: ...


def ticket(caller: Caller, mutation: str, key: str | None, asked: object) -> IdempotencyKey | None:
    """A key as a caller used it; None for none.

    ``asked`` is the parsed input, in frozen dataclasses; two inputs are the same when ``canonical`` says so.
    """
    if key is None:
        return None
    name = catalog.text(key, "idempotencyKey", "idempotencyKey")
    return IdempotencyKey(caller.key, mutation, name, canonical.digest(asked), clock.now())


async def ticket_on_website(caller: Caller, mutation: str, key: str | None, asked: _OnWebsite) -> IdempotencyKey | None:
    """As ``ticket``; the default website is the same whether it was named or left out."""
    named = skus.normalized(asked.website) if key is not None and asked.website is not None else None
    if named is not None and named == await warehouses.default_website_code():
        asked = replace(asked, website=None)
    return ticket(caller, mutation, key, asked)


async def is_used(caller: Caller, mutation: str, key: str) -> bool:
    """Whether a call of that mutation under that key was carried out."""
    name = catalog.text(key, "idempotencyKey", "idempotencyKey")
    return await idempotency.has(IdempotencyKey(caller.key, mutation, name, ""))


async def forget(older_than: timedelta) -> None:
    """Forget the answers that have been kept for longer than that."""
    now = clock.now()
    await idempotency.sweep(now - older_than, now - _REFUSALS_KEPT)
