"""The mutation that makes and changes many products, over the API."""

import json

import pytest

from gqlstock.store import outbox
from gqlstock.store.db import sql
from support import shop_builders as make
from support.graphql_client import codes, row_counts
from support.settled_news import settled

PRODUCTS = """products {
  sku name slug barcode description published inventoryStatus tracking createdAt updatedAt
  images { url alt } category { slug } shippingOrigin { code }
  options { name inventory values { name images { url } } }
  settingOrigins { setting scope value }
  combinations(first: 50) { nodes {
    sku name barcode images { url } selectedOptions { name value } updatedAt settingOrigins { setting scope value }
  } }
}"""


def option(name, *values, **more):
    return {"name": name, "values": [{"name": value} for value in values], **more}


def combination(sku, *values, **more):
    names = ("Size", "Color")
    return {"sku": sku, "options": [{"name": n, "value": v} for n, v in zip(names, values, strict=False)], **more}


def shirt(**more):
    return {
        "sku": "SHIRT",
        "name": "Shirt",
        "tracking": "TRACK_WITH_OPTIONS",
        "options": [option("Size", "S", "M")],
        "combinations": [combination("SHIRT-S", "S"), combination("SHIRT-M", "M")],
        **more,
    }


def own(item, scope):
    return {one["setting"]: one["value"] for one in item["settingOrigins"] if one["scope"] == scope}


async def test_a_new_product_gets_everything_that_is_given(client):
    await make.shop()
    await make.category("clothes")
    everything = shirt(
        barcode="400",
        slug="the-shirt",
        description="Cotton.",
        images=[{"url": "https://img.example/shirt.jpg", "alt": "A shirt"}],
        category="clothes",
        published=False,
        inventoryStatus="OUT_OF_STOCK",
        shippingOrigin="BERLIN",
        settings={"backorders": "ALLOW", "minimumOrderQuantity": 2},
        combinations=[
            combination(
                "SHIRT-S",
                "S",
                barcode="401",
                code="S1",
                images=[{"url": "https://img.example/s.jpg"}],
                settings={"maximumOrderQuantity": 5},
            )
        ],
    )

    payload = await client.done("upsertProducts", PRODUCTS, products=[everything])

    (found,) = payload["products"]
    assert (own(found, "PRODUCT"), own(found["combinations"]["nodes"][0], "COMBINATION")) == (
        {"backorders": "ALLOW", "minimumOrderQuantity": 2},
        {"maximumOrderQuantity": 5},
    )
    del found["settingOrigins"], found["combinations"]["nodes"][0]["settingOrigins"]
    at = found["createdAt"]
    assert found == {
        "sku": "SHIRT",
        "name": "Shirt",
        "slug": "the-shirt",
        "barcode": "400",
        "description": "Cotton.",
        "published": False,
        "inventoryStatus": "OUT_OF_STOCK",
        "tracking": "TRACK_WITH_OPTIONS",
        "createdAt": at,
        "updatedAt": at,
        "images": [{"url": "https://img.example/shirt.jpg", "alt": "A shirt"}],
        "category": {"slug": "clothes"},
        "shippingOrigin": {"code": "BERLIN"},
        "options": [
            {"name": "Size", "inventory": True, "values": [{"name": "S", "images": []}, {"name": "M", "images": []}]}
        ],
        "combinations": {
            "nodes": [
                {
                    "sku": "SHIRT-S",
                    "name": "Shirt – S",
                    "barcode": "401",
                    "images": [{"url": "https://img.example/s.jpg"}],
                    "selectedOptions": [{"name": "Size", "value": "S"}],
                    "updatedAt": at,
                }
            ]
        },
    }


