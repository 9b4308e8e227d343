"""The current state: network, settings, catalog and levels, from the cache where it is current.

Within a read, everything comes from one snapshot. Outside a read, each call reads on its own.
"""

import sys
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from gqlstock.rules import cache_keys
from gqlstock.rules import catalog as catalog_rules
from gqlstock.rules import skus as spelling
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.cache_keys import ITEMS, LEVELS, SETTINGS, TOKENS, Key
from gqlstock.rules.catalog import Item
from gqlstock.rules.fallback import Fallback, SettingsLookup
from gqlstock.rules.fallback import Key as Place
from gqlstock.rules.ledger import Level
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.rules.scopes import Caller
from gqlstock.rules.sourcing import LevelsInUse
from gqlstock.stock import cache, reading
from gqlstock.stock.cache import Found
from gqlstock.store import catalog, tokens, warehouses
from gqlstock.store import levels as level_rows
from gqlstock.store import settings as setting_rows
from gqlstock.store.db import reads

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# The memory that records take, measured and rounded up.
_BYTES_PER_ITEM = 1_000
"""Without its long texts, pictures and options."""
_BYTES_PER_VALUE = 500
"""Of an option value, or of a picture without its URL."""
_BYTES_PER_LEVEL = 350
_BYTES_PER_PLACE = 300
_BYTES_PER_CHANNEL = 2_000
_BYTES_PER_CALLER = 1_500


_ASSORTMENT = "assortment"

_passing: ContextVar[bool] = ContextVar("passing", default=False)


@contextmanager
def passing() -> Iterator[None]:
    """Do not cache what the block reads: rows of a scan would evict rows that are in demand."""
    token = _passing.set(True)
    try:
        yield
    finally:
        _passing.reset(token)


async def records(
    kind: str, ids: Iterable[K], load: Callable[[list[K]], Awaitable[Mapping[K, Found[V]]]]
) -> dict[K, V]:
    """The records with these ids, from the cache, and the missing ones from ``load``."""
    kept = reading.records()
    if kept is None:
        return {one: found.value for one, found in (await load(list(dict.fromkeys(ids)))).items()}
    known, missing = kept.get_many(kind, ids)
    if missing and kind in kept.loads.running:
        await kept.loads.wait(kind)
        found, missing = kept.get_found(kind, missing)
        known |= found
    if not missing:
        return known
    kept.loads.begin(kind)
    declared = reads.declared.set(True)
    try:
        loaded = await load(missing)
    finally:
        reads.declared.reset(declared)
        kept.loads.finish(kind)
    if not _passing.get():
        kept.put_many(kind, loaded)
    else:
        for record in loaded.values():
            reads.depend_on(record.keys, record.until)
    for one, record in loaded.items():
        known[one] = record.value
    return known


async def under_settings(
    kind: str, ids: Iterable[K], load: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]
) -> dict[K, V]:
    """Like ``records``, for values that depend on network, categories and settings only: records, or lists of records."""

    async def loaded(missing: list[K]) -> dict[K, Found[V]]:
        return {
            one: Found(value, (SETTINGS,), _BYTES_PER_PLACE * (len(value) + 1 if isinstance(value, list) else 1))
            for one, value in (await load(missing)).items()
        }

    wanted = set(ids)
    found = await records(kind, wanted, loaded)
    if len(found) < len(wanted):
        reads.depend_on((SETTINGS,))
    return found


def may_be_kept(skus: Iterable[str]) -> bool:
    """Whether items with these SKUs, the network and the settings above items are cached, current or stale."""
    kept = cache.current()
    names = [("network", 0), ("above", 0), *(("sku", spelling.normalized(sku)) for sku in skus)]
    return all(name in kept for name in names)


async def network() -> Network:
    """The websites and their warehouses."""
    return (await records("network", [0], _load_network))[0]


async def _load_network(_: list[int]) -> dict[int, Found[Network]]:
    found = await warehouses.network()
    return {0: Found(found, (SETTINGS,), _BYTES_PER_CHANNEL * (len(found.channels) + 1))}


async def settings_above() -> Fallback:
    """The settings of websites, organizations and the system."""
    return (await records("above", [0], _load_above))[0]


async def _load_above(_: list[int]) -> dict[int, Found[Fallback]]:
    found = await setting_rows.above()
    return {0: Found(found, (SETTINGS,), _BYTES_PER_PLACE * (found.count + 1))}


