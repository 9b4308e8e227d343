"""Locks that a transaction holds for long, such as that of a lost host: few connections wait, and other changes go on."""

import asyncio
import time
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from gqlstock.rules.limits import PublicHolds
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.scopes import ANONYMOUS, SYSTEM
from gqlstock.services import hold_stock, place_order, verification
from gqlstock.services.hold_stock import Guest, HoldRequest
from gqlstock.stock.command import Result
from gqlstock.store.db import connection, sql, transactions
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from gqlstock.store.db.outages import Patience, Unavailable
from gqlstock.store.warehouses import Warehouse
from support import shop_builders as make
from support.item_locks import address_locked, item_locked, row_locked

_PATIENCE = Patience(outage=60, statement=1.2)
"""Statements wait for locks for 0.2 seconds, and transactions may be idle for 1.2 seconds."""
_ADDRESS = "203.0.113.7"
_SOON = 3.0


@pytest.fixture
async def postgres(database_url: DatabaseUrl) -> AsyncIterator[Postgres]:
    """A shop with MUG and CUP, open as in a server."""
    if not isinstance(database_url, Postgres):
        pytest.skip("SQLite has no row locks")
    async with connection.opened(database_url, everywhere=True, patience=_PATIENCE):
        await make.shop()
        for sku in ("MUG", "CUP"):
            await make.product(sku)
            await make.stock(sku, on_hand=10)
        yield database_url
        assert await verification.verify() == []


async def place(sku: str) -> Result:
    return await place_order.place(SYSTEM, OrderRequest((RequestedLine(sku, Decimal(1)),)))


async def hold(sku: str) -> Result:
    limits = PublicHolds(minutes=60, lines=5, active=5)
    return await hold_stock.hold(
        ANONYMOUS, HoldRequest((RequestedLine(sku, Decimal(1)),)), guest=Guest(_ADDRESS, limits)
    )


async def test_no_more_connections_wait_for_a_lock_the_longer_it_is_held(postgres: Postgres) -> None:
    async with item_locked(postgres, "MUG") as lock:
        orders = []
        for _ in range(5):
            orders.append(asyncio.create_task(place("MUG")))
            await asyncio.sleep(0.3)
        waiting = await lock.waiting()
        await asyncio.wait_for(place("CUP"), _SOON)
        await lock.release()

        await asyncio.wait_for(asyncio.gather(*orders), _SOON)

    assert waiting <= 2


async def test_a_locked_address_delays_no_orders_and_its_holds_go_on_when_it_is_free(postgres: Postgres) -> None:
    async with address_locked(postgres, _ADDRESS) as lock:
        holding = asyncio.create_task(hold("MUG"))
        await lock.until_waiting(1)
        await asyncio.wait_for(place("MUG"), _SOON)
        assert not holding.done()
        await lock.release()

        await asyncio.wait_for(holding, _SOON)


async def test_a_transaction_that_waits_for_a_row_in_vain_changes_nothing_and_says_so(postgres: Postgres) -> None:
    async with row_locked(postgres, "warehouse", "BERLIN"):
        with pytest.raises(Unavailable, match="other transactions hold the locks that a change needs"):
            await transactions.run(lambda: Warehouse.filter(code="BERLIN").update(name="Renamed"), attempts=3)

    assert (await Warehouse.get(code="BERLIN")).name == "Berlin"


async def test_the_locks_of_a_transaction_that_went_silent_are_released(postgres: Postgres) -> None:
    attempts: list[float] = []
    locked = asyncio.Event()

    async def rename() -> None:
        attempts.append(time.monotonic())
        await sql.execute("UPDATE item SET name = 'Renamed' WHERE sku = 'MUG' RETURNING id")
        if len(attempts) == 1:
            locked.set()
            # Like a process that was stopped: the connection stays open.
            await asyncio.sleep(4)
        await sql.execute("UPDATE item SET name = 'Renamed' WHERE sku = 'MUG' RETURNING id")

    renaming = asyncio.create_task(transactions.run(rename))
    await locked.wait()
    began = time.monotonic()

    await asyncio.wait_for(place("MUG"), 10)

    assert time.monotonic() - began < 4
    await asyncio.wait_for(renaming, 30)
    # PostgreSQL had ended the first attempt.
    assert len(attempts) == 2
