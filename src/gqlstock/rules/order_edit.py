"""Which edits of an order are possible: by its status, the new quantities of its lines, and the totals per item.

``order_plan`` decides where added units come from, ``shipments`` which units are canceled.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from gqlstock.rules import orders, quantities, refusals
from gqlstock.rules.orders import OrderLine, OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Code, Path, Refusal, invalid, wrong_state


@dataclass(frozen=True, slots=True)
class LineEdit:
    """An order line with its new quantity. ``row``: the index of its row in the input."""

    row: int
    line: OrderLine
    quantity: Decimal

    @property
    def more(self) -> Decimal:
        """The units to add to the line; negative if units are canceled."""
        return self.quantity - (self.line.quantity - self.line.canceled)

    @property
    def raised(self) -> OrderLine:
        """The line with the added units."""
        return replace(self.line, quantity=self.line.quantity + self.more)


def check_input(added: int, changed: int) -> None:
    """Refuse an edit without rows, or with more rows than an order can have lines."""
    if not added and not changed:
        raise invalid("The edit is empty; name lines to add or change.", "change")
    for name, count in (("add", added), ("change", changed)):
        if count > orders.MAX_LINES:
            raise refusals.too_many("lines", count, orders.MAX_LINES, name)


def check_order(status: OrderStatus, number: str, lines: int) -> None:
    """Refuse to edit an order that is parked, shipped or canceled, or that would have too many ``lines``."""
    orders.check_open(status, number)
    if lines > orders.MAX_LINES:
        message = f"An order can have at most {orders.MAX_LINES} lines; this one would have {lines}."
        raise Refusal(Code.TOO_MANY, message, ("add",)).only()


def check_quantity(quantity: Decimal) -> None:
    """Refuse a new quantity below 0."""
    if quantity < ZERO:
        raise invalid(f"The quantity of a line must be 0 or more, not {quantities.text(quantity)}.", "quantity")


def check(edit: LineEdit, shipped: Decimal) -> None:
    """Refuse a new quantity that the line cannot have. ``shipped``: its shipped units."""
    sku, wanted = refusals.shown(edit.line.sku), quantities.text(edit.quantity)
    if edit.quantity < shipped:
        least = f"at least the {quantities.text(shipped)} already shipped"
        raise wrong_state(f"The quantity of {sku} must be {least}, not {wanted}.", "quantity")
    if edit.raised.quantity > quantities.MAXIMUM:
        message = f"The line of {sku} cannot exceed {quantities.MAXIMUM} units, including canceled ones."
        raise invalid(message, "quantity")


def only_line(sku: str, lines: Collection[OrderLine]) -> OrderLine:
    """The line that a row names. Refuses a SKU that matches several lines."""
    if len(lines) > 1:
        message = f"The order has {len(lines)} lines of {refusals.shown(sku)}; name the line by its id."
        raise invalid(message, "line")
    return next(iter(lines))


def totals(
    lines: Iterable[OrderLine],
    edits: Iterable[LineEdit],
    added: Iterable[tuple[int, Decimal]],
    stock_items: Mapping[int, int],
) -> dict[int, list[Decimal]]:
    """The quantities of the lines of each stock item after the edit. Quantity rules apply to their sum.

    ``added``: the stock item and the quantity of each new line; ``stock_items``: the stock item of each ordered item.
    """
    changed = {edit.line.id: edit.quantity for edit in edits}
    found: dict[int, list[Decimal]] = {}
    for line in lines:
        quantity = changed.get(line.id, line.quantity - line.canceled)
        found.setdefault(stock_items[line.item_id], []).append(quantity)
    for stock_item_id, quantity in added:
        found.setdefault(stock_item_id, []).append(quantity)
    return found


def at(refusal: Refusal, rows: list[Path]) -> Refusal:
    """A refusal of the plan, with the path of its line's row. Rows of ``change`` have no options."""
    _, number, *rest = refusal.path
    assert isinstance(number, int)
    row = rows[number]
    return replace(refusal, path=(*row, *("sku" if row[0] == "change" and one == "options" else one for one in rest)))
