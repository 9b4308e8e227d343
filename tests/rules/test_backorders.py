from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import backorders
from gqlstock.rules.backorders import Fill
from gqlstock.rules.ledger import Level

UNITS = st.decimals("0", "1000", places=4)
WAITING = st.lists(st.decimals("0.0001", "100", places=4), max_size=8).map(lambda units: list(enumerate(units, 1)))


def level(on_hand=0, reserved=0, planned=0, held=0, backordered=0):
    return Level(
        on_hand=Decimal(on_hand),
        reserved=Decimal(reserved),
        planned=Decimal(planned),
        held=Decimal(held),
        backordered=Decimal(backordered),
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(level(on_hand=-5, backordered=5), 0, id="five-backordered-of-an-empty-level-wait"),
        pytest.param(level(on_hand=-2, backordered=5), 3, id="three-received-fill-three"),
        pytest.param(level(on_hand=20, backordered=5), 5, id="a-count-of-20-fills-all-five"),
        pytest.param(level(on_hand=0, backordered=5), 5, id="nothing-is-short-any-more"),
        pytest.param(level(on_hand=3, reserved=8, backordered=5), 0, id="reserved-ones-wait-while-five-are-short"),
        pytest.param(level(on_hand=4, reserved=6, planned=2, backordered=5), 1, id="planned-ones-count-as-claimed"),
        pytest.param(level(on_hand=-5, held=2, backordered=5), 0, id="held-units-fill-nobody"),
        pytest.param(level(on_hand=-9, backordered=5), 0, id="a-late-count-below-what-waits-fills-nobody"),
        pytest.param(level(on_hand=7), 0, id="nobody-waits"),
        pytest.param(level(on_hand="-0.5", backordered="1.25"), Decimal("0.75"), id="parts-of-a-unit"),
    ],
)
def test_no_more_units_wait_than_are_short(found, expected):
    assert backorders.fillable(found) == expected


@given(st.decimals("-1000", "1000", places=4), UNITS, UNITS)
def test_after_filling_as_many_wait_as_may(on_hand, reserved, backordered):
    found = Level(on_hand=on_hand, reserved=reserved, backordered=backordered)

    still_waiting = found.backordered - backorders.fillable(found)

    assert still_waiting == min(backordered, max(-(on_hand - reserved), Decimal(0)))


@pytest.mark.parametrize(
    ("waiting", "quantity", "expected"),
    [
        pytest.param([(1, 2), (2, 3)], 5, [(1, 2), (2, 3)], id="enough-for-all"),
        pytest.param([(1, 2), (2, 3)], 2, [(1, 2)], id="the-oldest-first"),
        pytest.param([(1, 2), (2, 3)], 4, [(1, 2), (2, 2)], id="one-may-be-split"),
        pytest.param([(7, 5), (3, 1)], 3, [(7, 3)], id="the-order-given-counts-not-the-id"),
        pytest.param([(1, 2)], 9, [(1, 2)], id="never-more-than-wait"),
        pytest.param([(1, 2)], 0, [], id="nothing-to-give"),
        pytest.param([], 4, [], id="nobody-waits"),
    ],
)
def test_waiting_allocations_are_filled_in_order(waiting, quantity, expected):
    found = backorders.fill([(allocation, Decimal(units)) for allocation, units in waiting], Decimal(quantity))

    assert found == [Fill(allocation, Decimal(units)) for allocation, units in expected]


@given(WAITING, UNITS)
def test_filling_makes_no_unit_and_loses_none(waiting, quantity):
    wanted = sum((units for _, units in waiting), Decimal(0))

    fills = backorders.fill(waiting, quantity)

    assert sum((fill.quantity for fill in fills), Decimal(0)) == min(quantity, wanted)


@given(WAITING, UNITS)
def test_only_the_last_one_filled_is_split(waiting, quantity):
    fills = backorders.fill(waiting, quantity)

    assert [fill.allocation_id for fill in fills] == [allocation for allocation, _ in waiting[: len(fills)]]
    assert all(fill.quantity == units for fill, (_, units) in zip(fills[:-1], waiting, strict=False))
    assert all(0 < fill.quantity <= units for fill, (_, units) in zip(fills, waiting, strict=False))
