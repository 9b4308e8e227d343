"""The shop's own identity provider: the keys that it publishes (JWKS), and which tokens (JWT) it vouches for with them."""

import asyncio
import contextlib
import functools
import logging
import ssl
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gqlstock.rules.providers import Issuer

log = logging.getLogger(__name__)

_FITS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", (None,))),
    "ES256": ("EC", ("P-256",)),
    "ES384": ("EC", ("P-384",)),
    "ES512": ("EC", ("P-521",)),
    "EdDSA": ("OKP", ("Ed25519", "Ed448")),
}
"""The algorithms that are taken, each with the type of key and the curves that it goes with: none with a shared secret."""

_CLAIMS = ("exp", "iss", "aud", "sub")
_FEWEST_BITS = 2_048
_LONGEST_TOKEN = 16_384
_MOST_VERIFIED = 4_096
_SECONDS_OF_LEEWAY = 30.0
_SECONDS_FRESH = 300.0
_SECONDS_BETWEEN = 10.0
_SECONDS_TO_ANSWER = 5.0


class IdentityProvider:
    """Says what a token's claims are, if the provider signed it for us and it is valid now. Never raises.

    Keys are kept, and asked for again when they are old, in passing: while the provider is away the known ones go on. A
    token with an unknown key asks for them at once, but not more often than every few seconds.
    """

    def __init__(
        self,
        of: Issuer,
        *,
        leeway: float = _SECONDS_OF_LEEWAY,
        fresh: float = _SECONDS_FRESH,
        between: float = _SECONDS_BETWEEN,
        seconds: float = _SECONDS_TO_ANSWER,
    ) -> None:
        self._of = of
        self._leeway = leeway
        self._fresh = fresh
        self._between = between
        self._seconds = seconds
        self._keys: list[Mapping[str, Any]] = []
        self._asked_at: float | None = None
        self._asking: asyncio.Task[None] | None = None
        # Lasting connections are looked at every few seconds: what a signature costs is paid once.
        self._verified: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    async def claims(self, token: str) -> Mapping[str, Any] | None:
        if len(token) > _LONGEST_TOKEN:
            return None
        if self._is_older_than(self._fresh):
            self._ask()
        known = self._verified.get(token)
        # By this machine's clock, as the library that checks the others.
        if known is not None and known["exp"] > time.time() - self._leeway:  # noqa: TID251
            self._verified.move_to_end(token)
            return known
        try:
            return await self._verify(token)
        except Exception as error:
            # Whatever strangers make a token of, and whatever a library says of it: it is refused.
            log.info("a JWT was refused: %s: %.200s", type(error).__name__, error)
            return None

    async def _verify(self, token: str) -> Mapping[str, Any] | None:
        header = jwt.get_unverified_header(token)
        algorithm, name = header.get("alg"), header.get("kid")
        if algorithm not in _FITS or "crit" in header:
            return None
        found = self._fitting(algorithm, name)
        if found is None and (name is None or all(key.get("kid") != name for key in self._keys)):
            await self._ask_at_once()
            found = self._fitting(algorithm, name)
        if found is None:
            log.info("a JWT was refused: the provider has no key %.80r for %s", name, algorithm)
            return None
        key = jwt.PyJWK(dict(found), algorithm).key
        if isinstance(key, RSAPublicKey) and key.key_size < _FEWEST_BITS:
            return None
        claims = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=self._of.audience,
            issuer=self._of.issuer,
            leeway=self._leeway,
            options={"require": list(_CLAIMS)},
        )
        self._verified[token] = {**claims, "exp": int(claims["exp"])}
        if len(self._verified) > _MOST_VERIFIED:
            self._verified.popitem(last=False)
        return claims

    def _fitting(self, algorithm: str, name: str | None) -> Mapping[str, Any] | None:
        """The key of that name for the algorithm; without a name, the only one there is for it."""
        fitting = [key for key in self._keys if _fits(key, algorithm) and name in (None, key.get("kid"))]
        return fitting[0] if len(fitting) == 1 or (fitting and name is not None) else None

    async def _ask_at_once(self) -> None:
        """Have the keys asked for, if they were not just before, and wait for the answer."""
        if self._asking is None and self._is_older_than(self._between):
            self._ask()
        if self._asking is not None:
            # Who asked first may go away: the others still wait.
            await asyncio.shield(self._asking)

    def _is_older_than(self, seconds: float) -> bool:
        return self._asked_at is None or time.monotonic() - self._asked_at >= seconds

    def _ask(self) -> None:
        if self._asking is None:
            self._asked_at = time.monotonic()
            self._asking = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._seconds), _client() as client:
                answer = await client.get(self._of.jwks_url)
                answer.raise_for_status()
                found = _usable(answer.json())
            if found != self._keys:
                # What a key that is gone has vouched for is not taken any more.
                self._keys, self._verified = found, OrderedDict()
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            log.warning("%s gave no keys, those known go on: %.200s", self._of.jwks_url, told)
        finally:
            self._asking = None

    async def aclose(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._asking


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=_certificates(), trust_env=False)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Those that a provider's certificate is checked by. To read them takes 20 ms, in which nobody else is answered."""
    return httpx.create_ssl_context(trust_env=False)


def _usable(told: Any) -> list[Mapping[str, Any]]:
    """The keys of a JWKS document that a token can be checked with."""
    given = told.get("keys") if isinstance(told, dict) else None
    found = [key for key in given if isinstance(key, dict)] if isinstance(given, list) else []
    usable: list[Mapping[str, Any]] = [key for key in found if any(_fits(key, algorithm) for algorithm in _FITS)]
    if not usable:
        raise ValueError("there is no key for signatures in the answer")
    return usable


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    kind, curves = _FITS[algorithm]
    return (
        key.get("kty") == kind
        and (None in curves or key.get("crv") in curves)
        and key.get("alg") in (None, algorithm)
        and key.get("use") in (None, "sig")
    )
