"""A shop that can sell, made from nothing."""

import pytest

from gqlstock.rules.refusals import Refused
from gqlstock.services import set_up_shop, tokens, warehouses
from gqlstock.services.warehouses import AssignedWarehouse
from gqlstock.store.db import sql
from support import shop_builders as make


async def _rows() -> list[list[dict[str, object]]]:
    return [
        await sql.query(f"SELECT * FROM {table} ORDER BY id")
        for table in ("warehouse", "website", "assignment", "organization", "api_token", "outbox")
    ]


async def test_a_shop_that_was_set_up_sells(db: None) -> None:
    made = await set_up_shop.set_up("BERLIN", "shop", warehouse_name="Berlin", website_name="The shop")
    await make.product("MUG")
    await make.stock("MUG", "BERLIN", 5)
    await make.order("MUG", 2)

    assert made.lines == (
        "Warehouse BERLIN: created.",
        "Website shop: created, sells from BERLIN.",
        "Admin token admin: created, printed only once.",
    )
    assert await sql.query("SELECT status FROM customer_order") == [{"status": "PLACED"}]
    assert made.token is not None
    caller = (await tokens.callers([made.token]))[made.token]
    assert (caller.name, sorted(caller.scopes)) == ("admin", ["admin"])
    names = await sql.query("SELECT (SELECT name FROM warehouse) AS place, (SELECT name FROM website) AS site")
    assert names == [{"place": "Berlin", "site": "The shop"}]


async def test_names_that_are_left_out_are_the_codes(db: None) -> None:
    await set_up_shop.set_up(" BERLIN ", "shop")

    names = await sql.query("SELECT (SELECT name FROM warehouse) AS place, (SELECT name FROM website) AS site")
    assert names == [{"place": "BERLIN", "site": "shop"}]


async def test_the_second_time_it_tells_what_is_there_and_changes_nothing(db: None) -> None:
    await set_up_shop.set_up("BERLIN", "shop", warehouse_name="Berlin", website_name="The shop")
    before = await _rows()

    again = await set_up_shop.set_up("BERLIN", "shop", warehouse_name="Other", website_name="Other")

    assert again.token is None
    assert again.lines == (
        "Warehouse BERLIN: already exists, Berlin.",
        "Website shop: already exists, The shop, sells from BERLIN.",
        "Admin token: none created; existing: admin. Create another with gqlstock token create NAME --scope admin.",
    )
    assert await _rows() == before


async def test_an_admin_token_that_was_revoked_is_not_made_again(db: None) -> None:
    await set_up_shop.set_up("BERLIN", "shop")
    await tokens.revoke("admin")

    again = await set_up_shop.set_up("BERLIN", "shop")

    assert again.token is None
    assert [one.state for one in await tokens.listed()] == ["revoked"]


async def test_an_admin_token_of_another_name_is_enough(db: None) -> None:
    await tokens.create("boss", ["admin"])

    made = await set_up_shop.set_up("BERLIN", "shop")

    assert made.token is None
    assert [one.name for one in await tokens.listed()] == ["boss"]


async def test_a_second_website_gets_what_is_missing(db: None) -> None:
    await set_up_shop.set_up("BERLIN", "shop")

    made = await set_up_shop.set_up("BERLIN", "outlet")

    assert made.lines[:2] == (
        "Warehouse BERLIN: already exists, BERLIN.",
        "Website outlet: created, sells from BERLIN.",
    )


async def test_a_website_that_sells_from_elsewhere_is_refused_and_nothing_is_made(db: None) -> None:
    await make.shop()
    before = await _rows()

    with pytest.raises(Refused) as refused:
        await set_up_shop.set_up("LYON-2", "shop")

    (refusal,) = refused.value.refusals
    assert (refusal.code, refusal.path) == ("INVALID_INPUT", ("website",))
    assert "not from LYON-2. Nothing was changed." in refusal.message
    assert await _rows() == before


async def test_a_website_that_sells_from_its_organizations_warehouse_is_there(db: None) -> None:
    await warehouses.create_warehouse({"code": "BERLIN", "name": "Berlin"})
    await warehouses.update_organization("default", {"warehouses": [AssignedWarehouse("BERLIN")]})
    await warehouses.create_website("shop", "Shop")

    made = await set_up_shop.set_up("BERLIN", "shop")

    assert made.lines[1] == "Website shop: already exists, Shop, sells from BERLIN."


async def test_an_inactive_warehouse_is_told(db: None) -> None:
    await set_up_shop.set_up("BERLIN", "shop")
    await warehouses.update_warehouse("BERLIN", {"active": False})

    again = await set_up_shop.set_up("BERLIN", "shop")

    assert again.lines[0] == "Warehouse BERLIN: already exists, BERLIN, inactive: nothing is sold from it."


async def test_a_token_name_that_is_taken_is_refused_and_nothing_is_made(db: None) -> None:
    await tokens.create("admin", ["orders:read"])
    before = await _rows()

    with pytest.raises(Refused) as refused:
        await set_up_shop.set_up("BERLIN", "shop")

    assert [one.message for one in refused.value.refusals] == ["The token admin already exists."]
    assert await _rows() == before

    made = await set_up_shop.set_up("BERLIN", "shop", token_name="boss")

    assert made.token is not None
