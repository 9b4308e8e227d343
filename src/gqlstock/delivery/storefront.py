"""What the shop shows, for all who watch it: worked out once for each change, however many watch the same item.

News of levels, items, settings and websites says what to look at again; what only time changes is looked at every few
seconds. Of a SKU there is only what it is now: a watcher that reads slowly is told which SKUs have changed, and gets the
latest of each when it comes to take it. What waits for it is at most one name for each SKU that it asked for.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from gqlstock import trail
from gqlstock.delivery.feed import OutboxFeed, unhurried
from gqlstock.rules import availability as rules
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import Topic
from gqlstock.rules.feed import Cursor, Entry
from gqlstock.rules.network import Network
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.rules.settings import Settings
from gqlstock.services.availability import Showing
from gqlstock.stock import present
from gqlstock.store import named_levels, outbox

log = logging.getLogger(__name__)
T = TypeVar("T")

_TOPICS = [Topic.LEVEL, Topic.LEVEL_ROW, Topic.ITEM, Topic.SETTINGS, Topic.RESET]
_ABOUT_EVERYTHING = {Topic.SETTINGS, Topic.RESET}
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


class Shown:
    """What one audience is shown of an item, and what was made of it: once for all who are shown it."""

    __slots__ = ("_made", "showing")

    def __init__(self, showing: Showing) -> None:
        self.showing = showing
        self._made: dict[Callable[[Showing], Any], Any] = {}

    def once(self, make: Callable[[Showing], T]) -> T:
        """The result of ``make``, computed for the first caller and shared with the others."""
        if make not in self._made:
            self._made[make] = make(self.showing)
        made: T = self._made[make]
        return made

    def taken_down(self) -> "Shown":
        """What is told to those who were shown this once there is nothing to see any more."""
        return Shown(replace(self.showing, assessment=rules.taken_down(self.showing.assessment)))

    def same_as(self, other: "Shown | None") -> bool:
        """Whether who was shown the other sees no difference."""
        return self is other or (other is not None and self._told() == other._told())

    def _told(self) -> tuple[object, ...]:
        return self.showing.item.id, self.showing.website, self.showing.assessment


@dataclass(frozen=True, slots=True)
class _Seen:
    """An item as it was when it was last looked at."""

    item: Item
    website: str
    product_id: int | None
    published: bool
    assessment: Assessment
    settings: Settings
    shown: dict[_Audience, Shown | None] = field(default_factory=dict)

    def same_as(self, other: "_Seen | None") -> bool:
        """Whether nobody sees a difference."""
        return other is not None and self._told() == other._told()

    def _told(self) -> tuple[object, ...]:
        display = self.settings.display_availability, self.settings.display_stock_quantity
        return self.item.id, self.website, self.published, self.assessment, display

    def to(self, audience: _Audience) -> Shown | None:
        """What an audience sees of it; None for nothing at all."""
        if audience not in self.shown:
            self.shown[audience] = self._to(audience)
        return self.shown[audience]

    def _to(self, audience: _Audience) -> Shown | None:
        if not (self.published or audience.unpublished):
            return None
        shown = self.assessment if audience.quantities else rules.for_public(self.assessment, self.settings)
        # What is free, less the safety stock, is shown to nobody: it makes no difference.
        return Shown(Showing(self.item, self.website, replace(shown, available=None)))


class _Watcher:
    """Somebody who watches some SKUs. ``changed`` are those to look at next, in the order asked."""

    def __init__(self, watches: Iterable["_Watch"]) -> None:
        self.watches = tuple(watches)
        self.changed = dict.fromkeys(self.watches)
        self.started = asyncio.Event()
        self.news = asyncio.Event()

    def tell(self, watch: "_Watch") -> None:
        self.changed[watch] = None
        self.news.set()


@dataclass(slots=True, eq=False)
class _Watch:
    """One SKU on one website, with all who watch it."""

    key: Key
    watchers: set[_Watcher] = field(default_factory=set)
    seen: _Seen | None = None
    gone: Shown | None = None
    """The state sent to all who saw the item and no longer can."""

    def next(self, audience: _Audience, last: Shown | None) -> Shown | None:
        """What is to be sent next: what there is to see, or that what was seen last has gone."""
        shown = self.seen.to(audience) if self.seen is not None else None
        if shown is not None or last is None:
            return shown
        gone = last.taken_down()
        if not gone.same_as(self.gone):
            self.gone = gone
        return self.gone


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

    async def watch(self, skus: Sequence[str], website: str | None, caller: Caller) -> AsyncGenerator[Shown, None]:
        """What each SKU is now, in their order, then each change that this caller can see."""
        if not skus:
            return
        audience = _Audience.of(caller)
        watcher = _Watcher(self._watch(key) for key in dict.fromkeys((website, sku) for sku in skus))
        sent: dict[_Watch, Shown] = {}
        self._add(watcher)
        try:
            await watcher.started.wait()
            while True:
                watcher.news.clear()
                while watcher.changed:
                    watch = next(iter(watcher.changed))
                    del watcher.changed[watch]
                    shown = watch.next(audience, sent.get(watch))
                    if shown is not None and not shown.same_as(sent.get(watch)):
                        sent[watch] = shown
                        yield shown
                await watcher.news.wait()
        finally:
            await self._remove(watcher)

    def _watch(self, key: Key) -> _Watch:
        found = self._watches.get(key)
        if found is None:
            found = self._watches[key] = _Watch(key)
        return found

    def _add(self, watcher: _Watcher) -> None:
        for watch in watcher.watches:
            watch.watchers.add(watcher)
        # It starts with a look that begins only now: so it is not shown what was before.
        self._starting.append(watcher)
        self._look_at(watch.key for watch in watcher.watches)
        if self._running is None:
            self._running = asyncio.create_task(self._run(), context=trail.left())

    async def _remove(self, watcher: _Watcher) -> None:
        for watch in watcher.watches:
            watch.watchers.discard(watcher)
            if not watch.watchers:
                self._index(watch.key, watch.seen, None)
                del self._watches[watch.key]
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
        if not _ABOUT_EVERYTHING.isdisjoint(of_topic):
            return set(self._watches)
        items = of_topic.get(Topic.ITEM, set())
        # Any item may have got the SKU that somebody waits for.
        touched = {key for key, watch in self._watches.items() if watch.seen is None} if items else set()
        # The date of an announcement is no figure of its level, but it may be shown.
        levels = of_topic.get(Topic.LEVEL, set()) | of_topic.get(Topic.LEVEL_ROW, set())
        for item_id, product_id in (await named_levels.touched(levels, items)).items():
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
            if dated := [key for key, w in self._watches.items() if w.seen and w.seen.settings.availability_date]:
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
            async for watcher in unhurried(starting):
                watcher.started.set()
            # What changes in quick succession is looked at together.
            await asyncio.sleep(_SECONDS_TO_GATHER)

    async def _assess(self, keys: Collection[Key]) -> None:
        network = await present.network()
        by_website: dict[str | None, list[str]] = {}
        for website, sku in keys:
            by_website.setdefault(website, []).append(sku)
        for website, skus in by_website.items():
            for start in range(0, len(skus), _LOOKED_AT_ONCE):
                await self._assess_part(website, skus[start : start + _LOOKED_AT_ONCE], network)

    async def _assess_part(self, website: str | None, skus: Sequence[str], network: Network) -> None:
        channel = network.find(website)
        items = await present.by_sku(skus)
        assortment = await present.assortment(items.values(), channel) if channel is not None and items else None
        for sku in skus:
            await self._see(
                (website, sku), _seen(items[sku], assortment) if assortment is not None and sku in items else None
            )

    async def _see(self, key: Key, seen: _Seen | None) -> None:
        watch = self._watches.get(key)
        if watch is None:
            return
        before, watch.seen = watch.seen, seen
        self._index(key, before, seen)
        if seen is None if before is None else before.same_as(seen):
            return
        async for watcher in unhurried(list(watch.watchers)):
            watcher.tell(watch)

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


def _seen(item: Item, assortment: Assortment) -> _Seen:
    return _Seen(
        item,
        assortment.channel.code,
        item.product_id,
        assortment.lookup.product(item).published,
        assortment.assess(item),
        assortment.settings(item),
    )
