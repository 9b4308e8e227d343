"""What a quantity is: an exact decimal with up to four places. Nothing here knows what is being counted."""

import re
from decimal import ROUND_DOWN, Context, Decimal

from gqlstock.rules.refusals import invalid

PLACES = 4
UNIT = Decimal(1).scaleb(-PLACES)
MAXIMUM = Decimal("99999999999.9999")
ZERO = Decimal(0)

# A longer text is no quantity, and reading it would cost more than refusing it.
_LONGEST_TEXT = 64
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_EXACT = Context(prec=2 * _LONGEST_TEXT)


def parse(value: object) -> Decimal:
    """Read a quantity from an int, a float, a Decimal or its text; ``ValueError`` says what is wrong with it.

    A float is read as the shortest text that gives it back: 0.1 is exactly one tenth. Nothing is rounded.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{value!r} is not a number.")
    text = str(value).strip()
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"{text[:20]}… is longer than any quantity.")
    if not (_NUMBER.fullmatch(text) or isinstance(value, float | Decimal)):
        raise ValueError(f"{text!r} is not a number.")
    return check(Decimal(text))


def check(number: Decimal) -> Decimal:
    """Hold a number against the places and the range of a quantity; equal numbers come back the same to the digit."""
    if not number.is_finite():
        raise ValueError(f"{number} is not a finite number.")
    # The magnitude first: arithmetic with exponents in the millions fails, and rounds what is longer than its context.
    if number and number.adjusted() > MAXIMUM.adjusted():
        raise ValueError(f"{number} is out of range: at most {MAXIMUM}.")
    if number and (number.adjusted() < -PLACES or _places(number) > PLACES):
        raise ValueError(f"{number} has more than {PLACES} decimal places.")
    return Decimal(int(number)) if is_whole(number) else number.quantize(UNIT)


def _places(number: Decimal) -> int:
    """The decimal places that a number needs."""
    exponent = number.normalize(_EXACT).as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent


def check_above_zero(number: Decimal, what: str, *path: str) -> None:
    """Refuse a quantity that is to be ordered, moved, …: ``what``."""
    if number <= 0:
        raise invalid(f"{text(number)} cannot be {what}: more than 0.", *path)


def is_whole(number: Decimal) -> bool:
    return number == number.to_integral_value()


def floor(number: Decimal) -> Decimal:
    """The whole units in a quantity that is not negative."""
    return number.to_integral_value(rounding=ROUND_DOWN)


def text(number: Decimal) -> str:
    """As a person writes it: 5, 2.5, never 5.0000 or 5E+2."""
    return str(int(number)) if is_whole(number) else f"{number.normalize():f}"


def wire(number: Decimal) -> int | float:
    """As it is sent in JSON: a number, whole ones without a fraction.

    Every quantity in range is exact as a double to its fourth place: what JavaScript reads is what was meant.
    """
    return int(number) if is_whole(number) else float(number)
