"""What the shop and the office find of products, combinations and categories, and what the public does not."""

from datetime import datetime, timedelta

import pytest

from gqlstock.rules.catalog import Image, InventoryStatus, InventoryTracking, Option, OptionValue
from support import shop_builders as make
from support.graphql_client import codes

SELECTION = """query($options: [SelectedOptionInput!]!, $sku: String! = "SHIRT") {
  product(sku: $sku) {
    selection(options: $options) {
      complete code images { url } combination { sku }
      choices { name values { name selected exists orderable } }
      availability { sku orderable unavailableReason salableQuantity }
    }
  }
}"""


def choice(**options):
    return [{"name": name, "value": value} for name, value in options.items()]


def marks(selection):
    """The picker at a glance: * selected, + exists, ! orderable."""
    return {
        option["name"]: {
            value["name"]: "".join(
                sign for sign, name in (("*", "selected"), ("+", "exists"), ("!", "orderable")) if value[name]
            )
            for value in option["values"]
        }
        for option in selection["choices"]
    }


async def a_shirt(client, tracking=InventoryTracking.TRACK_WITH_OPTIONS):
    """Sizes S and M in red and blue, but no M in blue; a lettering that makes no combinations. Only S in red is there."""
    await make.shop()
    color = Option(
        "Color", (OptionValue("Red", (Image("red.jpg"),)), OptionValue("Blue", (Image("blue.jpg"),))), inventory=True
    )
    size = Option("Size", (OptionValue("S"), OptionValue("M")))
    lettering = Option("Lettering", (OptionValue("None"), OptionValue("Name", (Image("name.jpg"),))), inventory=False)
    await make.product(
        "SHIRT",
        options=[size, color, lettering],
        tracking=tracking,
        images=[Image("shirt.jpg")],
    )
    await client.done("deleteCombination", sku="SHIRT-M-BLUE")
    await client.done("updateCombination", sku="SHIRT-S-RED", code="S/R", images=[{"url": "s-red.jpg"}])
    if tracking is InventoryTracking.TRACK_WITH_OPTIONS:
        await make.stock("SHIRT-S-RED", on_hand=3)
        await make.stock("SHIRT-M-RED", on_hand=0)


async def test_nothing_chosen_shows_the_product_and_what_can_be_chosen(client):
    await a_shirt(client)

    shown = (await client.admin(SELECTION, options=[]))["product"]["selection"]

    assert {name: shown[name] for name in ("complete", "code", "images", "combination")} == {
        "complete": False,
        "code": "SHIRT",
        "images": [{"url": "shirt.jpg"}],
        "combination": None,
    }
    assert shown["availability"] == {
        "sku": "SHIRT",
        "orderable": False,
        "unavailableReason": "SELECT_OPTIONS",
        "salableQuantity": 3,
    }
    assert marks(shown) == {
        "Size": {"S": "+!", "M": "+"},
        "Color": {"Red": "+!", "Blue": "+"},
        "Lettering": {"None": "+!", "Name": "+!"},
    }


async def test_a_part_of_the_choice_says_what_still_goes_with_it(client):
    await a_shirt(client)

    shown = (await client.admin(SELECTION, options=choice(Size="M", Lettering="Name")))["product"]["selection"]

    assert shown["complete"] is False
    assert shown["images"] == [{"url": "name.jpg"}]
    assert marks(shown) == {
        "Size": {"S": "+!", "M": "*+"},
        "Color": {"Red": "+", "Blue": ""},
        "Lettering": {"None": "+", "Name": "*+"},
    }


@pytest.mark.parametrize(
    ("options", "code", "images", "combination", "availability"),
    [
        pytest.param(
            {"Size": "S", "Color": "Red"},
            "S/R",
            ["s-red.jpg"],
            {"sku": "SHIRT-S-RED"},
            ("SHIRT-S-RED", True, None, 3),
            id="in-stock-with-code-and-pictures-of-its-own",
        ),
        pytest.param(
            {"Size": "M", "Color": "Red"},
            "SHIRT",
            ["red.jpg"],
            {"sku": "SHIRT-M-RED"},
            ("SHIRT-M-RED", False, "OUT_OF_STOCK", 0),
            id="out-of-stock-with-the-values-pictures-and-the-products-code",
        ),
        pytest.param(
            {"Size": "S", "Color": "Blue", "Lettering": "Name"},
            "SHIRT",
            ["blue.jpg", "name.jpg"],
            {"sku": "SHIRT-S-BLUE"},
            ("SHIRT-S-BLUE", False, "OUT_OF_STOCK", 0),
            id="counted-nowhere",
        ),
        pytest.param(
            {"Size": "M", "Color": "Blue"},
            "SHIRT",
            ["blue.jpg"],
            None,
            ("SHIRT", False, "COMBINATION_UNAVAILABLE", None),
            id="no-combination",
        ),
    ],
)
async def test_a_complete_choice_shows_its_combination(client, options, code, images, combination, availability):
    await a_shirt(client)

    shown = (await client.admin(SELECTION, options=choice(**options)))["product"]["selection"]

    assert (shown["complete"], shown["code"], [image["url"] for image in shown["images"]]) == (True, code, images)
    assert shown["combination"] == combination
    assert tuple(shown["availability"].values()) == availability


