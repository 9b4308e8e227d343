"""Each command sends one date change to every order that has a line with another date, and none to other orders."""

import asyncio
import time
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.services import adjust_stock, verification
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.store.announcements import StockAnnouncement
from gqlstock.store.inventory import InventoryLevel
from gqlstock.store.orders import Allocation, Order, OrderLine
from gqlstock.store.warehouses import Warehouse
from support import order_life as life
from support import promised_dates as dates
from support import shop_builders as make
from support.promised_dates import OrderNews, announce
from support.statement_counter import Statements


@pytest.fixture
async def shop(db: None) -> None:
    """MUG and CUP without stock in BERLIN and HAMBURG; backorders without end, taken in BERLIN first."""
    await life.shop()
    await make.setting(backorders=BackorderMode.ALLOW)
    for sku in ("MUG", "CUP"):
        for warehouse in ("BERLIN", "HAMBURG"):
            await make.stock(sku, warehouse, 0)


@pytest.fixture
async def three(shop: None) -> list[int]:
    """Orders of 2, 3 and 4 of MUG, in this order."""
    return [await make.order("MUG", units) for units in (2, 3, 4)]


@pytest.fixture
async def news(three: list[int]) -> OrderNews:
    found = OrderNews()
    await found.entries()
    return found


async def adjust(delta: int, sku: str = "MUG", warehouse: str = "BERLIN") -> None:
    rows = (StockAdjustment(sku, warehouse, Decimal(delta)),)
    await adjust_stock.adjust(SYSTEM, AdjustStockRequest(rows))


async def updated_at() -> list[datetime]:
    return [order.updated_at for order in await Order.all().order_by("id")]


async def test_a_first_announcement_gives_a_date_to_those_it_reaches(three: list[int], news: OrderNews) -> None:
    first, second, _ = three
    before = await updated_at()

    await announce(6, on=10)

    assert await news.dates() == [(first, None, 10), (second, None, 10)]
    assert await updated_at() == before
    assert await verification.verify() == []


@pytest.mark.parametrize("mode", [InventoryDecrement.ON_ORDER, InventoryDecrement.ON_SHIPMENT])
async def test_a_slip_moves_those_it_brings_the_last_unit_of(shop: None, mode: InventoryDecrement) -> None:
    await make.setting(decrement_inventory=mode)
    first, second, third = [await make.order("MUG", units) for units in (2, 3, 4)]
    news = OrderNews()
    await announce(4, on=10)
    later = await announce(5, on=20)
    assert await news.dates() == [(first, None, 10), (second, None, 20), (third, None, 20)]

    await dates.update(later, on=25)

    assert await news.dates() == [(second, 20, 25), (third, 20, 25)]


async def test_an_announcement_that_slips_behind_another_moves_all_that_it_was_to_bring(
    three: list[int], news: OrderNews
) -> None:
    first, second, third = three
    early = await announce(5, on=10)
    await announce(4, on=20)
    assert await news.dates() == [(first, None, 10), (second, None, 10), (third, None, 20)]

    await dates.update(early, on=30)

    assert await news.dates() == [(first, 10, 20), (second, 10, 30), (third, 20, 30)]


async def test_an_announcement_that_shrinks_leaves_the_last_without_a_date(three: list[int], news: OrderNews) -> None:
    made = await announce(9, on=10)
    await news.entries()

    await dates.update(made, quantity=8)

    assert await news.dates() == [(three[2], 10, None)]


async def test_an_announcement_without_a_date_any_more_promises_nothing(three: list[int], news: OrderNews) -> None:
    made = await announce(5, on=10)
    await news.entries()

    await dates.update(made, expected_at=None)

    assert await news.dates() == [(three[0], 10, None), (three[1], 10, None)]


async def test_a_withdrawn_announcement_leaves_what_comes_later(three: list[int], news: OrderNews) -> None:
    early = await announce(5, on=10)
    await announce(2, on=20)
    await news.entries()

    await dates.withdraw(early)

    assert await news.dates() == [(three[0], 10, 20), (three[1], 10, None)]


async def test_an_earlier_announcement_moves_dates_forward(three: list[int], news: OrderNews) -> None:
    await announce(9, on=20)
    await news.entries()

    await announce(3, on=10)

    assert await news.dates() == [(three[0], 20, 10)]


