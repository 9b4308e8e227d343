"""The smallest quantity that an item's quantity rules allow. ``orders.check_quantity`` checks ordered quantities."""

import math
from decimal import Decimal

from gqlstock.rules import quantities
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import QuantityRules


def least_quantity(rules: QuantityRules) -> Decimal | None:
    """L: the smallest quantity that the rules allow; None if they allow none.

    Computed in integer multiples of the smallest unit, without rounding.
    """
    step = _units(quantities.UNIT if rules.decimals else Decimal(1))
    if rules.increment is not None:
        step = math.lcm(step, _units(rules.increment))
    lowest = max(_units(rules.minimum or ZERO), step)
    highest = _units(rules.maximum or quantities.MAXIMUM)
    if rules.allowed:
        least = min((q for q in map(_units, rules.allowed) if q >= lowest and not q % step), default=highest + 1)
    else:
        least = -(-lowest // step) * step
    return least * quantities.UNIT if least <= highest else None


def _units(quantity: Decimal) -> int:
    return int(quantity / quantities.UNIT)
