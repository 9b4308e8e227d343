"""The inventory settings: types, defaults and allowed values. ``fallback`` decides which place's value applies."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from gqlstock.rules import moments, quantities, quantity_rules
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.refusals import QuantityRules, Refused, invalid


class SettingScope(StrEnum):
    """The kinds of places where values can be set, highest precedence first."""

    LEVEL = "LEVEL"
    COMBINATION = "COMBINATION"
    PRODUCT = "PRODUCT"
    CATEGORY = "CATEGORY"
    WEBSITE = "WEBSITE"
    ORGANIZATION = "ORGANIZATION"
    SYSTEM = "SYSTEM"
    DEFAULT = "DEFAULT"


class BackorderMode(StrEnum):
    NO_BACKORDERS = "NO_BACKORDERS"
    ALLOW = "ALLOW"
    ALLOW_AND_NOTIFY_CUSTOMER = "ALLOW_AND_NOTIFY_CUSTOMER"


class LowStockActivity(StrEnum):
    NOTHING = "NOTHING"
    DISABLE_BUY_BUTTON = "DISABLE_BUY_BUTTON"
    UNPUBLISH = "UNPUBLISH"


class InventoryDecrement(StrEnum):
    ON_ORDER = "ON_ORDER"
    ON_SHIPMENT = "ON_SHIPMENT"
    NEVER = "NEVER"


class InsufficientStockAction(StrEnum):
    REJECT = "REJECT"
    HOLD_ORDER = "HOLD_ORDER"


class SourceSelection(StrEnum):
    PRIORITY = "PRIORITY"
    DISTANCE = "DISTANCE"


def _setting(default: Any, description: str, *, at_level: bool = False) -> Any:
    return field(default=default, metadata={"description": description, "at_level": at_level})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings in effect at one place. The schema is generated from these fields."""

    manage_stock: bool = _setting(True, "Whether stock is counted. If off, the item sells without counting.")
    decrement_inventory: InventoryDecrement = _setting(
        InventoryDecrement.ON_ORDER, "When ordered units are deducted from onHand."
    )
    backorders: BackorderMode = _setting(
        BackorderMode.NO_BACKORDERS, "Whether more than the available stock can be ordered.", at_level=True
    )
    insufficient_stock: InsufficientStockAction = _setting(
        InsufficientStockAction.REJECT, "What happens to an order for which stock is insufficient."
    )
    source_selection: SourceSelection = _setting(
        SourceSelection.PRIORITY, "Which warehouse supplies first: by priority, or the nearest to shipTo."
    )
    out_of_stock_threshold: Decimal = _setting(
        quantities.ZERO,
        "Above 0: the safety stock, which is never sold. Below 0: the limit of backordered units, negated.",
    )
    only_x_left_threshold: Decimal | None = _setting(
        None, "At or below it, shops may show 'Only X left'. Unset: never."
    )
    highlight_low_inventory: bool = _setting(False, "Whether lowInventory is true at or below lowInventoryThreshold.")
    low_inventory_threshold: Decimal = _setting(
        quantities.ZERO, "At or below it, an item counts as low if highlightLowInventory is on."
    )
    notify_below: Decimal | None = _setting(
        None, "Below it, a low-inventory alert is raised. Unset: never.", at_level=True
    )
    minimum_stock_quantity: Decimal | None = _setting(None, "Below it, lowStockActivity takes effect. Unset: never.")
    low_stock_activity: LowStockActivity = _setting(
        LowStockActivity.NOTHING, "What happens to an item below minimumStockQuantity."
    )
    minimum_order_quantity: Decimal | None = _setting(
        None, "The minimum quantity of an item in one order. Unset: no minimum."
    )
    maximum_order_quantity: Decimal | None = _setting(
        None, "The maximum quantity of an item in one order. Unset: no maximum."
    )
    allowed_quantities: tuple[Decimal, ...] | None = _setting(
        None, "The only quantities that can be ordered. Empty or unset: any."
    )
    quantity_increment: Decimal | None = _setting(
        None, "Ordered quantities must be multiples of it, counted from 0. Unset: any."
    )
    quantity_uses_decimals: bool = _setting(
        False, "Whether fractions of a unit can be counted and sold.", at_level=True
    )
    allow_multiple_boxes: bool = _setting(
        False, "Whether a line of an item with decimals may come from more than one warehouse."
    )
    display_availability: bool = _setting(True, "Whether the public sees more about the availability than the status.")
    display_stock_quantity: bool = _setting(False, "Whether the public sees the quantity that can be ordered.")
    allow_back_in_stock_subscriptions: bool = _setting(True, "Whether shoppers may subscribe to back-in-stock mail.")
    availability_range: str | None = _setting(
        None, "How soon it is available while it is not in stock, such as 2-4 weeks."
    )
    upcoming: bool = _setting(False, "Whether the item is announced but not available yet.")
    availability_date: datetime | None = _setting(None, "When an upcoming item becomes available.")
    hide_labels_past_availability_date: bool = _setting(
        True, "Whether upcoming and availabilityDate are hidden once the date has passed."
    )
    backorders_from_incoming: bool = _setting(
        False, "Whether backorders are limited to stock that is announced with a date."
    )
    incoming_buffer_days: int = _setting(0, "Days from the arrival of units until they can be shipped, 0 to 365.")
    returnable: bool = _setting(True, "Whether shipped units can be returned.")
    restock_on_return: bool = _setting(True, "Whether returned units are restocked.")
    allow_only_existing_combinations: bool = _setting(
        True, "Whether only choices with an existing combination can be ordered."
    )
    visible_statuses: tuple[InventoryStatus, ...] = _setting(
        (InventoryStatus.IN_STOCK, InventoryStatus.OUT_OF_STOCK), "The statuses in which an item is shown."
    )
    orderable_statuses: tuple[InventoryStatus, ...] = _setting(
        (InventoryStatus.IN_STOCK,), "The manually set statuses in which an item can be ordered."
    )

    @cached_property
    def quantity_rules(self) -> QuantityRules:
        return QuantityRules(
            minimum=self.minimum_order_quantity,
            maximum=self.maximum_order_quantity,
            increment=self.quantity_increment,
            allowed=self.allowed_quantities or None,
            decimals=self.quantity_uses_decimals,
        )

    @cached_property
    def least_quantity(self) -> Decimal | None:
        """L: the smallest quantity that can be ordered; None if the quantity rules allow none."""
        return quantity_rules.least_quantity(self.quantity_rules)


