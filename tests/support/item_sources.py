"""Builders of sources, arrivals and settings, for tests of rules."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from gqlstock.rules.ledger import Level
from gqlstock.rules.promises import Arrival
from gqlstock.rules.settings import BackorderMode, Settings
from gqlstock.rules.sourcing import Source


def arrivals(*given: tuple[int, datetime]) -> tuple[Arrival, ...]:
    """Arrivals, each with a quantity and a time, soonest first. Ids count from 1."""
    return tuple(Arrival(number, Decimal(units), moment) for number, (units, moment) in enumerate(given, 1))


def source(
    on_hand: int = 0,
    reserved: int = 0,
    planned: int = 0,
    held: int = 0,
    backordered: int = 0,
    backorders: BackorderMode = BackorderMode.NO_BACKORDERS,
    warehouse_id: int = 1,
    supply: tuple[Arrival, ...] = (),
) -> Source:
    figures = (on_hand, reserved, planned, held, backordered)
    return Source(warehouse_id, Level(*map(Decimal, figures)), backorders, supply)


def sources(*found: Source | int) -> tuple[Source, ...]:
    """Sources in the warehouses 1, 2, 3 and so on. A number stands for a source with that many units on hand."""
    return tuple(
        replace(one if isinstance(one, Source) else source(one), warehouse_id=number)
        for number, one in enumerate(found, 1)
    )


def settings(**values: bool | int | str) -> Settings:
    """Settings with quantities given as numbers."""
    plain = {name: value for name, value in values.items() if isinstance(value, bool) or name.endswith("_days")}
    return Settings(**{name: Decimal(value) for name, value in values.items() if name not in plain} | plain)
