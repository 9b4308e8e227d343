from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gqlstock.rules import availability
from gqlstock.rules.availability import Assessment, Sellable
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.refusals import QuantityRules, UnavailableReason
from gqlstock.rules.settings import BackorderMode, LowStockActivity, Settings
from support.item_sources import settings, source, sources

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
YESTERDAY, TOMORROW = NOW - timedelta(days=1), NOW + timedelta(days=1)

NO_BACKORDERS = BackorderMode.NO_BACKORDERS
ALLOW = BackorderMode.ALLOW
ALLOW_AND_NOTIFY = BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER
NOTICE = "Out of stock - on backorder and will be dispatched once in stock."

IN_STOCK, OUT_OF_STOCK, DISCONTINUED = InventoryStatus
EVERY_STATUS = (IN_STOCK, OUT_OF_STOCK, DISCONTINUED)


CONTRADICTORY = {"minimum_order_quantity": Decimal(5), "maximum_order_quantity": Decimal(4)}
"""Rules that no quantity satisfies: values of two places, each good by itself."""


def item(*stock, published=True, status=IN_STOCK, counted=True, has_warehouse=True, reason=None, **values):
    """A product with so many units in each of its warehouses, and these settings."""
    return Sellable(
        published=published,
        status=status,
        counted=counted,
        settings=Settings(**values),
        sources=sources(*stock),
        has_warehouse=has_warehouse,
        reason=reason,
    )


def assess(*stock, now=NOW, **item_fields):
    return availability.assess(item(*stock, **item_fields), now)


def assess_product(*combinations, open_choices=False, now=NOW, **item_fields):
    """A product tracked with options, of which these are the combinations."""
    product = item(**item_fields | {"counted": False, "reason": UnavailableReason.SELECT_OPTIONS})
    return availability.assess_product(product, combinations, now, open_choices=open_choices)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(item(3), IN_STOCK, id="units-are-there"),
        pytest.param(item(0), OUT_OF_STOCK, id="none-are-there"),
        pytest.param(item(), OUT_OF_STOCK, id="no-warehouse-has-it"),
        pytest.param(item(3, out_of_stock_threshold=Decimal(3)), OUT_OF_STOCK, id="only-the-safety-stock-is-there"),
        pytest.param(item(source(0, backorders=ALLOW)), OUT_OF_STOCK, id="on-backorder"),
        pytest.param(item(counted=False), IN_STOCK, id="nothing-is-counted"),
        pytest.param(item(3, status=OUT_OF_STOCK), OUT_OF_STOCK, id="out-of-stock-by-hand"),
        pytest.param(item(3, status=DISCONTINUED), DISCONTINUED, id="discontinued-by-hand"),
        pytest.param(item(0, status=DISCONTINUED), DISCONTINUED, id="discontinued-by-hand-with-none-left"),
        pytest.param(item(counted=False, status=OUT_OF_STOCK), OUT_OF_STOCK, id="by-hand-where-nothing-is-counted"),
        pytest.param(item(3, minimum_order_quantity=Decimal(5)), OUT_OF_STOCK, id="less-than-the-minimum-is-there"),
        pytest.param(item(5, minimum_order_quantity=Decimal(5)), IN_STOCK, id="the-minimum-is-there"),
        pytest.param(item(5, quantity_increment=Decimal(6)), OUT_OF_STOCK, id="less-than-one-pack-is-there"),
        pytest.param(item(5, allowed_quantities=(Decimal(6),)), OUT_OF_STOCK, id="less-than-any-allowed-is-there"),
        pytest.param(item(3, 3, minimum_order_quantity=Decimal(5)), IN_STOCK, id="two-warehouses-have-the-minimum"),
        pytest.param(item(3, **CONTRADICTORY), IN_STOCK, id="rules-without-a-quantity-and-some-are-there"),
        pytest.param(item(0, **CONTRADICTORY), OUT_OF_STOCK, id="rules-without-a-quantity-and-none-are-there"),
        pytest.param(item(counted=False, minimum_order_quantity=Decimal(5)), IN_STOCK, id="a-minimum-of-the-uncounted"),
    ],
)
def test_the_status_is_set_by_hand_or_said_by_the_quantity(found, expected):
    assert availability.assess(found, NOW).status is expected


