"""What an order is and what its lines must satisfy before anything is taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gqlstock.rules import quantities
from gqlstock.rules.refusals import QuantityNotAllowed, QuantityRules, Refusal
from gqlstock.rules.settings import InventoryDecrement

MAX_LINES = 500
_FIRST_NUMBER = 100_000


class OrderStatus(StrEnum):
    PLACED = "PLACED"
    BACKORDERED = "BACKORDERED"
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    SHIPPED = "SHIPPED"
    CANCELED = "CANCELED"


def number(order_id: int) -> str:
    """The number people know an order by."""
    return str(_FIRST_NUMBER + order_id)


def id_of(order_number: str) -> int | None:
    """The order's id behind its number; None for what is no number."""
    if not (order_number.isascii() and order_number.isdigit() and len(order_number) < 19):
        return None
    found = int(order_number) - _FIRST_NUMBER
    return found if found > 0 and number(found) == order_number else None


def named(order_number: str) -> frozenset[int]:
    """The id behind an order's number, as the ids that a command names; none for what is no number."""
    found = id_of(order_number)
    return frozenset() if found is None else frozenset({found})


@dataclass(frozen=True, slots=True)
class LineTotals:
    """How many units of a line were ordered, and what became of them; ``shipped`` counts returned ones as well."""

    quantity: Decimal
    canceled: Decimal
    shipped: Decimal


def status(lines: Sequence[LineTotals]) -> OrderStatus:
    """How far an order is, by its units; accepted backorders and returns do not change it. (Oro)"""
    if all(line.canceled == line.quantity for line in lines):
        return OrderStatus.CANCELED
    if all(line.canceled + line.shipped == line.quantity for line in lines):
        return OrderStatus.SHIPPED
    if any(line.shipped for line in lines):
        return OrderStatus.PARTIALLY_SHIPPED
    return OrderStatus.PLACED


def check_quantity(total: Decimal, parts: Sequence[Decimal], rules: QuantityRules, sku: str) -> list[Refusal]:
    """The quantity rules an item's lines break together; all at once. (Oro, Magento, nopCommerce)"""
    faults = []
    if not rules.decimals and not all(quantities.is_whole(part) for part in parts):
        faults.append("only whole units are sold")
    if rules.minimum is not None and total < rules.minimum:
        faults.append(f"the least is {quantities.text(rules.minimum)}")
    if rules.maximum is not None and total > rules.maximum:
        faults.append(f"the most is {quantities.text(rules.maximum)}")
    if rules.increment is not None and total % rules.increment:
        faults.append(f"it is sold in steps of {quantities.text(rules.increment)}")
    if rules.allowed and total not in rules.allowed:
        faults.append(f"it is sold as {', '.join(quantities.text(q) for q in rules.allowed)}")
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


@dataclass(frozen=True, slots=True)
class Order:
    """An order. People know it by a number that is made from its id."""

    id: int
    website_id: int
    status: OrderStatus
    customer_email: str | None
    reference: str | None
    placed_at: datetime
    updated_at: datetime
    canceled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What was ordered, as it was then. ``item_id`` is what was asked for; its product may have the units."""

    id: int
    order_id: int
    item_id: int
    sku: str
    name: str
    code: str
    selected_options: dict[str, str]
    quantity: Decimal
    canceled: Decimal
    decrement: InventoryDecrement
    message: str | None = None