async def test_products_are_answered_in_the_order_of_the_input_and_a_field_left_out_stays(client):
    await make.product("MUG", name="Mug", barcode="1", description="Blue.")

    payload = await client.done(
        "upsertProducts",
        "products { sku name barcode description tracking slug }",
        products=[{"sku": "ZEBRA", "name": "Zebra"}, {"sku": " MUG ", "name": "Cup"}, {"sku": "APE", "name": "Ape"}],
    )

    new = {"barcode": None, "description": None, "tracking": "TRACK_WITHOUT_OPTIONS"}
    assert payload["products"] == [
        {"sku": "ZEBRA", "name": "Zebra", "slug": "zebra", **new},
        {
            "sku": "MUG",
            "name": "Cup",
            "slug": "mug",
            "barcode": "1",
            "description": "Blue.",
            "tracking": "TRACK_WITHOUT_OPTIONS",
        },
        {"sku": "APE", "name": "Ape", "slug": "ape", **new},
    ]


async def test_null_clears_what_can_be_cleared(client):
    await make.shop()
    await make.category("cups")
    full = {
        "sku": "MUG",
        "name": "Mug",
        "barcode": "1",
        "description": "Blue.",
        "images": [{"url": "https://img.example/mug.jpg"}],
        "slug": "the-mug",
        "category": "cups",
        "shippingOrigin": "BERLIN",
        "settings": {"backorders": "ALLOW", "notifyBelow": 3},
    }
    await client.done("upsertProducts", products=[full])

    nulls = dict.fromkeys(
        ("name", "barcode", "description", "images", "slug", "category", "shippingOrigin", "tracking", "published")
    )
    payload = await client.done(
        "upsertProducts", PRODUCTS, products=[{"sku": "MUG", **nulls, "settings": {"backorders": None}}]
    )

    (found,) = payload["products"]
    assert own(found, "PRODUCT") == {"notifyBelow": 3}
    kept = ("name", "barcode", "description", "images", "slug", "category", "shippingOrigin", "tracking", "published")
    assert [found[name] for name in kept] == [
        "Mug", None, None, [], "mug", None, None, "TRACK_WITHOUT_OPTIONS", True
    ]  # fmt: skip


async def test_combinations_that_are_not_named_stay_as_they_are(client):
    await client.done("upsertProducts", products=[shirt()])

    payload = await client.done(
        "upsertProducts",
        PRODUCTS,
        products=[{"sku": "SHIRT", "combinations": [combination("SHIRT-M", "M", code="M1", barcode="7")]}],
    )

    nodes = payload["products"][0]["combinations"]["nodes"]
    assert [(one["sku"], one["barcode"], one["name"]) for one in nodes] == [
        ("SHIRT-S", None, "Shirt – S"),
        ("SHIRT-M", "7", "Shirt – M"),
    ]


async def test_a_new_name_reaches_the_combinations_in_the_order_of_the_options(client):
    two = [option("Color", "Red", "Blue"), option("Size", "S")]
    made = {"sku": "SHIRT-RED", "options": [{"name": "Size", "value": "S"}, {"name": "Color", "value": "Red"}]}
    await client.done("upsertProducts", products=[shirt(options=two, combinations=[made])])

    payload = await client.done("upsertProducts", PRODUCTS, products=[{"sku": "SHIRT", "name": "Blouse"}])

    assert payload["products"][0]["combinations"]["nodes"][0]["name"] == "Blouse – Red / S"


async def test_a_new_option_says_what_existing_combinations_take(client):
    await client.done("upsertProducts", products=[shirt()])
    options = [option("Size", "S", "M"), option("Color", "Red", "Blue", existing="Red")]
    blue = combination("SHIRT-S-BLUE", "S", "Blue")
    request = {"sku": "SHIRT", "options": options, "combinations": [combination("SHIRT-S", "S", "Red"), blue]}

    payload = await client.done("upsertProducts", PRODUCTS, products=[request])
    before = await everything()
    await client.done("upsertProducts", PRODUCTS, products=[request])

    nodes = payload["products"][0]["combinations"]["nodes"]
    assert [(one["sku"], one["name"]) for one in nodes] == [
        ("SHIRT-S", "Shirt – S / Red"),
        ("SHIRT-M", "Shirt – M / Red"),
        ("SHIRT-S-BLUE", "Shirt – S / Blue"),
    ]
    assert await everything() == before