UNPUBLISHES = {"minimum_stock_quantity": Decimal(5), "low_stock_activity": LowStockActivity.UNPUBLISH}
DISABLES = {"minimum_stock_quantity": Decimal(5), "low_stock_activity": LowStockActivity.DISABLE_BUY_BUTTON}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(item(3), True, id="in-stock"),
        pytest.param(item(0), True, id="out-of-stock-is-shown-by-default"),
        pytest.param(item(3, status=DISCONTINUED), False, id="discontinued-is-not"),
        pytest.param(item(3, published=False), False, id="unpublished"),
        pytest.param(item(0, visible_statuses=(IN_STOCK,)), False, id="out-of-stock-where-only-in-stock-is-shown"),
        pytest.param(item(3, status=DISCONTINUED, visible_statuses=EVERY_STATUS), True, id="discontinued-where-shown"),
        pytest.param(item(4, **UNPUBLISHES), False, id="hidden-by-low-stock"),
        pytest.param(item(5, **UNPUBLISHES), True, id="not-hidden-at-the-minimum"),
        pytest.param(item(4, **DISABLES), True, id="a-disabled-button-hides-nothing"),
        pytest.param(item(), True, id="not-sold-here-does-not-hide"),
    ],
)
def test_a_shop_shows_what_is_visible(found, expected):
    assert availability.assess(found, NOW).visible is expected


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        pytest.param(item(3), None, id="in-stock"),
        pytest.param(item(source(0, backorders=ALLOW)), None, id="on-backorder"),
        pytest.param(item(counted=False), None, id="not-counted"),
        pytest.param(item(3, published=False), "NOT_PUBLISHED", id="unpublished"),
        pytest.param(item(3, status=OUT_OF_STOCK), "STATUS_NOT_ORDERABLE", id="out-of-stock-by-hand"),
        pytest.param(item(3, status=DISCONTINUED), "STATUS_NOT_ORDERABLE", id="discontinued-by-hand"),
        pytest.param(
            item(3, status=DISCONTINUED, orderable_statuses=(IN_STOCK, DISCONTINUED)), None, id="discontinued-sold-off"
        ),
        pytest.param(item(3, orderable_statuses=()), "STATUS_NOT_ORDERABLE", id="no-status-is-orderable"),
        pytest.param(item(0), "OUT_OF_STOCK", id="what-the-quantity-says-is-the-business-of-OUT_OF_STOCK"),
        pytest.param(
            item(source(0, backorders=ALLOW), orderable_statuses=(IN_STOCK,)),
            None,
            id="on-backorder-though-only-IN_STOCK-is-orderable",
        ),
        pytest.param(
            item(3, reason=UnavailableReason.SELECT_OPTIONS), "SELECT_OPTIONS", id="a-product-tracked-with-options"
        ),
        pytest.param(
            item(3, reason=UnavailableReason.COMBINATION_UNAVAILABLE),
            "COMBINATION_UNAVAILABLE",
            id="a-choice-without-a-combination",
        ),
        pytest.param(item(), "NOT_SOLD_HERE", id="no-warehouse-of-the-website-has-it"),
        pytest.param(
            item(counted=False, has_warehouse=False), "NOT_SOLD_HERE", id="not-counted-and-no-warehouse-at-all"
        ),
        pytest.param(item(4, **UNPUBLISHES), "LOW_STOCK_UNPUBLISHED", id="under-the-minimum-unpublished"),
        pytest.param(item(4, **DISABLES), "LOW_STOCK_BUY_DISABLED", id="under-the-minimum-not-for-sale"),
        pytest.param(item(5, **DISABLES), None, id="at-the-minimum-for-sale"),
        pytest.param(item(4, minimum_stock_quantity=Decimal(5)), None, id="under-the-minimum-and-nothing-happens"),
        pytest.param(
            item(6, out_of_stock_threshold=Decimal(2), **DISABLES),
            "LOW_STOCK_BUY_DISABLED",
            id="the-safety-stock-does-not-count-towards-the-minimum",
        ),
        pytest.param(
            item(source(4, backorders=ALLOW), **DISABLES),
            "LOW_STOCK_BUY_DISABLED",
            id="backorders-do-not-count-towards-the-minimum",
        ),
        pytest.param(item(counted=False, **UNPUBLISHES), None, id="what-is-not-counted-is-never-low"),
        pytest.param(
            item(source(-5, backordered=5, backorders=ALLOW), out_of_stock_threshold=Decimal(-5)),
            "OUT_OF_STOCK",
            id="no-room-for-backorders-is-left",
        ),
        pytest.param(item("0.5"), "OUT_OF_STOCK", id="half-a-unit-where-whole-ones-are-sold"),
        pytest.param(item("0.5", quantity_uses_decimals=True), None, id="half-a-unit-where-parts-are-sold"),
        pytest.param(item(3, minimum_order_quantity=Decimal(5)), "OUT_OF_STOCK", id="3-with-a-minimum-of-5"),
        pytest.param(item(5, minimum_order_quantity=Decimal(5)), None, id="5-with-a-minimum-of-5"),
        pytest.param(item(5, quantity_increment=Decimal(6)), "OUT_OF_STOCK", id="5-where-packs-of-6-are-sold"),
        pytest.param(
            item(source(5, backorders=ALLOW), quantity_increment=Decimal(6)), None, id="5-of-a-pack-of-6-and-1-may-wait"
        ),
        pytest.param(
            item(source(3, backorders=ALLOW), minimum_order_quantity=Decimal(5), out_of_stock_threshold=Decimal(-1)),
            "OUT_OF_STOCK",
            id="3-and-room-for-1-with-a-minimum-of-5",
        ),
        pytest.param(
            item(3, 3, minimum_order_quantity=Decimal(5), quantity_uses_decimals=True),
            "OUT_OF_STOCK",
            id="no-warehouse-has-the-minimum-of-a-line-that-is-never-split",
        ),
        pytest.param(item(9, **CONTRADICTORY), "NO_QUANTITY_ALLOWED", id="rules-that-no-quantity-satisfies"),
        pytest.param(
            item(counted=False, **CONTRADICTORY), "NO_QUANTITY_ALLOWED", id="rules-without-a-quantity-of-the-uncounted"
        ),
    ],
)
def test_why_an_item_cannot_be_ordered(found, reason):
    assessment = availability.assess(found, NOW)

    assert assessment.reason == reason
    assert assessment.orderable is (reason is None)


