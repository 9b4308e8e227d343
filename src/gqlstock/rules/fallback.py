"""Which place's value of a setting takes effect: the first that has one, for each setting on its own.

The order is level, combination, product, category, its parents, website, organization, system, default.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gqlstock.rules.catalog import InventoryTracking, Item
from gqlstock.rules.ledger import Level
from gqlstock.rules.network import Network, Organization, SalesChannel
from gqlstock.rules.settings import DEFAULTS, NAMES, BackorderMode, Settings, SettingScope

SYSTEM_OWNER = 0
"""The owner id of the system's settings."""

Key = tuple[SettingScope, int]
"""The kind of a place and the id of its owner."""
_Owner = tuple[SettingScope, int, str | None]
"""A place with its owner's id and name."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place with own values. ``owner``: its public name, such as a category's slug."""

    scope: SettingScope
    owner: str | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """The place that the value of one setting comes from."""

    setting: str
    scope: SettingScope
    owner: str | None
    value: Any


def resolve(places: Iterable[Place]) -> Settings:
    """The settings in effect. ``places`` come strongest first. None counts as no value. (Oro)"""
    merged: dict[str, Any] = {}
    for place in places:
        for name, value in place.values.items():
            if value is not None and name not in merged:
                merged[name] = value
    return Settings(**merged) if merged else DEFAULTS


def origins(places: Sequence[Place]) -> list[Origin]:
    """The origin of every setting, in the order of the table."""
    return [origin(name, places) for name in NAMES]


def origin(name: str, places: Sequence[Place]) -> Origin:
    """The origin of one setting's value."""
    for place in places:
        value = place.values.get(name)
        if value is not None:
            return Origin(name, place.scope, place.owner, value)
    return Origin(name, SettingScope.DEFAULT, None, getattr(DEFAULTS, name))


class Fallback:
    """The values of all places that apply to some items. Each chain of places is resolved once.

    ``chains``: the ids and slugs of each category and its parents, nearest first.
    """

    def __init__(self, values: Mapping[Key, dict[str, Any]], chains: Mapping[int, Sequence[tuple[int, str]]]) -> None:
        self._at: dict[SettingScope, dict[int, dict[str, Any]]] = {scope: {} for scope in SettingScope}
        for (scope, owner_id), own in values.items():
            self._at[scope][owner_id] = own
        self._of_products = self._at[SettingScope.PRODUCT]
        self._of_combinations = self._at[SettingScope.COMBINATION]
        self._chains = chains
        self._resolved: dict[tuple[Key, ...], Settings] = {}
        self._above: dict[tuple[int | None, int | None], Settings] = {}
        """The settings of items without own values, by category and website."""

    def places(
        self,
        product: Item | None,
        channel: SalesChannel | None,
        *,
        combination: Item | None = None,
        level: tuple[int, str] | None = None,
        category_id: int | None = None,
    ) -> list[Place]:
        """The places with own values that apply to an item, strongest first. ``level``: its id and name."""
        found = self._chain(product, channel, combination, level, category_id)
        return [Place(scope, name, self._at[scope][owner_id]) for scope, owner_id, name in found]

    def places_of_organization(self, organization: Organization) -> list[Place]:
        """The places with own values that apply to an organization, strongest first."""
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
        category_id: int | None = None,
    ) -> Settings:
        """The settings in effect there."""
        above = None
        if level is None and not self._has_own(product, combination):
            # Most items have no own values; those of one category share their settings.
            above = product.category_id if product else category_id, channel.id if channel else None
            if above in self._above:
                return self._above[above]
        found = self._chain(product, channel, combination, level, category_id)
        known = tuple((scope, owner_id) for scope, owner_id, _ in found)
        if known not in self._resolved:
            self._resolved[known] = resolve(Place(scope, None, self._at[scope][owner_id]) for scope, owner_id in known)
        if above is not None:
            self._above[above] = self._resolved[known]
        return self._resolved[known]

    def has_any(self, scope: SettingScope) -> bool:
        """Whether any place of a kind has values."""
        return bool(self._at[scope])

    def _has_own(self, product: Item | None, combination: Item | None) -> bool:
        return (product is not None and product.id in self._of_products) or (
            combination is not None and combination.id in self._of_combinations
        )

    def has(self, name: str) -> bool:
        """Whether a setting has a value at any of the places."""
        return any(name in own for owners in self._at.values() for own in owners.values())

    def own(self, scope: SettingScope, owner_id: int) -> dict[str, Any]:
        """The values set at one place."""
        return self._at[scope].get(owner_id, {})

    def _chain(
        self,
        product: Item | None,
        channel: SalesChannel | None,
        combination: Item | None,
        level: tuple[int, str] | None,
        category_id: int | None,
    ) -> list[_Owner]:
        """The places with values, strongest first."""
        chain: list[_Owner] = []
        if level is not None:
            chain.append((SettingScope.LEVEL, *level))
        if combination is not None:
            chain.append((SettingScope.COMBINATION, combination.id, combination.sku))
        if product is not None:
            chain.append((SettingScope.PRODUCT, product.id, product.sku))
            category_id = product.category_id
        if category_id is not None:
            chain += [(SettingScope.CATEGORY, one, slug) for one, slug in self._chains.get(category_id, ())]
        if channel is not None:
            chain.append((SettingScope.WEBSITE, channel.id, channel.code))
            chain.append((SettingScope.ORGANIZATION, channel.organization_id, channel.organization))
        chain.append((SettingScope.SYSTEM, SYSTEM_OWNER, None))
        return [one for one in chain if one[1] in self._at[one[0]]]


