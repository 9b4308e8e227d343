"""Which quantities can be counted of which items: items with own stock, whole units or parts, never below 0."""

from decimal import Decimal

from gqlstock.rules import catalog, quantities
from gqlstock.rules.catalog import InventoryTracking, Item
from gqlstock.rules.fallback import SettingsLookup
from gqlstock.rules.ledger import Level
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Code, Refusal, invalid
from gqlstock.rules.settings import Settings


def has_units(item: Item, product: Item) -> bool:
    """Whether the item has own levels: the product, or its combinations where tracked with options. (CS-Cart)"""
    return item.is_product is not catalog.counts_combinations(product.tracking)


def is_stocked(item: Item, product: Item) -> bool:
    """Whether the item has own levels and is tracked."""
    return product.tracking is not InventoryTracking.DO_NOT_TRACK and has_units(item, product)


def check_has_stock(item: Item, product: Item, *path: str) -> None:
    """Refuse an item without own stock. ``path``: where the item is named; by default ``sku``."""
    if is_stocked(item, product):
        return
    if product.tracking is InventoryTracking.DO_NOT_TRACK:
        message = f"{item.sku} is not tracked: its stock is not counted."
    elif item.is_product:
        message = f"{item.sku} is tracked with options: its combinations have the quantities."
    else:
        message = (
            f"{item.sku} is a combination of {product.sku}, which is tracked without options and has the quantity."
        )
    raise Refusal(Code.NOT_TRACKED, message, path or ("sku",)).only()


def check_units(
    quantity: Decimal, item: Item, warehouse_id: int, level: Level | None, lookup: SettingsLookup, *path: str
) -> None:
    """Refuse parts of a unit where only whole units are counted, by the first website that sells from the warehouse."""
    if not quantities.is_whole(quantity):
        channel = lookup.network.selling_from({warehouse_id})
        check_parts(quantity, item.sku, lookup.settings(item, channel, [level] if level else []), *path)


def check_parts(quantity: Decimal, sku: str, settings: Settings, *path: str) -> None:
    """Refuse parts of a unit where these settings count only whole units."""
    if not (settings.quantity_uses_decimals or quantities.is_whole(quantity)):
        raise invalid(f"{quantities.text(quantity)} of {sku}: only whole units are counted there.", *path)


def check_count(on_hand: Decimal, *path: str) -> None:
    """Refuse a count below 0."""
    if on_hand < 0:
        raise invalid(f"A count cannot be {quantities.text(on_hand)}: 0 or more.", *path)


def counted_of(stated: Decimal) -> Decimal:
    """The count of a quantity in a file. Below 0 the other system owes units to customers; that counts as 0."""
    return max(stated, ZERO)