FAULTS = [
    ("NOT_PUBLISHED", {"published": False}),
    ("STATUS_NOT_ORDERABLE", {"status": OUT_OF_STOCK}),
    ("SELECT_OPTIONS", {"reason": UnavailableReason.SELECT_OPTIONS}),
    ("COMBINATION_UNAVAILABLE", {"reason": UnavailableReason.COMBINATION_UNAVAILABLE}),
    ("NOT_SOLD_HERE", {"sources": ()}),
    ("NO_QUANTITY_ALLOWED", {"settings": Settings(**CONTRADICTORY, **UNPUBLISHES)}),
    ("LOW_STOCK_UNPUBLISHED", {"settings": Settings(**UNPUBLISHES)}),
    ("OUT_OF_STOCK", {"sources": (source(0),)}),
]


@pytest.mark.parametrize("first", range(len(FAULTS)), ids=[reason for reason, _ in FAULTS])
def test_the_first_reason_that_holds_says_why_not(first):
    wrong = {}
    for _, fields in reversed(FAULTS[first:]):
        wrong |= fields

    assessment = availability.assess(replace(item(9), **wrong), NOW)

    assert assessment.reason == FAULTS[first][0]


@pytest.mark.parametrize("activity", [UNPUBLISHES, DISABLES], ids=["UNPUBLISH", "DISABLE_BUY_BUTTON"])
def test_stock_that_comes_back_brings_the_product_back(activity):
    low, back = assess(4, **activity), assess(5, **activity)

    assert not low.orderable
    assert back.orderable
    assert back.visible


@pytest.mark.parametrize(
    ("units", "threshold", "expected"),
    [
        pytest.param(3, 5, 3, id="only-3-left"),
        pytest.param(5, 5, 5, id="only-5-left-at-the-threshold"),
        pytest.param(6, 5, None, id="over-the-threshold"),
        pytest.param(0, 5, None, id="nothing-left-is-not-only-0-left"),
        pytest.param(3, None, None, id="unset"),
    ],
)
def test_only_x_left_is_said_at_or_under_its_threshold(units, threshold, expected):
    assessment = assess(units, only_x_left_threshold=None if threshold is None else Decimal(threshold))

    assert assessment.only_left == expected


