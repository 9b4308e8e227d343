"""Settings through the API: set at a place, taken away, looked up along the chain, and where each value comes from."""

import pytest

from gqlstock.rules import settings as rules
from support import shop_builders as make

SCOPED = """settings {
  scope owner own
  effective { lowInventoryThreshold backorders notifyBelow allowedQuantities availabilityDate visibleStatuses }
  origins { setting scope owner value }
}"""
SHOWN = """query($scope: SettingScopeInput!) {
  inventorySettings(scope: $scope) { scope owner own origins { setting scope owner value } }
}"""

PLACES = [
    ("system", True, "SYSTEM", None),
    ("organization", "acme", "ORGANIZATION", "acme"),
    ("website", "shop", "WEBSITE", "shop"),
    ("category", "garden", "CATEGORY", "garden"),
    ("category", "tools", "CATEGORY", "tools"),
    ("product", "SHIRT", "PRODUCT", "SHIRT"),
    ("combination", "SHIRT-S", "COMBINATION", "SHIRT-S"),
]
"""Weakest first."""


async def a_place_of_every_kind():
    await make.warehouse("BERLIN")
    await make.organization("acme")
    await make.website("shop", organization="acme", warehouses=["BERLIN"])
    await make.category("garden")
    await make.category("tools", parent="garden")
    await make.product("SHIRT", category="tools", options={"Size": ["S"]})
    await make.stock("SHIRT-S", on_hand=5)


def origin(scoped, setting):
    found = next(one for one in scoped["origins"] if one["setting"] == setting)
    return found["scope"], found["owner"], found["value"]


async def test_each_place_beats_the_weaker_ones_and_shows_them_through_once_its_value_is_taken_away(client):
    await a_place_of_every_kind()
    query = """{ combination(sku: "SHIRT-S") {
      inventorySettings { lowInventoryThreshold } settingOrigins { setting scope owner value }
    } }"""

    async def in_effect():
        found = (await client.admin(query))["combination"]
        place = origin({"origins": found["settingOrigins"]}, "lowInventoryThreshold")
        assert found["inventorySettings"]["lowInventoryThreshold"] == place[2]
        return place

    seen = [await in_effect()]
    for number, (field, owner, *_) in enumerate(PLACES, 1):
        given = {"scope": {field: owner}, "settings": {"lowInventoryThreshold": number}}
        await client.done("setInventorySettings", **given)
        seen.append(await in_effect())
    for field, owner, *_ in reversed(PLACES):
        given = {"scope": {field: owner}, "settings": {"lowInventoryThreshold": None}}
        await client.done("setInventorySettings", **given)
        seen.append(await in_effect())

    up = [("DEFAULT", None, 0), *((scope, told, n) for n, (_, _, scope, told) in enumerate(PLACES, 1))]
    assert seen == [*up, *reversed(up[:-1])]


@pytest.mark.parametrize(("field", "owner", "scope", "told"), PLACES)
async def test_a_place_tells_its_own_values_those_in_effect_and_where_they_come_from(client, field, owner, scope, told):
    await a_place_of_every_kind()
    await make.setting(only_x_left_threshold=9)

    before = (await client.admin(SHOWN, scope={field: owner}))["inventorySettings"]
    changed = await client.done(
        "setInventorySettings",
        SCOPED,
        scope={field: owner},
        settings={
            "lowInventoryThreshold": "2.5",
            "backorders": "ALLOW",
            "allowedQuantities": [1, 5],
            "availabilityDate": "2030-01-01T01:00:00+01:00",
            "visibleStatuses": ["IN_STOCK"],
        },
    )
    after = (await client.admin(SHOWN, scope={field: owner}))["inventorySettings"]

    own_before = {"onlyXLeftThreshold": 9} if scope == "SYSTEM" else {}
    own = {
        **own_before,
        "lowInventoryThreshold": 2.5,
        "backorders": "ALLOW",
        "allowedQuantities": [1, 5],
        "availabilityDate": "2030-01-01T00:00:00Z",
        "visibleStatuses": ["IN_STOCK"],
    }
    assert (before["scope"], before["owner"], before["own"]) == (scope, told, own_before)
    assert (after["scope"], after["owner"], after["own"]) == (scope, told, own)
    assert changed["settings"]["effective"] == {
        "lowInventoryThreshold": 2.5,
        "backorders": "ALLOW",
        "notifyBelow": None,
        "allowedQuantities": [1, 5],
        "availabilityDate": "2030-01-01T00:00:00Z",
        "visibleStatuses": ["IN_STOCK"],
    }
    assert changed["settings"]["origins"] == after["origins"]
    assert [one["setting"] for one in after["origins"]] == [rules.camel(name) for name in rules.NAMES]
    assert {name: origin(after, name) for name in own if name != "onlyXLeftThreshold"} == {
        name: (scope, told, value) for name, value in own.items() if name != "onlyXLeftThreshold"
    }
    assert origin(after, "onlyXLeftThreshold") == ("SYSTEM", None, 9)
    assert origin(after, "returnable") == ("DEFAULT", None, True)


