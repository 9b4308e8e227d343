"""How URLs that name other servers are read."""

from urllib.parse import unquote

from gqlstock.environment import known_options, split_hosts, split_url, wrong
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
    parts, hosts = split_hosts(name, value, _SENTINELS, _SENTINEL_PORT)
    service, _, number = parts.path.removeprefix("/").partition("/")
    if not service or not (number.isdecimal() or not number) or parts.fragment:
        raise wrong(name, value, _SENTINELS)
    return Sentinels(
        tuple(hosts),
        unquote(service),
        int(number or 0),
        unquote(parts.username or "") or None,
        unquote(parts.password or "") or None,
        **known_options(name, value, parts.query, _ACCOUNT_OF_SENTINELS),
        tls=parts.scheme == "rediss+sentinel",
    )
