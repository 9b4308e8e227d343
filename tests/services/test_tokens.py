"""Tokens: whom they stand for, for how long, and what of them is kept."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.rules.tokens import TokenState
from gqlstock.services import tokens
from gqlstock.stock import cache, reading
from gqlstock.stock.cache import Cache
from gqlstock.store.db import clock, sql
from gqlstock.store.tokens import ApiToken
from support import shop_builders as make

pytestmark = pytest.mark.usefixtures("db")


async def caller(token: str) -> Caller | None:
    return (await tokens.callers([token])).get(token)


async def test_a_token_stands_for_its_name_with_its_scopes_and_warehouses() -> None:
    berlin = await make.warehouse("BERLIN")
    await make.warehouse("HAMBURG")

    limited = await caller(await tokens.create("till", ["orders:write"], ["BERLIN"]))
    whole = await caller(await tokens.create("erp", ["inventory:read", "inventory:write"]))

    assert limited is not None
    assert (limited.name, limited.scopes, limited.warehouses) == ("till", {Scope.ORDERS_WRITE}, {berlin})
    assert whole is not None
    assert (whole.name, whole.warehouses) == ("erp", None)


async def test_nothing_is_kept_that_one_could_call_with() -> None:
    token = await tokens.create("till", ["admin"])

    kept = [str(value) for row in await sql.query("SELECT * FROM api_token") for value in row.values()]

    assert all(token not in value and token.removeprefix("gqls_") not in value for value in kept)


async def test_a_token_stands_for_nobody_from_its_end_on() -> None:
    token = await tokens.create("till", ["admin"], expires="1h")
    assert await caller(token) is not None

    await ApiToken.filter(name="till").update(expires_at=clock.now() - timedelta(microseconds=1))

    assert await caller(token) is None


async def test_a_revoked_token_stands_for_nobody() -> None:
    token, other = await tokens.create("till", ["admin"]), await tokens.create("erp", ["admin"])

    await tokens.revoke("till")

    assert await caller(token) is None
    assert await caller(other) is not None


async def test_a_revoked_tokens_name_may_be_used_again_and_is_the_same_caller() -> None:
    first = await tokens.create("till", ["admin"], expires="1h")
    before = await caller(first)
    await tokens.revoke("till")

    second = await tokens.create("till", ["orders:write"])

    after = await caller(second)
    assert before is not None
    assert after is not None
    assert (after.key, after.scopes) == (before.key, {Scope.ORDERS_WRITE})
    assert await caller(first) is None
    assert [(one.name, one.expires_at, one.state) for one in await tokens.listed()] == [
        ("till", None, TokenState.VALID)
    ]


async def test_the_list_tells_of_every_token_but_not_the_token() -> None:
    await make.warehouse("HAMBURG")
    await make.warehouse("BERLIN")
    token = await tokens.create("till", ["orders:write", "orders:read"], ["HAMBURG", "BERLIN"], "2999-01-31")
    await tokens.create("erp", ["admin"])
    await tokens.create("old", ["admin"], expires="1h")
    await ApiToken.filter(name="old").update(expires_at=clock.now())
    await tokens.revoke("erp")

    till, erp, old = await tokens.listed()

    assert (till.name, till.scopes, till.warehouses) == ("till", ("orders:read", "orders:write"), ("BERLIN", "HAMBURG"))
    assert (till.expires_at, till.revoked_at, till.state) == (
        datetime(2999, 1, 31, tzinfo=UTC),
        None,
        TokenState.VALID,
    )
    assert (erp.warehouses, erp.expires_at, erp.state) == (None, None, TokenState.REVOKED)
    assert erp.revoked_at is not None
    assert old.state is TokenState.EXPIRED
    assert token not in str([till, erp, old])


@pytest.mark.parametrize(
    ("scopes", "warehouses", "expires", "code", "message"),
    [
        (["admin"], [], None, Code.ALREADY_EXISTS, "The token till already exists."),
        (["everything"], [], None, Code.INVALID_INPUT, "There is no scope everything"),
        ([], [], None, Code.INVALID_INPUT, "A token needs at least one scope"),
        (["admin"], ["BERLIN"], None, Code.NOT_FOUND, "There is no warehouse BERLIN."),
        (["webhooks:write"], ["BERLIN"], None, Code.INVALID_INPUT, "webhooks:write applies to all warehouses"),
        (["admin"], [], "yesterday", Code.INVALID_INPUT, "yesterday is not a valid expiry"),
    ],
)
async def test_a_token_that_cannot_be_is_refused_and_nothing_is_written(
    scopes: list[str], warehouses: list[str], expires: str | None, code: Code, message: str
) -> None:
    await tokens.create("till", ["admin"])
    name = "till" if code is Code.ALREADY_EXISTS else "new"

    with pytest.raises(Refused, match=message) as refused:
        await tokens.create(name, scopes, warehouses, expires)

    assert [refusal.code for refusal in refused.value.refusals] == [code]
    assert await ApiToken.all().count() == 1


async def test_the_name_of_a_token_that_has_expired_is_free_once_it_is_revoked() -> None:
    await tokens.create("till", ["admin"], expires="1h")
    await ApiToken.filter(name="till").update(expires_at=clock.now())

    with pytest.raises(Refused, match="already exists and has expired: revoke it to reuse its name"):
        await tokens.create("till", ["admin"])
    await tokens.revoke("till")

    assert await caller(await tokens.create("till", ["admin"])) is not None


async def test_what_is_not_there_or_revoked_already_is_not_revoked() -> None:
    await tokens.create("till", ["admin"])
    await tokens.revoke("till")
    (at,) = [one.revoked_at for one in await tokens.listed()]

    with pytest.raises(Refused, match="There is no token erp"):
        await tokens.revoke("erp")
    with pytest.raises(Refused, match="The token till is already revoked"):
        await tokens.revoke("till")

    assert [one.revoked_at for one in await tokens.listed()] == [at]


@pytest.mark.parametrize(
    "name", ["gqlstock", "Gqlstock", "gql\u200bstock", "ＧＱＬＳＴＯＣＫ", "gql stock", "anonymous"]
)
async def test_no_token_can_have_a_name_that_the_ledger_has_for_the_system(name: str) -> None:
    with pytest.raises(Refused, match="is reserved") as refused:
        await tokens.create(name, ["admin"])

    assert [(one.code, one.path) for one in refused.value.refusals] == [(Code.INVALID_INPUT, ("name",))]
    assert await ApiToken.all().count() == 0


async def test_a_token_that_has_such_a_name_from_before_stands_in_the_ledger_as_a_token() -> None:
    await tokens.create("till", ["inventory:write"])
    token = await tokens.create("erp", ["inventory:write"])
    await ApiToken.filter(name="erp").update(name="gqlstock")

    assert (await tokens.callers([token]))[token].name == "token:gqlstock"


async def test_a_link_is_exchanged_for_its_token_once() -> None:
    berlin = await make.warehouse("BERLIN")
    code = await tokens.create_with_link("anna", ["inventory:read"], ["BERLIN"], "90d")
    assert [one.state for one in await tokens.listed()] == [TokenState.UNUSED]

    found = await caller(await tokens.use_link(code))

    assert found is not None
    assert (found.name, found.scopes, found.warehouses) == ("anna", {Scope.INVENTORY_READ}, {berlin})
    assert [one.state for one in await tokens.listed()] == [TokenState.VALID]
    with pytest.raises(Refused, match="used already or has expired") as refused:
        await tokens.use_link(code)
    assert [one.code for one in refused.value.refusals] == [Code.INVALID_STATE]


async def test_of_calls_at_once_one_gets_the_token() -> None:
    code = await tokens.create_with_link("anna", ["inventory:read"])

    got = await asyncio.gather(*(tokens.use_link(code) for _ in range(5)), return_exceptions=True)

    (token,) = [one for one in got if isinstance(one, str)]
    assert await caller(token) is not None
    assert [type(one) for one in got if not isinstance(one, str)] == [Refused] * 4


@pytest.mark.parametrize("ends", ["link_expires_at", "expires_at", "revoked_at"])
async def test_a_link_ends_after_ten_minutes_or_with_its_token(ends: str) -> None:
    code = await tokens.create_with_link("anna", ["inventory:read"], expires="1h")
    (row,) = await ApiToken.all()
    assert row.link_expires_at == row.created_at + timedelta(minutes=10)

    await ApiToken.filter(name="anna").update(**{ends: clock.now()})

    with pytest.raises(Refused, match="used already or has expired"):
        await tokens.use_link(code)


@pytest.mark.parametrize("code", ["", "x", "gqls_x"])
async def test_a_code_of_no_link_is_refused(code: str) -> None:
    await tokens.create("till", ["admin"])

    with pytest.raises(Refused, match="used already or has expired"):
        await tokens.use_link(code)


async def test_nothing_is_kept_that_one_could_sign_in_with() -> None:
    code = await tokens.create_with_link("anna", ["admin"])
    kept = [str(value) for row in await sql.query("SELECT * FROM api_token") for value in row.values()]

    assert all(code not in value for value in kept)
    assert await tokens.callers([code, *kept]) == {}
    for text in kept:
        with pytest.raises(Refused):
            await tokens.use_link(text)


async def test_a_new_link_or_token_of_the_name_takes_the_place_of_a_link_that_was_not_used() -> None:
    first = await tokens.create_with_link("anna", ["admin"])
    second = await tokens.create_with_link("anna", ["inventory:read"])

    with pytest.raises(Refused, match="used already or has expired"):
        await tokens.use_link(first)
    token = await tokens.use_link(second)

    with pytest.raises(Refused, match="The token anna already exists"):
        await tokens.create_with_link("anna", ["admin"])
    found = await caller(token)
    assert found is not None
    assert found.scopes == {Scope.INVENTORY_READ}

    code = await tokens.create_with_link("bert", ["admin"])
    assert await caller(await tokens.create("bert", ["admin"])) is not None
    with pytest.raises(Refused, match="used already or has expired"):
        await tokens.use_link(code)


async def test_a_token_is_found_although_the_database_moves_to_another_server_meanwhile() -> None:
    token = await tokens.create("till", ["admin"])
    kept = Cache(1_000_000)
    with cache.replaced(kept):
        async with reading.opened():
            assert kept.mark is not None
            kept.mark = replace(kept.mark, server="another")

            found = await caller(token)

    assert found is not None
    assert found.name == "till"
