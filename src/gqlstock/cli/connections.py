"""uvicorn's HTTP connections with a deadline for the head of a request.

uvicorn itself waits for the rest of a head as long as the connection is open, however slowly its bytes arrive.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


def heads_within(seconds: float) -> Callable[..., asyncio.Protocol]:
    """A protocol factory for connections that close if a request's head takes longer than ``seconds``."""
    return partial(Connection, seconds)


class Connection(HttpToolsProtocol):
    """Starts the deadline when the connection opens and, on keep-alive connections, at each next request's first byte."""

    def __init__(self, seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self._seconds = seconds
        self._heads = 0
        self._within_message = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._heads
        super().data_received(data)
        # Bytes that follow a complete request in the same chunk wait for its response; the idle timeout then bounds them.
        if self._heads == before and not self._within_message and self._deadline is None:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._heads += 1
        self._within_message = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._within_message = False
        super().on_message_complete()

    def _wait_for_head(self) -> None:
        self._deadline = self.loop.call_later(self._seconds, self._too_late)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            # The previous request is still being answered.
            self._wait_for_head()
        elif not self.transport.is_closing():
            self.transport.close()
