"""Products, combinations and categories, made and changed through the API."""

import asyncio
from dataclasses import replace

import pytest

from gqlstock.rules.catalog import InventoryTracking, Option, OptionValue, new_product
from gqlstock.store import catalog
from gqlstock.store.catalog import Item
from gqlstock.store.db import clock, transactions
from support import shop_builders as make

PRODUCT = """product {
  id sku name slug code barcode description published inventoryStatus tracking createdAt updatedAt deletedAt
  images { url alt } category { slug } shippingOrigin { code }
  options { name inventory values { name images { url } } }
}"""
COMBINATION = "combination { id sku name code barcode selectedOptions { name value } images { url } product { sku } }"
COMBINATIONS = """query($sku: String!) {
  product(sku: $sku) { combinations { nodes { id sku name selectedOptions { name value } } } }
}"""


async def combinations(client, sku="SHIRT"):
    """The combinations of a product: SKU, name and values."""
    found = (await client.admin(COMBINATIONS, sku=sku))["product"]["combinations"]["nodes"]
    return [(one["sku"], one["name"], [option["value"] for option in one["selectedOptions"]]) for one in found]


def values(*names, **renamed):
    """Values of an option as an input has them; ``Small="S"`` is the new name of S."""
    return [{"name": name} for name in names] + [{"name": new, "renamedFrom": old} for new, old in renamed.items()]


async def test_a_product_is_made_of_a_sku_and_a_name(client):
    made = (await client.done("createProduct", PRODUCT, sku="HOSE", name="Garden hose"))["product"]

    assert made["createdAt"] == made["updatedAt"]
    assert made == {
        "id": made["id"],
        "sku": "HOSE",
        "name": "Garden hose",
        "slug": "garden-hose",
        "code": "HOSE",
        "barcode": None,
        "description": None,
        "published": True,
        "inventoryStatus": "IN_STOCK",
        "tracking": "TRACK_WITHOUT_OPTIONS",
        "createdAt": made["createdAt"],
        "updatedAt": made["updatedAt"],
        "deletedAt": None,
        "images": [],
        "category": None,
        "shippingOrigin": None,
        "options": [],
    }


async def test_a_product_is_made_of_everything_that_is_given(client):
    await make.shop()
    await make.category("garden")

    made = await client.done(
        "createProduct",
        PRODUCT,
        sku=" HOSE ",
        name="Hose",
        barcode="4006381333931",
        slug="green-hose",
        description="Ten metres.",
        images=[{"url": "https://img.example/hose.jpg", "alt": "A hose"}],
        category="garden",
        tracking="TRACK_WITH_OPTIONS",
        published=False,
        inventoryStatus="DISCONTINUED",
        shippingOrigin="BERLIN",
        options=[{"name": "Length", "values": [{"name": "10 m", "images": [{"url": "https://img.example/10.jpg"}]}]}],
    )

    assert {**made["product"], "id": 0, "createdAt": 0, "updatedAt": 0} == {
        "id": 0,
        "sku": "HOSE",
        "name": "Hose",
        "slug": "green-hose",
        "code": "HOSE",
        "barcode": "4006381333931",
        "description": "Ten metres.",
        "published": False,
        "inventoryStatus": "DISCONTINUED",
        "tracking": "TRACK_WITH_OPTIONS",
        "createdAt": 0,
        "updatedAt": 0,
        "deletedAt": None,
        "images": [{"url": "https://img.example/hose.jpg", "alt": "A hose"}],
        "category": {"slug": "garden"},
        "shippingOrigin": {"code": "BERLIN"},
        "options": [
            {
                "name": "Length",
                "inventory": True,
                "values": [{"name": "10 m", "images": [{"url": "https://img.example/10.jpg"}]}],
            }
        ],
    }


async def test_a_slug_is_made_from_the_name_and_numbered_where_it_is_taken(client):
    slugs = []
    for number in range(3):
        made = await client.done("createProduct", "product { slug }", sku=f"HOSE-{number}", name="Garden hose!")
        slugs.append(made["product"]["slug"])
    nameless = await client.done("createProduct", "product { slug }", sku="DOTS", name="…")

    assert slugs == ["garden-hose", "garden-hose-2", "garden-hose-3"]
    assert nameless["product"]["slug"] == "product"


async def test_a_slug_as_long_as_can_be_still_gets_its_number(client):
    name = "x" * 400

    made = [(await client.done("createProduct", "product { slug }", sku=sku, name=name))["product"] for sku in "AB"]

    assert [one["slug"] for one in made] == ["x" * 255, f"{'x' * 240}-2"]