async def test_units_that_arrive_end_the_dates_of_those_who_get_them(three: list[int], news: OrderNews) -> None:
    first, second, _ = three
    made = await announce(9, on=10)
    await news.entries()

    await dates.receive(5, announcement_id=made)

    found = await news.entries()
    ended = {"expected_at_before": "2036-12-10T00:00:00+00:00", "expected_at": None, "updated": True}
    assert found == [(first, ended), (second, ended)]


async def test_a_part_of_a_line_that_arrives_leaves_its_date_and_is_an_update_alone(
    three: list[int], news: OrderNews
) -> None:
    made = await announce(9, on=10)
    await news.entries()

    await dates.receive(1, announcement_id=made)

    assert await news.entries() == [(three[0], {})]


async def test_more_than_was_announced_moves_later_ones_forward(three: list[int], news: OrderNews) -> None:
    first, second, third = three
    early = await announce(2, on=10)
    await announce(3, on=20)
    await announce(4, on=30)
    await news.entries()

    await dates.receive(4, announcement_id=early)

    # 1 of the second and 4 of the third wait: 3 come on the 20th, the rest on the 30th.
    assert await news.dates() == [(first, 10, None)]

    await adjust(2)

    # 3 of the third wait.
    assert await news.dates() == [(second, 20, None), (third, 30, 20)]


async def test_units_that_nobody_announced_move_dates_forward(three: list[int], news: OrderNews) -> None:
    first, _, third = three
    await announce(5, on=10)
    await announce(4, on=20)
    await news.entries()

    await adjust(4)

    # 1 of the second and 4 of the third wait, and 5 come on the 10th.
    assert await news.dates() == [(first, 10, None), (third, 20, 10)]


async def test_a_canceled_unit_ahead_moves_those_behind_it(three: list[int], news: OrderNews) -> None:
    first, second, _ = three
    await announce(4, on=10)
    await announce(5, on=20)
    await news.entries()

    await life.cancel(first, ("MUG", 1))

    assert await news.entries() == [
        (first, {}),
        (second, {"expected_at_before": "2036-12-20T00:00:00+00:00", "expected_at": "2036-12-10T00:00:00+00:00"}),
    ]


async def test_a_canceled_order_has_no_date_any_more(three: list[int], news: OrderNews) -> None:
    first, second, _ = three
    await announce(4, on=10)
    await announce(5, on=20)
    await news.entries()

    await life.cancel(first)

    assert await news.dates() == [(first, 10, None), (second, 20, 10)]


async def test_a_canceled_unit_behind_moves_nobody(three: list[int], news: OrderNews) -> None:
    await announce(9, on=10)
    await news.entries()

    await life.cancel(three[2], ("MUG", 1))

    assert await news.entries() == [(three[2], {})]


async def test_units_that_a_level_lacks_besides_come_first(shop: None) -> None:
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    await make.stock("MUG", on_hand=3)
    shipped, waiting = await make.order("MUG", 3), await make.order("MUG", 2)
    await announce(2, on=10)
    await announce(9, on=20)
    news = OrderNews()
    assert await news.dates() == [(waiting, None, 10)]

    await make.stock("MUG", on_hand=2)

    # One of the units that were sold is not there: the first that comes takes its place.
    assert await news.dates() == [(waiting, 10, 20)]
    assert shipped < waiting


async def test_a_line_that_waits_in_two_warehouses_has_the_later_date(shop: None) -> None:
    order_id = await make.order("MUG", 5)
    await _move_waiting(order_id, 2, "HAMBURG")
    news = OrderNews()
    await news.entries()

    await announce(3, on=10)
    assert await news.dates() == []
    north = await announce(2, on=20, warehouse="HAMBURG")
    assert await news.dates() == [(order_id, None, 20)]
    await dates.update(north, on=5)
    assert await news.dates() == [(order_id, 20, 10)]

    await dates.receive(3)
    assert await news.dates() == [(order_id, 10, 5)]


async def test_units_without_a_date_that_are_filled_leave_the_date_of_the_others(shop: None) -> None:
    order_id = await make.order("MUG", 5)
    await _move_waiting(order_id, 2, "HAMBURG")
    await announce(3, on=10)
    news = OrderNews()
    await news.entries()

    await adjust(2, warehouse="HAMBURG")

    assert await news.dates() == [(order_id, None, 10)]


