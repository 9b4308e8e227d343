"""Verifies that no hold, hold line or held units were changed."""

from collections.abc import AsyncIterator

from gqlstock.rules import seals
from gqlstock.rules.holds import StockHold
from gqlstock.services.verification.differences import Difference, content, different
from gqlstock.store import holds
from gqlstock.store import verification as rows


async def check() -> AsyncIterator[Difference]:
    async for part in rows.parts(StockHold):
        ids = [hold.id for hold in part]
        lines, units = await holds.lines_of(ids), await holds.units_of(ids)
        for hold in part:
            written = content(hold.seal, seals.of_hold(hold, lines[hold.id], units[hold.id]))
            for difference in different(f"Hold {hold.id}", [written]):
                yield difference