async def test_null_makes_the_slug_from_the_name_again(client):
    await make.product("HOSE", name="Green hose", slug="old")
    await make.product("PIPE", name="Red pipe", slug="red-pipe")

    made = await client.done("updateProduct", "product { slug }", sku="HOSE", slug=None)
    kept = await client.done("updateProduct", "product { slug }", sku="PIPE", slug=None)

    assert made["product"]["slug"] == "green-hose"
    assert kept["product"]["slug"] == "red-pipe"


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        pytest.param({"sku": "MUG"}, [("ALREADY_EXISTS", ["sku"])], id="the-sku-of-a-product"),
        pytest.param({"sku": "SHIRT-S"}, [("ALREADY_EXISTS", ["sku"])], id="the-sku-of-a-combination"),
        pytest.param({"slug": "mug"}, [("ALREADY_EXISTS", ["slug"])], id="the-slug-of-a-product"),
        pytest.param({"sku": "  "}, [("INVALID_INPUT", ["sku"])], id="an-empty-sku"),
        pytest.param({"sku": "x" * 256}, [("INVALID_INPUT", ["sku"])], id="a-sku-too-long"),
        pytest.param({"name": ""}, [("INVALID_INPUT", ["name"])], id="an-empty-name"),
        pytest.param({"name": "x" * 100_000}, [("INVALID_INPUT", ["name"])], id="a-name-too-long"),
        pytest.param({"name": "bell\x07"}, [("INVALID_INPUT", ["name"])], id="a-control-character"),
        pytest.param({"slug": "Two words"}, [("INVALID_INPUT", ["slug"])], id="no-slug"),
        pytest.param({"barcode": "1" * 256}, [("INVALID_INPUT", ["barcode"])], id="a-barcode-too-long"),
        pytest.param({"description": "x" * 100_000}, [("INVALID_INPUT", ["description"])], id="a-description-too-long"),
        pytest.param({"category": "nowhere"}, [("NOT_FOUND", ["category"])], id="an-unknown-category"),
        pytest.param({"shippingOrigin": "MARS"}, [("NOT_FOUND", ["shippingOrigin"])], id="an-unknown-warehouse"),
        pytest.param({"images": [{"url": ""}]}, [("INVALID_INPUT", ["images", "0", "url"])], id="a-picture-nowhere"),
        pytest.param(
            {"images": [{"url": "u"}, {"url": "u", "alt": "x" * 501}]},
            [("INVALID_INPUT", ["images", "1", "alt"])],
            id="an-alt-too-long",
        ),
        pytest.param({"images": [{"url": "u"}] * 251}, [("TOO_MANY", ["images"])], id="too-many-pictures"),
        pytest.param(
            {"options": [{"name": "Size", "values": []}]},
            [("INVALID_INPUT", ["options", "0", "values"])],
            id="an-option-without-values",
        ),
        pytest.param(
            {"options": [{"name": " ", "values": values("S")}]},
            [("INVALID_INPUT", ["options", "0", "name"])],
            id="an-option-without-a-name",
        ),
        pytest.param(
            {"options": [{"name": "Size", "values": values("S", "M", " S")}]},
            [("INVALID_INPUT", ["options", "0", "values", "2", "name"])],
            id="a-value-twice",
        ),
        pytest.param(
            {"options": [{"name": "Size", "values": values("S")}, {"name": "Size", "values": values("M")}]},
            [("INVALID_INPUT", ["options", "1", "name"])],
            id="an-option-twice",
        ),
        pytest.param(
            {"options": [{"name": "Size", "values": [{"name": "S", "images": [{"url": "x" * 100_000}]}]}]},
            [("INVALID_INPUT", ["options", "0", "values", "0", "images", "0", "url"])],
            id="a-value-with-a-url-too-long",
        ),
        pytest.param(
            {"options": [{"name": "Size", "values": values(*(str(n) for n in range(2_001)))}]},
            [("TOO_MANY", ["options", "0", "values"])],
            id="too-many-values",
        ),
        pytest.param(
            {"options": [{"name": f"{n}", "values": values("S")} for n in range(101)]},
            [("TOO_MANY", ["options"])],
            id="too-many-options",
        ),
    ],
)
async def test_a_product_that_cannot_be_is_refused_and_nothing_is_written(client, given, errors):
    await make.product("MUG")
    await make.product("SHIRT", options={"Size": ["S"]})

    assert await client.refused("createProduct", **{"sku": "NEW", "name": "New", **given}) == errors


