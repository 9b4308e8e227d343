"""A transfer in transit while a command receives, closes or cancels it.

``rules.transfers`` decides what each step does.
"""

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal
from typing import Any

from gqlstock.rules import catalog, events, refusals
from gqlstock.rules import orders as order_rules
from gqlstock.rules import transfers as rules
from gqlstock.rules.ledger import Change
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.rules.transfers import InventoryTransferLine, InventoryTransferState, TransferStep
from gqlstock.stock.command import Changes, LedgerEntry, Result, summed
from gqlstock.stock.snapshot import Snapshot, WholeTransfer


def items_of(snapshot: Snapshot, number: str) -> Collection[int]:
    """The items of a transfer, by its number. Raises ``Refused`` for an unknown one."""
    return {line.item_id for line in _found(snapshot, number).lines}


def _found(snapshot: Snapshot, number: str) -> WholeTransfer:
    found = snapshot.transfer(rules.id_of(number))
    if found is None:
        raise refusals.missing("transfer", number, "number")
    return found


class OpenTransfer:
    """A transfer with its lines and announcements, and the changes of a command to them so far."""

    def __init__(self, caller: Caller, number: str, snapshot: Snapshot, reason: str | None) -> None:
        found = _found(snapshot, number)
        self.transfer = found.transfer
        self._caller = caller
        self._snapshot = snapshot
        self._reason = catalog.optional_text(reason, "reason", "reason")
        self._lines = {line.id: line for line in found.lines}
        self._announcements = dict(found.announcements)
        self._changed: dict[tuple[type, int], Any] = {}
        self._entries: list[LedgerEntry] = []

    def check(self, warehouse_id: int) -> None:
        """Refuse a caller without access to this warehouse, and a transfer that has ended."""
        if not self._caller.reaches(warehouse_id):
            raise refusals.missing("transfer", rules.number(self.transfer.id), "number")
        rules.check_in_transit(self.transfer, "number")

    @property
    def lines(self) -> list[InventoryTransferLine]:
        return list(self._lines.values())

    def line(self, sku: str) -> InventoryTransferLine:
        """The line of a SKU, as shipped or as it is now."""
        lines = self.lines
        names = [(line.sku, self._snapshot.item(line.item_id).sku) for line in lines]
        found = order_rules.lines_named(sku, names)
        if not found:
            raise refusals.missing(f"line of transfer {rules.number(self.transfer.id)} with the SKU", sku, "sku")
        return lines[found[0]]

    def end(self, line: InventoryTransferLine, step: TransferStep, quantity: Decimal) -> None:
        """End the transit of units of a line."""
        self._lines[line.id] = self._put(rules.ended(line, step, quantity))
        announced = rules.announcement_after(self._announcements[line.item_id], step, quantity, self._snapshot.now)
        self._announcements[line.item_id] = self._put(announced)
        self._record(line, self.transfer.target_id, rules.effect_at_target(step, quantity))
        at_source = rules.effect_at_source(step, quantity)
        if at_source is not None:
            self._record(line, self.transfer.source_id, at_source)

    def end_rest(self, step: TransferStep) -> None:
        """End the transit of all remaining units."""
        for line in self.lines:
            if line.on_the_way:
                self.end(line, step, line.on_the_way)

    def changes(self) -> Changes:
        now, state = self._snapshot.now, rules.state(self._lines.values())
        ended = state is not InventoryTransferState.IN_TRANSIT
        transfer = replace(self.transfer, state=state, updated_at=now, closed_at=now if ended else None)
        return Changes(
            lambda written: Result({"transfer": [transfer.id]}),
            summed(self._entries),
            changed=[transfer, *self._changed.values()],
            events=[events.transfer_changed(transfer.id)],
        )

    def _put(self, record: Any) -> Any:
        self._changed[type(record), record.id] = record
        return record

    def _record(self, line: InventoryTransferLine, warehouse_id: int, change: Change) -> None:
        # Changes of incoming alone need no access to the warehouse and write no movement that names it.
        caller = self._caller if change.on_hand else SYSTEM
        place = line.item_id, warehouse_id
        self._entries.append(LedgerEntry(*place, change, caller, self._reason, self.transfer.reference))
