"""The exchange of a sign-in link's code for its token."""

from collections.abc import AsyncIterator

import httpx
import pytest

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.services import tokens
from gqlstock.store.db.connection import DatabaseUrl


@pytest.fixture
async def http(db: None, database_url: DatabaseUrl) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Config(database=database_url))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as client:
        yield client


async def test_a_code_is_exchanged_once_and_no_answer_is_kept(http: httpx.AsyncClient) -> None:
    code = await tokens.create_with_link("anna", ["inventory:read"])

    looked = await http.get("/sign-in", params={"code": code})
    first, second = [await http.post("/sign-in", json={"code": code}) for _ in range(2)]

    assert looked.status_code == 405
    assert first.status_code == 200
    assert [one.name for one in (await tokens.callers([first.json()["token"]])).values()] == ["anna"]
    told = {"message": "This link was used already or has expired. Ask for a new one."}
    assert (second.status_code, second.json()) == (410, told)
    assert [one.headers["cache-control"] for one in (first, second)] == ["no-store", "no-store"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'"code"',
        b'{"code": 7}',
        b'{"code": "\xff"}',
        b"[" * 900,
        b'{"code": "' + b"x" * 1_000 + b'"}',
    ],
)
async def test_what_is_no_code_is_refused(http: httpx.AsyncClient, body: bytes) -> None:
    answer = await http.post("/sign-in", content=body)

    assert (answer.status_code, answer.json()) == (400, {"message": 'Send {"code": "…"} as JSON.'})