async def test_what_is_left_out_stays_and_null_empties(client):
    await make.shop()
    await make.category("garden")
    await client.done(
        "createProduct",
        sku="HOSE",
        name="Hose",
        barcode="123",
        description="Long.",
        images=[{"url": "u"}],
        category="garden",
        shippingOrigin="BERLIN",
        options=[{"name": "Color", "values": values("Red")}],
    )

    before = (await client.done("updateProduct", PRODUCT, sku="HOSE"))["product"]
    after = await client.done(
        "updateProduct",
        PRODUCT,
        sku="HOSE",
        barcode=None,
        description=None,
        images=None,
        category=None,
        shippingOrigin=None,
        options=None,
    )

    assert (before["barcode"], before["description"], before["category"]) == ("123", "Long.", {"slug": "garden"})
    assert after["product"] == {
        **before,
        "barcode": None,
        "description": None,
        "images": [],
        "category": None,
        "shippingOrigin": None,
        "options": [],
        "updatedAt": after["product"]["updatedAt"],
    }


async def test_a_change_is_seen_in_updated_at_and_stock_is_not(client):
    await make.shop()
    await make.product("MUG")
    query = '{ inventoryItem(sku: "MUG") { updatedAt } }'
    made = (await client.admin(query))["inventoryItem"]["updatedAt"]

    await make.stock("MUG")
    stocked = (await client.admin(query))["inventoryItem"]["updatedAt"]
    await client.done("updateProduct", sku="MUG", name="Cup")
    changed = (await client.admin(query))["inventoryItem"]["updatedAt"]

    assert made == stocked < changed


async def test_a_product_gets_a_new_sku(client):
    await make.product("MUG")
    await make.product("SHIRT", options={"Size": ["S"]})

    taken = await client.refused("updateProduct", sku="MUG", newSku="SHIRT-S")
    own = await client.change("updateProduct", "product { sku }", sku="MUG", newSku="MUG")
    renamed = await client.done("updateProduct", "product { sku code }", sku="MUG", newSku="CUP")
    gone = await client.refused("updateProduct", sku="MUG", name="x")

    assert taken == [("ALREADY_EXISTS", ["newSku"])]
    assert own == {"product": {"sku": "MUG"}, "userErrors": []}
    assert renamed["product"] == {"sku": "CUP", "code": "CUP"}
    assert gone == [("NOT_FOUND", ["sku"])]


async def test_a_new_name_is_the_combinations_new_name_too(client):
    await make.product("SHIRT", name="Shirt", options={"Size": ["S"]})

    await client.done("updateProduct", sku="SHIRT", name="Blouse")

    assert await combinations(client) == [("SHIRT-S", "Blouse – S", ["S"])]


async def test_a_deleted_product_is_found_by_nothing_but_its_id_and_its_sku_may_be_used_again(client):
    await make.product("SHIRT", options={"Size": ["S"]})
    item = '{ inventoryItem(sku: "SHIRT-S") { id } product(sku: "SHIRT") { id } products { totalCount } }'
    before = await client.admin(item)

    deleted = await client.done("deleteProduct", "deletedId", sku="SHIRT")
    after = await client.admin(item)
    again = await client.done("createProduct", "product { id slug }", sku="SHIRT-S", name="Shirt")
    by_id = await client.admin(
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on InventoryItem { sku deletedAt } } }",
        ids=[before["product"]["id"], before["inventoryItem"]["id"]],
    )

    assert deleted["deletedId"] == before["product"]["id"]
    assert after == {"inventoryItem": None, "product": None, "products": {"totalCount": 0}}
    assert again["product"]["id"] not in (before["product"]["id"], before["inventoryItem"]["id"])
    assert again["product"]["slug"] == "shirt"
    assert [node["sku"] for node in by_id["nodes"]] == ["SHIRT", "SHIRT-S"]
    assert all(node["deletedAt"] for node in by_id["nodes"])


async def test_what_has_stock_or_open_orders_is_not_deleted(client):
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=1)
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("SHIRT-S", on_hand=1)
    await make.product("CUP")
    await make.stock("CUP", on_hand=1)
    await make.order("CUP", 1)

    assert await client.refused("deleteProduct", sku="MUG") == [("INVALID_STATE", ["sku"])]
    assert await client.refused("deleteProduct", sku="SHIRT") == [("INVALID_STATE", ["sku"])]
    assert await client.refused("deleteCombination", sku="SHIRT-S") == [("INVALID_STATE", ["sku"])]
    assert await client.refused("deleteProduct", sku="CUP") == [("INVALID_STATE", ["sku"])]
    await client.done("deleteCombination", sku="SHIRT-M")
    assert [sku for sku, _, _ in await combinations(client)] == ["SHIRT-S"]


