"""Reads and changes the settings of one place. ``rules.fallback`` decides which place wins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gqlstock.rules import fallback, refusals
from gqlstock.rules.catalog import Item
from gqlstock.rules.fallback import SYSTEM_OWNER, Origin, Place
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.refusals import Code, Refusal, invalid
from gqlstock.rules.settings import Settings, SettingScope
from gqlstock.stock import present
from gqlstock.store import catalog, categories, levels, settings, warehouses
from gqlstock.store.db import transactions


@dataclass(frozen=True, slots=True)
class SettingTarget:
    """A place of settings. ``owner``: a code, slug or SKU; ``warehouse``: for a level, its warehouse."""

    scope: SettingScope
    owner: str | None = None
    warehouse: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceSettings:
    """``own``: the values set at this place itself, by setting name."""

    scope: SettingScope
    owner: str | None
    own: Mapping[str, Any]
    effective: Settings
    origins: list[Origin]


@dataclass(frozen=True, slots=True)
class _FoundPlace:
    owner_id: int
    name: str | None
    places: list[Place]
    counted_in_parts: bool = False
    """Whether a level of the item allows fractions of a unit."""


async def at(target: SettingTarget) -> PlaceSettings:
    """The own and effective values of a place, and their origins. Raises ``Refused`` for an unknown place."""
    found = await _find(target)
    own, _ = _split(target, found)
    return PlaceSettings(target.scope, found.name, own, fallback.resolve(found.places), fallback.origins(found.places))


async def change(target: SettingTarget, values: Mapping[str, Any]) -> None:
    """Set values at a place. None removes a value, so the next place applies."""

    async def work() -> None:
        found = await _find(target)
        own, weaker = _split(target, found)
        place = Place(target.scope, found.name, own)
        fallback.changed(place, values, weaker, counted_in_parts=found.counted_in_parts)
        await settings.change(target.scope, found.owner_id, values)

    await transactions.run(work)


def _split(target: SettingTarget, found: _FoundPlace) -> tuple[Mapping[str, Any], list[Place]]:
    """The own values of the place, and the weaker places."""
    first = found.places[0] if found.places else None
    if first is not None and (first.scope, first.owner) == (target.scope, found.name):
        return first.values, found.places[1:]
    return {}, found.places


async def _find(target: SettingTarget) -> _FoundPlace:
    finders = {
        SettingScope.SYSTEM: _system,
        SettingScope.ORGANIZATION: _organization,
        SettingScope.WEBSITE: _website,
        SettingScope.CATEGORY: _category,
        SettingScope.PRODUCT: _product,
        SettingScope.COMBINATION: _combination,
        SettingScope.LEVEL: _level,
    }
    return await finders[target.scope](target)


def _missing(kind: str, value: str | None, field: str) -> refusals.Refused:
    return refusals.missing(kind, value or "", "scope", field)


async def _system(target: SettingTarget) -> _FoundPlace:
    return _FoundPlace(SYSTEM_OWNER, None, (await present.settings_above()).places(None, None))


async def _organization(target: SettingTarget) -> _FoundPlace:
    found = await warehouses.organization(target.owner or "")
    if found is None:
        raise _missing("organization", target.owner, "organization")
    places = (await present.settings_above()).places_of_organization(found)
    return _FoundPlace(found.id, found.code, places)


async def _website(target: SettingTarget) -> _FoundPlace:
    channel = (await present.network()).find(target.owner or "")
    if channel is None:
        raise _missing("website", target.owner, "website")
    return _FoundPlace(channel.id, channel.code, (await present.settings_above()).places(None, channel))


async def _category(target: SettingTarget) -> _FoundPlace:
    found = await categories.category(target.owner or "")
    if found is None:
        raise _missing("category", target.owner, "category")
    known = (await present.settings_of_categories([found.id]))[found.id]
    return _FoundPlace(found.id, found.slug, known.places(None, await _default()))


async def _product(target: SettingTarget) -> _FoundPlace:
    found = await catalog.product(sku=target.owner or "")
    if found is None:
        raise _missing("product", target.owner, "product")
    return await _item(found)


async def _combination(target: SettingTarget) -> _FoundPlace:
    found = (await catalog.by_sku([target.owner or ""])).get(target.owner or "")
    if found is None or found.is_product:
        raise _missing("combination", target.owner, "combination")
    return await _item(found)


async def _item(item: Item) -> _FoundPlace:
    known = await present.settings([item])
    channel = known.network.find(None)
    in_use = (await present.levels_of([item.id]))[item.id]
    in_parts = any(known.own_level_value(level, "quantity_uses_decimals") for level in in_use)
    return _FoundPlace(item.id, item.sku, known.places(item, channel), in_parts)


async def _level(target: SettingTarget) -> _FoundPlace:
    item = (await catalog.by_sku([target.owner or ""])).get(target.owner or "")
    place = (await warehouses.warehouses_by_code([target.warehouse or ""])).get(target.warehouse or "")
    if item is None:
        raise refusals.missing("item", target.owner or "", "scope", "level", "sku")
    if place is None:
        raise refusals.missing("warehouse", target.warehouse or "", "scope", "level", "warehouse")
    level_id = await levels.level_id(item.id, place.id)
    if level_id is None:
        raise Refusal(Code.NOT_FOUND, f"{item.sku} has no level in {place.code}.", ("scope", "level")).only()
    known = await present.settings([item])
    name = f"{item.sku}@{place.code}"
    return _FoundPlace(level_id, name, known.places(item, known.network.selling_from({place.id}), (level_id, name)))


async def _default() -> SalesChannel | None:
    return (await present.network()).find(None)


def target_of(fields: Mapping[str, Any]) -> SettingTarget:
    """The place named by the single given field, such as {"category": "garden"}."""
    (name, value), *_ = fields.items()
    if name == "system":
        if value is not True:
            raise invalid("system must be true or omitted.", "scope", "system")
        return SettingTarget(SettingScope.SYSTEM)
    if name == "level":
        return SettingTarget(SettingScope.LEVEL, value["sku"], value["warehouse"])
    return SettingTarget(SettingScope[name.upper()], value)
