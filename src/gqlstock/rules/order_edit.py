"""Which edits of an order are possible: its status, the new quantities of its lines, and what its items will have.

``order_plan`` decides where more units come from, ``shipments`` which ones are canceled.
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
    """A line of the order with its new quantity. ``row``: the index of its row in the input."""

    row: int
    line: OrderLine
    quantity: Decimal

    @property
    def more(self) -> Decimal:
        """The units that are added to the line; below 0 where some are canceled."""
        return self.quantity - (self.line.quantity - self.line.canceled)

    @property
    def raised(self) -> OrderLine:
        """The line with the units that are added."""
        return replace(self.line, quantity=self.line.quantity + self.more)


def check_input(added: int, changed: int) -> None:
    """Refuse an edit without rows, or with more of them than an order can have lines."""
    if not added and not changed:
        raise invalid("There is nothing to edit: name lines to add or to change.", "change")
    for name, count in (("add", added), ("change", changed)):
        if count > orders.MAX_LINES:
            raise refusals.too_many("lines", count, orders.MAX_LINES, name)


def check_order(status: OrderStatus, number: str, lines: int) -> None:
    """Refuse to edit an order that is parked, shipped or canceled, or that would have too many ``lines``."""
    orders.check_open(status, number)
    if lines > orders.MAX_LINES:
        message = f"An order has at most {orders.MAX_LINES} lines: this one would have {lines}."
        raise Refusal(Code.TOO_MANY, message, ("add",)).only()


def check_quantity(quantity: Decimal) -> None:
    """Refuse a new quantity below 0."""
    if quantity < ZERO:
        raise invalid(f"{quantities.text(quantity)} is no quantity of a line: 0 or more.", "quantity")


def check(edit: LineEdit, left: Decimal) -> None:
    """Refuse a new quantity that the line cannot have. ``left``: its units that have left."""
    sku, wanted = refusals.shown(edit.line.sku), quantities.text(edit.quantity)
    if edit.quantity < left:
        raise wrong_state(f"{sku} cannot be {wanted}: {quantities.text(left)} have left.", "quantity")
    if edit.raised.quantity > quantities.MAXIMUM:
        most = f"at most {quantities.MAXIMUM}, canceled units included"
        raise invalid(f"The line of {sku} would leave the range of a quantity: {most}.", "quantity")


def only_line(sku: str, lines: Collection[OrderLine]) -> OrderLine:
    """The line that a row names. Refuses a SKU that names several."""
    if len(lines) > 1:
        many = f"{len(lines)} lines of the order are of {refusals.shown(sku)}"
        raise invalid(f"{many}: say which one by its id.", "line")
    return next(iter(lines))


def totals(
    lines: Iterable[OrderLine],
    edits: Iterable[LineEdit],
    added: Iterable[tuple[int, Decimal]],
    stock_items: Mapping[int, int],
) -> dict[int, list[Decimal]]:
    """The quantities of the lines of each stock item after the edit; the quantity rules hold for their sum.

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
    """A refusal of the plan, with the path of the row that its line is of. A row of ``change`` has no options."""
    _, number, *rest = refusal.path
    assert isinstance(number, int)
    row = rows[number]
    return replace(refusal, path=(*row, *("sku" if row[0] == "change" and one == "options" else one for one in rest)))
