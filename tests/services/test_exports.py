"""What is written out: files of one moment, for people and for other programs, and streams with a cursor before them."""

import asyncio
import contextlib
import csv
import io
import json
import re
from contextvars import copy_context
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from conftest import NewDatabase
from gqlstock.rules.catalog import Image, InventoryStatus, InventoryTracking, Option, OptionValue
from gqlstock.rules.order_request import RequestedLine
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import SYSTEM, Caller, Scope
from gqlstock.rules.settings import NAMES, BackorderMode, camel, from_stored
from gqlstock.services import combinations, exports, hold_stock, ship
from gqlstock.services.exports import Format, Kind
from gqlstock.services.hold_stock import HoldRequest
from gqlstock.services.ship import CreateShipmentRequest
from gqlstock.store import outbox
from gqlstock.store.db import clock, sql
from support import importing
from support import shop_builders as make
from support.export_clients import exported, streamed
from support.settled_news import settled


async def _levels() -> list[list[str]]:
    return (await _table(Kind.LEVELS))[1:]


async def _table(kind: Kind) -> list[list[str]]:
    return list(csv.reader(io.StringIO(await exported(kind), newline="")))


async def _dicts(kind: Kind) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(await exported(kind), newline="")))


async def _objects(kind: Kind) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await exported(kind, Format.JSONL)).splitlines()]


async def test_levels_come_by_sku_then_by_warehouse(db: None) -> None:
    for code in ("BERLIN", "AMIENS"):
        await make.warehouse(code)
    for sku in ("MUG", "CUP"):
        await make.product(sku)
        await make.stock(sku, "BERLIN", 5)
    await make.stock("CUP", "AMIENS", 2)

    assert await exported(Kind.LEVELS) == "sku,warehouse,on_hand\nCUP,AMIENS,2\nCUP,BERLIN,5\nMUG,BERLIN,5\n"


async def test_levels_out_of_use_and_items_without_levels_are_left_out(db: None) -> None:
    await make.warehouse()
    await make.product("MUG")
    await make.product("CUP")
    await make.stock("CUP", "BERLIN", 1)

    await sql.execute("UPDATE inventory_level SET deleted_at = ?", clock.now())

    assert await _levels() == []
    assert (await streamed(Kind.LEVELS))[1] == []


async def test_more_items_than_are_read_at_once_come_each_once(db: None) -> None:
    await make.warehouse()
    for number in range(3):
        await make.product(f"P{number}", options={"Size": [str(size) for size in range(450)]})
    skus = sorted(row["sku"] for row in await sql.query("SELECT sku FROM item WHERE product_id IS NOT NULL"))
    await importing.levels(["sku,warehouse,on_hand\n", *(f"{sku},BERLIN,1\n" for sku in skus)])

    assert await _levels() == [[sku, "BERLIN", "1"] for sku in skus]
    assert sorted(row["sku"] for row in (await streamed(Kind.LEVELS))[1]) == skus
    assert sorted(row["sku"] for row in await _objects(Kind.MOVEMENTS)) == skus
    assert [row["sku"] for row in await _objects(Kind.ITEMS) if row["kind"] == "COMBINATION"] == [
        f"P{number}-{size}" for number in range(3) for size in range(450)
    ]


async def test_what_was_exported_is_taken_in_again_and_changes_nothing(db: None) -> None:
    await make.warehouse()
    await make.product("MUG")
    await make.setting(product="MUG", quantity_uses_decimals=True)
    await make.stock("MUG", "BERLIN", "2.5")

    text = await exported(Kind.LEVELS)
    found = await importing.levels(text.splitlines(keepends=True))

    assert text == "sku,warehouse,on_hand\nMUG,BERLIN,2.5\n"
    assert importing.counted(found) == 0


async def test_no_cell_is_one_that_a_spreadsheet_runs_and_all_are_taken_in_again(db: None) -> None:
    skus = ['=HYPERLINK("https://evil.example","click")', "+49", "-1", "@SUM(A1)", "'=1", "MUG"]
    await make.warehouse("=BERLIN")
    for sku in skus:
        await make.product(sku)
        await make.stock(sku, "=BERLIN", 5)

    text = await exported(Kind.LEVELS)
    await make.stock("-1", "=BERLIN", 4)
    found = await importing.levels(text.splitlines(keepends=True))

    assert list(csv.reader(text.splitlines()))[1:] == [
        ["''=1", "'=BERLIN", "5"],
        ["'+49", "'=BERLIN", "5"],
        ["'-1", "'=BERLIN", "5"],
        ['\'=HYPERLINK("https://evil.example","click")', "'=BERLIN", "5"],
        ["'@SUM(A1)", "'=BERLIN", "5"],
        ["MUG", "'=BERLIN", "5"],
    ]
    assert importing.counted(found) == 1


