"""End a hold as a part of another command: one that orders it, replaces it or releases it."""

from dataclasses import dataclass, field, replace

from gqlstock.rules import holds, refusals
from gqlstock.rules.handles import Handle
from gqlstock.rules.holds import HeldUnits, StockHold, StockHoldState
from gqlstock.rules.ledger import Change
from gqlstock.rules.scopes import Caller
from gqlstock.stock.command import Changes, LedgerEntry, summed
from gqlstock.stock.snapshot import OpenHold, Snapshot


@dataclass(slots=True)
class EndedHold:
    """A hold that a command ends, and what that does to its levels."""

    held: OpenHold
    closed: StockHold
    entries: list[LedgerEntry] = field(default_factory=list)

    def add_to(self, changes: Changes) -> None:
        """Make it part of what a command decided; its units are free before anything else."""
        changes.entries[:0] = self.entries
        changes.changed.append(self.closed)


def named(handle: Handle | None) -> frozenset[int]:
    """The hold as the ids that a command names; none for what is no id."""
    return frozenset() if handle is None or handle.row_id is None else frozenset({handle.row_id})


def items_of(handle: Handle | None, found: Snapshot) -> set[int]:
    """The items of which a hold keeps units."""
    if handle is None or handle.row_id is None:
        return set()
    return {found.level_items[one.level_id] for one in found.all(HeldUnits) if one.hold_id == handle.row_id}


def end(
    caller: Caller, handle: Handle | None, snapshot: Snapshot, website_id: int | None, state: StockHoldState, *path: str
) -> EndedHold | None:
    """End an active hold of that website: its units are free. None where no hold is named."""
    if handle is None:
        return None
    held = snapshot.hold(handle.row_id)
    if held is None:
        raise refusals.missing("hold", handle.text, *path)
    holds.check(held.hold, held.hold.website_id if website_id is None else website_id, snapshot.now, *path)
    if not all(caller.reaches(one.level.warehouse_id) for one in held.units):
        raise refusals.moves_elsewhere().only()
    entries = [
        LedgerEntry(one.level.item_id, one.level.warehouse_id, Change(held=-one.quantity), caller) for one in held.units
    ]
    return EndedHold(held, replace(held.hold, state=state, address=None), summed(entries))