async def test_a_choice_without_a_combination_is_sold_uncounted_where_that_is_allowed(client):
    await a_shirt(client)
    await make.setting(product="SHIRT", allow_only_existing_combinations=False)

    shown = (await client.admin(SELECTION, options=choice(Size="M", Color="Blue")))["product"]["selection"]

    assert shown["combination"] is None
    assert shown["availability"] == {
        "sku": "SHIRT",
        "orderable": True,
        "unavailableReason": None,
        "salableQuantity": None,
    }
    assert marks(shown) == {
        "Size": {"S": "+", "M": "*!"},
        "Color": {"Red": "+", "Blue": "*!"},
        "Lettering": {"None": "!", "Name": "!"},
    }


async def test_options_change_the_pictures_of_a_product_tracked_without_them_and_nothing_else(client):
    await a_shirt(client, InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await make.stock("SHIRT", on_hand=7)

    shown = (await client.admin(SELECTION, options=choice(Size="S", Color="Red")))["product"]["selection"]

    assert (shown["complete"], shown["code"], shown["images"]) == (True, "SHIRT", [{"url": "s-red.jpg"}])
    assert shown["combination"] == {"sku": "SHIRT-S-RED"}
    assert tuple(shown["availability"].values()) == ("SHIRT", True, None, 7)
    assert marks(shown)["Size"] == {"S": "*+!", "M": "+!"}


async def test_every_choice_of_an_uncounted_product_is_orderable(client):
    await a_shirt(client, InventoryTracking.DO_NOT_TRACK)

    shown = (await client.admin(SELECTION, options=choice(Size="M", Color="Blue")))["product"]["selection"]

    assert tuple(shown["availability"].values()) == ("SHIRT", True, None, None)
    assert marks(shown)["Color"] == {"Red": "+!", "Blue": "*+!"}


async def test_a_choice_that_the_product_does_not_have_is_that_fields_error_alone(client):
    await a_shirt(client)

    answer = await client.ask(
        """{ product(sku: "SHIRT") { sku
             good: selection(options: []) { code }
             bad: selection(options: [{ name: "Fit", value: "Slim" }]) { code }
        } }"""
    )

    assert codes(answer) == [("BAD_USER_INPUT", ["product", "bad"])]
    assert answer["data"]["product"] == {"sku": "SHIRT", "good": {"code": "SHIRT"}, "bad": None}


async def hidden_and_shown():
    """One product for each way in which a website shows or hides one."""
    await make.shop()
    await make.category("all")
    await make.product("SHOWN", category="all")
    await make.stock("SHOWN", on_hand=5)
    await make.product("EMPTY", category="all")
    await make.stock("EMPTY", on_hand=0)
    await make.product("UNPUBLISHED", category="all", published=False)
    await make.stock("UNPUBLISHED", on_hand=5)
    await make.product("DISCONTINUED", category="all", inventory_status=InventoryStatus.DISCONTINUED)
    await make.stock("DISCONTINUED", on_hand=5)
    await make.product("LOW", category="all", options={"Size": ["S"]})
    await make.setting(product="LOW", minimum_stock_quantity=2, low_stock_activity="UNPUBLISH")
    await make.stock("LOW-S", on_hand=1)
    await make.product("ELSEWHERE", category="all")
    await make.warehouse("PARIS")
    await make.stock("ELSEWHERE", "PARIS", on_hand=5)


LISTS = """query($website: String) {
  products(website: $website) { nodes { sku } totalCount }
  inventoryItems(website: $website) { nodes { sku } totalCount }
  category(slug: "all", website: $website) { products { nodes { sku } totalCount } }
}"""


async def test_the_public_finds_in_lists_only_what_the_website_shows(client):
    await hidden_and_shown()

    found = await client.public(LISTS)

    shown = {"nodes": [{"sku": "ELSEWHERE"}, {"sku": "EMPTY"}, {"sku": "SHOWN"}], "totalCount": 3}
    assert found == {"products": shown, "inventoryItems": shown, "category": {"products": shown}}


async def test_a_token_for_the_catalog_finds_everything_in_lists(client):
    await hidden_and_shown()

    found = (await client.scoped("catalog:read", LISTS))["data"]

    products = ["DISCONTINUED", "ELSEWHERE", "EMPTY", "LOW", "SHOWN", "UNPUBLISHED"]
    assert [node["sku"] for node in found["products"]["nodes"]] == products
    assert found["products"]["totalCount"] == found["category"]["products"]["totalCount"] == 6
    assert [node["sku"] for node in found["inventoryItems"]["nodes"]] == [*products[:4], "LOW-S", *products[4:]]


@pytest.mark.parametrize(
    ("sku", "public", "availability"),
    [
        ("SHOWN", True, {"visible": True, "unavailableReason": None}),
        ("EMPTY", True, {"visible": True, "unavailableReason": "OUT_OF_STOCK"}),
        ("ELSEWHERE", True, {"visible": True, "unavailableReason": "NOT_SOLD_HERE"}),
        ("UNPUBLISHED", False, None),
        ("DISCONTINUED", False, {"visible": False, "unavailableReason": "STATUS_NOT_ORDERABLE"}),
        ("LOW-S", False, {"visible": False, "unavailableReason": "LOW_STOCK_UNPUBLISHED"}),
    ],
)
async def test_one_item_is_found_by_the_public_when_the_website_shows_it(client, sku, public, availability):
    await hidden_and_shown()
    query = """query($sku: String!) {
      product(sku: $sku) { sku } combination(sku: $sku) { sku } inventoryItem(sku: $sku) { id sku }
      availabilities(skus: [$sku]) { visible unavailableReason }
    }"""
    by_id = "query($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }"
    office = (await client.scoped("catalog:read", query, sku=sku))["data"]
    item_id = office["inventoryItem"]["id"]

    found = await client.public(query, sku=sku)
    node = await client.public(by_id, id=item_id)

    asked = "combination" if sku == "LOW-S" else "product"
    assert found[asked] == ({"sku": sku} if public else None)
    assert found["inventoryItem"] == ({"id": item_id, "sku": sku} if public else None)
    assert node == (
        {"node": {"id": item_id}, "nodes": [{"id": item_id}]} if public else {"node": None, "nodes": [None]}
    )
    assert found["availabilities"] == [availability]
    assert office[asked] == {"sku": sku}
    assert (await client.scoped("catalog:read", by_id, id=item_id))["data"]["node"] == {"id": item_id}


async def test_a_product_is_found_by_slug_as_by_sku_and_a_combination_is_no_product(client):
    await make.shop()
    await make.product("SHIRT", slug="nice-shirt", options={"Size": ["S"]})

    found = await client.public(
        """{
          slug: product(slug: "nice-shirt") { sku } sku: product(sku: "SHIRT") { slug }
          none: product(sku: "SHIRT-S") { sku } combination(sku: "SHIRT") { sku }
          inventoryItem(sku: "SHIRT-S") { __typename ... on Combination { product { sku } } }
        }"""
    )

    assert found == {
        "slug": {"sku": "SHIRT"},
        "sku": {"slug": "nice-shirt"},
        "none": None,
        "combination": None,
        "inventoryItem": {"__typename": "Combination", "product": {"sku": "SHIRT"}},
    }


@pytest.mark.parametrize(
    "field",
    [
        "product { sku }",
        'product(sku: "MUG", slug: "mug") { sku }',
        'product(sku: "MUG", website: "none") { sku }',
        'inventoryItem(sku: "MUG", website: "none") { sku }',
        'combination(sku: "MUG", website: "none") { sku }',
        'products(website: "none") { totalCount }',
        'products(filter: { category: "none" }) { totalCount }',
        'inventoryItems(website: "none") { totalCount }',
        'inventoryItems(filter: { category: "none" }) { totalCount }',
        'category(slug: "all", website: "none") { slug }',
        'availabilities(skus: ["MUG"], website: "none") { sku }',
        'availabilities(skus: [], website: "none") { sku }',
        f"availabilities(skus: {['M'] * 251}) {{ sku }}".replace("'", '"'),
        f"products(filter: {{ skus: {['M'] * 251} }}) {{ totalCount }}".replace("'", '"'),
        f"inventoryItems(filter: {{ skus: {['M'] * 251} }}) {{ totalCount }}".replace("'", '"'),
        f'products(filter: {{ search: "{"x" * 100_000}" }}) {{ totalCount }}',
        f'inventoryItems(filter: {{ search: "{"x" * 100_000}" }}) {{ totalCount }}',
    ],
)
async def test_what_cannot_be_asked_is_that_fields_error_and_leaves_the_rest(client, field):
    await make.shop()
    await make.product("MUG")

    answer = await client.ask(f"{{ {field} viewer {{ authenticated }} }}")

    assert codes(answer) == [("BAD_USER_INPUT", [field.partition("(")[0].partition(" ")[0]])]
    assert answer["data"]["viewer"] == {"authenticated": False}


async def test_what_is_in_stock_is_filtered_and_counted_as_the_website_sees_it(client):
    await make.shop()
    await make.warehouse("PARIS")
    await make.website("fr", warehouses=["PARIS"])
    await make.product("BERLINER")
    await make.stock("BERLINER", "BERLIN", 5)
    await make.product("PARISIAN")
    await make.stock("PARISIAN", "PARIS", 5)
    await make.product("SHIRT", options={"Size": ["S"]})
    await make.stock("SHIRT-S", "BERLIN", 1)
    await make.product("BOOK", tracking=InventoryTracking.DO_NOT_TRACK)
    query = """query($website: String, $in: Boolean!) {
      products(website: $website, filter: { inStock: $in }) { nodes { sku } totalCount }
    }"""

    found = {
        (website, there): (await client.public(query, **{"website": website, "in": there}))["products"]
        for website in ("shop", "fr")
        for there in (True, False)
    }

    assert {key: [node["sku"] for node in one["nodes"]] for key, one in found.items()} == {
        ("shop", True): ["BERLINER", "BOOK", "SHIRT"],
        ("shop", False): ["PARISIAN"],
        ("fr", True): ["BOOK", "PARISIAN"],
        ("fr", False): ["BERLINER", "SHIRT"],
    }
    assert [one["totalCount"] for one in found.values()] == [3, 1, 2, 2]


@pytest.mark.parametrize("given", [{}, {"display_availability": False}, {"display_stock_quantity": True}])
async def test_the_public_sees_of_a_quantity_what_the_settings_display(client, given):
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=2)
    await make.setting(only_x_left_threshold=3, highlight_low_inventory=True, low_inventory_threshold=3, **given)
    query = '{ product(sku: "MUG") { availability { orderable salableQuantity onlyLeft lowInventory message } } }'

    public = (await client.public(query))["product"]["availability"]
    office = (await client.scoped("inventory:read", query))["data"]["product"]["availability"]

    shown = given.get("display_availability", True)
    assert public == {
        "orderable": True,
        "salableQuantity": 2 if given.get("display_stock_quantity") else None,
        "onlyLeft": 2 if shown else None,
        "lowInventory": shown,
        "message": None,
    }
    assert office == {"orderable": True, "salableQuantity": 2, "onlyLeft": 2, "lowInventory": True, "message": None}


