"""Announcements with dates, and the orders whose dates were reported as changed."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from gqlstock.rules import events
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import receive as receiving
from gqlstock.services import update_announcement
from gqlstock.services.receive import AnnounceStockRequest, ReceivedLine, ReceiveStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store.announcements import StockAnnouncement
from gqlstock.store.db import clock
from gqlstock.store.outbox import OutboxEntry

Change = tuple[int, int | None, int | None]
"""An order, with its earlier and new date, as days of December 2036."""


def day(number: int | None) -> datetime | None:
    return None if number is None else datetime(2036, 12, 1, tzinfo=UTC) + timedelta(days=number - 1)


async def announce(
    quantity: int, on: int | None = 10, sku: str = "MUG", warehouse: str = "BERLIN", *, at: datetime | None = None
) -> int:
    """Announce stock for a day, or for the time ``at``. Returns the announcement's id."""
    lines = (StockLine(sku, Decimal(quantity)),)
    await receiving.announce(SYSTEM, AnnounceStockRequest(warehouse, lines, at or day(on)))
    (last,) = await StockAnnouncement.all().order_by("-id").limit(1)
    return last.id


async def update(announcement_id: int, **given: Any) -> None:
    """Change an announcement. ``on``: its day."""
    if "on" in given:
        given["expected_at"] = day(given.pop("on"))
    if "quantity" in given:
        given["quantity"] = Decimal(given["quantity"])
    await update_announcement.update(SYSTEM, GivenId(announcement_id, str(announcement_id)), given)


async def withdraw(announcement_id: int) -> None:
    await receiving.withdraw(SYSTEM, GivenId(announcement_id, str(announcement_id)))


async def receive(
    quantity: int, sku: str = "MUG", warehouse: str = "BERLIN", announcement_id: int | None = None
) -> None:
    named = None if announcement_id is None else str(announcement_id)
    lines = (ReceivedLine(sku, Decimal(quantity), announcement_id, named),)
    await receiving.receive(SYSTEM, ReceiveStockRequest(warehouse, lines))


async def let_pass(announcement_id: int, seconds: float = -1) -> datetime:
    """Set the date of an announcement to now, or to some seconds from now, without a sweep. Returns the date."""
    at = clock.now() + timedelta(seconds=seconds)
    await StockAnnouncement.filter(id=announcement_id).update(expected_at=at)
    return at


class OrderNews:
    """The outbox entries of orders since the last read."""

    def __init__(self) -> None:
        self._seen = 0

    async def entries(self) -> list[tuple[int, Mapping[str, Any]]]:
        """The entries by order, with their data."""
        rows = await OutboxEntry.filter(topic="ORDER", id__gt=self._seen).order_by("id")
        self._seen = rows[-1].id if rows else self._seen
        return sorted(((row.subject, row.data) for row in rows), key=lambda one: one[0])

    async def dates(self) -> list[Change]:
        """The changed dates, sorted by order."""
        found = await self.entries()
        return sorted(
            (order_id, day_of(data["expected_at_before"]), day_of(data["expected_at"]))
            for order_id, data in found
            if events.is_date_change(data)
        )


def day_of(text: str | None) -> int | None:
    moment = events.moment_of(text)
    return None if moment is None else (moment - datetime(2036, 12, 1, tzinfo=UTC)).days + 1
