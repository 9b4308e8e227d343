from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gqlstock.rules import availability, back_in_stock
from gqlstock.rules.availability import Sellable
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.ledger import Level
from gqlstock.rules.refusals import Code, Refused, UnavailableReason
from gqlstock.rules.settings import BackorderMode, LowStockActivity, Settings
from gqlstock.rules.sourcing import Source

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALLOW = BackorderMode.ALLOW


def item(on_hand=0, *, backorders=BackorderMode.NO_BACKORDERS, status=InventoryStatus.IN_STOCK, **values):
    source = Source(1, Level(on_hand=Decimal(on_hand)), backorders)
    return Sellable(published=True, status=status, counted=True, settings=Settings(**values), sources=(source,))


def found(*args, **kwargs):
    return availability.assess(item(*args, **kwargs), NOW)


def product(*combinations, open_choices=False):
    itself = replace(item(), counted=False, sources=(), reason=UnavailableReason.SELECT_OPTIONS)
    return availability.assess_product(itself, combinations, NOW, open_choices=open_choices)


NO_QUANTITY = {"minimum_order_quantity": Decimal(5), "maximum_order_quantity": Decimal(4)}
LOW = {"minimum_stock_quantity": Decimal(2), "low_stock_activity": LowStockActivity.DISABLE_BUY_BUTTON}


@pytest.mark.parametrize(
    ("assessment", "back"),
    [
        pytest.param(found(0), False, id="none-there"),
        pytest.param(found(1), True, id="one-there"),
        pytest.param(found(0, backorders=ALLOW), True, id="on-backorder"),
        pytest.param(found(1, **LOW), False, id="too-few-to-be-sold"),
        pytest.param(found(1, out_of_stock_threshold=Decimal(1)), False, id="only-the-safety-stock"),
        pytest.param(found(1, status=InventoryStatus.OUT_OF_STOCK), False, id="out-of-stock-by-hand"),
        pytest.param(found(1, minimum_order_quantity=Decimal(2)), False, id="less-than-the-minimum"),
        pytest.param(found(2, minimum_order_quantity=Decimal(2)), True, id="the-minimum"),
        pytest.param(found(9, **NO_QUANTITY), False, id="no-quantity-can-be-ordered"),
        pytest.param(product(found(0), found(5, quantity_increment=Decimal(6))), False, id="less-than-a-pack-of-one"),
        pytest.param(product(found(0), found(1)), True, id="one-of-its-combinations"),
        pytest.param(product(found(0), found(0)), False, id="none-of-its-combinations"),
        pytest.param(product(), False, id="no-combinations"),
        pytest.param(product(found(0), found(0, backorders=ALLOW)), True, id="a-combination-on-backorder"),
    ],
)
def test_an_item_is_back_when_it_can_be_ordered(assessment, back):
    assert back_in_stock.is_back(assessment) is back
    assert not (back and assessment.can_subscribe)


@pytest.mark.parametrize(
    ("assessment", "allowed"),
    [
        pytest.param(product(found(0), found(0)), True, id="all-sold-out"),
        pytest.param(product(found(0), found(1)), False, id="one-there"),
        pytest.param(product(), False, id="no-combinations"),
        pytest.param(product(found(0), open_choices=True), False, id="other-choices-are-sold-uncounted"),
        pytest.param(product(found(0, status=InventoryStatus.DISCONTINUED)), False, id="discontinued"),
    ],
)
def test_a_product_sold_by_options_can_be_waited_for_when_all_its_combinations_are_sold_out(assessment, allowed):
    assert assessment.can_subscribe is allowed


@pytest.mark.parametrize(
    ("assessment", "told"),
    [
        (found(1), "MUG can be ordered now."),
        (found(0, status=InventoryStatus.DISCONTINUED), "MUG is discontinued and will not be restocked."),
        (
            found(9, **NO_QUANTITY),
            "MUG cannot be ordered in any quantity: its quantity rules contradict each other.",
        ),
        (
            found(0, allow_back_in_stock_subscriptions=False),
            "The shop does not offer back-in-stock notifications for MUG.",
        ),
    ],
)
def test_what_cannot_be_waited_for_is_refused_with_the_reason(assessment, told):
    with pytest.raises(Refused) as error:
        back_in_stock.check("MUG", assessment)

    (refusal,) = error.value.refusals
    assert (refusal.code, refusal.path, refusal.message) == (Code.INVALID_STATE, ("sku",), told)


@pytest.mark.parametrize(
    "assessment",
    [pytest.param(found(0), id="none-there"), pytest.param(found(4, minimum_order_quantity=Decimal(5)), id="too-few")],
)
def test_what_is_sold_out_can_be_waited_for(assessment):
    back_in_stock.check("MUG", assessment)


def sources(*on_hand, backorders=BackorderMode.NO_BACKORDERS):
    return [Source(number, Level(on_hand=Decimal(units)), backorders) for number, units in enumerate(on_hand)]


@pytest.mark.parametrize(
    ("before", "after", "values", "crossed"),
    [
        ((1,), (0,), {}, False),
        ((0,), (1,), {}, True),
        ((0, 2), (0, 1), {}, None),
        ((0, 1), (0, 0), {}, False),
        ((-5, 0), (-5, 1), {}, True),
        ((-5,), (0,), {}, None),
        ((3,), (2,), {"out_of_stock_threshold": Decimal(2)}, False),
        ((2,), (3,), {"out_of_stock_threshold": Decimal(2)}, True),
        ((2,), (1,), {"out_of_stock_threshold": Decimal(2)}, None),
        ((1,), (0,), {"out_of_stock_threshold": Decimal(-5)}, False),
        ((), (), {}, None),
    ],
)
def test_reaching_the_threshold_is_news_and_leaving_it_is(before, after, values, crossed):
    assert availability.crossed(Settings(**values), sources(*before), sources(*after)) is crossed


def test_with_backorders_there_is_no_safety_stock_to_reach():
    settings = Settings(out_of_stock_threshold=Decimal(2))

    assert availability.crossed(settings, sources(3, backorders=ALLOW), sources(2, backorders=ALLOW)) is None
