"""Availability as the storefront shows it, for all who watch it: computed once per change, however many watch the item.

Events about levels, items, settings and websites determine what to reassess; items that change with time alone are
reassessed every few seconds. Only the current state of a SKU matters: a slow watcher is told which SKUs have changed and gets
the latest state of each when it reads. Its backlog is at most one entry for each SKU that it watches.
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
from gqlstock.services import status
from gqlstock.services.availability import Showing
from gqlstock.stock import present
from gqlstock.store import named_levels, outbox

log = logging.getLogger(__name__)
T = TypeVar("T")

_TOPICS = [Topic.LEVEL, Topic.LEVEL_ROW, Topic.ITEM, Topic.SETTINGS, Topic.RESET]
_AFFECTING_EVERYTHING = {Topic.SETTINGS, Topic.RESET}
_SKUS_PER_BATCH = 500
_SECONDS_TO_GATHER = 0.01
_SECONDS_BETWEEN_POLLS = 10.0
_SECONDS_BEFORE_RETRY = 1.0

Key = tuple[str | None, str]
"""A website's code, None for the default one, and a SKU."""


@dataclass(frozen=True, slots=True)
class _Audience:
    """What a caller may see. All callers of one audience see the same."""

    quantities: bool
    unpublished: bool

    @classmethod
    def of(cls, caller: Caller) -> "_Audience":
        return cls(caller.sees_all_stock, caller.may(Scope.CATALOG_READ))


class Shown:
    """What one audience sees of an item, and results computed from it once for the whole audience."""

    __slots__ = ("_made", "showing")

    def __init__(self, showing: Showing) -> None:
        self.showing = showing
        self._made: dict[Callable[[Showing], Any], Any] = {}

    def once(self, make: Callable[[Showing], T]) -> T:
        """The result of ``make``, computed for the first caller and shared with the others."""
        if make not in self._made:
            self._made[make] = make(self.showing)
        return self._made[make]  # type: ignore[no-any-return]

    def taken_down(self) -> "Shown":
        """The last state for those who saw this, once the item is no longer visible."""
        return Shown(replace(self.showing, assessment=rules.taken_down(self.showing.assessment)))

    def same_as(self, other: "Shown | None") -> bool:
        """Whether both look the same."""
        return self is other or (other is not None and self._visible() == other._visible())

    def _visible(self) -> tuple[object, ...]:
        return self.showing.item.id, self.showing.website, self.showing.assessment


@dataclass(frozen=True, slots=True)
class _Seen:
    """An item as of its last assessment."""

    item: Item
    website: str
    product_id: int | None
    published: bool
    assessment: Assessment
    settings: Settings
    shown: dict[_Audience, Shown | None] = field(default_factory=dict)

    def same_as(self, other: "_Seen | None") -> bool:
        """Whether both look the same to every audience."""
        return other is not None and self._visible() == other._visible()

    def _visible(self) -> tuple[object, ...]:
        display = self.settings.display_availability, self.settings.display_stock_quantity
        return self.item.id, self.website, self.published, self.assessment, display

    def to(self, audience: _Audience) -> Shown | None:
        """What an audience sees of the item; None for nothing."""
        if audience not in self.shown:
            self.shown[audience] = self._to(audience)
        return self.shown[audience]

    def _to(self, audience: _Audience) -> Shown | None:
        if not (self.published or audience.unpublished):
            return None
        shown = self.assessment if audience.quantities else rules.for_public(self.assessment, self.settings)
        # ``available`` (free units less safety stock) is shown to nobody, so a change of it is not sent.
        return Shown(Showing(self.item, self.website, replace(shown, available=None)))


class _Watcher:
    """A subscriber to some SKUs. ``changed``: those to read next, in the requested order."""

    def __init__(self, watches: Iterable["_Watch"]) -> None:
        self.watches = tuple(watches)
        self.changed = dict.fromkeys(self.watches)
        self.started = asyncio.Event()
        self.news = asyncio.Event()

    def notify(self, watch: "_Watch") -> None:
        self.changed[watch] = None
        self.news.set()


@dataclass(slots=True, eq=False)
class _Watch:
    """One SKU on one website, with its watchers."""

    key: Key
    watchers: set[_Watcher] = field(default_factory=set)
    seen: _Seen | None = None
    gone: Shown | None = None
    """The state sent to all who saw the item and no longer can."""

    def next(self, audience: _Audience, last: Shown | None) -> Shown | None:
        """The state to send next: the visible one or, if there is none any more, the last one."""
        shown = self.seen.to(audience) if self.seen is not None else None
        if shown is not None or last is None:
            return shown
        gone = last.taken_down()
        if not gone.same_as(self.gone):
            self.gone = gone
        return self.gone


