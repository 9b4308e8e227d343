"""A date that passes unreceived: the orders that wait are told once, by the sweep."""

import asyncio
from datetime import timedelta

import pytest

from gqlstock.delivery import housekeeping
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import lapse_announcements, verification
from gqlstock.store.announcements import StockAnnouncement
from gqlstock.store.inventory import InventoryLevel
from gqlstock.store.outbox import OutboxEntry
from support import promised_dates as dates
from support import shop_builders as make
from support.promised_dates import OrderNews, announce, let_pass
from support.statement_counter import Statements


@pytest.fixture
async def shop(db: None) -> None:
    await make.shop()
    await make.setting(backorders=BackorderMode.ALLOW)
    for sku in ("MUG", "CUP"):
        await make.product(sku)
        await make.stock(sku, on_hand=0)


async def lapsed() -> list[bool]:
    return [row.lapsed_at is not None for row in await StockAnnouncement.all().order_by("id")]


async def test_dates_move_to_later_supply_else_to_none(shop: None) -> None:
    first, second = await make.order("MUG", 2), await make.order("MUG", 3)
    early = await announce(5, on=10)
    await announce(2, on=20)
    news = OrderNews()
    await news.entries()
    was = await let_pass(early)
    seen = (await OutboxEntry.all().order_by("-id").first()).id  # type: ignore[union-attr]

    assert await lapse_announcements.run() == 1

    later = {"expected_at": "2036-12-20T00:00:00+00:00", "expected_at_before": was.isoformat()}
    none = {"expected_at": None, "expected_at_before": was.isoformat()}
    assert await news.entries() == [(first, later), (second, none)]
    level = await InventoryLevel.get(item__sku="MUG")
    rows = await OutboxEntry.filter(id__gt=seen).exclude(topic="ORDER")
    assert [(row.topic.value, row.subject, row.item_id) for row in rows] == [("LEVEL_ROW", level.id, level.item_id)]
    assert await lapsed() == [True, False]
    assert await verification.verify() == []


async def test_it_is_told_once(shop: None) -> None:
    await make.order("MUG", 2)
    await let_pass(await announce(5))
    await lapse_announcements.run()
    news = OrderNews()
    await news.entries()

    assert await lapse_announcements.run() == 0
    await announce(1, on=None)

    assert await news.entries() == []


async def test_what_was_received_withdrawn_or_is_still_to_come_is_left_alone(shop: None) -> None:
    await make.order("MUG", 2)
    withdrawn, received = await announce(5), await announce(5)
    await announce(5), await announce(5, on=None)
    await dates.withdraw(withdrawn)
    await dates.receive(5, announcement_id=received)
    for announcement_id in (withdrawn, received):
        await let_pass(announcement_id)

    assert await lapse_announcements.run() == 0
    assert await lapsed() == [False] * 4


async def test_all_dates_of_an_item_that_passed_are_one_change(shop: None) -> None:
    order_id = await make.order("MUG", 7)
    one, two = await announce(5), await announce(5)
    news = OrderNews()
    await news.entries()
    await let_pass(one, -2)
    was = await let_pass(two)

    await lapse_announcements.run()

    assert await news.entries() == [(order_id, {"expected_at": None, "expected_at_before": was.isoformat()})]
    assert await lapsed() == [True, True]


async def test_a_new_date_is_told_and_may_pass_again(shop: None) -> None:
    order_id = await make.order("MUG", 2)
    made = await announce(5)
    await let_pass(made)
    await lapse_announcements.run()
    news = OrderNews()
    await news.entries()

    await dates.update(made, on=20)
    assert await news.dates() == [(order_id, None, 20)]
    await let_pass(made)
    await lapse_announcements.run()

    ((told, data),) = await news.entries()
    assert (told, data["expected_at"]) == (order_id, None)
    assert await lapsed() == [True]


async def test_a_date_that_has_passed_when_it_is_given_is_never_told(shop: None) -> None:
    order_id = await make.order("MUG", 2)
    news = OrderNews()
    await news.entries()
    await announce(5, at=dates.day(1).replace(year=2020))  # type: ignore[union-attr]
    other = await announce(5, on=20, sku="CUP")
    await dates.update(other, expected_at=dates.day(1).replace(year=2020))  # type: ignore[union-attr]
    await make.order("CUP", 1)

    assert await lapsed() == [True, True]
    assert await lapse_announcements.run() == 0
    assert not [one for one in await news.entries() if one[0] == order_id]


async def test_a_sweep_costs_as_many_statements_for_forty_orders_as_for_four(shop: None) -> None:
    async def statements(sku: str, orders: int) -> int:
        for _ in range(orders):
            await make.order(sku, 1)
        await let_pass(await announce(orders, sku=sku))
        with Statements().counted() as sent:
            assert await lapse_announcements.run() == 1
        return len(sent)

    assert await statements("MUG", 40) == await statements("CUP", 4)


async def test_orders_are_told_within_ten_seconds_while_a_server_runs(shop: None) -> None:
    await make.order("MUG", 2)
    made = await announce(5)
    async with housekeeping.running(timedelta(days=2)):
        await asyncio.sleep(0.2)
        await let_pass(made)
        for _ in range(200):
            if await lapsed() == [True]:
                break
            await asyncio.sleep(0.05)
    assert await lapsed() == [True]
