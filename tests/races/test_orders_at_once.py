import asyncio
import logging
import os
import random
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import adjust_stock, verification
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.store.db import sql
from gqlstock.store.inventory import InventoryLevel
from gqlstock.store.orders import Allocation, Order, OrderLine
from support import server_processes
from support import shop_builders as make
from support.server_processes import Server

ON_POSTGRES = bool(os.environ.get("GQLSTOCK_TEST_DATABASE_URL"))
only_on_postgres = pytest.mark.skipif(not ON_POSTGRES, reason="needs GQLSTOCK_TEST_DATABASE_URL")

PLACE = """mutation ($input: PlaceOrderInput!) {
  placeOrder(input: $input) { order { number } userErrors { code message } }
}"""
TRANSFER = "mutation ($input: TransferStockInput!) { transferStock(input: $input) { userErrors { code message } } }"


async def place(http: httpx.AsyncClient, at: Server, lines: list[tuple[str, int]], **more: Any) -> str:
    """The number of the order, or the code of what refused it."""
    wanted = {"lines": [{"sku": sku, "quantity": units} for sku, units in lines], **more}
    payload = (await server_processes.ask(http, at, PLACE, input=wanted))["placeOrder"]
    if payload["userErrors"]:
        (error,) = payload["userErrors"]
        return str(error["code"])
    return str(payload["order"]["number"])


async def stocked(**units: int) -> None:
    """MUG in these warehouses, sold by one website in their order."""
    for warehouse in units:
        await make.warehouse(warehouse)
    await make.website("shop", warehouses=list(units))
    await make.product("MUG")
    for warehouse, on_hand in units.items():
        await make.stock("MUG", warehouse, on_hand)


async def on_hand(warehouse: str, sku: str = "MUG") -> Decimal:
    return (await InventoryLevel.get(item__sku=sku, warehouse__code=warehouse)).on_hand


async def assert_100_are_sold_to_300_clients(http: httpx.AsyncClient, servers: list[Server]) -> None:
    answers = await asyncio.gather(*(place(http, servers[n % len(servers)], [("MUG", 1)]) for n in range(300)))

    refused = [answer for answer in answers if not answer.isdigit()]
    assert Counter(refused) == {"INSUFFICIENT_STOCK": 200}
    assert len({answer for answer in answers if answer.isdigit()}) == 100
    assert (await on_hand("BERLIN"), await on_hand("HAMBURG")) == (0, 0)
    given = Counter(one.warehouse.code for one in await Allocation.all().select_related("warehouse"))
    assert given == {"BERLIN": 60, "HAMBURG": 40}
    assert await verification.verify() == []