def test_what_is_left_of_less_than_the_least_that_can_be_ordered_is_not_announced():
    labels = {
        "only_x_left_threshold": Decimal(5),
        "highlight_low_inventory": True,
        "low_inventory_threshold": Decimal(5),
        "minimum_order_quantity": Decimal(4),
    }

    sold_out, last = assess(3, **labels), assess(4, **labels)

    assert (sold_out.only_left, sold_out.low_inventory) == (None, False)
    assert (last.only_left, last.low_inventory) == (4, True)


def test_what_stays_of_a_minimum_is_a_backorder_where_the_rest_may_wait():
    assessment = assess(source(3, backorders=ALLOW_AND_NOTIFY), minimum_order_quantity=Decimal(5))

    assert (assessment.status, assessment.backorder, assessment.message) == (OUT_OF_STOCK, True, NOTICE)
    assert assessment.orderable


def test_a_backorder_is_promised_only_where_the_least_quantity_has_room():
    few = {"minimum_order_quantity": Decimal(5), "out_of_stock_threshold": Decimal(-1)}

    assessment = assess(source(3, backorders=ALLOW_AND_NOTIFY), **few)

    assert (assessment.backorder, assessment.message, assessment.orderable) == (False, None, False)


def test_what_no_quantity_of_can_be_ordered_is_no_backorder():
    assessment = assess(source(0, backorders=ALLOW_AND_NOTIFY), **CONTRADICTORY)

    assert (assessment.status, assessment.backorder, assessment.message) == (OUT_OF_STOCK, False, None)


def test_a_product_is_on_backorder_when_all_its_orderable_combinations_are():
    waiting = assess(source(3, backorders=ALLOW_AND_NOTIFY), minimum_order_quantity=Decimal(5))
    there, sold_out = assess(5, minimum_order_quantity=Decimal(5)), assess(3, minimum_order_quantity=Decimal(5))

    some = assess_product(waiting, there, only_x_left_threshold=Decimal(9))
    all_wait = assess_product(waiting, sold_out, only_x_left_threshold=Decimal(9))

    assert (some.status, some.backorder, some.only_left, some.available) == (IN_STOCK, False, 8, 8)
    assert (all_wait.status, all_wait.backorder, all_wait.message) == (OUT_OF_STOCK, True, NOTICE)
    assert (all_wait.only_left, all_wait.available) == (None, 3)


@pytest.mark.parametrize(
    ("before", "after", "crossed"),
    [
        pytest.param(5, 4, False, id="falls-under-the-least"),
        pytest.param(4, 5, True, id="reaches-the-least"),
        pytest.param(4, 0, None, id="was-sold-out-before"),
        pytest.param(9, 5, None, id="is-still-in-stock"),
    ],
)
def test_reaching_the_least_that_can_be_ordered_is_a_crossing(before, after, crossed):
    found = availability.crossed(settings(minimum_order_quantity=5), sources(before), sources(after))

    assert found is crossed


def test_only_x_left_leaves_the_safety_stock_out():
    assessment = assess(6, only_x_left_threshold=Decimal(5), out_of_stock_threshold=Decimal(2))

    assert assessment.only_left == 4


@pytest.mark.parametrize(
    ("units", "values", "expected"),
    [
        pytest.param(3, {"low_inventory_threshold": Decimal(5)}, False, id="not-where-it-is-off"),
        pytest.param(
            3, {"highlight_low_inventory": True, "low_inventory_threshold": Decimal(5)}, True, id="under-the-threshold"
        ),
        pytest.param(
            5, {"highlight_low_inventory": True, "low_inventory_threshold": Decimal(5)}, True, id="at-the-threshold"
        ),
        pytest.param(
            6, {"highlight_low_inventory": True, "low_inventory_threshold": Decimal(5)}, False, id="over-the-threshold"
        ),
        pytest.param(
            0, {"highlight_low_inventory": True, "low_inventory_threshold": Decimal(5)}, False, id="nothing-is-not-low"
        ),
    ],
)
def test_low_inventory_is_highlighted_where_it_is_wanted(units, values, expected):
    assert assess(units, **values).low_inventory is expected