async def test_cells_of_every_export_are_guarded(db: None) -> None:
    await make.warehouse("=BERLIN")
    await make.website("shop", warehouses=["=BERLIN"])
    await make.product("+1", name="=1+1", barcode="@1", description="-1")
    await make.stock("+1", "=BERLIN", 5)
    await make.setting(product="+1", availability_range="=2", out_of_stock_threshold=-3)
    await make.order("+1", 2, reference="=3")

    (item,), (_, movement), (order,) = [await _dicts(kind) for kind in (Kind.ITEMS, Kind.MOVEMENTS, Kind.ORDERS)]
    settings = await _dicts(Kind.SETTINGS)

    assert [item[column] for column in ("sku", "name", "barcode", "description")] == ["'+1", "'=1+1", "'@1", "'-1"]
    assert [movement[column] for column in ("sku", "warehouse", "quantity")] == ["'+1", "'=BERLIN", "-2"]
    assert [order[column] for column in ("sku", "reference")] == ["'+1", "'=3"]
    assert [(row["owner"], row["setting"], row["value"]) for row in settings] == [
        ("'+1", "outOfStockThreshold", "-3"),
        ("'+1", "availabilityRange", "'=2"),
    ]


async def test_a_level_below_zero_is_written_as_a_number(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", "BERLIN", 0)
    await make.order("MUG", 5)

    assert await _levels() == [["MUG", "BERLIN", "-5"]]


async def test_a_level_has_every_figure_as_the_api_has_it(db: None) -> None:
    await make.shop()
    await make.product("SHIRT", options={"Size": ["S"]})
    await make.setting(product="SHIRT", quantity_uses_decimals=True)
    await make.stock("SHIRT-S", "BERLIN", "7.25")
    at = (await sql.query("SELECT updated_at FROM inventory_level"))[0]["updated_at"]

    (row,) = await _objects(Kind.LEVELS)

    assert row.pop("updatedAt") == str(at).replace(" ", "T").replace("+00:00", "Z")
    assert row == {
        "id": "SW52ZW50b3J5TGV2ZWw6MQ==",
        "itemId": "Q29tYmluYXRpb246Mg==",
        "sku": "SHIRT-S",
        "warehouse": "BERLIN",
        "onHand": 7.25,
        "reserved": 0,
        "planned": 0,
        "backordered": 0,
        "held": 0,
        "incoming": 0,
        "available": 7.25,
    }
    assert (await streamed(Kind.LEVELS))[1] == await _objects(Kind.LEVELS)


async def test_expired_holds_do_not_count(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", "BERLIN", 5)
    for units in (1, 2):
        held = await hold_stock.hold(SYSTEM, HoldRequest((RequestedLine("MUG", Decimal(units)),)))
    (hold,) = held.ids["hold"]
    await sql.execute("UPDATE stock_hold SET expires_at = ? WHERE id = ?", clock.now() - timedelta(minutes=1), hold)

    (row,) = await _objects(Kind.LEVELS)

    assert (row["onHand"], row["held"], row["available"]) == (5, 1, 4)


async def test_items_have_what_a_shop_needs_to_make_them_again(db: None) -> None:
    await make.warehouse("BERLIN")
    await make.category("clothing")
    await make.category("shirts", parent="clothing")
    red = OptionValue("Red", (Image("https://shop.example/red.png"),))
    await make.product(
        "SHIRT",
        name="Shirt",
        slug="shirt",
        description="Soft",
        barcode="4006381333931",
        category="shirts",
        published=False,
        images=[Image("https://shop.example/shirt.png", "A shirt")],
        options=[Option("Size", (OptionValue("S"),)), Option("Color", (red,), inventory=False)],
        shipping_origin="BERLIN",
    )

    product, combination = await _objects(Kind.ITEMS)

    moments = [one.pop(name) for one in (product, combination) for name in ("createdAt", "updatedAt")]
    assert all(moment.endswith("Z") for moment in moments)
    shared = {
        "slug": "shirt",
        "category": "shirts",
        "categoryPath": [{"slug": "clothing", "name": "Clothing"}, {"slug": "shirts", "name": "Shirts"}],
        "tracking": "TRACK_WITH_OPTIONS",
        "published": False,
        "inventoryStatus": "IN_STOCK",
        "shippingOrigin": "BERLIN",
        "code": "SHIRT",
        "ownCode": None,
        "images": [{"url": "https://shop.example/shirt.png", "alt": "A shirt"}],
    }
    assert product == shared | {
        "id": "UHJvZHVjdDox",
        "kind": "PRODUCT",
        "sku": "SHIRT",
        "product": None,
        "selectedOptions": [],
        "name": "Shirt",
        "description": "Soft",
        "barcode": "4006381333931",
        "options": [
            {"name": "Size", "inventory": True, "values": [{"name": "S", "images": []}]},
            {
                "name": "Color",
                "inventory": False,
                "values": [{"name": "Red", "images": [{"url": "https://shop.example/red.png", "alt": None}]}],
            },
        ],
        "ownImages": shared["images"],
    }
    assert combination == shared | {
        "id": "Q29tYmluYXRpb246Mg==",
        "kind": "COMBINATION",
        "sku": "SHIRT-S",
        "product": "SHIRT",
        "selectedOptions": [{"name": "Size", "value": "S"}],
        "name": combination["name"],
        "description": None,
        "barcode": None,
        "options": [],
        "ownImages": [],
    }
    table = await _dicts(Kind.ITEMS)
    assert [row["categoryPath"] for row in table] == ["Clothing > Shirts"] * 2
    assert [row["selectedOptions"] for row in table] == ["", "Size=S"]
    assert [row["published"] for row in table] == ["false"] * 2


async def test_deleted_items_are_left_out(db: None) -> None:
    await make.product("MUG")
    await sql.execute("UPDATE item SET deleted_at = ?", clock.now())

    assert await _objects(Kind.ITEMS) == []


async def test_movements_have_their_documents(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", "BERLIN", 5)
    await make.order("MUG", 2)

    count, sale = await _objects(Kind.MOVEMENTS)

    for one in (count, sale):
        assert one.pop("createdAt").endswith("Z")
    assert (count["kind"], count["quantity"], count["order"]) == ("COUNT", 5, None)
    assert sale == {
        "id": "U3RvY2tNb3ZlbWVudDoy",
        "levelId": "SW52ZW50b3J5TGV2ZWw6MQ==",
        "sku": "MUG",
        "warehouse": "BERLIN",
        "kind": "SALE",
        "quantity": -2,
        "onHandAfter": 3,
        "reason": None,
        "reference": None,
        "actor": "gqlstock",
        "order": "100001",
    }
    head = (await exported(Kind.MOVEMENTS)).splitlines()[0]
    assert head == "id,createdAt,sku,warehouse,kind,quantity,onHandAfter,reason,reference,actor,order"


async def _order_of_two_warehouses() -> int:
    for code in ("BERLIN", "LYON"):
        await make.warehouse(code)
    await make.website("shop", warehouses=["BERLIN", "LYON"])
    for sku in ("MUG", "CUP"):
        await make.product(sku)
        await make.stock(sku, "BERLIN", 2)
        await make.stock(sku, "LYON", 5)
    order = await make.order(lines={"MUG": 3, "CUP": 1}, reference="4711")
    await ship.create(SYSTEM, CreateShipmentRequest("100001", "LYON"))
    return order


async def test_an_order_has_its_lines_allocations_and_shipments(db: None) -> None:
    await _order_of_two_warehouses()

    (order,) = await _objects(Kind.ORDERS)

    assert (order["number"], order["status"], order["website"]) == ("100001", "PLACED", "shop")
    assert (order["reference"], order["customerEmail"], order["canceledAt"]) == ("4711", None, None)
    mug, cup = order["lines"]
    assert [(one["warehouse"], one["quantity"], one["state"], one["shipment"]) for one in mug["allocations"]] == [
        ("BERLIN", 2, "ON_HAND", None),
        ("LYON", 1, "ON_HAND", "S100001"),
    ]
    assert {name: cup[name] for name in ("sku", "quantity", "backordered", "shipped", "returned", "canceled")} == {
        "sku": "CUP",
        "quantity": 1,
        "backordered": 0,
        "shipped": 0,
        "returned": 0,
        "canceled": 0,
    }
    assert [(one["number"], one["warehouse"], one["state"]) for one in order["shipments"]] == [
        ("S100001", "LYON", "READY")
    ]


async def test_each_line_of_an_order_is_a_row_of_csv(db: None) -> None:
    await _order_of_two_warehouses()

    mug, cup = await _dicts(Kind.ORDERS)

    assert (mug["number"], cup["number"], mug["sku"], cup["sku"]) == ("100001", "100001", "MUG", "CUP")
    assert (mug["quantity"], mug["allocations"], mug["shipments"]) == (
        "3",
        "2 ON_HAND BERLIN; 1 ON_HAND LYON",
        "S100001 READY",
    )


async def test_settings_are_those_that_were_set_at_each_place(db: None) -> None:
    await make.shop()
    await make.category("kitchen")
    await make.product("MUG", category="kitchen")
    await make.product("SHIRT", options={"Size": ["S"]})
    await make.stock("MUG")
    await make.setting(notify_below=3)
    await make.setting(organization="default", backorders=BackorderMode.ALLOW)
    await make.setting(website="shop", display_stock_quantity=True)
    await make.setting(category="kitchen", allowed_quantities=(Decimal(2), Decimal(4)))
    await make.setting(product="MUG", availability_range="2 weeks")
    await make.setting(combination="SHIRT-S", maximum_order_quantity=2)
    await make.setting(level=("MUG", "BERLIN"), notify_below=0)

    assert [tuple(one.values()) for one in await _objects(Kind.SETTINGS)] == [
        ("SYSTEM", None, "notifyBelow", 3),
        ("ORGANIZATION", "default", "backorders", "ALLOW"),
        ("WEBSITE", "shop", "displayStockQuantity", True),
        ("CATEGORY", "kitchen", "allowedQuantities", [2, 4]),
        ("PRODUCT", "MUG", "availabilityRange", "2 weeks"),
        ("COMBINATION", "SHIRT-S", "maximumOrderQuantity", 2),
        ("LEVEL", "MUG@BERLIN", "notifyBelow", 0),
    ]
    assert (await _table(Kind.SETTINGS))[4] == ["CATEGORY", "kitchen", "allowedQuantities", "[2,4]"]


async def test_settings_of_what_is_out_of_use_are_left_out(db: None) -> None:
    await make.product("MUG")
    await make.setting(product="MUG", returnable=False)
    await sql.execute("UPDATE item SET deleted_at = ?", clock.now())

    assert await _objects(Kind.SETTINGS) == []


async def test_whoever_is_for_one_warehouse_sees_no_row_of_another(db: None) -> None:
    await _order_of_two_warehouses()
    berlin = (await sql.query("SELECT id FROM warehouse WHERE code = 'BERLIN'"))[0]["id"]
    caller = Caller("till", "token:1", frozenset({Scope.INVENTORY_READ}), warehouses=frozenset({berlin}))

    levels, movements, orders = [(await streamed(kind, caller))[1] for kind in list(Kind)[:1] + list(Kind)[2:4]]

    assert {row["warehouse"] for row in (*levels, *movements)} == {"BERLIN"}
    assert len(levels) == 2
    assert [row["order"] for row in movements] == [None] * len(movements)
    (order,) = orders
    assert [[one["warehouse"] for one in line["allocations"]] for line in order["lines"]] == [["BERLIN"], ["BERLIN"]]
    assert order["shipments"] == []


async def test_a_caller_without_inventory_read_sees_no_shipping_origin(db: None) -> None:
    await make.warehouse("BERLIN")
    await make.product("MUG", shipping_origin="BERLIN")

    _, (row,) = await streamed(Kind.ITEMS, Caller("shop", "token:1", frozenset({Scope.CATALOG_READ})))

    assert row["shippingOrigin"] is None


async def test_a_stream_begins_with_the_end_of_the_feed(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG")
    await settled()

    cursor, _ = await streamed(Kind.LEVELS)

    assert cursor == (await outbox.latest()).text


async def test_a_file_is_of_one_moment(db: None) -> None:
    """Orders placed while it is written are not in it, whatever page they would be on."""
    await make.shop()
    await make.product("P", options={"Size": [f"{size:04}" for size in range(1_500)]})
    skus = [f"P-{size:04}" for size in range(1_500)]
    await importing.levels(["sku,warehouse,on_hand\n", *(f"{sku},BERLIN,5\n" for sku in skus)])
    parts: list[bytes] = []
    ordered: list[asyncio.Task[int]] = []
    outside = copy_context()

    def take(part: bytes) -> None:
        parts.append(part)
        if len(parts) == 2:
            ordered.append(asyncio.get_running_loop().create_task(make.order(skus[-1], 2), context=outside))

    await exports.write(Kind.LEVELS, Format.CSV, take, lambda _: None)
    await asyncio.gather(*ordered)

    rows = list(csv.DictReader(io.StringIO(b"".join(parts).decode(), newline="")))
    assert ordered
    assert rows == [{"sku": sku, "warehouse": "BERLIN", "on_hand": "5"} for sku in skus]
    assert (await _levels())[-1] == [skus[-1], "BERLIN", "3"]


SHOPIFY = """\
Handle,Title,Type,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,\
Variant Inventory Policy
mug,Mug,Kitchen,true,Title,Default Title,MUG,shopify,5,deny
shirt,Shirt,Clothing,true,Size,S,SHIRT-S,shopify,4,continue
shirt,,,,,M,SHIRT-M,shopify,0,continue
voucher,Voucher,,false,Title,Default Title,VOUCHER,,0,deny
"""


async def _files() -> dict[Kind, str]:
    return {kind: await exported(kind) for kind in (Kind.LEVELS, Kind.ITEMS, Kind.SETTINGS)}


async def test_a_shop_that_is_taken_in_again_has_the_same_files(new_database: NewDatabase) -> None:
    async with new_database():
        await make.shop()
        await importing.shopify(SHOPIFY.splitlines(keepends=True))
        await make.stock("MUG", "BERLIN", 7)
        first = await _files()
    async with new_database():
        await make.shop()
        await importing.shopify(SHOPIFY.splitlines(keepends=True))
        await importing.levels(first[Kind.LEVELS].splitlines(keepends=True))

        assert await _files() == first
    assert first[Kind.LEVELS].splitlines()[1:3] == ["MUG,BERLIN,7", "SHIRT-M,BERLIN,0"]


async def test_rows_of_items_and_settings_make_the_same_shop_by_the_api(new_database: NewDatabase) -> None:
    """With the categories' own names, and products before their combinations."""
    async with new_database():
        await make.warehouse("BERLIN")
        await make.category("clothing")
        await make.category("shirts", name="Shirts & more", parent="clothing")
        red = OptionValue("Red", (Image("https://shop.example/red.png"),))
        await make.product(
            "SHIRT",
            category="shirts",
            description="Soft",
            images=[Image("https://shop.example/shirt.png", "A shirt")],
            options=[Option("Size", (OptionValue("S"), OptionValue("M"))), Option("Color", (red,), inventory=False)],
            shipping_origin="BERLIN",
        )
        await make.product("MUG", published=False, barcode="4006381333931")
        await combinations.update("SHIRT-S", {"code": "S-1", "images": [Image("https://shop.example/s.png")]})
        await make.setting(product="SHIRT", notify_below=3, availability_range="2 weeks")
        await make.setting(combination="SHIRT-M", backorders=BackorderMode.ALLOW)
        await make.setting(
            category="shirts", allowed_quantities=(Decimal(2), Decimal("2.5")), quantity_uses_decimals=True
        )
        items, settings = await _objects(Kind.ITEMS), await _objects(Kind.SETTINGS)
        first = await exported(Kind.ITEMS), await exported(Kind.SETTINGS)
    async with new_database():
        await make.warehouse("BERLIN")
        for row in items:
            await _made(row)
        for (scope, owner), own in groupby(settings, key=lambda one: (one["scope"], one["owner"])):
            await make.setting(**{scope.lower(): owner}, **dict(map(_read, own)))

        assert (await exported(Kind.ITEMS), await exported(Kind.SETTINGS)) == first


async def _made(row: dict[str, Any]) -> None:
    """Make an item as a client would, with nothing but its row."""
    images = [Image(**image) for image in row["ownImages"]]
    if row["kind"] == "COMBINATION":
        choice = [(one["name"], one["value"]) for one in row["selectedOptions"]]
        own = {"sku": row["sku"], "code": row["ownCode"], "barcode": row["barcode"], "images": images}
        await combinations.create(row["product"], choice, **own)
        return
    above = None
    for one in row["categoryPath"]:
        with contextlib.suppress(Refused):
            await make.category(one["slug"], name=one["name"], parent=above)
        above = one["slug"]
    options = [
        Option(
            option["name"],
            tuple(OptionValue(value["name"], tuple(Image(**i) for i in value["images"])) for value in option["values"]),
            option["inventory"],
        )
        for option in row["options"]
    ]
    same = ("name", "slug", "description", "barcode", "category", "published", "shippingOrigin")
    given = {re.sub("([A-Z])", r"_\1", name).lower(): row[name] for name in same}
    given |= {"inventory_status": InventoryStatus(row["inventoryStatus"]), "images": images}
    tracking = InventoryTracking(row["tracking"])
    await make.product(row["sku"], options=options, combinations=False, tracking=tracking, **given)


def _read(row: dict[str, Any]) -> tuple[str, Any]:
    """A setting by its name in the rules, with its value."""
    name = next(one for one in NAMES if camel(one) == row["setting"])
    value = row["value"]
    if isinstance(value, list):
        value = [str(one) for one in value]
    return name, from_stored(name, str(value) if type(value) in (int, float) else value)
