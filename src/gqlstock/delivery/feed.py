"""One reader of the outbox for each process, and any number of subscribers that it hands news to.

A subscriber takes what it is handed at its own pace: nothing is read for it before it has sent on what it had. What
waits meanwhile is bounded; who falls further behind is handed nothing more and reads on from the database, so that a
slow one misses nothing, holds nobody up, and costs no memory.
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
from gqlstock.store import outbox

log = logging.getLogger(__name__)
T = TypeVar("T")

_PART = 500
# What a subscriber may have waiting before it reads on from the database.
_MOST_WAITING = 1_000
# News of other processes that no wake-up told of, such as while the broker is away, is found after this long.
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_GATHER = 0.01
# News that waits for the end of another transaction, which wakes nobody.
_SECONDS_WHILE_HELD_BACK = 0.05
_WITHOUT_A_PAUSE = 100


async def unhurried(things: Iterable[T]) -> AsyncGenerator[T, None]:
    """The things one by one, with a round of the event loop for everybody else in between."""
    for number, thing in enumerate(things, 1):
        yield thing
        if not number % _WITHOUT_A_PAUSE:
            await asyncio.sleep(0)


class Part:
    """Some entries in commit order, and what was worked out for them: once for all who are handed the same part."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self._made: dict[Hashable, asyncio.Future[Any]] = {}

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What ``make`` gives, for whoever asks first; the others get the same."""
        if key not in self._made:
            # Not the first caller's task: that caller may be cancelled while others still wait.
            self._made[key] = asyncio.ensure_future(make())
        made: T = await asyncio.shield(self._made[key])
        return made

    def behind(self, place: Cursor) -> "Part":
        """What of it comes behind a place."""
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
        if self.behind or self.count + len(part.entries) > _MOST_WAITING:
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
        """Have it read on from the database."""
        self.behind = True
        self.waiting.clear()
        self.count = 0
        self.news.set()


class OutboxFeed:
    """Tails the outbox while it runs; ``parts`` is what subscriptions read."""

    def __init__(self, bus: Bus, *, seconds_between_looks: float = _SECONDS_BETWEEN_LOOKS) -> None:
        self._bus = bus
        self._seconds_between_looks = seconds_between_looks
        self._wake = asyncio.Event()
        self._subscribers: set[_Subscriber] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tail the outbox for the block."""
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
        """How many entries wait in memory for subscribers."""
        return sum(subscriber.count for subscriber in self._subscribers)

    def _committed(self) -> None:
        self._wake.set()
        self._bus.announce()

    async def entries(self, topics: Sequence[Topic], after: Cursor | None) -> AsyncGenerator[Entry, None]:
        """As ``parts``, one by one."""
        async with contextlib.aclosing(self.parts(topics, after)) as parts:
            async for part in parts:
                for entry in part.entries:
                    yield entry

    async def parts(
        self, topics: Sequence[Topic], after: Cursor | None, subject: int | None = None
    ) -> AsyncGenerator[Part, None]:
        """The entries of these topics, each once, in commit order: from behind ``after``, or from now on without it.

        ``subject``: only entries about it; others neither wake the subscriber nor are read for it. ``OutOfReach`` for a
        cursor that cannot be read on from without a gap.
        """
        subscriber = _Subscriber(topics, subject)
        # Subscribed before the database is read, so that nothing falls between the two.
        self._subscribers.add(subscriber)
        self._wake.set()
        try:
            place = after if after is not None else await outbox.latest()
            subscriber.behind = True
            while True:
                if subscriber.behind:
                    # From here on it is told; what is told and was read as well is passed over below.
                    subscriber.behind = False
                    while not subscriber.behind and (entries := await _read(place, topics, subject)):
                        yield Part(entries)
                        place = entries[-1].cursor
                while subscriber.waiting:
                    part = subscriber.take().behind(place)
                    if part.entries:
                        yield part
                        place = part.entries[-1].cursor
                if not subscriber.behind:
                    subscriber.news.clear()
                    await subscriber.news.wait()
        finally:
            self._subscribers.discard(subscriber)

    async def _tail(self) -> None:
        """Read what is new for as long as somebody listens."""
        place: Cursor | None = None
        while True:
            soon = False
            try:
                self._wake.clear()
                if not self._subscribers:
                    place = None
                elif place is None:
                    place = await outbox.latest()
                    # What was committed up to here, nobody was told.
                    for subscriber in self._subscribers:
                        subscriber.fall_behind()
                while place is not None and (entries := await outbox.resume(place, _PART)):
                    await self._hand_out(entries)
                    place = entries[-1].cursor
                soon = place is not None and await outbox.held_back(place)
            except OutOfReach as error:
                # Each subscriber finds out by its own place whether it can go on.
                log.warning("the outbox is read from its end: %s", error)
                place = None
                self._wake.set()
            except Exception:
                log.exception("the outbox could not be read; trying again")
            # Under load the news of many commits are read together.
            await asyncio.sleep(_SECONDS_TO_GATHER)
            # Not wait_for, which may swallow a cancellation in Python 3.11.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS_WHILE_HELD_BACK if soon else self._seconds_between_looks):
                    await self._wake.wait()

    async def _hand_out(self, entries: Sequence[Entry]) -> None:
        parts: dict[tuple[frozenset[Topic], int | None], Part] = {}
        about: dict[int | None, list[Entry]] = {None: list(entries)}
        for entry in entries:
            about.setdefault(entry.subject, []).append(entry)
        # Whoever subscribes meanwhile reads these entries from the database.
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
    entries = await outbox.after(place, _PART, topics, among=among)
    await outbox.check(place)
    return entries
