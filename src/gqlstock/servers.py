"""How URLs that name other servers are read."""

from urllib.parse import parse_qsl, unquote, urlsplit

from gqlstock.environment import split_url, wrong
from gqlstock.rules.providers import Sentinels

_REDIS = "write redis://host:port/number, rediss:// for TLS."
_SENTINELS = "write redis+sentinel://host:26379,host:26379/service/number, rediss+sentinel:// for TLS."
_SENTINEL_PORT = 26379
_ACCOUNT_OF_SENTINELS = ("sentinel_user", "sentinel_password")


def redis_servers(name: str, value: str) -> str | Sentinels:
    """The URL of a Redis, or the Sentinels that it names."""
    scheme = value.partition("://")[0]
    if scheme in ("redis+sentinel", "rediss+sentinel"):
        return _sentinels(name, value)
    parts = split_url(name, value, _REDIS)
    number = parts.path.removeprefix("/")
    if scheme not in ("redis", "rediss") or not parts.hostname or not (number.isdigit() or not number):
        raise wrong(name, value, _REDIS)
    return value


def _sentinels(name: str, value: str) -> Sentinels:
    try:
        parts = urlsplit(value)
        account, _, hosts = parts.netloc.rpartition("@")
        addresses = tuple(_address(host, _SENTINEL_PORT) for host in hosts.split(","))
    except ValueError:
        raise wrong(name, value, _SENTINELS) from None
    service, _, number = parts.path.removeprefix("/").partition("/")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not service or not (number.isdecimal() or not number) or parts.fragment:
        raise wrong(name, value, _SENTINELS)
    unknown = [one for one in given if one not in _ACCOUNT_OF_SENTINELS]
    if unknown:
        raise wrong(
            name, value, f"{unknown[0]} is not known; behind the ? there can be {' and '.join(_ACCOUNT_OF_SENTINELS)}."
        )
    user, _, password = (unquote(part) or None for part in account.partition(":"))
    return Sentinels(
        addresses,
        unquote(service),
        int(number or 0),
        user,
        password,
        **given,
        tls=parts.scheme == "rediss+sentinel",
    )


def _address(written: str, port: int) -> tuple[str, int]:
    """A host and its port. Raises ``ValueError`` if it is not one."""
    parts = urlsplit(f"//{written}")
    if not parts.hostname or parts.netloc != written:
        raise ValueError(written)
    return parts.hostname, parts.port or port
