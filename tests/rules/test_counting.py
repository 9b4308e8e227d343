from decimal import Decimal

import pytest

from gqlstock.rules import counting
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.settings import Settings


@pytest.mark.parametrize(("quantity", "decimals"), [("2", False), ("2.5", True)])
def test_whole_units_are_counted_everywhere_and_parts_where_the_settings_say_so(quantity: str, decimals: bool) -> None:
    counting.check_parts(Decimal(quantity), "ROPE", Settings(quantity_uses_decimals=decimals))


def test_parts_of_a_unit_are_refused_where_only_whole_units_are_counted() -> None:
    with pytest.raises(Refused) as error:
        counting.check_parts(Decimal("2.5"), "MUG", Settings(), "delta")

    (refusal,) = error.value.refusals
    assert (refusal.code, refusal.path) == (Code.INVALID_INPUT, ("delta",))
    assert refusal.message == "MUG is counted in whole units there, not 2.5."


def test_a_count_is_0_or_more() -> None:
    counting.check_count(Decimal(0), "onHand")
    with pytest.raises(Refused) as error:
        counting.check_count(Decimal(-1), "onHand")

    assert error.value.refusals[0].message == "A count must be 0 or more, not -1."


def test_what_a_file_owes_counts_as_nothing() -> None:
    assert [counting.counted_of(Decimal(stated)) for stated in (-2, 0, 3)] == [0, 0, 3]
