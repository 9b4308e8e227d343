"""Connections over HTTP as uvicorn has them, and a time within which the head of a request must be there.

uvicorn waits for the rest of a head for as long as the connection is open, however slowly its bytes come.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


def heads_within(seconds: float) -> Callable[..., asyncio.Protocol]:
    """What makes connections that are closed when a request's head takes longer than that."""
    return partial(Connection, seconds)


class Connection(HttpToolsProtocol):
    """The time begins with the connection, and on a connection that was kept with the first byte of the next request."""

    def __init__(self, seconds: float, **given: Any) -> None:
        super().__init__(**given)
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
        # What follows a whole request in the same bytes waits for its answer, and then no longer than an idle connection.
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
            # The request before it is being answered.
            self._wait_for_head()
        elif not self.transport.is_closing():
            self.transport.close()
