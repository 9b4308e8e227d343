"""Verifies that no announcement was changed or received more than it announced."""

from collections.abc import AsyncIterator, Iterator

from gqlstock.rules import seals
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.services.verification.differences import Difference, Figure, content, different
from gqlstock.store import verification as rows


async def check() -> AsyncIterator[Difference]:
    async for part in rows.parts(StockAnnouncement):
        for announcement in part:
            for difference in different(f"Announcement {announcement.id}", _figures(announcement)):
                yield difference


def _figures(announcement: StockAnnouncement) -> Iterator[Figure]:
    received = announcement.received
    yield "received", received, min(max(received, ZERO), announcement.quantity)
    yield content(announcement.seal, seals.of_announcement(announcement))
