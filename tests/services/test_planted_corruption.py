"""Each row of a shop that has everything is changed, removed or doubled, one at a time: ``verify`` says of each where.

A column is either planted here or named with the reason why nobody could find it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest
from tortoise import Tortoise

from gqlstock.rules import orders as order_rules
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.services import (
    adjust_stock,
    alerts,
    count_stock,
    delete_level,
    reassess,
    receive,
    transfer_stock,
    verification,
)
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.count_stock import CountStockRequest, StockCount
from gqlstock.services.receive import AnnounceStockRequest, ReceivedLine, ReceiveStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.services.transfer_stock import TransferStockRequest
from gqlstock.store.alerts import LowInventoryAlert
from gqlstock.store.db import connection, sql, transactions
from gqlstock.store.db.connection import DatabaseUrl
from support import order_life as life
from support import shop_builders as make
from support import transfers

# ── the shop


async def _shop() -> None:
    await life.shop()
    await make.website("outlet", warehouses=["BERLIN", "HAMBURG"])
    await make.product("FREE")
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    await make.product("RARE")
    await make.product("SOON")
    await make.product("LOW")
    await make.product("GONE")
    await make.product("BOX")
    await make.product("TIN")
    await make.product("PAN")
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.setting(product="CUP", decrement_inventory=InventoryDecrement.ON_SHIPMENT)
    await make.setting(product="FREE", decrement_inventory=InventoryDecrement.NEVER)
    await make.setting(product="RARE", insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await make.setting(product="SOON", backorders=BackorderMode.ALLOW)
    await make.setting(product="LOW", notify_below=3)
    await reassess.run()


async def _stock() -> None:
    for sku, units in {
        "MUG": 30,
        "CUP": 40,
        "FREE": 10,
        "SHIRT-S": 5,
        "LOW": 9,
        "SOON": 2,
        "GONE": 1,
        "BOX": 20,
        "TIN": 5,
        "RARE": 1,
    }.items():
        await make.stock(sku, "BERLIN", units)
    await make.stock("MUG", "HAMBURG", 10)
    await make.stock("CUP", "HAMBURG", 10)
    for code in ("BERLIN", "HAMBURG"):
        await make.stock("PAN", code, 5)
    await make.stock("GONE", "BERLIN", 0)
    await delete_level.delete(SYSTEM, "GONE", "BERLIN")
    counts = CountStockRequest((StockCount("MUG", "BERLIN", Decimal(32)),), reason="year's end", reference="2026")
    await count_stock.count(SYSTEM, counts, "count-1")
    await adjust_stock.adjust(SYSTEM, AdjustStockRequest((StockAdjustment("MUG", "BERLIN", Decimal(-1)),), "broken"))
    await transfer_stock.transfer(SYSTEM, TransferStockRequest("BERLIN", "HAMBURG", (StockLine("MUG", Decimal(2)),)))
    coming = AnnounceStockRequest("HAMBURG", (StockLine("SOON", Decimal(10)),), reference="P-1")
    await receive.announce(SYSTEM, coming)
    await receive.receive(SYSTEM, ReceiveStockRequest("HAMBURG", (ReceivedLine("SOON", Decimal(4)),)))
    (withdrawn,) = await _announced("SHIRT-M", 3)
    await receive.withdraw(SYSTEM, GivenId(withdrawn, "the announcement"))
    await transfers.receive(await transfers.ship(("BOX", 4), ("TIN", 1), reference="in transit"), ("BOX", 1))
    await transfers.receive(await transfers.ship(("BOX", 3), reference="closed"), ("BOX", 1), close=True)
    await transfers.receive(await transfers.ship(("BOX", 2), reference="received"), everything=True)
    await transfers.cancel(await transfers.ship(("BOX", 2), reference="called off"))
    for _ in range(2):
        await make.stock("LOW", "BERLIN", 2)
        await make.stock("LOW", "BERLIN", 9)
    await make.stock("LOW", "BERLIN", 2)
    first = await LowInventoryAlert.all().order_by("id").first()
    assert first is not None
    await alerts.acknowledge(SYSTEM, GivenId(first.id, "the first"))


async def _announced(sku: str, units: int) -> list[int]:
    await receive.announce(SYSTEM, AnnounceStockRequest("BERLIN", (StockLine(sku, Decimal(units)),)))
    rows = await sql.query("SELECT MAX(id) AS id FROM stock_announcement")
    return [row["id"] for row in rows]


async def _orders() -> None:
    async def placed(reference: str, **lines: int) -> int:
        return await make.order(
            lines={sku.replace("_", "-"): units for sku, units in lines.items()}, reference=reference
        )

    await placed("placed", MUG=2, CUP=2, GIFT=1, SHIRT_S=1)
    await placed("split", MUG=35)
    await placed("never", FREE=2)
    packed = await placed("packed", CUP=6)
    await life.pack(packed, "BERLIN", ("CUP", 1))
    await life.pack(packed, "BERLIN", ("CUP", 2))
    await life.unpack(await life.pack(packed, "BERLIN", ("CUP", 3)))
    partly = await placed("partly", MUG=1, CUP=2)
    await life.ship_all(partly, "BERLIN", ("CUP", 1))
    returned = await placed("returned", CUP=3, FREE=1)
    await life.ship_all(returned)
    await life.take_back(returned, ("CUP", 1), restock=True)
    await life.take_back(returned, ("CUP", 1), restock=False)
    await life.move(
        await placed("moved", PAN=3, CUP=2), ("PAN", 1, "BERLIN", "HAMBURG"), ("CUP", 2, "BERLIN", "HAMBURG")
    )
    await life.ship_all(await placed("shipped", CUP=2))
    await life.cancel(await placed("canceled", CUP=2))
    await life.cancel(await placed("partly canceled", MUG=1, CUP=3), ("CUP", 1))
    await life.cancel(await placed("parked", RARE=5), ("RARE", 1))
    await life.cancel(await placed("parked and canceled", RARE=3))
    await life.pack(await placed("waiting", SOON=9), "BERLIN")
    await life.hold(("CUP", 2), minutes=60)
    await life.release(await life.hold(("CUP", 1)))
    await life.place(("CUP", 1), held=await life.hold(("CUP", 1)))


@dataclass(frozen=True)
class Shop:
    """Where it is, and the numbers of its orders by their references."""

    url: DatabaseUrl
    numbers: dict[str, str]

    def filled(self, told: str) -> str:
        """A text with the numbers of the orders that it names."""
        for reference, number in self.numbers.items():
            told = told.replace(f"{{{reference}}}", number)
        return told


@pytest.fixture(scope="module")
def shop(database_of_module: DatabaseUrl) -> Shop:
    async def build() -> Shop:
        async with connection.opened(database_of_module):
            await _shop()
            await _stock()
            await _orders()
            rows = await sql.query("SELECT id, reference FROM customer_order WHERE reference IS NOT NULL")
            return Shop(database_of_module, {row["reference"]: order_rules.number(row["id"]) for row in rows})

    return asyncio.run(build())


class _Undone(Exception):
    """Takes back what was planted."""


Verified = Callable[..., Awaitable[list[str]]]


@pytest.fixture
async def verified(shop: Shop) -> Verified:
    """What verification says after some statements, which are taken back."""

    async def verified(*statements: str) -> list[str]:
        told: list[str] = []

        async def work() -> None:
            for statement in statements:
                assert await sql.execute(f"{statement} RETURNING id"), f"nothing to plant: {statement}"
            told.extend(str(difference) for difference in await verification.verify())
            raise _Undone

        async with connection.opened(shop.url):
            with pytest.raises(_Undone):
                await transactions.run(work)
        return told

    return verified


# ── rows


def order(reference: str) -> str:
    return f"(SELECT id FROM customer_order WHERE reference = '{reference}')"


def line(reference: str, sku: str) -> str:
    return f"(SELECT id FROM order_line WHERE order_id = {order(reference)} AND sku = '{sku}')"


def allocation(reference: str, sku: str, state: str = "ON_HAND") -> str:
    return f"(SELECT MIN(id) FROM allocation WHERE line_id = {line(reference, sku)} AND state = '{state}')"


def given_by(code: str, reference: str, sku: str) -> str:
    line_of = f"line_id = {line(reference, sku)}"
    return f"(SELECT MIN(id) FROM allocation WHERE {line_of} AND warehouse_id = {warehouse(code)})"


def level(sku: str, code: str) -> str:
    return (
        f"(SELECT l.id FROM inventory_level l, item i, warehouse w WHERE l.item_id = i.id AND l.warehouse_id = w.id "
        f"AND i.sku = '{sku}' AND w.code = '{code}')"
    )


def shipment(reference: str, state: str) -> str:
    return f"(SELECT MIN(id) FROM shipment WHERE order_id = {order(reference)} AND state = '{state}')"


def movement(kind: str) -> str:
    return f"(SELECT MIN(id) FROM stock_movement WHERE kind = '{kind}')"


def item(sku: str) -> str:
    return f"(SELECT id FROM item WHERE sku = '{sku}')"


def warehouse(code: str) -> str:
    return f"(SELECT id FROM warehouse WHERE code = '{code}')"


def first(table: str, condition: str = "1 = 1") -> str:
    return f"(SELECT MIN(id) FROM {table} WHERE {condition})"


def transfer(reference: str) -> str:
    return f"(SELECT id FROM inventory_transfer WHERE reference = '{reference}')"


def moved(reference: str, sku: str = "BOX") -> str:
    return f"(SELECT id FROM inventory_transfer_line WHERE transfer_id = {transfer(reference)} AND sku = '{sku}')"


def announced(reference: str) -> str:
    return f"(SELECT MIN(id) FROM stock_announcement WHERE transfer_id = {transfer(reference)})"


THEN = "'2020-01-01 00:00:00+00:00'"
OTHER_SITE = "(SELECT id FROM website WHERE code = 'outlet')"
ACTIVE = first("stock_hold", "state = 'ACTIVE'")
RELEASED = first("stock_hold", "state = 'RELEASED'")
OPEN_ALERT = first("low_inventory_alert", "state = 'RAISED'")
PAST_ALERT = first("low_inventory_alert", "state = 'RESOLVED'")
COMING = first("stock_announcement", "withdrawn_at IS NULL")
WITHDRAWN = first("stock_announcement", "withdrawn_at IS NOT NULL")
KEY = first("kept_answer")

# Table, row, column, its new value, and what is told of it. {name} is the number of that order.
CHANGED = [
    *[
        ("inventory_level", level("MUG", "BERLIN"), figure, f"{figure} + 10000", f"MUG@BERLIN: {told}")
        for figure, told in {
            "on_hand": "onHand",
            "reserved": "reserved",
            "planned": "planned",
            "held": "held",
            "backordered": "backordered",
            "incoming": "incoming",
            "available": "available",
        }.items()
    ],
    ("inventory_level", level("FREE", "BERLIN"), "item_id", item("GIFT"), "Movement"),
    ("inventory_level", level("FREE", "BERLIN"), "warehouse_id", warehouse("HAMBURG"), "Movement"),
    ("inventory_level", level("MUG", "BERLIN"), "deleted_at", THEN, "MUG@BERLIN: use"),
    ("inventory_level", level("SOON", "HAMBURG"), "deleted_at", THEN, "SOON@HAMBURG: use"),
    ("item", item("MUG"), "deleted_at", THEN, "MUG@BERLIN: item"),
    ("item", item("SOON"), "deleted_at", THEN, "SOON@HAMBURG: item"),
    ("stock_movement", movement("COUNT"), "level_id", level("MUG", "HAMBURG"), "Movement"),
    *[
        ("stock_movement", movement(kind), "kind", f"'{other}'", "Movement")
        for kind, other in {
            "COUNT": "ADJUSTMENT",
            "ADJUSTMENT": "COUNT",
            "RECEIPT": "RETURN",
            "SALE": "SHIPMENT",
            "SHIPMENT": "SALE",
            "CANCELLATION": "RETURN",
            "RETURN": "CANCELLATION",
            "TRANSFER_OUT": "ADJUSTMENT",
            "TRANSFER_IN": "RECEIPT",
        }.items()
    ],
    ("stock_movement", movement("SALE"), "quantity", "quantity - 10000", "onHand"),
    ("stock_movement", movement("SALE"), "quantity", "0", "Movement"),
    ("stock_movement", movement("SALE"), "on_hand_after", "on_hand_after + 10000", "onHandAfter"),
    ("stock_movement", movement("SALE"), "order_id", order("parked"), "Order {parked}: SALE movements"),
    ("stock_movement", movement("SALE"), "order_id", "NULL", "Movement"),
    ("stock_movement", movement("SALE"), "order_id", "999", "Movement"),
    ("stock_movement", movement("COUNT"), "order_id", order("placed"), "Order {placed}: COUNT movements"),
    ("stock_movement", movement("ADJUSTMENT"), "reason", "'stolen'", "Movement"),
    ("stock_movement", movement("COUNT"), "reference", "'2025'", "Movement"),
    ("stock_movement", movement("COUNT"), "actor", "'anna'", "Movement"),
    ("stock_movement", movement("COUNT"), "created_at", THEN, "Movement"),
    ("stock_movement", movement("COUNT"), "seal", "1", "Movement"),
    ("customer_order", order("placed"), "website_id", OTHER_SITE, "Order {placed}: content"),
    ("customer_order", order("placed"), "placed_at", THEN, "Order {placed}: content"),
    ("customer_order", order("placed"), "ship_latitude", "52.5", "Order {placed}: content"),
    ("customer_order", order("placed"), "ship_longitude", "13.4", "Order {placed}: content"),
    ("customer_order", order("placed"), "seal", "1", "Order {placed}: content"),
    *[
        ("customer_order", order(reference), "status", f"'{status}'", f"Order {{{reference}}}: status")
        for reference, statuses in {
            "placed": ("BACKORDERED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELED"),
            "partly": ("PLACED", "BACKORDERED", "SHIPPED", "CANCELED"),
            "shipped": ("PLACED", "BACKORDERED", "PARTIALLY_SHIPPED", "CANCELED"),
            "parked": ("PLACED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELED"),
            "canceled": ("PLACED", "BACKORDERED", "PARTIALLY_SHIPPED", "SHIPPED"),
        }.items()
        for status in statuses
    ],
    ("customer_order", order("placed"), "canceled_at", THEN, "Order {placed}: canceledAt"),
    ("customer_order", order("canceled"), "canceled_at", "NULL", "Order {canceled}: canceledAt"),
    ("customer_order", order("parked"), "canceled_units", "0", "Order {parked}: canceled"),
    ("customer_order", order("packed"), "shipment_count", "2", "Order {packed}: number of shipments"),
    ("order_line", line("placed", "MUG"), "order_id", order("parked"), "Order {parked}: content"),
    ("order_line", line("placed", "MUG"), "item_id", item("CUP"), "Order {placed}: content"),
    ("order_line", line("placed", "GIFT"), "item_id", item("FREE"), "Order {placed}: content"),
    ("order_line", line("parked", "RARE"), "item_id", item("MUG"), "Order {parked}: content"),
    ("order_line", line("placed", "MUG"), "sku", "'CUP'", "Order {placed}: content"),
    ("order_line", line("placed", "MUG"), "name", "'Cup'", "Order {placed}: content"),
    ("order_line", line("placed", "MUG"), "code", "'CUP'", "Order {placed}: content"),
    ("order_line", line("placed", "SHIRT-S"), "selected_options", """'{"Size": "M"}'""", "Order {placed}: content"),
    ("order_line", line("placed", "MUG"), "quantity", "30000", "Order {placed}, MUG: quantity"),
    ("order_line", line("parked", "RARE"), "quantity", "60000", "Order {parked}: content"),
    ("order_line", line("placed", "MUG"), "canceled", "10000", "Order {placed}, MUG: quantity"),
    ("order_line", line("parked", "RARE"), "canceled", "20000", "Order {parked}: canceled"),
    ("order_line", line("parked and canceled", "RARE"), "canceled", "20000", "Order {parked and canceled}: status"),
    ("order_line", line("returned", "CUP"), "returned", "0", "Order {returned}, CUP: returned"),
    *[
        ("order_line", line("placed", sku), "decrement", f"'{mode}'", "Order {placed}: content")
        for sku, mode in (("MUG", "ON_SHIPMENT"), ("MUG", "NEVER"), ("CUP", "ON_ORDER"), ("GIFT", "NEVER"))
    ],
    ("order_line", line("never", "FREE"), "decrement", "'ON_ORDER'", "Order {never}: SALE movements"),
    ("allocation", allocation("placed", "MUG"), "line_id", line("placed", "CUP"), "Order {placed}, CUP"),
    ("allocation", allocation("placed", "MUG"), "warehouse_id", warehouse("HAMBURG"), "Order {placed}, MUG"),
    ("allocation", allocation("never", "FREE"), "warehouse_id", warehouse("HAMBURG"), "Order {never}, FREE"),
    ("allocation", allocation("placed", "MUG"), "level_id", level("MUG", "HAMBURG"), "Order {placed}, MUG"),
    ("allocation", allocation("placed", "MUG"), "level_id", level("CUP", "BERLIN"), "Order {placed}, MUG"),
    ("allocation", allocation("placed", "MUG"), "level_id", "NULL", "Order {placed}: SALE movements"),
    ("allocation", allocation("placed", "CUP"), "level_id", "NULL", "CUP@BERLIN: reserved"),
    ("allocation", allocation("placed", "MUG"), "shipment_id", shipment("packed", "READY"), "Shipment"),
    ("allocation", allocation("placed", "MUG"), "shipment_id", shipment("shipped", "SHIPPED"), "Shipment"),
    ("allocation", allocation("waiting", "SOON"), "shipment_id", "NULL", "Shipment"),
    ("allocation", allocation("shipped", "CUP", "SHIPPED"), "shipment_id", "NULL", "Shipment"),
    (
        "allocation",
        f"(SELECT MIN(id) FROM allocation WHERE shipment_id = {shipment('packed', 'READY')})",
        "shipment_id",
        f"(SELECT MAX(id) FROM shipment WHERE order_id = {order('packed')} AND state = 'READY')",
        "Shipment",
    ),
    (
        "allocation",
        allocation("placed", "MUG"),
        "position",
        "position + 1",
        "Order {placed}, MUG: order of allocations",
    ),
    ("allocation", allocation("placed", "MUG"), "quantity", "10000", "Order {placed}, MUG: quantity"),
    (
        "allocation",
        allocation("placed", "MUG"),
        "split_from",
        allocation("placed", "CUP"),
        "Order {placed}, MUG: allocations",
    ),
    ("allocation", given_by("HAMBURG", "moved", "PAN"), "position", "0", "Order {moved}, PAN: allocations"),
    ("allocation", given_by("HAMBURG", "moved", "PAN"), "position", "2", "Order {moved}, PAN: order of allocations"),
    (
        "allocation",
        given_by("HAMBURG", "moved", "PAN"),
        "split_from",
        given_by("BERLIN", "moved", "PAN"),
        "Order {moved}, PAN: allocations",
    ),
    ("allocation", given_by("HAMBURG", "moved", "PAN"), "level_id", level("PAN", "BERLIN"), "Order {moved}, PAN"),
    ("allocation", given_by("HAMBURG", "moved", "PAN"), "warehouse_id", warehouse("BERLIN"), "Order {moved}, PAN"),
    ("allocation", given_by("HAMBURG", "moved", "CUP"), "level_id", level("CUP", "BERLIN"), "CUP@BERLIN: reserved"),
    ("allocation", allocation("shipped", "CUP", "SHIPPED"), "quantity", "10000", "Order {shipped}, CUP: quantity"),
    *[
        ("allocation", allocation("placed", "MUG"), "state", f"'{state}'", told)
        for state, told in {
            "BACKORDERED": "MUG@BERLIN: backordered",
            "SHIPPED": "Order {placed}: status",
            "RETURNED": "Order {placed}, MUG: returned",
            "CANCELED": "Order {placed}, MUG: quantity",
        }.items()
    ],
    ("allocation", allocation("placed", "GIFT"), "state", "'BACKORDERED'", "Order {placed}, GIFT, allocation"),
    ("allocation", allocation("waiting", "SOON", "BACKORDERED"), "state", "'ON_HAND'", "SOON@"),
    ("allocation", allocation("shipped", "CUP", "SHIPPED"), "state", "'ON_HAND'", "Order {shipped}: status"),
    ("allocation", allocation("shipped", "CUP", "SHIPPED"), "state", "'RETURNED'", "Order {shipped}, CUP: returned"),
    ("allocation", allocation("returned", "CUP", "RETURNED"), "state", "'SHIPPED'", "Order {returned}, CUP: returned"),
    ("allocation", allocation("canceled", "CUP", "CANCELED"), "state", "'ON_HAND'", "Order {canceled}, CUP: quantity"),
    ("shipment", shipment("packed", "READY"), "order_id", order("placed"), "Shipment"),
    ("shipment", shipment("packed", "CANCELED"), "order_id", order("placed"), "Order {placed}: number of shipments"),
    ("shipment", shipment("packed", "READY"), "warehouse_id", warehouse("HAMBURG"), "Shipment"),
    ("shipment", shipment("packed", "CANCELED"), "warehouse_id", warehouse("HAMBURG"), "Shipment"),
    *[
        ("shipment", shipment(reference, state), "state", f"'{other}'", "Shipment")
        for reference, state in (
            ("packed", "READY"),
            ("packed", "CANCELED"),
            ("waiting", "PENDING"),
            ("shipped", "SHIPPED"),
        )
        for other in ("PENDING", "READY", "SHIPPED", "CANCELED")
        if other != state
    ],
    ("shipment", shipment("packed", "READY"), "quantity", "0", "Shipment"),
    ("shipment", shipment("shipped", "SHIPPED"), "shipped_at", "NULL", "Shipment"),
    ("shipment", shipment("packed", "READY"), "shipped_at", THEN, "Shipment"),
    ("shipment", shipment("packed", "READY"), "created_at", THEN, "Shipment"),
    ("shipment", shipment("packed", "READY"), "seal", "1", "Shipment"),
    ("stock_hold", ACTIVE, "website_id", OTHER_SITE, "Hold"),
    ("stock_hold", ACTIVE, "state", "'RELEASED'", "CUP@BERLIN: held"),
    ("stock_hold", ACTIVE, "state", "'ORDERED'", "CUP@BERLIN: held"),
    ("stock_hold", ACTIVE, "state", "'EXPIRED'", "CUP@BERLIN: held"),
    ("stock_hold", RELEASED, "state", "'ACTIVE'", "CUP@BERLIN: held"),
    ("stock_hold", ACTIVE, "expires_at", "'2999-01-01 00:00:00+00:00'", "Hold"),
    ("stock_hold", ACTIVE, "expires_at", THEN, "Hold"),
    ("stock_hold", ACTIVE, "created_at", THEN, "Hold"),
    ("stock_hold", ACTIVE, "seal", "1", "Hold"),
    ("stock_hold_line", first("stock_hold_line"), "hold_id", RELEASED, "Hold"),
    ("stock_hold_line", first("stock_hold_line"), "item_id", item("MUG"), "Hold"),
    ("stock_hold_line", first("stock_hold_line"), "sku", "'MUG'", "Hold"),
    ("stock_hold_line", first("stock_hold_line"), "quantity", "30000", "Hold"),
    ("stock_hold_line", first("stock_hold_line"), "selected_options", """'{"Size": "M"}'""", "Hold"),
    ("held_units", first("held_units"), "hold_id", RELEASED, "CUP@BERLIN: held"),
    ("held_units", first("held_units"), "level_id", level("MUG", "BERLIN"), "MUG@BERLIN: held"),
    ("held_units", first("held_units"), "quantity", "30000", "CUP@BERLIN: held"),
    ("held_units", first("held_units", f"hold_id = {RELEASED}"), "quantity", "30000", "Hold"),
    ("stock_announcement", COMING, "level_id", level("MUG", "BERLIN"), "MUG@BERLIN: incoming"),
    ("stock_announcement", COMING, "quantity", "120000", "SOON@HAMBURG: incoming"),
    ("stock_announcement", WITHDRAWN, "quantity", "120000", "Announcement"),
    ("stock_announcement", COMING, "received", "50000", "SOON@HAMBURG: incoming"),
    ("stock_announcement", WITHDRAWN, "received", "50000", "Announcement"),
    ("stock_announcement", COMING, "withdrawn_at", THEN, "SOON@HAMBURG: incoming"),
    ("stock_announcement", WITHDRAWN, "withdrawn_at", "NULL", "SHIRT-M@BERLIN: incoming"),
    ("stock_announcement", COMING, "created_at", THEN, "Announcement"),
    ("stock_announcement", COMING, "seal", "1", "Announcement"),
    ("stock_announcement", announced("in transit"), "received", "20000", "Transfer"),
    ("stock_announcement", announced("closed"), "received", "20000", "Transfer"),
    ("stock_announcement", announced("called off"), "withdrawn_at", "NULL", "Transfer"),
    ("stock_announcement", announced("in transit"), "transfer_id", "NULL", "Transfer"),
    ("stock_announcement", announced("received"), "transfer_id", transfer("closed"), "Transfer"),
    ("stock_announcement", announced("received"), "transfer_id", "999", "Announcement"),
    ("stock_announcement", COMING, "transfer_id", transfer("in transit"), "Announcement"),
    ("inventory_transfer", transfer("in transit"), "source_id", warehouse("HAMBURG"), "Transfer"),
    ("inventory_transfer", transfer("received"), "target_id", warehouse("BERLIN"), "Transfer"),
    *[
        ("inventory_transfer", transfer(reference), "state", f"'{other}'", "Transfer")
        for reference, state in {
            "in transit": "IN_TRANSIT",
            "closed": "RECEIVED",
            "received": "RECEIVED",
            "called off": "CANCELED",
        }.items()
        for other in ("IN_TRANSIT", "RECEIVED", "CANCELED")
        if other != state
    ],
    ("inventory_transfer", transfer("received"), "reference", "'lost'", "Transfer"),
    ("inventory_transfer", transfer("received"), "created_at", THEN, "Transfer"),
    ("inventory_transfer", transfer("received"), "closed_at", "NULL", "Transfer"),
    ("inventory_transfer", transfer("in transit"), "closed_at", THEN, "Transfer"),
    ("inventory_transfer", transfer("received"), "seal", "1", "Transfer"),
    ("inventory_transfer_line", moved("received"), "transfer_id", transfer("closed"), "Transfer"),
    ("inventory_transfer_line", moved("received"), "item_id", item("CUP"), "Transfer"),
    ("inventory_transfer_line", moved("received"), "sku", "'CUP'", "Transfer"),
    ("inventory_transfer_line", moved("in transit"), "quantity", "50000", "BOX: units in transit and lost"),
    ("inventory_transfer_line", moved("in transit"), "received", "20000", "BOX: units in transit and lost"),
    ("inventory_transfer_line", moved("in transit"), "returned", "10000", "Transfer"),
    ("inventory_transfer_line", moved("called off"), "returned", "10000", "Transfer"),
    ("inventory_transfer_line", moved("closed"), "lost", "10000", "Transfer"),
    ("inventory_transfer_line", moved("in transit", "TIN"), "lost", "10000", "Transfer"),
    ("low_inventory_alert", OPEN_ALERT, "item_id", item("MUG"), "its low-inventory alert is missing"),
    ("low_inventory_alert", OPEN_ALERT, "warehouse_id", warehouse("BERLIN"), "its low-inventory alert is missing"),
    ("low_inventory_alert", OPEN_ALERT, "state", "'RESOLVED'", "its low-inventory alert is missing"),
    ("low_inventory_alert", PAST_ALERT, "item_id", item("MUG"), "Alert"),
    ("low_inventory_alert", OPEN_ALERT, "resolved_at", THEN, "Alert"),
    ("low_inventory_alert", PAST_ALERT, "resolved_at", "NULL", "Alert"),
    ("low_inventory_alert", OPEN_ALERT, "acknowledged_at", THEN, "Alert"),
    ("low_inventory_alert", PAST_ALERT, "acknowledged_by", "NULL", "Alert"),
    ("low_inventory_alert", OPEN_ALERT, "quantity_left", "10000", "Alert"),
    ("low_inventory_alert", OPEN_ALERT, "quantity_left", "90000", "quantityLeft"),
    ("low_inventory_alert", OPEN_ALERT, "threshold", "40000", "Alert"),
    ("low_inventory_alert", OPEN_ALERT, "sku", "'MUG'", "Alert"),
    ("low_inventory_alert", OPEN_ALERT, "name", "'Mug'", "Alert"),
    ("low_inventory_alert", OPEN_ALERT, "code", "'MUG'", "Alert"),
    ("low_inventory_alert", OPEN_ALERT, "raised_at", THEN, "Alert"),
    ("low_inventory_alert", OPEN_ALERT, "seal", "1", "Alert"),
    ("kept_answer", KEY, "owner", "'anna'", "Idempotency key"),
    ("kept_answer", KEY, "mutation", "'adjustStock'", "Idempotency key"),
    ("kept_answer", KEY, "key", "'count-2'", "Idempotency key"),
    ("kept_answer", KEY, "digest", "'0'", "Idempotency key"),
    ("kept_answer", KEY, "answer", "NULL", "Idempotency key"),
    ("kept_answer", KEY, "answer", """'{"ids": {}, "refusals": []}'""", "Idempotency key"),
    ("kept_answer", KEY, "refused", "NOT refused", "Idempotency key"),
    ("kept_answer", KEY, "seal", "1", "Idempotency key"),
]

_TIME = "a moment that is written with every change, and that no figure rests on"
_TOLD = "a text that somebody gave, and may give anew"
_PROMISED = "what the shopper was told: it follows from the supply of that moment"
_FOLDED = "what a search looks in, worked out anew from the texts of its row with every write of it"
NOT_FOUND = {
    "inventory_level.counted_at": "a late count is dated by whoever counted, and moves nothing where it finds what is there",
    "inventory_level.updated_at": _TIME,
    "customer_order.customer_email": _TOLD,
    "customer_order.reference": _TOLD,
    "customer_order.updated_at": _TIME,
    "customer_order.folded": _FOLDED,
    "order_line.folded": _FOLDED,
    "stock_hold.address": "where a guest asked for an active hold: it bounds what one address holds, and goes with the hold",
    "order_line.message": "what the shopper was told: it follows from settings as they were then",
    "customer_order.promised_at": _PROMISED,
    "order_line.promised_at": _PROMISED,
    "order_line.buffer_days": "a setting as it was: a wrong one has a date told anew that did not change",
    "allocation.changed_at": _TIME,
    "shipment.tracking_number": _TOLD,
    "shipment.carrier": _TOLD,
    "shipment.updated_at": _TIME,
    "stock_announcement.expected_at": "a date that somebody expects, and may change",
    "stock_announcement.reference": _TOLD,
    "stock_announcement.lapsed_at": "when those who wait were told that its date had passed",
    "inventory_transfer.updated_at": _TIME,
    "kept_answer.created_at": "only says when the answer may be forgotten, and which waiting calls a refusal decides",
}
"""Besides: how a hold ended; where units that nobody counts were to leave from; whether a level is in use that has nothing
and never had; a resolved alert, a finished announcement, a kept answer and an ended hold that vanish (nothing rests on them
any more, and kept answers are forgotten anyway); a seal that is emptied, as in rows from before there were seals."""

DELETE_LINE = (
    f"DELETE FROM allocation WHERE line_id = {line('placed', 'GIFT')}",
    f"DELETE FROM order_line WHERE id = {line('placed', 'GIFT')}",
)
# What is removed, and what is told of it.
REMOVED = [
    ((f"DELETE FROM stock_movement WHERE id = {movement('COUNT')}",), "onHand"),
    ((f"DELETE FROM stock_movement WHERE id = {movement('SALE')}",), "onHand"),
    ((f"DELETE FROM stock_movement WHERE id = {first('stock_movement').replace('MIN', 'MAX')}",), "onHand"),
    ((f"DELETE FROM allocation WHERE id = {allocation('placed', 'MUG')}",), "Order {placed}, MUG: quantity"),
    ((f"DELETE FROM allocation WHERE id = {allocation('placed', 'GIFT')}",), "Order {placed}, GIFT: quantity"),
    ((f"DELETE FROM allocation WHERE id = {allocation('never', 'FREE')}",), "Order {never}: status"),
    (DELETE_LINE, "Order {placed}: content"),
    ((f"DELETE FROM order_line WHERE id = {line('parked', 'RARE')}",), "Order {parked}: number of lines"),
    ((f"DELETE FROM shipment WHERE id = {shipment('packed', 'CANCELED')}",), "Order {packed}: number of shipments"),
    ((f"DELETE FROM stock_hold_line WHERE id = {first('stock_hold_line')}",), "Hold"),
    ((f"DELETE FROM held_units WHERE id = {first('held_units')}",), "CUP@BERLIN: held"),
    ((f"DELETE FROM held_units WHERE hold_id = {RELEASED}",), "Hold"),
    ((f"DELETE FROM stock_announcement WHERE id = {COMING}",), "SOON@HAMBURG: incoming"),
    ((f"DELETE FROM stock_announcement WHERE id = {announced('received')}",), "Transfer"),
    ((f"DELETE FROM inventory_transfer_line WHERE id = {moved('in transit')}",), "Transfer"),
    ((f"DELETE FROM inventory_transfer_line WHERE id = {moved('received')}",), "Transfer"),
    ((f"DELETE FROM low_inventory_alert WHERE id = {OPEN_ALERT}",), "LOW in all warehouses: its low-inventory alert"),
]
# What is doubled, and what is told of it.
DOUBLED = [
    ("stock_movement", movement("COUNT"), "onHand"),
    ("order_line", line("placed", "MUG"), "Order {placed}: content"),
    ("allocation", allocation("placed", "MUG"), "Order {placed}, MUG: quantity"),
    ("allocation", allocation("shipped", "CUP", "SHIPPED"), "Order {shipped}, CUP: quantity"),
    ("shipment", shipment("packed", "READY"), "Order {packed}: number of shipments"),
    ("stock_hold_line", first("stock_hold_line"), "Hold"),
    ("held_units", first("held_units"), "CUP@BERLIN: held"),
    ("stock_announcement", COMING, "SOON@HAMBURG: incoming"),
    ("inventory_transfer", transfer("received"), "Transfer"),
    ("inventory_transfer_line", moved("received"), "Transfer"),
    ("customer_order", order("placed"), "number of lines"),
]


async def test_nothing_is_found_in_a_healthy_shop(shop: Shop) -> None:
    async with connection.opened(shop.url):
        assert [str(difference) for difference in await verification.verify()] == []


@pytest.mark.parametrize(("table", "row", "column", "value", "told"), CHANGED, ids=[f"{c[0]}.{c[2]}" for c in CHANGED])
async def test_a_changed_value_is_found(
    shop: Shop, verified: Verified, table: str, row: str, column: str, value: str, told: str
) -> None:
    found = await verified(f"UPDATE {table} SET {column} = {value} WHERE id = {row}")

    assert [one for one in found if shop.filled(told) in one], found


@pytest.mark.parametrize(("statements", "told"), REMOVED, ids=[c[0][-1].split()[2] for c in REMOVED])
async def test_a_removed_row_is_found(shop: Shop, verified: Verified, statements: tuple[str, ...], told: str) -> None:
    found = await verified(*statements)

    assert [one for one in found if shop.filled(told) in one], found


@pytest.mark.parametrize(("table", "row", "told"), DOUBLED, ids=[c[0] for c in DOUBLED])
async def test_a_doubled_row_is_found(shop: Shop, verified: Verified, table: str, row: str, told: str) -> None:
    async with connection.opened(shop.url):
        columns = ", ".join(sorted(_columns(table)))

    found = await verified(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} WHERE id = {row}")

    assert [one for one in found if shop.filled(told) in one], found


@pytest.mark.parametrize(
    ("statement", "kinds"),
    [
        pytest.param(
            f"UPDATE allocation SET level_id = {level('PAN', 'BERLIN')}, warehouse_id = {warehouse('BERLIN')} "
            f"WHERE id = {given_by('HAMBURG', 'moved', 'PAN')}",
            ["CANCELLATION", "SALE"],
            id="an-allocation-that-was-not-moved",
        ),
        pytest.param(
            f"UPDATE allocation SET level_id = {level('PAN', 'HAMBURG')}, warehouse_id = {warehouse('HAMBURG')} "
            f"WHERE id = {given_by('BERLIN', 'moved', 'PAN')}",
            ["SALE", "SALE"],
            id="an-allocation-that-was-moved-by-nobody",
        ),
        pytest.param(
            f"DELETE FROM stock_movement WHERE kind = 'CANCELLATION' AND order_id = {order('moved')}",
            ["SALE"],
            id="units-that-were-not-given-back",
        ),
        pytest.param(
            f"DELETE FROM stock_movement WHERE kind = 'SALE' AND order_id = {order('moved')} "
            f"AND level_id = {level('PAN', 'HAMBURG')}",
            ["SALE"],
            id="units-that-were-not-given",
        ),
    ],
)
async def test_a_move_whose_movements_and_allocations_disagree_is_found(
    shop: Shop, verified: Verified, statement: str, kinds: list[str]
) -> None:
    found = await verified(statement)

    told = [
        one.partition(shop.filled("Order {moved}: "))[2].split(" ")[0] for one in found if "movements of level" in one
    ]
    assert sorted(told) == kinds


async def test_every_column_is_either_planted_or_cannot_be_found(shop: Shop) -> None:
    tables = {change[0] for change in CHANGED} - {"item"}
    planted = {f"{table}.{column}" for table, _, column, _, _ in CHANGED}
    async with connection.opened(shop.url):
        columns = {f"{table}.{column}" for table in tables for column in _columns(table)}

    assert columns == (planted - {"item.deleted_at"}) | NOT_FOUND.keys()
    assert planted.isdisjoint(NOT_FOUND)


def _columns(table: str) -> set[str]:
    assert Tortoise.apps is not None
    (model,) = (one for one in Tortoise.apps["gqlstock"].values() if one._meta.db_table == table)
    return set(model._meta.fields_db_projection.values()) - {"id"}
