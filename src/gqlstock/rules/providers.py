"""The servers of others that this one works with, as the configuration names them."""

from dataclasses import dataclass, field


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


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Redis Sentinels, and the service whose master they name. ``tls``: to the Sentinels and to the master."""

    addresses: tuple[tuple[str, int], ...]
    service: str
    number: int = 0
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_user: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    tls: bool = False
