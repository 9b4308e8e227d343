"""Server-sent events by the graphql-sse protocol, distinct connections mode, for clients that prefer them to JSON.

Clients such as urql list them after JSON in Accept, and expect JSON for queries.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from graphql import GraphQLError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult

from gqlstock import streaming
from gqlstock.graphql.http import media_types
from gqlstock.graphql.http.callers import OVER
from gqlstock.graphql.http.pushes import Push

_SECONDS_BETWEEN_PINGS = 15.0
_PING = b": ping\n\n"
_COMPLETE = b"event: complete\ndata: \n\n"
_HEADERS = {
    "cache-control": "no-cache, no-transform",
    # Turns off nginx's buffering.
    "x-accel-buffering": "no",
}


class EventStream(Response):
    """The results of an operation as events, until they end, the client disconnects, or the caller's token ends."""

    def __init__(
        self,
        results: AsyncGenerator[ExecutionResult, None],
        lasting: contextlib.AbstractAsyncContextManager[asyncio.Event],
    ) -> None:
        super().__init__(headers=_HEADERS, media_type=media_types.EVENTS)
        del self.headers["content-length"]
        self._results = results
        self._lasting = lasting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with self._lasting as over:
            sending = asyncio.create_task(self._send(send))
            ending = asyncio.create_task(over.wait())
            tasks = [sending, ending, asyncio.create_task(_ping(send)), asyncio.create_task(streaming.gone(receive))]
            await streaming.until_one_ends(tasks)
        if not sending.cancelled():
            sending.result()
        elif ending.done() and not ending.cancelled():
            error = GraphQLError(OVER, extensions={"code": "UNAUTHENTICATED"})
            await send(streaming.part(_event(Push(None, None, [error])) + _COMPLETE))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send) -> None:
        async with contextlib.aclosing(self._results) as results:
            async for result in results:
                await send(streaming.part(_event(result)))
        await send(streaming.part(_COMPLETE))


async def _ping(send: Send) -> None:
    """Keep the connection alive through proxies."""
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_PINGS)
        await send(streaming.part(_PING))


def _event(result: ExecutionResult) -> bytes:
    # The standard allows three line endings, but urql accepts only \\n. JSON contains none.
    push = result if isinstance(result, Push) else Push(None, result.data, result.errors)
    return f"event: next\ndata: {push.encoded}\n\n".encode()
