"""Orders and their lines: numbers, statuses, quantity rules. ``order_plan`` decides where units come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gqlstock.rules import geo, quantities, skus
from gqlstock.rules.fast_init import fast_init
from gqlstock.rules.geo import Point
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import QuantityNotAllowed, QuantityRules, Refusal, wrong_state
from gqlstock.rules.settings import InventoryDecrement

MAX_LINES = 500
NO_QUANTITY = "its quantity rules contradict each other"
_FIRST_NUMBER = 100_000


class OrderStatus(StrEnum):
    PLACED = "PLACED"
    BACKORDERED = "BACKORDERED"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    CANCELED = "CANCELED"


WAITING_STATUSES = (OrderStatus.PLACED, OrderStatus.PARTIALLY_SHIPPED)
"""The statuses of orders whose units may wait for stock. A parked order has no allocated units."""


def number(order_id: int) -> str:
    """The public number of an order."""
    return str(_FIRST_NUMBER + order_id)


def id_of(order_number: str) -> int | None:
    """The id of an order by its number; None for an invalid number."""
    if not (order_number.isascii() and order_number.isdigit() and len(order_number) < 19):
        return None
    found = int(order_number) - _FIRST_NUMBER
    return found if found > 0 and number(found) == order_number else None


def named(order_number: str) -> frozenset[int]:
    """The id of an order by its number, as a set, as commands name ids; empty for an invalid number."""
    found = id_of(order_number)
    return frozenset() if found is None else frozenset({found})


def check_not_over(status: OrderStatus, order_number: str) -> None:
    """Refuse to change a shipped or canceled order."""
    if status in (OrderStatus.SHIPPED, OrderStatus.CANCELED):
        raise wrong_state(f"The order {order_number} is already {status.value.lower()}.", "number")


def check_open(status: OrderStatus, order_number: str) -> None:
    """Refuse to change the units of an order that is shipped, canceled or parked."""
    check_not_over(status, order_number)
    if status is OrderStatus.BACKORDERED:
        raise wrong_state(f"The order {order_number} is parked for lack of stock.", "number")


def lines_named(sku: str, names: Sequence[tuple[str, str | None]]) -> list[int]:
    """The indexes of the lines that a SKU identifies. ``names``: the ordered and the current SKU of each line.

    Lines that were ordered under the SKU take precedence over lines whose item has it now.
    """
    wanted = skus.normalized(sku)
    ordered = [n for n, (then, _) in enumerate(names) if skus.normalized(then) == wanted]
    return ordered or [n for n, (_, now) in enumerate(names) if now == wanted]


@fast_init
@dataclass(frozen=True, slots=True)
class LineTotals:
    """The units of a line. ``shipped`` includes returned units."""

    quantity: Decimal
    canceled: Decimal
    shipped: Decimal


def status(lines: Sequence[LineTotals]) -> OrderStatus:
    """The status of an order by its units. Backorders and returns do not change it. (Oro)"""
    if all(line.canceled == line.quantity for line in lines):
        return OrderStatus.CANCELED
    if all(line.canceled + line.shipped == line.quantity for line in lines):
        return OrderStatus.SHIPPED
    if any(line.shipped for line in lines):
        return OrderStatus.PARTIALLY_SHIPPED
    return OrderStatus.PLACED


def shown_waiting(ordered: Sequence[Decimal], waiting: Sequence[Decimal], *, hidden: bool) -> list[Decimal]:
    """The backordered units of each line of one item, as the caller may see them.

    ``hidden``: show all units of all lines or none, because any other figure would reveal the stock.
    """
    return list(ordered if hidden and any(waiting) else waiting)


def derived_status(lines: Sequence[LineTotals], *, is_allocated: bool) -> OrderStatus:
    """The status that an order must have. Without allocations it is parked, unless it is fully canceled."""
    found = status(lines)
    return found if is_allocated or found is OrderStatus.CANCELED else OrderStatus.BACKORDERED


def check_quantity(total: Decimal, parts: Sequence[Decimal], rules: QuantityRules, sku: str) -> list[Refusal]:
    """The refusal that lists all quantity rules that the lines of an item break. (Oro, Magento, nopCommerce)"""
    faults = []
    if not rules.decimals and not all(quantities.is_whole(part) for part in parts):
        faults.append("only whole units are sold")
    if rules.minimum is not None and total < rules.minimum:
        faults.append(f"the minimum is {quantities.text(rules.minimum)}")
    if rules.maximum is not None and total > rules.maximum:
        faults.append(f"the maximum is {quantities.text(rules.maximum)}")
    if rules.increment is not None and total % rules.increment:
        faults.append(f"it is sold in multiples of {quantities.text(rules.increment)}")
    if rules.allowed and total not in rules.allowed:
        faults.append(f"the allowed quantities are {', '.join(quantities.text(q) for q in rules.allowed)}")
    if not faults:
        return []
    return [
        QuantityNotAllowed(
            message=f"{quantities.text(total)} of {sku} cannot be ordered: {'; '.join(faults)}.",
            sku=sku,
            requested=total,
            rules=rules,
        )
    ]


@fast_init
@dataclass(frozen=True, slots=True)
class Order:
    """An order. Its public number derives from its id."""

    id: int
    website_id: int
    status: OrderStatus
    customer_email: str | None
    reference: str | None
    ship_latitude: float | None
    ship_longitude: float | None
    placed_at: datetime
    updated_at: datetime
    canceled_at: datetime | None = None
    canceled_units: Decimal = ZERO
    """The sum of the canceled units of its lines."""
    shipment_count: int = 0
    promised_at: datetime | None = None
    """The promise date as of when the order was placed, retried or last edited."""
    seal: int | None = None

    @property
    def ship_to(self) -> Point | None:
        """The location to ship to, if known."""
        return geo.point_or_none(self.ship_latitude, self.ship_longitude)


@fast_init
@dataclass(frozen=True, slots=True)
class OrderLine:
    """An ordered line, with the item's data at that time. ``item_id``: the requested item; its product may have the stock."""

    id: int
    order_id: int
    item_id: int
    sku: str
    name: str
    code: str
    selected_options: dict[str, str]
    quantity: Decimal
    decrement: InventoryDecrement
    canceled: Decimal = ZERO
    returned: Decimal = ZERO
    message: str | None = None
    promised_at: datetime | None = None
    """The line's promise date as of when the order was placed, retried or last edited."""
    buffer_days: int = 0
    """incomingBufferDays as last reported to the order's subscribers. A change of the setting reports the new date."""
