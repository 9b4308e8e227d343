"""Webhooks and mail of real server processes that are killed, and that share the work."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from gqlstock.rules.retries import WorkState
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import back_in_stock, reassess, webhooks
from gqlstock.store import work
from gqlstock.store.db import clock, connection, sql, transactions
from gqlstock.store.mail import Mail
from gqlstock.store.orders import Order
from gqlstock.store.webhooks import WebhookDelivery
from support import server_processes, smtp_server, webhook_receiver
from support import shop_builders as make
from support.server_processes import Server
from support.settled_news import settled
from support.smtp_server import Postbox
from support.webhook_receiver import Receiver

ADJUST = """mutation ($input: AdjustStockInput!) {
  adjustStock(input: $input) { userErrors { code message } }
}"""
PLACE = """mutation ($input: PlaceOrderInput!) {
  placeOrder(input: $input) { order { number } userErrors { code message } }
}"""
PACK = """mutation ($input: CreateShipmentInput!) {
  createShipment(input: $input) { shipment { number } userErrors { code message } }
}"""
SHIP = """mutation ($input: ShipShipmentInput!) {
  shipShipment(input: $input) { userErrors { code message } }
}"""
RENAME = """mutation ($input: UpdateProductInput!) {
  updateProduct(input: $input) { userErrors { code message } }
}"""


# Some five where nothing else keeps the machine busy.
_SECONDS_TO_TAKE_OVER = 12.0


@pytest.fixture
def box() -> Iterator[Postbox]:
    with smtp_server.open_postbox() as made:
        yield made


@pytest.fixture
def env(database_env: dict[str, str], box: Postbox) -> dict[str, str]:
    """A server that may call this machine, writes to the postbox, and whose administrator wants to know."""
    own = {"GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES": "true", "GQLSTOCK_ADMIN_EMAILS": "admin@shop.example"}
    return {**database_env, **box.env, **own}


async def endpoint(to: Receiver, *topics: WebhookTopic) -> str:
    # What was done before is not news to it.
    await settled()
    _, secret = await webhooks.create(to.url(), topics, private_addresses=True)
    return secret


async def until_all_are(state: WorkState, count: int) -> None:
    async with asyncio.timeout(server_processes.PATIENCE):
        while True:
            if await WebhookDelivery.filter(state=state).count() >= count:
                return
            await asyncio.sleep(0.05)


async def test_what_was_committed_before_a_crash_is_delivered_after_it(
    db: None, env: dict[str, str], box: Postbox, tmp_path: Path
) -> None:
    """Nothing was delivered when the process died: neither made into work, nor sent."""
    await make.shop()
    await make.product("MUG", name="Mug")
    await make.stock("MUG", on_hand=0)
    await make.setting(product="MUG", notify_below=2)
    # An alert before the endpoint is there: the administrator gets two letters, the endpoint one message.
    await reassess.run()
    await back_in_stock.subscribe("MUG", None, "anna@shoppers.example")
    token = await make.token("inventory:write", "orders:write")
    async with webhook_receiver.receiving() as there:
        await endpoint(there, WebhookTopic.ORDER_PLACED, WebhookTopic.LOW_INVENTORY)
        one = server_processes.start(env, tmp_path)
        try:
            await server_processes.ready(one)
            async with server_processes.client(token) as http:
                change = {"changes": [{"sku": "MUG", "warehouse": "BERLIN", "delta": 3}]}
                await server_processes.ask(http, one, ADJUST, input=change)
                # Whether it got round to any of it or not: it is dead at once.
                await server_processes.ask(http, one, PLACE, input={"lines": [{"sku": "MUG", "quantity": 2}]})
                server_processes.kill(one)
        finally:
            server_processes.stop(one)
        async with server_processes.running(env, tmp_path):
            await make_leases_end()
            messages = {message.id: message.told["type"] for message in await there.has(2)}
            letters = {letter["Message-ID"]: letter["To"] for letter in await asyncio.to_thread(box.has, 3)}
            await until_all_are(WorkState.DELIVERED, 2)

    assert sorted(messages.values()) == ["inventory.low", "order.placed"]
    assert sorted(letters.values()) == ["admin@shop.example", "admin@shop.example", "anna@shoppers.example"]


async def order_until_it_is_dead(http: httpx.AsyncClient, at: Server, numbers: list[str]) -> None:
    while True:
        try:
            wanted = {"lines": [{"sku": "MUG", "quantity": 1}]}
            numbers.append((await server_processes.ask(http, at, PLACE, input=wanted))["placeOrder"]["order"]["number"])
        except httpx.TransportError:
            return


async def test_no_confirmed_order_is_left_untold_however_often_the_server_is_killed(
    db: None, env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=100_000)
    token = await make.token("orders:write")
    numbers: list[str] = []
    async with webhook_receiver.receiving() as there:
        await endpoint(there, WebhookTopic.ORDER_PLACED)
        for _ in range(3):
            confirmed = len(numbers)
            one = server_processes.start(env, tmp_path)
            try:
                await server_processes.ready(one)
                async with server_processes.client(token) as http:
                    ordering = asyncio.gather(*(order_until_it_is_dead(http, one, numbers) for _ in range(4)))
                    async with asyncio.timeout(server_processes.PATIENCE):
                        while len(numbers) < confirmed + 5:  # noqa: ASYNC110
                            await asyncio.sleep(0.01)
                    await asyncio.sleep(random.uniform(0, 0.4))
                    await asyncio.to_thread(server_processes.kill, one)
                    await ordering
            finally:
                server_processes.stop(one)
        placed = await Order.all().count()
        async with server_processes.running(env, tmp_path):
            await asyncio.sleep(0.5)
            await make_leases_end()
            await until_all_are(WorkState.DELIVERED, placed)

    ids: dict[str, set[str]] = {}
    for message in there.received:
        ids.setdefault(message.told["data"]["order"]["number"], set()).add(message.id)
    assert set(numbers) <= ids.keys()
    assert len(ids) == placed
    assert {len(same) for same in ids.values()} == {1}
    assert len(numbers) > 10


async def make_leases_end() -> None:
    """As if the time were over that whoever had taken something may keep it."""
    over = clock.now() - timedelta(seconds=1)
    await WebhookDelivery.filter(due_at__isnull=False).update(due_at=over)
    await Mail.filter(due_at__isnull=False).update(due_at=over)


async def test_a_delivery_that_its_process_did_not_survive_is_taken_over_by_another_one_under_the_same_id(
    db: None, env: dict[str, str], tmp_path: Path
) -> None:
    """No two send it at once while the first lives, however long it waits; once that is killed it takes seconds."""
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=10)
    async with (
        webhook_receiver.receiving(lambda _: None) as there,
        server_processes.running(env, tmp_path) as one,
        server_processes.running(env, tmp_path) as other,
    ):
        async with paused(other):
            secret = await endpoint(there, WebhookTopic.INVENTORY_CHANGED)
            for quantity in (9, 8):
                await make.stock("MUG", on_hand=quantity)
            await there.has(1)
        await asyncio.sleep(1.5 * work.LEASE.total_seconds())
        assert there.asked_at_once == 1
        assert {message.id for message in there.received} == {there.received[0].id}

        there.answer = lambda _: 204
        server_processes.kill(one)
        killed, before = time.monotonic(), len(there.received)
        await there.has(before + 2)
        took = time.monotonic() - killed
        await until_all_are(WorkState.DELIVERED, 2)

    first, (again, second) = there.received[0], there.received[before:]
    assert first.id == again.id
    left = [message.verified(secret)["data"]["movement"]["onHandAfter"] for message in (again, second)]
    assert left == [9, 8]
    assert took < _SECONDS_TO_TAKE_OVER


async def test_a_letter_that_its_process_did_not_survive_is_sent_by_another_one(
    db: None, env: dict[str, str], box: Postbox, tmp_path: Path
) -> None:
    await make.shop()
    await make.product("MUG", name="Mug")
    await make.stock("MUG", on_hand=0)
    await back_in_stock.subscribe("MUG", None, "anna@shoppers.example")
    box.keeps_waiting = True
    async with server_processes.running(env, tmp_path) as one, server_processes.running(env, tmp_path) as other:
        async with paused(other):
            await make.stock("MUG", on_hand=3)
            await until_a_letter_is_being_sent()
        await asyncio.sleep(1.5 * work.LEASE.total_seconds())
        (row,) = await Mail.all()
        assert (row.sending, row.attempts) == (True, 1)

        box.keeps_waiting = False
        server_processes.kill(one)
        killed = time.monotonic()
        await asyncio.to_thread(box.has, 1)
        took = time.monotonic() - killed

    assert [letter["To"] for letter in box.letters] == ["anna@shoppers.example"]
    assert took < _SECONDS_TO_TAKE_OVER


@contextlib.asynccontextmanager
async def paused(one: Server) -> AsyncIterator[None]:
    """A server does nothing for the block, so that another one gets what there is to do."""

    async def pause() -> None:
        one.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, one.process.pid, os.WSTOPPED | os.WNOWAIT)  # noqa: ASYNC222

    # SQLite has one write lock. The pause begins in a transaction, so that the server does not hold the lock meanwhile.
    await transactions.run(pause)
    while await _is_in_a_transaction():
        one.process.send_signal(signal.SIGCONT)
        await asyncio.sleep(0.1)
        await transactions.run(pause)
    try:
        yield
    finally:
        one.process.send_signal(signal.SIGCONT)


async def _is_in_a_transaction() -> bool:
    """Whether a session of PostgreSQL has a transaction that does not end: the stopped server may hold locks."""
    if not connection.is_postgres():
        return False
    before = await _transactions()
    await asyncio.sleep(0.3)
    return bool(before & await _transactions())


async def _transactions() -> set[tuple[int, datetime]]:
    rows = await sql.query("""SELECT pid, xact_start FROM pg_stat_activity
        WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()""")
    return {(row["pid"], row["xact_start"]) for row in rows}


async def until_a_letter_is_being_sent() -> None:
    async with asyncio.timeout(server_processes.PATIENCE):
        while not await Mail.filter(sending=True).exists():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_several_processes_do_each_thing_once(
    db: None, env: dict[str, str], box: Postbox, tmp_path: Path
) -> None:
    await make.shop()
    await make.product("MUG", name="Mug")
    await make.stock("MUG", on_hand=60)
    await make.setting(product="MUG", notify_below=20)
    await make.product("CUP", name="Cup")
    await make.stock("CUP", on_hand=0)
    for number in range(20):
        await back_in_stock.subscribe("CUP", None, f"s{number}@shoppers.example")
    token = await make.token("inventory:write", "orders:write")
    async with (
        webhook_receiver.receiving() as there,
        server_processes.running(env, tmp_path) as one,
        server_processes.running(env, tmp_path) as two,
        server_processes.client(token) as http,
    ):
        await endpoint(there, *WebhookTopic)
        servers: list[Server] = [one, two]
        change = {"changes": [{"sku": "CUP", "warehouse": "BERLIN", "delta": 5}]}
        await server_processes.ask(http, one, ADJUST, input=change)
        wanted = {"lines": [{"sku": "MUG", "quantity": 1}]}
        await asyncio.gather(*(server_processes.ask(http, servers[n % 2], PLACE, input=wanted) for n in range(60)))
        # 61 changes of levels, 60 orders, an alert, one item that ran out and one that is back.
        await until_all_are(WorkState.DELIVERED, 124)
        await asyncio.to_thread(box.has, 21)
        await asyncio.sleep(1)

    kinds = Counter(message.told["type"] for message in there.received)
    assert kinds == {
        "inventory.changed": 61,
        "order.placed": 60,
        "inventory.low": 1,
        "inventory.out_of_stock": 1,
        "inventory.back_in_stock": 1,
    }
    assert len(set(there.ids)) == 124
    assert Counter(letter["To"] for letter in box.letters) == {
        "admin@shop.example": 1,
        **{f"s{number}@shoppers.example": 1 for number in range(20)},
    }
    left = [
        message.told["data"]["movement"]["onHandAfter"]
        for message in there.received
        if message.told["type"] == "inventory.changed" and message.told["data"]["item"]["sku"] == "MUG"
    ]
    assert left == list(range(59, -1, -1))


async def test_shipments_and_products_are_told_completely_and_in_order_although_a_server_is_killed(
    db: None, env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=10)
    token = await make.token("orders:write", "catalog:write")
    async with (
        webhook_receiver.receiving() as there,
        server_processes.running(env, tmp_path) as one,
        server_processes.running(env, tmp_path) as other,
        server_processes.client(token) as http,
    ):
        secret = await endpoint(there, WebhookTopic.SHIPMENT_UPDATED, WebhookTopic.PRODUCT_UPDATED)
        for number in range(10):
            at = one if number < 5 else other
            order = (await server_processes.ask(http, at, PLACE, input={"lines": [{"sku": "MUG", "quantity": 1}]}))[
                "placeOrder"
            ]["order"]["number"]
            made = await server_processes.ask(http, at, PACK, input={"order": order, "warehouse": "BERLIN"})
            shipped = {"number": made["createShipment"]["shipment"]["number"]}
            await server_processes.ask(http, at, SHIP, input=shipped)
            await server_processes.ask(http, at, RENAME, input={"sku": "MUG", "name": f"Mug {number}"})
            if number == 4:
                server_processes.kill(one)
        await make_leases_end()
        await until_all_are(WorkState.DELIVERED, 30)

    # Whatever was sent twice has the same id.
    told = {message.id: message.verified(secret) for message in there.received}
    assert len(told) == 30
    steps: dict[str, list[tuple[str | None, str]]] = {}
    for message in told.values():
        if message["type"] == "shipment.updated":
            data = message["data"]
            steps.setdefault(data["shipment"]["number"], []).append((data["stateBefore"], data["state"]))
    assert steps == {f"S{100_001 + number}": [(None, "READY"), ("READY", "SHIPPED")] for number in range(10)}
    products = [message["data"] for message in told.values() if message["type"] == "product.updated"]
    assert [(data["change"], data["product"]["sku"]) for data in products] == [("UPDATED", "MUG")] * 10
    assert products[-1]["product"]["name"] == "Mug 9"


async def test_a_server_that_is_asked_to_end_hands_back_what_it_has_in_hand(
    db: None, env: dict[str, str], tmp_path: Path
) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG")
    async with webhook_receiver.receiving(lambda _: None) as there:
        async with server_processes.running(env, tmp_path) as one:
            await endpoint(there, WebhookTopic.ORDER_PLACED)
            await make.order("MUG")
            await there.has(1)
        assert one.process.returncode in (0, -15), one.log.read_text()

        (row,) = await WebhookDelivery.all()
        assert (row.state, row.sending) == (WorkState.PENDING, False)
        assert row.due_at is not None
        assert row.due_at <= clock.now()
        assert "Traceback" not in one.log.read_text()
