"""Calls whose answers are lost, between the server and PostgreSQL or on the way to the client, change stock once."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from gqlstock.services import verification
from gqlstock.store.db import sql
from gqlstock.store.db.connection import DatabaseUrl, Postgres
from support import server_processes
from support import shop_builders as make
from support.item_locks import item_locked, table_locked
from support.lost_commits import losing_commits, url_through
from support.server_processes import Server

APPLIED = """SELECT reference, count(*) AS times FROM (
    SELECT reference FROM customer_order UNION ALL
    SELECT reference FROM stock_movement WHERE kind IN ('ADJUSTMENT', 'TRANSFER_IN')
) AS done WHERE reference IS NOT NULL GROUP BY reference"""
# What a call takes until it waits where it has to wait.
_SETTLED = 0.5


@pytest.fixture
def postgres(database_url: DatabaseUrl) -> Postgres:
    if not isinstance(database_url, Postgres):
        pytest.skip("needs GQLSTOCK_TEST_DATABASE_URL")
    return database_url


async def stocked(**units: int) -> None:
    await make.warehouse("BERLIN")
    await make.warehouse("HAMBURG")
    await make.website("shop", warehouses=["BERLIN"])
    for sku, on_hand in units.items():
        await make.product(sku)
        await make.stock(sku, on_hand=on_hand)


async def call(http: httpx.AsyncClient, at: Server, mutation: str, **given: Any) -> str:
    """ "done", the code of what refused it, or the code of a masked error."""
    name = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation($input: {name}!) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"
    answer = (await http.post(at.url, json={"query": query, "variables": {"input": given}})).json()
    if "errors" in answer:
        return str(answer["errors"][0]["extensions"]["code"])
    refused = answer["data"][mutation]["userErrors"]
    return str(refused[0]["code"]) if refused else "done"


def order(http: httpx.AsyncClient, at: Server, sku: str, reference: str, **more: Any) -> asyncio.Task[str]:
    lines = [{"sku": sku, "quantity": 1}]
    return asyncio.create_task(call(http, at, "placeOrder", lines=lines, reference=reference, **more))


def adjust(http: httpx.AsyncClient, at: Server, sku: str, reference: str) -> asyncio.Task[str]:
    changes = [{"sku": sku, "warehouse": "BERLIN", "delta": 1}]
    return asyncio.create_task(call(http, at, "adjustStock", changes=changes, reference=reference))


def transfer(http: httpx.AsyncClient, at: Server, sku: str, reference: str) -> asyncio.Task[str]:
    asked: dict[str, Any] = {"from": "BERLIN", "to": "HAMBURG", "lines": [{"sku": sku, "quantity": 1}]}
    return asyncio.create_task(call(http, at, "transferStock", reference=reference, **asked))


async def times_applied() -> dict[str, int]:
    return {row["reference"]: int(row["times"]) for row in await sql.query(APPLIED)}


async def test_calls_without_a_key_are_applied_at_most_once_when_commit_answers_are_lost(
    db: None, postgres: Postgres, database_env: dict[str, str], tmp_path: Path
) -> None:
    await stocked(MUG=1_000)
    token = await make.token("orders:write", "inventory:write")

    async with losing_commits(postgres) as proxy, server_processes.client(token) as http:
        url = url_through(proxy, database_env["GQLSTOCK_DATABASE_URL"])
        async with (
            server_processes.running({**database_env, "GQLSTOCK_DATABASE_URL": url}, tmp_path) as one,
            item_locked(postgres, "MUG") as lock,
        ):
            calls = {"first": adjust(http, one, "MUG", "first")}
            await lock.until_waiting(1)
            # The first call waits for the lock: those that come now are written together once it has it.
            for change in (order, adjust, transfer):
                for number in range(3):
                    reference = f"{change.__name__}-{number}"
                    calls[reference] = change(http, one, "MUG", reference)
            await asyncio.sleep(_SETTLED)
            proxy.losing = True
            await lock.release()
            answers = dict(zip(calls, await asyncio.gather(*calls.values()), strict=True))

    assert proxy.lost >= 1
    applied = await times_applied()
    assert await verification.verify() == []
    assert [reference for reference, answer in answers.items() if answer == "done" and reference not in applied] == []
    assert {reference: times for reference, times in applied.items() if times > 1} == {}
    assert set(answers.values()) == {"done"}


async def test_a_call_with_a_key_whose_commit_answer_was_lost_is_answered_as_it_was_applied(
    db: None, postgres: Postgres, database_env: dict[str, str], tmp_path: Path
) -> None:
    """The only unit is the order's: tried again it must not be told that there is none."""
    await stocked(MUG=1)
    token = await make.token("orders:write")

    async with losing_commits(postgres) as proxy, server_processes.client(token) as http:
        url = url_through(proxy, database_env["GQLSTOCK_DATABASE_URL"])
        async with server_processes.running({**database_env, "GQLSTOCK_DATABASE_URL": url}, tmp_path) as one:
            proxy.losing = True
            await order(http, one, "MUG", "mine", idempotencyKey="cart")
            proxy.losing = False
            others = await order(http, one, "MUG", "others")
            again = await order(http, one, "MUG", "mine", idempotencyKey="cart")

    assert proxy.lost >= 1
    assert (others, again) == ("INSUFFICIENT_STOCK", "done")
    assert await times_applied() == {"mine": 1}


async def test_a_call_that_was_cut_and_then_refused_under_its_key_is_not_applied_later(
    db: None, postgres: Postgres, database_env: dict[str, str], tmp_path: Path
) -> None:
    """The first attempt waits in one process, behind an order that cannot be written, while the other answers the second."""
    await stocked(CUP=5, MUG=0)
    token = await make.token("orders:write", "inventory:write")

    async with (
        server_processes.running(database_env, tmp_path) as one,
        server_processes.running(database_env, tmp_path) as two,
        server_processes.client(token) as http,
    ):
        async with table_locked(postgres, "customer_order") as lock:
            ahead = order(http, one, "CUP", "ahead")
            await lock.until_waiting(1)
            async with server_processes.client(token) as cut:
                first = order(cut, one, "MUG", "mine", idempotencyKey="cart")
                await asyncio.sleep(_SETTLED)
                first.cancel()
            again = await order(http, two, "MUG", "mine", idempotencyKey="cart")
            assert await adjust(http, two, "MUG", "delivery") == "done"
            await lock.release()
            assert await ahead == "done"
        # Whatever the first process still had to do is done before this.
        assert await order(http, one, "CUP", "behind") == "done"

    assert again == "INSUFFICIENT_STOCK"
    # The attempt that was decided first decided for both.
    assert await times_applied() == {"ahead": 1, "behind": 1, "delivery": 1}
