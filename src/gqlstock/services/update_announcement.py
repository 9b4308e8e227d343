"""Changes the quantity, date or reference of an announcement. ``rules.receiving`` decides what is allowed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules import catalog, counting, events, transfers
from gqlstock.rules import receiving as rules
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.refusals import wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.rules.transfers import InventoryTransfer
from gqlstock.services.announcement_command import AnnouncementCommand
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, LedgerEntry, Result
from gqlstock.stock.snapshot import Snapshot

Fields = Mapping[str, Any]
"""Requested changes by field name. Omitted fields stay unchanged; None clears a field, except ``quantity``."""


async def update(caller: Caller, announcement_id: GivenId, fields: Fields) -> Result:
    """Change ``quantity``, ``expected_at`` and ``reference``, if given. Returns the ids of levels, and no movements."""
    if "reference" in fields:
        fields = {**fields, "reference": catalog.optional_text(fields["reference"], "reference", "reference")}
    return await transaction.run(UpdateAnnouncement(caller, announcement_id, fields))


@dataclass(frozen=True, slots=True)
class UpdateAnnouncement(AnnouncementCommand):
    fields: Fields

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        before, level = self.announcement(snapshot)
        rules.check_not_withdrawn(before, "id")
        after = self._changed(before, level, snapshot)
        transfers.check_only_date(before, after)
        changes = Changes(lambda written: Result({"levels": [level.id], "movements": []}))
        if after == before:
            return changes
        changes.changed.append(after)
        transfer = snapshot.get(InventoryTransfer, after.transfer_id) if after.transfer_id is not None else None
        if transfer is not None:
            changes.changed.append(replace(transfer, updated_at=now))
            changes.events.append(events.transfer_changed(transfer.id))
        more = Change(incoming=after.remaining - before.remaining)
        if more.incoming:
            changes.entries.append(LedgerEntry(level.item_id, level.warehouse_id, more, self.caller))
        else:
            # Cached reads of the announcement are stale, although no figure of the level changed.
            changes.events.append(events.level_row_changed(level.id, level.item_id))
        return changes

    def _changed(self, found: StockAnnouncement, level: Level, snapshot: Snapshot) -> StockAnnouncement:
        quantity = self.fields.get("quantity")
        if quantity is not None and quantity != found.quantity:
            _check(quantity, found, level, snapshot)
            found = rules.with_quantity(found, quantity, "quantity")
        if "expected_at" in self.fields:
            found = rules.with_date(found, self.fields["expected_at"])
        if "reference" in self.fields:
            found = replace(found, reference=self.fields["reference"])
        return found


def _check(quantity: Decimal, found: StockAnnouncement, level: Level, snapshot: Snapshot) -> None:
    """Refuse a quantity that could not be announced. Any item may get a lower quantity."""
    item = snapshot.item(level.item_id)
    counting.check_units(quantity, item, level.warehouse_id, level, snapshot.lookup, "quantity")
    if quantity > found.quantity:
        if item.deleted_at is not None:
            raise wrong_state(f"{item.sku} was deleted: no more of it can be announced.", "id")
        counting.check_has_stock(item, snapshot.lookup.product(item), "id")
