"""Verifies transfers against their lines, announcements and the movements of their items."""

from collections.abc import AsyncIterator, Iterator

from gqlstock.rules import seals
from gqlstock.rules import transfers as rules
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine, InventoryTransferState
from gqlstock.services.verification.differences import Difference, Figure, content, different, is_set
from gqlstock.store import verification as rows


async def check() -> AsyncIterator[Difference]:
    async for part in rows.transfer_books():
        for book in part:
            for difference in _differences(book):
                yield difference
    for sku, moved, away in await rows.moved_by_transfers():
        # The two movements of an immediate transfer cancel out.
        for difference in different(sku, [("units in transit and lost", away, -moved)]):
            yield difference
    for announcement in await rows.stray_announcements():
        yield Difference(f"Announcement {announcement}", "transfer", "one without such a line", "its own")


def _differences(book: rows.TransferBook) -> Iterator[Difference]:
    place = f"Transfer {rules.number(book.transfer.id)}"
    yield from different(place, _transfer(book.transfer, book.lines))
    for line in book.lines:
        yield from different(
            f"{place}, {line.sku}", _line(book.transfer, line, book.announcements.get(line.item_id, []))
        )


def _transfer(transfer: InventoryTransfer, lines: list[InventoryTransferLine]) -> Iterator[Figure]:
    state = rules.state(lines)
    yield "state", transfer.state, state
    yield is_set("closedAt", transfer.closed_at, when=state is not InventoryTransferState.IN_TRANSIT)
    yield content(transfer.seal, seals.of_transfer(transfer, lines))


def _line(
    transfer: InventoryTransfer, line: InventoryTransferLine, announced: list[tuple[StockAnnouncement, int]]
) -> Iterator[Figure]:
    yield "number of announcements", len(announced), 1
    for announcement, warehouse_id in announced:
        yield "warehouse of its announcement", warehouse_id, transfer.target_id
        yield "quantity", line.quantity, announcement.quantity
        yield "received", line.received, announcement.received
        yield "on the way", line.on_the_way, announcement.remaining
        yield is_set("withdrawnAt", announcement.withdrawn_at, when=bool(line.returned or line.lost))
    if transfer.state is not InventoryTransferState.CANCELED:
        yield "returned", line.returned, ZERO
    else:
        yield "lost", line.lost, ZERO
