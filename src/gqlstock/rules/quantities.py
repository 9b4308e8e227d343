"""Quantities: exact decimals with up to four places. ``counting`` decides which quantities an item can have."""

import re
from decimal import ROUND_DOWN, Context, Decimal

from gqlstock.rules.refusals import invalid

PLACES = 4
UNIT = Decimal(1).scaleb(-PLACES)
MAXIMUM = Decimal("99999999999.9999")
ZERO = Decimal(0)

# Longer texts are refused without parsing, which would be expensive.
_MAX_TEXT = 64
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_EXACT = Context(prec=2 * _MAX_TEXT)


def parse(value: object) -> Decimal:
    """Parse a quantity from an int, a float, a Decimal or a text, without rounding. Raises ``ValueError`` if invalid.

    A float is read as its shortest decimal text: 0.1 is exactly one tenth.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{value!r} is not a number.")
    text = str(value).strip()
    if len(text) > _MAX_TEXT:
        raise ValueError(f"{text[:20]}… is too long for a quantity.")
    if not (_NUMBER.fullmatch(text) or isinstance(value, float | Decimal)):
        raise ValueError(f"{text!r} is not a number.")
    return check(Decimal(text))


def check(number: Decimal) -> Decimal:
    """Check the range and decimal places of a number. Equal numbers get the same representation."""
    if not number.is_finite():
        raise ValueError(f"{number} is not a finite number.")
    # Checks the magnitude first: arithmetic with huge exponents fails or rounds to the context's precision.
    if number and number.adjusted() > MAXIMUM.adjusted():
        raise ValueError(f"{number} is out of range; the maximum is {MAXIMUM}.")
    if number and (number.adjusted() < -PLACES or _places(number) > PLACES):
        raise ValueError(f"{number} has more than {PLACES} decimal places.")
    return Decimal(int(number)) if is_whole(number) else number.quantize(UNIT)


def _places(number: Decimal) -> int:
    """The decimal places that a number needs."""
    exponent = number.normalize(_EXACT).as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent


def check_above_zero(number: Decimal, what: str, *path: str) -> None:
    """Refuse a quantity that is not above 0. ``what``: "ordered", "moved", …"""
    if number <= 0:
        raise invalid(f"The {what} quantity must be more than 0, not {text(number)}.", *path)


def is_whole(number: Decimal) -> bool:
    return number == number.to_integral_value()


def floor(number: Decimal) -> Decimal:
    """The whole units in a quantity, which is not negative."""
    return number.to_integral_value(rounding=ROUND_DOWN)


def text(number: Decimal) -> str:
    """The plain decimal text: 5 or 2.5, never 5.0000 or 5E+2."""
    return str(int(number)) if is_whole(number) else f"{number.normalize():f}"


def wire(number: Decimal) -> int | float:
    """The number for JSON; an int if whole.

    A double represents every quantity in range exactly to the fourth decimal place, so JavaScript reads it correctly.
    """
    return int(number) if is_whole(number) else float(number)