async def test_the_backorder_notice_is_hidden_with_the_availability(client):
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=0)
    await make.setting(backorders="ALLOW_AND_NOTIFY_CUSTOMER")
    query = '{ product(sku: "MUG") { availability { message } } }'
    shown = await client.public(query)

    await make.setting(display_availability=False)

    notice = "Out of stock - on backorder and will be dispatched once in stock."
    assert shown["product"]["availability"] == {"message": notice}
    assert (await client.public(query))["product"]["availability"] == {"message": None}
    assert (await client.admin(query))["product"]["availability"] == {"message": notice}


async def test_what_hangs_below_is_of_the_website_that_was_asked_for(client):
    await make.shop()
    await make.warehouse("PARIS")
    await make.website("fr", warehouses=["PARIS"])
    await make.category("all")
    await make.category("shirts", parent="all")
    await make.product("SHIRT", category="shirts", options={"Size": ["S"]})

    found = await client.public(
        """{
          product(sku: "SHIRT", website: "fr") {
            availability { website }
            category { products { nodes { availability { website } } } }
            combinations { nodes { availability { website } product { availability { website } } } }
            selection(options: [{ name: "Size", value: "S" }]) {
              availability { website } combination { availability { website } }
            }
            here: selection(options: [{ name: "Size", value: "S" }], website: "shop") {
              combination { availability { website } }
            }
          }
          products(website: "fr") { nodes { availability { website } own: availability(website: "shop") { website } } }
          category(slug: "all", website: "fr") {
            children { products { nodes { availability { website } } } }
          }
        }"""
    )

    fr = {"availability": {"website": "fr"}}
    assert found["product"] == {
        **fr,
        "category": {"products": {"nodes": [fr]}},
        "combinations": {"nodes": [{**fr, "product": fr}]},
        "selection": {**fr, "combination": fr},
        "here": {"combination": {"availability": {"website": "shop"}}},
    }
    assert found["products"]["nodes"] == [{**fr, "own": {"website": "shop"}}]
    assert found["category"]["children"] == [{"products": {"nodes": [fr]}}]


