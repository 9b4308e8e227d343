"""Makes docs/pictures: the wall display on the demo's shop, after three days of trade with made-up orders and moments."""

import asyncio
import random
import tempfile
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from gqlstock.cli.demo.opening import Shop, stock_up
from gqlstock.cli.demo.wares import HOME, TRADE, WAREHOUSES
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.services import adjust_stock, alerts, databases, place_order, tokens
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.store.db import clock, connection, sql, transactions
from gqlstock.store.db.connection import SqliteFile
from support import server_processes
from support.browser import Browser

PICTURES = Path(__file__).parent.parent.parent / "docs" / "pictures"
ORDERS = 420
RECENT = 150
"""Of these so many in the last half hour."""
NOWHERE = "http://127.0.0.1"
"""The wall display shows no pictures of goods."""
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


def shoot(address: str) -> None:
    with Browser() as browser:
        for name in ("light", "dark"):
            browser("open", address, {"colorScheme": name, "viewport": {"width": 1280, "height": 900}})
            shown(browser)
            browser("picture", str(PICTURES / f"dashboard-{name}.png"))
        phone = {"width": 390, "height": 844}
        browser("open", address, {"colorScheme": "light", "viewport": phone, "deviceScaleFactor": 1.5})
        shown(browser)
        browser("picture", str(PICTURES / "dashboard-phone.png"))


def shown(browser: Browser) -> None:
    """Wait until all parts of the page are there."""
    browser("shows", "#status", "Live")
    for place, text in (("#orders-words", "in the last"), ("#running-out", "Lasts"), ("#alerts-count", "open")):
        browser("shows", place, text)
    browser("choose", "#levels-sort", "UPDATED reversed")
    browser("present", "#levels-rows [data-state=low]")


async def main(look=shoot) -> None:
    with tempfile.TemporaryDirectory() as directory:
        url = SqliteFile(str(Path(directory) / "shop.db"))
        await databases.prepare(url)
        async with connection.opened(url):
            shop = await stock_up(NOWHERE)
            await trade(shop, random.Random(11))
            token = await tokens.create("anna", ["admin"])
        async with server_processes.running(
            {"GQLSTOCK_DATABASE_URL": f"sqlite:///{url.path}"}, Path(directory)
        ) as started:
            await asyncio.to_thread(look, f"http://127.0.0.1:{started.port}/wall#token={token}")


if __name__ == "__main__":
    asyncio.run(main())
