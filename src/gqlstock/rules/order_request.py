"""A requested order and the items that its lines select. ``order_plan`` decides what can be ordered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from gqlstock.rules import canonical, catalog, orders, quantities, refusals
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.catalog import Choice, Item
from gqlstock.rules.fast_init import fast_init
from gqlstock.rules.geo import Point
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.rules.refusals import Code, Refusal, Refused, invalid
from gqlstock.rules.scopes import Caller
from gqlstock.rules.settings import InventoryDecrement


@dataclass(frozen=True, slots=True)
class RequestedLine:
    """Units of an item. ``options``: the shopper's choice as (name, value) pairs, if ``sku`` is a product's."""

    sku: str
    quantity: Decimal
    options: tuple[tuple[str, str], ...] = ()
    decrement: InventoryDecrement | None = field(default=None, metadata=canonical.called(None))
    """The decrement mode of an order that was placed earlier; None for the current setting."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as requested by a caller. ``website`` None: the default website."""

    lines: tuple[RequestedLine, ...]
    website: str | None = None
    customer_email: str | None = None
    reference: str | None = None
    ship_to: Point | None = None
    hold: GivenId | None = None
    """The hold whose units are ordered."""
    only_free: bool = False
    """For a hold: take free units only, no backorders."""
    may_park: bool = True
    """Whether insufficient stock may park it, subject to insufficientStock. A retry is not parked again."""


@fast_init
@dataclass(frozen=True, slots=True)
class SelectedItem:
    """The selection of a line: an item, or a product with a choice for which no combination exists."""

    item: Item
    choice: Choice


def check(request: OrderRequest, network: Network) -> SalesChannel:
    """The website of an order. Raises ``Refused`` if the order as a whole is invalid."""
    if not request.lines:
        raise invalid("An order needs at least one line.", "lines")
    if len(request.lines) > orders.MAX_LINES:
        raise refusals.too_many("lines", len(request.lines), orders.MAX_LINES, "lines")
    channel = network.find(request.website)
    if channel is None:
        if request.website is None:
            raise Refusal(Code.NOT_FOUND, "There is no website yet.", ("website",)).only()
        raise refusals.missing("website", request.website, "website")
    return channel


def select(
    caller: Caller, lines: Sequence[RequestedLine], items: Mapping[str, Item], assortment: Assortment
) -> list[SelectedItem | Refused]:
    """The selection of each line, or its refusal. ``items``: the existing items by SKU.

    For the public, an unpublished item does not exist.
    """
    selected: list[SelectedItem | Refused] = []
    for number, line in enumerate(lines):
        item = items.get(line.sku)
        known = item is not None and (caller.authenticated or assortment.lookup.product(item).published)
        try:
            selected.append(_select(line, item if known else None, assortment))
        except Refused as error:
            selected.append(Refused(refusal.under("lines", number) for refusal in error.refusals))
    return selected


def stock_items(selected: Sequence[SelectedItem | Refused], assortment: Assortment) -> set[int]:
    """The ids of the items whose levels count the units of the lines. A command locks them."""
    return {assortment.stock_item(one.item).id for one in selected if isinstance(one, SelectedItem)}


def _select(line: RequestedLine, item: Item | None, assortment: Assortment) -> SelectedItem:
    if item is None:
        raise refusals.missing("item", line.sku, "sku")
    quantities.check_above_zero(line.quantity, "ordered", "quantity")
    product = assortment.lookup.product(item)
    choice = catalog.check_choice(line.options, product.options, "options")
    if not item.is_product:
        for name, value in choice.items():
            if item.choice.get(name, value) != value:
                raise invalid(f"{item.sku} has {name} {item.choice[name]}, not {value}.", "options")
        return SelectedItem(item, item.choice | choice)
    if catalog.counts_combinations(product.tracking) and catalog.is_complete(choice, product.options):
        return SelectedItem(assortment.combination(product, choice) or item, choice)
    return SelectedItem(item, choice)
