"""Which place a setting's value comes from: the first place that sets it, resolved for each setting separately.

The order is level, combination, product, category, its parents, website, organization, system, default.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gqlstock.rules import settings as rules
from gqlstock.rules.catalog import InventoryTracking, Item
from gqlstock.rules.ledger import Level
from gqlstock.rules.network import Network, Organization, SalesChannel
from gqlstock.rules.settings import DEFAULTS, NAMES, BackorderMode, Settings, SettingScope

SYSTEM_OWNER = 0
"""The owner id of system settings."""

Key = tuple[SettingScope, int]
"""The kind of a place and the id of its owner."""
_Owner = tuple[SettingScope, int, str | None]
"""A place with its owner's id and name."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place with values of its own. ``owner``: its public name, such as a category's slug."""

    scope: SettingScope
    owner: str | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """The place that a setting's value comes from."""

    setting: str
    scope: SettingScope
    owner: str | None
    value: Any


def resolve(places: Iterable[Place]) -> Settings:
    """The settings in effect. ``places``: highest precedence first. None counts as not set. (Oro)"""
    merged: dict[str, Any] = {}
    for place in places:
        for name, value in place.values.items():
            if value is not None and name not in merged:
                merged[name] = value
    return Settings(**merged) if merged else DEFAULTS


def key_of(item: Item) -> Key:
    """The key of the place where an item's own settings are."""
    return (SettingScope.PRODUCT if item.is_product else SettingScope.COMBINATION), item.id


def of_item(item: Item, own: Mapping[str, Any]) -> Place:
    """The place where an item's own settings are."""
    return Place(key_of(item)[0], item.sku, own)


def changed(
    place: Place, values: Mapping[str, Any], weaker: Iterable[Place], *, counted_in_parts: bool = False
) -> dict[str, Any]:
    """The own values of a place after a change; None removes a value.

    Raises ``Refused`` for invalid values, also in combination with the values of places of lower precedence.
    """
    after = {name: value for name, value in {**place.values, **values}.items() if value is not None}
    effective = resolve([replace(place, values=after), *weaker])
    rules.check(values, effective, place.scope, "settings", counted_in_parts=counted_in_parts)
    return after


def origins(places: Sequence[Place]) -> list[Origin]:
    """The origin of every setting, in the order of ``Settings``."""
    return [origin(name, places) for name in NAMES]


def origin(name: str, places: Sequence[Place]) -> Origin:
    """The origin of one setting's value."""
    for place in places:
        value = place.values.get(name)
        if value is not None:
            return Origin(name, place.scope, place.owner, value)
    return Origin(name, SettingScope.DEFAULT, None, getattr(DEFAULTS, name))


class Fallback:
    """The values of all places that apply to items of one category, or of none. Caches each resolved chain of places.

    ``categories``: the ids and slugs of the category and its parents, nearest first.
    """

    def __init__(self, values: Mapping[Key, dict[str, Any]], categories: Sequence[tuple[int, str]] = ()) -> None:
        self._at: dict[SettingScope, dict[int, dict[str, Any]]] = {scope: {} for scope in SettingScope}
        for (scope, owner_id), own in values.items():
            self._at[scope][owner_id] = own
        self._of_products = self._at[SettingScope.PRODUCT]
        self._of_combinations = self._at[SettingScope.COMBINATION]
        self._categories = categories
        self._resolved: dict[tuple[Key, ...], Settings] = {}
        self._above: dict[int | None, Settings] = {}
        """The settings of items without values of their own, by website."""
        self._names = {name for own in values.values() for name in own}

    @property
    def count(self) -> int:
        """The number of places that set any value."""
        return sum(map(len, self._at.values()))

    def of_category(self, categories: Sequence[tuple[int, str]], values: Mapping[Key, dict[str, Any]]) -> "Fallback":
        """A fallback for items of a category, with the values of that category and its parents."""
        return self._extended(values, categories)

    def with_own(self, values: Mapping[Key, dict[str, Any]]) -> "Fallback":
        """A fallback with the values of some items and their levels. It shares the resolved settings above items."""
        if not values:
            return self
        extended = self._extended(values, self._categories)
        extended._above = self._above
        return extended

    def _extended(self, values: Mapping[Key, dict[str, Any]], categories: Sequence[tuple[int, str]]) -> "Fallback":
        extended = Fallback(values, categories)
        extended._names |= self._names
        for scope, owners in self._at.items():
            if not extended._at[scope]:
                extended._at[scope] = owners
        extended._of_products = extended._at[SettingScope.PRODUCT]
        extended._of_combinations = extended._at[SettingScope.COMBINATION]
        return extended

    def places(
        self,
        product: Item | None,
        channel: SalesChannel | None,
        *,
        combination: Item | None = None,
        level: tuple[int, str] | None = None,
    ) -> list[Place]:
        """The places with values that apply to an item, highest precedence first. ``level``: its id and name."""
        found = self._chain(product, channel, combination, level)
        return [Place(scope, name, self._at[scope][owner_id]) for scope, owner_id, name in found]

    def places_of_organization(self, organization: Organization) -> list[Place]:
        """The places with values that apply to an organization, highest precedence first."""
        chain = [
            (SettingScope.ORGANIZATION, organization.id, organization.code),
            (SettingScope.SYSTEM, SYSTEM_OWNER, None),
        ]
        found = ((scope, name, self.own(scope, owner_id)) for scope, owner_id, name in chain)
        return [Place(scope, name, own) for scope, name, own in found if own]

    def settings(
        self,
        product: Item | None,
        channel: SalesChannel | None,
        *,
        combination: Item | None = None,
        level: tuple[int, str] | None = None,
    ) -> Settings:
        """The settings in effect at that place."""
        is_above = level is None and not self._has_own(product, combination)
        website_id = channel.id if channel else None
        # Most items have no own values; those of one category share their settings.
        if is_above and website_id in self._above:
            return self._above[website_id]
        found = self._chain(product, channel, combination, level)
        known = tuple((scope, owner_id) for scope, owner_id, _ in found)
        if known not in self._resolved:
            self._resolved[known] = resolve(Place(scope, None, self._at[scope][owner_id]) for scope, owner_id in known)
        if is_above:
            self._above[website_id] = self._resolved[known]
        return self._resolved[known]

    def owners(self, scope: SettingScope) -> Mapping[int, dict[str, Any]]:
        """The values of all places of a kind, by owner id."""
        return self._at[scope]

    def _has_own(self, product: Item | None, combination: Item | None) -> bool:
        return (product is not None and product.id in self._of_products) or (
            combination is not None and combination.id in self._of_combinations
        )

    def has(self, name: str) -> bool:
        """Whether any of the places sets a value."""
        return name in self._names

    def own(self, scope: SettingScope, owner_id: int) -> dict[str, Any]:
        """The values set at one place."""
        return self._at[scope].get(owner_id, {})

    def _chain(
        self,
        product: Item | None,
        channel: SalesChannel | None,
        combination: Item | None,
        level: tuple[int, str] | None,
    ) -> list[_Owner]:
        """The places with values, highest precedence first."""
        chain: list[_Owner] = []
        if level is not None:
            chain.append((SettingScope.LEVEL, *level))
        if combination is not None:
            chain.append((SettingScope.COMBINATION, combination.id, combination.sku))
        if product is not None:
            chain.append((SettingScope.PRODUCT, product.id, product.sku))
        chain += [(SettingScope.CATEGORY, one, slug) for one, slug in self._categories]
        if channel is not None:
            chain.append((SettingScope.WEBSITE, channel.id, channel.code))
            chain.append((SettingScope.ORGANIZATION, channel.organization_id, channel.organization))
        chain.append((SettingScope.SYSTEM, SYSTEM_OWNER, None))
        return [one for one in chain if one[1] in self._at[one[0]]]