async def test_a_category_without_values_of_its_own_tells_none_and_shows_its_parents(client):
    await a_place_of_every_kind()
    await make.setting(category="garden", low_inventory_threshold=4)

    shown = (await client.admin(SHOWN, scope={"category": "tools"}))["inventorySettings"]
    await client.done("setInventorySettings", scope={"category": "tools"}, settings={"upcoming": True})
    after = (await client.admin(SHOWN, scope={"category": "tools"}))["inventorySettings"]

    assert (shown["owner"], shown["own"]) == ("tools", {})
    assert origin(shown, "lowInventoryThreshold") == ("CATEGORY", "garden", 4)
    assert after["own"] == {"upcoming": True}
    assert origin(after, "lowInventoryThreshold") == ("CATEGORY", "garden", 4)


async def test_a_level_has_three_settings_of_its_own(client):
    await a_place_of_every_kind()
    await make.setting(product="SHIRT", backorders="ALLOW", upcoming=True)
    scope = {"level": {"sku": "SHIRT-S", "warehouse": "BERLIN"}}
    given = {"backorders": "NO_BACKORDERS", "notifyBelow": 2, "quantityUsesDecimals": True}

    changed = await client.done("setInventorySettings", SCOPED, scope=scope, settings=given)
    found = await client.admin(
        """{ inventoryLevel(sku: "SHIRT-S", warehouse: "BERLIN") {
             inventorySettings { backorders notifyBelow quantityUsesDecimals upcoming }
             settingOrigins { setting scope owner value }
           }
           combination(sku: "SHIRT-S") { inventorySettings { backorders notifyBelow quantityUsesDecimals } } }"""
    )

    assert (changed["settings"]["scope"], changed["settings"]["owner"]) == ("LEVEL", "SHIRT-S@BERLIN")
    assert changed["settings"]["own"] == given
    assert found["inventoryLevel"]["inventorySettings"] == {**given, "upcoming": True}
    places = {"origins": found["inventoryLevel"]["settingOrigins"]}
    assert origin(places, "backorders") == ("LEVEL", "SHIRT-S@BERLIN", "NO_BACKORDERS")
    assert origin(places, "upcoming") == ("PRODUCT", "SHIRT", True)
    assert found["combination"]["inventorySettings"] == {
        "backorders": "ALLOW",
        "notifyBelow": None,
        "quantityUsesDecimals": True,
    }


@pytest.mark.parametrize(
    "name",
    [rules.camel(name) for name in rules.NAMES if name not in ("backorders", "notify_below", "quantity_uses_decimals")],
)
async def test_any_other_setting_is_refused_at_a_level_even_to_take_it_away(client, name):
    await a_place_of_every_kind()
    scope = {"level": {"sku": "SHIRT-S", "warehouse": "BERLIN"}}

    refused = await client.refused("setInventorySettings", scope=scope, settings={name: None, "notifyBelow": 1})

    assert refused == [("INVALID_INPUT", ["settings", name])]


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ({"organization": "none"}, ["scope", "organization"]),
        ({"website": "none"}, ["scope", "website"]),
        ({"category": "none"}, ["scope", "category"]),
        ({"product": "none"}, ["scope", "product"]),
        ({"product": "SHIRT-S"}, ["scope", "product"]),
        ({"combination": "none"}, ["scope", "combination"]),
        ({"combination": "SHIRT"}, ["scope", "combination"]),
        ({"level": {"sku": "none", "warehouse": "BERLIN"}}, ["scope", "level", "sku"]),
        ({"level": {"sku": "SHIRT", "warehouse": "MARS"}}, ["scope", "level", "warehouse"]),
        ({"level": {"sku": "SHIRT", "warehouse": "BERLIN"}}, ["scope", "level"]),
    ],
)
async def test_a_place_that_is_not_there_cannot_be_set_at_or_asked_for(client, scope, path):
    await a_place_of_every_kind()

    assert await client.refused("setInventorySettings", scope=scope, settings={}) == [("NOT_FOUND", path)]
    answer = await client.scoped("admin", SHOWN, scope=scope)
    assert answer["data"] == {"inventorySettings": None}
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}


@pytest.mark.parametrize("scope", [{}, {"system": True, "website": "shop"}, {"website": None}, {"system": None}])
async def test_exactly_one_place_is_named(client, scope):
    await a_place_of_every_kind()

    answer = await client.scoped("admin", SHOWN, scope=scope)

    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_the_system_is_named_by_true(client):
    refused = await client.refused("setInventorySettings", scope={"system": False}, settings={"upcoming": True})

    assert refused == [("INVALID_INPUT", ["scope", "system"])]


