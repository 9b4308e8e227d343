"""An identity provider for tests: it publishes its own keys at a URL, and signs tokens with them."""

import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gqlstock.rules.providers import Issuer
from support.webhook_receiver import Received, Receiver, receiving

ISSUER = "https://login.shop.example"
AUDIENCE = "gqlstock"
SCOPES = "inventory:read"

Private = Any
_CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


def private(algorithm: str, bits: int = 2_048) -> Private:
    """A new key for an algorithm."""
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm]())
    if algorithm in ("EdDSA", "Ed448"):
        return ed25519.Ed25519PrivateKey.generate() if algorithm == "EdDSA" else ed448.Ed448PrivateKey.generate()
    return rsa.generate_private_key(65_537, bits)


def public(key: Private, **members: Any) -> dict[str, Any]:
    """The public half of a key as a JWK."""
    kinds = {rsa.RSAPrivateKey: RSAAlgorithm, ec.EllipticCurvePrivateKey: ECAlgorithm}
    algorithm: Any = next((made for kind, made in kinds.items() if isinstance(key, kind)), OKPAlgorithm)
    return algorithm.to_jwk(key.public_key(), as_dict=True) | members


def document(*keys: dict[str, Any]) -> bytes:
    """A JWKS document, as a complete HTTP answer."""
    return answer(json.dumps({"keys": keys}).encode())


def answer(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close"
    return f"{head}\r\n\r\n".encode() + body


@dataclass
class Provider:
    """``told``: the answer of the URL; None: it never answers."""

    receiver: Receiver
    key: Private = field(default_factory=lambda: private("ES256"))
    name: str = "one"
    told: bytes | int | None = None

    def __post_init__(self) -> None:
        self.told = document(public(self.key, kid=self.name))
        self.receiver.answer = self._answer

    def _answer(self, _: Received) -> bytes | int | None:
        return self.told

    @property
    def issuer(self) -> Issuer:
        return Issuer(ISSUER, AUDIENCE, self.receiver.url("/jwks.json"))

    @property
    def asked(self) -> int:
        """How often the keys were requested."""
        return len(self.receiver.received)

    @property
    def env(self) -> dict[str, str]:
        """The environment of a server that accepts its tokens."""
        return {
            "GQLSTOCK_JWT_ISSUER": ISSUER,
            "GQLSTOCK_JWT_AUDIENCE": AUDIENCE,
            "GQLSTOCK_JWKS_URL": self.receiver.url("/jwks.json"),
        }

    def rotate(self) -> None:
        """Rotate to a new key, and publish only that one."""
        self.key, self.name = private("ES256"), f"{self.name}+"
        self.told = document(public(self.key, kid=self.name))

    def token(
        self,
        *,
        algorithm: str = "ES256",
        key: Any = None,
        headers: dict[str, Any] | None = None,
        lasts: float = 60,
        ahead: Mapping[str, float] | None = None,
        without: str | None = None,
        **claims: Any,
    ) -> str:
        """A token, valid except for the given claims. ``ahead``: time claims, in seconds from now."""
        now = time.time()
        claims |= {name: now + seconds for name, seconds in (ahead or {}).items()}
        whole = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u-1", "iat": now, "exp": now + lasts, "scope": SCOPES} | claims
        return jwt.encode(
            {name: value for name, value in whole.items() if name != without},
            self.key if key is None else key,
            algorithm,
            headers={"kid": self.name} if headers is None else headers,
        )


@contextlib.asynccontextmanager
async def providing() -> AsyncIterator[Provider]:
    """A running provider."""
    async with receiving() as receiver:
        yield Provider(receiver)
