"""Settings at one place: what is set there, what takes effect there, and setting it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gqlstock.rules import fallback, refusals
from gqlstock.rules import settings as rules
from gqlstock.rules.catalog import Item
from gqlstock.rules.fallback import SYSTEM_OWNER, Origin, Place
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.refusals import Code, Refusal, invalid
from gqlstock.rules.settings import Settings, SettingScope
from gqlstock.stock.settings_lookup import lookup
from gqlstock.store import catalog, categories, levels, settings, warehouses
from gqlstock.store.db import transactions


@dataclass(frozen=True, slots=True)
class SettingTarget:
    """A place to set at: ``owner`` is a code, a slug or a SKU; ``warehouse`` names a level's second half."""

    scope: SettingScope
    owner: str | None = None
    warehouse: str | None = None


@dataclass(frozen=True, slots=True)
class Scoped:
    """``own``: the values set at this very place, by the setting's name."""

    scope: SettingScope
    owner: str | None
    own: Mapping[str, Any]
    effective: Settings
    origins: list[Origin]


@dataclass(frozen=True, slots=True)
class _Found:
    owner_id: int
    name: str | None
    places: list[Place]
    counted_in_parts: bool = False
    """Whether a level of the item says that parts of a unit are taken."""


async def at(target: SettingTarget) -> Scoped:
    """Own values, values in effect and where each comes from. Refused when there is no such place."""
    found = await _find(target)
    own, _ = _split(target, found)
    return Scoped(target.scope, found.name, own, fallback.resolve(found.places), fallback.origins(found.places))


async def change(target: SettingTarget, values: Mapping[str, Any]) -> None:
    """Set values at a place; None takes one away, so that the next place shows through."""

    async def work() -> None:
        found = await _find(target)
        own, weaker = _split(target, found)
        after = {name: value for name, value in {**own, **values}.items() if value is not None}
        effective = fallback.resolve([Place(target.scope, found.name, after), *weaker])
        rules.check(values, effective, target.scope, "settings", counted_in_parts=found.counted_in_parts)
        await settings.change(target.scope, found.owner_id, values)

    await transactions.run(work)


def _split(target: SettingTarget, found: _Found) -> tuple[Mapping[str, Any], list[Place]]:
    """The values set at the very place, and the places that come after it."""
    first = found.places[0] if found.places else None
    if first is not None and (first.scope, first.owner) == (target.scope, found.name):
        return first.values, found.places[1:]
    return {}, found.places


async def _find(target: SettingTarget) -> _Found:
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


async def _system(target: SettingTarget) -> _Found:
    return _Found(SYSTEM_OWNER, None, (await settings.fallback()).places(None, None))


async def _organization(target: SettingTarget) -> _Found:
    found = await warehouses.organization(target.owner or "")
    if found is None:
        raise _missing("organization", target.owner, "organization")
    places = (await settings.fallback()).places_of_organization(found)
    return _Found(found.id, found.code, places)


async def _website(target: SettingTarget) -> _Found:
    channel = (await warehouses.network()).find(target.owner or "")
    if channel is None:
        raise _missing("website", target.owner, "website")
    return _Found(channel.id, channel.code, (await settings.fallback()).places(None, channel))


async def _category(target: SettingTarget) -> _Found:
    found = await categories.category(target.owner or "")
    if found is None:
        raise _missing("category", target.owner, "category")
    known = await settings.fallback(category_ids=[found.id])
    return _Found(found.id, found.slug, known.places(None, await _default(), category_id=found.id))


async def _product(target: SettingTarget) -> _Found:
    found = await catalog.product(sku=target.owner or "")
    if found is None:
        raise _missing("product", target.owner, "product")
    return await _item(found)


async def _combination(target: SettingTarget) -> _Found:
    found = (await catalog.by_sku([target.owner or ""])).get(target.owner or "")
    if found is None or found.is_product:
        raise _missing("combination", target.owner, "combination")
    return await _item(found)


async def _item(item: Item) -> _Found:
    known = await lookup([item])
    channel = known.network.find(None)
    in_use = (await levels.levels_of([item.id]))[item.id]
    in_parts = any(known.own_level_value(level, "quantity_uses_decimals") for level in in_use)
    return _Found(item.id, item.sku, known.places(item, channel), in_parts)


async def _level(target: SettingTarget) -> _Found:
    item = (await catalog.by_sku([target.owner or ""])).get(target.owner or "")
    place = (await warehouses.warehouses_by_code([target.warehouse or ""])).get(target.warehouse or "")
    if item is None:
        raise refusals.missing("item", target.owner or "", "scope", "level", "sku")
    if place is None:
        raise refusals.missing("warehouse", target.warehouse or "", "scope", "level", "warehouse")
    level_id = await levels.level_id(item.id, place.id)
    if level_id is None:
        raise Refusal(Code.NOT_FOUND, f"{item.sku} has no level in {place.code}.", ("scope", "level")).only()
    known = await lookup([item])
    name = f"{item.sku}@{place.code}"
    return _Found(level_id, name, known.places(item, known.network.selling_from({place.id}), (level_id, name)))


async def _default() -> SalesChannel | None:
    return (await warehouses.network()).find(None)


def target_of(fields: Mapping[str, Any]) -> SettingTarget:
    """The place that exactly one of these fields names, such as {"category": "garden"}."""
    (name, value), *_ = fields.items()
    if name == "system":
        if value is not True:
            raise invalid("system is true or left out.", "scope", "system")
        return SettingTarget(SettingScope.SYSTEM)
    if name == "level":
        return SettingTarget(SettingScope.LEVEL, value["sku"], value["warehouse"])
    return SettingTarget(SettingScope[name.upper()], value)
