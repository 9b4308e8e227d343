"""Whether ledger, levels and allocations agree: each figure that is kept is worked out again from what it came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gqlstock.rules import orders, quantities
from gqlstock.rules.orders import OrderStatus
from gqlstock.store import verification as rows
from gqlstock.store.fields import from_units


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that is not what it should be: ``stored`` stands there, ``derived`` is what it came from."""

    place: str
    figure: str
    stored: Decimal
    derived: Decimal

    def __str__(self) -> str:
        return f"{self.place}: {self.figure} is {quantities.text(self.stored)}, not {quantities.text(self.derived)}"


# Each figure: the column that it is kept in, and those that it comes from.
_FIGURES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "onHand": ("on_hand", ("moved_on_hand",)),
    "reserved": ("reserved", ("allocated_reserved",)),
    "planned": ("planned", ("allocated_planned",)),
    "backordered": ("backordered", ("allocated_backordered",)),
    "held": ("held", ("kept_held",)),
    "incoming": ("incoming", ("announced_incoming",)),
}
_WITHOUT_ALLOCATIONS = {OrderStatus.BACKORDERED, OrderStatus.CANCELED}


async def verify() -> list[Difference]:
    """Everything that does not agree; nothing when all is well."""
    found = [difference async for part in rows.levels() for row in part for difference in _level(row)]
    return found + [difference async for part in rows.lines() for row in part for difference in _line(row)]


def _level(row: Mapping[str, Any]) -> list[Difference]:
    place = f"{row['sku']}@{row['warehouse']}"
    figures = [(name, row[kept], sum(row[source] for source in sources)) for name, (kept, sources) in _FIGURES.items()]
    free = row["on_hand"] - row["reserved"] - row["planned"] - row["held"]
    figures.append(("available", row["available"], free))
    waiting = min(row["backordered"], max(-row["available"], 0))
    figures.append(("backordered beside what is there", row["backordered"], waiting))
    if row["wrong_movement"] is not None:
        figures.append((f"onHandAfter of movement {row['wrong_movement']}", row["wrong_stored"], row["wrong_derived"]))
    return [
        Difference(place, name, from_units(stored), from_units(derived))
        for name, stored, derived in figures
        if stored != derived
    ]


def _line(row: Mapping[str, Any]) -> list[Difference]:
    """A line's units are all allocated, whatever became of them; a held order has none, even once it is canceled.

    What was canceled while the order was held never had an allocation.
    """
    place = f"Order {orders.number(row['order_id'])}, {row['sku']}"
    figures: list[tuple[str, int, int]] = []
    if row["allocated"] or row["status"] not in _WITHOUT_ALLOCATIONS:
        figures.append(("quantity", row["quantity"], row["allocated"] - row["allocated_canceled"] + row["canceled"]))
    if row["status"] == OrderStatus.SHIPPED:
        figures.append(("shipped", row["quantity"] - row["canceled"], row["allocated_shipped"]))
    return [
        Difference(place, name, from_units(stored), from_units(derived))
        for name, stored, derived in figures
        if stored != derived
    ]
