"""A lightweight GraphQL client over HTTP, which leaves the CPU to the servers. Each call uses its own connection."""

import asyncio
import json
from typing import Any

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class PlainClient:
    """Reuses idle connections. A canceled call closes its connection, like a client that gives up."""

    def __init__(self, token: str | None = None) -> None:
        self._authorization = f"authorization: Bearer {token}\r\n" if token else ""
        self._idle: dict[int, list[Connection]] = {}

    async def post(self, port: int, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Send a request to the server at a port, and return the whole answer."""
        reader, writer = await self._connection(port)
        try:
            body = json.dumps({"query": query, "variables": variables}).encode()
            head = f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{self._authorization}"
            writer.write(f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
            head_of_answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head_of_answer.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            answer: dict[str, Any] = json.loads(await reader.readexactly(length))
        except BaseException:
            writer.close()
            raise
        self._idle[port].append((reader, writer))
        return answer

    async def _connection(self, port: int) -> Connection:
        idle = self._idle.setdefault(port, [])
        while idle:
            reader, writer = idle.pop()
            # The server closes connections that were idle for too long.
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", port)

    async def close(self) -> None:
        for idle in self._idle.values():
            for _, writer in idle:
                writer.close()
                await writer.wait_closed()