@pytest.mark.parametrize(
    ("settings", "paths"),
    [
        ({"onlyXLeftThreshold": -1}, ["onlyXLeftThreshold"]),
        ({"lowInventoryThreshold": -1}, ["lowInventoryThreshold"]),
        ({"notifyBelow": "-0.5"}, ["notifyBelow"]),
        ({"minimumStockQuantity": -1}, ["minimumStockQuantity"]),
        ({"minimumOrderQuantity": 0}, ["minimumOrderQuantity"]),
        ({"maximumOrderQuantity": -2}, ["maximumOrderQuantity"]),
        ({"quantityIncrement": 0}, ["quantityIncrement"]),
        ({"allowedQuantities": [1, 0]}, ["allowedQuantities"]),
        ({"allowedQuantities": list(range(1, 252))}, ["allowedQuantities"]),
        ({"availabilityRange": "x" * 100_000}, ["availabilityRange"]),
        ({"minimumOrderQuantity": 5, "maximumOrderQuantity": 4}, ["minimumOrderQuantity"]),
        ({"maximumOrderQuantity": 1}, ["maximumOrderQuantity"]),
        ({"quantityIncrement": "0.5"}, ["quantityIncrement"]),
        ({"allowedQuantities": [3]}, ["allowedQuantities"]),
        ({"notifyBelow": -1, "quantityIncrement": -1}, ["notifyBelow", "quantityIncrement"]),
    ],
)
async def test_values_that_make_no_sense_are_refused_each_with_its_path(client, settings, paths):
    await a_place_of_every_kind()
    await make.setting(website="shop", minimum_order_quantity=2, quantity_increment=2)

    refused = await client.refused("setInventorySettings", scope={"product": "SHIRT"}, settings=settings)

    assert refused == [("INVALID_INPUT", ["settings", path]) for path in paths]


async def test_what_does_not_go_together_elsewhere_does_not_stand_in_the_way_of_another_setting(client):
    await a_place_of_every_kind()
    await make.setting(product="SHIRT", maximum_order_quantity=5)
    await make.setting(website="shop", minimum_order_quantity=10)

    await client.done("setInventorySettings", scope={"product": "SHIRT"}, settings={"upcoming": True})
    refused = await client.refused(
        "setInventorySettings", scope={"product": "SHIRT"}, settings={"maximumOrderQuantity": 6}
    )

    assert refused == [("INVALID_INPUT", ["settings", "maximumOrderQuantity"])]


async def test_taking_decimals_away_is_refused_while_a_rule_needs_them(client):
    await a_place_of_every_kind()
    await make.setting(product="SHIRT", quantity_uses_decimals=True, quantity_increment=0.5)

    refused = await client.refused(
        "setInventorySettings", scope={"product": "SHIRT"}, settings={"quantityUsesDecimals": None}
    )

    assert refused == [("INVALID_INPUT", ["settings", "quantityUsesDecimals"])]


async def test_a_level_that_counts_in_parts_lets_its_item_be_sold_in_parts(client):
    await a_place_of_every_kind()
    await make.setting(level=("SHIRT-S", "BERLIN"), quantity_uses_decimals=True)

    await client.done("setInventorySettings", scope={"combination": "SHIRT-S"}, settings={"quantityIncrement": "0.5"})

    found = await client.admin('{ combination(sku: "SHIRT-S") { inventorySettings { quantityIncrement } } }')
    assert found["combination"]["inventorySettings"] == {"quantityIncrement": 0.5}


async def test_a_website_is_asked_for_its_own_settings_of_an_item(client):
    await a_place_of_every_kind()
    await make.website("other")
    await make.setting(website="shop", upcoming=True)

    found = await client.admin(
        """query { product(sku: "SHIRT", website: "other") {
             outer: inventorySettings { upcoming } inner: inventorySettings(website: "shop") { upcoming }
             settingOrigins(website: "shop") { setting scope owner }
           } }"""
    )

    assert (found["product"]["outer"], found["product"]["inner"]) == ({"upcoming": False}, {"upcoming": True})
    assert {"setting": "upcoming", "scope": "WEBSITE", "owner": "shop"} in found["product"]["settingOrigins"]


async def test_an_item_has_settings_while_there_is_no_website(client):
    await make.product("MUG")
    await make.setting(product="MUG", upcoming=True)

    found = await client.admin('{ product(sku: "MUG") { inventorySettings { upcoming } settingOrigins { scope } } }')

    assert found["product"]["inventorySettings"] == {"upcoming": True}
    assert {one["scope"] for one in found["product"]["settingOrigins"]} == {"PRODUCT", "DEFAULT"}