@pytest.mark.parametrize(
    ("found", "backorder", "message"),
    [
        pytest.param(source(0, backorders=ALLOW), True, None, id="allowed"),
        pytest.param(source(0, backorders=ALLOW_AND_NOTIFY), True, NOTICE, id="allowed-with-a-notice"),
        pytest.param(source(-4, backordered=4, backorders=ALLOW_AND_NOTIFY), True, NOTICE, id="others-wait-already"),
        pytest.param(source(1, backorders=ALLOW_AND_NOTIFY), False, None, id="one-unit-is-still-there"),
        pytest.param(source(0), False, None, id="no-backorders"),
    ],
)
def test_the_next_unit_is_a_backorder_when_none_is_left_and_there_is_room(found, backorder, message):
    assessment = assess(found)

    assert (assessment.backorder, assessment.message) == (backorder, message)


def test_without_room_nothing_is_a_backorder_and_nothing_is_said():
    full = source(-5, backordered=5, backorders=ALLOW_AND_NOTIFY)

    assessment = assess(full, out_of_stock_threshold=Decimal(-5))

    assert (assessment.backorder, assessment.message) == (False, None)


@pytest.mark.parametrize(
    ("values", "upcoming", "date"),
    [
        pytest.param({}, False, None, id="not-upcoming"),
        pytest.param({"upcoming": True}, True, None, id="upcoming-without-a-date"),
        pytest.param({"upcoming": True, "availability_date": TOMORROW}, True, TOMORROW, id="before-the-date"),
        pytest.param({"upcoming": True, "availability_date": NOW}, True, NOW, id="at-the-date"),
        pytest.param({"upcoming": True, "availability_date": YESTERDAY}, False, None, id="past-the-date-hidden"),
        pytest.param(
            {"upcoming": True, "availability_date": YESTERDAY, "hide_labels_past_availability_date": False},
            True,
            YESTERDAY,
            id="past-the-date-shown-where-labels-stay",
        ),
    ],
)
def test_what_is_announced_is_shown_until_its_date(values, upcoming, date):
    assessment = assess(0, **values)

    assert (assessment.upcoming, assessment.availability_date) == (upcoming, date)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(item(0, availability_range="2-4 weeks"), "2-4 weeks", id="none-is-there"),
        pytest.param(item(source(0, backorders=ALLOW), availability_range="2-4 weeks"), "2-4 weeks", id="on-backorder"),
        pytest.param(
            item(3, status=OUT_OF_STOCK, availability_range="2-4 weeks"), "2-4 weeks", id="out-of-stock-by-hand"
        ),
        pytest.param(item(3, availability_range="2-4 weeks"), None, id="in-stock"),
        pytest.param(item(counted=False, availability_range="2-4 weeks"), None, id="not-counted"),
        pytest.param(item(0), None, id="unset"),
    ],
)
def test_the_range_is_shown_while_the_item_is_not_in_stock(found, expected):
    assert availability.assess(found, NOW).availability_range == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(item(0), True, id="none-is-there"),
        pytest.param(item(4, **DISABLES), True, id="too-few-are-there-to-sell"),
        pytest.param(item(3, status=OUT_OF_STOCK), True, id="out-of-stock-by-hand"),
        pytest.param(item(0, allow_back_in_stock_subscriptions=False), False, id="where-it-is-off"),
        pytest.param(item(3), False, id="orderable"),
        pytest.param(item(source(0, backorders=ALLOW)), False, id="orderable-on-backorder"),
        pytest.param(item(0, published=False), False, id="unpublished"),
        pytest.param(item(3, published=False, status=OUT_OF_STOCK), False, id="unpublished-and-out-of-stock-by-hand"),
        pytest.param(item(3, orderable_statuses=()), False, id="in-stock-and-not-for-sale"),
        pytest.param(item(3, status=DISCONTINUED), False, id="discontinued"),
        pytest.param(
            item(0, status=DISCONTINUED, orderable_statuses=EVERY_STATUS),
            False,
            id="discontinued-and-sold-off-to-the-last",
        ),
        pytest.param(item(), False, id="not-sold-here"),
        pytest.param(item(0, reason=UnavailableReason.SELECT_OPTIONS), False, id="no-combination-chosen"),
    ],
)
def test_shoppers_can_wait_for_what_is_not_orderable_for_want_of_stock(found, expected):
    assert availability.assess(found, NOW).can_subscribe is expected


