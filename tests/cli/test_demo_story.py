"""The demo's story, told without waiting: the same each time, in balance, and never dull for long."""

import contextlib
import random
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from gqlstock.app import create_app
from gqlstock.cli.demo import story
from gqlstock.cli.demo.api import Api
from gqlstock.cli.demo.opening import Shop, stock_up
from gqlstock.cli.demo.preorder import Preorder
from gqlstock.cli.demo.shoppers import HOUSEHOLDS, Shoppers
from gqlstock.config import Config
from gqlstock.services import tokens, verification
from gqlstock.store.alerts import LowInventoryAlert
from gqlstock.store.db import connection, sql
from gqlstock.store.db.connection import SqliteFile
from gqlstock.store.inventory import InventoryLevel, StockMovement
from gqlstock.store.orders import Order
from gqlstock.store.transfers import InventoryTransfer

ORDERED = "mutation Place("


class Noting(Api):
    """Keeps what is asked for, and what is refused."""

    asked: list[tuple[str, Mapping[str, Any]]]
    failed: list[Any]

    async def ask(self, query: str, variables: Mapping[str, Any], who: str | None = None) -> dict[str, Any]:
        self.asked.append((query.strip(), variables))
        data = await super().ask(query, variables, who)
        self.failed += [query for value in data.values() if value is None]
        return data


@contextlib.asynccontextmanager
async def opened(empty: SqliteFile, file: Path) -> AsyncIterator[tuple[Noting, Shop]]:
    """The demo's shop on a database of its own: SQLite, as the demo has it."""
    url = SqliteFile(str(shutil.copy(empty.path, file)))
    async with connection.opened(url, everywhere=True):
        shop = await stock_up("http://demo")
        workers = {name: await tokens.create(name, scopes) for name, scopes in story.WHO_WORKS_HERE.items()}
        app = create_app(replace(Config.from_env({}), database=url, public_orders=True))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://demo") as http:
            api = Noting(http, "/graphql", workers)
            api.asked, api.failed = [], []
            yield api, shop


