"""Finds the callers of tokens: API tokens of this server, and JWTs of the shop's identity provider."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from gqlstock.rules import claims as rules
from gqlstock.rules.claims import Identity
from gqlstock.rules.scopes import Caller
from gqlstock.services import tokens
from gqlstock.store import warehouses

ClaimsOf = Callable[[str], Awaitable[Mapping[str, Any] | None]]
"""The verified claims of a JWT; None for an invalid one."""


async def callers(texts: Collection[str], claims_of: ClaimsOf | None = None) -> dict[str, Caller]:
    """The caller of each valid token. A text with two dots is a JWT; API tokens have none."""
    jwts = [token for token in texts if token.count(".") == 2]
    found = await tokens.callers([token for token in texts if token not in jwts] if jwts else texts)
    if claims_of is None or not jwts:
        return found
    identities = {token: identity for token in jwts if (identity := _identity(await claims_of(token))) is not None}
    codes = {code for identity in identities.values() for code in identity.warehouses or ()}
    ids = {code: place.id for code, place in (await warehouses.warehouses_by_code(codes)).items()}
    return found | {token: _caller(identity, ids) for token, identity in identities.items()}


def _identity(claims: Mapping[str, Any] | None) -> Identity | None:
    return None if claims is None else rules.read(claims)


def _caller(identity: Identity, ids: Mapping[str, int]) -> Caller:
    codes = identity.warehouses
    return Caller(
        identity.name,
        f"jwt:{identity.subject}",
        identity.scopes,
        warehouses=None if codes is None else frozenset(ids[code] for code in codes if code in ids),
    )