async def test_without_any_website_nothing_is_shown_to_the_public_and_everything_to_the_office(client):
    await make.product("MUG")
    query = """{ product(sku: "MUG") { sku availability { sku } } products { totalCount }
                 availabilities(skus: ["MUG"]) { sku } }"""

    assert await client.public(query) == {"product": None, "products": {"totalCount": 0}, "availabilities": [None]}
    assert await client.admin(query) == {
        "product": {"sku": "MUG", "availability": None},
        "products": {"totalCount": 1},
        "availabilities": [None],
    }


async def test_availabilities_stand_in_the_order_of_the_skus(client):
    await make.shop()
    for sku in ("A", "B"):
        await make.product(sku)

    found = await client.public(
        '{ availabilities(skus: ["B", "none", "A", "B"]) { sku } none: availabilities(skus: []) { sku } }'
    )

    assert found == {"availabilities": [{"sku": "B"}, None, {"sku": "A"}, {"sku": "B"}], "none": []}


async def searched():
    await make.product("A-1", name="50% wool")
    await make.product("A_2", name="500 pins")
    await make.product("B-3", name=r"back\slash", barcode="40063813")
    await make.product("C-4", name="Shirt", options={"Size": ["S"]}, combinations=False)


async def test_products_of_categories_are_searched_and_sorted_by_their_own_columns(client):
    await make.shop()
    await make.category("kitchen")
    for sku in ("MUG", "CUP", "CUPBOARD"):
        await make.product(sku, category="kitchen")
    query = """query($sort: ProductSort!) {
      category(slug: "kitchen") { products(filter: { search: "cup" }, sort: $sort) { nodes { sku } totalCount } }
    }"""

    found = [await client.admin(query, sort=sort) for sort in ("NAME", "UPDATED")]

    assert [one["category"]["products"] for one in found] == [
        {"nodes": [{"sku": "CUP"}, {"sku": "CUPBOARD"}], "totalCount": 2}
    ] * 2


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("50%", ["A-1"]),
        ("_", ["A_2"]),
        ("\\", ["B-3"]),
        ("'; DROP TABLE item; --", []),
        ("a-", ["A-1"]),
        ("WOOL", ["A-1"]),
        ("0638", ["B-3"]),
        ("own/code", ["SMALL"]),
        ("c-4", ["C-4", "PLAIN", "SMALL"]),
        ("", ["A-1", "A_2", "B-3", "C-4", "PLAIN", "SMALL"]),
    ],
)
async def test_search_looks_in_name_sku_code_and_barcode_for_just_what_is_written(client, search, expected):
    await searched()
    await client.done("updateProduct", sku="C-4", options=[{"name": "Size", "values": [{"name": "S"}, {"name": "M"}]}])
    small, plain = ([{"name": "Size", "value": value}] for value in "SM")
    await client.done("createCombination", product="C-4", sku="SMALL", code="own/code", options=small)
    await client.done("createCombination", product="C-4", sku="PLAIN", options=plain)
    await make.warehouse("BERLIN")
    for sku in ("A-1", "A_2", "B-3", "SMALL", "PLAIN"):
        await make.stock(sku)
    query = """query($search: String!) {
      inventoryItems(sort: SKU, filter: { search: $search }) { nodes { sku } totalCount }
      products(sort: SKU, filter: { search: $search }) { nodes { sku } }
      inventoryLevels(filter: { search: $search }) { nodes { item { sku } } }
    }"""

    found = await client.admin(query, search=search)

    # A combination of its own code is told from its product by the name alone.
    by_code = [sku for sku in expected if not (search == "c-4" and sku == "SMALL")]
    assert [node["sku"] for node in found["inventoryItems"]["nodes"]] == by_code
    assert found["inventoryItems"]["totalCount"] == len(by_code)
    assert [node["sku"] for node in found["products"]["nodes"]] == [s for s in by_code if s not in ("SMALL", "PLAIN")]
    assert [node["item"]["sku"] for node in found["inventoryLevels"]["nodes"]] == [s for s in by_code if s != "C-4"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"category": "garden"}, ["HOSE", "RAKE", "SHIRT"]),
        ({"category": "tools"}, ["RAKE", "SHIRT"]),
        ({"published": False}, ["RAKE"]),
        ({"published": True}, ["HOSE", "LOOSE", "SHIRT"]),
        ({"tracking": "TRACK_WITH_OPTIONS"}, ["SHIRT"]),
        ({"skus": ["LOOSE", "HOSE", "SHIRT-S", "none"]}, ["HOSE", "LOOSE"]),
        ({"skus": []}, []),
        ({"category": "garden", "published": True}, ["HOSE", "SHIRT"]),
        ({"updatedSince": "2999-01-01T00:00:00Z"}, []),
        ({"updatedSince": "2000-01-01T00:00:00+02:00"}, ["HOSE", "LOOSE", "RAKE", "SHIRT"]),
        ({"skus": None, "category": None, "search": None}, ["HOSE", "LOOSE", "RAKE", "SHIRT"]),
    ],
)
async def test_products_are_filtered(client, chosen, expected):
    await make.category("garden")
    await make.category("tools", parent="garden")
    await make.product("HOSE", category="garden")
    await make.product("RAKE", category="tools", published=False)
    await make.product("SHIRT", category="tools", options={"Size": ["S"]})
    await make.product("LOOSE")

    found = await client.admin(
        "query($filter: ProductFilter!) { products(filter: $filter) { nodes { sku } totalCount } }", filter=chosen
    )

    assert [node["sku"] for node in found["products"]["nodes"]] == expected
    assert found["products"]["totalCount"] == len(expected)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"category": "garden"}, ["HOSE", "SHIRT", "SHIRT-S"]),
        ({"warehouse": "PARIS"}, ["HOSE"]),
        ({"warehouse": "MARS"}, []),
        ({"availableBelow": 4}, ["BOOK", "SHIRT", "SHIRT-S"]),
        ({"availableBelow": 3}, ["BOOK"]),
        ({"availableBelow": 100, "warehouse": "BERLIN"}, ["HOSE", "SHIRT-S"]),
        ({"skus": ["SHIRT-S", "BOOK"]}, ["BOOK", "SHIRT-S"]),
    ],
)
async def test_items_are_filtered(client, chosen, expected):
    await make.shop()
    await make.warehouse("PARIS")
    await make.category("garden")
    await make.product("HOSE", category="garden")
    await make.stock("HOSE", "BERLIN", 2)
    await make.stock("HOSE", "PARIS", 2)
    await make.product("SHIRT", category="garden", options={"Size": ["S"]})
    await make.stock("SHIRT-S", on_hand=3)
    await make.product("BOOK", tracking=InventoryTracking.DO_NOT_TRACK)

    found = await client.admin(
        "query($filter: InventoryItemFilter!) { inventoryItems(filter: $filter) { nodes { sku } totalCount } }",
        filter=chosen,
    )

    assert [node["sku"] for node in found["inventoryItems"]["nodes"]] == expected
    assert found["inventoryItems"]["totalCount"] == len(expected)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, ["HOSE@BERLIN", "HOSE@PARIS", "SHIRT-S@BERLIN"]),
        ({"skus": ["SHIRT-S"]}, ["SHIRT-S@BERLIN"]),
        ({"skus": []}, []),
        ({"warehouses": ["PARIS", "MARS"]}, ["HOSE@PARIS"]),
        ({"website": "fr"}, ["HOSE@PARIS"]),
        ({"product": "SHIRT"}, ["SHIRT-S@BERLIN"]),
        ({"product": "SHIRT-S"}, []),
        ({"product": "HOSE"}, ["HOSE@BERLIN", "HOSE@PARIS"]),
        ({"category": "garden"}, ["SHIRT-S@BERLIN"]),
        ({"availableBelow": 2}, ["HOSE@PARIS"]),
        ({"availableAtLeast": 2}, ["HOSE@BERLIN", "SHIRT-S@BERLIN"]),
        ({"availableAtLeast": "1.5", "availableBelow": 2.5}, ["HOSE@BERLIN"]),
        ({"status": ["DISCONTINUED"]}, ["SHIRT-S@BERLIN"]),
        ({"status": []}, []),
        ({"includeDeleted": True}, ["GONE@BERLIN", "HOSE@BERLIN", "HOSE@PARIS", "SHIRT-S@BERLIN"]),
        ({"updatedSince": "2999-01-01T00:00:00Z"}, []),
    ],
)
async def test_levels_are_filtered(client, chosen, expected):
    await make.shop()
    await make.warehouse("PARIS")
    await make.website("fr", warehouses=["PARIS"])
    await make.category("garden")
    await make.category("tools", parent="garden")
    await make.product("HOSE")
    await make.stock("HOSE", "BERLIN", 2)
    await make.stock("HOSE", "PARIS", 1)
    status = InventoryStatus.DISCONTINUED
    await make.product("SHIRT", category="tools", options={"Size": ["S"]}, inventory_status=status)
    await make.stock("SHIRT-S", on_hand=3)
    await make.product("GONE")
    await make.stock("GONE", on_hand=0)
    await client.done("deleteInventoryLevel", sku="GONE", warehouse="BERLIN")

    found = await client.admin(
        """query($filter: InventoryLevelFilter!) {
          inventoryLevels(filter: $filter) { nodes { item { sku } warehouse { code } } totalCount }
        }""",
        filter=chosen,
    )

    nodes = [f"{node['item']['sku']}@{node['warehouse']['code']}" for node in found["inventoryLevels"]["nodes"]]
    assert nodes == expected
    assert found["inventoryLevels"]["totalCount"] == len(expected)


