"""A cheap client: each of its connections sends the next request as soon as it has an answer, and checks every answer.

Plain sockets and a single selector cost a few microseconds per request, so the measurement is of the server.
"""

import gc
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

_PIECE = 1 << 18
_TIMEOUT = 120.0


class WrongAnswer(Exception):
    """An answer is not 200 or contains errors."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The duration of a run, and the seconds of each request in it."""

    seconds: float
    each: list[float]

    @property
    def per_second(self) -> float:
        return len(self.each) / self.seconds

    @property
    def median_ms(self) -> float:
        return sorted(self.each)[len(self.each) // 2] * 1_000


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request, self._got, self._whole = b"", bytearray(), 0
        self.asked = 0.0

    def ask(self, request: bytes) -> None:
        self.request, self._got, self._whole = request, bytearray(), 0
        self.asked = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """Receive data. Returns the answer once it is complete."""
        piece = self.socket.recv(_PIECE)
        if not piece:
            raise WrongAnswer(f"The server closed the connection after {self.request[:200]!r}")
        self._got += piece
        if not self._whole:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return None
            self._whole = end + 4 + _length(bytes(self._got[:end]))
        return bytes(self._got) if len(self._got) == self._whole else None


def _length(head: bytes) -> int:
    start = head.lower().index(b"content-length:") + 15
    return int(head[start:].split(b"\r\n", 1)[0])


def check(answer: bytes, request: bytes) -> None:
    wrong = b'"errors"' in answer or answer.count(b'"userErrors":') != answer.count(b'"userErrors":[]')
    if not answer.startswith(b"HTTP/1.1 200 ") or wrong:
        raise WrongAnswer(f"{request[:500]!r} got the answer {answer[:1_000]!r}")


def once(port: int, request: bytes) -> bytes:
    """Send one request. Returns the body of its answer."""
    connection = _Connection(port)
    with connection.socket:
        connection.ask(request)
        while (answer := connection.receive()) is None:
            pass
    check(answer, request)
    return answer.partition(b"\r\n\r\n")[2]


@dataclass(frozen=True, slots=True)
class Load:
    """Background requests, sent at a fixed rate however long their answers take."""

    requests: Iterator[bytes]
    per_second: float


class _Sender:
    """Sends a background load. Opens another connection whenever all are waiting for an answer."""

    def __init__(
        self, port: int, load: Load, seconds: float, selector: selectors.BaseSelector, stack: ExitStack
    ) -> None:
        self._port, self._load, self._seconds = port, load, seconds
        self._selector, self._stack = selector, stack
        self._idle: list[_Connection] = []
        self._sent = 0
        self.waiting: set[_Connection] = set()
        """The connections that wait for an answer."""

    def send(self, elapsed: float) -> float:
        """Send the requests due after ``elapsed`` seconds. Returns the seconds until the next one, or the timeout."""
        while (due := self._sent / self._load.per_second) < self._seconds:
            if due > elapsed:
                return due - elapsed
            connection = self._idle.pop() if self._idle else self._opened()
            connection.ask(next(self._load.requests))
            self.waiting.add(connection)
            self._sent += 1
        return _TIMEOUT

    def answered(self, connection: _Connection) -> None:
        self.waiting.remove(connection)
        self._idle.append(connection)

    def _opened(self) -> _Connection:
        connection = _Connection(self._port)
        self._stack.callback(connection.socket.close)
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        return connection


def ask(
    port: int,
    requests: Iterator[bytes],
    connections: int,
    seconds: float,
    check: Callable[[bytes, bytes], None] = check,
    load: Load | None = None,
) -> Turn:
    """Send requests for ``seconds``, or until there are no more. Requests in flight at the end are awaited and counted.

    ``load``: background requests, which are awaited but not counted.
    """
    each: list[float] = []
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        opened = [_Connection(port) for _ in range(connections)]
        for connection in opened:
            stack.callback(connection.socket.close)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        sender = _Sender(port, load, seconds, selector, stack) if load else None
        gc.collect()
        gc.disable()
        stack.callback(gc.enable)
        began = ended = time.perf_counter()
        asking = 0
        for connection, request in zip(opened, requests, strict=False):
            connection.ask(request)
            asking += 1
        while asking or (sender and sender.waiting):
            pause = sender.send(time.perf_counter() - began) if sender and asking else _TIMEOUT
            heard = selector.select(pause)
            if not heard and pause == _TIMEOUT:
                raise WrongAnswer(f"No answer for {_TIMEOUT} seconds.")
            for key, _ in heard:
                connection = key.data
                answer = connection.receive()
                if answer is None:
                    continue
                now = time.perf_counter()
                check(answer, connection.request)
                if sender and connection in sender.waiting:
                    sender.answered(connection)
                    continue
                each.append(now - connection.asked)
                following = next(requests, None) if now - began < seconds else None
                if following is not None:
                    connection.ask(following)
                else:
                    asking -= 1
                    ended = now
        return Turn(ended - began, each)