async def _move_waiting(order_id: int, units: int, warehouse: str) -> None:
    """Have so many of an order's waiting units wait in another warehouse, as an order over two with room would."""
    (one,) = await Allocation.filter(line__order_id=order_id)
    there = await Warehouse.get(code=warehouse)
    level = await InventoryLevel.get(item__sku="MUG", warehouse_id=there.id)
    for level_id, sign in ((one.level_id, 1), (level.id, -1)):
        row = await InventoryLevel.get(id=level_id)
        row.on_hand += sign * units
        row.available += sign * units
        row.backordered -= sign * units
        await row.save()
    await Allocation.create(
        line_id=one.line_id,
        warehouse_id=there.id,
        level_id=level.id,
        position=1,
        quantity=Decimal(units),
        state=one.state,
        changed_at=one.changed_at,
    )
    one.quantity -= units
    await one.save()


async def test_the_date_of_an_order_is_the_latest_of_its_lines(shop: None) -> None:
    both = await make.order(lines={"MUG": 2, "CUP": 3})
    only = await make.order("CUP", 1)
    mugs = await announce(2, on=10)
    news = OrderNews()
    assert await news.dates() == [(both, None, None)]

    cups = await announce(4, on=20, sku="CUP")
    assert await news.dates() == [(both, None, 20), (only, None, 20)]
    await dates.update(mugs, on=15)
    assert await news.dates() == [(both, 20, 20)]
    await dates.update(cups, on=12)
    assert await news.dates() == [(both, 20, 15), (only, 20, 12)]


async def test_placing_orders_changes_no_date(three: list[int], news: OrderNews) -> None:
    await announce(30, on=10)
    await news.entries()

    orders = [await make.order("MUG", 1), await make.order("MUG", 2)]

    assert await news.entries() == [(order_id, {"placed": True}) for order_id in orders]


