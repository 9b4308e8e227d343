"""Verifies that the figures of levels are the sums of movements, allocations, holds and announcements."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from gqlstock.rules import backorders, ledger
from gqlstock.rules.ledger import FIGURES, Level
from gqlstock.rules.refusals import Refused
from gqlstock.services.verification.differences import Difference, Figure, different
from gqlstock.store import verification as rows
from gqlstock.store.db.fields import from_units

# The column of each figure, and the sum that it must equal.
_FIGURES: Mapping[str, tuple[str, str]] = {
    "onHand": ("on_hand", "moved_on_hand"),
    "reserved": ("reserved", "allocated_reserved"),
    "planned": ("planned", "allocated_planned"),
    "backordered": ("backordered", "allocated_backordered"),
    "held": ("held", "kept_held"),
    "incoming": ("incoming", "announced_incoming"),
}


async def check() -> AsyncIterator[Difference]:
    async for part in rows.levels():
        for row in part:
            for difference in different(f"{row['sku']}@{row['warehouse']}", _figures(row)):
                yield difference


def _figures(row: Mapping[str, Any]) -> Iterator[Figure]:
    units = {name: from_units(row[kept]) for name, (kept, _) in _FIGURES.items()}
    level = ledger.of_figures(from_units(row[name]) for name in FIGURES)
    for name, (_, source) in _FIGURES.items():
        yield name, units[name], from_units(row[source])
    yield "available", from_units(row["available"]), level.available
    yield "backordered despite available stock", level.backordered, level.backordered - backorders.fillable(level)
    if row["wrong_movement"] is not None:
        what = f"onHandAfter of movement {row['wrong_movement']}"
        yield what, from_units(row["wrong_stored"]), from_units(row["wrong_derived"])
    if not _is_unused(level, row["open_allocations"]):
        yield "use", "out of use" if row["deleted_at"] else "in use", "in use"
        yield "item", "deleted" if row["item_deleted_at"] else "in use", "in use"


def _is_unused(level: Level, open_allocations: int) -> bool:
    try:
        ledger.check_unused(level, open_allocations)
    except Refused:
        return False
    return True
