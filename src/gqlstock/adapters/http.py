"""Posts webhooks to exactly the address that was checked. By default only public addresses are called."""

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
_MAX_BYTES_READ = 2_000
_MAX_ERROR_LENGTH = 200
_AGENT = f"gqlstock/{importlib.metadata.version('gqlstock')}"

Resolve = Callable[[str, int], Awaitable[list[Address]]]
"""Resolves a host name and a port to addresses."""


async def resolve(name: str, port: int) -> list[Address]:
    """The addresses of a name from the system's resolver, in its order."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found))


class _Refused(Exception):
    """The URL must not be called."""


class Http:
    """Posts to URLs without redirects and proxies, on one connection per call.

    Connections are not reused: the pool would identify them by address, but their certificates were checked for a name.
    """

    def __init__(
        self, *, private_addresses: bool = False, resolve: Resolve = resolve, seconds: float = _SECONDS
    ) -> None:
        self._private_addresses = private_addresses
        self._resolve = resolve
        self._seconds = seconds
        self._opened: httpx.AsyncClient | None = None

    async def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        """Call a URL. Errors are part of the answer."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(httpx.URL(url), body, headers)
        except TimeoutError:
            return Answer(None, f"No answer within {self._seconds:g} seconds.")
        except (OSError, httpx.HTTPError, httpx.InvalidURL, UnicodeError, _Refused) as error:
            return Answer(None, str(error)[:_MAX_ERROR_LENGTH] or type(error).__name__)

    async def aclose(self) -> None:
        if self._opened is not None:
            await self._opened.aclose()
            self._opened = None

    async def _post(self, url: httpx.URL, body: str, headers: Mapping[str, str]) -> Answer:
        *others, last = await self._addresses(url)
        for address in others:
            try:
                return await self._call(url, address, body, headers)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._call(url, last, body, headers)

    async def _addresses(self, url: httpx.URL) -> list[Address]:
        """The addresses of the URL's host. Raises ``_Refused`` if any of them must not be called."""
        host = url.raw_host.decode("ascii")
        literal = addresses.parse(host)
        port = url.port or (443 if url.scheme == "https" else 80)
        found = [literal] if literal is not None else await self._resolve(host, port)
        if not found:
            raise _Refused(f"{host} has no address.")
        if not self._private_addresses and not all(addresses.is_public(address) for address in found):
            # The message does not name the address: it is internal to a network.
            raise _Refused(f"{host} has a private address; webhooks are only sent to public addresses.")
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
            text = await _beginning(response)
            return Answer(response.status_code, f"Response status {response.status_code}{f': {text}' if text else '.'}")

    @property
    def _client(self) -> httpx.AsyncClient:
        if self._opened is None:
            self._opened = httpx.AsyncClient(
                timeout=self._seconds,
                follow_redirects=False,
                trust_env=False,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            )
        return self._opened


async def _beginning(response: httpx.Response) -> str:
    """The beginning of a response body, on one line."""
    read = b""
    async for part in response.aiter_raw(_MAX_BYTES_READ):
        read += part
        if len(read) >= _MAX_BYTES_READ:
            break
    text = " ".join(read[:_MAX_BYTES_READ].decode("utf-8", "replace").replace("\x00", "").split())
    return text[:_MAX_ERROR_LENGTH]