class SettingsLookup:
    """The settings of some items on every website.

    ``items`` also contains the products of its combinations. ``fallbacks``: by category.
    """

    def __init__(self, items: dict[int, Item], network: Network, fallbacks: Mapping[int | None, Fallback]) -> None:
        self.items = items
        self.network = network
        self._fallbacks = fallbacks
        self._levels = {
            level_id: own for one in fallbacks.values() for level_id, own in one.owners(SettingScope.LEVEL).items()
        }
        self.has_values_of_levels = bool(self._levels)
        """Whether any of their levels has its own values."""

    def product(self, item: Item) -> Item:
        """The item itself, or the product of a combination."""
        return item if item.product_id is None else self.items[item.product_id]

    def settings(self, item: Item, channel: SalesChannel | None, levels: Sequence[Level] = ()) -> Settings:
        """The settings in effect for an item on a website. ``levels``: its levels there.

        An item uses decimals when any of its levels does. (Magento sources)
        """
        product = self.product(item)
        found = self._fallbacks[product.category_id].settings(product, channel, combination=_combination(item))
        if not self.has_values_of_levels:
            return found
        of_levels = [self._own(level).get("quantity_uses_decimals") for level in levels]
        if any(value is not None for value in of_levels):
            decimals = any(found.quantity_uses_decimals if value is None else value for value in of_levels)
            if decimals != found.quantity_uses_decimals:
                found = replace(found, quantity_uses_decimals=decimals)
        return found

    def of_new(self, product: Item | None, channel: SalesChannel | None, category_id: int | None) -> Settings:
        """The settings of a new combination of a product; without a product, those of a new product of a category."""
        return self._fallbacks[product.category_id if product else category_id].settings(product, channel)

    def level_backorders(self, level: Level, settings: Settings) -> BackorderMode:
        """The backorders of a level: its own value, else that of the item's settings on the website."""
        own = self.own_level_value(level, "backorders") if self.has_values_of_levels else None
        return settings.backorders if own is None else own

    def places(self, item: Item, channel: SalesChannel | None, level: tuple[int, str] | None = None) -> list[Place]:
        """The places with values that apply to an item, highest precedence first. ``level``: its id and name."""
        product = self.product(item)
        fallback = self._fallbacks[product.category_id]
        return fallback.places(product, channel, combination=_combination(item), level=level)

    def own_level_value(self, level: Level, name: str) -> Any:
        """The value that a level sets itself; None if it sets none."""
        return self._own(level).get(name)

    def is_set_anywhere(self, name: str) -> bool:
        """Whether any place that applies to these items sets a value."""
        return any(one.has(name) for one in self._fallbacks.values())

    def home(self, levels: Iterable[Level]) -> SalesChannel | None:
        """The website whose settings apply to figures over all warehouses; see ``Network.home``."""
        return self.network.home({level.warehouse_id for level in levels})

    def is_counted(self, item: Item, settings: Settings) -> bool:
        """Whether units of an item are counted under these settings."""
        return settings.manage_stock and self.product(item).tracking is not InventoryTracking.DO_NOT_TRACK

    def _own(self, level: Level) -> dict[str, Any]:
        return self._levels.get(level.id, {})


def _combination(item: Item) -> Item | None:
    return None if item.is_product else item