def test_returns_and_quantity_rules_are_those_of_the_settings():
    assessment = assess(3, returnable=False, minimum_order_quantity=Decimal(2), allowed_quantities=())

    assert assessment.returnable is False
    assert assessment.rules == QuantityRules(minimum=Decimal(2))


def test_what_is_not_counted_has_no_figures():
    assessment = assess(
        counted=False,
        only_x_left_threshold=Decimal(5),
        highlight_low_inventory=True,
        low_inventory_threshold=Decimal(5),
        minimum_stock_quantity=Decimal(5),
    )

    assert assessment == Assessment(
        status=IN_STOCK,
        visible=True,
        reason=None,
        available=None,
        salable=None,
        only_left=None,
        low_inventory=False,
        backorder=False,
        message=None,
        upcoming=False,
        availability_date=None,
        availability_range=None,
        can_subscribe=False,
        returnable=True,
        rules=QuantityRules(),
    )


LABELS = {
    "only_x_left_threshold": Decimal(5),
    "highlight_low_inventory": True,
    "low_inventory_threshold": Decimal(5),
}


@pytest.mark.parametrize(
    ("values", "salable", "only_left", "low_inventory"),
    [
        pytest.param({"display_stock_quantity": True}, 3, 3, True, id="all-is-shown"),
        pytest.param({}, None, 3, True, id="the-quantity-is-not-shown-by-default"),
        pytest.param({"display_availability": False}, None, None, False, id="nothing-is-shown"),
        pytest.param(
            {"display_availability": False, "display_stock_quantity": True},
            None,
            None,
            False,
            id="no-quantity-without-availability",
        ),
    ],
)
def test_the_public_sees_what_the_settings_let_it_see(values, salable, only_left, low_inventory):
    assessed = assess(3, **LABELS)

    shown = availability.for_public(assessed, Settings(**values))

    assert shown == replace(assessed, salable=salable, only_left=only_left, low_inventory=low_inventory)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({}, NOTICE, id="with-availability-shown"),
        pytest.param({"display_availability": False}, None, id="not-with-availability-hidden"),
    ],
)
def test_the_public_is_told_of_backorders_where_availability_is_shown(values, message):
    assessed = assess(source(0, backorders=ALLOW_AND_NOTIFY))

    assert availability.for_public(assessed, Settings(**values)).message == message


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, False, id="by-default"),
        pytest.param({"display_stock_quantity": True}, True, id="where-it-is-shown"),
        pytest.param({"display_stock_quantity": True, "display_availability": False}, False, id="nothing-is-shown"),
    ],
)
def test_the_same_figure_is_kept_out_of_errors(values, expected):
    assert availability.may_see_quantity(Settings(**values)) is expected


@pytest.mark.parametrize(
    ("combinations", "status", "salable"),
    [
        pytest.param([assess(2), assess(3)], IN_STOCK, 5, id="the-sum-over-its-combinations"),
        pytest.param([assess(2), assess(0)], IN_STOCK, 2, id="in-stock-when-any-is"),
        pytest.param([assess(0), assess(0)], OUT_OF_STOCK, 0, id="out-of-stock-when-none-is"),
        pytest.param([], OUT_OF_STOCK, 0, id="out-of-stock-without-combinations"),
        pytest.param([assess(4, **DISABLES), assess(9)], IN_STOCK, 9, id="only-orderable-ones-count"),
        pytest.param([assess(source(1, backorders=ALLOW)), assess(2)], IN_STOCK, None, id="one-without-limit"),
        pytest.param([assess(counted=False), assess(2)], IN_STOCK, None, id="one-that-is-not-counted"),
        pytest.param(
            [assess(source(0, backorders=ALLOW), out_of_stock_threshold=Decimal(-5)), assess(2)],
            IN_STOCK,
            7,
            id="room-for-backorders-counts",
        ),
    ],
)
def test_a_products_figures_are_the_sums_over_its_orderable_combinations(combinations, status, salable):
    assessment = assess_product(*combinations)

    assert (assessment.status, assessment.salable) == (status, salable)


