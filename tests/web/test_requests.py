"""Each request has an id in its answer and in its lines of the log, and the log says neither variables nor tokens."""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import GraphQLError
from starlette.types import Message, Receive, Scope, Send

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.graphql.errors import coded
from gqlstock.services import tokens
from gqlstock.stock.validating import NotValidated
from gqlstock.store.db.connection import DatabaseUrl
from gqlstock.store.db.outages import Unavailable
from gqlstock.web.requests import Requests
from support import server_processes
from support import shop_builders as make
from support.subscriptions import connected, received, send

SECRET = "anna@shoppers.example"


@pytest.fixture
async def http(db: None, database_url: DatabaseUrl) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(replace(Config.from_env({}), database=database_url))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as client:
        yield client


@pytest.mark.parametrize("given", ["abc-1", "A.b_c-9", "0" * 64])
async def test_an_id_that_was_given_is_kept(http: httpx.AsyncClient, given: str) -> None:
    answer = await http.get("/healthz", headers={"x-request-id": given})

    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\tb", "é", '{"a":1}'])
async def test_an_id_that_could_do_harm_is_replaced(http: httpx.AsyncClient, given: str) -> None:
    answer = await http.get("/healthz", headers={"x-request-id": given.encode()})

    assert len(answer.headers["x-request-id"]) == 16
    assert answer.headers["x-request-id"] != given


async def test_two_requests_have_two_ids(http: httpx.AsyncClient) -> None:
    answers = [await http.get("/healthz") for _ in range(2)]

    assert len({answer.headers["x-request-id"] for answer in answers}) == 2


async def test_the_log_says_what_was_asked_by_whom_and_no_variable_nor_token(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = await tokens.create("till", ["admin"])
    query = "query Who($sku: String!) { product(sku: $sku) { sku } }"

    await http.post(
        "/graphql?secret=1",
        json={"query": query, "variables": {"sku": SECRET}},
        headers={"authorization": f"Bearer {token}"},
    )

    (line,) = [one for one in caplog.records if one.name == "gqlstock.access"]
    fields = dict(line.fields)  # type: ignore[attr-defined]
    assert fields.pop("ms") > 0
    assert fields == {
        "method": "POST",
        "path": "/graphql",
        "status": 200,
        "operation": "Who",
        "kind": "query",
        "caller": "till",
    }
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("gqlstock")]
    assert not [message for message in ours if SECRET in message or token in message or "secret" in message]


async def test_what_is_refused_is_told_by_its_code(http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await make.shop()

    await http.post("/graphql", json={"query": "{ orders { totalCount } }"})

    (line,) = [one for one in caplog.records if one.name == "gqlstock.access"]
    assert (line.fields["caller"], line.fields["errors"]) == ("anonymous", "UNAUTHENTICATED")  # type: ignore[attr-defined]


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


async def test_every_line_of_a_server_is_json_with_its_request(
    db: None, database_env: dict[str, str], tmp_path: Path
) -> None:
    env = {**database_env, "GQLSTOCK_LOG_FORMAT": "json", "GQLSTOCK_LOG_LEVEL": "info"}
    await make.shop()

    async with server_processes.serving(env, tmp_path) as serving, server_processes.client() as http:
        await http.post(serving.url, json={"query": "query Me { viewer { name } }"}, headers={"x-request-id": "mine"})
        async with connected(serving, additional_headers={"x-request-id": "socket"}) as socket:
            assert socket.response is not None
            told = socket.response.headers["x-request-id"]
            await send(socket, id="1", type="subscribe", payload={"query": "query Again { viewer { name } }"})
            await received(socket)
            await received(socket)

    written = lines(serving.log)
    mine: dict[str, list[Any]] = {}
    for one in written:
        told_of = (one["message"], one.get("operation"), one.get("transport"))
        mine.setdefault(one.get("request_id", ""), []).append(told_of)
    assert told == "socket"
    assert mine["mine"] == [("POST /graphql 200", "Me", None)]
    assert mine["socket"] == [("query ended", "Again", "websocket"), ("WEBSOCKET /graphql 1000", None, None)]
    assert "Application startup complete." in [one["message"] for one in written]


def test_an_incident_stands_in_the_line_of_its_request(caplog: pytest.LogCaptureFixture) -> None:
    shown = coded(GraphQLError("it broke", original_error=RuntimeError("it broke")))

    (line,) = caplog.records
    incident = line.fields["incident"]  # type: ignore[attr-defined]
    assert shown.message == f"Something went wrong on our side (incident {incident})."
    assert incident in line.getMessage()


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    raise ConnectionError("no database")


async def test_what_fails_outside_of_an_operation_is_masked_in_the_form_of_graphql(
    caplog: pytest.LogCaptureFixture,
) -> None:
    transport = httpx.ASGITransport(Requests(broken, []))
    async with httpx.AsyncClient(transport=transport, base_url="http://gqlstock") as client:
        answer = await client.post("/graphql", headers={"x-request-id": "mine"})

    (line,) = [one for one in caplog.records if one.levelname == "ERROR"]
    incident = line.fields["incident"]  # type: ignore[attr-defined]
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "mine")
    assert answer.json() == {
        "errors": [
            {
                "message": f"Something went wrong on our side (incident {incident}).",
                "extensions": {"code": "INTERNAL"},
            }
        ]
    }
    assert line.exc_info is not None


AWAY = NotValidated()
AWAY.__cause__ = Unavailable("the database is unavailable")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (AWAY, 1013, "error {incident} on a websocket: the database is unavailable"),
        (LookupError("no"), 1011, "unexpected error {incident} on a websocket"),
    ],
    ids=["outage", "other"],
)
async def test_a_websocket_that_fails_is_to_be_opened_again_later_if_the_database_is_away(
    caplog: pytest.LogCaptureFixture, error: Exception, code: int, told: str
) -> None:
    sent: list[Message] = []

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        raise error

    async def nothing() -> Message:
        return {"type": "websocket.receive"}

    async def answer(message: Message) -> None:
        sent.append(message)

    await Requests(fails, [])({"type": "websocket", "headers": [], "raw_path": b"/graphql"}, nothing, answer)

    (line,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert sent[-1] == {"type": "websocket.close", "code": code}
    assert line.getMessage() == told.format(incident=line.fields["incident"])  # type: ignore[attr-defined]
    assert bool(line.exc_info) == (error is not AWAY)
