"""The server's own page to unsubscribe on."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.rules.back_in_stock import BackInStockState
from gqlstock.services import back_in_stock
from gqlstock.store import back_in_stock as rows
from gqlstock.store.db import transactions
from gqlstock.store.db.connection import DatabaseUrl
from support import shop_builders as make


@pytest.fixture
async def http(db: None, database_url: DatabaseUrl) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Config(database=database_url))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as client:
        yield client


async def waiting() -> tuple[int, str]:
    """Somebody who waits for a mug, and the token of their letter."""
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=0)
    waits = await back_in_stock.subscribe("MUG", None, "anna@shop.example")
    return waits, await transactions.run(lambda: rows.new_token(waits))


async def state(subscription_id: int) -> BackInStockState:
    return (await rows.subscriptions([subscription_id]))[subscription_id].state


async def test_opening_the_page_asks_and_changes_nothing(http: httpx.AsyncClient) -> None:
    waits, token = await waiting()

    page = await http.get("/unsubscribe", params={"token": token})

    assert page.status_code == 200
    assert re.search(r'name="token" value="([^"]+)"', page.text)[1] == token  # type: ignore[index]
    assert await state(waits) is BackInStockState.WAITING


@pytest.mark.parametrize("in_the_form", [True, False])
async def test_its_button_ends_the_wait(http: httpx.AsyncClient, in_the_form: bool) -> None:
    waits, token = await waiting()
    given = {"data": {"token": token}} if in_the_form else {"params": {"token": token}}

    page = await http.post("/unsubscribe", **given)  # type: ignore[arg-type]

    assert (page.status_code, "You are unsubscribed" in page.text) == (200, True)
    assert await state(waits) is BackInStockState.CANCELED


async def test_a_link_that_is_not_known_changes_nothing(http: httpx.AsyncClient) -> None:
    waits, _ = await waiting()

    page = await http.post("/unsubscribe", data={"token": "x" * 5_000})

    assert (page.status_code, "Nothing was changed" in page.text) == (404, True)
    assert await state(waits) is BackInStockState.WAITING


async def test_what_is_in_the_link_is_text_on_the_page(http: httpx.AsyncClient) -> None:
    page = await http.get("/unsubscribe", params={"token": '"><script>alert(1)</script>'})

    assert "<script>" not in page.text
