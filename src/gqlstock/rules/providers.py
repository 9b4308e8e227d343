"""The servers of others that this one works with, as the configuration names them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are taken, for whom they must be meant, and where the keys are."""

    issuer: str
    audience: str
    jwks_url: str


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """``tls``: from the first byte; else as soon as the server offers it."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    tls: bool = False
