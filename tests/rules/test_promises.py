from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gqlstock.rules import promises
from gqlstock.rules.ledger import Level
from gqlstock.rules.promises import Arrival
from gqlstock.rules.receiving import StockAnnouncement

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return NOW + timedelta(days=number)


def announced(
    id: int, quantity: int, expected_at: datetime | None, received: int = 0, **given: object
) -> StockAnnouncement:
    figures = Decimal(quantity), Decimal(received)
    return StockAnnouncement(id, 1, *figures, expected_at, None, NOW, **given)  # type: ignore[arg-type]


def arrivals(*given: tuple[int, int]) -> tuple[Arrival, ...]:
    """Arrivals of (units, day); their ids count from 1."""
    return tuple(Arrival(number, Decimal(units), day(when)) for number, (units, when) in enumerate(given, 1))


def lacking(units: int, backordered: int = 0) -> Level:
    return Level(on_hand=Decimal(-units), backordered=Decimal(backordered))


def numbers(*units: int) -> list[Decimal]:
    return [Decimal(one) for one in units]


def test_supply_is_what_is_still_to_come_with_a_date_soonest_first_then_oldest():
    found = promises.supply(
        [
            announced(1, 10, day(5)),
            announced(2, 10, day(3), received=4),
            announced(3, 10, day(5)),
            announced(4, 10, None),
            announced(5, 10, day(-1)),
            announced(6, 10, NOW),
            announced(7, 10, day(4), received=10),
            announced(8, 10, day(4), withdrawn_at=NOW),
        ],
        NOW,
    )

    assert found == (Arrival(2, Decimal(6), day(3)), Arrival(1, Decimal(10), day(5)), Arrival(3, Decimal(10), day(5)))
    assert promises.changes_at(found) == day(3)


def test_waiting_units_get_the_date_of_the_arrival_that_brings_their_last_unit_in_the_order_in_which_they_wait():
    first, second = supply = arrivals((5, 3), (5, 6))

    found = promises.for_waiting(supply, lacking(11, 11), numbers(3, 2, 1, 4, 1))

    assert found == [first, first, second, second, None]


def test_what_a_level_lacks_besides_its_backorders_is_covered_first():
    first, second = supply = arrivals((5, 3), (5, 6))

    assert promises.for_waiting(supply, lacking(7, 3), numbers(1, 2)) == [first, second]
    assert promises.for_waiting(supply, lacking(20, 1), numbers(1)) == [None]


def test_waiting_units_without_any_supply_have_no_date():
    assert promises.for_waiting((), lacking(2, 2), numbers(1, 1)) == [None, None]


@pytest.mark.parametrize(
    ("level", "left"),
    [
        (lacking(0), [(5, 3), (5, 6)]),
        (lacking(4, 4), [(1, 3), (5, 6)]),
        (lacking(5, 2), [(5, 6)]),
        (lacking(8, 8), [(2, 6)]),
        (lacking(12, 12), []),
        (Level(on_hand=Decimal(9)), [(5, 3), (5, 6)]),
        # More waits than is missing: the next write fills two.
        (lacking(2, 4), [(3, 3), (5, 6)]),
    ],
)
def test_new_orders_get_what_nobody_waits_for(level: Level, left: list[tuple[int, int]]):
    supply = arrivals((5, 3), (5, 6))

    unclaimed = promises.unclaimed(supply, level)

    assert [(one.quantity, one.expected_at) for one in unclaimed] == [(units, day(when)) for units, when in left]
    assert promises.room(supply, level) == sum(units for units, _ in left)


def test_the_last_unit_of_a_quantity_comes_with_the_arrival_that_reaches_it():
    first, second = supply = arrivals((5, 3), (5, 6))

    assert promises.last_of(supply, Decimal(5)) == first
    assert promises.last_of(supply, Decimal("5.5")) == second
    assert promises.last_of(supply, Decimal(11)) is None


def test_units_leave_after_the_days_that_a_website_needs_for_them():
    (arrival,) = arrivals((5, 3))

    assert promises.leaves_at(arrival, 0) == day(3)
    assert promises.leaves_at(arrival, 2) == day(5)
    assert promises.leaves_at(None, 2) is None
    last = Arrival(1, Decimal(1), datetime.max.replace(tzinfo=UTC))
    assert promises.leaves_at(last, 365) == last.expected_at


def test_units_that_wait_together_have_the_latest_date_and_none_while_any_of_them_has_none():
    assert promises.latest([day(3), day(5), day(4)]) == day(5)
    assert promises.latest([day(3), None]) is None
    assert promises.latest([]) is None


@pytest.mark.parametrize(
    ("hides_dates", "hides_quantities", "shown"),
    [
        (False, False, [None, day(3), day(5)]),
        (False, True, [day(5), day(5), day(5)]),
        (True, False, [None, None, None]),
        (True, True, [None, None, None]),
    ],
)
def test_dates_show_neither_stock_nor_themselves_where_these_are_hidden(hides_dates, hides_quantities, shown):
    dates, waits = [None, day(3), day(5)], [False, True, True]

    assert promises.shown(dates, waits, hides_dates=hides_dates, hides_quantities=hides_quantities) == shown


def test_lines_of_hidden_quantities_have_no_date_where_one_that_waits_has_none():
    found = promises.shown([None, day(3)], [True, True], hides_dates=False, hides_quantities=True)

    assert found == [None, None]


def test_a_date_that_passed_counts_for_those_who_were_not_told_yet():
    untold, told = announced(1, 10, day(-1)), announced(2, 10, day(-2), lapsed_at=NOW)
    rest = [announced(3, 10, day(5)), announced(4, 10, None), announced(5, 10, day(-1), received=10)]

    assert [one.announcement_id for one in promises.reported_supply([untold, told, *rest], NOW)] == [1, 3]
    assert [one.id for one in [untold, told, *rest] if promises.has_lapsed(one, NOW)] == [1]


@pytest.mark.parametrize(("level", "ahead"), [(lacking(5, 5), 0), (lacking(5, 3), 2), (lacking(-2), 0)])
def test_what_a_level_lacks_besides_those_who_wait_comes_ahead_of_them(level: Level, ahead: int):
    assert promises.ahead(level) == ahead
