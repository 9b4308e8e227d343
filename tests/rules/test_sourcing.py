from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import sourcing
from gqlstock.rules.settings import BackorderMode, Settings
from gqlstock.rules.sourcing import IncomingStock, Stock
from support.item_sources import arrivals, settings, source, sources

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_BACKORDERS, ALLOW, ALLOW_AND_NOTIFY = BackorderMode


def figures(available, room, salable):
    def units(number):
        return None if number is None else Decimal(number)

    return Stock(units(available), units(room), units(salable))


@pytest.mark.parametrize(
    ("stock", "values", "expected"),
    [
        pytest.param([10], {}, figures(10, 0, 10), id="10-in-stock-sell-10"),
        pytest.param([4, 6], {}, figures(10, 0, 10), id="all-warehouses-together"),
        pytest.param([10, -3], {}, figures(10, 0, 10), id="one-warehouses-lack-never-eats-anothers-stock"),
        pytest.param(
            [source(10, reserved=1, planned=2, held=3)], {}, figures(4, 0, 4), id="without-what-is-claimed-or-held"
        ),
        pytest.param([source(2, reserved=5), 4], {}, figures(4, 0, 4), id="nor-does-its-claims"),
        pytest.param([], {}, figures(0, 0, 0), id="no-warehouse-no-units"),
        pytest.param([10], {"out_of_stock_threshold": 1}, figures(9, 0, 9), id="10-in-stock-with-threshold-1-sell-9"),
        pytest.param(
            [5, 5], {"out_of_stock_threshold": 4}, figures(6, 0, 6), id="safety-stock-is-kept-once-not-in-each"
        ),
        pytest.param([3], {"out_of_stock_threshold": 5}, figures(0, 0, 0), id="less-than-the-safety-stock-is-nothing"),
        pytest.param(
            [10], {"out_of_stock_threshold": -5}, figures(10, 0, 10), id="without-backorders-below-0-means-nothing"
        ),
        pytest.param([source(3, backorders=ALLOW)], {}, figures(3, None, None), id="backorders-at-0-have-no-limit"),
        pytest.param([source(3, backorders=ALLOW_AND_NOTIFY)], {}, figures(3, None, None), id="with-a-notice-neither"),
        pytest.param(
            [source(10, backorders=ALLOW)],
            {"out_of_stock_threshold": 4},
            figures(10, None, None),
            id="backorders-over-0-have-no-limit-and-no-safety-stock",
        ),
        pytest.param(
            [source(3, backorders=ALLOW)],
            {"out_of_stock_threshold": -5},
            figures(3, 5, 8),
            id="a-threshold-of-minus-5-lets-5-wait",
        ),
        pytest.param(
            [source(-2, backordered=2, backorders=ALLOW)],
            {"out_of_stock_threshold": -5},
            figures(0, 3, 3),
            id="2-waiting-leave-room-for-3",
        ),
        pytest.param(
            [source(-2, backordered=2, backorders=ALLOW), source(-1, backordered=1)],
            {"out_of_stock_threshold": -5},
            figures(0, 2, 2),
            id="those-waiting-elsewhere-count-as-well",
        ),
        pytest.param(
            [source(-7, backordered=7, backorders=ALLOW)],
            {"out_of_stock_threshold": -5},
            figures(0, 0, 0),
            id="7-waiting-leave-no-room-and-no-less",
        ),
        pytest.param(
            [2, source(3, backorders=ALLOW)],
            {"out_of_stock_threshold": 4},
            figures(5, None, None),
            id="one-warehouse-that-takes-backorders-is-enough",
        ),
        pytest.param(["2.7"], {}, figures("2.7", 0, 2), id="with-decimals-off-rounded-down"),
        pytest.param(["0.5"], {}, figures("0.5", 0, 0), id="half-a-unit-is-none"),
        pytest.param(
            [source("0.5", backorders=ALLOW)],
            {"out_of_stock_threshold": "-1.25"},
            figures("0.5", "1.25", 1),
            id="rounded-down-with-the-room-in-it",
        ),
        pytest.param(
            ["2.7", "1.1"],
            {"quantity_uses_decimals": True, "allow_multiple_boxes": True},
            figures("3.8", 0, "3.8"),
            id="with-decimals-and-several-boxes-all-of-it",
        ),
        pytest.param(
            ["2.5", 4],
            {"quantity_uses_decimals": True},
            figures("6.5", 0, 4),
            id="never-split-what-the-fullest-warehouse-can-give",
        ),
        pytest.param(
            [source("2.5", backorders=ALLOW), 4],
            {"quantity_uses_decimals": True, "out_of_stock_threshold": -3},
            figures("6.5", 3, "5.5"),
            id="never-split-the-room-counts-where-backorders-are-taken",
        ),
        pytest.param(
            [source(1, backorders=ALLOW), 4],
            {"quantity_uses_decimals": True, "out_of_stock_threshold": -2},
            figures(5, 2, 4),
            id="never-split-the-room-does-not-count-elsewhere",
        ),
        pytest.param(
            [3, 4],
            {"quantity_uses_decimals": True, "out_of_stock_threshold": 2},
            figures(5, 0, 3),
            id="never-split-the-safety-stock-lies-last",
        ),
        pytest.param([], {"quantity_uses_decimals": True}, figures(0, 0, 0), id="never-split-from-nowhere-is-nothing"),
    ],
)
def test_what_there_is_to_sell(stock, values, expected):
    assert sourcing.stock(settings(**values), sources(*stock)) == expected


