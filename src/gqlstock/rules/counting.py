"""Which items have stock of their own, and which quantities can be counted: whole units or fractions, never below 0."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gqlstock.rules import catalog, quantities
from gqlstock.rules.catalog import InventoryTracking, Item
from gqlstock.rules.fallback import SettingsLookup
from gqlstock.rules.ledger import Level
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Code, Refusal, invalid
from gqlstock.rules.settings import Settings


def has_units(item: Item, product: Item) -> bool:
    """Whether the item has its own levels: combinations of a product tracked with options, else the product. (CS-Cart)"""
    return item.is_product is not catalog.counts_combinations(product.tracking)


def is_stocked(item: Item, product: Item) -> bool:
    """Whether the item is tracked and has its own levels."""
    return product.tracking is not InventoryTracking.DO_NOT_TRACK and has_units(item, product)


@dataclass(frozen=True, slots=True)
class ManagedStock:
    """``manageStock`` of items without own values, as it takes effect for figures over all warehouses."""

    categories: Mapping[int, bool]
    """By category, where it or one above it has a value."""
    websites: Sequence[tuple[Collection[int], bool]]
    """For the others: the value of each website, oldest first, for items with a level in one of these warehouses."""
    otherwise: bool


def check_has_stock(item: Item, product: Item, *path: str) -> None:
    """Refuse an item without its own stock. ``path``: where the input names the item, ``sku`` by default."""
    if is_stocked(item, product):
        return
    if product.tracking is InventoryTracking.DO_NOT_TRACK:
        message = f"{item.sku} is not tracked, so its stock is not counted."
    elif item.is_product:
        message = f"{item.sku} is tracked with options; its combinations have the stock."
    else:
        message = f"{item.sku} is a combination of {product.sku}, which is tracked without options and has the stock."
    raise Refusal(Code.NOT_TRACKED, message, path or ("sku",)).only()


def check_units(
    quantity: Decimal, item: Item, warehouse_id: int, level: Level | None, lookup: SettingsLookup, *path: str
) -> None:
    """Refuse a fraction if only whole units are counted, by the first website that sells from the warehouse."""
    if not quantities.is_whole(quantity):
        channel = lookup.network.selling_from({warehouse_id})
        check_parts(quantity, item.sku, lookup.settings(item, channel, [level] if level else []), *path)


def check_parts(quantity: Decimal, sku: str, settings: Settings, *path: str) -> None:
    """Refuse a fraction if these settings count only whole units."""
    if not (settings.quantity_uses_decimals or quantities.is_whole(quantity)):
        raise invalid(f"{sku} is counted in whole units there, not {quantities.text(quantity)}.", *path)


def check_count(on_hand: Decimal, *path: str) -> None:
    """Refuse a count below 0."""
    if on_hand < 0:
        raise invalid(f"A count must be 0 or more, not {quantities.text(on_hand)}.", *path)


def counted_of(stated: Decimal) -> Decimal:
    """The count for a quantity in a file. A negative quantity means units owed to customers, and counts as 0."""
    return max(stated, ZERO)