async def told(api: Api, shop: Shop, seed: int, until: float) -> list[float]:
    """Tell the story to that moment; gives the story's time between any two things that happen."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    chance = random.Random(seed)
    await story.tell(story.habits(api, shop, chance), chance, pause, until)
    return pauses


async def ordered(empty: SqliteFile, file: Path, seed: int) -> list[Mapping[str, Any]]:
    async with opened(empty, file) as (api, shop):
        await told(api, shop, seed, 20)
    # Holds have ids that nobody can know before.
    inputs = [variables["input"] for query, variables in api.asked if query.startswith(ORDERED)]
    return [{name: value for name, value in given.items() if name != "hold"} for given in inputs]


async def test_a_seed_tells_the_same_story_again_and_another_one_another(
    migrated_file: SqliteFile, tmp_path: Path
) -> None:
    first = await ordered(migrated_file, tmp_path / "first.db", seed=1)
    again = await ordered(migrated_file, tmp_path / "again.db", seed=1)
    other = await ordered(migrated_file, tmp_path / "other.db", seed=2)

    assert len(first) > 10
    assert first == again
    assert first != other


async def test_the_shop_neither_runs_empty_nor_overflows_nor_gets_dull(
    migrated_file: SqliteFile, tmp_path: Path
) -> None:
    async with opened(migrated_file, tmp_path / "demo.db") as (api, shop):
        pauses = await told(api, shop, seed=1, until=150)

        levels = await InventoryLevel.all()
        items = {row["id"]: row["sku"] for row in await sql.query("SELECT id, sku FROM item")}
        kinds = {movement.kind.value for movement in await StockMovement.all()}
        alerts = await LowInventoryAlert.all()
        transfers = [transfer.state.value for transfer in await InventoryTransfer.all()]
        states = [order.status.value for order in await Order.all()]
        wrong = await verification.verify()

    assert api.failed == []
    assert max(pauses) < 3
    wanted = sum(shop.wanted(items[level.item_id]) for level in levels)
    there = sum(max(level.available, 0) for level in levels)
    assert 0.5 * float(wanted) < there < float(wanted)
    # A shelf never holds more than it wants to have, but for what shoppers cancel and return, and counts find.
    assert all(level.available + level.incoming <= shop.wanted(items[level.item_id]) + 6 for level in levels)
    assert {"SALE", "SHIPMENT", "RECEIPT", "COUNT", "RETURN", "TRANSFER_IN", "CANCELLATION"} <= kinds
    assert "RECEIVED" in transfers
    assert len(alerts) > 5
    assert any(alert.resolved_at is None for alert in alerts)
    assert any(alert.resolved_at is not None for alert in alerts)
    # What is ordered is shipped, and there is always something left to be done.
    assert states.count("SHIPPED") > 50
    assert 5 < states.count("PLACED") < 40
    assert wrong == []


KETTLE = """{
  product(sku: "KETTLE") { availability { orderable salableQuantity expectedAt incoming { at quantity } } }
}"""
WAITING = """{
  orders(filter: { sku: "KETTLE" }, reverse: true, first: 50) {
    nodes { expectedAt promisedAt lines { quantity backordered } }
  }
}"""


async def kettle(api: Api) -> dict[str, Any]:
    """What anybody sees of the preorder."""
    availability: dict[str, Any] = (await api.ask(KETTLE, {}))["product"]["availability"]
    return availability


async def waiting(api: Api) -> list[tuple[float, float, datetime | None, datetime | None]]:
    """Of each order of it, oldest first: the units, those that wait, when they can leave, and what was promised."""
    orders = (await api.ask(WAITING, {}, "warehouse"))["orders"]["nodes"]
    found = []
    for order in orders:
        (line,) = order["lines"]
        found.append((line["quantity"], line["backordered"], moment(order["expectedAt"]), moment(order["promisedAt"])))
    return found


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


async def test_a_preorder_sells_to_the_last_unit_slips_and_arrives_in_two_parts(
    migrated_file: SqliteFile, tmp_path: Path
) -> None:
    async with opened(migrated_file, tmp_path / "demo.db") as (api, shop):
        edition = Preorder(api, "KETTLE", 24)
        households = Shoppers(api, shop, random.Random(1), HOUSEHOLDS)
        before = await kettle(api)
        await edition.go_on(0)
        announced = await kettle(api)
        while (await kettle(api))["orderable"]:
            await edition.go_on(0)
            await households.preorder(0)
        sold = await waiting(api)
        await edition.go_on(50)
        slipped = await waiting(api)
        await edition.go_on(64)
        early = await waiting(api)
        await edition.go_on(65)
        half = await waiting(api)
        await edition.go_on(80)
        whole = await waiting(api)
        await edition.go_on(100)
        again = await kettle(api)
        wrong = await verification.verify()

    first = moment(announced["expectedAt"])
    assert first is not None
    then = first + timedelta(days=7)
    assert before == {"orderable": False, "salableQuantity": 0, "expectedAt": None, "incoming": []}
    assert announced == {
        "orderable": True,
        "salableQuantity": 24,
        "expectedAt": announced["expectedAt"],
        "incoming": [{"at": announced["expectedAt"], "quantity": 24}],
    }
    units = [quantity for quantity, *_ in sold]
    assert (sum(units), max(units)) == (24, 3)
    assert sold == [(quantity, quantity, first, first) for quantity in units]
    assert slipped == early == [(quantity, quantity, then, first) for quantity in units]
    # 12 units are there, for those who ordered first.
    waits = [min(max(sum(units[: n + 1]) - 12, 0), quantity) for n, quantity in enumerate(units)]
    assert half == [(q, left, then if left else None, first) for q, left in zip(units, waits, strict=True)]
    assert whole == [(quantity, 0, None, first) for quantity in units]
    assert (again["orderable"], again["salableQuantity"]) == (True, 24)
    assert api.failed == []
    assert wrong == []


KINDS = """{
  items: availabilities(skus: ["GIFT-VOUCHER", "LINEN", "WALL-CALENDAR"]) {
    sku orderable salableQuantity upcoming availabilityDate quantityRules { minimum increment decimals }
  }
  inventoryItem(sku: "HAMMOCK") { inventorySettings { backorders outOfStockThreshold } }
  websites(first: 5) { nodes { code warehouses { warehouse { code location { latitude } } } } }
}"""
ORIGINS = """{
  blue: inventoryItem(sku: "MUG-BLUE") { settingOrigins { setting scope } }
  green: inventoryItem(sku: "MUG-GREEN") { settingOrigins { setting scope } }
  linen: inventoryItem(sku: "LINEN") { settingOrigins { setting scope } }
  beanie: inventoryItem(sku: "BEANIE") { settingOrigins { setting scope } }
  teapot: inventoryLevel(sku: "TEAPOT", warehouse: "BERLIN") { settingOrigins { setting scope } }
}"""


async def test_the_shop_has_one_of_each_kind(migrated_file: SqliteFile, tmp_path: Path) -> None:
    async with opened(migrated_file, tmp_path / "demo.db") as (api, _):
        kinds = await api.ask(KINDS, {}, "warehouse")
        origins = await api.ask(ORIGINS, {}, "warehouse")

    voucher, linen, calendar = kinds["items"]
    assert (voucher["orderable"], voucher["salableQuantity"]) == (True, None)
    assert linen["quantityRules"] == {"minimum": 0.5, "increment": 0.25, "decimals": True}
    assert (calendar["orderable"], calendar["upcoming"]) == (False, True)
    assert calendar["availabilityDate"] is not None
    assert kinds["inventoryItem"]["inventorySettings"] == {
        "backorders": "ALLOW_AND_NOTIFY_CUSTOMER",
        "outOfStockThreshold": -24,
    }
    assert [
        (website["code"], [one["warehouse"]["code"] for one in website["warehouses"]])
        for website in kinds["websites"]["nodes"]
    ] == [("shop", ["BERLIN", "LYON"]), ("trade", ["POZNAN", "BERLIN"])]
    scopes = {origin["scope"] for item in origins.values() for origin in item["settingOrigins"]}
    assert scopes == {
        *("LEVEL", "COMBINATION", "PRODUCT", "CATEGORY", "WEBSITE", "ORGANIZATION", "SYSTEM", "DEFAULT"),
    }
