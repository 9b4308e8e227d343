"""Ends a hold as part of a command that orders, replaces or releases it."""

from dataclasses import dataclass, field, replace

from gqlstock.rules import holds, refusals
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.holds import HeldUnits, StockHold, StockHoldState
from gqlstock.rules.ledger import Change
from gqlstock.rules.scopes import Caller
from gqlstock.stock.command import Changes, LedgerEntry, summed
from gqlstock.stock.snapshot import OpenHold, Snapshot


@dataclass(slots=True)
class EndedHold:
    """A hold that a command ends, with its ledger entries."""

    held: OpenHold
    closed: StockHold
    entries: list[LedgerEntry] = field(default_factory=list)

    def add_to(self, changes: Changes) -> None:
        """Add it to a command's changes, before the other entries, because those may use its units."""
        changes.entries[:0] = self.entries
        changes.changed.append(self.closed)


def named(given_id: GivenId | None) -> frozenset[int]:
    """The hold's id as the set that a command names; empty for an invalid id."""
    return frozenset() if given_id is None else given_id.row_ids


def items_of(given_id: GivenId | None, snapshot: Snapshot) -> set[int]:
    """The items that a hold reserves."""
    if given_id is None or given_id.row_id is None:
        return set()
    return {snapshot.level_items[one.level_id] for one in snapshot.all(HeldUnits) if one.hold_id == given_id.row_id}


def end(
    caller: Caller,
    given_id: GivenId | None,
    snapshot: Snapshot,
    website_id: int | None,
    state: StockHoldState,
    *path: str,
) -> EndedHold | None:
    """End an active hold of the website and free its units. None if no hold is given."""
    if given_id is None:
        return None
    held = snapshot.hold(given_id.row_id)
    if held is None:
        raise refusals.missing("hold", given_id.text, *path)
    holds.check(held.hold, held.hold.website_id if website_id is None else website_id, snapshot.now, *path)
    if not all(caller.reaches(one.level.warehouse_id) for one in held.units):
        raise refusals.moves_elsewhere().only()
    entries = [
        LedgerEntry(one.level.item_id, one.level.warehouse_id, Change(held=-one.quantity), caller) for one in held.units
    ]
    return EndedHold(held, replace(held.hold, state=state, address=None), summed(entries))