async def test_totals_are_sums_over_active_warehouses_and_of_combinations_for_their_product(client):
    await make.shop()
    await make.warehouse("PARIS")
    await make.website("fr", warehouses=["PARIS"])
    await make.warehouse("CLOSED")
    await make.product("SHIRT", options={"Size": ["S", "M"]})
    await make.stock("SHIRT-S", "BERLIN", 1)
    await make.stock("SHIRT-M", "PARIS", 2)
    await make.stock("SHIRT-M", "CLOSED", 4)
    await client.done("updateWarehouse", code="CLOSED", active=False)

    found = await client.admin(
        """fragment T on InventoryItem {
             all: inventoryTotals { onHand available }
             paris: inventoryTotals(warehouses: ["PARIS", "CLOSED"]) { onHand }
             shop: inventoryTotals(website: "shop") { onHand }
             berlin: inventoryLevel(warehouse: "BERLIN") { onHand } mars: inventoryLevel(warehouse: "MARS") { onHand }
           }
           { product(sku: "SHIRT") { ...T } combination(sku: "SHIRT-M") { ...T } }"""
    )

    assert found["product"] == {
        "all": {"onHand": 3, "available": 3},
        "paris": {"onHand": 2},
        "shop": {"onHand": 1},
        "berlin": None,
        "mars": None,
    }
    assert found["combination"]["all"] == {"onHand": 2, "available": 2}