DEFAULTS = Settings()
NAMES = tuple(f.name for f in fields(Settings))
AT_LEVEL = frozenset(f.name for f in fields(Settings) if f.metadata["at_level"])


def camel(name: str) -> str:
    """The API name of a setting: notify_below → notifyBelow."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


# The type that a stored JSON value is converted to.
_TYPES = {f.name: f.type for f in fields(Settings)}


def to_stored(name: str, value: Any) -> Any:
    """A setting's value as JSON, with quantities and times as text, to avoid rounding."""
    if isinstance(value, tuple | list):
        return [to_stored(name, item) for item in value]
    if isinstance(value, Decimal):
        return quantities.text(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def wire(value: Any) -> Any:
    """A setting's value as JSON in the API, with quantities as numbers."""
    if isinstance(value, tuple | list):
        return [wire(one) for one in value]
    if isinstance(value, Decimal):
        return quantities.wire(value)
    return moments.wire(value) if isinstance(value, datetime) else value


def from_stored(name: str, value: Any) -> Any:
    """The value in JSON that ``to_stored`` wrote."""
    kind = _TYPES[name]
    if isinstance(value, list):
        return tuple(_plain(kind, item) for item in value)
    return _plain(kind, value)


def _plain(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    arguments = getattr(kind, "__args__", (kind,))
    innermost = [a for argument in arguments for a in getattr(argument, "__args__", (argument,))]
    if Decimal in innermost:
        return Decimal(value)
    if datetime in innermost:
        return datetime.fromisoformat(value)
    for candidate in innermost:
        if isinstance(candidate, type) and issubclass(candidate, StrEnum):
            return candidate(value)
    return value


@dataclass(frozen=True, slots=True)
class Override:
    """The values set at one place. ``owner_id``: the id of the level, item, category, …"""

    id: int
    scope: SettingScope
    owner_id: int
    values_set: dict[str, Any]
    updated_at: datetime

    @property
    def own(self) -> dict[str, Any]:
        """The values by setting name. Settings of other releases are omitted."""
        return {name: from_stored(name, value) for name, value in self.values_set.items() if name in NAMES}

    def changed(self, values: Mapping[str, Any], at: datetime) -> "Override":
        """The override with changed values; None removes a value."""
        merged = self.values_set | {name: to_stored(name, value) for name, value in values.items()}
        kept = {name: value for name, value in merged.items() if value is not None}
        return replace(self, values_set=kept, updated_at=at)


MAX_BUFFER_DAYS = 365
_AT_LEAST_ZERO = ("only_x_left_threshold", "low_inventory_threshold", "minimum_stock_quantity", "notify_below")
_ABOVE_ZERO = ("minimum_order_quantity", "maximum_order_quantity", "quantity_increment")


def check(
    changes: Mapping[str, Any],
    effective: Settings,
    scope: SettingScope,
    *path: str | int,
    counted_in_parts: bool = False,
) -> None:
    """Check new values by themselves and together with the settings that will be in effect at their place.

    ``counted_in_parts``: a level of the item allows fractions. Raises ``Refused`` with all reasons.
    """
    refused: list[Refused] = []
    for name, value in changes.items():
        here = (*path, camel(name))
        if scope is SettingScope.LEVEL and name not in AT_LEVEL:
            known = ", ".join(camel(n) for n in NAMES if n in AT_LEVEL)
            refused.append(invalid(f"{camel(name)} cannot be set at a level; only {known} can.", *here))
        elif value is not None:
            refused += _check_value(name, value, *here)
    if not refused:
        refused += _check_combination(changes, effective, *path, counted_in_parts=counted_in_parts)
    if refused:
        raise Refused(r for one in refused for r in one.refusals)


def _check_value(name: str, value: Any, *path: str | int) -> list[Refused]:
    label = camel(name)
    if name in _AT_LEAST_ZERO and value < 0:
        return [invalid(f"{label} must be 0 or more, not {quantities.text(value)}.", *path)]
    if name in _ABOVE_ZERO and value <= 0:
        return [invalid(f"{label} must be more than 0, not {quantities.text(value)}.", *path)]
    if name == "incoming_buffer_days" and not 0 <= value <= MAX_BUFFER_DAYS:
        return [invalid(f"{label} must be 0 to {MAX_BUFFER_DAYS}, not {value}.", *path)]
    if name == "allowed_quantities":
        wrong = next((q for q in value if q <= 0), None)
        if wrong is not None:
            return [invalid(f"Each of {label} must be more than 0, not {quantities.text(wrong)}.", *path)]
        if len(value) > 250:
            return [invalid(f"{label} has {len(value)} entries; the maximum is 250.", *path)]
    if name == "availability_range" and len(value) > 200:
        return [invalid(f"{label} has {len(value)} characters; the maximum is 200.", *path)]
    return []


def _check_combination(
    changes: Mapping[str, Any], settings: Settings, *path: str | int, counted_in_parts: bool
) -> list[Refused]:
    rules = settings.quantity_rules
    refused: list[Refused] = []

    def refuse(names: tuple[str, ...], message: str) -> None:
        # Contradictions between settings that this change does not touch do not refuse it.
        touched = [n for n in names if changes.get(n) is not None] or [n for n in names if n in changes]
        if touched:
            refused.append(invalid(message, *path, camel(touched[0])))

    if rules.minimum is not None and rules.maximum is not None and rules.minimum > rules.maximum:
        refuse(
            ("minimum_order_quantity", "maximum_order_quantity"),
            f"minimumOrderQuantity {quantities.text(rules.minimum)} is above "
            f"maximumOrderQuantity {quantities.text(rules.maximum)}.",
        )
    for quantity in rules.allowed or ():
        for names, fault in _faults(quantity, rules):
            refuse(("allowed_quantities", *names), f"allowedQuantities {quantities.text(quantity)} {fault}.")
    if not (rules.decimals or counted_in_parts):
        for name in ("minimum_order_quantity", "maximum_order_quantity", "quantity_increment", "allowed_quantities"):
            value = getattr(settings, name)
            for quantity in value if isinstance(value, tuple) else (value,):
                if quantity is not None and not quantities.is_whole(quantity):
                    refuse(
                        (name, "quantity_uses_decimals"),
                        f"{camel(name)} {quantities.text(quantity)} has decimals, but quantityUsesDecimals is off.",
                    )
    return refused


def _faults(quantity: Decimal, rules: QuantityRules) -> list[tuple[tuple[str, ...], str]]:
    faults: list[tuple[tuple[str, ...], str]] = []
    if rules.increment is not None and quantity % rules.increment:
        faults.append(
            (("quantity_increment",), f"is not a multiple of quantityIncrement {quantities.text(rules.increment)}")
        )
    if rules.minimum is not None and quantity < rules.minimum:
        faults.append((("minimum_order_quantity",), f"is below minimumOrderQuantity {quantities.text(rules.minimum)}"))
    if rules.maximum is not None and quantity > rules.maximum:
        faults.append((("maximum_order_quantity",), f"is above maximumOrderQuantity {quantities.text(rules.maximum)}"))
    return faults
