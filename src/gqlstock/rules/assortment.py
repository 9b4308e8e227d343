"""The items as one website sells them: effective settings, warehouses in order, sources, assessments.

It prepares the inputs of ``availability`` and ``order_plan``. Its own inputs are loaded elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import allocation, availability, catalog, ledger
from gqlstock.rules.availability import Assessment, Sellable
from gqlstock.rules.catalog import Choice, Item
from gqlstock.rules.fallback import SettingsLookup
from gqlstock.rules.fast_init import fast_init
from gqlstock.rules.geo import Point
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.network import RankedWarehouse, SalesChannel
from gqlstock.rules.refusals import UnavailableReason
from gqlstock.rules.settings import Settings, SourceSelection
from gqlstock.rules.sourcing import LevelsInUse, Source

_NO_LEVELS = LevelsInUse()


@fast_init
@dataclass(frozen=True, slots=True)
class _Here:
    """An item on the website. ``levels``: those of its stock item in active warehouses of the website."""

    product: Item
    stock_item: Item
    settings: Settings
    levels: Sequence[Level]
    is_counted: bool
    has_combinations: bool
    """Whether it is a product whose combinations are counted instead."""


class Assortment:
    """Items as one website sells them. Each result is computed once."""

    def __init__(
        self,
        channel: SalesChannel,
        lookup: SettingsLookup,
        combinations: Mapping[int, list[Item]],
        levels: Mapping[int, LevelsInUse],
        now: datetime,
        *,
        first: Mapping[int, list[int]] | None = None,
    ) -> None:
        """``levels`` and ``first`` are by stock item id. ``first``: the warehouses that supply first."""
        self.channel = channel
        self.lookup = lookup
        self.now = now
        self._combinations = combinations
        self._levels = levels
        self._first = first or {}
        self._warehouses = {one.warehouse_id: one for one in channel.warehouses}
        self._ordered: dict[tuple[SourceSelection, Point | None], list[RankedWarehouse]] = {}
        self._here: dict[int, _Here] = {}
        self._sources: dict[tuple[int, Point | None], tuple[Source, ...]] = {}
        self._assessed: dict[int, Assessment] = {}

    def freeing(self, held: Mapping[int, Decimal], first: Mapping[int, list[int]] | None = None) -> "Assortment":
        """The assortment with the units of a hold freed. ``held``: its units by level id.

        ``first``: the warehouses of the hold by stock item id, which supply first.
        """
        return self.after({level_id: Change(held=-quantity) for level_id, quantity in held.items()}, first)

    def after(self, changes: Mapping[int, Change], first: Mapping[int, list[int]] | None = None) -> "Assortment":
        """The assortment after changes of levels, by level id. ``first``: as in ``freeing``."""
        levels = {
            item_id: replace(
                found,
                levels=[ledger.apply(one, changes[one.id]) if one.id in changes else one for one in found.levels],
            )
            for item_id, found in self._levels.items()
        }
        return Assortment(self.channel, self.lookup, self._combinations, levels, self.now, first=first)

    def has(self, items: Iterable[Item]) -> bool:
        """Whether these items are loaded."""
        return all(item.id in self._levels for item in items)

    def combinations(self, product: Item) -> list[Item]:
        return self._combinations.get(product.id, [])

    def combination(self, product: Item, choice: Choice) -> Item | None:
        """The combination for a choice, if it exists."""
        wanted = catalog.digest(catalog.inventory_part(choice, product.options))
        return next((c for c in self.combinations(product) if c.choice_digest == wanted), None)

    def stock_item(self, item: Item) -> Item:
        """The item whose levels count the units: for a combination of a product tracked without options, the product."""
        return self._in_place(item).stock_item

    def counted_items(self, item: Item) -> list[Item]:
        """The items whose levels determine what can be sold of an item."""
        here = self._in_place(item)
        return self.combinations(item) if here.has_combinations else [here.stock_item]

    def settings(self, item: Item) -> Settings:
        """The settings in effect for an item on this website."""
        return self._in_place(item).settings

    def buffer_days(self, item: Item) -> int:
        """incomingBufferDays of the stock item, whose levels have the supply."""
        return self.settings(self.stock_item(item)).incoming_buffer_days

    def _in_place(self, item: Item) -> _Here:
        found = self._here.get(item.id)
        if found is None:
            found = self._here[item.id] = self._find(item)
        return found

    def _find(self, item: Item) -> _Here:
        lookup = self.lookup
        product = lookup.product(item)
        counts_combinations = catalog.counts_combinations(product.tracking)
        has_combinations = counts_combinations and item.product_id is None
        stock_item = item if counts_combinations else product
        found = self._levels.get(stock_item.id, _NO_LEVELS)
        levels = [one for one in found.levels if one.warehouse_id in self._warehouses]
        settings = lookup.settings(item, self.channel, levels)
        is_counted = not has_combinations and lookup.is_counted(item, settings)
        return _Here(product, stock_item, settings, levels, is_counted, has_combinations)

    def warehouses(self, item: Item, ship_to: Point | None = None) -> list[RankedWarehouse]:
        """The active warehouses of the website, in the order in which they supply an item."""
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
        """The levels that supply an item, in order.

        An item that was never counted has one source, a level in the first warehouse that does not exist yet.
        """
        found = self._sources.get((item.id, ship_to))
        if found is None:
            found = self._sources[item.id, ship_to] = self._find_sources(item, ship_to)
        return found

    def _find_sources(self, item: Item, ship_to: Point | None) -> tuple[Source, ...]:
        here = self._in_place(item)
        levels = here.levels
        found = self._levels.get(here.stock_item.id, _NO_LEVELS)
        if not levels:
            return () if found.levels else self.uncounted_source(item, ship_to)
        if len(levels) > 1:
            by_warehouse = {level.warehouse_id: level for level in levels}
            places = [warehouse.warehouse_id for warehouse in self.warehouses(item, ship_to)]
            levels = [by_warehouse[place] for place in places if place in by_warehouse]
        backorders_of, settings = self.lookup.level_backorders, here.settings
        supply = found.supply
        return tuple(
            [
                Source(level.warehouse_id, level, backorders_of(level, settings), supply.get(level.id, ()))
                for level in levels
            ]
        )

    def uncounted_source(self, item: Item, ship_to: Point | None = None) -> tuple[Source, ...]:
        """The source of an item that was never counted: a level in the first warehouse that does not exist yet."""
        backorders = self.settings(item).backorders
        return tuple(Source(one.warehouse_id, Level(), backorders) for one in self.warehouses(item, ship_to)[:1])

    def sellable(self, item: Item, ship_to: Point | None = None, choice: Choice | None = None) -> Sellable:
        """The input of ``availability``. ``choice``: a shopper's choice for which no combination exists."""
        here = self._in_place(item)
        return Sellable(
            published=here.product.published,
            status=here.product.inventory_status,
            counted=here.is_counted,
            settings=here.settings,
            sources=self.sources(item, ship_to) if here.is_counted else (),
            has_warehouse=bool(self._warehouses),
            reason=_missing_choice(here.product, here.settings, choice) if here.has_combinations else None,
            buffer_days=here.settings.incoming_buffer_days if here.stock_item is item else self.buffer_days(item),
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
            settings_of=[self.settings(combination) for combination in combinations],
            open_choices=not sellable.settings.allow_only_existing_combinations
            and len(combinations) < catalog.choice_count(item.options),
        )


def _missing_choice(product: Item, settings: Settings, choice: Choice | None) -> UnavailableReason | None:
    """Why a choice of a product tracked with options cannot be sold; None if it can."""
    if choice is None or not catalog.is_complete(choice, product.options):
        return UnavailableReason.SELECT_OPTIONS
    if settings.allow_only_existing_combinations:
        return UnavailableReason.COMBINATION_UNAVAILABLE
    return None
