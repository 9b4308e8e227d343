"""The items as one website sells them: effective settings, warehouses in order, sources, assessments.

It prepares the inputs of ``availability`` and ``order_plan``; its own inputs are read by others.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import allocation, availability, catalog, ledger
from gqlstock.rules.availability import Assessment, Sellable, Source
from gqlstock.rules.catalog import Choice, Item
from gqlstock.rules.fallback import SettingsLookup
from gqlstock.rules.geo import Point
from gqlstock.rules.ledger import Level
from gqlstock.rules.network import RankedWarehouse, SalesChannel
from gqlstock.rules.refusals import UnavailableReason
from gqlstock.rules.settings import Settings, SourceSelection


class Assortment:
    """Items as one website sells them. Each result is computed once."""

    def __init__(
        self,
        channel: SalesChannel,
        lookup: SettingsLookup,
        combinations: Mapping[int, list[Item]],
        levels: Mapping[int, Sequence[Level]],
        now: datetime,
        *,
        first: Mapping[int, list[int]] | None = None,
    ) -> None:
        """``levels`` and ``first`` are by stock item; ``first``: the warehouses that give first."""
        self.channel = channel
        self.lookup = lookup
        self.now = now
        self._combinations = combinations
        self._levels = levels
        self._first = first or {}
        self._warehouses = {one.warehouse_id: one for one in channel.warehouses}
        self._ordered: dict[tuple[SourceSelection, Point | None], list[RankedWarehouse]] = {}
        self._here: dict[int, list[Level]] = {}
        self._settings: dict[int, Settings] = {}
        self._sources: dict[tuple[int, Point | None], tuple[Source, ...]] = {}
        self._assessed: dict[int, Assessment] = {}

    def freeing(self, held: Mapping[int, Decimal], first: Mapping[int, list[int]] | None = None) -> "Assortment":
        """The same without a hold, whose units are given by the id of their level.

        ``first``: the warehouses of the hold by stock item, which give first.
        """
        levels = {
            item_id: [ledger.without_held(one, held[one.id]) if one.id in held else one for one in found]
            for item_id, found in self._levels.items()
        }
        return Assortment(self.channel, self.lookup, self._combinations, levels, self.now, first=first)

    def has(self, items: Iterable[Item]) -> bool:
        """Whether these items were read."""
        return all(item.id in self._levels for item in items)

    def combinations(self, product: Item) -> list[Item]:
        return self._combinations.get(product.id, [])

    def combination(self, product: Item, choice: Choice) -> Item | None:
        """The combination for a choice, if there is one."""
        wanted = catalog.digest(catalog.inventory_part(choice, product.options))
        return next((c for c in self.combinations(product) if c.choice_digest == wanted), None)

    def stock_item(self, item: Item) -> Item:
        """The item whose levels count the units: the product, for a combination of a product tracked without options."""
        product = self.lookup.product(item)
        return item if catalog.counts_combinations(product.tracking) else product

    def settings(self, item: Item) -> Settings:
        """The settings in effect for an item on this website."""
        found = self._settings.get(item.id)
        if found is None:
            found = self._settings[item.id] = self.lookup.settings(item, self.channel, self._levels_here(item))
        return found

    def warehouses(self, item: Item, ship_to: Point | None = None) -> list[RankedWarehouse]:
        """The active warehouses of the website, in the order in which they give units of an item."""
        selection = self.settings(item).source_selection
        ordered = self._ordered.get((selection, ship_to))
        if ordered is None:
            ordered = allocation.in_order(list(self._warehouses.values()), selection, ship_to)
            self._ordered[selection, ship_to] = ordered
        if not self._first:
            return ordered
        first = self._first.get(self.stock_item(item).id, [])
        return sorted(ordered, key=lambda w: first.index(w.warehouse_id) if w.warehouse_id in first else len(first))

    def sources(self, item: Item, ship_to: Point | None = None) -> tuple[Source, ...]:
        """The levels that give units of an item, in order.

        An item that was never counted has one source: a level that does not exist yet, in the first warehouse.
        """
        found = self._sources.get((item.id, ship_to))
        if found is None:
            found = self._sources[item.id, ship_to] = self._find_sources(item, ship_to)
        return found

    def _find_sources(self, item: Item, ship_to: Point | None) -> tuple[Source, ...]:
        by_warehouse = {level.warehouse_id: level for level in self._levels_here(item)}
        settings = self.settings(item)
        found = []
        for warehouse in self.warehouses(item, ship_to):
            level = by_warehouse.get(warehouse.warehouse_id)
            if level is not None:
                found.append(Source(level.warehouse_id, level, self.lookup.level_backorders(level, settings)))
        if not found and not self._levels.get(self.stock_item(item).id):
            return self.uncounted_source(item, ship_to)
        return tuple(found)

    def uncounted_source(self, item: Item, ship_to: Point | None = None) -> tuple[Source, ...]:
        """The source of an item that was never counted: a level that does not exist yet, in the first warehouse."""
        backorders = self.settings(item).backorders
        return tuple(Source(one.warehouse_id, Level(), backorders) for one in self.warehouses(item, ship_to)[:1])

    def sellable(self, item: Item, ship_to: Point | None = None, choice: Choice | None = None) -> Sellable:
        """The input of ``availability``. ``choice``: a shopper's choice without a combination."""
        product = self.lookup.product(item)
        settings = self.settings(item)
        counted = self.lookup.is_counted(item, settings)
        reason = None
        if item.is_product and catalog.counts_combinations(product.tracking):
            reason = _missing_choice(product, settings, choice)
            counted = False
        return Sellable(
            published=product.published,
            status=product.inventory_status,
            counted=counted,
            settings=settings,
            sources=self.sources(item, ship_to) if counted else (),
            has_warehouse=bool(self._warehouses),
            reason=reason,
        )

    def assess(self, item: Item, choice: Choice | None = None) -> Assessment:
        """What the website may show and sell of an item. ``choice``: as in ``sellable``."""
        if choice is not None:
            return availability.assess(self.sellable(item, choice=choice), self.now)
        found = self._assessed.get(item.id)
        if found is None:
            found = self._assessed[item.id] = self._assess(item)
        return found

    def _assess(self, item: Item) -> Assessment:
        sellable = self.sellable(item)
        if sellable.reason is not UnavailableReason.SELECT_OPTIONS:
            return availability.assess(sellable, self.now)
        combinations = self.combinations(item)
        return availability.assess_product(
            sellable,
            [self.assess(combination) for combination in combinations],
            self.now,
            open_choices=not sellable.settings.allow_only_existing_combinations
            and len(combinations) < catalog.choice_count(item.options),
        )

    def _levels_here(self, item: Item) -> list[Level]:
        found = self._here.get(item.id)
        if found is None:
            levels = self._levels.get(self.stock_item(item).id, ())
            found = self._here[item.id] = [level for level in levels if level.warehouse_id in self._warehouses]
        return found


def _missing_choice(product: Item, settings: Settings, choice: Choice | None) -> UnavailableReason | None:
    """Why a choice of a product tracked with options cannot be sold; None if it can."""
    if choice is None or not catalog.is_complete(choice, product.options):
        return UnavailableReason.SELECT_OPTIONS
    if settings.allow_only_existing_combinations:
        return UnavailableReason.COMBINATION_UNAVAILABLE
    return None
