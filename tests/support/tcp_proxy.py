"""A TCP proxy in front of a database that can be closed, frozen, left half open, or broken at a COMMIT."""

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
        self._ends_known = asyncio.Event()
        self._ends_known.set()
        self._ends: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        """Both ends of each connection, that of the client and that of the target."""
        self._breaks_at: tuple[bytes, bool] | None = None
        self.port = 0

    @property
    def connections(self) -> int:
        """How many connections were made."""
        return len(self._ends)

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Refuse new connections, and break existing ones."""
        self.refuse()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    def refuse(self) -> None:
        """Refuse new connections."""
        assert self._server is not None
        self._server.close()

    def freeze(self) -> None:
        """Keep connections, but forward nothing."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def strand(self, *numbers: int) -> None:
        """Break connections to the target. Their clients only learn of it after ``end_stranded``.

        ``numbers``: those to break, in the order in which they were opened. Default: all.
        """
        self._ends_known.clear()
        for number in numbers or range(len(self._ends)):
            self._ends[number][1].transport.abort()

    def reset(self, *numbers: int) -> None:
        """Break the connections with these numbers, and let their clients know."""
        for number in numbers:
            self._ends[number][0].transport.abort()

    def break_at_next(self, data: bytes, *, forwarded: bool) -> None:
        """Break the first connection whose client sends these bytes, before or after they are forwarded."""
        self._breaks_at = data, forwarded

    @property
    def has_broken(self) -> bool:
        """Whether the bytes given to ``break_at_next`` have come."""
        return self._breaks_at is None

    def end_stranded(self) -> None:
        self._ends_known.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(*self._to)
            self._ends.append((writer, back))
            await asyncio.gather(self._flow(reader, back), self._flow_back(there, writer))

    async def _flow_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward the database's answers."""
        await self._flow(reader, writer, stays=True)

    async def _flow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, stays: bool = False) -> None:
        """``stays``: the other side is not told while connections are stranded."""
        self._writers.add(writer)
        try:
            while data := await reader.read(65_536):
                await self._flowing.wait()
                if self._breaks_at is not None and self._breaks_at[0] in data:
                    await self._break(data, writer)
                    return
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            if stays:
                await self._ends_known.wait()
            self._writers.discard(writer)
            writer.close()

    async def _break(self, data: bytes, target: asyncio.StreamWriter) -> None:
        assert self._breaks_at is not None
        (_, forwarded), self._breaks_at = self._breaks_at, None
        for client in [client for client, known in self._ends if known is target]:
            client.transport.abort()
        if forwarded:
            target.write(data)
            await target.drain()
        else:
            target.transport.abort()


@contextlib.asynccontextmanager
async def proxied(host: str, port: int) -> AsyncIterator[Proxy]:
    """An open proxy."""
    proxy = Proxy(host, port)
    await proxy.open()
    try:
        yield proxy
    finally:
        proxy.thaw()
        proxy.end_stranded()
        await proxy.shut()
