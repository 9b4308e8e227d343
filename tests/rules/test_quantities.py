import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import quantities

TEN_THOUSANDTHS = st.integers(-999_999_999_999_999, 999_999_999_999_999)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(5, "5", id="an-int"),
        pytest.param(-5, "-5", id="a-negative-int"),
        pytest.param(0, "0", id="nothing"),
        pytest.param("5", "5", id="a-text"),
        pytest.param(" 5 ", "5", id="a-text-with-spaces-around-it"),
        pytest.param("2.5", "2.5", id="a-text-with-a-fraction"),
        pytest.param("2.5000", "2.5", id="needless-zeros"),
        pytest.param("2.50000000", "2.5", id="zeros-beyond-the-fourth-place-are-no-places"),
        pytest.param("5e2", "500", id="an-exponent"),
        pytest.param(2.5, "2.5", id="a-float"),
        pytest.param(0.1, "0.1", id="a-tenth-as-a-float-is-exactly-a-tenth"),
        pytest.param(5.0, "5", id="a-whole-float"),
        pytest.param(Decimal("0.0001"), "0.0001", id="the-smallest"),
        pytest.param("99999999999.9999", "99999999999.9999", id="the-largest"),
        pytest.param(99_999_999_999.9999, "99999999999.9999", id="the-largest-as-a-float"),
        pytest.param("-99999999999.9999", "-99999999999.9999", id="the-most-negative"),
        pytest.param("-0", "0", id="a-negative-nothing"),
        pytest.param("0" * 63 + "5", "5", id="the-longest-text-that-is-read"),
    ],
)
def test_a_quantity_is_read_exactly(value, expected):
    read = quantities.parse(value)

    assert quantities.text(read) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param("0.00001", "0.00001 has more than 4 decimal places.", id="a-fifth-place"),
        pytest.param(2.55555, "2.55555 has more than 4 decimal places.", id="a-fifth-place-in-a-float"),
        pytest.param(
            "1.00000000000000000000000000001",
            "1.00000000000000000000000000001 has more than 4 decimal places.",
            id="a-place-far-behind-the-point",
        ),
        pytest.param("1e-2000000", "more than 4 decimal places", id="a-place-too-far-to-count"),
        pytest.param(
            "100000000000",
            "100000000000 is out of range; the maximum is 99999999999.9999.",
            id="one-unit-over-the-largest",
        ),
        pytest.param("-100000000000", "-100000000000 is out of range", id="one-unit-under-the-most-negative"),
        pytest.param(1e30, "out of range; the maximum is 99999999999.9999.", id="a-float-of-thirty-places"),
        pytest.param("1e2000000", "out of range; the maximum is 99999999999.9999.", id="an-exponent-of-two-million"),
        pytest.param("NaN", "'NaN' is not a number.", id="not-a-number"),
        pytest.param(float("inf"), "Infinity is not a finite number.", id="infinity"),
        pytest.param("five", "'five' is not a number.", id="a-word"),
        pytest.param("", "'' is not a number.", id="an-empty-text"),
        pytest.param("1,5", "'1,5' is not a number.", id="a-comma"),
        pytest.param(True, "True is not a number.", id="yes"),
        pytest.param(None, "None is not a number.", id="nothing-at-all"),
        pytest.param([1], r"\[1\] is not a number.", id="a-list"),
        pytest.param("9" * 65, "99999999999999999999… is too long for a quantity.", id="a-text-without-end"),
    ],
)
def test_what_is_no_quantity_is_refused_with_what_is_wrong(value, message):
    with pytest.raises(ValueError, match=message):
        quantities.parse(value)


def test_a_place_too_many_is_refused_at_the_largest_quantity_too():
    with pytest.raises(ValueError):
        quantities.parse("99999999999.99990000000000000000000000001")


@given(TEN_THOUSANDTHS)
def test_every_quantity_comes_back_exact_whatever_it_was_written_as(count):
    quantity = Decimal(count).scaleb(-4)

    read = [quantities.parse(form) for form in (quantity, quantities.text(quantity), float(quantity), str(quantity))]

    assert read == [quantity] * 4


@given(TEN_THOUSANDTHS)
def test_every_quantity_survives_json_as_a_javascript_number(count):
    quantity = Decimal(count).scaleb(-4)

    sent = json.dumps(float(quantity))

    assert quantities.parse(json.loads(sent)) == quantity


@given(TEN_THOUSANDTHS, st.integers(0, 30))
def test_equal_quantities_come_back_the_same_to_the_digit(count, zeros):
    quantity = Decimal(count).scaleb(-4)
    padded = f"{quantity:.4f}" + "0" * zeros

    assert str(quantities.parse(padded)) == str(quantities.parse(quantity))


@given(st.integers(0, 99_999_999_999), st.text("0123456789", min_size=4, max_size=40), st.sampled_from("123456789"))
def test_more_than_four_places_are_never_rounded_away(whole, digits, last):
    with pytest.raises(ValueError):
        quantities.parse(f"{whole}.{digits}{last}")


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param("5", True, id="five"),
        pytest.param("5.0000", True, id="five-with-zeros"),
        pytest.param("0", True, id="nothing"),
        pytest.param("-3", True, id="three-short"),
        pytest.param("2.5", False, id="two-and-a-half"),
        pytest.param("0.0001", False, id="the-smallest"),
    ],
)
def test_whole_is_what_has_no_fraction(number, expected):
    assert quantities.is_whole(Decimal(number)) is expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param("2.9999", 2, id="almost-three-are-two"),
        pytest.param("3", 3, id="three-are-three"),
        pytest.param("0.9999", 0, id="almost-one-is-none"),
        pytest.param("0", 0, id="nothing"),
    ],
)
def test_the_whole_units_in_a_quantity_are_rounded_down(number, expected):
    assert quantities.floor(Decimal(number)) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param("5.0000", "5", id="no-needless-zeros"),
        pytest.param("2.5000", "2.5", id="no-needless-zeros-behind-a-fraction"),
        pytest.param("5E+2", "500", id="no-exponent"),
        pytest.param("0.0001", "0.0001", id="the-smallest"),
        pytest.param("-2.50", "-2.5", id="negative"),
        pytest.param("-0.0000", "0", id="nothing-has-no-sign"),
    ],
)
def test_a_quantity_is_written_as_a_person_writes_it(number, expected):
    assert quantities.text(Decimal(number)) == expected
