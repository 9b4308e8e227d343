"""Transfers in transit: units that have left one warehouse and are announced at another.

Decides what can become of the units, how that changes levels, and the state of a transfer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gqlstock.rules import ledger, promises, quantities
from gqlstock.rules.ledger import Change
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.refusals import invalid, wrong_state

_FIRST_NUMBER = 100_000


class InventoryTransferState(StrEnum):
    IN_TRANSIT = "IN_TRANSIT"
    RECEIVED = "RECEIVED"
    CANCELED = "CANCELED"


class TransferStep(StrEnum):
    """What becomes of units in transit."""

    RECEIVED = "RECEIVED"
    RETURNED = "RETURNED"
    LOST = "LOST"


# The field of a line that counts the units of a step, and where they are on hand afterwards. Each step also deducts them
# from incoming at the destination.
_AT_SOURCE, _AT_TARGET, _NOWHERE = "source", "target", "nowhere"
_STEPS: dict[TransferStep, tuple[str, str]] = {
    TransferStep.RECEIVED: ("received", _AT_TARGET),
    TransferStep.RETURNED: ("returned", _AT_SOURCE),
    TransferStep.LOST: ("lost", _NOWHERE),
}

# The state of a transfer, by whether units are in transit and whether units came back. Only canceling brings units back,
# and it leaves none in transit.
_STATES: dict[tuple[bool, bool], InventoryTransferState] = {
    (True, False): InventoryTransferState.IN_TRANSIT,
    (False, False): InventoryTransferState.RECEIVED,
    (False, True): InventoryTransferState.CANCELED,
    (True, True): InventoryTransferState.IN_TRANSIT,
}


@dataclass(frozen=True, slots=True)
class InventoryTransfer:
    """Units that move from one warehouse to another. Its public number derives from its id."""

    id: int
    source_id: int
    target_id: int
    state: InventoryTransferState
    reference: str | None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    seal: int | None = None


@dataclass(frozen=True, slots=True)
class InventoryTransferLine:
    """The units of one item in a transfer. ``sku``: as of when they left."""

    id: int
    transfer_id: int
    item_id: int
    sku: str
    quantity: Decimal
    received: Decimal = ZERO
    returned: Decimal = ZERO
    lost: Decimal = ZERO

    @property
    def on_the_way(self) -> Decimal:
        """The units in transit, as many as remain of the line's announcement."""
        return self.quantity - self.received - self.returned - self.lost


def number(transfer_id: int) -> str:
    """The public number of a transfer."""
    return f"T{_FIRST_NUMBER + transfer_id}"


def id_of(transfer_number: str) -> int | None:
    """The id of a transfer by its number; None for an invalid number."""
    digits = transfer_number[1:]
    if not (transfer_number.startswith("T") and digits.isascii() and digits.isdigit() and len(digits) < 19):
        return None
    found = int(digits) - _FIRST_NUMBER
    return found if found > 0 and number(found) == transfer_number else None


def named(transfer_number: str) -> frozenset[int]:
    """The id of a transfer by its number, as a set, as commands name ids; empty for an invalid number."""
    found = id_of(transfer_number)
    return frozenset() if found is None else frozenset({found})


def state(lines: Iterable[InventoryTransferLine]) -> InventoryTransferState:
    """The state of a transfer, by the units of its lines."""
    all_lines = list(lines)
    return _STATES[any(line.on_the_way for line in all_lines), any(line.returned for line in all_lines)]


def check_in_transit(transfer: InventoryTransfer, *path: str) -> None:
    """Refuse a transfer that has ended."""
    if transfer.state is not InventoryTransferState.IN_TRANSIT:
        raise wrong_state(f"The transfer {number(transfer.id)} is already {transfer.state.value.lower()}.", *path)


def check_on_the_way(line: InventoryTransferLine, quantity: Decimal, *path: str) -> None:
    """Refuse more units than are in transit."""
    quantities.check_above_zero(quantity, "received", *path)
    if quantity > line.on_the_way:
        left, wanted = quantities.text(line.on_the_way), quantities.text(quantity)
        raise invalid(f"Only {left} of {line.sku} in transit, cannot receive {wanted}.", *path)


def check_of_no_transfer(announced: StockAnnouncement, *path: str) -> None:
    """Refuse an announcement that belongs to a transfer: only the transfer fills and withdraws it."""
    if announced.transfer_id is not None:
        of = number(announced.transfer_id)
        raise wrong_state(
            f"The announcement belongs to the transfer {of}; receive or cancel the transfer instead.", *path
        )


def check_only_date(before: StockAnnouncement, after: StockAnnouncement) -> None:
    """Refuse to change the quantity or reference of a transfer's announcement, which come from the transfer."""
    for name in ("quantity", "reference"):
        if before.transfer_id is not None and getattr(before, name) != getattr(after, name):
            of = number(before.transfer_id)
            raise wrong_state(f"The announcement belongs to the transfer {of}; only its date can change.", name)


def ended(line: InventoryTransferLine, step: TransferStep, quantity: Decimal) -> InventoryTransferLine:
    """The line after a step of units in transit."""
    counted, _ = _STEPS[step]
    return replace(line, **{counted: getattr(line, counted) + quantity})


def announcement_after(
    announced: StockAnnouncement, step: TransferStep, quantity: Decimal, now: datetime
) -> StockAnnouncement:
    """The line's announcement after a step. Returned or lost units withdraw all that remains of it."""
    if step is TransferStep.RECEIVED:
        return replace(announced, received=announced.received + quantity)
    return replace(announced, withdrawn_at=now)


def effect_at_source(step: TransferStep, quantity: Decimal) -> Change | None:
    """How a step changes the level at the source; None for no change."""
    return ledger.received(quantity) if _STEPS[step][1] == _AT_SOURCE else None


def effect_at_target(step: TransferStep, quantity: Decimal) -> Change:
    """How a step changes the level at the destination."""
    gone = Change(incoming=-quantity)
    return ledger.combined(gone, ledger.received(quantity)) if _STEPS[step][1] == _AT_TARGET else gone


def expected_at(announcements: Sequence[StockAnnouncement]) -> datetime | None:
    """The latest date of the units in transit, else of all announcements of a transfer; None if any has no date."""
    on_the_way = [one for one in announcements if one.remaining > 0]
    return promises.latest(one.expected_at for one in on_the_way or announcements)