class Storefront:
    """Subscriptions read ``watch``. The feed is read only while there are watchers."""

    def __init__(self, feed: OutboxFeed, *, seconds_between_polls: float = _SECONDS_BETWEEN_POLLS) -> None:
        self._feed = feed
        self._seconds_between_polls = seconds_between_polls
        self._watches: dict[Key, _Watch] = {}
        self._by_item: dict[int, set[Key]] = {}
        self._by_product: dict[int, set[Key]] = {}
        """The watched combinations of each product."""
        self._changed: set[Key] = set()
        self._starting: list[_Watcher] = []
        self._work = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve watchers during the block."""
        try:
            yield
        finally:
            await self._stop()

    async def watch(self, skus: Sequence[str], website: str | None, caller: Caller) -> AsyncGenerator[Shown, None]:
        """The current state of each SKU, in order, then each change that this caller can see."""
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
        # It starts with an assessment that begins after this point, so it is not shown an older state.
        self._starting.append(watcher)
        self._schedule(watch.key for watch in watcher.watches)
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

    def _schedule(self, keys: Iterable[Key]) -> None:
        self._changed.update(keys)
        self._work.set()

    async def _run(self) -> None:
        while True:
            try:
                place = await outbox.latest()
                # This assessment covers all changes up to the cursor; the feed brings later ones.
                self._schedule(self._watches)
                async with asyncio.TaskGroup() as tasks:
                    for work in (self._listen(place), self._assess_scheduled(), self._assess_dated()):
                        tasks.create_task(work)
            except Exception as error:
                status.log_failure(log, "assessing the storefront failed; retrying", error)
            await asyncio.sleep(_SECONDS_BEFORE_RETRY)

    async def _listen(self, place: Cursor) -> None:
        async with contextlib.aclosing(self._feed.parts(_TOPICS, place)) as parts:
            async for part in parts:
                self._schedule(await self._touched(part.entries))

    async def _touched(self, entries: Sequence[Entry]) -> set[Key]:
        """The watched SKUs that these entries may change."""
        of_topic: dict[Topic, set[int]] = {}
        for entry in entries:
            of_topic.setdefault(entry.topic, set()).add(entry.subject)
        if not _AFFECTING_EVERYTHING.isdisjoint(of_topic):
            return set(self._watches)
        items = of_topic.get(Topic.ITEM, set())
        # Any item may now have a SKU that is watched and was unknown.
        touched = {key for key, watch in self._watches.items() if watch.seen is None} if items else set()
        # LEVEL_ROW as well: the date of an announcement is not a figure of its level, but it may be shown.
        levels = of_topic.get(Topic.LEVEL, set()) | of_topic.get(Topic.LEVEL_ROW, set())
        for item_id, product_id in (await named_levels.touched(levels, items)).items():
            touched |= self._by_item.get(item_id, set())
            if product_id is None:
                touched |= self._by_product.get(item_id, set())
            else:
                touched |= self._by_item.get(product_id, set())
        return touched

    async def _assess_dated(self) -> None:
        """Assess items that show a date, which passes without an event. Expired holds cause events when they are swept."""
        while True:
            await asyncio.sleep(self._seconds_between_polls)
            if dated := [key for key, w in self._watches.items() if w.seen and w.seen.settings.availability_date]:
                self._schedule(dated)

    async def _assess_scheduled(self) -> None:
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
            # Changes in quick succession are assessed together.
            await asyncio.sleep(_SECONDS_TO_GATHER)

    async def _assess(self, keys: Collection[Key]) -> None:
        network = await present.network()
        by_website: dict[str | None, list[str]] = {}
        for website, sku in keys:
            by_website.setdefault(website, []).append(sku)
        for website, skus in by_website.items():
            for start in range(0, len(skus), _SKUS_PER_BATCH):
                await self._assess_part(website, skus[start : start + _SKUS_PER_BATCH], network)

    async def _assess_part(self, website: str | None, skus: Sequence[str], network: Network) -> None:
        channel = network.find(website)
        items = await present.by_sku(skus)
        assortment = await present.assortment(items.values(), channel) if channel is not None and items else None
        for sku in skus:
            await self._update(
                (website, sku), _seen(items[sku], assortment) if assortment is not None and sku in items else None
            )

    async def _update(self, key: Key, seen: _Seen | None) -> None:
        watch = self._watches.get(key)
        if watch is None:
            return
        before, watch.seen = watch.seen, seen
        self._index(key, before, seen)
        if seen is None if before is None else before.same_as(seen):
            return
        async for watcher in unhurried(list(watch.watchers)):
            watcher.notify(watch)

    def _index(self, key: Key, before: _Seen | None, seen: _Seen | None) -> None:
        """Index the watched SKU by the item that it belongs to now."""
        for is_current, known in ((False, before), (True, seen)):
            if known is None:
                continue
            places = [(self._by_item, known.item.id)]
            if known.product_id is not None:
                places.append((self._by_product, known.product_id))
            for index, item_id in places:
                if is_current:
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
