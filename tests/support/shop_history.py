"""A random history of a shop. Each step is one change, chosen by a random number, by any way to make it.

Most steps are mutations over HTTP. Many are refused, which is useful too: then nothing may differ.
"""

import contextlib
import itertools
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gqlstock.rules import ids
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as shipment_rules
from gqlstock.rules import transfers as transfer_rules
from gqlstock.rules.refusals import Refused
from gqlstock.services import clear_cache, expire_holds, reassess, tokens
from gqlstock.store import back_in_stock, outbox
from gqlstock.store.db import clock, sql, transactions
from support import importing
from support import shop_builders as make
from support.graphql_client import Client
from support.shop_questions import CATEGORIES, PLACES, SKUS, WEBSITES

START = datetime(2030, 1, 1, tzinfo=UTC)
_SHOPIFY = """Handle,Title,Type,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,\
Variant Inventory Qty,Variant Inventory Policy
jar,Jar {n},Jars,true,Title,Default Title,JAR,shopify,{n},deny
sock,Sock,Socks,true,Size,S,SOCK-S,shopify,{n},continue
"""
_STATUSES = ("IN_STOCK", "OUT_OF_STOCK", "DISCONTINUED")


class Time:
    """A clock that advances on demand."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment


class ShopHistory:
    """``done``: the mutations that changed something."""

    def __init__(self, client: Client, time: Time) -> None:
        self._client = client
        self._time = time
        self.done: set[str] = set()
        self.chance = random.Random()
        self._numbers = itertools.count(1)

    async def begin(self) -> None:
        """Create the shop of ``shop_questions``, with objects of every kind."""
        for place in PLACES:
            await make.warehouse(place)
        await make.organization("acme", warehouses=["PARIS"])
        await make.website("shop", warehouses=["BERLIN", "PARIS"])
        await make.website("outlet", organization="acme", warehouses=["PARIS"])
        await make.category("kitchen")
        await make.category("cups", parent="kitchen")
        await make.category("garden")
        for sku, category in (("MUG", "cups"), ("CUP", "cups"), ("JAR", "kitchen")):
            await make.product(sku, category=category, slug=sku.lower())
        await self._do("createProduct", sku="POSTER", name="Poster", options=[_option("Frame", "Oak", "Steel")])
        await make.product("SHIRT", options={"Size": ["S", "M"]}, category="garden")
        for sku in ("MUG", "CUP", "POSTER", "SHIRT-S", "SHIRT-M"):
            for place in PLACES[:2]:
                await make.stock(sku, place, 6)
        await make.setting(minimum_stock_quantity=4, notify_below=3)

    async def step(self, name: str, number: int) -> None:
        self.chance = random.Random(number)
        await STEPS[name](self)

    async def _do(self, mutation: str, **given: Any) -> None:
        payload = await self._client.change(mutation, **given)
        if payload["userErrors"] == []:
            self.done.add(mutation)

    # ── choices

    def _some(self, *values: Any) -> Any:
        return self.chance.choice(values)

    def _hours(self, number: int) -> str:
        """The time in that many hours."""
        return str((self._time.moment + timedelta(hours=number)).isoformat())

    def _sku(self) -> str:
        return str(self.chance.choice(SKUS))

    def _counted(self) -> str:
        """An item, usually one with stock."""
        return str(self._some("MUG", "CUP", "SHIRT-S", "SHIRT-M", self._sku()))

    def _place(self) -> str:
        return str(self.chance.choice(PLACES))

    def _lines(self, most: int = 3) -> list[dict[str, Any]]:
        skus = {self._counted() for _ in range(self.chance.randint(1, 2))}
        return [{"sku": sku, "quantity": self.chance.randint(1, most)} for sku in sorted(skus)]

    async def _latest(self, table: str, where: str = "TRUE") -> int:
        """The id of one of the latest rows; 0 without any."""
        rows = await sql.query(f"SELECT id FROM {table} WHERE {where} ORDER BY id DESC LIMIT 4")
        return int(self.chance.choice(rows)["id"]) if rows else 0

    async def _id(self, kind: str, table: str, where: str = "TRUE") -> str:
        return ids.global_id(kind, await self._latest(table, where))

    async def _fresh(self) -> str:
        """A new product with 5 units in stock."""
        sku = f"FRESH-{next(self._numbers)}"
        await self._do("createProduct", sku=sku, name=sku, category=self._some("garden", None))
        await self._do("setInventorySettings", scope={"product": sku}, settings={"outOfStockThreshold": 0})
        await self._do("setStock", counts=[{"sku": sku, "warehouse": place, "onHand": 5} for place in PLACES])
        return sku

    async def _newest(self, table: str, order: str = "id") -> int:
        rows = await sql.query(f"SELECT id FROM {table} ORDER BY {order} DESC LIMIT 1")
        return int(rows[0]["id"]) if rows else 0

    async def _newest_order(self) -> str:
        return order_rules.number(await self._newest("customer_order"))

    async def _order(self) -> str:
        return order_rules.number(await self._latest("customer_order"))

    async def _shipment(self) -> str:
        return shipment_rules.number(await self._latest("shipment"))

    # ── network

    async def create_warehouse(self) -> None:
        await self._do("createWarehouse", code=self._some("OSLO", "ROME", "WIEN"), name="Another")

    async def update_warehouse(self) -> None:
        changes = self._some({"name": self._some("Here", "There")}, {"active": self.chance.random() < 0.6})
        await self._do("updateWarehouse", code=self._place(), **changes)

    async def create_website(self) -> None:
        await self._do(
            "createWebsite", code=self._some("app", "kiosk"), name="New", organization=self._some("acme", None)
        )

    async def update_website(self) -> None:
        assigned = [
            {"warehouse": place, "priority": self.chance.randint(1, 9)} for place in self.chance.sample(PLACES, 2)
        ]
        changes = self._some({"name": self._some("Shop", "Store")}, {"warehouses": assigned}, {"organization": "acme"})
        await self._do("updateWebsite", code=self.chance.choice(WEBSITES), **changes)

    async def create_organization(self) -> None:
        await self._do("createOrganization", code=self._some("beta", "gamma"), name="New")

    async def update_organization(self) -> None:
        changes = self._some({"name": self._some("ACME", "Acme")}, {"warehouses": [{"warehouse": self._place()}]})
        await self._do("updateOrganization", code="acme", **changes)

    # ── catalog

    async def create_category(self) -> None:
        await self._do(
            "createCategory", slug=self._some("bowls", "pots"), name="New", parent=self._some(*CATEGORIES, None)
        )

    async def update_category(self) -> None:
        changes = self._some(
            {"name": self._some("A", "B")}, {"parent": self._some(*CATEGORIES, None)}, {"newSlug": "pans"}
        )
        await self._do("updateCategory", slug=self._some(*CATEGORIES, "bowls"), **changes)

    async def delete_category(self) -> None:
        await self._do("deleteCategory", slug=self._some(*CATEGORIES, "bowls", "pots", "pans"))

    async def create_and_delete_category(self) -> None:
        slug = f"category-{next(self._numbers)}"
        await self._do("createCategory", slug=slug, name="New", parent=self._some(*CATEGORIES, None))
        await self._do("deleteCategory", slug=slug)

    async def create_product(self) -> None:
        sku, name = self._some("NEW", self._sku()), self._some("New", "Umbra")
        await self._do("createProduct", sku=sku, name=name, category="kitchen")

    async def update_product(self) -> None:
        changes = self._some(
            {"name": self._some("Mug", "Cup", "Uhr")},
            {"published": self.chance.random() < 0.6},
            {"category": self._some(*CATEGORIES, None)},
            {"newSku": self._some("NEW", "MUG", "JAR")},
            {"slug": self._some("mug", "other")},
            {"barcode": self._some("123", None), "description": "D", "images": [{"url": "https://shop.example/a.jpg"}]},
            {"tracking": self._some("DO_NOT_TRACK", "TRACK_WITHOUT_OPTIONS", "TRACK_WITH_OPTIONS")},
            {"shippingOrigin": self._some("PARIS", None)},
            {"options": [_option("Size", *self._some(("S", "M"), ("S", "M", "L"), ("S",)))]},
        )
        await self._do("updateProduct", sku=self._sku(), **changes)

    async def delete_product(self) -> None:
        await self._do("deleteProduct", sku=self._sku())

    async def upsert_products(self) -> None:
        shirt: dict[str, Any] = {
            "sku": "SHIRT",
            "published": self.chance.random() < 0.6,
            "combinations": [
                {"sku": "SHIRT-M", "barcode": self._some("5", None), "options": [{"name": "Size", "value": "M"}]}
            ],
        }
        other = {
            "sku": self._some("NEW", "MUG", "JAR"),
            "name": self._some("New", "Mug", "Uhr"),
            "settings": self._some(
                {}, {"notifyBelow": self._some(2, 9, None)}, {"outOfStockThreshold": self._some(1, None)}
            ),
        }
        await self._do("upsertProducts", products=[shirt, other], partial=self._some(True, False))

    async def empty_and_delete(self) -> None:
        """Items with stock cannot be deleted otherwise. The SKU may be reused."""
        sku = self._sku()
        counts = [{"sku": sku, "warehouse": place, "onHand": 0} for place in PLACES]
        await self._do("setStock", counts=counts, partial=True)
        await self._do(self._some("deleteProduct", "deleteCombination"), sku=sku)
        if self.chance.random() < 0.5:
            await self._do("createProduct", sku=sku, name="Again", slug="mug")

    async def create_combination(self) -> None:
        chosen = [{"name": "Size", "value": self._some("S", "M", "L")}]
        await self._do("createCombination", product="SHIRT", options=chosen, sku=self._some("SHIRT-L", "SHIRT-S", None))

    async def widen_shirt(self) -> None:
        """Add an option value, and create the missing combinations one by one."""
        await self._do("updateProduct", sku="SHIRT", options=[_option("Size", "S", "M", "L")])
        for value in ("S", "M", "L"):
            chosen = [{"name": "Size", "value": value}]
            await self._do("createCombination", product="SHIRT", options=chosen, sku=f"SHIRT-{value}")

    async def color_shirt(self) -> None:
        """Add an inventory option, which the next change of the options removes."""
        colors = {**_option("Color", "Red", "Blue"), "inventory": True, "existing": self._some("Red", "Blue")}
        await self._do("updateProduct", sku="SHIRT", options=[_option("Size", "S", "M", "L"), colors])

    async def generate_combinations(self) -> None:
        await self._do("generateCombinations", product=self._some("SHIRT", "POSTER"))

    async def update_combination(self) -> None:
        changes = self._some(
            {"code": self._some("C1", "C2")}, {"newSku": "SHIRT-X"}, {"barcode": self._some("9", None)}
        )
        await self._do("updateCombination", sku=self._some("SHIRT-S", "SHIRT-M", "SHIRT-X"), **changes)

    async def delete_combination(self) -> None:
        await self._do("deleteCombination", sku=self._some("SHIRT-S", "SHIRT-M", "SHIRT-L"))

    async def discontinue(self) -> None:
        await self._do("setInventoryStatus", sku=await self._fresh(), status=self.chance.choice(_STATUSES[1:]))

    async def set_status(self) -> None:
        await self._do("setInventoryStatus", sku=self._sku(), status=self.chance.choice(_STATUSES))

    async def import_products(self) -> None:
        lines = _SHOPIFY.format(n=self.chance.randint(1, 9)).splitlines(keepends=True)
        await self._try(importing.shopify(lines))

    async def import_levels(self) -> None:
        lines = ["sku,warehouse,on_hand\n", f"{self._sku()},{self._place()},{self.chance.randint(0, 9)}\n"]
        await self._try(importing.levels(lines))

    async def _try(self, change: Awaitable[Any]) -> None:
        with contextlib.suppress(Refused):
            await change

    # ── settings

    async def set_settings(self) -> None:
        values: Mapping[str, Any] = self._some(
            {"backorders": self._some("NO_BACKORDERS", "ALLOW", "ALLOW_AND_NOTIFY_CUSTOMER", None)},
            {"outOfStockThreshold": self._some(-3, 0, 2, None)},
            {"onlyXLeftThreshold": self._some(2, 9, None), "lowInventoryThreshold": self._some(1, 8, None)},
            {"highlightLowInventory": self._some(True, False, None)},
            {
                "displayStockQuantity": self._some(True, False, None),
                "displayAvailability": self._some(True, False, None),
            },
            {
                "minimumStockQuantity": self._some(2, 8, None),
                "lowStockActivity": self._some("UNPUBLISH", "NOTHING", None),
            },
            {"notifyBelow": self._some(1, 10, None)},
            {"manageStock": self._some(True, False, None)},
            {"decrementInventory": self._some("ON_ORDER", "ON_SHIPMENT", "NEVER", None)},
            {"insufficientStock": self._some("REJECT", "HOLD_ORDER", None)},
            {"minimumOrderQuantity": self._some(2, None), "quantityIncrement": self._some(2, None)},
            {"allowBackInStockSubscriptions": self._some(True, False, None)},
            {"allowOnlyExistingCombinations": self._some(True, False, None)},
            {"visibleStatuses": self._some(["IN_STOCK"], None), "orderableStatuses": self._some(["IN_STOCK"], None)},
            {
                "upcoming": True,
                "availabilityDate": (self._time.moment + timedelta(hours=self.chance.randint(-3, 9))).isoformat(),
                "hideLabelsPastAvailabilityDate": self._some(True, False),
            },
            {
                "sourceSelection": self._some("PRIORITY", "DISTANCE", None),
                "availabilityRange": self._some("2 weeks", None),
            },
        )
        scope: Mapping[str, Any] = self._some(
            {"system": True},
            {"organization": "acme"},
            {"website": self.chance.choice(WEBSITES)},
            {"category": self.chance.choice(CATEGORIES)},
            {"product": self._sku()},
            {"combination": self._some("SHIRT-S", "SHIRT-M")},
            {"level": {"sku": self._counted(), "warehouse": self._place()}},
        )
        await self._do("setInventorySettings", scope=scope, settings=values)

    async def set_date(self) -> None:
        """Set an availability date, which shows until it has passed."""
        dated = self._time.moment + timedelta(hours=self.chance.randint(1, 6))
        values = {"upcoming": True, "availabilityDate": dated.isoformat(), "hideLabelsPastAvailabilityDate": True}
        scope: Mapping[str, Any] = self._some({"system": True}, {"product": "MUG"}, {"category": "garden"})
        await self._do("setInventorySettings", scope=scope, settings=values)

    async def reassess(self) -> None:
        await reassess.run()

    async def acknowledge(self) -> None:
        await self._do("acknowledgeLowInventoryAlert", id=await self._id("LowInventoryAlert", "low_inventory_alert"))

    # ── stock

    async def adjust(self) -> None:
        change = {"sku": self._counted(), "warehouse": self._place(), "delta": self._some(-4, -1, 1, 3)}
        await self._do("adjustStock", changes=[change], reason=self._some("damaged", None))

    async def count(self) -> None:
        counted = {"sku": self._counted(), "warehouse": self._place(), "onHand": self.chance.randint(0, 9)}
        if self.chance.random() < 0.3:
            counted["countedAt"] = (self._time.moment - timedelta(minutes=self.chance.randint(0, 90))).isoformat()
        await self._do("setStock", counts=[counted])

    async def count_again(self) -> None:
        """Count the current quantity."""
        level = await sql.query(
            """SELECT item.sku, warehouse.code, on_hand FROM inventory_level l JOIN item ON item.id = l.item_id
               JOIN warehouse ON warehouse.id = l.warehouse_id WHERE l.deleted_at IS NULL ORDER BY l.id"""
        )
        there = self.chance.choice(level)
        counted = {"sku": there["sku"], "warehouse": there["code"], "onHand": there["on_hand"] / 10_000}
        await self._do("setStock", counts=[counted])

    async def transfer(self) -> None:
        source, target = self.chance.sample(PLACES, 2)
        await self._do("transferStock", **{"from": source, "to": target}, lines=self._lines())

    async def transfer_some(self) -> None:
        lines = [{"sku": await self._fresh(), "quantity": self.chance.randint(1, 5)}]
        await self._do("transferStock", **{"from": self._some("BERLIN", "PARIS"), "to": "OSLO"}, lines=lines)

    async def delete_level(self) -> None:
        sku, place = self._counted(), self._place()
        await self._do("setStock", counts=[{"sku": sku, "warehouse": place, "onHand": 0}])
        await self._do("deleteInventoryLevel", sku=sku, warehouse=place)

    async def announce(self) -> None:
        expected = self._hours(self.chance.randint(1, 5))
        given = {"reference": self._some("PO-1", None), "expectedAt": self._some(expected, None)}
        await self._do("announceStock", warehouse=self._place(), lines=self._lines(5), **given)

    async def receive(self) -> None:
        await self._do("receiveStock", warehouse=self._place(), lines=self._lines(5))

    async def transfer_on_the_way(self) -> None:
        """Ship a transfer, receive a part, then close it, receive the rest or cancel it."""
        sku = await self._fresh()
        source, target = self.chance.sample(PLACES, 2)
        given = {"from": source, "to": target, "expectedAt": self._some(self._hours(3), None)}
        await self._do("shipTransfer", **given, lines=[{"sku": sku, "quantity": 4}])
        number = transfer_rules.number(await self._newest("inventory_transfer"))
        await self._do("receiveTransfer", number=number, lines=[{"sku": sku, "quantity": self.chance.randint(1, 5)}])
        if self.chance.random() < 0.5:
            await self._do("cancelTransfer", number=number)
        else:
            await self._do("receiveTransfer", number=number, close=self._some(True, False), lines=self._some([], None))

    async def send_on_the_way(self) -> None:
        source, target = self.chance.sample(PLACES, 2)
        given = {"from": source, "to": target, "expectedAt": self._some(self._hours(3), None)}
        await self._do("shipTransfer", **given, lines=self._lines())

    async def take_in_or_call_off(self) -> None:
        number = transfer_rules.number(await self._latest("inventory_transfer"))
        await self._do(self._some("receiveTransfer", "cancelTransfer"), number=number)

    async def withdraw(self) -> None:
        await self._do("withdrawStockAnnouncement", id=await self._id("StockAnnouncement", "stock_announcement"))

    async def update_announcement(self) -> None:
        expected = self._hours(self.chance.randint(-1, 5))
        quantity = self.chance.randint(1, 6)
        given = self._some(
            {"quantity": quantity}, {"expectedAt": expected}, {"expectedAt": None}, {"reference": "PO-1"}
        )
        await self._do("updateStockAnnouncement", id=await self._id("StockAnnouncement", "stock_announcement"), **given)

    # ── orders

    async def place(self) -> None:
        given = {"website": self._some(None, *WEBSITES), "customerEmail": self._some("a@shop.example", None)}
        given["hold"] = await self._id("StockHold", "stock_hold") if self.chance.random() < 0.2 else None
        await self._do("placeOrder", lines=self._lines(), **given)

    async def cancel(self) -> None:
        await self._do("cancelOrder", number=await self._order(), restock=self._some(True, False))

    async def edit(self) -> None:
        change = [{"sku": self._counted(), "quantity": self.chance.randint(0, 4)}]
        given = self._some({"add": self._lines()}, {"change": change}, {"add": self._lines(), "change": change})
        await self._do("editOrder", number=await self._order(), **given)

    async def move(self) -> None:
        source, target = self.chance.sample(PLACES, 2)
        row = {"sku": self._counted(), "quantity": self.chance.randint(1, 2), "from": source, "to": target}
        await self._do("moveAllocations", number=await self._order(), lines=[row])

    async def retry(self) -> None:
        parked = order_rules.number(await self._latest("customer_order", "status = 'BACKORDERED'"))
        await self._do("retryOrder", number=parked)

    async def park_and_retry(self) -> None:
        sku = await self._fresh()
        await self._do("setInventorySettings", scope={"product": sku}, settings={"insufficientStock": "HOLD_ORDER"})
        await self._do("placeOrder", lines=[{"sku": sku, "quantity": 30}])
        number = await self._newest_order()
        for place in PLACES:
            await self._do("receiveStock", warehouse=place, lines=[{"sku": sku, "quantity": 40}])
        await self._do("retryOrder", number=number)

    async def pack(self) -> None:
        await self._do("createShipment", order=await self._order(), warehouse=self._place())

    async def ship(self) -> None:
        given = {"carrier": self._some("DHL", None), "allowNegative": self._some(True, False)}
        await self._do("shipShipment", number=await self._shipment(), **given)

    async def unpack(self) -> None:
        await self._do("cancelShipment", number=await self._shipment())

    async def take_back(self) -> None:
        await self._do("returnItems", order=await self._order(), lines=self._lines(1), restock=self._some(True, False))

    async def whole_order(self) -> None:
        """Place, pack, ship and partly return an order."""
        line = {"sku": self._some("MUG", "SHIRT-S"), "quantity": 2}
        await self._do("placeOrder", lines=[line])
        number = await self._newest_order()
        for place in PLACES[:2]:
            await self._do("createShipment", order=number, warehouse=place)
        for _ in range(2):
            await self.ship()
        await self._do("returnItems", order=number, lines=[{**line, "quantity": 1}])

    async def canceled_order(self) -> None:
        """Place, pack, unpack and cancel an order."""
        await self._do("placeOrder", lines=[{"sku": await self._fresh(), "quantity": 2}])
        for place in PLACES:
            await self._do("createShipment", order=await self._newest_order(), warehouse=place)
        await self._do("cancelShipment", number=shipment_rules.number(await self._newest("shipment")))
        await self._do("cancelOrder", number=await self._newest_order(), restock=self._some(True, False))

    async def moved_order(self) -> None:
        """Place and pack an order, and move a part to another warehouse."""
        sku, website = await self._fresh(), self.chance.choice(WEBSITES)
        assigned = [{"warehouse": place} for place in PLACES]
        await self._do("updateWebsite", code=website, warehouses=assigned)
        await self._do("placeOrder", website=website, lines=[{"sku": sku, "quantity": 3}])
        number = await self._newest_order()
        await self._do("createShipment", order=number, warehouse=self._place())
        for source, target in itertools.permutations(PLACES, 2):
            row = {"sku": sku, "quantity": self.chance.randint(1, 3), "from": source, "to": target}
            await self._do("moveAllocations", number=number, lines=[row])

    async def edited_order(self) -> None:
        """Place an order, add units and another item, then remove some units."""
        sku = await self._fresh()
        await self._do("placeOrder", lines=[{"sku": sku, "quantity": 2}])
        number = await self._newest_order()
        await self._do("editOrder", number=number, add=[{"sku": await self._fresh(), "quantity": 1}])
        for quantity in (3, 1):
            await self._do("editOrder", number=number, change=[{"sku": sku, "quantity": quantity}])

    async def hold_and_release(self) -> None:
        lines = [{"sku": await self._fresh(), "quantity": 2}, {"sku": "MUG", "quantity": 1}]
        await self._do("holdStock", lines=lines[: self.chance.randint(1, 2)], minutes=5)
        await self._do(
            "releaseStockHold", id=ids.global_id("StockHold", await self._newest("stock_hold", "created_at"))
        )

    async def count_and_hold(self) -> None:
        """Hold stock for minutes or hours, which shows until the hold ends."""
        skus = ("MUG", "SHIRT-S")
        counts = [{"sku": sku, "warehouse": "BERLIN", "onHand": 9} for sku in skus]
        await self._do("setStock", counts=counts, partial=True)
        for sku in skus:
            await self._do("holdStock", lines=[{"sku": sku, "quantity": 2}], minutes=self._some(2, 30, 60))

    async def hold(self) -> None:
        replaced = await self._id("StockHold", "stock_hold") if self.chance.random() < 0.3 else None
        await self._do("holdStock", lines=self._lines(2), minutes=self.chance.randint(1, 240), replaces=replaced)

    async def release(self) -> None:
        await self._do("releaseStockHold", id=await self._id("StockHold", "stock_hold"))

    async def expire(self) -> None:
        await expire_holds.run()

    # ── subscriptions and alerts

    async def subscribe(self) -> None:
        await self._do("subscribeToBackInStock", sku=self._sku(), email="b@shop.example")

    async def unsubscribe(self) -> None:
        await self._do("setInventorySettings", scope={"system": True}, settings={"allowBackInStockSubscriptions": True})
        await self._do("createProduct", sku="WAIT", name="Wait")
        await self._do("subscribeToBackInStock", sku="WAIT", email="c@shop.example")
        waiting = await self._latest("back_in_stock_subscription")
        if waiting:
            token = await transactions.run(lambda: back_in_stock.new_token(waiting))
            await self._do("unsubscribeFromBackInStock", token=token)

    async def webhooks(self) -> None:
        await self._do("createWebhookEndpoint", url="https://shop.example/hook", topics=["INVENTORY_CHANGED"])
        endpoint = await self._id("WebhookEndpoint", "webhook_endpoint")
        await self._do("testWebhookEndpoint", id=endpoint)
        await self._do("rotateWebhookSecret", id=endpoint)
        await self._do("updateWebhookEndpoint", id=endpoint, active=self._some(True, False))
        await self._do("deleteWebhookEndpoint", id=endpoint)

    async def tokens(self) -> None:
        name = self._some("till", "erp")
        await self._try(tokens.create(name, ["inventory:read"], None, self._some(None, "30d")))
        if self.chance.random() < 0.5:
            await self._try(tokens.revoke(name))

    # ── time and sweeps

    async def wait(self) -> None:
        """Advance the clock, so nothing ends between two answers."""
        self._time.moment += timedelta(minutes=self._some(1, 20, 90, 600), seconds=30)

    async def sweep(self) -> None:
        await outbox.sweep(clock.now() - timedelta(minutes=self._some(0, 60)))

    async def clear(self) -> None:
        await clear_cache.clear()


def _option(name: str, *values: str) -> dict[str, Any]:
    return {"name": name, "values": [{"name": value} for value in values], "inventory": name == "Size"}


def _steps() -> dict[str, Callable[[ShopHistory], Awaitable[None]]]:
    public = {name: step for name, step in vars(ShopHistory).items() if not name.startswith("_")}
    return {name: step for name, step in public.items() if name not in ("begin", "step")}


STEPS = _steps()
OFTEN = ("wait", "wait", "wait", "count_and_hold", "set_date", "create_product", "update_product", "count", "place")
"""Steps that are chosen more often."""
NEVER_HERE = {"redeliverWebhook"}
"""Mutations that change nothing cached, and need more than this history has."""
