from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import alerts
from gqlstock.rules.alerts import AlertStep


def units(number):
    return None if number is None else Decimal(number)


@pytest.mark.parametrize(
    ("available", "notify_below", "is_open", "expected"),
    [
        pytest.param("4", "5", False, AlertStep.RAISE, id="under-it-an-alert-is-raised"),
        pytest.param("4.9999", "5", False, AlertStep.RAISE, id="a-ten-thousandth-under-it-too"),
        pytest.param("0", "5", False, AlertStep.RAISE, id="with-nothing-left-too"),
        pytest.param("3", "5", True, None, id="under-it-again-is-no-second-alert"),
        pytest.param("5", "5", False, None, id="at-it-there-is-no-alert"),
        pytest.param("6", "5", False, None, id="over-it-there-is-no-alert"),
        pytest.param("5", "5", True, AlertStep.RESOLVE, id="at-it-the-open-one-is-resolved"),
        pytest.param("9", "5", True, AlertStep.RESOLVE, id="over-it-the-open-one-is-resolved"),
        pytest.param("0", None, False, None, id="unset-raises-none"),
        pytest.param("0", None, True, AlertStep.RESOLVE, id="unset-resolves-the-open-one"),
        pytest.param("0", "0", False, None, id="nothing-is-under-zero"),
    ],
)
def test_an_alert_follows_what_is_left(available, notify_below, is_open, expected):
    assert alerts.step(units(available), units(notify_below), is_open=is_open) is expected


@given(st.lists(st.integers(0, 10), max_size=30), st.integers(0, 10))
def test_there_is_one_alert_for_each_fall_below_the_threshold(course, threshold):
    was_below = [False, *(left < threshold for left in course)]
    falls = sum(now and not before for before, now in pairwise(was_below))
    is_open, raised = False, 0

    for left in course:
        step = alerts.step(Decimal(left), Decimal(threshold), is_open=is_open)
        raised += step is AlertStep.RAISE
        is_open = step is AlertStep.RAISE or (is_open and step is not AlertStep.RESOLVE)

    assert raised == falls
    assert is_open is was_below[-1]