async def test_300_clients_at_once_get_100_units_and_not_one_more(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    """Vendure accepted 300 of 300 here, Saleor 101 to 110 with up to 190 internal errors."""
    await stocked(BERLIN=60, HAMBURG=40)
    token = await make.token("orders:write")

    async with server_processes.running(database_env, tmp_path) as one, server_processes.client(token) as http:
        await assert_100_are_sold_to_300_clients(http, [one])


async def test_two_processes_sell_no_unit_twice(db: None, database_env: dict[str, str], tmp_path: Path) -> None:
    await stocked(BERLIN=60, HAMBURG=40)
    token = await make.token("orders:write")

    async with (
        server_processes.running(database_env, tmp_path) as one,
        server_processes.running(database_env, tmp_path) as two,
        server_processes.client(token) as http,
    ):
        await assert_100_are_sold_to_300_clients(http, [one, two])


async def test_a_client_that_repeats_every_call_under_its_key_orders_once(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await stocked(BERLIN=30)
    token = await make.token("orders:write")

    async with (
        server_processes.running(database_env, tmp_path) as one,
        server_processes.running(database_env, tmp_path) as two,
        server_processes.client(token) as http,
    ):
        calls = [
            place(http, at, [("MUG", 1)], idempotencyKey=f"cart-{cart}") for cart in range(20) for at in (one, two, one)
        ]
        answers = await asyncio.gather(*calls)

    assert [len(set(answers[n : n + 3])) for n in range(0, 60, 3)] == [1] * 20
    assert await Order.all().count() == 20
    assert await on_hand("BERLIN") == 10
    assert await verification.verify() == []


async def shop_until_it_is_gone(http: httpx.AsyncClient, at: Server, confirmed: list[str], sent: list[str]) -> None:
    """Order on and on, each order under a reference of its own, until nobody answers."""
    while True:
        reference = f"R-{len(sent)}"
        sent.append(reference)
        try:
            answer = await place(http, at, [("MUG", 1), ("CUP", 2)], reference=reference)
        except httpx.TransportError:
            return
        assert answer.isdigit(), answer
        confirmed.append(reference)


async def test_no_confirmed_order_is_lost_when_the_server_is_killed(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await stocked(BERLIN=100_000)
    await make.product("CUP")
    await make.stock("CUP", "BERLIN", 100_000)
    token = await make.token("orders:write")
    confirmed: list[str] = []
    sent: list[str] = []

    for _ in range(20):
        one = server_processes.start(database_env, tmp_path)
        try:
            await server_processes.ready(one)
            async with server_processes.client(token) as http:
                shoppers = [shop_until_it_is_gone(http, one, confirmed, sent) for _ in range(8)]
                shopping = asyncio.gather(*shoppers)
                await asyncio.sleep(random.uniform(0.1, 0.6))
                await asyncio.to_thread(server_processes.kill, one)
                await shopping
        finally:
            server_processes.stop(one)
        placed = await Order.all().values_list("reference", flat=True)
        assert set(confirmed) <= set(placed) <= set(sent)
        assert len(placed) == len(set(placed))
        assert await OrderLine.all().count() == 2 * len(placed)
        assert await on_hand("BERLIN") == 100_000 - len(placed)
        assert await on_hand("BERLIN", "CUP") == 100_000 - 2 * len(placed)
        assert await verification.verify() == []

    assert len(confirmed) > 30


async def deadlocks() -> int:
    found = await sql.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return int(found[0]["deadlocks"])


async def move(http: httpx.AsyncClient, at: Server, source: str, target: str, skus: list[str]) -> list[Any]:
    asked = {"from": source, "to": target, "lines": [{"sku": sku, "quantity": 1} for sku in skus]}
    errors: list[Any] = (await server_processes.ask(http, at, TRANSFER, input=asked))["transferStock"]["userErrors"]
    return errors


async def test_transfers_that_cross_neither_wait_for_each_other_for_ever_nor_lose_a_unit(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await stocked(BERLIN=50, HAMBURG=50)
    await make.product("CUP")
    await make.stock("CUP", "BERLIN", 50)
    await make.stock("CUP", "HAMBURG", 50)
    token = await make.token("inventory:write")

    async with (
        server_processes.running(database_env, tmp_path) as one,
        server_processes.running(database_env, tmp_path) as two,
        server_processes.client(token) as http,
    ):
        there = [move(http, one, "BERLIN", "HAMBURG", ["MUG", "CUP"]) for _ in range(20)]
        back = [move(http, two, "HAMBURG", "BERLIN", ["CUP", "MUG"]) for _ in range(15)]
        errors = await asyncio.gather(*there, *back)

    assert errors == [[]] * 35
    assert [await on_hand(w, sku) for sku in ("MUG", "CUP") for w in ("BERLIN", "HAMBURG")] == [45, 55, 45, 55]
    assert await verification.verify() == []


async def fill(*skus: str) -> None:
    changes = tuple(StockAdjustment(sku, "BERLIN", Decimal(1)) for sku in skus)
    await adjust_stock.adjust(SYSTEM, AdjustStockRequest(changes))


@only_on_postgres
async def test_filling_the_same_orders_from_different_items_never_deadlocks(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    """A and B fill the first order and then the second, C and D the second and then the first."""
    await make.shop()
    await make.setting(backorders=BackorderMode.ALLOW)
    for sku in "ABCD":
        await make.product(sku)
        await make.stock(sku, on_hand=0)
    caplog.set_level(logging.INFO, "gqlstock.store.db.transactions")

    for _ in range(10):
        await make.order(lines={"A": 1, "D": 1})
        await make.order(lines={"B": 1, "C": 1})
        await asyncio.gather(fill("A", "B"), fill("C", "D"))

    assert await Allocation.filter(state="BACKORDERED").count() == 0
    assert [record.getMessage() for record in caplog.records] == []
    assert await verification.verify() == []


@only_on_postgres
async def test_orders_of_the_same_items_in_another_order_of_lines_never_deadlock(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    await stocked(BERLIN=1)
    skus = [f"SKU-{n}" for n in range(40)]
    for sku in skus:
        await make.product(sku)
        await make.stock(sku, "BERLIN", 1_000)
    token = await make.token("orders:write")
    before = await deadlocks()
    chosen = [random.sample(skus, 20) for _ in range(50)]

    async with (
        server_processes.running(database_env, tmp_path) as one,
        server_processes.running(database_env, tmp_path) as two,
        server_processes.client(token) as http,
    ):
        began = time.monotonic()
        answers = await asyncio.gather(
            *(place(http, (one, two)[n % 2], [(sku, 1) for sku in lines]) for n, lines in enumerate(chosen))
        )
        took = time.monotonic() - began

    assert all(answer.isdigit() for answer in answers)
    assert took < 15
    assert await deadlocks() == before
    sold = Counter(sku for lines in chosen for sku in lines)
    left = {one.item.sku: one.on_hand for one in await InventoryLevel.all().select_related("item")}
    assert {sku: left[sku] for sku in skus} == {sku: 1_000 - sold[sku] for sku in skus}
    assert await verification.verify() == []
