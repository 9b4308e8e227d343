"""Organizations, websites and warehouses through the API: who sells from where, and in what order."""

import pytest

from gqlstock.services import reassess
from gqlstock.services.warehouses import AssignedWarehouse
from support import shop_builders as make

WAREHOUSES = "warehouses { priority warehouse { code } }"


def told(*codes, **priorities):
    return [{"warehouse": code} for code in codes] + [
        {"warehouse": code, "priority": priority} for code, priority in priorities.items()
    ]


def order(owner):
    return [(one["warehouse"]["code"], one["priority"]) for one in owner["warehouses"]]


async def test_a_website_without_an_organization_belongs_to_the_default_one(client):
    made = await client.done("createWebsite", "website { code name organization { code } }", code="shop", name="Shop")

    assert made["website"] == {"code": "shop", "name": "Shop", "organization": {"code": "default"}}


async def test_an_organization_lists_its_websites_oldest_first(client):
    await client.done("createOrganization", code="acme", name="Acme")
    for code in ("b", "a"):
        await client.done("createWebsite", code=code, name=code, organization="acme")
    await client.done("updateWebsite", code="a", organization="default")
    renamed = await client.done("updateOrganization", "organization { name }", code="acme", name="Acme Ltd")

    found = await client.admin("{ organizations { nodes { code websites { code } } } }")
    assert renamed["organization"] == {"name": "Acme Ltd"}
    assert found["organizations"]["nodes"] == [
        {"code": "default", "websites": [{"code": "a"}]},
        {"code": "acme", "websites": [{"code": "b"}]},
    ]


@pytest.mark.parametrize(
    ("assigned", "expected"),
    [
        pytest.param(told("C", "A", "B"), [("C", 0), ("A", 1), ("B", 2)], id="left-out-is-the-place-in-the-list"),
        pytest.param(told(A=2, B=1, C=2), [("B", 1), ("A", 2), ("C", 2)], id="ties-go-by-age"),
        pytest.param(told("B", A=0), [("A", 0), ("B", 0)], id="a-place-ties-with-a-priority"),
        pytest.param(told(A=-5, C=2_147_483_647), [("A", -5), ("C", 2_147_483_647)], id="as-low-and-high-as-can-be"),
        pytest.param([], [], id="none"),
        pytest.param(None, [], id="null"),
    ],
)
async def test_warehouses_are_sold_from_by_priority(client, assigned, expected):
    for code in "ABC":
        await make.warehouse(code)

    made = await client.done("createWebsite", f"website {{ {WAREHOUSES} }}", code="w", name="W", warehouses=assigned)
    of_owner = await client.done(
        "createOrganization", f"organization {{ {WAREHOUSES} }}", code="o", name="O", warehouses=assigned
    )

    assert order(made["website"]) == expected
    assert order(of_owner["organization"]) == expected


async def test_priorities_decide_which_warehouse_gives(client):
    await make.warehouse("FIRST")
    await make.warehouse("SECOND")
    await make.website("shop", warehouses=[AssignedWarehouse("FIRST", 2), AssignedWarehouse("SECOND", 1)])
    await make.product("MUG")
    for code in ("FIRST", "SECOND"):
        await make.stock("MUG", code, 5)
    query = """{ checkOrder(input: { lines: [{ sku: "MUG", quantity: 7 }] }) {
      lines { allocations { warehouse quantity } }
    } }"""

    before = await client.admin(query)
    await client.done("updateWebsite", code="shop", warehouses=told("FIRST", "SECOND"))
    after = await client.admin(query)

    assert before["checkOrder"]["lines"][0]["allocations"] == [
        {"warehouse": "SECOND", "quantity": 5},
        {"warehouse": "FIRST", "quantity": 2},
    ]
    assert [part["warehouse"] for part in after["checkOrder"]["lines"][0]["allocations"]] == ["FIRST", "SECOND"]


