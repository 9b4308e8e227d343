"""Reads the stock columns of Magento's product export: settings, status and count.

Each setting has a second column that says whether the shop's configuration applies instead. The file does not contain the
configuration: the import resets such a setting, and reports the items that rely on it, by setting.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from gqlstock.formats import csv_dialect
from gqlstock.formats.format import Context
from gqlstock.formats.records import UNSET, AnyOf, Counted, Said
from gqlstock.rules import quantities
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.import_rows import Row
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import invalid, shown
from gqlstock.rules.settings import BackorderMode

QTY, THRESHOLD, BACKORDERS, NOTIFY = "qty", "out_of_stock_qty", "allow_backorders", "notify_on_stock_below"
MINIMUM, MAXIMUM, INCREMENT = "min_cart_qty", "max_cart_qty", "qty_increments"
QUANTITIES = (QTY, THRESHOLD, MINIMUM, MAXIMUM, NOTIFY, INCREMENT)
MANAGE, ENABLE_INCREMENT, IN_STOCK = "manage_stock", "enable_qty_increments", "is_in_stock"
DECIMALS, BOXES, DEFERRED = "is_qty_decimal", "is_decimal_divided", "deferred_stock_update"
# The columns that say whether the shop's configuration applies.
CONFIG = {
    MANAGE: "use_config_manage_stock",
    THRESHOLD: "use_config_min_qty",
    BACKORDERS: "use_config_backorders",
    MINIMUM: "use_config_min_sale_qty",
    MAXIMUM: "use_config_max_sale_qty",
    NOTIFY: "use_config_notify_stock_qty",
    INCREMENT: "use_config_qty_increments",
    ENABLE_INCREMENT: "use_config_enable_qty_inc",
    DEFERRED: "use_config_deferred_stock_update",
}
COLUMNS = (MANAGE, BACKORDERS, ENABLE_INCREMENT, IN_STOCK, DECIMALS, BOXES, DEFERRED, *CONFIG.values())

_SET = "set it at SYSTEM with setInventorySettings if yours differs"


def _leaning(setting: str, default: str) -> str:
    return f"items that use {setting} from Magento's configuration (default: {default}): {_SET}"


LEANING = {
    MANAGE: _leaning("manageStock", "on") + ", or use --manage-stock",
    THRESHOLD: _leaning("outOfStockThreshold", "0"),
    BACKORDERS: _leaning("backorders", "none"),
    MINIMUM: _leaning("minimumOrderQuantity", "1"),
    MAXIMUM: _leaning("maximumOrderQuantity", "10000"),
    NOTIFY: _leaning("notifyBelow", "1"),
    INCREMENT: _leaning("quantityIncrement", "none"),
}
NEGATIVE_NOTIFY = "negative values of notifyBelow"
DEFERRED_UPDATE = "deferred stock updates"
CHILD_OUT_OF_STOCK = "units of combinations that were manually set out of stock in Magento: they can be sold here"

_WORDS = {"yes": True, "true": True, "enabled": True, "no": False, "false": False, "disabled": False}
_MODES = (BackorderMode.NO_BACKORDERS, BackorderMode.ALLOW, BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER)


def flag(row: Row, column: str) -> bool | None:
    """A cell as a boolean; None if it is empty. As in Magento, every number except 0 is true."""
    value = row[column].lower()
    if not value:
        return None
    if value in _WORDS:
        return _WORDS[value]
    try:
        return quantities.parse(value) != 0
    except ValueError:
        raise invalid(f"{column} is {shown(row[column])!r}; expected 1 or 0.") from None


def settings(row: Row, sku: str, context: Context) -> Said:
    """The settings of an item."""
    said: dict[str, Any] = {}

    def learn(setting: str, column: str, own: Callable[[], Any]) -> None:
        if _uses_configuration(row, column):
            said[setting] = UNSET
            context.to_check(row.line, LEANING[column], sku)
        elif row[column]:
            said[setting] = own()

    if _uses_configuration(row, MANAGE) and context.options.manage_stock is not None:
        said["manage_stock"] = AnyOf(UNSET, (True,)) if context.options.manage_stock else False
    else:
        learn("manage_stock", MANAGE, lambda: flag(row, MANAGE))
    learn("out_of_stock_threshold", THRESHOLD, lambda: csv_dialect.quantity(row, THRESHOLD))
    learn("backorders", BACKORDERS, lambda: _backorders(row))
    learn("minimum_order_quantity", MINIMUM, lambda: _minimum(row))
    learn("maximum_order_quantity", MAXIMUM, lambda: csv_dialect.quantity(row, MAXIMUM) or UNSET)
    learn("notify_below", NOTIFY, lambda: _notify_below(row, sku, context))
    if _uses_configuration(row, ENABLE_INCREMENT) or (
        flag(row, ENABLE_INCREMENT) and _uses_configuration(row, INCREMENT)
    ):
        said["quantity_increment"] = UNSET
        context.to_check(row.line, LEANING[INCREMENT], sku)
    elif flag(row, ENABLE_INCREMENT) is not None:
        said["quantity_increment"] = _increment(row)
    for setting, column in (("quantity_uses_decimals", DECIMALS), ("allow_multiple_boxes", BOXES)):
        value = flag(row, column)
        if value is not None:
            said[setting] = value or AnyOf(UNSET, (False,))
    if flag(row, DEFERRED) and not _uses_configuration(row, DEFERRED):
        context.not_carried(row.line, DEFERRED_UPDATE, sku)
    return said


def has_own_settings(row: Row) -> bool:
    """Whether a row overrides any setting of Magento's configuration."""
    return any(_uses_configuration(row, column) is False for column in LEANING)


