"""Makes docs/pictures: pages of the demo's shop, after three days of trade with made-up orders and moments."""

import asyncio
import random
import socket
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import uvicorn

from gqlstock.app import create_app
from gqlstock.cli.demo import pictures as drawings
from gqlstock.cli.demo.opening import Shop, stock_up
from gqlstock.cli.demo.wares import HOME, TRADE, WAREHOUSES
from gqlstock.config import Config
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.services import adjust_stock, alerts, databases, place_order, receive, tokens
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store.db import clock, connection, sql, transactions
from gqlstock.store.db.connection import SqliteFile
from support.browser import Browser

PICTURES = Path(__file__).parent.parent.parent / "docs" / "pictures"
ORDERS = 420
RECENT = 150
"""Of these so many in the last half hour."""
ANNA = Caller("anna", "anna", frozenset({Scope.ADMIN}))

# What has a moment: the column, and which rows were written since.
_MOMENTS = (
    "UPDATE customer_order SET placed_at = ? WHERE placed_at > ?",
    "UPDATE stock_movement SET created_at = ? WHERE created_at > ?",
    "UPDATE low_inventory_alert SET raised_at = ? WHERE raised_at > ?",
    "UPDATE low_inventory_alert SET resolved_at = ? WHERE resolved_at > ?",
)


async def trade(shop: Shop, chance: random.Random) -> None:
    """Orders, and deliveries of what has run out, each at its moment. What is ordered most are a few of the items."""
    now = clock.now()
    await _happened(now - timedelta(days=3, hours=2), now - timedelta(hours=1))
    minutes = [chance.uniform(30, 3 * 24 * 60) for _ in range(ORDERS - RECENT)]
    minutes += [chance.betavariate(1.1, 1.6) * 29 for _ in range(RECENT)]
    wares = [sku for sku in shop.wares if shop.wanted(sku)]
    chance.shuffle(wares)
    weights = [1 / (place + 3) for place in range(len(wares))]
    for ago in sorted(minutes, reverse=True):
        began = clock.now()
        chosen = list(dict.fromkeys(chance.choices(wares, weights, k=chance.randint(1, 2))))
        try:
            await place_order.place(ANNA, _asked(shop, chosen, chance))
        except Refused:
            deltas = tuple(StockAdjustment(sku, code, shop.wanted(sku) // 2) for sku in chosen for code in WAREHOUSES)
            await adjust_stock.adjust(ANNA, AdjustStockRequest(deltas, reason="Delivery"))
        await _happened(now - timedelta(minutes=ago), began)
    for alert in (await sql.query("SELECT id FROM low_inventory_alert WHERE state = 'RAISED' ORDER BY id"))[:2]:
        await alerts.acknowledge(ANNA, GivenId(alert["id"], str(alert["id"])))


def _asked(shop: Shop, chosen: list[str], chance: random.Random) -> OrderRequest:
    """One or two of each at the shop, four or five where the trade buys, and fabric by the metre."""
    website, pieces = (HOME, (1, 2)) if chance.random() < 0.8 else (TRADE, (4, 5))
    units = {sku: Decimal(chance.choice(pieces)) for sku in chosen}
    metres = {sku: Decimal(chance.randint(16, 30)) / 4 for sku in chosen if shop.wares[sku].by_the_metre}
    return OrderRequest(lines=tuple(RequestedLine(*line) for line in (units | metres).items()), website=website)


async def _happened(moment: datetime, began: datetime) -> None:
    """Have what was written since it began happen at another moment."""

    async def write() -> None:
        for statement in _MOMENTS:
            await sql.execute(statement, moment, began)

    await transactions.run(write)


async def announce(shop: Shop, chance: random.Random) -> None:
    """Deliveries on their way: most of them soon, one of them overdue."""
    wares = [sku for sku in shop.wares if shop.wanted(sku) and not shop.wares[sku].by_the_metre]
    for number, days in enumerate((-1.2, 0.6, 2.4, 3.5, 8.0)):
        lines = tuple(StockLine(sku, Decimal(chance.choice((6, 10, 12, 24)))) for sku in chance.sample(wares, 3))
        expected, reference = clock.now() + timedelta(days=days), f"PO-{4711 + number}"
        await receive.announce(ANNA, AnnounceStockRequest(chance.choice([*WAREHOUSES]), lines, expected, reference))


def shoot(site: str, token: str) -> None:
    with Browser() as browser:
        for name, (page, options, show) in _PICTURES.items():
            browser("open", f"{site}/{page}#token={token}", {"colorScheme": "light", "viewport": DESKTOP, **options})
            browser("shows", "#status", "Live")
            show(browser)
            browser("picture", str(PICTURES / f"{name}.png"))


def _overview(browser: Browser) -> None:
    browser("shows", ".alerts .list", "Acknowledge")


def _stock(browser: Browser) -> None:
    browser("present", ".list [data-state=low]")


def _item(browser: Browser) -> None:
    for place, text in ((".legend", "Alert below"), (".ledger", "Sale"), (".reason", "can be ordered")):
        browser("shows", place, text)


def _wall(browser: Browser) -> None:
    for place, text in (("#orders-words", "in the last"), ("#running-out", "Lasts"), ("#alerts-count", "open")):
        browser("shows", place, text)
    browser("choose", "#levels-sort", "UPDATED reversed")
    browser("present", "#levels-rows [data-state=low]")


DESKTOP = {"width": 1280, "height": 900}
PHONE = {"viewport": {"width": 390, "height": 844}, "deviceScaleFactor": 1.5}
DARK = {"colorScheme": "dark"}

# The page, how it is opened, and what is waited for.
_PICTURES: dict[str, tuple[str, dict[str, Any], Callable[[Browser], None]]] = {
    "overview": ("", {}, _overview),
    "overview-phone": ("", PHONE, _overview),
    "stock": ("stock", {}, _stock),
    "stock-phone": ("stock", PHONE, _stock),
    "item": ("item?sku=TEAPOT", {}, _item),
    "item-dark": ("item?sku=TEAPOT", DARK, _item),
    "wall": ("wall", {}, _wall),
    "wall-dark": ("wall", DARK, _wall),
}


async def main(look: Callable[[str, str], None] = shoot) -> None:
    """Open the shop to ``look``, which gets the address of its site and a token."""
    with tempfile.TemporaryDirectory() as directory, socket.create_server(("127.0.0.1", 0)) as listening:
        config = replace(Config.from_env({}), database=SqliteFile(str(Path(directory) / "shop.db")))
        site = f"http://127.0.0.1:{listening.getsockname()[1]}"
        await databases.prepare(config.database)
        async with connection.opened(config.database):
            shop, chance = await stock_up(site), random.Random(11)
            await trade(shop, chance)
            await announce(shop, chance)
            token = await tokens.create("anna", ["admin"])
        application = create_app(config)
        drawings.serve(application)
        server = uvicorn.Server(uvicorn.Config(application, log_level="warning", timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            await asyncio.to_thread(look, site, token)
        finally:
            server.should_exit = True
            await serving


if __name__ == "__main__":
    asyncio.run(main())
