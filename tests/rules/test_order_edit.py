"""Which edits of an order are possible, and what the lines of each item will be together."""

from decimal import Decimal

import pytest

from gqlstock.rules import order_edit
from gqlstock.rules.order_edit import LineEdit
from gqlstock.rules.orders import OrderLine, OrderStatus
from gqlstock.rules.quantities import MAXIMUM
from gqlstock.rules.refusals import Code, Refusal, Refused
from gqlstock.rules.settings import InventoryDecrement

MUG, CUP = 1, 2


def line(line_id: int = 1, quantity: int | Decimal = 5, canceled: int | Decimal = 0, item_id: int = MUG) -> OrderLine:
    names = {"sku": "MUG", "name": "Mug", "code": "MUG", "selected_options": {}}
    units = {"quantity": Decimal(quantity), "canceled": Decimal(canceled)}
    return OrderLine(id=line_id, order_id=1, item_id=item_id, decrement=InventoryDecrement.ON_ORDER, **names, **units)


def edit(quantity: int | Decimal, of: OrderLine | None = None) -> LineEdit:
    return LineEdit(0, of or line(), Decimal(quantity))


def refusal(step) -> Refusal:
    with pytest.raises(Refused) as error:
        step()
    (only,) = error.value.refusals
    return only


# ── the input


def test_an_edit_without_rows_is_refused() -> None:
    told = refusal(lambda: order_edit.check_input(0, 0))

    assert (told.code, told.path) == (Code.INVALID_INPUT, ("change",))


@pytest.mark.parametrize(("added", "changed", "path"), [(501, 0, "add"), (1, 501, "change")])
def test_more_rows_than_an_order_has_lines_are_refused(added: int, changed: int, path: str) -> None:
    told = refusal(lambda: order_edit.check_input(added, changed))

    assert (told.code, told.path) == (Code.TOO_MANY, (path,))
    assert told.message == "At most 500 lines per call, 501 given."
    order_edit.check_input(500, 500)


def test_a_quantity_below_0_is_refused_and_0_is_not() -> None:
    told = refusal(lambda: order_edit.check_quantity(Decimal("-0.5")))

    assert (told.code, told.path) == (Code.INVALID_INPUT, ("quantity",))
    assert told.message == "The quantity of a line must be 0 or more, not -0.5."
    order_edit.check_quantity(Decimal(0))


# ── the order


@pytest.mark.parametrize("status", [OrderStatus.PLACED, OrderStatus.PARTIALLY_SHIPPED])
def test_an_order_is_edited_until_everything_has_left(status: OrderStatus) -> None:
    order_edit.check_order(status, "100001", 500)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (OrderStatus.BACKORDERED, "The order 100001 is parked for lack of stock."),
        (OrderStatus.SHIPPED, "The order 100001 is already shipped."),
        (OrderStatus.CANCELED, "The order 100001 is already canceled."),
    ],
)
def test_a_parked_shipped_or_canceled_order_is_not_edited(status: OrderStatus, message: str) -> None:
    told = refusal(lambda: order_edit.check_order(status, "100001", 1))

    assert (told.code, told.path, told.message) == (Code.INVALID_STATE, ("number",), message)


def test_an_order_of_more_than_500_lines_is_refused() -> None:
    told = refusal(lambda: order_edit.check_order(OrderStatus.PLACED, "100001", 501))

    assert (told.code, told.path) == (Code.TOO_MANY, ("add",))


# ── a line


def test_the_new_quantity_of_a_line_is_what_is_not_canceled() -> None:
    canceled = line(quantity=5, canceled=2)

    assert [edit(units, canceled).more for units in (0, 3, 4)] == [-3, 0, 1]
    assert (edit(4, canceled).raised.quantity, edit(4, canceled).raised.canceled) == (6, 2)


def test_a_line_keeps_what_has_left() -> None:
    told = refusal(lambda: order_edit.check(edit(2), Decimal(3)))

    assert (told.code, told.path) == (Code.INVALID_STATE, ("quantity",))
    assert told.message == "The quantity of MUG must be at least the 3 already shipped, not 2."
    order_edit.check(edit(3), Decimal(3))


def test_a_line_stays_in_the_range_of_a_quantity_with_what_was_canceled() -> None:
    canceled = line(quantity=MAXIMUM, canceled=MAXIMUM)

    told = refusal(lambda: order_edit.check(edit(1, canceled), Decimal(0)))

    assert (told.code, told.path) == (Code.INVALID_INPUT, ("quantity",))
    assert "cannot exceed 99999999999.9999 units, including canceled ones" in told.message
    order_edit.check(edit(MAXIMUM), Decimal(0))


def test_a_sku_of_several_lines_is_not_guessed() -> None:
    told = refusal(lambda: order_edit.only_line("MUG", [line(1), line(2)]))

    assert (told.code, told.path) == (Code.INVALID_INPUT, ("line",))
    assert order_edit.only_line("MUG", [line(2)]) == line(2)


# ── the quantities of items


def test_the_quantities_of_an_item_are_those_of_all_its_lines_as_they_will_be() -> None:
    lines = [line(1, 5, 1), line(2, 3), line(3, 7, item_id=CUP)]
    lowered = LineEdit(0, lines[1], Decimal(1))

    found = order_edit.totals(lines, [lowered], [(MUG, Decimal(6)), (9, Decimal(2))], {MUG: MUG, CUP: CUP})

    assert found == {MUG: [4, 1, 6], CUP: [7], 9: [2]}


# ── paths


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (("lines", 0, "quantity"), ("change", 3, "quantity")),
        (("lines", 0, "options"), ("change", 3, "sku")),
        (("lines", 1, "options"), ("add", 0, "options")),
        (("lines", 1, "sku"), ("add", 0, "sku")),
    ],
)
def test_a_refusal_of_the_plan_is_at_the_row_that_it_is_about(
    path: tuple[str | int, ...], told: tuple[str | int, ...]
) -> None:
    found = order_edit.at(Refusal(Code.NOT_FOUND, "There is no item MUG.", path), [("change", 3), ("add", 0)])

    assert found == Refusal(Code.NOT_FOUND, "There is no item MUG.", told)