async def test_deleting_an_item_takes_its_levels_out_of_use_and_resolves_its_alerts(client):
    await make.shop()
    await make.product("MUG")
    await make.setting(product="MUG", notify_below=3)
    await make.stock("MUG", on_hand=5)
    await make.stock("MUG", on_hand=0)

    await client.done("deleteProduct", sku="MUG")

    found = await client.admin(
        """{
          inventoryLevels { totalCount }
          all: inventoryLevels(filter: { includeDeleted: true }) { nodes { deletedAt item { sku deletedAt } } }
          lowInventoryAlerts { nodes { state } }
        }"""
    )
    assert found["inventoryLevels"] == {"totalCount": 0}
    assert found["all"]["nodes"][0]["deletedAt"]
    assert found["all"]["nodes"][0]["item"]["sku"] == "MUG"
    assert found["lowInventoryAlerts"] == {"nodes": [{"state": "RESOLVED"}]}


@pytest.mark.parametrize(
    ("mutation", "given", "path"),
    [
        ("updateProduct", {"sku": "NONE"}, ["sku"]),
        ("updateProduct", {"sku": "SHIRT-S"}, ["sku"]),
        ("deleteProduct", {"sku": "NONE"}, ["sku"]),
        ("deleteProduct", {"sku": "SHIRT-S"}, ["sku"]),
        ("setInventoryStatus", {"sku": "NONE", "status": "IN_STOCK"}, ["sku"]),
        ("createCombination", {"product": "NONE", "options": []}, ["product"]),
        ("generateCombinations", {"product": "SHIRT-S"}, ["product"]),
        ("updateCombination", {"sku": "SHIRT"}, ["sku"]),
        ("deleteCombination", {"sku": "NONE"}, ["sku"]),
        ("updateCategory", {"slug": "none"}, ["slug"]),
        ("deleteCategory", {"slug": "none"}, ["slug"]),
        ("createCategory", {"slug": "new", "name": "New", "parent": "none"}, ["parent"]),
    ],
)
async def test_what_does_not_exist_cannot_be_changed(client, mutation, given, path):
    await make.product("SHIRT", options={"Size": ["S"]})

    assert await client.refused(mutation, **given) == [("NOT_FOUND", path)]


async def test_a_combination_gets_a_sku_made_from_its_product_and_values(client):
    options = {"Size": ["Extra large", "M/L"], "Color": ["Ruby-red"]}
    await make.product("SHIRT", name="Shirt", options=options, combinations=False)
    await make.product("SHIRT-ML-RUBYRED")

    first = await client.done(
        "createCombination",
        COMBINATION,
        product="SHIRT",
        options=[{"name": "Color", "value": "Ruby-red"}, {"name": "Size", "value": "Extra large"}],
    )
    second = await client.done(
        "createCombination",
        COMBINATION,
        product="SHIRT",
        options=[{"name": "Size", "value": "M/L"}, {"name": "Color", "value": "Ruby-red"}],
    )

    assert first["combination"] == {
        "id": first["combination"]["id"],
        "sku": "SHIRT-EXTRALARGE-RUBYRED",
        "name": "Shirt – Extra large / Ruby-red",
        "code": "SHIRT",
        "barcode": None,
        "selectedOptions": [{"name": "Size", "value": "Extra large"}, {"name": "Color", "value": "Ruby-red"}],
        "images": [],
        "product": {"sku": "SHIRT"},
    }
    assert second["combination"]["sku"] == "SHIRT-ML-RUBYRED-2"


async def test_a_long_product_sku_still_gives_each_combination_one_of_its_own(client):
    sku = "X" * 255
    await make.product(sku, options={"Size": ["S", "M", "L"]}, combinations=False)

    made = await client.done("generateCombinations", "combinations { sku }", product=sku)

    assert [one["sku"] for one in made["combinations"]] == ["X" * 240, f"{'X' * 240}-2", f"{'X' * 240}-3"]