def counts(row: Row) -> tuple[Counted, ...]:
    """The count of a row. If Magento has several sources, it is that of the default source."""
    return (Counted(row.line, csv_dialect.quantity(row, QTY)),) if row[QTY] else ()


def status(row: Row) -> InventoryStatus | None:
    """The status of an item; OUT_OF_STOCK only if set manually. Magento also sets it when units run out: then None."""
    in_stock = flag(row, IN_STOCK)
    if in_stock is None or (flag(row, MANAGE) is False and not _uses_configuration(row, MANAGE)):
        return None
    if in_stock:
        return InventoryStatus.IN_STOCK
    return InventoryStatus.OUT_OF_STOCK if _can_be_sold(row) else None


def report_status_of_child(row: Row, sku: str, context: Context) -> None:
    """Report a child that was manually set out of stock: in gqlstock, only products have a status."""
    if status(row) is InventoryStatus.OUT_OF_STOCK:
        units = csv_dialect.quantity(row, QTY) if row[QTY] else ZERO
        context.to_check(row.line, CHILD_OUT_OF_STOCK, sku, max(units, ZERO))


def _can_be_sold(row: Row) -> bool:
    """Whether an item would be in stock by its quantity, threshold and backorders."""
    own_threshold = row[THRESHOLD] and not _uses_configuration(row, THRESHOLD)
    threshold = csv_dialect.quantity(row, THRESHOLD) if own_threshold else ZERO
    own_backorders = row[BACKORDERS] and not _uses_configuration(row, BACKORDERS)
    takes_backorders = own_backorders and _backorders(row) is not BackorderMode.NO_BACKORDERS
    return bool(takes_backorders) or bool(row[QTY] and csv_dialect.quantity(row, QTY) > threshold)


def _uses_configuration(row: Row, column: str) -> bool | None:
    """Whether the shop's configuration applies instead of the row's value; None if the file does not say."""
    return flag(row, CONFIG[column])


def _backorders(row: Row) -> BackorderMode:
    mode = csv_dialect.quantity(row, BACKORDERS)
    if mode not in (0, 1, 2):
        raise invalid(f"{BACKORDERS} is {shown(row[BACKORDERS])!r}; expected 0, 1 or 2.")
    return _MODES[int(mode)]


def _minimum(row: Row) -> Any:
    """The minimum order quantity. 0 and 1 mean no minimum."""
    value = csv_dialect.quantity(row, MINIMUM)
    return value if value not in (0, 1) else AnyOf(UNSET, (Decimal(1),))


def _notify_below(row: Row, sku: str, context: Context) -> Any:
    value = csv_dialect.quantity(row, NOTIFY)
    if value < 0:
        context.not_carried(row.line, NEGATIVE_NOTIFY, sku)
        return UNSET
    return value


def _increment(row: Row) -> Any:
    if not flag(row, ENABLE_INCREMENT) or not row[INCREMENT]:
        return UNSET
    return csv_dialect.quantity(row, INCREMENT) or UNSET
