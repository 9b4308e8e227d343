"""What the shop shows, for all who watch it: worked out once for each change, however many watch the same item.

News of levels, items, settings and websites says what to look at again; what only time changes is looked at every few
seconds. Of a SKU there is only what it is now: a watcher that reads slowly is told which SKUs have changed, and gets the
latest of each when it comes to take it. What waits for it is at most one name for each SKU that it asked for.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from gqlstock import trail
from gqlstock.delivery.feed import OutboxFeed
from gqlstock.rules import availability as rules
from gqlstock.rules.availability import Assessment
from gqlstock.rules.events import Topic
from gqlstock.rules.network import Network
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.rules.settings import Settings
from gqlstock.services import availability
from gqlstock.services.availability import Shelf, Showing
from gqlstock.store import catalog, named_levels, outbox, warehouses
from gqlstock.store.catalog import Item
from gqlstock.store.outbox import Cursor, Entry

log = logging.getLogger(__name__)

_TOPICS = [Topic.LEVEL, Topic.ITEM, Topic.SETTINGS]
_LOOKED_AT_ONCE = 500
_SECONDS_TO_GATHER = 0.01
_SECONDS_BETWEEN_LOOKS = 10.0
_SECONDS_BEFORE_RETRY = 1.0

Key = tuple[str | None, str]
"""A website's code, None for the default one, and a SKU."""


@dataclass(frozen=True, slots=True)
class _Audience:
    """What of the stock somebody may see. All of one audience see the same."""

    quantities: bool
    unpublished: bool

    @classmethod
    def of(cls, caller: Caller) -> "_Audience":
        return cls(caller.sees_all_stock, caller.may(Scope.CATALOG_READ))


@dataclass(frozen=True, slots=True)
class _Seen:
    """An item as it was when it was last looked at."""

    item: Item
    website: str
    product_id: int | None
    published: bool
    assessment: Assessment
    settings: Settings

    def same_as(self, other: "_Seen | None") -> bool:
        """Whether nobody sees a difference."""
        return other is not None and self._told() == other._told()

    def _told(self) -> tuple[object, ...]:
        display = self.settings.display_availability, self.settings.display_stock_quantity
        return self.item.id, self.website, self.published, self.assessment, display

    def to(self, audience: _Audience) -> Showing | None:
        """What an audience sees of it; None for nothing at all."""
        if not (self.published or audience.unpublished):
            return None
        shown = self.assessment if audience.quantities else rules.for_public(self.assessment, self.settings)
        # What is free, less the safety stock, is shown to nobody: it makes no difference.
        return Showing(self.item, self.website, replace(shown, available=None))


class _Watcher:
    """Somebody who watches some SKUs."""

    def __init__(self, skus: Iterable[str]) -> None:
        self.changed = dict.fromkeys(skus)
        self.started = asyncio.Event()
        self.news = asyncio.Event()

    def tell(self, sku: str) -> None:
        self.changed[sku] = None
        self.news.set()


@dataclass(slots=True)
class _Watch:
    """One SKU on one website, with all who watch it."""

    watchers: set[_Watcher] = field(default_factory=set)
    seen: _Seen | None = None