async def everything():
    """Every row that an upsert writes."""
    tables = ("item", "setting_override", "outbox", "reassessment", "inventory_level", "low_inventory_alert")
    return {table: await sql.query(f"SELECT * FROM {table} ORDER BY id") for table in tables}


async def test_the_same_call_again_changes_nothing_and_tells_nobody(client):
    await make.shop()
    await make.category("clothes")
    request = [
        shirt(category="clothes", settings={"notifyBelow": 2}, images=[{"url": "https://img.example/shirt.jpg"}]),
        {"sku": "MUG", "name": "Mug", "slug": None, "description": "", "settings": {"backorders": None}},
        {"sku": "CUP", "name": "Mug"},
    ]
    first = await client.done("upsertProducts", PRODUCTS, products=request)
    before = await everything()

    second = await client.done("upsertProducts", PRODUCTS, products=request)

    assert second == first
    assert [one["slug"] for one in second["products"]] == ["shirt", "mug", "mug-2"]
    assert await everything() == before


async def test_a_call_under_a_key_happens_once_and_answers_again(client):
    first = await client.done(
        "upsertProducts", "products { id sku }", idempotencyKey="erp-1", products=[{"sku": "MUG", "name": "Mug"}]
    )
    await client.done("updateProduct", sku="MUG", newSku="CUP", name="Cup")

    again = await client.done(
        "upsertProducts", "products { id sku }", idempotencyKey="erp-1", products=[{"sku": "MUG", "name": "Mug"}]
    )
    other = await client.refused("upsertProducts", idempotencyKey="erp-1", products=[{"sku": "MUG", "name": None}])

    assert again == {"products": [{"id": first["products"][0]["id"], "sku": "CUP"}], "userErrors": []}
    assert other == [("IDEMPOTENCY_CONFLICT", ["idempotencyKey"])]


async def test_a_field_that_is_null_is_another_input_than_one_that_is_left_out(client):
    await client.done("upsertProducts", idempotencyKey="k", products=[{"sku": "MUG", "name": "Mug"}])

    refused = await client.refused(
        "upsertProducts", idempotencyKey="k", products=[{"sku": "MUG", "name": "Mug", "barcode": None}]
    )

    assert refused == [("IDEMPOTENCY_CONFLICT", ["idempotencyKey"])]


async def test_with_partial_a_wrong_product_is_left_as_it_is_and_the_others_are_written(client):
    await client.done("upsertProducts", products=[shirt(), {"sku": "MUG", "name": "Mug"}])
    request = {
        "idempotencyKey": "p",
        "partial": True,
        "products": [
            {
                "sku": "NEW",
                "name": "New",
                "combinations": [combination("NEW-S", "S")],
                "tracking": "TRACK_WITH_OPTIONS",
            },
            {
                "sku": "SHIRT",
                "name": "Blouse",
                "settings": {"notifyBelow": 9},
                "combinations": [combination("SHIRT-S", "S", barcode="9"), combination("SHIRT-L", "L")],
            },
            {"sku": "MUG", "name": "Cup"},
            {"sku": "NEW-S", "name": "The SKU of a refused combination"},
        ],
    }

    payload = await client.change("upsertProducts", PRODUCTS, **request)
    again = await client.change("upsertProducts", PRODUCTS, **request)

    assert again == payload
    assert [(one["code"], one["path"]) for one in payload["userErrors"]] == [
        ("INVALID_INPUT", ["products", "0", "combinations", "0", "options", "0", "name"]),
        ("INVALID_INPUT", ["products", "1", "combinations", "1", "options", "0", "value"]),
        ("INVALID_INPUT", ["products", "3", "sku"]),
    ]
    assert [one["sku"] for one in payload["products"]] == ["MUG"]
    found = await client.admin(
        "{ products(first: 9, sort: SKU) { nodes { sku name settingOrigins { scope } combinations { nodes { barcode } } } } }"
    )
    assert [(one["sku"], one["name"]) for one in found["products"]["nodes"]] == [("MUG", "Cup"), ("SHIRT", "Shirt")]
    unchanged = found["products"]["nodes"][1]
    assert "PRODUCT" not in {one["scope"] for one in unchanged["settingOrigins"]}
    assert unchanged["combinations"]["nodes"] == [{"barcode": None}, {"barcode": None}]


