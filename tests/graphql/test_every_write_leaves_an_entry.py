"""Each write that an answer from memory may show leaves an entry in its transaction that drops what it is kept under.

A long history does everything that can be done, one thing after another. After each the rows that changed are compared
with the entries that were written. On PostgreSQL each transaction is looked at by itself.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema

from gqlstock.delivery.dispatcher import Dispatcher
from gqlstock.graphql.schema.root import text
from gqlstock.services import expire_holds, reassess, tokens
from gqlstock.store import back_in_stock
from gqlstock.store.db import clock, sql, transactions
from support import row_changes
from support.graphql_client import Client
from support.kept_rows import KEYS, NOT_KEPT_COLUMNS, NOT_KEPT_TABLES, kept_columns, uncovered
from support.row_changes import RowChanges
from support.settable_clock import ahead
from support.settled_news import settled

WRITTEN_ONCE: Mapping[str, str] = {
    "organization": "id code created_at",
    "website": "id code created_at",
    "warehouse": "id code created_at",
    "assignment": "id website_id organization_id warehouse_id priority",
    "category": "id created_at",
    "setting_override": "id scope owner_id",
    "item": "id product_id created_at",
    "inventory_level": "id item_id warehouse_id",
    "stock_movement": "id level_id kind quantity on_hand_after reason reference actor order_id created_at seal",
    "stock_announcement": "id level_id transfer_id created_at",
    "held_units": "id hold_id level_id quantity",
    "stock_hold": "expires_at",
    "low_inventory_alert": "id item_id warehouse_id sku name code quantity_left threshold raised_at seal",
    "api_token": "id name",
    "order_key": "id",
}
"""The columns of kept rows that nothing changes once the row is there."""


class History:
    """What was done so far. ``run`` checks after each step that every change has its entry."""

    def __init__(self, client: Client, changes: RowChanges, env: Mapping[str, str]) -> None:
        self._client = client
        self._changes = changes
        self._env = env
        self.mutations: set[str] = set()
        self.inserted: set[tuple[str, str]] = set()
        self.updated: set[tuple[str, str]] = set()

    async def run(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        result = await work()
        changes = await self._changes.take()
        assert await uncovered(changes) == [], name
        for one in changes:
            columns = kept_columns(one.table, one.columns)
            if one.before is not None and one.after is not None:
                self.updated |= {(one.table, column) for column in columns}
            elif one.after is not None:
                self.inserted |= {(one.table, column) for column in columns if one.after[column] is not None}
        return result

    async def do(self, mutation: str, fields: str = "__typename", **given: Any) -> dict[str, Any]:
        """A mutation that changes something."""
        self.mutations.add(mutation)
        return await self.run(f"{mutation} {given}", lambda: self._client.done(mutation, fields, **given))

    async def first_id(self, connection: str) -> str:
        found = await self._client.admin(f"{{ {connection}(first: 1) {{ edges {{ node {{ id }} }} }} }}")
        (edge,) = found[connection]["edges"]
        return edge["node"]["id"]

    async def command(self, *arguments: str | Path) -> str:
        """A command in a process of its own. Returns its output."""
        env = {**os.environ, **self._env}

        async def work() -> str:
            command = [sys.executable, "-m", "gqlstock.cli", *map(str, arguments)]
            process = await asyncio.create_subprocess_exec(*command, env=env, stdout=PIPE, stderr=PIPE)
            stdout, stderr = await process.communicate()
            assert process.returncode == 0, stderr
            return stdout.decode()

        return await self.run(" ".join(map(str, arguments)), work)

    async def settings(self, scope: Mapping[str, Any], **settings: Any) -> None:
        await self.do("setInventorySettings", scope=scope, settings=settings)
        await self.run("alerts after settings", reassess.run)


@pytest.fixture
async def history(client: Client, database_env: dict[str, str]) -> AsyncIterator[History]:
    # Tokens of the tests' own client are made before anything is recorded.
    await client.token("admin")
    # The key of access tokens is made by migrate, as part of the history.
    await sql.execute("DELETE FROM order_key")
    async with row_changes.recorded() as changes:
        yield History(client, changes, database_env)


def line(sku: str, quantity: float = 1, **more: Any) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity, **more}


async def network(history: History) -> None:
    address = {"line1": "Street 1", "city": "Berlin", "country": "DE"}
    place = {"latitude": 52.5, "longitude": 13.4}
    await history.do("createWarehouse", code="BERLIN", name="Berlin", address=address, location=place)
    await history.do("createWarehouse", code="PARIS", name="Paris", active=False)
    await history.do("updateWarehouse", code="PARIS", name="Paris Nord", active=True, address=address, location=place)
    await history.run("alerts after a warehouse", reassess.run)
    await history.do("createOrganization", code="acme", name="Acme", warehouses=[{"warehouse": "PARIS"}])
    await history.do("updateOrganization", code="acme", name="ACME")
    await history.do("updateOrganization", code="acme", warehouses=[{"warehouse": "BERLIN", "priority": 3}])
    await history.do("createWebsite", code="shop", name="Shop", warehouses=[{"warehouse": "BERLIN"}])
    await history.do("createWebsite", code="outlet", name="Outlet")
    await history.do("updateWebsite", code="outlet", name="Outlet Store", organization="acme")
    await history.do("updateWebsite", code="shop", warehouses=[{"warehouse": "BERLIN"}, {"warehouse": "PARIS"}])
    await history.run("alerts after websites", reassess.run)


async def catalog(history: History) -> None:
    images = [{"url": "https://shop.example/a.jpg", "alt": "A"}]
    await history.do("createCategory", slug="kitchen", name="Kitchen")
    await history.do("createCategory", slug="cups", name="Cups", parent="kitchen")
    await history.do("createCategory", slug="old", name="Old")
    await history.do("updateCategory", slug="old", newSlug="older", name="Older")
    await history.do("updateCategory", slug="older", parent="kitchen")
    await history.do(
        "createProduct",
        sku="MUG",
        name="Mug",
        barcode="1",
        slug="mug",
        description="A mug.",
        images=images,
        category="cups",
        shippingOrigin="BERLIN",
    )
    for sku in ("CUP", "JUG", "RARE", "SOON", "GONE"):
        await history.do("createProduct", sku=sku, name=sku.capitalize(), category="older")
    await history.do("updateProduct", sku="JUG", newSku="JAR", name="Jar", slug="jar", description="New.", barcode="2")
    await history.do(
        "updateProduct", sku="JAR", images=images, category="cups", published=False, shippingOrigin="PARIS"
    )
    await history.do("updateProduct", sku="JAR", published=True, category=None, shippingOrigin=None)
    await history.do("setInventoryStatus", sku="JAR", status="DISCONTINUED")
    await history.do("setInventoryStatus", sku="JAR", status="IN_STOCK")


async def upserts(history: History) -> None:
    def option(*values: str, **more: Any) -> dict[str, Any]:
        return {"name": "Size", "values": [{"name": value} for value in values], **more}

    def made(sku: str, value: str, **more: Any) -> dict[str, Any]:
        return {"sku": sku, "options": [{"name": "Size", "value": value}], **more}

    coat = {
        "sku": "COAT",
        "name": "Coat",
        "category": "cups",
        "tracking": "TRACK_WITH_OPTIONS",
        "options": [option("S", "M")],
    }
    settings = {"notifyBelow": 3}
    members = [made("COAT-S", "S", settings=settings), made("COAT-M", "M")]
    await history.do("upsertProducts", products=[{**coat, "combinations": members, "settings": settings}])
    await history.run("alerts after an upsert", reassess.run)
    changed = [made("COAT-M", "Medium", barcode="9", code="M9", settings={"notifyBelow": 4})]
    options = [{"name": "Size", "values": [{"name": "S"}, {"name": "Medium", "renamedFrom": "M"}]}]
    more = {"name": "Parka", "category": "kitchen", "options": options, "combinations": changed}
    await history.do("upsertProducts", products=[{"sku": "COAT", **more}, {"sku": "HAT", "name": "Hat"}])
    await history.do("upsertProducts", products=[{"sku": "COAT", **more}, {"sku": "HAT", "name": "Hat"}])
    await history.run("alerts after a change of many", reassess.run)
    await history.do(
        "upsertProducts", products=[{"sku": "COAT", "options": [option("S")], "settings": {"notifyBelow": None}}]
    )
    await history.run("alerts after a change without settings", reassess.run)


async def combinations(history: History) -> None:
    def option(name: str, *values: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "values": [{"name": value} for value in values], **more}

    options = [option("Size", "S", "M"), option("Gift", "Yes", "No", inventory=False)]
    await history.do("createProduct", sku="SHIRT", name="Shirt", tracking="TRACK_WITH_OPTIONS", options=options)
    await history.do(
        "createCombination", product="SHIRT", sku="SHIRT-S", code="S1", options=[{"name": "Size", "value": "S"}]
    )
    await history.do("generateCombinations", product="SHIRT")
    await history.do(
        "updateCombination",
        sku="SHIRT-M",
        newSku="SHIRT-MM",
        barcode="3",
        code="M1",
        images=[{"url": "https://shop.example/m.jpg"}],
    )
    renamed = [option("Width", "S", "M", "L", renamedFrom="Size")]
    await history.do("updateProduct", sku="SHIRT", name="T-Shirt", options=renamed, category="cups")
    await history.do("setInventoryStatus", sku="SHIRT", status="OUT_OF_STOCK")
    await history.do("setInventoryStatus", sku="SHIRT", status="IN_STOCK")
    await history.do("generateCombinations", product="SHIRT")
    await history.do("updateProduct", sku="SHIRT", options=[option("Width", "S", "M")])
    colored = [option("Width", "S", "M"), option("Color", "Red", "Blue", existing="Red")]
    await history.do("updateProduct", sku="SHIRT", options=colored)
    await history.do("updateProduct", sku="SHIRT", options=[option("Width", "S", "M")])
    await history.do("deleteCombination", sku="SHIRT-S")
    await history.do("updateProduct", sku="SHIRT", tracking="DO_NOT_TRACK")
    await history.do("updateProduct", sku="SHIRT", tracking="TRACK_WITH_OPTIONS")


async def stock(history: History) -> None:
    def at(sku: str, on_hand: float, warehouse: str = "BERLIN", **more: Any) -> dict[str, Any]:
        return {"sku": sku, "warehouse": warehouse, "onHand": on_hand, **more}

    counts = [at("MUG", 10), at("CUP", 5), at("JAR", 3), at("GONE", 1), at("SHIRT-MM", 4), at("JAR", 1, "PARIS")]
    await history.do("setStock", counts=counts, reason="first count", reference="C-1")
    await history.do("setStock", counts=[at("MUG", 10)])
    early = (clock.now() + timedelta(milliseconds=1)).isoformat()
    await asyncio.sleep(0.01)
    await history.do("setStock", counts=[at("MUG", 11, countedAt=early)])
    changes = [{"sku": "MUG", "warehouse": "PARIS", "delta": 2}, {"sku": "CUP", "warehouse": "BERLIN", "delta": -1}]
    await history.do("adjustStock", changes=changes, reason="damaged")
    await history.do("transferStock", **{"from": "BERLIN", "to": "PARIS"}, lines=[line("MUG"), line("CUP")])
    await history.do("setStock", counts=[at("GONE", 0)])
    await history.do("deleteInventoryLevel", sku="GONE", warehouse="BERLIN")
    await history.do("setStock", counts=[at("GONE", 2)])
    await history.do("setStock", counts=[at("GONE", 0)])


async def settings(history: History) -> None:
    level = {"level": {"sku": "MUG", "warehouse": "BERLIN"}}
    await history.settings({"system": True}, backorders="NO_BACKORDERS", lowInventoryThreshold=2)
    await history.settings({"organization": "acme"}, notifyBelow=1)
    await history.settings({"website": "shop"}, displayStockQuantity=True)
    await history.settings({"category": "cups"}, onlyXLeftThreshold=5, notifyBelow=2)
    await history.settings({"category": "cups"}, notifyBelow=None)
    await history.settings({"product": "MUG"}, notifyBelow=100)
    await history.settings({"product": "MUG"}, notifyBelow=101, outOfStockThreshold=0)
    await history.settings({"combination": "SHIRT-MM"}, decrementInventory="ON_SHIPMENT")
    await history.settings(level, notifyBelow=50)
    await history.settings(level, notifyBelow=None)
    await history.settings({"product": "CUP"}, decrementInventory="ON_SHIPMENT")
    await history.settings({"product": "RARE"}, insufficientStock="HOLD_ORDER")
    await history.settings({"product": "SOON"}, backorders="ALLOW", allowBackInStockSubscriptions=True)


async def alerts(history: History) -> None:
    await history.do("acknowledgeLowInventoryAlert", id=await history.first_id("lowInventoryAlerts"))


async def announcements(history: History) -> None:
    announced = await history.do(
        "announceStock",
        "inventoryLevels { announcements(first: 10) { edges { node { id } } } }",
        warehouse="BERLIN",
        reference="PO-1",
        expectedAt="2035-01-01T00:00:00Z",
        lines=[line("MUG", 5), line("SOON", 3), line("RARE", 2)],
    )
    mug, soon, _ = (level["announcements"]["edges"][0]["node"]["id"] for level in announced["inventoryLevels"])
    await history.do("updateStockAnnouncement", id=soon, quantity=4)
    await history.do("updateStockAnnouncement", id=soon, expectedAt="2036-01-01T00:00:00Z")
    await history.do("updateStockAnnouncement", id=soon, reference="PO-2")
    await history.do("receiveStock", warehouse="BERLIN", reference="PO-1", lines=[line("MUG", 2)])
    await history.do("receiveStock", warehouse="BERLIN", lines=[line("MUG", 3, announcement=mug)])
    await history.do("withdrawStockAnnouncement", id=soon)


async def transfers(history: History) -> None:
    async def ship(*lines: dict[str, Any], **more: Any) -> str:
        given = {"from": "BERLIN", "to": "PARIS", "lines": list(lines), **more}
        return (await history.do("shipTransfer", "transfer { number }", **given))["transfer"]["number"]

    await history.do("setStock", counts=[{"sku": "RARE", "warehouse": "BERLIN", "onHand": 9}])
    number = await ship(line("RARE", 5), expectedAt="2035-01-01T00:00:00Z", reference="TR-1")
    await history.do("receiveTransfer", number=number, lines=[line("RARE", 2)])
    await history.do("receiveTransfer", number=number, lines=[line("RARE", 1)], close=True)
    await history.do("cancelTransfer", number=await ship(line("RARE", 2)))
    await history.do("receiveTransfer", number=await ship(line("RARE", 2)))
    counts = [{"sku": "RARE", "warehouse": place, "onHand": 0} for place in ("BERLIN", "PARIS")]
    await history.do("setStock", counts=counts)


async def orders(history: History) -> None:
    async def place(*lines: dict[str, Any], **more: Any) -> str:
        placed = await history.do("placeOrder", "order { number }", lines=list(lines), **more)
        return placed["order"]["number"]

    async def pack(number: str, *lines: dict[str, Any], warehouse: str = "BERLIN") -> str:
        given = {"lines": list(lines)} if lines else {}
        packed = await history.do("createShipment", "shipment { number }", order=number, warehouse=warehouse, **given)
        return packed["shipment"]["number"]

    number = await place(line("MUG", 3), line("CUP", 2), customerEmail="a@shop.example", idempotencyKey="one")
    first = await pack(number, line("MUG", 2))
    await history.do("cancelShipment", number=first)
    await history.do("shipShipment", number=await pack(number), carrier="DHL", trackingNumber="1")
    await history.do("returnItems", order=number, lines=[line("MUG", 1)], restock=True)
    await history.do("returnItems", order=number, lines=[line("MUG", 1)], restock=False, reason="broken")
    canceled = await place(line("MUG", 2), line("CUP", 1))
    await history.do("cancelOrder", number=canceled, lines=[line("MUG", 1)], reason="changed their mind")
    await history.do("cancelOrder", number=canceled, restock=False)
    rows = [line("MUG", 1, **{"from": "BERLIN", "to": "PARIS"})]
    await history.do("moveAllocations", number=await place(line("MUG", 2)), lines=rows, reason="Berlin is closed")
    edited = await place(line("MUG", 2), line("CUP", 1))
    await history.do(
        "editOrder", number=edited, change=[line("MUG", 1)], add=[line("SOON", 2)], reason="second thoughts"
    )
    await history.do("editOrder", number=edited, change=[line("MUG", 3), line("SOON", 0), line("CUP", 0)])
    waiting = await place(line("SOON", 4))
    packed = await pack(waiting, line("SOON", 1))
    await history.do("receiveStock", warehouse="BERLIN", lines=[line("SOON", 2)])
    await history.do("cancelShipment", number=packed)
    await history.do("receiveStock", warehouse="BERLIN", lines=[line("SOON", 2)])
    await history.do("shipShipment", number=await pack(waiting))
    parked = await place(line("RARE", 1))
    await history.do("receiveStock", warehouse="BERLIN", lines=[line("RARE", 1)])
    await history.do("retryOrder", number=parked)
    await history.do("createProduct", sku="FREE", name="Free")
    await history.settings({"product": "FREE"}, decrementInventory="NEVER", backorders="ALLOW")
    await place(line("FREE", 1))
    await place(line("JAR", 4))
    await history.do("adjustStock", changes=[{"sku": "JAR", "warehouse": "BERLIN", "delta": 9}])


async def holds(history: History) -> None:
    async def hold(*lines: dict[str, Any], **more: Any) -> str:
        held = await history.do("holdStock", "hold { id }", lines=list(lines), **more)
        return held["hold"]["id"]

    await history.do("releaseStockHold", id=await hold(line("MUG", 2)))
    first = await hold(line("MUG", 2), line("CUP", 1))
    second = await hold(line("MUG", 1), replaces=first)
    await history.do("placeOrder", lines=[line("MUG", 1)], hold=second)
    await hold(line("MUG", 1), minutes=1)
    await history.do("setStock", counts=[{"sku": "GONE", "warehouse": "BERLIN", "onHand": 1}])
    await hold(line("GONE", 1), minutes=1)
    with ahead(timedelta(minutes=5)):
        await history.do("setStock", counts=[{"sku": "GONE", "warehouse": "BERLIN", "onHand": 0}])
        await history.do("deleteInventoryLevel", sku="GONE", warehouse="BERLIN")
        await history.run("holds that expire", expire_holds.run)


async def deletions(history: History) -> None:
    await history.do("deleteProduct", sku="GONE")
    await history.do("updateProduct", sku="RARE", category=None)
    await history.do("updateProduct", sku="SOON", category=None)
    await history.do("updateProduct", sku="CUP", category=None)
    await history.do("deleteCategory", slug="older")
    await history.do("setStock", counts=[{"sku": "SHIRT-MM", "warehouse": "BERLIN", "onHand": 0}])
    await history.do("deleteProduct", sku="SHIRT")


async def messages(history: History) -> None:
    # What was done before is not news to the endpoint.
    await settled()
    made = await history.do(
        "createWebhookEndpoint", "endpoint { id }", url="https://shop.example/hook", topics=["INVENTORY_CHANGED"]
    )
    endpoint = made["endpoint"]["id"]
    await history.do("updateWebhookEndpoint", id=endpoint, topics=["INVENTORY_CHANGED", "ORDER_PLACED"])
    await history.do("testWebhookEndpoint", id=endpoint)
    await history.do("rotateWebhookSecret", id=endpoint)
    await history.do("adjustStock", changes=[{"sku": "MUG", "warehouse": "BERLIN", "delta": 1}])
    await settled()
    dispatcher = Dispatcher()
    await history.run("webhooks", dispatcher.step)
    await history.do("redeliverWebhook", id=await history.first_id("webhookDeliveries"))
    await history.do("deleteWebhookEndpoint", id=endpoint)
    await history.do("createProduct", sku="SOLD", name="Sold")
    await history.settings({"product": "SOLD"}, allowBackInStockSubscriptions=True)
    subscribed = await history.do("subscribeToBackInStock", "subscription { id }", sku="SOLD", email="b@shop.example")
    assert subscribed
    (row,) = await sql.query("SELECT id FROM back_in_stock_subscription")
    token = await history.run("a letter", lambda: transactions.run(lambda: back_in_stock.new_token(row["id"])))
    await history.do("unsubscribeFromBackInStock", token=token)


SHOPIFY = """Handle,Title,Body (HTML),Type,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,\
Variant Inventory Qty,Variant Inventory Policy,Variant Barcode,Image Src
bowl,Bowl,A bowl.,Bowls,true,Title,Default Title,BOWL,shopify,3,deny,9,https://shop.example/bowl.jpg
sock,Sock,A sock.,Socks,true,Size,S,SOCK-S,shopify,2,continue,,
sock,,,,,,M,SOCK-M,,,deny,,
"""


async def commands(history: History, directory: Path) -> None:
    await history.command("token", "create", "till", "--scope", "inventory:write", "--warehouse", "BERLIN")
    await history.command("token", "revoke", "till")
    link = await history.command("token", "create", "till", "--scope", "orders:read", "--expires", "90d", "--link")
    code = link.strip().partition("#code=")[2]
    await history.run("a link that signs in", lambda: tokens.use_link(code))
    products = directory / "products.csv"
    products.write_text(SHOPIFY)
    await history.command("import", "shopify-products", products, "--warehouse", "BERLIN")
    products.write_text(SHOPIFY.replace("A bowl", "The bowl").replace("shopify,2,continue", "shopify,4,deny"))
    await history.command("import", "shopify-products", products, "--warehouse", "BERLIN")
    levels = directory / "levels.csv"
    levels.write_text("sku,warehouse,on_hand\nMUG,BERLIN,20\nBOWL,BERLIN,3\nBOWL,PARIS,1\n")
    await history.command("import", "levels", levels)
    await sql.execute("DELETE FROM organization WHERE code = 'nowhere'")
    await history.command("migrate")
    await history.command("token", "renew-orders")


async def test_every_write_leaves_an_entry(history: History, tmp_path: Path) -> None:
    for chapter in (
        network,
        catalog,
        combinations,
        upserts,
        stock,
        settings,
        alerts,
        announcements,
        transfers,
        orders,
        holds,
        deletions,
        messages,
    ):
        await chapter(history)
    await commands(history, tmp_path)

    mutations = build_schema(text()).mutation_type
    assert isinstance(mutations, GraphQLObjectType)
    assert mutations.fields.keys() - history.mutations == set()
    kept = {(table, column) for table in KEYS for column in kept_columns(table, row_changes.columns()[table])}
    once = {(table, column) for table, names in WRITTEN_ONCE.items() for column in names.split()}
    assert kept - history.updated == once
    assert once - history.inserted == set()


def test_every_column_is_kept_under_a_key_or_shown_by_no_kept_answer(db: None) -> None:
    columns = row_changes.columns()

    assert columns.keys() == KEYS.keys() | NOT_KEPT_TABLES.keys()
    assert KEYS.keys() & NOT_KEPT_TABLES.keys() == set()
    for table, reasons in NOT_KEPT_COLUMNS.items():
        assert reasons.keys() <= columns[table]
