"""Reads the URL of the database: a SQLite file, or PostgreSQL on one host or several."""

from pathlib import Path
from urllib.parse import unquote

from gqlstock.environment import known_options, split_hosts, wrong
from gqlstock.store.db.connection import DatabaseUrl, Postgres, SqliteFile

NAME = "GQLSTOCK_DATABASE_URL"

_FORMS = "sqlite:///path/to.db or postgres://user:password@host:port/name"
_SSL = "sslmode"
_STATEMENTS = "statement_cache_size"
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_CONNECT_SECONDS = 10
_PORT = 5432


def parsed(value: str) -> DatabaseUrl:
    """The database that a URL names. Raises ``ConfigError``."""
    scheme = value.partition("://")[0]
    if scheme == "sqlite":
        return _sqlite(value)
    if scheme in ("postgres", "postgresql"):
        return _postgres(value)
    raise wrong(NAME, value, f"write {_FORMS}.")


def _sqlite(value: str) -> SqliteFile:
    written = value.removeprefix("sqlite://")
    if not written.startswith("/") or written == "/" or written.endswith("/") or "?" in written:
        raise wrong(NAME, value, "write sqlite:///path/to.db.")
    if written == "/:memory:":
        raise wrong(NAME, value, "the database is a file: write sqlite:///path/to.db.")
    path = _path(written)
    if not path.parent.is_dir():
        raise wrong(NAME, value, f"there is no directory {path.parent}: make it, or name another.")
    if path.is_dir():
        raise wrong(NAME, value, f"{path} is a directory: name a file.")
    return SqliteFile(str(path))


def _path(written: str) -> Path:
    """Three slashes are relative and four absolute, as in SQLAlchemy; but three before /var/lib mean /var/lib."""
    relative, absolute = Path(written[1:]), Path(written)
    meant = absolute.parent != Path("/") and absolute.parent.is_dir() and not relative.parent.is_dir()
    return absolute if meant else relative


def _postgres(value: str) -> Postgres:
    right = "write postgres://user:password@host:port/name, with several hosts host:port,host:port."
    parts, hosts = split_hosts(NAME, value, right, _PORT)
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name or parts.fragment:
        raise wrong(NAME, value, right)
    names, ports = [host for host, _ in hosts], [port for _, port in hosts]
    credentials = {
        "host": names if len(hosts) > 1 else names[0],
        "port": ports if len(hosts) > 1 else ports[0],
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": name,
        "timeout": _CONNECT_SECONDS,
    }
    return Postgres(**credentials, **_options(value, parts.query))


def _options(value: str, query: str) -> dict[str, str | int]:
    given = known_options(NAME, value, query, (_SSL, _STATEMENTS))
    options: dict[str, str | int] = {}
    if _SSL in given:
        if given[_SSL] not in _SSL_MODES:
            raise wrong(NAME, value, f"{_SSL} is one of {', '.join(_SSL_MODES)}.")
        options["ssl"] = given[_SSL]
    if _STATEMENTS in given:
        if not (given[_STATEMENTS].isdecimal() and len(given[_STATEMENTS]) < 5):
            raise wrong(NAME, value, f"{_STATEMENTS} is a number, 0 to 9999.")
        options[_STATEMENTS] = int(given[_STATEMENTS])
    return options