SIZE = [option("Size", "S", "M")]
REFUSED = {
    "nothing": ([], [("INVALID_INPUT", ["products"])]),
    "an empty SKU": ([{"sku": " ", "name": "X"}], [("INVALID_INPUT", ["products", "0", "sku"])]),
    "a new product without a name": ([{"sku": "NEW"}], [("INVALID_INPUT", ["products", "0", "name"])]),
    "a new product with name null": ([{"sku": "NEW", "name": None}], [("INVALID_INPUT", ["products", "0", "name"])]),
    "an empty name": ([{"sku": "MUG", "name": " "}], [("INVALID_INPUT", ["products", "0", "name"])]),
    "a new product with combinations and without tracking": (
        [{"sku": "NEW", "name": "New", "options": SIZE, "combinations": [combination("NEW-S", "S")]}],
        [("INVALID_INPUT", ["products", "0", "tracking"])],
    ),
    "a SKU twice": (
        [{"sku": "MUG"}, {"sku": "NEW", "name": "New"}, {"sku": "MUG\u200b"}],
        [("INVALID_INPUT", ["products", "2", "sku"])],
    ),
    "a SKU of a product and of a combination": (
        [{"sku": "MUG"}, {"sku": "SHIRT", "combinations": [combination("MUG", "S")]}],
        [("INVALID_INPUT", ["products", "1", "combinations", "0", "sku"])],
    ),
    "the SKU of a combination as that of a product": (
        [{"sku": "SHIRT-S", "name": "X"}],
        [("ALREADY_EXISTS", ["products", "0", "sku"])],
    ),
    "the SKU of a product as that of a combination": (
        [{"sku": "SHIRT", "combinations": [combination("MUG", "S")]}],
        [("ALREADY_EXISTS", ["products", "0", "combinations", "0", "sku"])],
    ),
    "the SKU of another product's combination": (
        [{"sku": "COAT", "combinations": [combination("SHIRT-S", "S")]}],
        [("ALREADY_EXISTS", ["products", "0", "combinations", "0", "sku"])],
    ),
    "a combination that exists under another SKU": (
        [{"sku": "SHIRT", "combinations": [combination("SHIRT-SMALL", "S")]}],
        [("ALREADY_EXISTS", ["products", "0", "combinations", "0", "options"])],
    ),
    "two combinations of the same values": (
        [{"sku": "COAT", "combinations": [combination("COAT-S", "S"), combination("COAT-S2", "S")]}],
        [("ALREADY_EXISTS", ["products", "0", "combinations", "1", "options"])],
    ),
    "other options of an existing combination": (
        [{"sku": "SHIRT", "combinations": [combination("SHIRT-S", "M")]}],
        [("INVALID_INPUT", ["products", "0", "combinations", "0", "options"])],
    ),
    "an unknown value": (
        [{"sku": "SHIRT", "combinations": [combination("SHIRT-S", "S"), combination("SHIRT-L", "L")]}],
        [("INVALID_INPUT", ["products", "0", "combinations", "1", "options", "0", "value"])],
    ),
    "an incomplete choice": (
        [{"sku": "COAT", "combinations": [{"sku": "COAT-X", "options": []}]}],
        [("INVALID_INPUT", ["products", "0", "combinations", "0", "options"])],
    ),
    "a combination of a product without options": (
        [{"sku": "MUG", "combinations": [{"sku": "MUG-X", "options": []}]}],
        [("INVALID_INPUT", ["products", "0", "combinations", "0", "options"])],
    ),
    "a new option without existing": (
        [{"sku": "SHIRT", "options": [*SIZE, option("Color", "Red")]}],
        [("INVALID_INPUT", ["products", "0", "options", "1", "existing"])],
    ),
    "the same value twice": (
        [{"sku": "MUG", "options": [option("Size", "S", "S")]}],
        [("INVALID_INPUT", ["products", "0", "options", "0", "values", "1", "name"])],
    ),
    "a slug that is none": (
        [{"sku": "MUG", "slug": "a b"}],
        [("INVALID_INPUT", ["products", "0", "slug"])],
    ),
    "a slug of another product": (
        [{"sku": "MUG", "slug": "shirt"}],
        [("ALREADY_EXISTS", ["products", "0", "slug"])],
    ),
    "a slug that a product of the call gets": (
        [{"sku": "NEW", "name": "New"}, {"sku": "MUG", "slug": "new"}],
        [("ALREADY_EXISTS", ["products", "1", "slug"])],
    ),
    "an unknown category": ([{"sku": "MUG", "category": "x"}], [("NOT_FOUND", ["products", "0", "category"])]),
    "an unknown warehouse": (
        [{"sku": "MUG", "shippingOrigin": "X"}],
        [("NOT_FOUND", ["products", "0", "shippingOrigin"])],
    ),
    "a picture without an address": (
        [{"sku": "MUG", "images": [{"url": ""}]}],
        [("INVALID_INPUT", ["products", "0", "images", "0", "url"])],
    ),
    "a wrong barcode of a combination": (
        [{"sku": "SHIRT", "combinations": [combination("SHIRT-S", "S", barcode="9" * 256)]}],
        [("INVALID_INPUT", ["products", "0", "combinations", "0", "barcode"])],
    ),
    "a tracking that loses stock": (
        [{"sku": "SHIRT", "tracking": "TRACK_WITHOUT_OPTIONS"}],
        [("INVALID_STATE", ["products", "0", "tracking"])],
    ),
    "options that lose stock": (
        [{"sku": "SHIRT", "options": [option("Size", "M")]}],
        [("INVALID_STATE", ["products", "0", "options"])],
    ),
    "settings that contradict each other": (
        [{"sku": "MUG", "settings": {"minimumOrderQuantity": 5, "maximumOrderQuantity": 4}}],
        [("INVALID_INPUT", ["products", "0", "settings", "minimumOrderQuantity"])],
    ),
    "settings that contradict those of the category": (
        [{"sku": "MUG", "category": "boxes", "settings": {"maximumOrderQuantity": 4}}],
        [("INVALID_INPUT", ["products", "0", "settings", "maximumOrderQuantity"])],
    ),
    "settings of a combination that contradict the product's": (
        [
            {
                "sku": "SHIRT",
                "settings": {"minimumOrderQuantity": 5},
                "combinations": [combination("SHIRT-S", "S", settings={"maximumOrderQuantity": 4})],
            }
        ],
        [("INVALID_INPUT", ["products", "0", "combinations", "0", "settings", "maximumOrderQuantity"])],
    ),
    "several at once": (
        [
            {"sku": "MUG", "category": "x"},
            {"sku": "CUP", "name": "Cup"},
            {
                "sku": "SHIRT",
                "settings": {"incomingBufferDays": 366},
                "combinations": [combination("SHIRT-S", "M"), combination("SHIRT-L", "L")],
            },
        ],
        [
            ("NOT_FOUND", ["products", "0", "category"]),
            ("INVALID_INPUT", ["products", "2", "settings", "incomingBufferDays"]),
            ("INVALID_INPUT", ["products", "2", "combinations", "0", "options"]),
            ("INVALID_INPUT", ["products", "2", "combinations", "1", "options", "0", "value"]),
        ],
    ),
    "251 products": (
        [{"sku": f"P{number}", "name": "P"} for number in range(251)],
        [("TOO_MANY", ["products"])],
    ),
    "2,001 combinations": (
        [shirt(combinations=[combination(f"S-{number}", "S") for number in range(2_001)])],
        [("TOO_MANY", ["products"])],
    ),
}


