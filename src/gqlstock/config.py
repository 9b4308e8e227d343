"""The one reader of the environment, and one frozen ``Config`` for everything else."""

import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote

from gqlstock import database_url
from gqlstock.environment import ConfigError as ConfigError
from gqlstock.environment import email, one_of, split_url, switch, unknown_names, web_address, whole, wrong
from gqlstock.graphql.http import manifest
from gqlstock.logs import LogFormat, LogLevel
from gqlstock.rules.limits import Limits, PublicHolds, PublicRate, Rate
from gqlstock.rules.providers import Issuer, Sentinels, SmtpServer
from gqlstock.servers import redis_servers
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from gqlstock.store.db.connection import SqliteFile as SqliteFile

_DATABASE = database_url.NAME
_REDIS = "GQLSTOCK_REDIS_URL"
_CORS_ORIGINS = "GQLSTOCK_CORS_ORIGINS"
_PUBLIC_ORDERS = "GQLSTOCK_PUBLIC_ORDERS"
_PUBLIC_HOLDS = "GQLSTOCK_PUBLIC_HOLDS"
_EXECUTOR = "GQLSTOCK_EXECUTOR"
_SMTP = "GQLSTOCK_SMTP_URL"
_MAIL_FROM = "GQLSTOCK_MAIL_FROM"
_ADMIN_EMAILS = "GQLSTOCK_ADMIN_EMAILS"
UNSUBSCRIBE = "GQLSTOCK_UNSUBSCRIBE_URL"
_PRIVATE_WEBHOOKS = "GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES"
_NEWS_RETENTION = "GQLSTOCK_NEWS_RETENTION_DAYS"
_BODY_BYTES = "GQLSTOCK_MAX_BODY_BYTES"
_DEPTH = "GQLSTOCK_MAX_DEPTH"
_COMPLEXITY = "GQLSTOCK_MAX_COMPLEXITY"
_SUBSCRIPTIONS = "GQLSTOCK_MAX_SUBSCRIPTIONS"
_SUBSCRIPTIONS_OF_ADDRESS = "GQLSTOCK_MAX_SUBSCRIPTIONS_PER_ADDRESS"
_QUERY_SECONDS = "GQLSTOCK_QUERY_TIMEOUT_SECONDS"
_PUBLIC_RATE = "GQLSTOCK_PUBLIC_RATE"
_PUBLIC_INTROSPECTION = "GQLSTOCK_PUBLIC_INTROSPECTION"
_PERSISTED_ONLY = "GQLSTOCK_PERSISTED_ONLY"
_JWT_ISSUER = "GQLSTOCK_JWT_ISSUER"
_JWT_AUDIENCE = "GQLSTOCK_JWT_AUDIENCE"
_JWKS = "GQLSTOCK_JWKS_URL"

_LOG_FORMAT = "GQLSTOCK_LOG_FORMAT"
_LOG_LEVEL = "GQLSTOCK_LOG_LEVEL"
_METRICS_TOKEN = "GQLSTOCK_METRICS_TOKEN"
_GRACE = "GQLSTOCK_GRACE_SECONDS"
_DRAIN = "GQLSTOCK_DRAIN_SECONDS"
_CACHE = "GQLSTOCK_CACHE_MB"
_WAIT = "GQLSTOCK_DATABASE_WAIT_SECONDS"

_NAMES = frozenset(
    value for name, value in list(globals().items()) if name.isupper() and str(value).startswith("GQLSTOCK_")
)
"""The names of all variables that are read."""

_OTEL_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_MOST_DAYS = 3_650
_MOST_SECONDS = 3_600
_MOST_MEGABYTES = 65_536
_MEGABYTE = 1_024 * 1_024
_MOST_HOLDS = 100_000
_MOST_SUBSCRIPTIONS = 1_000_000
_SHORTEST_TOKEN = 16
_DEFAULT_FILE = "gqlstock.db"
_SECONDS = {"second": 1, "minute": 60, "hour": 3_600}
_SMTP_PORTS = {"smtp": 25, "smtps": 465}
_LOG_ONLY_SENDER = "gqlstock@localhost"
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Executor(StrEnum):
    """What executes GraphQL operations: our own, or the one that Strawberry comes with."""

    BREADTH_FIRST = "breadth-first"
    GRAPHQL_CORE = "graphql-core"


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def unknown(environ: Mapping[str, str]) -> list[str]:
    """A warning for each variable that looks like ours and is not read."""
    return unknown_names(environ, _NAMES)


def site(host: str, port: int) -> str:
    """The address at which this machine reaches a server that listens on a host and port."""
    host = _REACHED_AT.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def unsubscribe_page(host: str, port: int) -> str:
    """The link to a server's own page, for who runs it without a page of the shop's."""
    return f"{site(host, port)}/unsubscribe?token={{token}}"


