"""Runs reads. Each sees the state of one instant, from the cache where it is current, else from one transaction."""

from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from gqlstock.stock import cache, for_writing
from gqlstock.stock.for_writing import ForWriting
from gqlstock.stock.read import Reading as Reading
from gqlstock.stock.read import StartOver as StartOver
from gqlstock.store.db import reads
from gqlstock.store.db.connection import in_transaction

T = TypeVar("T")


def records() -> Reading | ForWriting | None:
    """The records of the running write transaction or read."""
    if in_transaction.get():
        return for_writing.running.get()
    return reads.current.get()  # type: ignore[return-value] # There is no other class of reads.


def running() -> Reading | None:
    """The running read."""
    return reads.current.get()  # type: ignore[return-value] # There is no other class of reads.


class opened:
    """Open a read for the block. ``begun`` False: it begins when its ``begin`` is called."""

    __slots__ = ("_begun", "_read", "_token")

    def __init__(self, *, begun: bool = True) -> None:
        self._begun = begun
        self._read = Reading(cache.current())

    async def __aenter__(self) -> Reading:
        self._token = reads.current.set(self._read)
        if self._begun:
            try:
                await self._read.begin()
            except BaseException:
                await self.__aexit__()
                raise
        return self._read

    async def __aexit__(self, *raised: object) -> None:
        try:
            await self._read.end()
        finally:
            reads.current.reset(self._token)


def later() -> Reading:
    """A read that begins with its first statement. Without a statement, it needs no validation."""
    read = Reading(cache.current())
    read.begin_later()
    return read


@contextmanager
def within(read: Reading) -> Iterator[None]:
    """Make ``read`` the running read during the block."""
    token = reads.current.set(read)
    try:
        yield
    finally:
        reads.current.reset(token)


async def once(name: Hashable, make: Callable[[], Awaitable[T]]) -> T:
    """Like ``Reading.once``, for the running read; without one, ``make`` runs each time."""
    read = running()
    return await (make() if read is None else read.once(name, make))


def count_once(name: Hashable, count: Callable[[], T]) -> T:
    """Like ``Reading.count_once``, for the running read; without one, ``count`` runs each time."""
    read = running()
    return count() if read is None else read.count_once(name, count)


async def around(change: Callable[[], Awaitable[T]]) -> T:
    """Like ``Reading.around``, for the running read."""
    read = running()
    return await (change() if read is None else read.around(change))


async def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run ``work``, which only reads, at one instant. It joins the running read, unless a change is running."""
    read = running()
    if read is not None and not read.is_changing:
        return await read.run(work)
    async with opened() as begun:
        return await begun.run(work)


def now() -> datetime:
    """The instant of the running read; without one, the current time."""
    return reads.now()


def holds_until(moment: datetime | None) -> None:
    """Declare that the answer of the running read is valid before ``moment`` only; None for no such limit."""
    reads.depend_on((), moment)


def never_keep() -> None:
    """Declare that the answer of the running read must not be cached."""
    reads.never_keep()