async def test_a_combination_takes_code_barcode_and_pictures_of_its_own_or_its_products(client):
    await make.product("SHIRT", options={"Size": ["S"]}, combinations=False)
    await client.done("updateProduct", sku="SHIRT", images=[{"url": "shirt.jpg"}])
    given = {"code": "S-1", "barcode": "42", "sku": "SMALL", "images": [{"url": "small.jpg"}]}

    own = await client.done(
        "createCombination", COMBINATION, product="SHIRT", options=[{"name": "Size", "value": "S"}], **given
    )
    stays = await client.done("updateCombination", COMBINATION, sku="SMALL")
    emptied = await client.done(
        "updateCombination", COMBINATION, sku="SMALL", newSku="TINY", code=None, barcode=None, images=None
    )

    assert own["combination"] == {
        "id": own["combination"]["id"],
        "sku": "SMALL",
        "name": "Shirt – S",
        "code": "S-1",
        "barcode": "42",
        "selectedOptions": [{"name": "Size", "value": "S"}],
        "images": [{"url": "small.jpg"}],
        "product": {"sku": "SHIRT"},
    }
    assert stays["combination"] == own["combination"]
    assert emptied["combination"] == {
        **own["combination"],
        "sku": "TINY",
        "code": "SHIRT",
        "barcode": None,
        "images": [{"url": "shirt.jpg"}],
    }


@pytest.mark.parametrize(
    ("options", "given", "errors"),
    [
        pytest.param({"Size": "S", "Color": "Red"}, {}, [("ALREADY_EXISTS", ["options"])], id="there-is-one"),
        pytest.param({"Size": "M"}, {}, [("INVALID_INPUT", ["options"])], id="an-option-is-missing"),
        pytest.param({}, {}, [("INVALID_INPUT", ["options"])], id="no-option"),
        pytest.param(
            {"Size": "XL", "Color": "Red"}, {}, [("INVALID_INPUT", ["options", "0", "value"])], id="an-unknown-value"
        ),
        pytest.param(
            {"Size": "M", "Fit": "Slim"}, {}, [("INVALID_INPUT", ["options", "1", "name"])], id="an-unknown-option"
        ),
        pytest.param(
            {"Size": "M", "Color": "Red"}, {"sku": "MUG"}, [("ALREADY_EXISTS", ["sku"])], id="a-sku-that-is-taken"
        ),
        pytest.param({"Size": "M", "Color": "Red"}, {"sku": " "}, [("INVALID_INPUT", ["sku"])], id="an-empty-sku"),
        pytest.param(
            {"Size": "M", "Color": "Red"}, {"code": "x" * 256}, [("INVALID_INPUT", ["code"])], id="a-code-too-long"
        ),
        pytest.param(
            {"Size": "M", "Color": "Red"},
            {"images": [{"url": "x" * 2_001}]},
            [("INVALID_INPUT", ["images", "0", "url"])],
            id="a-url-too-long",
        ),
    ],
)
async def test_a_combination_that_cannot_be_is_refused(client, options, given, errors):
    await make.product("MUG")
    await make.product("SHIRT", options={"Size": ["S", "M"], "Color": ["Red"]}, combinations=False)
    choice = [{"name": "Size", "value": "S"}, {"name": "Color", "value": "Red"}]
    await client.done("createCombination", product="SHIRT", options=choice)

    told = [{"name": name, "value": value} for name, value in options.items()]

    assert await client.refused("createCombination", product="SHIRT", options=told, **given) == errors


async def test_generating_makes_the_combinations_that_are_missing(client):
    await make.product("SHIRT", options={"Size": ["S", "M"], "Color": ["Red", "Blue"]}, combinations=False)
    choice = [{"name": "Size", "value": "M"}, {"name": "Color", "value": "Red"}]
    await client.done("createCombination", product="SHIRT", sku="OWN", options=choice)

    made = await client.done("generateCombinations", "combinations { sku }", product="SHIRT")
    again = await client.done("generateCombinations", "combinations { sku }", product="SHIRT")

    assert [one["sku"] for one in made["combinations"]] == ["SHIRT-S-RED", "SHIRT-S-BLUE", "SHIRT-M-BLUE"]
    assert again["combinations"] == []


async def test_two_thousand_combinations_are_made_and_one_more_is_too_many(client):
    forty, fifty = [str(n) for n in range(40)], [str(n) for n in range(50)]
    await make.product("ALL", options={"A": forty, "B": fifty}, combinations=False)
    await make.product("OVER", options={"A": [*forty, "x"], "B": fifty}, combinations=False)
    await make.product("NONE")

    made = await client.done("generateCombinations", "combinations { sku }", product="ALL")

    assert len({one["sku"] for one in made["combinations"]}) == 2_000
    assert await client.refused("generateCombinations", product="OVER") == [("TOO_MANY", ["product"])]
    assert await client.refused("generateCombinations", product="NONE") == [("INVALID_INPUT", ["product"])]


