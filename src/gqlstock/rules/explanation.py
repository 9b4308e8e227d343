"""Explains a salable quantity as a sum of terms. ``availability`` computes the quantity itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from gqlstock.rules import promises, sourcing
from gqlstock.rules.quantities import ZERO, text
from gqlstock.rules.settings import Settings
from gqlstock.rules.sourcing import Source


class TermKind(StrEnum):
    ON_HAND = "ON_HAND"
    RESERVED = "RESERVED"
    PLANNED = "PLANNED"
    HELD = "HELD"
    BACKORDERED = "BACKORDERED"
    SAFETY_STOCK = "SAFETY_STOCK"
    BACKORDER_LIMIT = "BACKORDER_LIMIT"
    INACTIVE_WAREHOUSE = "INACTIVE_WAREHOUSE"
    SHORTFALL = "SHORTFALL"
    INCOMING = "INCOMING"


@dataclass(frozen=True, slots=True)
class Term:
    """A signed term of the sum, with its explanation. ``of_threshold``: whether it comes from outOfStockThreshold."""

    kind: TermKind
    quantity: Decimal
    text: str
    warehouse_id: int | None = None
    of_threshold: bool = False


def explain(settings: Settings, sources: Sequence[Source], name: Callable[[int], str]) -> list[Term]:
    """The terms that add up to the salable quantity, or to the available one (A) if the former has no limit.

    ``SHORTFALL`` offsets negative quantities, which count as 0, and deducts units that one line cannot take.
    """
    terms = [term for source in sources for term in _of_source(source, name(source.warehouse_id))]
    found = sourcing.stock(settings, sources)
    safety = sourcing.safety_stock(settings, sources)
    if safety:
        terms.append(
            Term(TermKind.SAFETY_STOCK, -safety, f"{text(safety)} set aside as safety stock.", of_threshold=True)
        )
        terms += _gap(terms, found.available, "The free stock is below the safety stock.")
    if found.salable is None:
        return terms
    if sourcing.take_backorders(sources):
        terms += _of_backorders(settings, sources, name)
        terms += _gap(
            terms, found.available + (found.room or ZERO), "More units are backordered than the limit allows."
        )
    why = "Fractions of a unit are not sold."
    if sourcing.never_splits(settings):
        why = "Each line must come from a single warehouse; stock of the others cannot be added."
    return terms + _gap(terms, found.salable, why)


def _of_backorders(settings: Settings, sources: Sequence[Source], name: Callable[[int], str]) -> list[Term]:
    """The terms of the room for backorders."""
    limit = -settings.out_of_stock_threshold
    if not settings.backorders_from_incoming:
        waiting = sum((source.level.backordered for source in sources), ZERO)
        terms = [Term(TermKind.BACKORDER_LIMIT, limit, f"At most {text(limit)} can be backordered.", of_threshold=True)]
        if waiting:
            terms.append(Term(TermKind.BACKORDERED, -waiting, f"{text(waiting)} already backordered."))
        return terms
    terms = [
        term for source in sources if source.takes_backorders for term in _incoming(source, name(source.warehouse_id))
    ]
    coming, room = sum((term.quantity for term in terms), ZERO), sourcing.room(settings, sources)
    if room is not None and room < coming:
        why = f"At most {text(limit)} can be backordered; {text(coming - room)} announced units cannot be ordered."
        terms.append(Term(TermKind.BACKORDER_LIMIT, room - coming, why, of_threshold=True))
    return terms


def _incoming(source: Source, where: str) -> list[Term]:
    """The terms of a source's dated supply, less the units that cover its shortage."""
    announced = sum((one.quantity for one in source.supply), ZERO)
    taken = announced - promises.room(source.supply, source.level)
    if not announced:
        return []
    place = source.warehouse_id
    terms = [Term(TermKind.INCOMING, announced, f"{text(announced)} announced with a date for {where}.", place)]
    if taken:
        terms.append(Term(TermKind.BACKORDERED, -taken, f"{text(taken)} of these cover the shortage there.", place))
    return terms


def inactive(warehouse_id: int, name: str) -> Term:
    """The term of an inactive warehouse of the website."""
    return Term(TermKind.INACTIVE_WAREHOUSE, ZERO, f"{name} is inactive and sells nothing.", warehouse_id)


def _of_source(source: Source, where: str) -> list[Term]:
    level, place = source.level, source.warehouse_id
    claims = (
        (TermKind.RESERVED, level.reserved, "reserved for orders"),
        (TermKind.PLANNED, level.planned, "planned in shipments"),
        (TermKind.HELD, level.held, "held for carts"),
    )
    terms = [Term(TermKind.ON_HAND, level.on_hand, f"{text(level.on_hand)} on hand in {where}.", place)]
    terms += [Term(kind, -q, f"{text(q)} {purpose} in {where}.", place) for kind, q, purpose in claims if q]
    if level.available < 0:
        lack = -level.available
        terms.append(
            Term(
                TermKind.SHORTFALL,
                lack,
                f"The shortage of {text(lack)} in {where} is not taken from other warehouses.",
                place,
            )
        )
    return terms


def _gap(terms: Sequence[Term], wanted: Decimal, why: str) -> list[Term]:
    """The term by which the terms so far fall short of a quantity; none if they add up to it."""
    gap = wanted - sum((term.quantity for term in terms), ZERO)
    return [Term(TermKind.SHORTFALL, gap, why)] if gap else []