async def settings_of_categories(category_ids: Iterable[int | None]) -> dict[int | None, Fallback]:
    """The settings that apply to items of each category, or without a category (None)."""
    above = await settings_above()

    async def load(missing: list[int]) -> dict[int, Found[Fallback]]:
        return {
            category_id: Found(found, (SETTINGS,), _BYTES_PER_PLACE)
            for category_id, found in (await setting_rows.of_categories(above, missing)).items()
        }

    wanted = [one for one in category_ids if one is not None]
    found: dict[int | None, Fallback] = {None: above}
    found.update((await records("category settings", wanted, load)).items())
    return found


async def items(ids: Iterable[int]) -> dict[int, Item]:
    """Items by id, including deleted ones. Any number of ids."""
    wanted = dict.fromkeys(ids)
    found = await records("item", wanted, _load_items)
    if len(found) < len(wanted):
        reads.depend_on((ITEMS,))
    return found


def keep_items(found: Iterable[Item]) -> None:
    """Cache items that a list has read, to avoid reading them again by id."""
    kept = reading.records()
    if kept is not None:
        kept.put_many("item", {item.id: _item(item) for item in found})


async def items_in_use(ids: Iterable[int]) -> dict[int, Item]:
    """Items by id, without deleted ones."""
    return {item_id: item for item_id, item in (await items(ids)).items() if item.deleted_at is None}


async def _load_items(ids: list[int]) -> dict[int, Found[Item]]:
    return {item_id: _item(item) for item_id, item in (await catalog.items(ids)).items()}


def _item(item: Item) -> Found[Item]:
    return Found(item, (key_of(item),), _bytes_of(item))


def _bytes_of(item: Item) -> int:
    size = _BYTES_PER_ITEM + sys.getsizeof(item.name)
    if item.description is not None:
        size += sys.getsizeof(item.description)
    for image in item.own_images:
        size += _BYTES_PER_VALUE + sys.getsizeof(image["url"])
    for option in item.stored_options:
        size += _BYTES_PER_VALUE * (len(option["values"]) + 1)
    return size


def key_of(item: Item) -> Key:
    """The cache key of an item, which is that of its product."""
    return cache_keys.item(item.id if item.product_id is None else item.product_id)


async def with_products(found: Iterable[Item]) -> dict[int, Item]:
    """These items and the products of the combinations among them, by id."""
    known = {item.id: item for item in found}
    missing = {item.product_id for item in known.values() if item.product_id is not None} - known.keys()
    return known | await items(missing) if missing else known


async def by_sku(skus: Collection[str]) -> dict[str, Item]:
    """Products and combinations in use by the given SKUs, which may have any spelling."""
    spelled = {sku: spelling.normalized(sku) for sku in skus}
    found = await records("sku", spelled.values(), _load_skus)
    if len(found) < len(spelled):
        reads.depend_on((ITEMS,))
    return {sku: found[stored] for sku, stored in spelled.items() if stored in found}


async def _load_skus(skus: list[str]) -> dict[str, Found[Item]]:
    found = await catalog.by_sku(skus)
    # The same objects are cached by id, which accounts for their size.
    keep_items(found.values())
    return {sku: Found(item, (key_of(item),), 0) for sku, item in found.items()}


async def product(*, sku: str | None = None, slug: str | None = None) -> Item | None:
    """A product in use by SKU or by slug."""
    if sku is not None:
        item = (await by_sku([sku])).get(sku)
        return item if item is not None and item.is_product else None
    found = await records("slug", [slug or ""], _load_slugs)
    if not found:
        reads.depend_on((ITEMS,))
    return found.get(slug or "")


async def _load_slugs(slugs: list[str]) -> dict[str, Found[Item]]:
    found = {slug: await catalog.product(slug=slug) for slug in slugs}
    return {slug: _item(item) for slug, item in found.items() if item is not None}


async def combinations(product_ids: Iterable[int]) -> dict[int, list[Item]]:
    """The combinations in use of each product, oldest first."""
    return await records("combinations", product_ids, _load_combinations)


async def _load_combinations(product_ids: list[int]) -> dict[int, Found[list[Item]]]:
    return {
        product_id: Found(members, (cache_keys.item(product_id),), sum(map(_bytes_of, members)))
        for product_id, members in (await catalog.combinations(product_ids)).items()
    }