@pytest.mark.parametrize(("products", "errors"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("partial", [False, True])
async def test_wrong_products_are_refused_at_their_place_and_nothing_is_written(client, products, errors, partial):
    await make.shop()
    await make.category("boxes")
    await make.setting(category="boxes", minimum_order_quantity=5)
    coat = shirt(sku="COAT", name="Coat", combinations=[])
    await client.done("upsertProducts", products=[shirt(), coat, {"sku": "MUG", "name": "Mug"}])
    await make.stock("SHIRT-S")
    await settled()
    at = await outbox.latest()
    if partial:
        # Only the rows at fault.
        refused = sorted({int(path[1]) for _, path in errors if len(path) > 1}) or range(len(products))
        if refused != list(range(len(products))):
            payload = await client.change("upsertProducts", "products { sku }", products=products, partial=True)
            assert [(one["code"], one["path"]) for one in payload["userErrors"]] == errors
            assert len(payload["products"]) == len(products) - len(refused)
            return

    assert await client.refused("upsertProducts", products=products, partial=partial) == errors
    await settled()
    assert [one for one in await outbox.after(at, 100) if one.topic != "TOKENS"] == []


async def test_settings_need_a_scope_of_their_own(client):
    query = "mutation($input: UpsertProductsInput!) { upsertProducts(input: $input) { products { sku } } }"
    of_product = {"products": [{"sku": "MUG", "name": "Mug", "settings": {"notifyBelow": 1}}]}
    made = [combination("SHIRT-S", "S", settings={"notifyBelow": 1})]
    before = await row_counts()

    for request in (of_product, {"products": [shirt(combinations=made)]}):
        answer = await client.scoped("catalog:write", query, input=request)
        assert codes(answer) == [("FORBIDDEN", ["upsertProducts"])]
    answer = await client.scoped("settings:write", query, input=of_product)
    assert codes(answer) == [("FORBIDDEN", ["upsertProducts"])]
    assert await row_counts() == before

    answer = await client.scoped("catalog:write settings:write", query, input=of_product)
    assert answer == {"data": {"upsertProducts": {"products": [{"sku": "MUG"}]}}}
    answer = await client.scoped("catalog:write", query, input={"products": [shirt(settings={})]})
    assert answer == {"data": {"upsertProducts": {"products": [{"sku": "SHIRT"}]}}}


async def test_a_call_of_the_largest_size_is_neither_too_large_nor_too_expensive(client):
    options = [option("Size", *(f"{number}" for number in range(4))), option("Color", "Red", "Blue")]
    products = []
    for product in range(250):
        made = []
        for number in range(8):
            values = f"{number % 4}", "Red" if number < 4 else "Blue"
            settings = {"notifyBelow": 3, "minimumOrderQuantity": 1, "availabilityRange": "2 to 4 weeks"}
            images = [{"url": f"https://img.example/catalog/{product:05}/{number:05}.jpg", "alt": "The front"}]
            more = {"barcode": "4006381333931", "code": f"CODE-{number}", "images": images, "settings": settings}
            made.append(combination(f"ERP-{product:06}-{number:03}", *values, **more))
        name, text = f"Product of the ERP {product}", "A text of the catalog. " * 80
        more = {"settings": {"backorders": "ALLOW"}, "options": options, "combinations": made}
        products.append(shirt(sku=f"ERP-{product:06}", name=name, description=text, **more))
    assert len(json.dumps(products)) > 1_048_576

    payload = await client.done(
        "upsertProducts", "products { sku combinations(first: 8) { totalCount } }", products=products
    )

    assert len(payload["products"]) == 250
    assert {one["combinations"]["totalCount"] for one in payload["products"]} == {8}
    assert (await row_counts())["item"] == 2_250