async def test_a_combination_of_a_long_name_and_long_values_has_a_name_that_fits(client):
    options = {f"Option {n}": ["x" * 100] for n in range(8)}
    await make.product("LONG", name="n" * 500, options=options, combinations=False)

    made = await client.done("generateCombinations", "combinations { name }", product="LONG")

    assert len(made["combinations"][0]["name"]) == 1_000


RENAMES = [
    pytest.param(
        [{"name": "Fit", "renamedFrom": "Size", "values": values("S", "M")}],
        [("SHIRT-S", "Shirt – S", ["S"]), ("SHIRT-M", "Shirt – M", ["M"])],
        id="an-option",
    ),
    pytest.param(
        [{"name": "Size", "values": values("M", Small="S")}],
        [("SHIRT-S", "Shirt – Small", ["Small"]), ("SHIRT-M", "Shirt – M", ["M"])],
        id="a-value",
    ),
    pytest.param(
        [{"name": "Size", "values": values(M="S", S="M")}],
        [("SHIRT-S", "Shirt – M", ["M"]), ("SHIRT-M", "Shirt – S", ["S"])],
        id="two-values-change-places",
    ),
    pytest.param(
        [{"name": "Size", "values": values(M="S")}],
        [("SHIRT-S", "Shirt – M", ["M"])],
        id="a-value-takes-the-name-of-one-that-goes",
    ),
    pytest.param(
        [{"name": "Size", "values": values("S", "M", "L")}],
        [("SHIRT-S", "Shirt – S", ["S"]), ("SHIRT-M", "Shirt – M", ["M"])],
        id="a-value-more",
    ),
    pytest.param([{"name": "Size", "values": values("M")}], [("SHIRT-M", "Shirt – M", ["M"])], id="a-value-less"),
    pytest.param([], [], id="no-option"),
    pytest.param(
        [{"name": "Size", "values": values("S", "M"), "inventory": False}], [], id="an-option-not-for-inventory-now"
    ),
    pytest.param(
        [{"name": "Size", "values": values("S", "M")}, {"name": "Color", "values": values("Red"), "existing": "Red"}],
        [("SHIRT-S", "Shirt – S / Red", ["S", "Red"]), ("SHIRT-M", "Shirt – M / Red", ["M", "Red"])],
        id="an-inventory-option-more",
    ),
]


@pytest.mark.parametrize(("options", "expected"), RENAMES)
async def test_combinations_follow_their_products_options(client, options, expected):
    await make.product("SHIRT", name="Shirt", options={"Size": ["S", "M"]})
    before = (await client.admin(COMBINATIONS, sku="SHIRT"))["product"]["combinations"]["nodes"]

    await client.done("updateProduct", sku="SHIRT", options=options)

    assert await combinations(client) == expected
    after = (await client.admin(COMBINATIONS, sku="SHIRT"))["product"]["combinations"]["nodes"]
    ids = {one["sku"]: one["id"] for one in before}
    assert [one["id"] for one in after] == [ids[one["sku"]] for one in after]


async def test_a_renamed_option_that_takes_anothers_name_leaves_no_combination_with_two_meanings(client):
    await make.product("SHIRT", options={"Size": ["S"], "Color": ["S", "Red"]})

    await client.done(
        "updateProduct", sku="SHIRT", options=[{"name": "Color", "renamedFrom": "Size", "values": values("S")}]
    )

    assert await combinations(client) == []


async def test_a_combination_that_was_renamed_keeps_its_stock_and_is_found_by_its_new_choice(client):
    await make.shop()
    await make.product("SHIRT", options={"Size": ["S"]})
    await make.stock("SHIRT-S", on_hand=3)
    options = [{"name": "Fit", "renamedFrom": "Size", "values": values(Small="S")}]

    await client.done("updateProduct", sku="SHIRT", options=options)
    again = await client.change("updateProduct", sku="SHIRT", options=options)

    found = await client.admin(
        """{ product(sku: "SHIRT") {
             selection(options: [{ name: "Fit", value: "Small" }]) { combination { sku inventoryTotals { onHand } } }
           } }"""
    )
    assert again["userErrors"] == []
    assert found["product"]["selection"]["combination"] == {"sku": "SHIRT-S", "inventoryTotals": {"onHand": 3}}