_OWN_PAGE = unsubscribe_page("127.0.0.1", 8000)


@dataclass(frozen=True, slots=True)
class Config:
    """How this process runs. ``redis`` None: the only process; ``smtp`` None: mail goes to the log.

    ``jwt_issuer`` None: our own tokens alone are taken.
    """

    database: DatabaseUrl
    redis: str | Sentinels | None = None
    cors_origins: tuple[str, ...] = ()
    public_orders: bool = False
    public_holds: PublicHolds = PublicHolds()
    executor: Executor = Executor.BREADTH_FIRST
    smtp: SmtpServer | None = None
    mail_from: str = _LOG_ONLY_SENDER
    admin_emails: tuple[str, ...] = ()
    unsubscribe_url: str = _OWN_PAGE
    private_webhooks: bool = False
    news_retention: timedelta = timedelta(days=7)
    limits: Limits = Limits()
    public_rate: PublicRate = PublicRate()
    persisted: Mapping[str, str] | None = None
    jwt_issuer: Issuer | None = None
    log_format: LogFormat = LogFormat.TEXT
    log_level: LogLevel = LogLevel.INFO
    metrics_token: str | None = field(default=None, repr=False)
    grace: timedelta = timedelta(seconds=10)
    """How long what is being answered may take when the process is asked to end."""
    drain: timedelta = timedelta(0)
    """How long it goes on as before then, while it says that it is not ready."""
    cache_bytes: int = 64 * _MEGABYTE
    """What may be kept in memory to answer queries again."""
    database_wait: timedelta = timedelta(seconds=30)
    """How long requests wait for PostgreSQL during an outage."""
    tracing: bool = False
    """Whether OpenTelemetry is installed and its own variables configure where to send spans."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str], installed: Callable[[str], bool] = _installed) -> "Config":
        """Read the environment; ``installed`` says whether an optional package is there. Empty is as unset."""
        given = {name: value.strip() for name, value in environ.items() if value.strip()}
        database = database_url.parsed(given[_DATABASE]) if _DATABASE in given else SqliteFile(_DEFAULT_FILE)
        if isinstance(database, Postgres) and not installed("asyncpg"):
            raise ConfigError(f"{_DATABASE}: PostgreSQL needs asyncpg: pip install 'gqlstock[postgres]'")
        if _REDIS in given and not installed("redis"):
            raise ConfigError(f"{_REDIS}: Redis needs its client: pip install 'gqlstock[redis]'")
        return cls(
            database=database,
            redis=redis_servers(_REDIS, given[_REDIS]) if _REDIS in given else None,
            cors_origins=_origins(given.get(_CORS_ORIGINS, "")),
            public_orders=switch(_PUBLIC_ORDERS, given.get(_PUBLIC_ORDERS, "false")),
            public_holds=PublicHolds(active=whole(given, _PUBLIC_HOLDS, PublicHolds().active, 1, _MOST_HOLDS)),
            executor=one_of(Executor, _EXECUTOR, given.get(_EXECUTOR, Executor.BREADTH_FIRST)),
            smtp=_smtp(given[_SMTP]) if _SMTP in given else None,
            mail_from=_sender(given),
            admin_emails=_emails(given.get(_ADMIN_EMAILS, "")),
            unsubscribe_url=_unsubscribe(given.get(UNSUBSCRIBE, _OWN_PAGE)),
            private_webhooks=switch(_PRIVATE_WEBHOOKS, given.get(_PRIVATE_WEBHOOKS, "false")),
            news_retention=timedelta(days=whole(given, _NEWS_RETENTION, 7, 1, _MOST_DAYS, unit="days")),
            limits=_limits(given),
            public_rate=_rate(given[_PUBLIC_RATE]) if _PUBLIC_RATE in given else PublicRate(),
            persisted=_persisted(given[_PERSISTED_ONLY]) if _PERSISTED_ONLY in given else None,
            jwt_issuer=_issuer(given),
            log_format=one_of(LogFormat, _LOG_FORMAT, given.get(_LOG_FORMAT, LogFormat.TEXT)),
            log_level=one_of(LogLevel, _LOG_LEVEL, given.get(_LOG_LEVEL, LogLevel.INFO)),
            metrics_token=_token(given[_METRICS_TOKEN]) if _METRICS_TOKEN in given else None,
            grace=timedelta(seconds=whole(given, _GRACE, 10, 1, _MOST_SECONDS, unit="seconds")),
            drain=timedelta(seconds=whole(given, _DRAIN, 0, 0, _MOST_SECONDS, unit="seconds")),
            cache_bytes=whole(given, _CACHE, 64, 0, _MOST_MEGABYTES, unit="megabytes") * _MEGABYTE,
            database_wait=timedelta(seconds=whole(given, _WAIT, 30, 0, _MOST_SECONDS, unit="seconds")),
            tracing=_is_traced(given) and installed("opentelemetry.exporter.otlp.proto.http"),
        )


def _origins(value: str) -> tuple[str, ...]:
    origins = tuple(value.replace(",", " ").split())
    for origin in origins:
        parts = split_url(_CORS_ORIGINS, origin, "write https://shop.example, or *.")
        exact = parts.scheme in ("http", "https") and origin == f"{parts.scheme}://{parts.netloc}" and parts.hostname
        if origin != "*" and not exact:
            raise wrong(_CORS_ORIGINS, origin, "write origins such as https://shop.example with commas between, or *.")
    return origins


def _smtp(value: str) -> SmtpServer:
    right = "write smtp://user:password@host:port, smtps:// for TLS from the first byte."
    parts = split_url(_SMTP, value, right)
    if parts.scheme not in _SMTP_PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise wrong(_SMTP, value, right)
    return SmtpServer(
        host=parts.hostname,
        port=parts.port or _SMTP_PORTS[parts.scheme],
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=parts.scheme == "smtps",
    )


def _sender(given: Mapping[str, str]) -> str:
    if _MAIL_FROM in given:
        return email(_MAIL_FROM, given[_MAIL_FROM])
    if _SMTP in given:
        raise ConfigError(f"{_MAIL_FROM} is not set: with {_SMTP} mail needs an address that it comes from.")
    return _LOG_ONLY_SENDER


def _emails(value: str) -> tuple[str, ...]:
    given = (email(_ADMIN_EMAILS, one) for one in value.replace(",", " ").split())
    return tuple(dict.fromkeys(given))


def _unsubscribe(value: str) -> str:
    right = "write a URL with {token} in it, such as https://shop.example/unsubscribe?token={token}."
    if "{token}" not in value:
        raise wrong(UNSUBSCRIBE, value, right)
    return web_address(UNSUBSCRIBE, value, right)


def _limits(given: Mapping[str, str]) -> Limits:
    usual = Limits()
    return Limits(
        body_bytes=whole(given, _BODY_BYTES, usual.body_bytes, 1_000, 100_000_000),
        depth=whole(given, _DEPTH, usual.depth, 1, 100),
        complexity=whole(given, _COMPLEXITY, usual.complexity, 1, 1_000_000_000),
        query_seconds=whole(given, _QUERY_SECONDS, int(usual.query_seconds), 1, _MOST_SECONDS),
        subscriptions_of_address=whole(
            given, _SUBSCRIPTIONS_OF_ADDRESS, usual.subscriptions_of_address, 1, _MOST_SUBSCRIPTIONS
        ),
        subscriptions=whole(given, _SUBSCRIPTIONS, usual.subscriptions, 1, _MOST_SUBSCRIPTIONS),
        public_introspection=switch(_PUBLIC_INTROSPECTION, given.get(_PUBLIC_INTROSPECTION, "true")),
    )


def _rate(value: str) -> PublicRate:
    most, _, per = value.partition("/")
    if not (most.isascii() and most.isdigit() and len(most) <= 9 and int(most) > 0 and per in _SECONDS):
        raise wrong(_PUBLIC_RATE, value, f"write a number and one of {', '.join(_SECONDS)}, such as 600/minute.")
    return PublicRate(requests=Rate(int(most), _SECONDS[per]), this_machine=True)


def _persisted(path: str) -> Mapping[str, str]:
    try:
        return manifest.documents(json.loads(Path(path).read_bytes()))
    except OSError as error:
        raise wrong(_PERSISTED_ONLY, path, f"it cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise wrong(_PERSISTED_ONLY, path, "it is not JSON.") from None
    except ValueError as error:
        raise wrong(_PERSISTED_ONLY, path, f"{error}.") from None


def _issuer(given: Mapping[str, str]) -> Issuer | None:
    names = (_JWT_ISSUER, _JWT_AUDIENCE, _JWKS)
    there = [name for name in names if name in given]
    if not there:
        return None
    for name in names:
        if name not in given:
            raise ConfigError(f"{name} is not set: with {there[0]} all of {', '.join(names)} are needed.")
    right = "write where the provider's keys are, such as https://login.shop.example/jwks.json."
    return Issuer(given[_JWT_ISSUER], given[_JWT_AUDIENCE], web_address(_JWKS, given[_JWKS], right))


def _token(value: str) -> str:
    if len(value) < _SHORTEST_TOKEN or not (value.isascii() and value.isprintable()) or " " in value:
        raise ConfigError(
            f"{_METRICS_TOKEN}: write at least {_SHORTEST_TOKEN} characters without a space, such as letters and digits."
        )
    return value


def _is_traced(given: Mapping[str, str]) -> bool:
    off = given.get("OTEL_SDK_DISABLED", "").lower() == "true" or given.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(name in given for name in _OTEL_ENDPOINTS)
