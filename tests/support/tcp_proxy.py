"""A TCP proxy in front of a database that can be closed or frozen."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Proxy:
    """While open, ``port`` forwards to the target."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Refuse new connections, and break existing ones."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    def freeze(self) -> None:
        """Keep connections, but forward nothing."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(*self._to)
            await asyncio.gather(self._flow(reader, back), self._flow_back(there, writer))

    async def _flow_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward the database's answers."""
        await self._flow(reader, writer)

    async def _flow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while data := await reader.read(65_536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


@contextlib.asynccontextmanager
async def proxied(host: str, port: int) -> AsyncIterator[Proxy]:
    """An open proxy."""
    proxy = Proxy(host, port)
    await proxy.open()
    try:
        yield proxy
    finally:
        proxy.thaw()
        await proxy.shut()