async def counted_combinations(found: Iterable[Item]) -> dict[int, list[Item]]:
    """The combinations in use of the products tracked with options among these items, oldest first."""
    counted = [one.id for one in found if one.is_product and catalog_rules.counts_combinations(one.tracking)]
    return await combinations(counted) if counted else {}


async def settings(
    found: Iterable[Item], places: Network | None = None, category_ids: Iterable[int] = ()
) -> SettingsLookup:
    """The settings of items on every website, and of new items in these categories."""
    known = await with_products(found)

    async def load(ids: list[int]) -> dict[int, Found[dict[Place, dict[str, Any]]]]:
        own = await setting_rows.own(ids)
        return {
            one: Found(values, (key_of(known[one]),), _BYTES_PER_PLACE * len(values)) for one, values in own.items()
        }

    own = await records("own settings", known, load)
    values: dict[int | None, dict[Place, dict[str, Any]]] = {category_id: {} for category_id in category_ids}
    for item_id, of_item in own.items():
        product_id = known[item_id].product_id
        values.setdefault(known[product_id or item_id].category_id, {}).update(of_item)
    above = await settings_of_categories(values)
    fallbacks = {category_id: above[category_id].with_own(values.get(category_id, {})) for category_id in above}
    return SettingsLookup(known, places or await network(), fallbacks)


async def levels_of(item_ids: Iterable[int]) -> dict[int, list[Level]]:
    """The levels in use of each item, without expired holds, in the order of their ids. Any number of items."""
    return {item_id: found.levels for item_id, found in (await levels_in_use(item_ids)).items()}


async def levels_in_use(item_ids: Iterable[int]) -> dict[int, LevelsInUse]:
    """Like ``levels_of``, with dated supply and the time at which they change by time alone."""
    return await records("levels", item_ids, _load_levels)


async def _load_levels(item_ids: list[int]) -> dict[int, Found[LevelsInUse]]:
    return {
        item_id: Found(
            found,
            (cache_keys.levels(item_id),),
            _BYTES_PER_LEVEL * (len(found.levels) + sum(map(len, found.supply.values()))),
            found.until,
        )
        for item_id, found in (await level_rows.in_use(item_ids, reads.now())).items()
    }


async def levels(ids: Iterable[int]) -> dict[int, Level]:
    """Levels by id, in use or not, without expired holds."""
    wanted = set(ids)
    found = await records("level", wanted, _load_levels_by_id)
    if len(found) < len(wanted):
        reads.depend_on((LEVELS,))
    return found


async def _load_levels_by_id(ids: list[int]) -> dict[int, Found[Level]]:
    return {
        level.id: Found(level, (cache_keys.levels(level.item_id),), _BYTES_PER_LEVEL, until)
        for level, until in await level_rows.with_expiry(ids, reads.now())
    }


async def assortment(found: Collection[Item], channel: SalesChannel) -> Assortment:
    """These items as one website sells them. The number of statements does not depend on the number of items.

    A read reuses its previous assortment if that has all of them, for example for the combinations of an assessed product.
    """
    kept = reading.records()
    before = kept.get_found(_ASSORTMENT, (channel.id,))[0].get(channel.id) if kept is not None else None
    if before is not None and before.has(found):
        return before  # type: ignore[no-any-return]
    wanted = await with_products(found)
    members = await counted_combinations(wanted.values())
    for of_product in members.values():
        wanted |= {one.id: one for one in of_product}
    # Levels come first, because fields of combinations request some of them while settings are being read.
    levels = await levels_in_use(wanted)
    here = Assortment(channel, await settings(wanted.values()), members, levels, reads.now())
    if kept is not None and not _passing.get():
        kept.remember(_ASSORTMENT, channel.id, here)
    return here


async def callers(digests: Iterable[str]) -> dict[str, Caller]:
    """The callers of valid tokens, by the digests of the tokens."""
    return await records("token", digests, _load_callers)


async def _load_callers(digests: list[str]) -> dict[str, Found[Caller]]:
    return {
        token.digest: Found(token.caller, (TOKENS,), _BYTES_PER_CALLER, token.expires_at)
        for token in await tokens.valid(digests, reads.now())
    }
