"""Settings at one place: what is set there, what takes effect there, and setting it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gqlstock.rules import refusals
from gqlstock.rules import settings as rules
from gqlstock.rules.catalog import Item
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.refusals import Code, Refusal, invalid
from gqlstock.rules.settings import Origin, Place, Settings, SettingScope
from gqlstock.stock.settings_lookup import lookup
from gqlstock.store import catalog, database, levels, settings, warehouses
from gqlstock.store.settings import SYSTEM_OWNER


@dataclass(frozen=True, slots=True)
class Spot:
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


async def at(spot: Spot) -> Scoped:
    """Own values, values in effect and where each comes from. Refused when there is no such place."""
    found = await _find(spot)
    own, _ = _split(spot, found)
    return Scoped(spot.scope, found.name, own, rules.resolve(found.places), rules.origins(found.places))


async def change(spot: Spot, values: Mapping[str, Any]) -> None:
    """Set values at a place; None takes one away, so that the next place shows through."""

    async def work() -> None:
        found = await _find(spot)
        own, weaker = _split(spot, found)
        after = {name: value for name, value in {**own, **values}.items() if value is not None}
        effective = rules.resolve([Place(spot.scope, found.name, after), *weaker])
        rules.check(values, effective, spot.scope, "settings", counted_in_parts=found.counted_in_parts)
        await settings.change(spot.scope, found.owner_id, values)

    await database.transaction(work)


def _split(spot: Spot, found: _Found) -> tuple[Mapping[str, Any], list[Place]]:
    """The values set at the very place, and the places that come after it."""
    first = found.places[0] if found.places else None
    if first is not None and (first.scope, first.owner) == (spot.scope, found.name):
        return first.values, found.places[1:]
    return {}, found.places


async def _find(spot: Spot) -> _Found:
    finders = {
        SettingScope.SYSTEM: _system,
        SettingScope.ORGANIZATION: _organization,
        SettingScope.WEBSITE: _website,
        SettingScope.CATEGORY: _category,
        SettingScope.PRODUCT: _product,
        SettingScope.COMBINATION: _combination,
        SettingScope.LEVEL: _level,
    }
    return await finders[spot.scope](spot)


def _missing(kind: str, value: str | None, field: str) -> refusals.Refused:
    return refusals.missing(kind, value or "", "scope", field)


async def _system(spot: Spot) -> _Found:
    return _Found(SYSTEM_OWNER, None, (await settings.book()).places(None, None))


async def _organization(spot: Spot) -> _Found:
    found = await warehouses.Organization.get_or_none(code=spot.owner)
    if found is None:
        raise _missing("organization", spot.owner, "organization")
    book = await settings.book()
    chain = [(SettingScope.ORGANIZATION, found.id, found.code), (SettingScope.SYSTEM, SYSTEM_OWNER, None)]
    places = [Place(scope, name, book.own(scope, owner)) for scope, owner, name in chain if book.own(scope, owner)]
    return _Found(found.id, found.code, places)


async def _website(spot: Spot) -> _Found:
    channel = (await warehouses.network()).find(spot.owner or "")
    if channel is None:
        raise _missing("website", spot.owner, "website")
    return _Found(channel.id, channel.code, (await settings.book()).places(None, channel))


async def _category(spot: Spot) -> _Found:
    found = await catalog.category(spot.owner or "")
    if found is None:
        raise _missing("category", spot.owner, "category")
    book = await settings.book(category_ids=[found.id])
    return _Found(found.id, found.slug, book.places(None, await _default(), category_id=found.id))


async def _product(spot: Spot) -> _Found:
    found = await catalog.product(sku=spot.owner or "")
    if found is None:
        raise _missing("product", spot.owner, "product")
    return await _item(found)


async def _combination(spot: Spot) -> _Found:
    found = (await catalog.by_sku([spot.owner or ""])).get(spot.owner or "")
    if found is None or found.is_product:
        raise _missing("combination", spot.owner, "combination")
    return await _item(found)


async def _item(item: Item) -> _Found:
    known = await lookup([item])
    channel = known.network.find(None)
    in_use = (await levels.levels_of([item.id]))[item.id]
    in_parts = any(known.own_level_value(level, "quantity_uses_decimals") for level in in_use)
    return _Found(item.id, item.sku, known.places(item, channel), in_parts)


async def _level(spot: Spot) -> _Found:
    item = (await catalog.by_sku([spot.owner or ""])).get(spot.owner or "")
    place = (await warehouses.warehouses_by_code([spot.warehouse or ""])).get(spot.warehouse or "")
    if item is None:
        raise refusals.missing("item", spot.owner or "", "scope", "level", "sku")
    if place is None:
        raise refusals.missing("warehouse", spot.warehouse or "", "scope", "level", "warehouse")
    level_id = await levels.level_id(item.id, place.id)
    if level_id is None:
        raise Refusal(Code.NOT_FOUND, f"{item.sku} has no level in {place.code}.", ("scope", "level")).only()
    known = await lookup([item])
    name = f"{item.sku}@{place.code}"
    return _Found(level_id, name, known.places(item, known.network.selling_from({place.id}), (level_id, name)))


async def _default() -> SalesChannel | None:
    return (await warehouses.network()).find(None)


def spot_of(fields: Mapping[str, Any]) -> Spot:
    """The place that exactly one of these fields names, such as {"category": "garden"}."""
    (name, value), *_ = fields.items()
    if name == "system":
        if value is not True:
            raise invalid("system is true or left out.", "scope", "system")
        return Spot(SettingScope.SYSTEM)
    if name == "level":
        return Spot(SettingScope.LEVEL, value["sku"], value["warehouse"])
    return Spot(SettingScope[name.upper()], value)
