"""What orders are told of their dates is what a reader sees: after any command, exactly of those that changed."""

import contextlib
import random
from datetime import datetime
from typing import Any

import pytest

from gqlstock.rules import events
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, InventoryDecrement
from gqlstock.services import lapse_announcements, order_dates, reassess, verification
from gqlstock.stock import reading
from gqlstock.store import orders as rows
from gqlstock.store.announcements import StockAnnouncement
from gqlstock.store.orders import Order as OrderRow
from support import order_life as life
from support import promised_dates as dates
from support import shop_builders as make
from support.promised_dates import OrderNews

SKUS, PLACES, SHOPS = ("MUG", "CUP"), ("BERLIN", "HAMBURG"), ("shop", "other")
Seen = dict[int, tuple[datetime | None, dict[int, datetime | None]]]
"""The date of each order, and those of its lines."""


class History:
    """Commands one after the other, each with what was told of it."""

    def __init__(self, seed: int) -> None:
        self._choose = random.Random(seed)
        self._news = OrderNews()

    async def run(self, commands: int) -> None:
        await self._news.entries()
        before = await seen()
        told = 0
        for _ in range(commands):
            name, given = await self._one()
            after = await seen()
            expected = {
                order_id: (before[order_id][0], date)
                for order_id, (date, lines) in after.items()
                if order_id in before and lines != before[order_id][1]
            }
            found = [(order_id, data) for order_id, data in await self._news.entries() if events.is_date_change(data)]
            moments = [
                (order_id, (events.moment_of(data["expected_at_before"]), events.moment_of(data["expected_at"])))
                for order_id, data in found
            ]
            assert moments == sorted(expected.items()), (name, given)
            before = after
            told += len(found)
        assert told > 20
        assert await verification.verify() == []

    async def _one(self) -> tuple[str, Any]:
        choose = self._choose
        sku, place, units = choose.choice(SKUS), choose.choice(PLACES), choose.randint(1, 6)
        ids = [row.id for row in await StockAnnouncement.filter(withdrawn_at=None) if row.received < row.quantity]
        orders = [row.id for row in await OrderRow.all()]
        announced = choose.choice(ids) if ids else None
        day = choose.choice([None, *range(5, 31)])
        match choose.choice(KINDS):
            case "order":
                lines = {sku: units} if choose.random() < 0.6 else {"MUG": units, "CUP": choose.randint(1, 6)}
                await _tried(make.order(lines=lines, website=choose.choice(SHOPS)))
                return "order", lines
            case "cancel" if orders:
                order_id = choose.choice(orders)
                await _tried(life.cancel(order_id, *([(sku, 1)] if choose.random() < 0.7 else [])))
                return "cancel", order_id
            case "update" if announced:
                await _tried(dates.update(announced, on=day))
                return "update", (announced, day)
            case "shrink" if announced:
                await _tried(dates.update(announced, quantity=units))
                return "shrink", (announced, units)
            case "withdraw" if announced:
                await dates.withdraw(announced)
                return "withdraw", announced
            case "receive":
                await dates.receive(units, sku, place)
                return "receive", (units, sku, place)
            case "count":
                await make.stock(sku, place, choose.randint(0, 3))
                return "count", (sku, place)
            case "buffer":
                days = choose.randint(0, 5)
                await make.setting(website=choose.choice(SHOPS), incoming_buffer_days=days)
                await reassess.run()
                return "buffer", days
        await dates.announce(units * 3, on=day, sku=sku, warehouse=place)
        return "announce", (units * 3, day, sku, place)


KINDS = ["order"] * 8 + ["cancel", "update", "announce"] * 4 + ["shrink", "withdraw", "buffer", "count", "receive"]


async def _tried(command: Any) -> None:
    with contextlib.suppress(Refused):
        await command


async def seen() -> Seen:
    """What a reader sees."""

    async def read() -> Seen:
        orders: dict[int, Order] = await rows.orders([row.id for row in await OrderRow.all()])
        lines = await rows.lines_of(orders)
        every: list[OrderLine] = [line for of_order in lines.values() for line in of_order]
        found = dict(zip([one.id for one in every], await order_dates.of_lines(every, SYSTEM), strict=True))
        of_orders = await order_dates.of_orders(list(orders.values()), SYSTEM)
        return {
            order_id: (date, {line.id: found[line.id] for line in lines[order_id]})
            for order_id, date in zip(orders, of_orders, strict=True)
        }

    return await reading.run(read)


@pytest.fixture
async def shop(db: None) -> None:
    """MUG and CUP, which two websites sell from BERLIN and HAMBURG; MUG as far as what is announced, CUP without end."""
    await life.shop()
    await make.website("other", warehouses=["HAMBURG", "BERLIN"])
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.setting(product="MUG", backorders_from_incoming=True)
    await make.setting(product="CUP", decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    for sku in SKUS:
        for place in PLACES:
            await make.stock(sku, place, 2)


@pytest.mark.parametrize("seed", range(4))
async def test_orders_are_told_of_exactly_what_a_reader_sees_change(shop: None, seed: int) -> None:
    await History(seed).run(80)


async def test_a_date_that_passes_is_told_as_a_reader_sees_it(shop: None) -> None:
    await make.setting(incoming_buffer_days=2)
    made = await dates.announce(8, on=3)
    await dates.announce(4, on=9)
    await dates.announce(5, on=6, sku="CUP", warehouse="HAMBURG")
    for units in (3, 4, 2):
        await make.order(lines={"MUG": units, "CUP": units})
    news = OrderNews()
    await news.entries()
    before = await seen()
    await dates.let_pass(made)

    await lapse_announcements.run()

    after = await seen()
    moved = {order_id for order_id in after if before[order_id][1] != after[order_id][1]}
    assert moved
    assert [(order_id, events.moment_of(data["expected_at"])) for order_id, data in await news.entries()] == [
        (order_id, after[order_id][0]) for order_id in sorted(moved)
    ]
