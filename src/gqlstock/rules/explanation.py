"""Explains a salable quantity as a sum of terms. ``availability`` computes the quantity."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from gqlstock.rules import availability
from gqlstock.rules.availability import Source
from gqlstock.rules.quantities import ZERO, text
from gqlstock.rules.settings import Settings


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


@dataclass(frozen=True, slots=True)
class Term:
    """A signed term of the sum with its explanation. ``of_threshold``: it comes from outOfStockThreshold."""

    kind: TermKind
    quantity: Decimal
    text: str
    warehouse_id: int | None = None
    of_threshold: bool = False


def explain(settings: Settings, sources: Sequence[Source], name: Callable[[int], str]) -> list[Term]:
    """The terms that add up to the salable quantity, or to the available one (A) where that has no limit.

    ``SHORTFALL`` adds units that are cut at zero, and deducts units that cannot be in one line.
    """
    terms = [term for source in sources for term in _of_source(source, name(source.warehouse_id))]
    found = availability.stock(settings, sources)
    safety = availability.safety_stock(settings, sources)
    if safety:
        terms.append(
            Term(TermKind.SAFETY_STOCK, -safety, f"{text(safety)} kept back as safety stock.", of_threshold=True)
        )
        terms += _gap(terms, found.available, "There is not as much to keep back.")
    if found.salable is None:
        return terms
    if any(source.takes_backorders for source in sources):
        limit = -settings.out_of_stock_threshold
        waiting = sum((source.level.backordered for source in sources), ZERO)
        terms.append(Term(TermKind.BACKORDER_LIMIT, limit, f"Backorders may reach {text(limit)}.", of_threshold=True))
        if waiting:
            terms.append(Term(TermKind.BACKORDERED, -waiting, f"{text(waiting)} are backordered already."))
        terms += _gap(terms, found.available + (found.room or ZERO), "More are backordered than may be.")
    why = "Less than a whole unit is not sold."
    if availability.never_splits(settings):
        why = "A line comes whole from one warehouse: what the others have cannot be added."
    return terms + _gap(terms, found.salable, why)


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
            Term(TermKind.SHORTFALL, lack, f"The {text(lack)} that {where} lacks are not taken from elsewhere.", place)
        )
    return terms


def _gap(terms: Sequence[Term], wanted: Decimal, why: str) -> list[Term]:
    """The term that is missing for the terms so far to add up to a quantity."""
    gap = wanted - sum((term.quantity for term in terms), ZERO)
    return [Term(TermKind.SHORTFALL, gap, why)] if gap else []
