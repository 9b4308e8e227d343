"""Makes clients of Redis: of one server, or of the master that Sentinels name.

The client is an extra of the package, so it is only imported when used.
"""

import asyncio
import importlib
import re
from typing import Any

from gqlstock.rules.providers import Sentinels

# The library describes a Sentinel that failed by all settings of its client.
_CLIENT = re.compile(r"<redis\.asyncio\.client\.Redis\(.*?host=([^,]+),port=(\d+).*?\)>\)>\)> - ")


def client(servers: str | Sentinels, *, seconds: float, attempts: int = 1) -> Any:
    """A client of the server with this URL, or of the master that Sentinels name whenever it connects.

    Connecting and each answer take at most ``seconds``; a command is sent up to ``attempts`` times.
    """
    redis = importlib.import_module("redis.asyncio")
    limits: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    retry = _retry(attempts - 1)
    if isinstance(servers, str):
        return redis.Redis.from_url(servers, **limits, retry=retry)
    account = {"username": servers.user, "password": servers.password}
    account_of_sentinels = {"username": servers.sentinel_user, "password": servers.sentinel_password}
    limits["ssl"] = servers.tls
    # No second attempt at a Sentinel: there are others.
    sentinels = redis.Sentinel(
        servers.addresses, sentinel_kwargs={**limits, **account_of_sentinels, "retry": _retry(0)}
    )
    return sentinels.master_for(servers.service, db=servers.number, **limits, **account, retry=retry)


def _retry(times: int) -> Any:
    backoff = importlib.import_module("redis.backoff").NoBackoff()
    return importlib.import_module("redis.asyncio.retry").Retry(backoff, times)


def reason(error: Exception) -> str:
    """The message of an error, with the addresses of Sentinels that failed."""
    return _CLIENT.sub(r"\1:\2 ", str(error))


async def close(client: Any) -> None:
    """Close a client and, if it has them, its clients of Sentinels."""
    sentinels = getattr(client.connection_pool, "sentinel_manager", None)
    await asyncio.gather(client.aclose(), *(one.aclose() for one in (sentinels.sentinels if sentinels else ())))
