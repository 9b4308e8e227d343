"""Whether holds, what was asked for and what they keep are as they were written."""

from collections.abc import AsyncIterator

from gqlstock.services.verification.differences import Difference, content, different
from gqlstock.store import holds
from gqlstock.store import verification as rows
from gqlstock.store.holds import StockHold


async def check() -> AsyncIterator[Difference]:
    async for part in rows.parts(StockHold):
        ids = [hold.id for hold in part]
        lines, units = await holds.lines_of(ids), await holds.all_units_of(ids)
        for hold in part:
            written = content(hold.seal, hold.sealed(lines[hold.id], units[hold.id]))
            for difference in different(f"Hold {hold.id}", [written]):
                yield difference
