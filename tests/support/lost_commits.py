"""A proxy in front of PostgreSQL that can lose answers to COMMIT: the transaction commits, but the client never learns."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from gqlstock.store.db.connection import Postgres
from support.tcp_proxy import Proxy

_COMMAND_COMPLETE = b"C"
_HEADER = 5


class CommitLossProxy(Proxy):
    """Reads the database's messages. While ``losing``, it closes the connection instead of forwarding the completion of
    COMMIT."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.losing = False
        self.lost = 0

    async def _flow_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                header = await reader.readexactly(_HEADER)
                body = await reader.readexactly(int.from_bytes(header[1:]) - 4)
                if self.losing and header[:1] == _COMMAND_COMPLETE and body == b"COMMIT\0":
                    self.lost += 1
                    writer.transport.abort()
                    return
                writer.write(header + body)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


@contextlib.asynccontextmanager
async def losing_commits(database: Postgres) -> AsyncIterator[CommitLossProxy]:
    """A running proxy, which loses nothing until ``losing`` is set."""
    proxy = CommitLossProxy(database.credentials["host"], database.credentials["port"])
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.shut()


def url_through(proxy: Proxy, url: str) -> str:
    """The database's URL through the proxy, without TLS, which the proxy cannot read."""
    parts = urlsplit(url)
    account, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{account}{at}127.0.0.1:{proxy.port}", query="sslmode=disable").geturl()