class SettingsLookup:
    """The settings of some items on every website. ``items`` also contains the products of combinations."""

    def __init__(self, items: dict[int, Item], network: Network, fallback: Fallback) -> None:
        self.items = items
        self.network = network
        self._fallback = fallback

    def product(self, item: Item) -> Item:
        """The item itself, or the product of a combination."""
        return item if item.product_id is None else self.items[item.product_id]

    def settings(self, item: Item, channel: SalesChannel | None, levels: Sequence[Level] = ()) -> Settings:
        """The settings in effect for an item on a website. ``levels``: its levels there.

        An item uses decimals when any of its levels does. (Magento sources)
        """
        found = self._fallback.settings(self.product(item), channel, combination=_combination(item))
        if not self._fallback.has_any(SettingScope.LEVEL):
            return found
        of_levels = [self._own(level).get("quantity_uses_decimals") for level in levels]
        if any(value is not None for value in of_levels):
            decimals = any(found.quantity_uses_decimals if value is None else value for value in of_levels)
            if decimals != found.quantity_uses_decimals:
                found = replace(found, quantity_uses_decimals=decimals)
        return found

    def level_backorders(self, level: Level, settings: Settings) -> BackorderMode:
        """The backorders of a level: its own value, else that of the item's settings on the website."""
        own = self.own_level_value(level, "backorders")
        return settings.backorders if own is None else own

    def places(self, item: Item, channel: SalesChannel | None, level: tuple[int, str] | None = None) -> list[Place]:
        """The places with values of their own that an item looks up, strongest first."""
        return self._fallback.places(self.product(item), channel, combination=_combination(item), level=level)

    def own_level_value(self, level: Level, name: str) -> Any:
        """The own value of a level; None if there is none."""
        return self._own(level).get(name)

    def is_set_anywhere(self, name: str) -> bool:
        """Whether a setting has a value at any place that applies to these items."""
        return self._fallback.has(name)

    def home(self, levels: Iterable[Level]) -> SalesChannel | None:
        """The website whose settings apply to figures over all warehouses; see ``Network.home``."""
        return self.network.home({level.warehouse_id for level in levels})

    def is_counted(self, item: Item, settings: Settings) -> bool:
        """Whether units of an item are counted under these settings."""
        return settings.manage_stock and self.product(item).tracking is not InventoryTracking.DO_NOT_TRACK

    def _own(self, level: Level) -> dict[str, Any]:
        return self._fallback.own(SettingScope.LEVEL, level.id)


def _combination(item: Item) -> Item | None:
    return None if item.is_product else item