@pytest.mark.parametrize(
    ("options", "path"),
    [
        pytest.param(
            [{"name": "Fit", "renamedFrom": "Sise", "values": values("S", "M")}],
            ["options", "0", "renamedFrom"],
            id="an-option-that-is-not-there",
        ),
        pytest.param(
            [{"name": "Size", "values": values("M", Small="Z")}],
            ["options", "0", "values", "1", "renamedFrom"],
            id="a-value-that-is-not-there",
        ),
        pytest.param(
            [{"name": "Size", "values": values("M", Small="S", Tiny="S")}],
            ["options", "0", "values", "2", "renamedFrom"],
            id="one-value-becomes-two",
        ),
    ],
)
async def test_a_rename_that_is_none_is_refused(client, options, path):
    await make.product("SHIRT", options={"Size": ["S", "M"]})

    assert await client.refused("updateProduct", sku="SHIRT", options=options) == [("INVALID_INPUT", path)]
    assert [sku for sku, _, _ in await combinations(client)] == ["SHIRT-S", "SHIRT-M"]


async def test_a_value_whose_combination_has_stock_is_not_removed(client):
    await make.shop()
    await make.product("SHIRT", name="Shirt", options={"Size": ["S", "M"]})
    await make.stock("SHIRT-S", on_hand=1)

    refused = await client.refused(
        "updateProduct", sku="SHIRT", name="New", options=[{"name": "Size", "values": values("M")}]
    )

    assert refused == [("INVALID_STATE", ["options"])]
    assert (await client.admin('{ product(sku: "SHIRT") { name options { values { name } } } }'))["product"] == {
        "name": "Shirt",
        "options": [{"values": [{"name": "S"}, {"name": "M"}]}],
    }


@pytest.mark.parametrize(
    ("before", "after", "stocked", "errors"),
    [
        ("TRACK_WITHOUT_OPTIONS", "TRACK_WITH_OPTIONS", "SHIRT", [("INVALID_STATE", ["tracking"])]),
        ("TRACK_WITH_OPTIONS", "TRACK_WITHOUT_OPTIONS", "SHIRT-S", [("INVALID_STATE", ["tracking"])]),
        ("TRACK_WITHOUT_OPTIONS", "TRACK_WITH_OPTIONS", None, []),
        ("TRACK_WITH_OPTIONS", "TRACK_WITHOUT_OPTIONS", None, []),
        ("TRACK_WITHOUT_OPTIONS", "DO_NOT_TRACK", "SHIRT", []),
        ("TRACK_WITH_OPTIONS", "DO_NOT_TRACK", "SHIRT-S", []),
    ],
)
async def test_tracking_changes_between_counted_modes_while_nothing_is_left_behind(
    client, before, after, stocked, errors
):
    await make.shop()
    await make.product("SHIRT", options={"Size": ["S"]}, tracking=InventoryTracking(before))
    if stocked:
        await make.stock(stocked, on_hand=1)

    payload = await client.change("updateProduct", sku="SHIRT", tracking=after)
    found = await client.admin('{ product(sku: "SHIRT") { tracking } }')

    assert [(error["code"], error["path"]) for error in payload["userErrors"]] == errors
    assert found["product"]["tracking"] == (before if errors else after)


async def test_an_open_order_keeps_a_product_tracked_as_it_is(client):
    await make.shop()
    await make.product("SHIRT", options={"Size": ["S"]})
    await make.stock("SHIRT-S", on_hand=1)
    await make.order("SHIRT-S", 1)

    refused = await client.refused("updateProduct", sku="SHIRT", tracking="TRACK_WITHOUT_OPTIONS")

    assert refused == [("INVALID_STATE", ["tracking"])]


async def test_what_is_no_longer_counted_is_no_longer_told_to_be_low(client):
    await make.shop()
    await make.product("SHIRT", options={"Size": ["S"]})
    await make.setting(product="SHIRT", notify_below=3)
    await make.stock("SHIRT-S", on_hand=1)
    alerts = "{ lowInventoryAlerts { nodes { sku state } } }"
    before = await client.admin(alerts)

    await client.done("updateProduct", sku="SHIRT", tracking="DO_NOT_TRACK")

    assert before["lowInventoryAlerts"]["nodes"] == [{"sku": "SHIRT-S", "state": "RAISED"}]
    after = await client.admin(alerts)
    assert after["lowInventoryAlerts"]["nodes"] == [{"sku": "SHIRT-S", "state": "RESOLVED"}]


async def test_who_looks_after_stock_sets_the_status(client):
    await make.product("MUG")

    payload = await client.change(
        "setInventoryStatus", "product { inventoryStatus }", caller="inventory:write", sku="MUG", status="OUT_OF_STOCK"
    )

    assert payload == {"product": {"inventoryStatus": "OUT_OF_STOCK"}, "userErrors": []}