async def test_units_left_from_another_way_of_counting_are_not_a_products_own(client):
    await make.shop()
    await make.product("SHIRT", options={"Size": ["S"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await make.stock("SHIRT", on_hand=5)
    await client.done("updateProduct", sku="SHIRT", tracking="DO_NOT_TRACK")
    await client.done("updateProduct", sku="SHIRT", tracking="TRACK_WITH_OPTIONS")
    await make.stock("SHIRT-S", on_hand=2)

    found = await client.admin(
        """{ product(sku: "SHIRT") { inventoryTotals { onHand } }
             inventoryItems(filter: { availableBelow: 3 }) { totalCount } }"""
    )

    assert found == {"product": {"inventoryTotals": {"onHand": 2}}, "inventoryItems": {"totalCount": 2}}


async def test_changes_since_a_moment_are_those_at_or_after_it(client):
    await make.product("OLD")
    await make.product("NEW")
    moment = (await client.admin('{ product(sku: "NEW") { updatedAt } }'))["product"]["updatedAt"]
    later = (datetime.fromisoformat(moment) + timedelta(microseconds=1)).isoformat()
    query = "query($t: DateTime!) { products(filter: { updatedSince: $t }) { nodes { sku } } }"

    assert (await client.admin(query, t=moment))["products"]["nodes"] == [{"sku": "NEW"}]
    assert (await client.admin(query, t=later))["products"]["nodes"] == []


async def test_a_product_asked_by_two_ways_at_once_has_its_combinations_by_both(client):
    await make.shop()
    await make.website("outlet", warehouses=["BERLIN"])
    await make.product("SHIRT", options={"Size": ["S"]})

    answer = await client.public(
        """{ products { edges { node { ...Sizes } } nodes { ...Sizes } }
             outlet: products(website: "outlet") { nodes { ...Sizes } } }
           fragment Sizes on Product { combinations { nodes { sku availability { website } } } }"""
    )

    here = {"combinations": {"nodes": [{"sku": "SHIRT-S", "availability": {"website": "shop"}}]}}
    there = {"combinations": {"nodes": [{"sku": "SHIRT-S", "availability": {"website": "outlet"}}]}}
    assert answer == {
        "products": {"edges": [{"node": here}], "nodes": [here]},
        "outlet": {"nodes": [there]},
    }


async def test_combinations_follow_their_product_to_another_category_and_status(client):
    await make.warehouse("BERLIN")
    await make.category("kitchen")
    await make.category("garden")
    await make.product("SHIRT", options={"Size": ["S", "M"]}, combinations=False, category="kitchen")
    await client.done("createCombination", product="SHIRT", sku="SMALL", options=[{"name": "Size", "value": "S"}])
    await make.stock("SMALL")
    query = """query($category: String!, $status: [InventoryStatus!]) {
      inventoryItems(sort: SKU, filter: { category: $category }) { nodes { sku } }
      inventoryLevels(filter: { status: $status }) { nodes { item { sku } } }
    }"""
    before = await client.admin(query, category="kitchen", status=["IN_STOCK"])

    await client.done("updateProduct", sku="SHIRT", category="garden", inventoryStatus="DISCONTINUED")
    await client.done("generateCombinations", product="SHIRT")

    kitchen = await client.admin(query, category="kitchen", status=["IN_STOCK"])
    garden = await client.admin(query, category="garden", status=["DISCONTINUED"])
    small = [{"item": {"sku": "SMALL"}}]
    assert [node["sku"] for node in before["inventoryItems"]["nodes"]] == ["SHIRT", "SMALL"]
    assert before["inventoryLevels"]["nodes"] == small
    assert kitchen == {"inventoryItems": {"nodes": []}, "inventoryLevels": {"nodes": []}}
    assert [node["sku"] for node in garden["inventoryItems"]["nodes"]] == ["SHIRT", "SHIRT-M", "SMALL"]
    assert garden["inventoryLevels"]["nodes"] == small


IDS = """query($website: String, $options: [SelectedOptionInput!]!) {
  product(sku: "SHIRT") {
    availability(website: $website) { id unavailableReason }
    selection(website: $website, options: $options) { availability { id unavailableReason } }
  }
  availabilities(skus: ["SHIRT", "SHIRT-S-RED"], website: $website) { id }
}"""


async def test_an_availability_has_an_id_of_its_item_and_its_website_together(client):
    await a_shirt(client)
    await make.website("outlet", warehouses=["BERLIN"])

    async def ids(website, **options):
        found = await client.public(IDS, website=website, options=choice(**options))
        return (
            found["product"]["availability"]["id"],
            found["product"]["selection"]["availability"]["id"],
            *(one["id"] for one in found["availabilities"]),
        )

    product, selected, again, combination = await ids("shop", Size="S", Color="Red")
    await make.stock("SHIRT-S-RED", on_hand=1)

    assert product == again
    assert selected == combination != product
    assert await ids("shop", Size="S", Color="Red") == await ids(None, Size="S", Color="Red")
    assert await ids("shop", Size="S", Color="Red") == (product, combination, product, combination)
    assert {product, combination}.isdisjoint(await ids("outlet", Size="S", Color="Red"))
    assert (await client.public("query($id: ID!) { node(id: $id) { id } }", id=product))["node"] is None


async def test_what_is_said_of_a_choice_that_is_no_item_is_not_kept_as_what_is_said_of_the_product(client):
    await a_shirt(client)

    async def asked(**options):
        product = (await client.public(IDS, website="shop", options=choice(**options)))["product"]
        return product["availability"], product["selection"]["availability"]

    product, started = await asked()
    _, of_choice = await asked(Size="M", Color="Blue")

    assert started == product
    assert of_choice["unavailableReason"] == "COMBINATION_UNAVAILABLE"
    assert product["unavailableReason"] == "SELECT_OPTIONS"
    assert of_choice["id"] != product["id"]
    assert (await asked(Color="Blue", Size="M"))[1] == of_choice