@pytest.mark.parametrize(
    ("stock", "threshold", "expected"),
    [
        pytest.param([5, 5], 0, [5, 5], id="no-safety-stock"),
        pytest.param([5, 5], 4, [5, 1], id="it-lies-in-the-source-that-comes-last"),
        pytest.param([5, 5], 7, [3, 0], id="and-goes-on-in-the-one-before"),
        pytest.param([5, -3], 4, [1, 0], id="a-lack-keeps-none-of-it"),
        pytest.param([1, 1], 9, [0, 0], id="more-than-there-is"),
        pytest.param([5, source(5, backorders=ALLOW)], 4, [5, 5], id="with-backorders-there-is-none"),
    ],
)
def test_what_each_source_can_give(stock, threshold, expected):
    assert sourcing.free(settings(out_of_stock_threshold=threshold), sources(*stock)) == expected


@given(st.lists(st.integers(-20, 20), max_size=5), st.integers(-20, 20))
def test_what_the_sources_can_give_is_all_there_is(units, threshold):
    found = sources(*units)

    gives = sourcing.free(settings(out_of_stock_threshold=threshold), found)

    assert sum(gives) == max(sum(max(one, 0) for one in units) - max(threshold, 0), 0)
    assert all(0 <= given_here <= max(one, 0) for given_here, one in zip(gives, units, strict=True))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, False, id="whole-units"),
        pytest.param({"allow_multiple_boxes": True}, False, id="whole-units-whatever-the-boxes"),
        pytest.param({"quantity_uses_decimals": True}, True, id="decimals-in-one-box"),
        pytest.param({"quantity_uses_decimals": True, "allow_multiple_boxes": True}, False, id="decimals-in-many"),
    ],
)
def test_a_line_with_decimals_comes_whole_unless_boxes_may_be_many(values, expected):
    assert sourcing.never_splits(Settings(**values)) is expected


# ── dates


def day(number: int) -> datetime:
    return NOW + timedelta(days=number)


TWICE_FIVE = arrivals((5, day(3)), (5, day(6)))


@pytest.mark.parametrize(
    ("found", "values", "room", "salable"),
    [
        pytest.param([source(backorders=ALLOW, supply=TWICE_FIVE)], {}, 10, 10, id="all-that-is-announced"),
        pytest.param([source(2, backorders=ALLOW, supply=TWICE_FIVE)], {}, 10, 12, id="besides-what-is-there"),
        pytest.param([source(backorders=ALLOW)], {}, 0, 0, id="nothing-is-announced"),
        pytest.param([source(supply=TWICE_FIVE)], {}, 0, 0, id="no-backorders-are-taken"),
        pytest.param(
            [source(-4, backordered=4, backorders=ALLOW, supply=TWICE_FIVE)], {}, 6, 6, id="less-what-waits-already"
        ),
        pytest.param(
            [source(-4, backordered=1, backorders=ALLOW, supply=TWICE_FIVE)], {}, 6, 6, id="and-what-is-missing-besides"
        ),
        pytest.param(
            [source(-12, backorders=ALLOW, supply=TWICE_FIVE), source(backorders=ALLOW, supply=TWICE_FIVE)],
            {},
            10,
            10,
            id="one-warehouses-lack-takes-nothing-of-anothers-supply",
        ),
        pytest.param(
            [source(backorders=ALLOW, supply=TWICE_FIVE)],
            {"out_of_stock_threshold": -3},
            3,
            3,
            id="within-the-limit-of-backorders",
        ),
        pytest.param(
            [source(-3, backordered=3, backorders=ALLOW, supply=TWICE_FIVE)],
            {"out_of_stock_threshold": -8},
            5,
            5,
            id="what-waits-counts-against-the-limit",
        ),
        pytest.param(
            [source(1, backorders=ALLOW, supply=TWICE_FIVE), source(2, backorders=ALLOW, supply=arrivals((4, day(1))))],
            {"quantity_uses_decimals": True},
            14,
            11,
            id="a-line-that-is-never-split-has-what-one-warehouse-can-give",
        ),
    ],
)
def test_with_backorders_from_incoming_room_is_what_is_announced_with_a_date(found, values, room, salable):
    stock = sourcing.stock(settings(backorders_from_incoming=True, **values), found)

    assert (stock.room, stock.salable) == (room, salable)


