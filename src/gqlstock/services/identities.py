"""Whom those who call stand for: the name of a token of ours, or the subject of a token of the shop's identity provider."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from gqlstock.rules import claims as rules
from gqlstock.rules.claims import Identity
from gqlstock.rules.scopes import Caller
from gqlstock.services import tokens
from gqlstock.store import warehouses

ClaimsOf = Callable[[str], Awaitable[Mapping[str, Any] | None]]
"""What an identity provider vouches for with a token; None where it does not."""


async def callers(given: Collection[str], claims_of: ClaimsOf | None = None) -> dict[str, Caller]:
    """Whom tokens stand for, without those that stand for nobody. None of ours looks like a JWT."""
    jwts = [token for token in given if token.count(".") == 2]
    found = await tokens.callers([token for token in given if token not in jwts])
    if claims_of is None:
        return found
    identities = {token: identity for token in jwts if (identity := _identity(await claims_of(token))) is not None}
    codes = {code for identity in identities.values() for code in identity.warehouses or ()}
    ids = {code: place.id for code, place in (await warehouses.warehouses_by_code(codes)).items()}
    return found | {token: _caller(identity, ids) for token, identity in identities.items()}


def _identity(claims: Mapping[str, Any] | None) -> Identity | None:
    return None if claims is None else rules.read(claims)


def _caller(identity: Identity, ids: Mapping[str, int]) -> Caller:
    mine = identity.warehouses
    return Caller(
        identity.name,
        f"jwt:{identity.subject}",
        identity.scopes,
        warehouses=None if mine is None else frozenset(ids[code] for code in mine if code in ids),
    )