async def test_a_website_without_warehouses_sells_from_its_organizations(client):
    for code in ("OWN", "SHARED"):
        await make.warehouse(code)
    await make.organization("acme", warehouses=["SHARED"])
    await make.website("shop", organization="acme")
    await make.product("MUG")
    await make.stock("MUG", "SHARED", 3)
    query = f"""{{ website(code: "shop") {{ {WAREHOUSES} }} warehouse(code: "SHARED") {{ websites {{ code }} }}
                   product(sku: "MUG") {{ availability {{ salableQuantity unavailableReason }} }} }}"""

    shared = await client.admin(query)
    await client.done("updateWebsite", code="shop", warehouses=told("OWN"))
    own = await client.admin(query)
    await client.done("updateWebsite", code="shop", name="Shop", warehouses=None)
    again = await client.admin(query)

    assert shared == {
        "website": {"warehouses": [{"priority": 0, "warehouse": {"code": "SHARED"}}]},
        "warehouse": {"websites": [{"code": "shop"}]},
        "product": {"availability": {"salableQuantity": 3, "unavailableReason": None}},
    }
    assert own == {
        "website": {"warehouses": [{"priority": 0, "warehouse": {"code": "OWN"}}]},
        "warehouse": {"websites": []},
        "product": {"availability": {"salableQuantity": 0, "unavailableReason": "NOT_SOLD_HERE"}},
    }
    assert again == shared


async def test_a_change_without_warehouses_leaves_them(client):
    await make.shop()

    changed = await client.done("updateWebsite", f"website {{ name {WAREHOUSES} }}", code="shop", name="New")

    assert changed["website"] == {"name": "New", "warehouses": [{"priority": 0, "warehouse": {"code": "BERLIN"}}]}


async def test_a_warehouse_keeps_what_is_left_out_and_loses_what_is_null(client):
    fields = "warehouse { code name address { line1 city postalCode country } location { latitude longitude } active }"
    made = await client.done(
        "createWarehouse",
        fields,
        code="BERLIN",
        name="Berlin",
        address={"line1": "Hof 1", "city": "Berlin", "postalCode": "10115", "country": " "},
        location={"latitude": 52.5, "longitude": -180},
    )

    kept = await client.done("updateWarehouse", fields, code="BERLIN", name="Berlin 2", active=False)
    emptied = await client.done("updateWarehouse", fields, code="BERLIN", address=None, location=None, active=None)

    assert made["warehouse"] == {
        "code": "BERLIN",
        "name": "Berlin",
        "address": {"line1": "Hof 1", "city": "Berlin", "postalCode": "10115", "country": None},
        "location": {"latitude": 52.5, "longitude": -180},
        "active": True,
    }
    assert kept["warehouse"] == {**made["warehouse"], "name": "Berlin 2", "active": False}
    assert emptied["warehouse"] == {**kept["warehouse"], "address": None, "location": None}


async def test_a_warehouse_out_of_use_keeps_its_levels_and_sells_nothing(client):
    await make.shop()
    await make.product("MUG")
    await make.setting(product="MUG", notify_below=1)
    await make.stock("MUG", on_hand=5)
    query = """{ inventoryLevel(sku: "MUG", warehouse: "BERLIN") { onHand }
                 product(sku: "MUG") { availability { unavailableReason } inventoryTotals { onHand } }
                 lowInventoryAlerts { nodes { state quantityLeft } } }"""

    await client.done("updateWarehouse", code="BERLIN", active=False)
    await reassess.run()
    closed = await client.admin(query)
    await client.done("updateWarehouse", code="BERLIN", active=True)
    await reassess.run()
    opened = await client.admin(query)

    assert closed["inventoryLevel"] == {"onHand": 5}
    assert closed["product"] == {
        "availability": {"unavailableReason": "NOT_SOLD_HERE"},
        "inventoryTotals": {"onHand": 0},
    }
    assert opened["product"] == {"availability": {"unavailableReason": None}, "inventoryTotals": {"onHand": 5}}
    assert closed["lowInventoryAlerts"]["nodes"] == [{"state": "RAISED", "quantityLeft": 0}]
    assert opened["lowInventoryAlerts"]["nodes"] == [{"state": "RESOLVED", "quantityLeft": 0}]