async def test_two_at_once_with_one_sku_make_one_product(client):
    answers = await asyncio.gather(*(client.change("createProduct", sku="MUG", name=f"Mug {n}") for n in range(6)))

    refused = [error for answer in answers for error in answer["userErrors"]]
    assert [(error["code"], error["path"]) for error in refused] == [("ALREADY_EXISTS", ["sku"])] * 5
    assert await Item.filter(sku="MUG").count() == 1


async def test_a_sku_that_came_in_between_is_found_by_the_second_try(db):
    """The unique index has the last word, and the answer is that of a look just before."""
    tries = []

    async def work() -> bool:
        taken = await Item.exists(sku="MUG")
        if not tries:
            at = clock.now()
            tries.append(at)
            await catalog.insert([replace(new_product("MUG", "x", at), slug=slug) for slug in "ab"])
        return taken

    assert await transactions.run(work) is False
    assert await Item.filter(sku="MUG").count() == 0


async def test_one_after_the_other_many_combinations_are_renamed_at_once(client):
    product = Option("Number", tuple(OptionValue(str(n)) for n in range(300)))
    await make.product("MANY", options=[product])
    shifted = [{"name": str((n + 1) % 300), "renamedFrom": str(n)} for n in range(300)]

    await client.done("updateProduct", sku="MANY", options=[{"name": "Number", "values": shifted}])

    found = await Item.filter(sku__in=["MANY-0", "MANY-298", "MANY-299"]).order_by("id")
    assert [item.choice for item in found] == [{"Number": "1"}, {"Number": "299"}, {"Number": "0"}]


async def test_categories_form_a_tree(client):
    made = await client.done("createCategory", "category { slug name parent { slug } }", slug="garden", name="Garden")
    await client.done("createCategory", slug="tools", name="Tools", parent="garden")
    await client.done("createCategory", slug="seeds", name="Seeds", parent="garden")
    moved = await client.done("updateCategory", "category { slug }", slug="seeds", newSlug="plants", parent="tools")
    top = await client.done("updateCategory", "category { name parent { slug } }", slug="tools", name="T", parent=None)

    tree = await client.public('{ category(slug: "tools") { children { slug parent { slug } } } }')
    assert made["category"] == {"slug": "garden", "name": "Garden", "parent": None}
    assert moved["category"] == {"slug": "plants"}
    assert top["category"] == {"name": "T", "parent": None}
    assert tree["category"]["children"] == [{"slug": "plants", "parent": {"slug": "tools"}}]


@pytest.mark.parametrize(
    ("mutation", "given", "errors"),
    [
        ("createCategory", {"slug": "garden", "name": "x"}, [("ALREADY_EXISTS", ["slug"])]),
        ("createCategory", {"slug": "Not one", "name": "x"}, [("INVALID_INPUT", ["slug"])]),
        ("createCategory", {"slug": "new", "name": " "}, [("INVALID_INPUT", ["name"])]),
        ("updateCategory", {"slug": "tools", "newSlug": "garden"}, [("ALREADY_EXISTS", ["newSlug"])]),
        ("updateCategory", {"slug": "garden", "parent": "spades"}, [("INVALID_INPUT", ["parent"])]),
        ("updateCategory", {"slug": "garden", "parent": "garden"}, [("INVALID_INPUT", ["parent"])]),
        ("updateCategory", {"slug": "garden", "parent": "none"}, [("NOT_FOUND", ["parent"])]),
        ("deleteCategory", {"slug": "garden"}, [("INVALID_STATE", ["slug"])]),
        ("deleteCategory", {"slug": "spades"}, [("INVALID_STATE", ["slug"])]),
    ],
)
async def test_a_tree_that_cannot_be_is_refused(client, mutation, given, errors):
    await make.category("garden")
    await make.category("tools", parent="garden")
    await make.category("spades", parent="tools")
    await make.product("SPADE", category="spades")

    assert await client.refused(mutation, **given) == errors


async def test_a_category_goes_once_nothing_in_use_is_in_it(client):
    await make.category("garden")
    await make.category("tools", parent="garden")
    await make.product("SPADE", category="tools")
    await client.done("deleteProduct", sku="SPADE")

    for slug in ("tools", "garden"):
        await client.done("deleteCategory", slug=slug)

    assert (await client.public("{ categories { totalCount } }"))["categories"] == {"totalCount": 0}
