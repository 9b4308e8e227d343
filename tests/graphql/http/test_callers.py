from typing import Any

import pytest

from gqlstock.graphql.http.callers import over_websocket
from gqlstock.graphql.http.requests import RequestError

TOKEN = "Bearer gqls_mug"


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION", "aUTHORIZATION"])
def test_connection_parameters_have_an_authorization_in_any_case(name: str) -> None:
    assert over_websocket({name: TOKEN}) == TOKEN


@pytest.mark.parametrize("headers", ["headers", "Headers", "HEADERS"])
@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_connection_parameters_have_an_authorization_below_headers_in_any_case(headers: str, name: str) -> None:
    assert over_websocket({headers: {name: TOKEN, "x-other": 1}, "other": "value"}) == TOKEN


@pytest.mark.parametrize(
    "params",
    [
        None,
        {},
        {"Authorization": None},
        {"headers": None},
        {"headers": {}},
        {"headers": {"authorization": None}},
        {"token": TOKEN},
        {"extra": {"authorization": TOKEN}},
        {"headers": {"headers": {"authorization": TOKEN}}},
    ],
)
def test_connection_parameters_without_an_authorization_are_those_of_the_public(params: dict[str, Any] | None) -> None:
    assert over_websocket(params) is None


@pytest.mark.parametrize(
    "params",
    [
        {"Authorization": TOKEN, "authorization": TOKEN},
        {"Authorization": TOKEN, "headers": {"Authorization": TOKEN}},
        {"Authorization": TOKEN, "headers": {"authorization": "bearer  gqls_mug "}},
        {"Authorization": TOKEN, "authorization": None},
        {"headers": {"Authorization": TOKEN}, "Headers": {"authorization": TOKEN}},
    ],
)
def test_the_same_token_several_times_is_one(params: dict[str, Any]) -> None:
    assert over_websocket(params) == TOKEN


@pytest.mark.parametrize(
    "params",
    [
        {"Authorization": TOKEN, "authorization": "Bearer gqls_cup"},
        {"Authorization": TOKEN, "headers": {"Authorization": "Bearer gqls_cup"}},
        {"headers": {"Authorization": TOKEN, "AUTHORIZATION": "Bearer gqls_cup"}},
        {"headers": {"Authorization": TOKEN}, "HEADERS": {"Authorization": "Bearer gqls_cup"}},
        {"Authorization": TOKEN, "headers": {"Authorization": "Basic gqls_mug"}},
        {"Authorization": TOKEN, "headers": {"Authorization": ""}},
    ],
)
def test_conflicting_values_are_refused_without_repeating_them(params: dict[str, Any]) -> None:
    with pytest.raises(RequestError) as refusal:
        over_websocket(params)

    assert str(refusal.value) == "connection_init has several values of Authorization that differ. Send one."


@pytest.mark.parametrize("value", [7, True, [TOKEN], {"token": TOKEN}])
@pytest.mark.parametrize("below", [False, True])
def test_an_authorization_that_is_no_text_is_refused(value: object, *, below: bool) -> None:
    with pytest.raises(RequestError) as refusal:
        over_websocket({"headers": {"Authorization": value}} if below else {"Authorization": value})

    assert str(refusal.value) == "Authorization in connection_init must be a string such as Bearer TOKEN."


@pytest.mark.parametrize("headers", ["Authorization: Bearer gqls_mug", 7, [["Authorization", TOKEN]]])
def test_headers_that_are_no_object_are_refused(headers: object) -> None:
    with pytest.raises(RequestError) as refusal:
        over_websocket({"Authorization": TOKEN, "headers": headers})

    assert str(refusal.value) == "headers in connection_init must be an object."