async def test_an_order_that_is_tried_again_is_told_no_first_date(three: list[int], news: OrderNews) -> None:
    await make.setting(backorders=BackorderMode.NO_BACKORDERS, insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    parked = await make.order("MUG", 5)
    await make.setting(backorders=BackorderMode.ALLOW)
    made = await announce(30, on=10)
    await news.entries()

    await life.retry(parked)
    assert await news.entries() == [(parked, {})]

    await dates.update(made, on=12)
    assert await news.dates() == [(order_id, 10, 12) for order_id in (*three, parked)]


async def test_what_changes_no_date_tells_nobody(three: list[int], news: OrderNews) -> None:
    made = await announce(9, on=10)
    await news.entries()

    await dates.update(made, reference="PO-2")
    await dates.update(made, quantity=20)
    await announce(5, on=20)
    await announce(5, on=None)
    await adjust(3, warehouse="HAMBURG")
    await announce(5, on=5, sku="CUP")

    assert await news.entries() == []


async def at_once(*calls: Any) -> None:
    """The first runs alone, the others are the next batch."""
    for answer in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(answer, BaseException):
            raise answer


async def test_commands_of_a_batch_each_tell_what_they_changed(three: list[int], news: OrderNews) -> None:
    first, second, third = three
    early, late = await announce(5, on=10), await announce(4, on=20)
    await news.entries()

    await at_once(
        adjust(1, sku="CUP"), dates.update(early, on=12), dates.update(late, on=25), dates.update(early, on=14)
    )

    assert await news.dates() == [
        (first, 10, 12),
        (first, 12, 14),
        (second, 10, 12),
        (second, 12, 14),
        (third, 20, 25),
    ]


async def test_a_batch_of_arrivals_and_orders_tells_each_of_what_is_so_after_those_before_it(
    three: list[int], news: OrderNews
) -> None:
    first, second, third = three
    early = await announce(5, on=10)
    await announce(9, on=20)
    await news.entries()

    placed: list[int] = []

    async def place() -> None:
        placed.append(await make.order("MUG", 1))

    await at_once(adjust(1, sku="CUP"), place(), dates.receive(2, announcement_id=early), dates.withdraw(early))

    (new,) = placed
    found = await news.entries()
    told = sorted(
        (
            order_id,
            dates.day_of(data["expected_at_before"]),
            dates.day_of(data["expected_at"]),
            data.get("updated", False),
        )
        for order_id, data in found
        if "expected_at" in data
    )
    assert told == [(first, 10, None, True), (second, 10, 20, False)]
    assert (new, {"placed": True}) in found
    assert third not in {order_id for order_id, _ in found}


async def test_a_refused_command_tells_nobody(three: list[int], news: OrderNews) -> None:
    made = await announce(9, on=10)
    await news.entries()

    answers = await asyncio.gather(
        adjust(1, sku="CUP"), adjust(-5, sku="CUP"), dates.update(made, on=12), return_exceptions=True
    )

    assert [isinstance(one, BaseException) for one in answers] == [False, True, False]
    assert await news.dates() == [(order_id, 10, 12) for order_id in three]


async def test_buffers_are_those_of_the_website_of_the_order(shop: None) -> None:
    await make.website("other", warehouses=["BERLIN"])
    await make.setting(website="other", incoming_buffer_days=3)
    here, there = await make.order("MUG", 2, website="shop"), await make.order("MUG", 2, website="other")
    await OrderLine.filter(order_id=there).update(buffer_days=3)
    made = await announce(4, on=10)
    news = OrderNews()
    assert await news.dates() == [(here, None, 10), (there, None, 13)]

    await dates.update(made, on=11)

    assert await news.dates() == [(here, 10, 11), (there, 13, 14)]


async def test_a_buffer_that_was_not_told_yet_is_told_with_the_date_and_only_once(
    three: list[int], news: OrderNews
) -> None:
    made = await announce(9, on=10)
    await news.entries()
    await make.setting(incoming_buffer_days=5)

    await dates.update(made, on=11)

    assert await news.dates() == [(order_id, 10, 16) for order_id in three]
    assert set(await OrderLine.all().values_list("buffer_days", flat=True)) == {5}


async def test_a_date_that_passed_is_told_by_the_first_who_changes_the_level(three: list[int], news: OrderNews) -> None:
    first, second, third = three
    early = await announce(5, on=10)
    await announce(9, on=20)
    await news.entries()
    await dates.let_pass(early)

    await life.cancel(third, ("MUG", 1))

    found = await news.entries()
    assert [(order_id, dates.day_of(data["expected_at"])) for order_id, data in found if "expected_at" in data] == [
        (first, 20),
        (second, 20),
    ]
    assert (await StockAnnouncement.get(id=early)).lapsed_at is not None


async def test_an_order_placed_after_a_date_passed_is_not_told_of_it(three: list[int], news: OrderNews) -> None:
    early = await announce(20, on=10)
    await news.entries()
    await dates.let_pass(early)

    new = await make.order("MUG", 1)

    found = await news.entries()
    assert sorted(order_id for order_id, data in found if "expected_at" in data) == three
    assert (new, {"placed": True}) in found
    assert (await StockAnnouncement.get(id=early)).lapsed_at is not None


async def test_ten_thousand_waiting_units_of_two_thousand_orders_are_told_of_a_slip(shop: None) -> None:
    async def slip(sku: str, orders: int) -> tuple[int, float]:
        """How many statements it takes to tell so many orders, and how long."""
        await at_once(*(make.order(sku, 5) for _ in range(orders)))
        made = await announce(5 * orders - 5, on=10, sku=sku)
        news = OrderNews()
        await news.entries()
        started = time.perf_counter()
        with Statements().counted() as sent:
            await dates.update(made, on=12)
        took = time.perf_counter() - started
        found = await news.dates()
        assert len(found) == orders - 1
        assert {(before, after) for _, before, after in found} == {(10, 12)}
        return len(sent), took

    few, _ = await slip("CUP", 20)
    many, seconds = await slip("MUG", 2_000)

    assert many == few
    assert seconds < 5


async def test_preorders_do_not_load_who_waits_already(shop: None) -> None:
    async def statements() -> list[str]:
        with Statements().counted() as sent:
            await make.order("MUG", 1)
        return sent

    await announce(500, on=10)
    await make.order("MUG", 1)
    first = await statements()
    await at_once(*(make.order("MUG", 1) for _ in range(100)))

    later = await statements()

    assert len(later) == len(first)
    assert not [one for one in later if "FROM allocation" in one]