@pytest.mark.parametrize(
    ("found", "values", "expected"),
    [
        pytest.param([source(1, supply=TWICE_FIVE)], {}, None, id="it-is-in-stock"),
        pytest.param([source()], {}, None, id="nothing-is-announced"),
        pytest.param([source(supply=TWICE_FIVE)], {}, day(3), id="back-with-the-first-arrival"),
        pytest.param([source(-5, supply=TWICE_FIVE)], {}, day(6), id="back-when-what-is-missing-is-there"),
        pytest.param([source(-10, supply=TWICE_FIVE)], {}, None, id="never-back-by-what-is-announced"),
        pytest.param(
            [source(-7, supply=TWICE_FIVE), source(supply=arrivals((1, day(4))))], {}, day(4), id="back-elsewhere-first"
        ),
        pytest.param(
            [source(2, supply=TWICE_FIVE)], {"minimum_order_quantity": 8}, day(6), id="back-with-the-least-quantity"
        ),
        pytest.param(
            [source(supply=TWICE_FIVE)], {"out_of_stock_threshold": 5}, day(6), id="safety-stock-is-not-for-sale"
        ),
        pytest.param([source(supply=TWICE_FIVE)], {"incoming_buffer_days": 2}, day(5), id="after-the-buffer"),
        pytest.param([source(backorders=ALLOW, supply=TWICE_FIVE)], {}, day(3), id="an-order-would-wait-for-the-first"),
        pytest.param(
            [source(-5, backordered=5, backorders=ALLOW, supply=TWICE_FIVE)], {}, day(6), id="behind-those-who-wait"
        ),
        pytest.param(
            [source(-10, backordered=10, backorders=ALLOW, supply=TWICE_FIVE)], {}, None, id="supply-ends-before-it"
        ),
        pytest.param(
            [source(backorders=ALLOW), source(backorders=ALLOW, supply=TWICE_FIVE)],
            {},
            None,
            id="it-would-wait-where-nothing-is-announced",
        ),
        pytest.param(
            [source(backorders=ALLOW), source(backorders=ALLOW, supply=TWICE_FIVE)],
            {"backorders_from_incoming": True},
            day(3),
            id="it-would-wait-where-something-is-announced",
        ),
        pytest.param(
            [source(backorders=ALLOW, supply=arrivals((2, day(9)))), source(backorders=ALLOW, supply=TWICE_FIVE)],
            {"backorders_from_incoming": True, "minimum_order_quantity": 4},
            day(9),
            id="the-latest-of-two-sources",
        ),
        pytest.param(
            [source(3, backorders=ALLOW, supply=TWICE_FIVE)],
            {"minimum_order_quantity": 8},
            day(3),
            id="only-what-is-missing-waits",
        ),
    ],
)
def test_the_date_is_that_of_the_least_quantity(found, values, expected):
    here = settings(**values)

    assert sourcing.expected_at(here, found, here.incoming_buffer_days) == expected


def test_what_is_incoming_for_new_orders_is_summed_by_the_moment_it_can_leave():
    first = source(-2, backordered=2, supply=TWICE_FIVE)
    second = source(4, supply=arrivals((1, day(3)), (7, day(9))))

    assert sourcing.incoming([first, second], 1) == (
        IncomingStock(day(4), Decimal(4)),
        IncomingStock(day(7), Decimal(5)),
        IncomingStock(day(10), Decimal(7)),
    )
    assert sourcing.incoming([source(-10, supply=TWICE_FIVE)], 0) == ()
