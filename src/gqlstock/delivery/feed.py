"""One outbox reader per process, which passes entries to any number of subscribers.

Subscribers consume entries at their own pace. Their backlog in memory is bounded: a subscriber that falls further behind
gets no more entries passed and continues from the database. A slow subscriber misses nothing, delays nobody and costs no
memory.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from gqlstock.adapters.bus import Bus
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import Cursor, Entry, OutOfReach
from gqlstock.services import status
from gqlstock.store import outbox

log = logging.getLogger(__name__)
T = TypeVar("T")

_ENTRIES_PER_READ = 500
# The most entries that wait in memory for a subscriber. With more, it continues from the database.
_MAX_WAITING = 1_000
# Entries of other processes are found after this long if no wake-up arrives, for example while Redis is down.
_SECONDS_BETWEEN_POLLS = 1.0
_SECONDS_TO_GATHER = 0.01
# Held-back entries wait for the end of another transaction, which sends no wake-up.
_SECONDS_WHILE_HELD_BACK = 0.05
_ITEMS_PER_TURN = 100


async def unhurried(items: Iterable[T]) -> AsyncGenerator[T, None]:
    """The items one by one, yielding to the event loop regularly."""
    for number, item in enumerate(items, 1):
        yield item
        if not number % _ITEMS_PER_TURN:
            await asyncio.sleep(0)


class Part:
    """Some entries in commit order, and results computed from them once for all subscribers that share the part."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self._made: dict[Hashable, asyncio.Future[Any]] = {}

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """The result of ``make``, computed for the first caller and shared with the others."""
        if key not in self._made:
            # Not in the first caller's task: that caller may be canceled while others still wait.
            self._made[key] = asyncio.ensure_future(make())
        made: T = await asyncio.shield(self._made[key])
        return made

    def after(self, place: Cursor) -> "Part":
        """The part without entries up to a cursor."""
        if not self.entries or self.entries[0].cursor > place:
            return self
        return Part([entry for entry in self.entries if entry.cursor > place])


class _Subscriber:
    def __init__(self, topics: Sequence[Topic], subject: int | None) -> None:
        self.topics = frozenset(topics)
        self.subject = subject
        self.waiting: deque[Part] = deque()
        self.count = 0
        self.behind = False
        self.news = asyncio.Event()

    def offer(self, part: Part) -> None:
        if self.behind or self.count + len(part.entries) > _MAX_WAITING:
            self.fall_behind()
        elif part.entries:
            self.waiting.append(part)
            self.count += len(part.entries)
            self.news.set()

    def take(self) -> Part:
        part = self.waiting.popleft()
        self.count -= len(part.entries)
        return part

    def fall_behind(self) -> None:
        """Drop the backlog, so the subscriber continues from the database."""
        self.behind = True
        self.waiting.clear()
        self.count = 0
        self.news.set()


class OutboxFeed:
    """Tails the outbox while it runs. Subscriptions read ``parts``."""

    def __init__(self, bus: Bus, *, seconds_between_polls: float = _SECONDS_BETWEEN_POLLS) -> None:
        self._bus = bus
        self._seconds_between_polls = seconds_between_polls
        self._wake = asyncio.Event()
        self._subscribers: set[_Subscriber] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tail the outbox during the block."""
        stop_listening = outbox.listen(self._committed)
        tasks = [asyncio.create_task(self._tail()), asyncio.create_task(self._bus.run(self._wake.set))]
        try:
            yield
        finally:
            stop_listening()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def waiting(self) -> int:
        """The number of entries that wait in memory for subscribers."""
        return sum(subscriber.count for subscriber in self._subscribers)

    def _committed(self) -> None:
        self._wake.set()
        self._bus.announce()

    async def entries(self, topics: Sequence[Topic], after: Cursor | None) -> AsyncGenerator[Entry, None]:
        """Like ``parts``, one entry at a time."""
        async with contextlib.aclosing(self.parts(topics, after)) as parts:
            async for part in parts:
                for entry in part.entries:
                    yield entry

    async def parts(
        self, topics: Sequence[Topic], after: Cursor | None, subject: int | None = None
    ) -> AsyncGenerator[Part, None]:
        """The entries of these topics, each once, in commit order: those after ``after`` or, without it, from now on.

        ``subject``: only entries about it; others do not wake the subscriber and are not read for it. Raises
        ``OutOfReach`` if reading on from the cursor would leave a gap.
        """
        subscriber = _Subscriber(topics, subject)
        # Subscribe before reading the database, so no entry falls between the two.
        self._subscribers.add(subscriber)
        self._wake.set()
        try:
            place = after if after is not None else await outbox.latest()
            subscriber.behind = True
            while True:
                if subscriber.behind:
                    # From here on entries are passed as well. Those that were read already are skipped below.
                    subscriber.behind = False
                    while not subscriber.behind and (entries := await _read(place, topics, subject)):
                        yield Part(entries)
                        place = entries[-1].cursor
                while subscriber.waiting:
                    part = subscriber.take().after(place)
                    if part.entries:
                        yield part
                        place = part.entries[-1].cursor
                if not subscriber.behind:
                    subscriber.news.clear()
                    await subscriber.news.wait()
        finally:
            self._subscribers.discard(subscriber)

    async def _tail(self) -> None:
        """Read new entries while there are subscribers."""
        place: Cursor | None = None
        while True:
            is_held_back = False
            try:
                self._wake.clear()
                if not self._subscribers:
                    place = None
                elif place is None:
                    place = await outbox.latest()
                    # No subscriber received the entries up to here.
                    for subscriber in self._subscribers:
                        subscriber.fall_behind()
                while place is not None and (entries := await outbox.resume(place, _ENTRIES_PER_READ)):
                    await self._distribute(entries)
                    place = entries[-1].cursor
                is_held_back = place is not None and await outbox.held_back(place)
            except OutOfReach as error:
                # Each subscriber checks with its own cursor whether it can continue.
                log.warning("continuing from the end of the outbox: %s", error)
                place = None
                self._wake.set()
            except Exception as error:
                status.log_failure(log, "reading the outbox failed; retrying", error)
            # Under load, entries of many commits are read together.
            await asyncio.sleep(_SECONDS_TO_GATHER)
            # Not wait_for: on Python 3.11 it may lose a cancellation.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS_WHILE_HELD_BACK if is_held_back else self._seconds_between_polls):
                    await self._wake.wait()

    async def _distribute(self, entries: Sequence[Entry]) -> None:
        parts: dict[tuple[frozenset[Topic], int | None], Part] = {}
        about: dict[int | None, list[Entry]] = {None: list(entries)}
        for entry in entries:
            about.setdefault(entry.subject, []).append(entry)
        # A subscriber that is added meanwhile reads these entries from the database.
        async for subscriber in unhurried(list(self._subscribers)):
            topics, subject = subscriber.topics, subscriber.subject
            if subject not in about:
                continue
            if (topics, subject) not in parts:
                parts[topics, subject] = Part([entry for entry in about[subject] if entry.topic in topics])
            if parts[topics, subject].entries:
                subscriber.offer(parts[topics, subject])


async def _read(place: Cursor, topics: Sequence[Topic], subject: int | None) -> list[Entry]:
    among = None if subject is None else outbox.Among("?", (subject,))
    entries = await outbox.after(place, _ENTRIES_PER_READ, topics, among=among)
    await outbox.check(place)
    return entries
