"""Which settings are in effect for which item, where: the order of fallback, applied to items of a network."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from gqlstock.rules.catalog import InventoryTracking, Item
from gqlstock.rules.ledger import Level
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.rules.settings import BackorderMode, Place, Settings, SettingScope


class SettingsBook(Protocol):
    """The values set at the places that the items look up."""

    def settings(
        self, product: Item | None, channel: SalesChannel | None, *, combination: Item | None = None
    ) -> Settings: ...

    def places(
        self,
        product: Item | None,
        channel: SalesChannel | None,
        *,
        combination: Item | None = None,
        level: tuple[int, str] | None = None,
    ) -> list[Place]: ...

    def has_any(self, scope: SettingScope) -> bool: ...

    def has(self, name: str) -> bool: ...

    def own(self, scope: SettingScope, owner_id: int) -> dict[str, Any]: ...


class Lookup:
    """The settings of some items. ``items`` holds them and the products of those that are combinations."""

    def __init__(self, items: Mapping[int, Item], network: Network, book: SettingsBook) -> None:
        self.items = items
        self.network = network
        self._book = book

    def product(self, item: Item) -> Item:
        """The product that an item is, or is a combination of."""
        return item if item.product_id is None else self.items[item.product_id]

    def settings(self, item: Item, channel: SalesChannel | None, levels: Sequence[Level] = ()) -> Settings:
        """What is in effect for an item on a website; ``levels`` are those it has there.

        An item takes decimals when any of its levels there says so. (Magento sources)
        """
        found = self._book.settings(self.product(item), channel, combination=_combination(item))
        if not self._book.has_any(SettingScope.LEVEL):
            return found
        said = [self._own(level).get("quantity_uses_decimals") for level in levels]
        if any(value is not None for value in said):
            decimals = any(found.quantity_uses_decimals if value is None else value for value in said)
            if decimals != found.quantity_uses_decimals:
                found = replace(found, quantity_uses_decimals=decimals)
        return found

    def level_backorders(self, level: Level, found: Settings) -> BackorderMode:
        """The backorders of one level of an item whose settings on a website are these; its own go first."""
        own = self.own_level_value(level, "backorders")
        return found.backorders if own is None else own

    def places(self, item: Item, channel: SalesChannel | None, level: tuple[int, str] | None = None) -> list[Place]:
        """The places with values of their own that an item looks up, strongest first."""
        return self._book.places(self.product(item), channel, combination=_combination(item), level=level)

    def own_level_value(self, level: Level, name: str) -> Any:
        """The value set at that very level; None if there is none."""
        return self._own(level).get(name)

    def anywhere(self, name: str) -> bool:
        """Whether that setting has a value at any place that these items look up."""
        return self._book.has(name)

    def home(self, levels: Iterable[Level]) -> SalesChannel | None:
        """The website that figures over all warehouses go by: the first created that sells from an active one of them."""
        return self.network.selling_from({level.warehouse_id for level in levels} & self.network.active)

    def is_counted(self, item: Item, found: Settings) -> bool:
        """Whether units of an item are counted where these settings are in effect."""
        return found.manage_stock and self.product(item).tracking is not InventoryTracking.DO_NOT_TRACK

    def _own(self, level: Level) -> dict[str, Any]:
        return self._book.own(SettingScope.LEVEL, level.id)


def _combination(item: Item) -> Item | None:
    return None if item.is_product else item
