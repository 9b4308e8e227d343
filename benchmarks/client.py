"""A client that costs little: some connections that each ask again as soon as they are answered, every answer checked.

Plain sockets and one selector take a few microseconds a request, so that it is the server that is measured.
"""

import gc
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

_PIECE = 1 << 18
_PATIENCE = 30.0


class WrongAnswer(Exception):
    """An answer that is not 200, or has errors in it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How many requests were answered in how long, and the seconds that each took."""

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
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request, self._got, self._whole = b"", bytearray(), 0
        self.asked = 0.0

    def ask(self, request: bytes) -> None:
        self.request, self._got, self._whole = request, bytearray(), 0
        self.asked = time.perf_counter()
        self.socket.sendall(request)

    def hear(self) -> bytes | None:
        """Take what has come; the answer when all of it has."""
        piece = self.socket.recv(_PIECE)
        if not piece:
            raise WrongAnswer(f"The connection was closed on {self.request[:200]!r}")
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
        raise WrongAnswer(f"{request[:500]!r} was answered {answer[:1_000]!r}")


def once(port: int, request: bytes) -> bytes:
    """The body of one answer."""
    connection = _Connection(port)
    with connection.socket:
        connection.ask(request)
        while (answer := connection.hear()) is None:
            pass
    check(answer, request)
    return answer.partition(b"\r\n\r\n")[2]


def ask(
    port: int,
    requests: Iterator[bytes],
    connections: int,
    seconds: float,
    check: Callable[[bytes, bytes], None] = check,
) -> Turn:
    """Ask for that long, or until there are no more requests; what is under way at the end is waited for and counted."""
    each: list[float] = []
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        opened = [_Connection(port) for _ in range(connections)]
        for connection in opened:
            stack.callback(connection.socket.close)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        gc.collect()
        gc.disable()
        stack.callback(gc.enable)
        began = time.perf_counter()
        asking = 0
        for connection, request in zip(opened, requests, strict=False):
            connection.ask(request)
            asking += 1
        while asking:
            heard = selector.select(_PATIENCE)
            if not heard:
                raise WrongAnswer(f"Nothing was answered for {_PATIENCE} seconds.")
            for key, _ in heard:
                connection = key.data
                answer = connection.hear()
                if answer is None:
                    continue
                now = time.perf_counter()
                check(answer, connection.request)
                each.append(now - connection.asked)
                request = next(requests, None) if now - began < seconds else None
                if request is not None:
                    connection.ask(request)
                else:
                    asking -= 1
        return Turn(time.perf_counter() - began, each)
