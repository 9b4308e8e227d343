"""What clients do to one order or one unit at the same moment, on real server processes: two where there is PostgreSQL.

Each test says what must hold whoever comes first.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gqlstock.rules import orders as order_rules
from gqlstock.rules.settings import BackorderMode, InventoryDecrement
from gqlstock.rules.shipments import ShipmentState
from gqlstock.services import verification
from gqlstock.store.holds import StockHold
from gqlstock.store.orders import Allocation
from gqlstock.store.shipments import Shipment
from support import crowd as crowds
from support import order_life as life
from support import shop_builders as make
from support.order_life import Figures

ROUNDS = 8


class Crowd(crowds.Crowd):
    async def place(self, *rows: tuple[str, int], **more: Any) -> Any:
        wanted = [{"sku": sku, "quantity": quantity} for sku, quantity in rows]
        found = await self.do("placeOrder", "order { number }", lines=wanted, **more)
        return found if isinstance(found, str) else int(found["order"]["number"]) - 100_000

    async def pack(self, order_id: int) -> Any:
        asked = {"order": order_rules.number(order_id), "warehouse": "BERLIN"}
        found = await self.do("createShipment", "shipment { number }", **asked)
        return found if isinstance(found, str) else found["shipment"]["number"]

    async def ship(self, number: str) -> Any:
        return await self.do("shipShipment", "shipment { state }", number=number)

    async def unpack(self, number: str) -> Any:
        return await self.do("cancelShipment", "shipment { state }", number=number)

    async def cancel(self, order_id: int) -> Any:
        return await self.do("cancelOrder", "order { status }", number=order_rules.number(order_id))

    async def adjust(self, delta: int) -> Any:
        change = {"sku": "MUG", "warehouse": "BERLIN", "delta": delta}
        return await self.do("adjustStock", "movements { id }", changes=[change])

    async def hold(self, quantity: int) -> str:
        found = await self.do("holdStock", "hold { id }", lines=[{"sku": "MUG", "quantity": quantity}])
        return str(found["hold"]["id"])


@pytest.fixture(name="crowd")
async def _crowd(db: None, database_env: dict[str, str], tmp_path: Path) -> AsyncIterator[Crowd]:
    await life.shop()
    async with crowds.clients_and_servers(database_env, tmp_path) as (http, servers):
        yield Crowd(http, servers)
    assert await verification.verify() == []


async def test_what_is_canceled_does_not_leave_and_what_left_is_not_canceled(crowd: Crowd) -> None:
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    await make.stock("MUG", on_hand=3 * ROUNDS)
    orders = [await life.place(("MUG", 3)) for _ in range(ROUNDS)]
    numbers = [await life.pack(order_id) for order_id in orders]

    steps = [step for o, n in zip(orders, numbers, strict=True) for step in (crowd.ship(n), crowd.cancel(o))]
    ends = await asyncio.gather(*steps)

    assert Counter(end if isinstance(end, str) else "done" for end in ends) == {"INVALID_STATE": ROUNDS, "done": ROUNDS}
    left = 0
    for order_id in orders:
        ((_, quantity, state),) = await life.units(order_id)
        assert (quantity, state) in ((3, "SHIPPED"), (3, "CANCELED"))
        left += state == "SHIPPED"
    assert await life.figures() == Figures(3 * (ROUNDS - left))


async def test_a_shipment_leaves_once_however_often_it_is_sent_and_unpacked(crowd: Crowd) -> None:
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    await make.stock("MUG", on_hand=3 * ROUNDS)
    numbers = [await life.pack(await life.place(("MUG", 3))) for _ in range(ROUNDS)]

    ends = await asyncio.gather(*(step(n) for n in numbers for step in (crowd.ship, crowd.unpack, crowd.ship)))

    assert sum(not isinstance(end, str) for end in ends) == ROUNDS
    gone = await Shipment.filter(state=ShipmentState.SHIPPED).count()
    assert gone + await Shipment.filter(state=ShipmentState.CANCELED).count() == ROUNDS
    assert await life.figures() == Figures(3 * (ROUNDS - gone), reserved=3 * (ROUNDS - gone))


async def test_a_unit_is_packed_once_by_many_packers(crowd: Crowd) -> None:
    await make.stock("MUG", on_hand=30)
    order_id = await life.place(("MUG", 3))

    ends = await asyncio.gather(*(crowd.pack(order_id) for _ in range(10)))

    assert Counter(ends)["INVALID_STATE"] == 9
    assert await Shipment.all().count() == 1


async def test_what_arrives_goes_to_who_waits_before_who_comes(crowd: Crowd) -> None:
    """However arrivals and orders mix: as many units are there for orders as arrived, and the oldest have them."""
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", on_hand=0)
    waiting = [await life.place(("MUG", 2)) for _ in range(5)]

    ends = await asyncio.gather(
        *(crowd.adjust(3) for _ in range(4)), *(crowd.place(("MUG", 1)) for _ in range(8)), *[crowd.cancel(waiting[4])]
    )

    assert not [end for end in ends if isinstance(end, str)]
    assert [{state for *_, state in await life.units(order_id)} for order_id in waiting[:4]] == [{"ON_HAND"}] * 4
    there = await Allocation.filter(state="ON_HAND").all()
    waits = await Allocation.filter(state="BACKORDERED").all()
    assert (sum(one.quantity for one in there), sum(one.quantity for one in waits)) == (12, 4)
    assert await life.figures() == Figures(-4, backordered=4)


async def test_what_a_hold_gives_up_is_sold_once(crowd: Crowd) -> None:
    """A hold of all there is runs out while its cart, its release, the sweep and other buyers reach for the units."""
    await make.stock("MUG", on_hand=ROUNDS)
    hold = await crowd.hold(ROUNDS)
    await life.expire((await StockHold.get(state="ACTIVE")).id, 0.15)

    async def shop_late(seconds: float, **more: Any) -> Any:
        await asyncio.sleep(seconds)
        return await crowd.place(("MUG", 1), **more)

    buyers = [shop_late(number * 0.02) for number in range(2 * ROUNDS)]
    ends = await asyncio.gather(*buyers, shop_late(0.14, hold=hold), shop_late(0.15, hold=hold))
    late = await asyncio.gather(*(crowd.place(("MUG", 1)) for _ in range(ROUNDS)))

    sold = [end for end in [*ends, *late] if not isinstance(end, str)]
    assert len(sold) == ROUNDS
    assert {end for end in [*ends, *late] if isinstance(end, str)} <= {
        "INSUFFICIENT_STOCK",
        "HOLD_EXPIRED",
        "INVALID_STATE",
    }
    for _ in range(100):
        if not await StockHold.filter(state="ACTIVE").exists():
            break
        await asyncio.sleep(0.1)
    assert not await StockHold.filter(state="ACTIVE").exists()
    assert await life.figures() == Figures(0)


async def test_a_hold_is_ordered_or_released_and_never_both(crowd: Crowd) -> None:
    await make.stock("MUG", on_hand=ROUNDS)
    ids = [await crowd.hold(1) for _ in range(ROUNDS)]

    steps = [
        step
        for hold in ids
        for step in (
            crowd.place(("MUG", 1), hold=hold),
            crowd.do("releaseStockHold", "hold { state }", id=hold),
            crowd.place(("MUG", 1), hold=hold),
        )
    ]
    ends = await asyncio.gather(*steps)

    assert Counter(end for end in ends if isinstance(end, str)) == {"INVALID_STATE": 2 * ROUNDS}
    ordered = await StockHold.filter(state="ORDERED").count()
    assert await StockHold.filter(state="RELEASED").count() == ROUNDS - ordered
    assert await life.figures() == Figures(ROUNDS - ordered)


@pytest.mark.parametrize("mode", InventoryDecrement)
async def test_one_unit_has_one_buyer(crowd: Crowd, mode: InventoryDecrement) -> None:
    """Under NEVER nothing is taken, so that there is nothing to run out of."""
    await make.setting(decrement_inventory=mode)
    await make.stock("MUG", on_hand=1)

    ends = await asyncio.gather(*(crowd.place(("MUG", 1)) for _ in range(25)))

    sold = [end for end in ends if not isinstance(end, str)]
    assert len(sold) == (25 if mode is InventoryDecrement.NEVER else 1)
    assert {end for end in ends if isinstance(end, str)} <= {"INSUFFICIENT_STOCK"}


async def test_two_lines_of_one_item_are_had_together_or_not_at_all(crowd: Crowd) -> None:
    await make.stock("MUG", "BERLIN", 4)
    await make.stock("MUG", "HAMBURG", 3)

    ends = await asyncio.gather(*(crowd.place(("MUG", 1), ("MUG", 2)) for _ in range(12)))

    assert Counter(end for end in ends if isinstance(end, str)) == {"INSUFFICIENT_STOCK": 10}
    for order_id in (end for end in ends if not isinstance(end, str)):
        assert sum((quantity for _, quantity, _ in await life.units(order_id)), Decimal()) == 3
    left = [await life.figures("MUG", place) for place in ("BERLIN", "HAMBURG")]
    assert left == [Figures(0), Figures(1)]
