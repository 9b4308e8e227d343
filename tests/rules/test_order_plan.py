"""The plan of an order, against an assortment of plain records."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.rules import order_plan, quantities
from gqlstock.rules.allocation import AllocationState, PlannedAllocation
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.availability import BACKORDER_MESSAGE
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking, Item
from gqlstock.rules.fallback import Fallback, SettingsLookup
from gqlstock.rules.ledger import Level
from gqlstock.rules.network import Network, RankedWarehouse, SalesChannel
from gqlstock.rules.order_plan import OrderPlan
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.promises import Arrival
from gqlstock.rules.quantities import MAXIMUM
from gqlstock.rules.refusals import Code, UnavailableReason
from gqlstock.rules.scopes import ANONYMOUS, SYSTEM, Caller
from gqlstock.rules.settings import (
    BackorderMode,
    InsufficientStockAction,
    InventoryDecrement,
    SettingScope,
)
from gqlstock.rules.sourcing import LevelsInUse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BERLIN, HAMBURG = 1, 2
WAREHOUSES = ((RankedWarehouse(BERLIN, 1), True), (RankedWarehouse(HAMBURG, 2), True))
SHOP = SalesChannel(id=1, code="shop", organization_id=1, organization="main", assigned=WAREHOUSES)
NETWORK = Network((SHOP,), {"BERLIN": BERLIN, "HAMBURG": HAMBURG}, frozenset({BERLIN, HAMBURG}))

HELD = Level(Decimal(2), held=Decimal(2), id=12, item_id=1, warehouse_id=HAMBURG)

ON_HAND, BACKORDERED = AllocationState.ON_HAND, AllocationState.BACKORDERED
ALLOW = BackorderMode.ALLOW
PARKS = {"insufficient_stock": InsufficientStockAction.HOLD_ORDER}


def item(id: int, sku: str, **fields: Any) -> Item:
    product = Item(
        id=id,
        product_id=None,
        sku=sku,
        name=sku,
        barcode=None,
        own_images=[],
        created_at=NOON,
        updated_at=NOON,
        deleted_at=None,
        slug=sku.lower(),
        description=None,
        category_id=None,
        tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
        published=True,
        inventory_status=InventoryStatus.IN_STOCK,
        shipping_origin_id=None,
        stored_options=[],
        own_code=None,
        choice={},
        choice_digest=None,
    )
    return replace(product, **fields)


MUG, CUP = item(1, "MUG"), item(2, "CUP")


def plan(
    *lines: tuple[str, int | str],
    items: Iterable[Item] = (MUG, CUP),
    mug: dict[int, Any] | None = None,
    cup: dict[int, Any] | None = None,
    caller: Caller = SYSTEM,
    set_at: dict[int, dict[str, Any]] | None = None,
    request: dict[str, Any] | None = None,
    supply: dict[int, tuple[Arrival, ...]] | None = None,
    **settings: Any,
) -> OrderPlan:
    """``mug`` and ``cup``: what is on hand, by warehouse. ``set_at``: settings of single items, by id.

    ``supply``: dated supply by the id of a level, which is 10 * item + warehouse.
    """
    known = {one.id: one for one in items}
    values = {(SettingScope.SYSTEM, 0): settings} | {
        (SettingScope.PRODUCT, item_id): own for item_id, own in (set_at or {}).items()
    }
    levels = {
        item_id: LevelsInUse(
            [
                Level(on_hand=Decimal(units), id=10 * item_id + place, item_id=item_id, warehouse_id=place)
                for place, units in (of_item or {}).items()
            ],
            supply or {},
        )
        for item_id, of_item in ((1, mug), (2, cup))
    }
    assortment = Assortment(SHOP, SettingsLookup(known, NETWORK, {None: Fallback(values)}), {}, levels, NOON)
    fields = {"lines": tuple(RequestedLine(sku, Decimal(quantity)) for sku, quantity in lines)} | (request or {})
    return order_plan.plan(caller, OrderRequest(**fields), {one.sku: one for one in known.values()}, assortment)


def codes(found: OrderPlan) -> list[tuple[Code, tuple[str | int, ...]]]:
    return [(refusal.code, refusal.path) for refusal in found.refusals]


def test_lines_of_one_item_are_planned_together_in_turn() -> None:
    found = plan(("MUG", 3), ("CUP", 1), ("MUG", 2), mug={BERLIN: 4, HAMBURG: 5}, cup={HAMBURG: 1})

    assert found.orderable
    assert [line.parts for line in found.lines] == [
        (PlannedAllocation(BERLIN, Decimal(3), ON_HAND),),
        (PlannedAllocation(HAMBURG, Decimal(1), ON_HAND),),
        (PlannedAllocation(BERLIN, Decimal(1), ON_HAND), PlannedAllocation(HAMBURG, Decimal(1), ON_HAND)),
    ]


def test_two_lines_that_are_too_much_together_are_refused_at_the_first() -> None:
    found = plan(("MUG", 3), ("MUG", 3), mug={BERLIN: 5})

    assert codes(found) == [(Code.INSUFFICIENT_STOCK, ("lines", 0, "quantity"))]
    assert found.refusals[0].message == "Only 5 of MUG available, 6 requested."
    assert [(line.orderable, line.reason, line.parts) for line in found.lines] == [
        (False, UnavailableReason.OUT_OF_STOCK, ()),
        (False, UnavailableReason.OUT_OF_STOCK, ()),
    ]


def test_what_the_public_may_not_see_is_in_no_refusal() -> None:
    found = plan(("MUG", 6), mug={BERLIN: 5}, caller=ANONYMOUS)

    assert found.refusals[0].message == "Not enough of MUG available, 6 requested."
    assert found.lines[0].hidden


def test_units_that_wait_are_said_with_a_message() -> None:
    found = plan(("MUG", 6), mug={BERLIN: 5}, backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER)
    (line,) = found.lines

    assert line.parts == (
        PlannedAllocation(BERLIN, Decimal(5), ON_HAND),
        PlannedAllocation(BERLIN, Decimal(1), BACKORDERED),
    )
    assert (line.message, line.shown_message, line.shown_backordered) == (BACKORDER_MESSAGE, BACKORDER_MESSAGE, 1)


def test_the_public_learns_that_all_units_wait_or_none() -> None:
    found = plan(
        ("MUG", 6), ("MUG", 1), mug={BERLIN: 6}, caller=ANONYMOUS, backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER
    )

    assert [line.message for line in found.lines] == [None, BACKORDER_MESSAGE]
    assert [(line.shown_backordered, line.shown_message) for line in found.lines] == [
        (6, BACKORDER_MESSAGE),
        (1, BACKORDER_MESSAGE),
    ]


def test_an_order_is_parked_where_every_item_that_is_short_allows_it() -> None:
    found = plan(("MUG", 1), ("CUP", 9), mug={BERLIN: 5}, cup={BERLIN: 5}, set_at={2: PARKS})

    assert (found.parked, found.orderable, found.refusals) == (True, False, ())
    assert [(line.parts, line.refusals) for line in found.lines] == [((), ()), ((), ())]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((("MUG", 9), ("CUP", 9)), [Code.INSUFFICIENT_STOCK, Code.INSUFFICIENT_STOCK]),
        ((("CUP", 9), ("NONE", 1)), [Code.INSUFFICIENT_STOCK, Code.NOT_FOUND]),
    ],
    ids=["one-that-is-short-forbids-it", "something-else-is-wrong"],
)
def test_an_order_is_refused_for_all_that_is_wrong_where_it_is_not_parked(lines: Any, expected: list[Code]) -> None:
    found = plan(*lines, mug={BERLIN: 5}, cup={BERLIN: 5}, set_at={2: PARKS})

    assert (found.parked, [refusal.code for refusal in found.refusals]) == (False, expected)


@pytest.mark.parametrize("request_fields", [{"may_park": False}, {"only_free": True}], ids=["a-retry", "a-hold"])
def test_a_retry_and_a_hold_are_never_parked(request_fields: dict[str, Any]) -> None:
    found = plan(("MUG", 9), mug={BERLIN: 5}, request=request_fields, **PARKS)

    assert (found.parked, codes(found)) == (False, [(Code.INSUFFICIENT_STOCK, ("lines", 0, "quantity"))])


def test_a_hold_takes_only_what_is_free() -> None:
    found = plan(("MUG", 6), mug={BERLIN: 5}, request={"only_free": True}, backorders=BackorderMode.ALLOW)

    assert codes(found) == [(Code.INSUFFICIENT_STOCK, ("lines", 0, "quantity"))]


def test_quantity_rules_hold_for_all_lines_of_an_item_together() -> None:
    found = plan(("MUG", 1), ("MUG", 1), mug={BERLIN: 5}, minimum_order_quantity=Decimal(3))

    assert codes(found) == [(Code.QUANTITY_NOT_ALLOWED, ("lines", 0, "quantity"))]
    assert [(line.orderable, line.reason, line.parts) for line in found.lines] == [(False, None, ())] * 2


def test_an_item_that_cannot_be_ordered_says_why() -> None:
    found = plan(("MUG", 1), items=[replace(MUG, inventory_status=InventoryStatus.DISCONTINUED)], mug={BERLIN: 5})

    assert codes(found) == [(Code.NOT_ORDERABLE, ("lines", 0, "sku"))]
    assert found.refusals[0].message == "MUG is discontinued."
    assert found.lines[0].reason is UnavailableReason.STATUS_NOT_ORDERABLE


def test_units_of_a_warehouse_that_the_token_is_not_for_are_refused() -> None:
    found = plan(("MUG", 1), mug={BERLIN: 5}, caller=replace(SYSTEM, warehouses=frozenset({HAMBURG})))

    assert codes(found) == [(Code.NOT_FOUND, ("lines", 0, "sku"))]


def test_a_level_that_would_leave_the_range_of_a_quantity_is_refused_at_the_first_line() -> None:
    found = plan(("MUG", str(quantities.floor(MAXIMUM))), ("MUG", 1), mug={BERLIN: 0}, backorders=BackorderMode.ALLOW)

    assert codes(found) == [(Code.INVALID_INPUT, ("lines", 0, "quantity"))]
    assert [line.orderable for line in found.lines] == [False, False]


def test_units_that_are_not_counted_come_from_the_shipping_origin() -> None:
    free = [replace(MUG, tracking=InventoryTracking.DO_NOT_TRACK, shipping_origin_id=HAMBURG)]

    (line,) = plan(("MUG", 7), items=free).lines

    assert (line.counted, line.parts) == (False, (PlannedAllocation(HAMBURG, Decimal(7), ON_HAND),))


def test_a_line_that_was_placed_before_keeps_its_decrement_mode() -> None:
    placed_before = RequestedLine("MUG", Decimal(1), decrement=InventoryDecrement.NEVER)
    settings = {"decrement_inventory": InventoryDecrement.ON_SHIPMENT}

    (kept,) = plan(mug={BERLIN: 5}, request={"lines": (placed_before,)}, **settings).lines
    (new,) = plan(("MUG", 1), mug={BERLIN: 5}, **settings).lines

    assert (kept.decrement, new.decrement) == (InventoryDecrement.NEVER, InventoryDecrement.ON_SHIPMENT)


def test_the_units_of_a_hold_are_free_for_its_order_and_its_warehouses_give_first() -> None:
    levels = {1: LevelsInUse([Level(Decimal(5), id=11, item_id=1, warehouse_id=BERLIN), HELD])}
    assortment = Assortment(SHOP, SettingsLookup({1: MUG}, NETWORK, {None: Fallback({})}), {}, levels, NOON)
    request = OrderRequest((RequestedLine("MUG", Decimal(3)),))

    freed = assortment.freeing({HELD.id: Decimal(2)}, first={1: [HAMBURG]})
    without, within = (order_plan.plan(SYSTEM, request, {"MUG": MUG}, one) for one in (assortment, freed))

    assert without.lines[0].parts == (PlannedAllocation(BERLIN, Decimal(3), ON_HAND),)
    assert within.lines[0].parts == (
        PlannedAllocation(HAMBURG, Decimal(2), ON_HAND),
        PlannedAllocation(BERLIN, Decimal(1), ON_HAND),
    )


# ── dates


def day(number: int) -> datetime:
    return NOON + timedelta(days=number)


ARRIVALS = (Arrival(1, Decimal(5), day(3)), Arrival(2, Decimal(5), day(6)))


def dates(found: OrderPlan) -> list[datetime | None]:
    return [line.expected_at for line in found.lines]


def shown_dates(found: OrderPlan) -> list[datetime | None]:
    return [line.shown_expected_at for line in found.lines]


def test_waiting_lines_have_the_date_of_their_last_unit_and_the_order_the_latest_of_them() -> None:
    given = {"mug": {BERLIN: 2}, "supply": {10 + BERLIN: ARRIVALS}, "backorders": BackorderMode.ALLOW}

    found = plan(("MUG", 2), ("MUG", 4), ("MUG", 3), **given)
    beyond = plan(("MUG", 13), **given)

    assert dates(found) == [None, day(3), day(6)]
    assert found.expected_at == day(6)
    assert (beyond.orderable, beyond.expected_at) == (True, None)


def test_an_order_with_a_line_that_has_no_date_has_none() -> None:
    found = plan(
        ("MUG", 1), ("CUP", 1), mug={BERLIN: 0}, cup={BERLIN: 0}, supply={10 + BERLIN: ARRIVALS}, backorders=ALLOW
    )

    assert dates(found) == [day(3), None]
    assert found.expected_at is None


def test_dates_count_the_days_until_units_can_leave() -> None:
    found = plan(("MUG", 6), mug={BERLIN: 0}, supply={10 + BERLIN: ARRIVALS}, backorders=ALLOW, incoming_buffer_days=2)

    assert dates(found) == [day(8)]


def test_with_backorders_from_incoming_only_dated_units_are_sold_from_each_source_in_turn() -> None:
    hamburg = (Arrival(3, Decimal(4), day(5)),)
    given = {
        "mug": {BERLIN: 1, HAMBURG: 0},
        "supply": {10 + BERLIN: ARRIVALS, 10 + HAMBURG: hamburg},
        "backorders": ALLOW,
        "backorders_from_incoming": True,
    }

    all_of_it = plan(("MUG", 15), **given)
    one_more = plan(("MUG", 16), **given)

    assert [(part.warehouse_id, part.quantity, part.expected_at) for part in all_of_it.lines[0].parts] == [
        (BERLIN, 1, None),
        (BERLIN, 10, day(6)),
        (HAMBURG, 4, day(5)),
    ]
    assert all_of_it.expected_at == day(6)
    (refusal,) = one_more.refusals
    assert (refusal.code, refusal.salable) == (Code.INSUFFICIENT_STOCK, 15)


def test_the_public_sees_dates_with_display_availability_and_none_of_a_single_line_of_hidden_quantities() -> None:
    given = {"mug": {BERLIN: 2}, "supply": {10 + BERLIN: ARRIVALS}, "backorders": ALLOW, "caller": ANONYMOUS}
    lines = (("MUG", 2), ("MUG", 4))

    assert shown_dates(plan(*lines, **given, display_stock_quantity=True)) == [None, day(3)]
    assert shown_dates(plan(*lines, **given)) == [day(3), day(3)]
    assert shown_dates(plan(*lines, **given, display_availability=False)) == [None, None]
    assert shown_dates(plan(*lines, **given | {"caller": SYSTEM}, display_availability=False)) == [None, day(3)]
