"""What a website shows a caller of items. ``rules.assortment`` and ``rules.availability`` decide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gqlstock.rules import availability as rules
from gqlstock.rules import cache_keys
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.availability import Assessment
from gqlstock.rules.cache_keys import SETTINGS
from gqlstock.rules.catalog import Item
from gqlstock.rules.fast_init import fast_init
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.rules.settings import Settings
from gqlstock.rules.sourcing import LevelsInUse
from gqlstock.stock import present
from gqlstock.stock.cache import Found

_BYTES_PER_ASSESSMENT = 900


@fast_init
@dataclass(frozen=True, slots=True)
class Showing:
    """An item as a website shows it."""

    item: Item
    website: str
    assessment: Assessment


@dataclass(slots=True)
class Assessed:
    """What a website may show and sell of an item, in full and as the public may see it."""

    published: bool
    full: Assessment
    _settings: Settings
    _public: Assessment | None = None

    def of(self, caller: Caller) -> Assessment:
        """The assessment as a caller may see it."""
        if caller.sees_all_stock:
            return self.full
        if self._public is None:
            self._public = rules.for_public(self.full, self._settings)
        return self._public


async def assess(items: Iterable[Item], channel: SalesChannel) -> dict[int, Assessed]:
    """What a website may show and sell of items, by id."""
    known = {item.id: item for item in items}

    async def load(missing: list[tuple[int, int]]) -> dict[tuple[int, int], Found[Assessed]]:
        here = await present.assortment([known[item_id] for _, item_id in missing], channel)
        counted = {name: here.counted_items(known[name[1]]) for name in missing}
        levels = await present.levels_in_use({one.id for found in counted.values() for one in found})
        return {name: _assess(known[name[1]], here, found, levels) for name, found in counted.items()}

    found = await present.records("assessed", [(channel.id, item_id) for item_id in known], load)
    return {item_id: assessed for (_, item_id), assessed in found.items()}


def _assess(
    item: Item, here: Assortment, counted: Sequence[Item], levels: Mapping[int, LevelsInUse]
) -> Found[Assessed]:
    settings = here.settings(item)
    assessed = Assessed(here.lookup.product(item).published, here.assess(item), settings)
    moments = [until for one in counted if (until := levels[one.id].until) is not None]
    for effective in {id(found): found for found in (settings, *map(here.settings, counted))}.values():
        until = rules.changes_at(effective, here.now)
        if until is not None:
            moments.append(until)
    keys = (present.key_of(item), SETTINGS, *[cache_keys.levels(one.id) for one in counted])
    return Found(assessed, keys, _BYTES_PER_ASSESSMENT, min(moments, default=None))


async def of_skus(skus: Sequence[str], channel: SalesChannel, caller: Caller) -> list[Showing | None]:
    """What a website shows a caller of each SKU; None for a SKU that the caller cannot see."""
    items = await present.by_sku(skus)
    assessed = await assess(items.values(), channel)
    everything = caller.may(Scope.CATALOG_READ)
    shown: list[Showing | None] = []
    for sku in skus:
        item = items.get(sku)
        if item is None or not (everything or assessed[item.id].published):
            shown.append(None)
        else:
            shown.append(Showing(item, channel.code, assessed[item.id].of(caller)))
    return shown


async def visible(items: Iterable[Item], channel: SalesChannel | None, caller: Caller) -> list[Item]:
    """The items that a caller may see. The public sees those that the website shows."""
    given = list(items)
    if caller.may(Scope.CATALOG_READ):
        return given
    if channel is None:
        return []
    assessed = await assess(given, channel)
    return [item for item in given if item.deleted_at is None and assessed[item.id].full.visible]
