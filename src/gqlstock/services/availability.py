"""What a website may show and sell of some items: the rows that the rule in ``rules.availability`` wants, read together."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import allocation, availability, catalog
from gqlstock.rules.availability import Assessment, Sellable, Source
from gqlstock.rules.catalog import Choice, InventoryTracking, Item, Option
from gqlstock.rules.geo import Point
from gqlstock.rules.ledger import Level
from gqlstock.rules.network import Network, RankedWarehouse, SalesChannel
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import UnavailableReason
from gqlstock.rules.settings import Settings, SourceSelection
from gqlstock.services.lookup import Lookup, lookup
from gqlstock.store import catalog as catalog_rows
from gqlstock.store import database, inventory
from gqlstock.store.inventory import Figures, Standing


class Shelf:
    """Some items as one website sells them, with everything that depends on; read once, then asked any number of times."""

    def __init__(
        self,
        channel: SalesChannel,
        lookup: Lookup,
        combinations: dict[int, list[Item]],
        levels: dict[int, Sequence[Standing]],
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
        self._here: dict[int, list[Standing]] = {}
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
        """Take units as if they were not held, by the id of their level; for questions, which write nothing."""
        for levels in self._levels.values():
            for position, level in enumerate(levels):
                if isinstance(level, Figures):
                    level.free(held.get(level.id, ZERO))
                elif isinstance(level, Level) and level.id in held and isinstance(levels, list):
                    levels[position] = replace(level, held=level.held - held[level.id])

    def use(self, claimed: inventory.Claim) -> None:
        """Take the levels as they are under the lock from here on."""
        self._levels.update((item_id, claimed.levels(item_id)) for item_id in claimed.items)
        self._here.clear()
        self._settings.clear()
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
                found.append(Source(site.warehouse_id, level.state, backorders))
        if not found and not self._levels.get(self.stock_item(item).id):
            found = [Source(site.warehouse_id, Level(), settings.backorders) for site in self.sites(item, ship_to)[:1]]
        return tuple(found)

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

    def _levels_here(self, item: Item) -> list[Standing]:
        found = self._here.get(item.id)
        if found is None:
            levels = self._levels.get(self.stock_item(item).id, ())
            found = self._here[item.id] = [level for level in levels if level.warehouse_id in self._sites]
        return found


@dataclass(frozen=True, slots=True)
class Stockroom:
    """Some items with everything that their availability depends on, on whichever website."""

    lookup: Lookup
    combinations: dict[int, list[Item]]
    levels: dict[int, Sequence[Standing]]
    """The levels in use, by the item that has the units."""
    now: datetime

    def shelf(self, channel: SalesChannel) -> Shelf:
        """The items as one website sells them."""
        return Shelf(channel, self.lookup, self.combinations, self.levels, self.now)

    def use(self, claimed: inventory.Claim, item_ids: Iterable[int]) -> None:
        """Take the levels of these items as they are under the lock now; for shelves that are made behind this."""
        self.levels.update((item_id, claimed.levels(item_id)) for item_id in item_ids)


async def stockroom(items: Iterable[Item], network: Network | None = None) -> Stockroom:
    """Read what the availability of these items depends on, whatever their number in as many statements."""
    wanted = await catalog_rows.with_products(items)
    combinations = await _combinations(wanted.values())
    wanted |= {c.id: c for made in combinations.values() for c in made}
    known = await lookup(wanted.values(), network)
    levels: dict[int, Sequence[Standing]] = {**await inventory.levels_of(wanted.keys())}
    return Stockroom(known, combinations, levels, database.now())


async def stockroom_to_claim(items: Collection[Item], network: Network) -> Stockroom:
    """As ``stockroom``, without levels: those are read under the lock, and taken up with ``use``."""
    combinations = await _combinations(items)
    wanted = {c.id: c for made in combinations.values() for c in made}
    return Stockroom(await lookup([*items, *wanted.values()], network), combinations, {}, database.now())


async def _combinations(items: Iterable[Item]) -> dict[int, list[Item]]:
    tracked = [i.id for i in items if i.is_product and i.tracking is InventoryTracking.TRACK_WITH_OPTIONS]
    return await catalog_rows.combinations(tracked)


async def shelf(items: Iterable[Item], channel: SalesChannel, network: Network | None = None) -> Shelf:
    """These items as one website sells them."""
    return (await stockroom(items, network)).shelf(channel)


@dataclass(frozen=True, slots=True)
class Showing:
    """An item as a website shows it to somebody."""

    item: Item
    website: str
    assessment: Assessment


def is_visible(item: Item, assessment: Assessment) -> bool:
    """Whether the public finds the item on the website at all."""
    return assessment.visible and item.deleted_at is None


@dataclass(frozen=True, slots=True)
class ChoiceValue:
    """A value that a shopper could pick next: whether a combination has it beside the rest of the choice, and sells."""

    name: str
    selected: bool
    exists: bool
    orderable: bool


def choice_values(product: Item, option: Option, choice: Choice, shelf: Shelf) -> list[ChoiceValue]:
    """The values of one option of a product, given what is chosen of the others."""
    return [_choice_value(product, option, value.name, choice, shelf) for value in option.values]


def _choice_value(product: Item, option: Option, value: str, choice: Choice, shelf: Shelf) -> ChoiceValue:
    selected = choice.get(option.name) == value
    wanted = catalog.inventory_part({**choice, option.name: value}, product.options)
    fitting = [c for c in shelf.combinations(product) if wanted.items() <= c.choice.items()]
    if not catalog.counts_combinations(product.tracking):
        # The combinations of a product tracked without options are no items of their own: the product sells or does not.
        return ChoiceValue(value, selected, exists=True, orderable=shelf.assess(product).orderable)
    orderable = any(shelf.assess(c).orderable for c in fitting)
    if not orderable and not shelf.settings(product).allow_only_existing_combinations:
        possible = catalog.choice_count(product.options, fixed=wanted)
        orderable = len(fitting) < possible and shelf.assess(product, dict(_any_choice(product, wanted))).orderable
    return ChoiceValue(value, selected, bool(fitting), orderable)


def _any_choice(product: Item, wanted: Choice) -> Iterable[tuple[str, str]]:
    """A complete choice that has the wanted part."""
    return ((o.name, wanted.get(o.name, o.values[0].name)) for o in catalog.inventory_options(product.options))
