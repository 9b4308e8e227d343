"""One reader of the outbox for each process, and any number of subscribers that it hands news to."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from gqlstock.adapters.bus import Bus
from gqlstock.rules.events import Topic
from gqlstock.store import outbox
from gqlstock.store.outbox import Cursor, Entry

log = logging.getLogger(__name__)

_PART = 500
# What a subscriber may have waiting. One that falls further behind reads on from the database at its own pace, so that
# it misses nothing, holds nobody up, and costs no more memory than this.
_MOST_WAITING = 1_000
# News of other processes that no wake-up told of, such as while the broker is away, is found after this long.
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_GATHER = 0.01
# News that waits for the end of another transaction, which wakes nobody.
_SECONDS_WHILE_HELD_BACK = 0.05


class _Subscriber:
    def __init__(self, topics: Sequence[Topic]) -> None:
        self.topics = frozenset(topics)
        self.waiting: deque[Entry] = deque()
        self.behind = False
        self.news = asyncio.Event()

    def offer(self, entry: Entry) -> None:
        if entry.topic not in self.topics:
            return
        if self.behind or len(self.waiting) >= _MOST_WAITING:
            self.fall_behind()
        else:
            self.waiting.append(entry)
            self.news.set()

    def fall_behind(self) -> None:
        """Have it read on from the database."""
        self.behind = True
        self.waiting.clear()
        self.news.set()


class OutboxFeed:
    """Tails the outbox while it runs; ``entries`` is what subscriptions read."""

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
        return sum(len(subscriber.waiting) for subscriber in self._subscribers)

    def _committed(self) -> None:
        self._wake.set()
        self._bus.announce()

    async def entries(self, topics: Sequence[Topic], after: Cursor | None) -> AsyncGenerator[Entry, None]:
        """Each entry of these topics once, in commit order: those behind ``after`` first, or from now on without it."""
        subscriber = _Subscriber(topics)
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
                    while part := await outbox.after(place, _PART, topics):
                        for entry in part:
                            yield entry
                            place = entry.cursor
                        if subscriber.behind:
                            break
                while subscriber.waiting:
                    entry = subscriber.waiting.popleft()
                    if entry.cursor > place:
                        yield entry
                        place = entry.cursor
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
                while place is not None and (part := await outbox.after(place, _PART)):
                    for entry in part:
                        for subscriber in self._subscribers:
                            subscriber.offer(entry)
                    place = part[-1].cursor
                soon = place is not None and await outbox.held_back(place)
            except Exception:
                log.exception("the outbox could not be read; trying again")
            # Under load the news of many commits are read together.
            await asyncio.sleep(_SECONDS_TO_GATHER)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    self._wake.wait(), _SECONDS_WHILE_HELD_BACK if soon else self._seconds_between_looks
                )