@pytest.mark.parametrize("status", [OUT_OF_STOCK, DISCONTINUED])
def test_a_status_set_by_hand_stands_for_all_combinations(status):
    assert assess_product(assess(5, status=status), status=status).status is status


@pytest.mark.parametrize(
    ("item_fields", "reason"),
    [
        pytest.param({}, "SELECT_OPTIONS", id="options-are-to-be-selected"),
        pytest.param({"published": False}, "NOT_PUBLISHED", id="unpublished"),
        pytest.param({"status": DISCONTINUED}, "STATUS_NOT_ORDERABLE", id="discontinued"),
    ],
)
def test_a_product_tracked_with_options_cannot_be_ordered_as_itself(item_fields, reason):
    assessment = assess_product(assess(5), **item_fields)

    assert assessment.reason == reason
    assert not assessment.orderable


def test_a_product_says_only_x_left_of_all_its_combinations_together():
    assessment = assess_product(assess(2), assess(1), **LABELS)

    assert (assessment.available, assessment.only_left, assessment.low_inventory) == (3, 3, True)


@pytest.mark.parametrize(
    ("combinations", "backorder", "message"),
    [
        pytest.param([assess(source(0, backorders=ALLOW_AND_NOTIFY)), assess(0)], True, NOTICE, id="all-that-is-left"),
        pytest.param([assess(source(0, backorders=ALLOW)), assess(0)], True, None, id="without-a-notice"),
        pytest.param([assess(source(0, backorders=ALLOW_AND_NOTIFY)), assess(2)], False, None, id="another-has-units"),
        pytest.param(
            [assess(source(0, backorders=ALLOW_AND_NOTIFY)), assess(counted=False)],
            False,
            None,
            id="another-is-not-counted",
        ),
        pytest.param([assess(0)], False, None, id="no-backorders"),
    ],
)
def test_a_product_is_on_backorder_when_its_combinations_are(combinations, backorder, message):
    assessment = assess_product(*combinations)

    assert (assessment.backorder, assessment.message) == (backorder, message)


@pytest.mark.parametrize(
    ("combinations", "open_choices"),
    [
        pytest.param([assess(2)], True, id="a-choice-without-a-combination-is-sold-uncounted"),
        pytest.param([assess(2), assess(counted=False)], False, id="a-combination-is-not-counted"),
    ],
)
def test_a_product_of_which_a_choice_is_not_counted_has_no_figures(combinations, open_choices):
    assessment = assess_product(*combinations, open_choices=open_choices, **LABELS)

    assert assessment.status is IN_STOCK
    assert (assessment.available, assessment.salable) == (None, None)
    assert (assessment.only_left, assessment.low_inventory) == (None, False)


def test_a_product_with_open_choices_is_in_stock_without_a_single_combination():
    assert assess_product(open_choices=True).status is IN_STOCK


@pytest.mark.parametrize(
    ("combinations", "item_fields", "expected"),
    [
        pytest.param([assess(2)], {}, True, id="in-stock"),
        pytest.param([assess(0)], {}, True, id="out-of-stock"),
        pytest.param([assess(0)], {"visible_statuses": (IN_STOCK,)}, False, id="out-of-stock-where-that-is-hidden"),
        pytest.param([assess(2)], {"published": False}, False, id="unpublished"),
        pytest.param([assess(4, **UNPUBLISHES), assess(9, **UNPUBLISHES)], {}, True, id="one-is-low"),
        pytest.param([assess(4, **UNPUBLISHES), assess(3, **UNPUBLISHES)], {}, False, id="all-are-low"),
        pytest.param([], {}, True, id="without-combinations"),
    ],
)
def test_a_product_is_hidden_with_the_last_of_its_combinations(combinations, item_fields, expected):
    assert assess_product(*combinations, **item_fields).visible is expected


def test_an_open_choice_keeps_a_product_shown_whose_combinations_are_low():
    assert assess_product(assess(4, **UNPUBLISHES), open_choices=True).visible is True