@pytest.mark.parametrize(
    ("mutation", "given", "errors"),
    [
        ("createOrganization", {"code": "default", "name": "x"}, [("ALREADY_EXISTS", ["code"])]),
        ("createOrganization", {"code": " ", "name": "x"}, [("INVALID_INPUT", ["code"])]),
        ("createOrganization", {"code": "o", "name": "x" * 501}, [("INVALID_INPUT", ["name"])]),
        ("updateOrganization", {"code": "none"}, [("NOT_FOUND", ["code"])]),
        ("createWebsite", {"code": "shop", "name": "x"}, [("ALREADY_EXISTS", ["code"])]),
        ("createWebsite", {"code": "x" * 256, "name": "x"}, [("INVALID_INPUT", ["code"])]),
        ("createWebsite", {"code": "w", "name": ""}, [("INVALID_INPUT", ["name"])]),
        ("createWebsite", {"code": "w", "name": "x", "organization": "none"}, [("NOT_FOUND", ["organization"])]),
        ("createWebsite", {"code": "w", "name": "x", "organization": ""}, [("NOT_FOUND", ["organization"])]),
        (
            "createWebsite",
            {"code": "w", "name": "x", "warehouses": told("BERLIN", "MARS")},
            [("NOT_FOUND", ["warehouses", "1", "warehouse"])],
        ),
        (
            "createWebsite",
            {"code": "w", "name": "x", "warehouses": told("BERLIN", "BERLIN")},
            [("INVALID_INPUT", ["warehouses", "1", "warehouse"])],
        ),
        (
            "createWebsite",
            {"code": "w", "name": "x", "warehouses": told(BERLIN=-(2**31))},
            [("INVALID_INPUT", ["warehouses", "0", "priority"])],
        ),
        (
            "createWebsite",
            {"code": "w", "name": "x", "warehouses": told(*["BERLIN"] * 251)},
            [("TOO_MANY", ["warehouses"])],
        ),
        ("updateWebsite", {"code": "none"}, [("NOT_FOUND", ["code"])]),
        ("updateWebsite", {"code": "shop", "organization": "none"}, [("NOT_FOUND", ["organization"])]),
        (
            "updateWebsite",
            {"code": "shop", "name": "new", "warehouses": told("MARS")},
            [("NOT_FOUND", ["warehouses", "0", "warehouse"])],
        ),
        ("createWarehouse", {"code": "BERLIN", "name": "x"}, [("ALREADY_EXISTS", ["code"])]),
        ("createWarehouse", {"code": "", "name": "x"}, [("INVALID_INPUT", ["code"])]),
        (
            "createWarehouse",
            {"code": "w", "name": "x", "address": {"postalCode": "x" * 501}},
            [("INVALID_INPUT", ["address", "postalCode"])],
        ),
        (
            "createWarehouse",
            {"code": "w", "name": "x", "location": {"latitude": 90.1, "longitude": 0}},
            [("INVALID_INPUT", ["location", "latitude"])],
        ),
        (
            "createWarehouse",
            {"code": "w", "name": "x", "location": {"latitude": 0, "longitude": 1e30}},
            [("INVALID_INPUT", ["location", "longitude"])],
        ),
        ("updateWarehouse", {"code": "none"}, [("NOT_FOUND", ["code"])]),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_written(client, mutation, given, errors):
    await make.shop()

    assert await client.refused(mutation, **given) == errors
    shop = await client.admin(f'{{ website(code: "shop") {{ name {WAREHOUSES} }} }}')
    assert shop["website"] == {"name": "Shop", "warehouses": [{"priority": 0, "warehouse": {"code": "BERLIN"}}]}


async def test_what_does_not_exist_is_null(client):
    found = await client.admin(
        """{ warehouse(code: "x") { id } website(code: "x") { id } organization(code: "x") { id }
             inventoryLevel(sku: "x", warehouse: "y") { id } order(number: "x") { id } category(slug: "x") { id } }"""
    )

    assert set(found.values()) == {None}