class Storefront:
    """``watch`` is what subscriptions read. It reads the feed only while somebody watches."""

    def __init__(self, feed: OutboxFeed, *, seconds_between_looks: float = _SECONDS_BETWEEN_LOOKS) -> None:
        self._feed = feed
        self._seconds_between_looks = seconds_between_looks
        self._watches: dict[Key, _Watch] = {}
        self._by_item: dict[int, set[Key]] = {}
        self._by_product: dict[int, set[Key]] = {}
        """The combinations of a product that are watched."""
        self._changed: set[Key] = set()
        self._starting: list[_Watcher] = []
        self._work = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Be there for the block."""
        try:
            yield
        finally:
            await self._stop()

    async def watch(self, skus: Sequence[str], website: str | None, caller: Caller) -> AsyncGenerator[Showing, None]:
        """What each SKU is now, in their order, then each change that this caller can see."""
        if not skus:
            return
        audience = _Audience.of(caller)
        watcher = _Watcher(skus)
        sent: dict[str, Showing | None] = {}
        keys = [(website, sku) for sku in watcher.changed]
        self._add(watcher, keys)
        try:
            await watcher.started.wait()
            while True:
                watcher.news.clear()
                while watcher.changed:
                    sku = next(iter(watcher.changed))
                    del watcher.changed[sku]
                    showing = self._step(self._watches[website, sku].seen, audience, sent.get(sku))
                    if showing is not None and not _same(showing, sent.get(sku)):
                        sent[sku] = showing
                        yield showing
                await watcher.news.wait()
        finally:
            await self._remove(watcher, keys)

    @staticmethod
    def _step(seen: _Seen | None, audience: _Audience, last: Showing | None) -> Showing | None:
        """What is to be sent next: what there is to see, or that what was seen last has gone."""
        showing = seen.to(audience) if seen is not None else None
        if showing is None and last is not None:
            return replace(last, assessment=rules.taken_down(last.assessment))
        return showing

    def _add(self, watcher: _Watcher, keys: Sequence[Key]) -> None:
        for key in keys:
            self._watches.setdefault(key, _Watch()).watchers.add(watcher)
        # It starts with a look that begins only now: so it is not shown what was before.
        self._starting.append(watcher)
        self._look_at(keys)
        if self._running is None:
            self._running = asyncio.create_task(self._run(), context=trail.left())

    async def _remove(self, watcher: _Watcher, keys: Sequence[Key]) -> None:
        for key in keys:
            watch = self._watches[key]
            watch.watchers.discard(watcher)
            if not watch.watchers:
                self._index(key, watch.seen, None)
                del self._watches[key]
        if watcher in self._starting:
            self._starting.remove(watcher)
        if not self._watches:
            await self._stop()

    async def _stop(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def _look_at(self, keys: Iterable[Key]) -> None:
        self._changed.update(keys)
        self._work.set()

    async def _run(self) -> None:
        while True:
            try:
                place = await outbox.latest()
                # Whatever changed up to there is seen now, what comes behind it is told.
                self._look_at(self._watches)
                async with asyncio.TaskGroup() as tasks:
                    for work in (self._listen(place), self._look(), self._look_again()):
                        tasks.create_task(work)
            except Exception:
                log.exception("what the shop shows could not be worked out; trying again")
            await asyncio.sleep(_SECONDS_BEFORE_RETRY)

    async def _listen(self, place: Cursor) -> None:
        async with contextlib.aclosing(self._feed.parts(_TOPICS, place)) as parts:
            async for part in parts:
                self._look_at(await self._touched(part.entries))

    async def _touched(self, entries: Sequence[Entry]) -> set[Key]:
        """What may be shown differently after that."""
        of_topic: dict[Topic, set[int]] = {}
        for entry in entries:
            of_topic.setdefault(entry.topic, set()).add(entry.subject)
        if Topic.SETTINGS in of_topic:
            return set(self._watches)
        items = of_topic.get(Topic.ITEM, set())
        # Any item may have got the SKU that somebody waits for.
        touched = {key for key, watch in self._watches.items() if watch.seen is None} if items else set()
        for item_id, product_id in (await named_levels.touched(of_topic.get(Topic.LEVEL, set()), items)).items():
            touched |= self._by_item.get(item_id, set())
            if product_id is None:
                touched |= self._by_product.get(item_id, set())
            else:
                touched |= self._by_item.get(product_id, set())
        return touched

    async def _look_again(self) -> None:
        """Look at what time alone changes: a date that passes. Holds that end are news, by those who sweep them."""
        while True:
            await asyncio.sleep(self._seconds_between_looks)
            dated = [key for key, w in self._watches.items() if w.seen and w.seen.settings.availability_date]
            self._look_at(dated)

    async def _look(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            changed, self._changed = self._changed, set()
            starting, self._starting = self._starting, []
            try:
                await self._assess(changed)
            except BaseException:
                self._starting += starting
                raise
            for watcher in starting:
                watcher.started.set()
            # What changes in quick succession is looked at together.
            await asyncio.sleep(_SECONDS_TO_GATHER)

    async def _assess(self, keys: Collection[Key]) -> None:
        network = await warehouses.network()
        by_website: dict[str | None, list[str]] = {}
        for website, sku in keys:
            by_website.setdefault(website, []).append(sku)
        for website, skus in by_website.items():
            for start in range(0, len(skus), _LOOKED_AT_ONCE):
                await self._assess_part(website, skus[start : start + _LOOKED_AT_ONCE], network)

    async def _assess_part(self, website: str | None, skus: Sequence[str], network: Network) -> None:
        channel = network.find(website)
        items = await catalog.by_sku(skus)
        shelf = await availability.shelf(items.values(), channel, network) if channel is not None and items else None
        for sku in skus:
            self._see((website, sku), _seen(items[sku], shelf) if shelf is not None and sku in items else None)

    def _see(self, key: Key, seen: _Seen | None) -> None:
        watch = self._watches.get(key)
        if watch is None:
            return
        before, watch.seen = watch.seen, seen
        self._index(key, before, seen)
        if seen is None if before is None else before.same_as(seen):
            return
        for watcher in watch.watchers:
            watcher.tell(key[1])

    def _index(self, key: Key, before: _Seen | None, seen: _Seen | None) -> None:
        """Remember which item a SKU stands for."""
        for there, known in ((False, before), (True, seen)):
            if known is None:
                continue
            places = [(self._by_item, known.item.id)]
            if known.product_id is not None:
                places.append((self._by_product, known.product_id))
            for index, item_id in places:
                if there:
                    index.setdefault(item_id, set()).add(key)
                elif item_id in index:
                    index[item_id].discard(key)
                    if not index[item_id]:
                        del index[item_id]


def _seen(item: Item, shelf: Shelf) -> _Seen:
    return _Seen(
        item,
        shelf.channel.code,
        item.product_id,
        shelf.lookup.product(item).published,
        shelf.assess(item),
        shelf.settings(item),
    )


def _same(one: Showing, other: Showing | None) -> bool:
    return other is not None and (one.item.id, one.website, one.assessment) == (
        other.item.id,
        other.website,
        other.assessment,
    )
