"""Which announcements are open and which are overdue: SQL says what the rules say."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gqlstock.rules import receiving
from gqlstock.rules.filters import AnnouncementFilter
from gqlstock.store import announcements
from gqlstock.store.announcements import StockAnnouncement
from support import shop_builders as make

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


async def test_sql_and_the_rules_agree_on_what_is_open_and_overdue(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    level = await make.stock("MUG")
    dates = (None, NOON - TICK, NOON, NOON + TICK, NOON + 2 * TICK)
    for date, received, withdrawn_at in itertools.product(dates, (0, 3, 4), (None, NOON)):
        given = {"quantity": Decimal(4), "received": Decimal(received), "withdrawn_at": withdrawn_at}
        await StockAnnouncement.create(level_id=level, expected_at=date, created_at=NOON, **given)
    every = await announcements.announcements(await StockAnnouncement.all().values_list("id", flat=True))

    async def found(**chosen: bool) -> list[int]:
        rows = announcements.matching(AnnouncementFilter(**chosen), None, NOON)
        return [row.id for row in await rows.order_by("id")]

    is_open = {one.id: one.remaining > 0 for one in every.values()}
    is_overdue = {one.id: receiving.is_overdue(one, NOON) for one in every.values()}
    assert {sum(is_open.values()), sum(is_overdue.values())} == {10, 4}
    for wanted in (True, False):
        assert await found(open=wanted) == [row_id for row_id, holds in is_open.items() if holds is wanted]
        assert await found(overdue=wanted) == [row_id for row_id, holds in is_overdue.items() if holds is wanted]
    turning = [receiving.overdue_from(one, NOON) for one in every.values()]
    assert await announcements.next_overdue(NOON) == min(one for one in turning if one is not None) == NOON + TICK
    assert await announcements.next_overdue(NOON + 2 * TICK) is None
