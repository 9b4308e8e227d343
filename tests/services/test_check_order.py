"""What checkOrder says of an order is what placeOrder does with it."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.geo import Point
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.refusals import Code, Refused, UnavailableReason
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement, SourceSelection
from gqlstock.services import check_order, place_order
from gqlstock.store.orders import Order
from support import order_life as life
from support import shop_builders as make

MOST = Decimal("99999999999")


@pytest.fixture
async def shop(db: None) -> None:
    """MUG and CUP without stock in BERLIN and HAMBURG; SHIRT in the sizes S and M, which have none either."""
    await life.shop()
    await make.product("SHIRT", options={"Size": ["S", "M"]}, tracking=InventoryTracking.TRACK_WITH_OPTIONS)
    for sku in ("MUG", "CUP", "SHIRT-S", "SHIRT-M"):
        for place in ("BERLIN", "HAMBURG"):
            await make.stock(sku, place, on_hand=0)


@pytest.mark.parametrize("mode", [InventoryDecrement.ON_ORDER, InventoryDecrement.ON_SHIPMENT])
async def test_a_quantity_that_a_level_cannot_hold_is_refused_by_checking_as_by_placing(
    shop: None, mode: InventoryDecrement
) -> None:
    await make.setting(backorders=BackorderMode.ALLOW, decrement_inventory=mode)
    await life.place(("MUG", 1))

    checked = await life.check(("MUG", MOST), ("MUG", 1))
    with pytest.raises(Refused) as error:
        await life.place(("MUG", MOST), ("MUG", 1))

    assert [(one.code, one.path) for one in checked.refusals] == [(Code.INVALID_INPUT, ("lines", 0, "quantity"))]
    assert error.value.refusals == checked.refusals
    assert [line.orderable for line in checked.lines] == [False, False]
    assert (await life.check(("MUG", MOST - 1))).orderable


async def test_two_lines_of_an_item_that_are_too_much_together_are_both_not_orderable(shop: None) -> None:
    await make.stock("MUG", on_hand=5)
    await make.stock("CUP", on_hand=5)

    checked = await life.check(("MUG", 3), ("CUP", 1), ("MUG", 3))

    assert [(line.orderable, line.reason) for line in checked.lines] == [
        (False, UnavailableReason.OUT_OF_STOCK),
        (True, None),
        (False, UnavailableReason.OUT_OF_STOCK),
    ]
    assert [line.parts for line in checked.lines if not line.orderable] == [(), ()]
    assert [one.path for one in checked.refusals] == [("lines", 0, "quantity")]


async def test_two_lines_of_an_item_that_break_its_quantity_rules_are_both_not_orderable(shop: None) -> None:
    await make.setting(product="MUG", maximum_order_quantity=5)
    await make.stock("MUG", on_hand=50)

    checked = await life.check(("MUG", 3), ("MUG", 3))

    assert [line.orderable for line in checked.lines] == [False, False]
    assert [(one.code, one.path) for one in checked.refusals] == [(Code.QUANTITY_NOT_ALLOWED, ("lines", 0, "quantity"))]


async def test_two_lines_of_an_item_of_an_order_that_would_be_parked_are_both_not_orderable(shop: None) -> None:
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await make.stock("MUG", on_hand=5)

    checked = await life.check(("MUG", 3), ("MUG", 3))

    assert (checked.parked, checked.refusals) == (True, ())
    assert [line.orderable for line in checked.lines] == [False, False]


def quantities() -> st.SearchStrategy[Decimal]:
    small = st.integers(0, 9).map(Decimal)
    odd = [Decimal("0.5"), Decimal("2.5"), MOST, Decimal("99999999999.9999"), Decimal(-1)]
    return st.one_of(small, small, st.sampled_from(odd))


LINES = st.lists(
    st.tuples(
        st.sampled_from(["MUG", "MUG", "CUP", "SHIRT", "SHIRT-S", "SHIRT-M", "NONE"]),
        quantities(),
        st.sampled_from([(), (), (("Size", "S"),), (("Size", "XXL"),)]),
    ),
    min_size=0,
    max_size=4,
)
SETTINGS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "backorders": st.sampled_from([None, BackorderMode.ALLOW, BackorderMode.NO_BACKORDERS]),
        "decrement_inventory": st.sampled_from(list(InventoryDecrement)),
        "insufficient_stock": st.sampled_from(list(InsufficientStockAction)),
        "out_of_stock_threshold": st.sampled_from([None, Decimal(2), Decimal(-4)]),
        "minimum_order_quantity": st.sampled_from([None, None, Decimal(2)]),
        "quantity_increment": st.sampled_from([None, None, Decimal(2)]),
        "quantity_uses_decimals": st.booleans(),
        "allow_multiple_boxes": st.booleans(),
        "manage_stock": st.sampled_from([None, None, False]),
        "source_selection": st.sampled_from(list(SourceSelection)),
    }
)


@given(
    st.tuples(SETTINGS, SETTINGS),
    st.lists(st.integers(0, 9), min_size=4, max_size=4),
    LINES,
    st.sampled_from([None, None, None, "shop", "none"]),
    st.sampled_from([None, Point(53.0, 10.0)]),
)
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_an_order_is_orderable_exactly_when_it_is_placed(
    shop: None,
    set_at: tuple[dict[str, Any], dict[str, Any]],
    counts: list[int],
    lines: list[tuple[str, Decimal, tuple[tuple[str, str], ...]]],
    website: str | None,
    ship_to: Point | None,
) -> None:
    await make.setting(**set_at[0])
    await make.setting(product="MUG", **set_at[1])
    for sku, count in zip(("MUG", "CUP", "SHIRT-S", "SHIRT-M"), counts, strict=True):
        await make.stock(sku, on_hand=count)
    asked = OrderRequest(tuple(RequestedLine(*line) for line in lines), website, ship_to=ship_to)

    checked = await check_order.check(SYSTEM, asked)
    if checked.refusals:
        with pytest.raises(Refused) as error:
            await place_order.place(SYSTEM, asked)
        assert (checked.orderable, checked.parked) == (False, False)
        assert error.value.refusals == checked.refusals
        return
    placed = await Order.get(id=(await place_order.place(SYSTEM, asked)).ids["order"][0])
    assert checked.parked is (placed.status is OrderStatus.BACKORDERED)
    assert checked.orderable is (placed.status is OrderStatus.PLACED)
    if checked.orderable:
        assert all(line.orderable for line in checked.lines)
