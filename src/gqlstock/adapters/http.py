"""Calling webhooks: to public addresses only unless told otherwise, and to the very address that was checked."""

import asyncio
import importlib.metadata
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Mapping

import httpx

from gqlstock.adapters.webhook_calls import Answer
from gqlstock.rules import addresses
from gqlstock.rules.addresses import Address

_SECONDS = 15.0
_MOST_READ = 2_000
_MOST_TOLD = 200
_AGENT = f"gqlstock/{importlib.metadata.version('gqlstock')}"

Resolve = Callable[[str, int], Awaitable[list[Address]]]
"""The addresses of a name."""


async def resolve(name: str, port: int) -> list[Address]:
    """The addresses that the system's resolver gives for a name, in its order."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found))


class _Refused(Exception):
    """Not to be called at all."""


class Http:
    """Posts to URLs. No redirects, no proxies, one connection for each call.

    A connection kept open belongs to the name that its certificate was checked for, and the pool would know it by its
    address alone.
    """

    def __init__(
        self, *, private_addresses: bool = False, resolve: Resolve = resolve, seconds: float = _SECONDS
    ) -> None:
        self._private_addresses = private_addresses
        self._resolve = resolve
        self._seconds = seconds
        self._made: httpx.AsyncClient | None = None

    async def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        """Call a URL; whatever goes wrong is part of the answer."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(httpx.URL(url), body, headers)
        except TimeoutError:
            return Answer(None, f"There was no answer within {self._seconds:g} seconds.")
        except (OSError, httpx.HTTPError, httpx.InvalidURL, UnicodeError, _Refused) as error:
            return Answer(None, str(error)[:_MOST_TOLD] or type(error).__name__)

    async def aclose(self) -> None:
        if self._made is not None:
            await self._made.aclose()
            self._made = None

    async def _post(self, url: httpx.URL, body: str, headers: Mapping[str, str]) -> Answer:
        *others, last = await self._addresses(url)
        for address in others:
            try:
                return await self._call(url, address, body, headers)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._call(url, last, body, headers)

    async def _addresses(self, url: httpx.URL) -> list[Address]:
        """Where the URL leads; refused as soon as one of its addresses is not to be called."""
        host = url.raw_host.decode("ascii")
        given = addresses.parse(host)
        port = url.port or (443 if url.scheme == "https" else 80)
        found = [given] if given is not None else await self._resolve(host, port)
        if not found:
            raise _Refused(f"{host} has no address.")
        if not self._private_addresses and not all(addresses.is_public(address) for address in found):
            # Which one it is, is the business of whoever runs that network.
            raise _Refused(f"{host} leads to a private address: webhooks go to public ones only.")
        return found

    async def _call(self, url: httpx.URL, address: Address, body: str, headers: Mapping[str, str]) -> Answer:
        name = url.raw_host.decode("ascii")
        called = self._client.stream(
            "POST",
            url.copy_with(host=str(address)),
            content=body.encode(),
            headers={**headers, "host": url.netloc.decode("ascii"), "user-agent": _AGENT},
            extensions={"sni_hostname": name},
        )
        async with called as response:
            if response.is_success:
                return Answer(response.status_code, None)
            told = await _beginning(response)
            return Answer(response.status_code, f"It answered {response.status_code}{f': {told}' if told else '.'}")

    @property
    def _client(self) -> httpx.AsyncClient:
        if self._made is None:
            self._made = httpx.AsyncClient(
                timeout=self._seconds,
                follow_redirects=False,
                trust_env=False,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            )
        return self._made


async def _beginning(response: httpx.Response) -> str:
    """The first words of an answer, of however much of it."""
    read = b""
    async for part in response.aiter_raw(_MOST_READ):
        read += part
        if len(read) >= _MOST_READ:
            break
    told = " ".join(read[:_MOST_READ].decode("utf-8", "replace").replace("\x00", "").split())
    return told[:_MOST_TOLD]
