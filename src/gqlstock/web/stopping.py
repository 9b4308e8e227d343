"""Graceful shutdown: the process reports not ready, finishes running operations, then ends long-lived connections.

Websockets are closed with 1001 and streams of server-sent events end properly, so that clients reconnect elsewhere
immediately. Only then does uvicorn receive the signal. On its own, it would close each websocket with 1012 in the middle
of its work. uvicorn itself lets plain HTTP requests finish.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from types import FrameType
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gqlstock import trail
from gqlstock.trail import Trail

log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_GOING_AWAY = 1001
_REASON = "The server is going away."
_SECONDS_BETWEEN_LOOKS = 0.01
# Bounds the wait for clients that do not read.
_SECONDS_TO_SAY_GOODBYE = 1.0
_STREAMS = (b"text/event-stream", b"multipart/mixed")
# Cut off without a final chunk, so that no client mistakes an incomplete stream for a complete one.
_CUT_OFF = (b"application/jsonl",)

_Handler = Callable[[int, FrameType | None], Any]


class Stopping:
    """``grace``: seconds that running operations may take; ``drain``: seconds that the server first continues as usual."""

    def __init__(self, *, grace: float, drain: float = 0.0) -> None:
        self._grace = grace
        self._drain = drain
        self.begun = False
        """Whether this process was asked to stop."""
        self.closing = False
        """Whether new operations and streams are no longer accepted."""
        self._lasting: dict[Callable[[], Awaitable[None]], Trail] = {}
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def heeding_signals(self) -> AsyncIterator[None]:
        """Intercept termination signals before the server for the duration of the block."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._asked, number, before[number])
        try:
            yield
        finally:
            for number in () if self.begun else _SIGNALS:
                loop.remove_signal_handler(number)
                signal.signal(number, before[number])

    def _asked(self, number: int, server: Any) -> None:
        loop = asyncio.get_running_loop()
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
            # A second signal ends the process immediately. Workers ignore it: their supervisor forwards signals that a
            # terminal or an init system already sent to them.
            signal.signal(each, signal.SIG_IGN if multiprocessing.parent_process() is not None else signal.SIG_DFL)
        self._task = loop.create_task(self._stop(number, server))

    async def _stop(self, number: int, server: Any) -> None:
        log.info("Stopping after %s.", signal.Signals(number).name)
        try:
            await self.stop()
        except Exception:
            log.exception("could not close connections")
        if callable(server):
            server(number, None)
        else:
            os.kill(os.getpid(), number)

    async def stop(self) -> None:
        """Drain, wait for running operations, then end all long-lived connections."""
        self.begun = True
        await asyncio.sleep(self._drain)
        self.closing = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._grace):
                await self._nothing_being_answered()
        goodbyes = [asyncio.ensure_future(end()) for end in list(self._lasting)]
        if goodbyes:
            _, late = await asyncio.wait(goodbyes, timeout=_SECONDS_TO_SAY_GOODBYE)
            for goodbye in late:
                goodbye.cancel()

    async def _nothing_being_answered(self) -> None:
        while any(one.answering for one in self._lasting.values()):  # noqa: ASYNC110
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    def add(self, end: Callable[[], Awaitable[None]]) -> None:
        """Register a long-lived connection. ``stop`` calls ``end`` unless it was removed."""
        of = trail.current.get()
        assert of is not None
        self._lasting[end] = of

    def remove(self, end: Callable[[], Awaitable[None]]) -> None:
        """Unregister a connection, if registered."""
        self._lasting.pop(end, None)


class EndsWhatLasts:
    """Middleware that ends websockets and streams when the process stops. Other requests pass through unchanged."""

    def __init__(self, app: ASGIApp, stopping: Stopping) -> None:
        self._app = app
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        closed = False

        async def close() -> None:
            nonlocal closed
            closed = True
            await send({"type": "websocket.close", "code": _GOING_AWAY, "reason": _REASON})

        async def until_closing() -> Message:
            while True:
                message = await receive()
                # Drop new operations, which could no longer be answered.
                if not (self._stopping.closing and message["type"] == "websocket.receive"):
                    return message

        async def until_closed(message: Message) -> None:
            if not closed:
                await send(message)
            if message["type"] == "websocket.accept" and self._stopping.closing:
                await close()

        self._stopping.add(close)
        try:
            await self._app(scope, until_closing, until_closed)
        finally:
            self._stopping.remove(close)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        task, of = asyncio.current_task(), trail.current.get()
        assert task is not None
        assert of is not None
        ended = cut_off = False

        async def end() -> None:
            nonlocal ended
            ended = True
            task.cancel()

        async def answer(message: Message) -> None:
            nonlocal cut_off
            if message["type"] == "http.response.start" and _is_of(message, (*_STREAMS, *_CUT_OFF)):
                self._stopping.add(end)
                cut_off = _is_of(message, _CUT_OFF)
            await send(message)
            if self._stopping.closing and message.get("more_body") and not of.answering and not ended:
                # This stream started after the others had been ended.
                await end()

        try:
            await self._app(scope, receive, answer)
        except asyncio.CancelledError:
            if not ended:
                raise
            task.uncancel()
            if not cut_off:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._stopping.remove(end)


def _is_of(message: Message, media_types: tuple[bytes, ...]) -> bool:
    return any(name == b"content-type" and value.startswith(media_types) for name, value in message["headers"])
