"""What a website may show and sell of some items: the rows that the rule in ``rules.availability`` wants, read together."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gqlstock.rules import catalog
from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import Choice, InventoryTracking, Item, Option
from gqlstock.rules.fallback import Lookup
from gqlstock.rules.ledger import Level
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.stock.settings_lookup import lookup
from gqlstock.stock.shelf import Shelf
from gqlstock.store import catalog as catalog_rows
from gqlstock.store import database, levels


@dataclass(frozen=True, slots=True)
class Stockroom:
    """Some items with everything that their availability depends on, on whichever website."""

    lookup: Lookup
    combinations: dict[int, list[Item]]
    levels: Mapping[int, Sequence[Level]]
    """The levels in use, by the item that has the units."""
    now: datetime

    def shelf(self, channel: SalesChannel) -> Shelf:
        """The items as one website sells them."""
        return Shelf(channel, self.lookup, self.combinations, self.levels, self.now)


async def stockroom(items: Iterable[Item], network: Network | None = None) -> Stockroom:
    """Read what the availability of these items depends on, whatever their number in as many statements."""
    wanted = await catalog_rows.with_products(items)
    combinations = await _combinations(wanted.values())
    wanted |= {c.id: c for made in combinations.values() for c in made}
    known = await lookup(wanted.values(), network)
    return Stockroom(known, combinations, await levels.levels_of(wanted.keys()), database.now())


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
