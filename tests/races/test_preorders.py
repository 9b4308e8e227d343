"""Preorders of announced units by many clients at once, while the date of the announcement slips."""

import asyncio
import contextlib
import os
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from gqlstock.graphql.relay import nodes
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import receive, verification
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store.db import clock, sql
from support import server_processes
from support import shop_builders as make
from support.server_processes import Server

ON_POSTGRES = bool(os.environ.get("GQLSTOCK_TEST_DATABASE_URL"))

PLACE = """mutation { placeOrder(input: { lines: [{ sku: "MUG", quantity: 1 }] }) {
    order { number promisedAt lines { promisedAt } } userErrors { code } } }"""
SLIP = """mutation ($input: UpdateStockAnnouncementInput!) {
    updateStockAnnouncement(input: $input) { userErrors { code } } }"""
DATES = """query ($after: String) { orders(first: 50, after: $after) { nodes { number expectedAt } pageInfo {
    endCursor hasNextPage } } }"""
SHOWN = """{ availabilities(skus: ["MUG"]) { salableQuantity incoming { at } expectedAt } }"""
PROCESSES = 2 if ON_POSTGRES else 1
CLIENTS, UNITS, BUFFER = 300, 100, timedelta(days=2)


async def announced(expected_at: datetime) -> str:
    """MUG without stock, 100 announced in two warehouses, sold as far as that goes. The id of the first announcement."""
    for warehouse in ("BERLIN", "HAMBURG"):
        await make.warehouse(warehouse)
    await make.website("shop", warehouses=["BERLIN", "HAMBURG"])
    await make.product("MUG")
    await make.setting(
        product="MUG",
        backorders=BackorderMode.ALLOW,
        backorders_from_incoming=True,
        incoming_buffer_days=BUFFER.days,
    )
    for warehouse, units in (("BERLIN", 60), ("HAMBURG", 40)):
        lines = (StockLine("MUG", Decimal(units)),)
        await receive.announce(SYSTEM, AnnounceStockRequest(warehouse, lines, expected_at))
    (row,) = await sql.query("SELECT MIN(id) AS id FROM stock_announcement")
    return nodes.global_id("StockAnnouncement", row["id"])


async def preorder(http: httpx.AsyncClient, at: Server) -> tuple[str, datetime | None]:
    """The number of the order and the date that it is told, or the code of what refused it."""
    payload = (await server_processes.ask(http, at, PLACE))["placeOrder"]
    if payload["userErrors"]:
        (error,) = payload["userErrors"]
        return error["code"], None
    order = payload["order"]
    assert [line["promisedAt"] for line in order["lines"]] == [order["promisedAt"]]
    return order["number"], datetime.fromisoformat(order["promisedAt"])


async def slip(http: httpx.AsyncClient, at: Server, announcement: str, dates: list[datetime]) -> None:
    """Tell one date after the other, while others order."""
    for date in dates:
        given = {"id": announcement, "expectedAt": date.isoformat()}
        answer = await server_processes.ask(http, at, SLIP, input=given)
        assert answer["updateStockAnnouncement"]["userErrors"] == []
        await asyncio.sleep(0.05)


async def dates_of_orders(http: httpx.AsyncClient, at: Server) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    page: dict[str, Any] = {"endCursor": None, "hasNextPage": True}
    while page["hasNextPage"]:
        orders = (await server_processes.ask(http, at, DATES, after=page["endCursor"]))["orders"]
        found |= {one["number"]: datetime.fromisoformat(one["expectedAt"]) for one in orders["nodes"]}
        page = orders["pageInfo"]
    return found


async def test_300_clients_preorder_100_announced_units_each_with_its_date(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    first = clock.now().replace(microsecond=0) + timedelta(days=30)
    dates = [first + timedelta(days=days) for days in range(1, 6)]
    announcement = await announced(first)
    token = await make.token("orders:write", "orders:read", "inventory:read", "inventory:write")

    async with contextlib.AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(server_processes.running(database_env, tmp_path)) for _ in range(PROCESSES)
        ]
        http = await stack.enter_async_context(server_processes.client(token))
        slipping = slip(http, servers[-1], announcement, dates)
        *answers, _ = await asyncio.gather(*(preorder(http, servers[n % PROCESSES]) for n in range(CLIENTS)), slipping)
        now = [await dates_of_orders(http, server) for server in servers]
        shown = [await server_processes.ask(http, server, SHOWN) for server in servers]

    promised = {number: date for number, date in answers if date is not None}
    assert Counter(code for code, date in answers if date is None) == {"INSUFFICIENT_STOCK": CLIENTS - UNITS}
    assert len(promised) == UNITS
    assert set(promised.values()) <= {date + BUFFER for date in [first, *dates]}
    expected = {dates[-1] + BUFFER: 60, first + BUFFER: 40}
    assert [(found.keys(), Counter(found.values())) for found in now] == [(promised.keys(), expected)] * PROCESSES
    nothing = {"availabilities": [{"salableQuantity": 0, "incoming": [], "expectedAt": None}]}
    assert shown == [nothing] * PROCESSES
    assert await verification.verify() == []
