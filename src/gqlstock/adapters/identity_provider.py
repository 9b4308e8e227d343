"""The shop's identity provider: fetches its published keys (JWKS) and verifies tokens (JWT) signed with them."""

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

_ALGORITHMS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", (None,))),
    "ES256": ("EC", ("P-256",)),
    "ES384": ("EC", ("P-384",)),
    "ES512": ("EC", ("P-521",)),
    "EdDSA": ("OKP", ("Ed25519", "Ed448")),
}
"""The accepted algorithms, each with its key type and curves. None uses a shared secret."""

_CLAIMS = ("exp", "iss", "aud", "sub")
_MIN_RSA_BITS = 2_048
_MAX_TOKEN_LENGTH = 16_384
_MAX_VERIFIED = 4_096
_SECONDS_OF_LEEWAY = 30.0
_SECONDS_FRESH = 300.0
_SECONDS_BETWEEN_FETCHES = 10.0
_SECONDS_TO_FETCH = 5.0


class IdentityProvider:
    """Returns a token's claims if the provider signed it for this server and it is valid now. Never raises.

    Keys are cached. Stale keys are refreshed in the background and stay in use while the provider is down. A token with
    an unknown key triggers a fetch immediately, but at most one every few seconds.
    """

    def __init__(
        self,
        of: Issuer,
        *,
        leeway: float = _SECONDS_OF_LEEWAY,
        fresh: float = _SECONDS_FRESH,
        between: float = _SECONDS_BETWEEN_FETCHES,
        seconds: float = _SECONDS_TO_FETCH,
    ) -> None:
        self._of = of
        self._leeway = leeway
        self._fresh = fresh
        self._between = between
        self._seconds = seconds
        self._keys: list[Mapping[str, Any]] = []
        self._refreshed_at: float | None = None
        self._refreshing: asyncio.Task[None] | None = None
        # Long-lived connections are checked every few seconds. The cache saves verifying the signature each time.
        self._verified: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    async def claims(self, token: str) -> Mapping[str, Any] | None:
        if len(token) > _MAX_TOKEN_LENGTH:
            return None
        if self._is_older_than(self._fresh):
            self._refresh()
        known = self._verified.get(token)
        # This machine's clock, which the library uses to verify claims as well.
        if known is not None and known["exp"] > time.time() - self._leeway:  # noqa: TID251
            self._verified.move_to_end(token)
            return known
        try:
            return await self._verify(token)
        except Exception as error:
            # Tokens are untrusted input. Whatever error a library raises, the token is rejected.
            log.info("JWT rejected: %s: %.200s", type(error).__name__, error)
            return None

    async def _verify(self, token: str) -> Mapping[str, Any] | None:
        header = jwt.get_unverified_header(token)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in _ALGORITHMS or "crit" in header:
            return None
        found = self._fitting(algorithm, key_id)
        if found is None and (key_id is None or all(key.get("kid") != key_id for key in self._keys)):
            await self._refresh_now()
            found = self._fitting(algorithm, key_id)
        if found is None:
            log.info("JWT rejected: the provider has no key %.80r for %s", key_id, algorithm)
            return None
        key = jwt.PyJWK(dict(found), algorithm).key
        if isinstance(key, RSAPublicKey) and key.key_size < _MIN_RSA_BITS:
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
        if len(self._verified) > _MAX_VERIFIED:
            self._verified.popitem(last=False)
        return claims

    def _fitting(self, algorithm: str, key_id: str | None) -> Mapping[str, Any] | None:
        """The key with this id for the algorithm; without an id, the only key for it."""
        fitting = [key for key in self._keys if _fits(key, algorithm) and key_id in (None, key.get("kid"))]
        return fitting[0] if len(fitting) == 1 or (fitting and key_id is not None) else None

    async def _refresh_now(self) -> None:
        """Fetch the keys and wait for them, unless they were fetched just now."""
        if self._refreshing is None and self._is_older_than(self._between):
            self._refresh()
        if self._refreshing is not None:
            # The first caller may be canceled while others still wait.
            await asyncio.shield(self._refreshing)

    def _is_older_than(self, seconds: float) -> bool:
        return self._refreshed_at is None or time.monotonic() - self._refreshed_at >= seconds

    def _refresh(self) -> None:
        if self._refreshing is None:
            self._refreshed_at = time.monotonic()
            self._refreshing = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._seconds), _client() as client:
                answer = await client.get(self._of.jwks_url)
                answer.raise_for_status()
                found = _usable(answer.json())
            if found != self._keys:
                # Tokens signed with a removed key are no longer accepted.
                self._keys, self._verified = found, OrderedDict()
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            log.warning("fetching keys from %s failed, keeping the known ones: %.200s", self._of.jwks_url, reason)
        finally:
            self._refreshing = None

    async def aclose(self) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._refreshing


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=_certificates(), trust_env=False)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """The CA certificates for the provider's connection. Cached, because loading them blocks the event loop for 20 ms."""
    return httpx.create_ssl_context(trust_env=False)


def _usable(document: Any) -> list[Mapping[str, Any]]:
    """The keys of a JWKS document that can verify tokens."""
    listed = document.get("keys") if isinstance(document, dict) else None
    found = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    usable: list[Mapping[str, Any]] = [key for key in found if any(_fits(key, algorithm) for algorithm in _ALGORITHMS)]
    if not usable:
        raise ValueError("the document contains no signature key")
    return usable


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    kind, curves = _ALGORITHMS[algorithm]
    return (
        key.get("kty") == kind
        and (None in curves or key.get("crv") in curves)
        and key.get("alg") in (None, algorithm)
        and key.get("use") in (None, "sig")
    )
