"""How a process ends that is asked to: it is not ready any more, what is being answered is answered, what lasts is ended.

Websockets are closed with 1001 and streams of server-sent events come to their end, so that clients go elsewhere at once.
Only then is the server told of the signal, which closes what is left: by itself it would close each websocket with 1012, in
the middle of whatever that is doing. Requests over HTTP it lets come to their end.
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
# A client that does not read is not waited for.
_SECONDS_TO_SAY_GOODBYE = 1.0
_STREAMS = (b"text/event-stream", b"multipart/mixed")
# Cut off without an end, so that no client takes a part for the whole.
_CUT_OFF = (b"application/jsonl",)

_Handler = Callable[[int, FrameType | None], Any]


class Stopping:
    """``grace``: how many seconds what is being answered may take; ``drain``: how many the server goes on as before."""

    def __init__(self, *, grace: float, drain: float = 0.0) -> None:
        self._grace = grace
        self._drain = drain
        self.begun = False
        """Whether this process was asked to end."""
        self.closing = False
        """Whether nothing that lasts is begun any more."""
        self._lasting: dict[Callable[[], Awaitable[None]], Trail] = {}
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def heeding_signals(self) -> AsyncIterator[None]:
        """Be told before the server when the process is asked to end, for the block."""
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
            # A second one ends the process at once. That of a worker is its supervisor's business: it passes on what
            # a terminal or an init system has told the worker already.
            signal.signal(each, signal.SIG_IGN if multiprocessing.parent_process() is not None else signal.SIG_DFL)
        self._task = loop.create_task(self._stop(number, server))

    async def _stop(self, number: int, server: Any) -> None:
        log.info("Asked to end by %s.", signal.Signals(number).name)
        try:
            await self.stop()
        except Exception:
            log.exception("connections could not be ended")
        if callable(server):
            server(number, None)
        else:
            os.kill(os.getpid(), number)

    async def stop(self) -> None:
        """Come to an end with all that lasts."""
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
        """Have a connection ended by ``end`` until it is removed."""
        of = trail.current.get()
        assert of is not None
        self._lasting[end] = of

    def remove(self, end: Callable[[], Awaitable[None]]) -> None:
        """A connection is over, if there was one."""
        self._lasting.pop(end, None)


class EndsWhatLasts:
    """Ends websockets and streams when the process stops; all else goes through it untouched."""

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
                # Nothing new is begun that could not be answered any more.
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
                # It began when the others had been ended already.
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
