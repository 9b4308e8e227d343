"""The keys that cached reads depend on, and which of them an outbox entry invalidates.

``stock.cache`` decides whether a cached value is still current.
"""

from collections.abc import Collection, Iterable

from gqlstock.rules.events import Topic

Key = tuple[str] | tuple[str, int]

ITEMS: Key = ("items",)
"""Lists and searches of items, and lookups of unknown SKUs and slugs."""
LEVELS: Key = ("levels",)
"""Lists of levels, movements, announcements and alerts, and counts by stock."""
SETTINGS: Key = ("settings",)
"""Websites, organizations, warehouses, categories, and their settings."""
TOKENS: Key = ("tokens",)
"""API tokens, and the key that signs access tokens of orders."""
EVERYTHING: Key = ("everything",)
"""Invalidates all keys."""


def item(product_id: int) -> Key:
    """A product, its combinations, and the settings of the product, its combinations and their levels."""
    return ("item", product_id)


def levels(item_id: int) -> Key:
    """All levels of an item, in use or not, with their movements, announcements and held units, and its alerts."""
    return ("levels", item_id)


def coarse(keys: Iterable[Key]) -> set[Key]:
    """Fewer keys that are dropped at least as often: an entry that drops an item's key drops the lists as well."""
    lists = {"item": ITEMS, "levels": LEVELS}
    return {lists.get(key[0], key) for key in keys}


_WITHOUT_ITEM: dict[str, frozenset[Key]] = {
    Topic.ORDER: frozenset(),
    Topic.TRANSFER: frozenset(),
    Topic.SHIPMENT: frozenset(),
    Topic.STOCK: frozenset(),
    Topic.SETTINGS: frozenset({SETTINGS}),
    Topic.TOKENS: frozenset({TOKENS}),
}


def dropped(entries: Iterable[tuple[str, int | None]]) -> set[Key]:
    """The keys that outbox entries drop. An entry is a topic and an ``item_id``.

    Entries with an unknown topic, or without the item that their topic needs, drop ``EVERYTHING``.
    """
    keys: set[Key] = set()
    for topic, item_id in entries:
        keys.update(_dropped_by(topic, item_id))
    return keys


def _dropped_by(topic: str, item_id: int | None) -> Collection[Key]:
    if topic in _WITHOUT_ITEM:
        return _WITHOUT_ITEM[topic]
    if item_id is not None:
        if topic in (Topic.LEVEL, Topic.LEVEL_ROW, Topic.ALERT):
            return levels(item_id), LEVELS
        if topic == Topic.ITEM:
            return item(item_id), ITEMS
    return (EVERYTHING,)
