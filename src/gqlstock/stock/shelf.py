"""Items as one website sells them: what the rules of availability need of a snapshot, put together once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import allocation, availability, catalog, ledger
from gqlstock.rules.availability import Assessment, Sellable, Source
from gqlstock.rules.catalog import Choice, Item
from gqlstock.rules.fallback import Lookup
from gqlstock.rules.geo import Point
from gqlstock.rules.ledger import Level
from gqlstock.rules.network import RankedWarehouse, SalesChannel
from gqlstock.rules.refusals import UnavailableReason
from gqlstock.rules.settings import Settings, SourceSelection


class Shelf:
    """Some items as one website sells them, with everything that depends on; read once, then asked any number of times."""

    def __init__(
        self,
        channel: SalesChannel,
        lookup: Lookup,
        combinations: dict[int, list[Item]],
        levels: Mapping[int, Sequence[Level]],
        now: datetime,
    ) -> None:
        self.channel = channel
        self.lookup = lookup
        self.now = now
        self._combinations = combinations
        self._levels = levels
        self._sites = {site.warehouse_id: site for site in channel.warehouses}
        self._ordered: dict[tuple[SourceSelection, Point | None], list[RankedWarehouse]] = {}
        self._first: dict[int, list[int]] = {}
        self._here: dict[int, list[Level]] = {}
        self._settings: dict[int, Settings] = {}
        self._assessed: dict[int, Assessment] = {}

    def has(self, items: Iterable[Item]) -> bool:
        """Whether all that depends on these items is here."""
        return all(item.id in self._levels for item in items)

    def combinations(self, product: Item) -> list[Item]:
        return self._combinations.get(product.id, [])

    def combination(self, product: Item, choice: Choice) -> Item | None:
        """The combination that a choice stands for, if there is one."""
        wanted = catalog.digest(catalog.inventory_part(choice, product.options))
        return next((c for c in self.combinations(product) if c.choice_digest == wanted), None)

    def stock_item(self, item: Item) -> Item:
        """The item that has the units: a combination of a product tracked without options takes the product's."""
        product = self.lookup.product(item)
        return item if catalog.counts_combinations(product.tracking) else product

    def settings(self, item: Item) -> Settings:
        """What is in effect for an item on this website."""
        found = self._settings.get(item.id)
        if found is None:
            found = self._settings[item.id] = self.lookup.settings(item, self.channel, self._levels_here(item))
        return found

    def prefer(self, first: Mapping[int, list[int]]) -> None:
        """Let these warehouses give first, by the item that has the units: those of a hold that is ordered."""
        self._first = dict(first)

    def free(self, held: Mapping[int, Decimal]) -> None:
        """Take units as if they were not held, by the id of their level."""
        self._levels = {
            item_id: [ledger.without_held(one, held[one.id]) if one.id in held else one for one in levels]
            for item_id, levels in self._levels.items()
        }
        self._here.clear()
        self._assessed.clear()

    def sites(self, item: Item, ship_to: Point | None = None) -> list[RankedWarehouse]:
        """The website's active warehouses in the order in which they give of this item."""
        selection = self.settings(item).source_selection
        ordered = self._ordered.get((selection, ship_to))
        if ordered is None:
            ordered = allocation.in_order(list(self._sites.values()), selection, ship_to)
            self._ordered[selection, ship_to] = ordered
        if not self._first:
            return ordered
        first = self._first.get(self.stock_item(item).id, [])
        return sorted(ordered, key=lambda s: first.index(s.warehouse_id) if s.warehouse_id in first else len(first))

    def sources(self, item: Item, ship_to: Point | None = None) -> tuple[Source, ...]:
        """The levels that give units of an item here, in order.

        Of an item that nobody has counted anywhere that is one which is not there yet: the first warehouse's.
        """
        by_warehouse = {level.warehouse_id: level for level in self._levels_here(item)}
        settings = self.settings(item)
        found = []
        for site in self.sites(item, ship_to):
            level = by_warehouse.get(site.warehouse_id)
            if level is not None:
                backorders = self.lookup.level_backorders(level, settings)
                found.append(Source(site.warehouse_id, level, backorders))
        if not found and not self._levels.get(self.stock_item(item).id):
            return self.uncounted_source(item, ship_to)
        return tuple(found)

    def uncounted_source(self, item: Item, ship_to: Point | None = None) -> tuple[Source, ...]:
        """The source of an item that nobody has counted: the level that is not there yet in the first warehouse."""
        backorders = self.settings(item).backorders
        return tuple(Source(site.warehouse_id, Level(), backorders) for site in self.sites(item, ship_to)[:1])

    def sellable(self, item: Item, ship_to: Point | None = None, choice: Choice | None = None) -> Sellable:
        """The item as the rule wants it; ``choice`` is that of a shopper who picked no combination of its own."""
        product = self.lookup.product(item)
        settings = self.settings(item)
        counted = self.lookup.is_counted(item, settings)
        reason = None
        if item.is_product and catalog.counts_combinations(product.tracking):
            reason = self._missing_choice(product, settings, choice)
            counted = False
        return Sellable(
            published=product.published,
            status=product.inventory_status,
            counted=counted,
            settings=settings,
            sources=self.sources(item, ship_to) if counted else (),
            has_warehouse=bool(self._sites),
            reason=reason,
        )

    def assess(self, item: Item, choice: Choice | None = None) -> Assessment:
        """What the website may show and sell of an item; ``choice`` as in ``sellable``."""
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
        made = self.combinations(item)
        return availability.assess_product(
            sellable,
            [self.assess(combination) for combination in made],
            self.now,
            open_choices=not sellable.settings.allow_only_existing_combinations
            and len(made) < catalog.choice_count(item.options),
        )

    def _missing_choice(self, product: Item, settings: Settings, choice: Choice | None) -> UnavailableReason | None:
        if choice is None or not catalog.is_complete(choice, product.options):
            return UnavailableReason.SELECT_OPTIONS
        if settings.allow_only_existing_combinations:
            return UnavailableReason.COMBINATION_UNAVAILABLE
        return None

    def _levels_here(self, item: Item) -> list[Level]:
        found = self._here.get(item.id)
        if found is None:
            levels = self._levels.get(self.stock_item(item).id, ())
            found = self._here[item.id] = [level for level in levels if level.warehouse_id in self._sites]
        return found
