"""Creates, lists and revokes API tokens, and finds their callers."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gqlstock.rules import catalog, expiry, refusals
from gqlstock.rules.events import ANY_TOKEN
from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.refusals import invalid
from gqlstock.rules.scopes import OVER_ALL_WAREHOUSES, Caller, Scope, is_reserved
from gqlstock.rules.tokens import ApiToken, TokenState
from gqlstock.stock import present, reading
from gqlstock.store import outbox, tokens, warehouses
from gqlstock.store.db import clock, transactions

_PREFIX = "gqls_"
LINK_LASTS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token without its text. ``warehouses``: by code; None for all."""

    name: str
    scopes: tuple[str, ...]
    warehouses: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    state: TokenState


async def create(
    name: str, scopes: Sequence[str], warehouse_codes: Sequence[str] | None = None, expires: str | None = None
) -> str:
    """Create a token and return its text. Only a digest of it is stored.

    The name of a revoked token may be used again. It is then the same caller, with the same idempotency keys. So may the
    name of a token whose link was not used: the link is then invalid.
    """
    token = _new_token()
    await _create(name, scopes, warehouse_codes, expires, digest=tokens.digest(token))
    return token


async def create_with_link(
    name: str, scopes: Sequence[str], warehouse_codes: Sequence[str] | None = None, expires: str | None = None
) -> str:
    """Create a token for a link that signs in once, and return the link's code, which expires after ``LINK_LASTS``.

    The token itself does not exist before ``use_link``: until then, no text has the stored digest.
    """
    code = secrets.token_urlsafe(32)
    await _create(name, scopes, warehouse_codes, expires, digest=secrets.token_hex(32), link_digest=tokens.digest(code))
    return code


async def use_link(code: str) -> str:
    """Exchange the code of a link for its token, once."""
    token = _new_token()

    async def work() -> None:
        if not await tokens.use_link(tokens.digest(code), tokens.digest(token), clock.now()):
            raise refusals.wrong_state("This link was used already or has expired. Ask for a new one.", "code")
        await outbox.add([ANY_TOKEN])

    await transactions.run(work)
    return token


def _new_token() -> str:
    return _PREFIX + secrets.token_urlsafe(32)


async def _create(
    name: str,
    scopes: Sequence[str],
    warehouse_codes: Sequence[str] | None,
    expires: str | None,
    *,
    digest: str,
    link_digest: str | None = None,
) -> None:
    known = [scope.value for scope in Scope]
    unknown = [scope for scope in scopes if scope not in known]
    if unknown:
        raise invalid(f"There is no scope {unknown[0]}. Valid scopes: {', '.join(known)}.", "scope")
    if not scopes:
        raise invalid(f"A token needs at least one scope: {', '.join(known)}.", "scope")
    granted = frozenset(Scope(scope) for scope in scopes)
    unlimited = sorted(granted & OVER_ALL_WAREHOUSES)
    if warehouse_codes and unlimited:
        raise invalid(
            f"{unlimited[0]} applies to all warehouses: a token limited to some of them cannot have it.", "scope"
        )
    checked = catalog.text(name, "token name", "name")
    if is_reserved(checked):
        message = (
            f"The name {refusals.shown(checked)} is reserved for the system's entries in the ledger. Choose another."
        )
        raise invalid(message, "name")
    ends = expiry.parse(expires, clock.now()) if expires is not None else None

    async def work() -> None:
        now = clock.now()
        before = await tokens.named(checked)
        if before is not None and before.revoked_at is None and before.link_digest is None:
            is_expired = before.state(now) is TokenState.EXPIRED
            raise (_expired(checked) if is_expired else refusals.taken("token", checked, "name"))
        ids = sorted(await _ids(warehouse_codes)) if warehouse_codes else None
        link_ends = now + LINK_LASTS if link_digest is not None else None
        new = ApiToken(UNSTORED, checked, digest, sorted(granted), ids, now, ends, None, link_digest, link_ends)
        if before is None:
            await tokens.insert(new)
        else:
            await tokens.update(before, replace(new, id=before.id))
        await outbox.add([ANY_TOKEN])

    await transactions.run(work)


def _expired(name: str) -> refusals.Refused:
    message = f"The token {refusals.shown(name)} already exists and has expired: revoke it to reuse its name."
    return refusals.Refusal(refusals.Code.ALREADY_EXISTS, message, ("name",)).only()


async def _ids(codes: Sequence[str]) -> frozenset[int]:
    codes = [catalog.text(code, "code", "warehouse") for code in codes]
    known = await warehouses.warehouses_by_code(set(codes))
    for code in codes:
        if code not in known:
            raise refusals.missing("warehouse", code, "warehouse")
    return frozenset(known[code].id for code in codes)


async def listed() -> list[TokenInfo]:
    """All tokens, including revoked ones, oldest first."""
    now = clock.now()
    found = await tokens.all_tokens()
    places = await warehouses.warehouses({one for token in found for one in token.warehouses or ()})
    return [
        TokenInfo(
            token.name,
            tuple(token.scopes),
            None if token.warehouses is None else tuple(sorted(places[one].code for one in token.warehouses)),
            token.created_at,
            token.expires_at,
            token.revoked_at,
            token.state(now),
        )
        for token in found
    ]


async def revoke(name: str) -> None:
    """Revoke a token. Connections that it opened end within seconds."""
    checked = catalog.text(name, "token name", "name")

    async def work() -> None:
        token = await tokens.named(checked)
        if token is None:
            raise refusals.missing("token", checked, "name")
        if token.revoked_at is not None:
            raise refusals.wrong_state(f"The token {refusals.shown(checked)} is already revoked.", "name")
        await tokens.update(token, replace(token, revoked_at=clock.now()))
        await outbox.add([ANY_TOKEN])

    await transactions.run(work)


async def callers(texts: Collection[str]) -> dict[str, Caller]:
    """The callers of valid tokens. Unknown, revoked and expired tokens are left out."""
    by_digest = {tokens.digest(token): token for token in texts}
    found = await reading.run(lambda: present.callers(by_digest))
    return {by_digest[digest]: caller for digest, caller in found.items()}
