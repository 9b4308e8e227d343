"""Edits, moves, cancellations, shipments and deliveries that reach for the same few units of the same orders at once."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from gqlstock.rules import orders as order_rules
from gqlstock.rules.settings import InventoryDecrement
from gqlstock.services import verification
from gqlstock.store.orders import Allocation
from support import crowd as crowds
from support import order_life as life
from support import shop_builders as make
from support import stock_load

CALLS, ORDERS = 200, 6
_AT_ONCE = {"place": 4, "edit": 12, "move": 12, "cancel": 6, "pack": 8, "ship": 8, "receive": 6, "adjust": 3}


async def test_one_serial_order_explains_what_is_done_to_the_same_few_orders(
    db: None, database_env: dict[str, str]
) -> None:
    given = {"groups": ["counted"], "chances": {"counted": _AT_ONCE}, "remembered": 2}

    result = await stock_load.run(database_env, calls=CALLS, clients=8, **given)

    assert result.problems == []
    assert await verification.verify() == []


async def test_edits_and_moves_never_take_more_than_there_is(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    """Each order wants more, less and other units all at once; two warehouses have two units too few for all of them."""
    await life.shop()
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    await make.stock("MUG", "BERLIN", 2 * ORDERS)
    await make.stock("MUG", "HAMBURG", ORDERS - 2)
    orders = [await life.place(("MUG", 2)) for _ in range(ORDERS)]
    shipments = [await life.pack(order_id, "BERLIN", ("MUG", 1)) for order_id in orders]

    async with crowds.clients_and_servers(database_env, tmp_path) as (http, servers):
        crowd = crowds.Crowd(http, servers)

        async def change(order_id: int, quantity: int) -> Any:
            row = {"sku": "MUG", "quantity": quantity}
            return await crowd.do("editOrder", "order { status }", number=order_rules.number(order_id), change=[row])

        async def move(order_id: int) -> Any:
            row = {"sku": "MUG", "quantity": 1, "from": "BERLIN", "to": "HAMBURG"}
            number = order_rules.number(order_id)
            return await crowd.do("moveAllocations", "order { status }", number=number, lines=[row])

        async def cancel(order_id: int) -> Any:
            row = {"sku": "MUG", "quantity": 1}
            return await crowd.do("cancelOrder", "order { status }", number=order_rules.number(order_id), lines=[row])

        async def ship(number: str) -> Any:
            return await crowd.do("shipShipment", "shipment { state }", number=number)

        async def receive() -> Any:
            row = {"sku": "MUG", "quantity": 1}
            return await crowd.do("receiveStock", "movements { id }", warehouse="HAMBURG", lines=[row])

        steps = [
            step
            for order_id, number in zip(orders, shipments, strict=True)
            for step in (change(order_id, 4), move(order_id), cancel(order_id), ship(number), change(order_id, 3))
        ]
        ends = await asyncio.gather(*steps, receive(), receive())

    assert {end for end in ends if isinstance(end, str)} <= {"INSUFFICIENT_STOCK", "INVALID_STATE"}
    units = Counter[str]()
    for one in await Allocation.all().select_related("warehouse"):
        units[one.state.value] += int(one.quantity)
    levels = [await life.figures("MUG", place) for place in ("BERLIN", "HAMBURG")]
    assert sum(level.on_hand for level in levels) == 3 * ORDERS - units["SHIPPED"]
    assert sum(level.reserved + level.planned for level in levels) == units["ON_HAND"]
    assert all(level.on_hand >= level.reserved + level.planned for level in levels)
    assert units["BACKORDERED"] == 0
    for order_id in orders:
        open_units = [state for *_, state in await life.units(order_id) if state != "CANCELED"]
        assert open_units
    assert await verification.verify() == []
