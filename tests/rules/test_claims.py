"""What an identity provider's claims say of a caller."""

from typing import Any

import pytest

from gqlstock.rules import claims
from gqlstock.rules.scopes import Scope


def read(**given: Any) -> claims.Identity:
    found = claims.read({"sub": "u-1"} | given)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "scope",
    [
        "orders:read inventory:read openid",
        ["openid", "inventory:read", "orders:read", 5],
        " orders:read\tinventory:read ",
    ],
)
def test_scopes_are_one_text_or_a_list_and_unknown_ones_are_passed_over(scope: object) -> None:
    assert read(scope=scope).scopes == {Scope.ORDERS_READ, Scope.INVENTORY_READ}


@pytest.mark.parametrize("scope", [None, "", 5, {"admin": True}, [["admin"]], "ADMIN", "admin,orders:read", "orders"])
def test_what_names_no_scope_allows_nothing(scope: object) -> None:
    assert read(scope=scope).scopes == frozenset()
    assert read().scopes == frozenset()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"preferred_username": "ada", "email": "ada@shop.example", "azp": "till"}, "ada"),
        ({"email": "ada@shop.example", "azp": "till"}, "ada@shop.example"),
        ({"azp": "till", "client_id": "other"}, "till"),
        ({"client_id": "till"}, "till"),
        ({}, "u-1"),
        ({"preferred_username": " ", "email": 5, "azp": "a\nb", "client_id": "x" * 256}, "u-1"),
        ({"preferred_username": "a\x00b"}, "u-1"),
    ],
)
def test_the_first_claim_that_can_stand_in_the_ledger_names_the_caller(given: dict[str, Any], name: str) -> None:
    assert read(**given).name == name


@pytest.mark.parametrize(
    ("warehouses", "codes"),
    [
        (["BERLIN", "HAMBURG"], {"BERLIN", "HAMBURG"}),
        ("BERLIN HAMBURG", {"BERLIN", "HAMBURG"}),
        ([], set()),
        ("", set()),
        (None, set()),
        (True, set()),
        ([1, "BERLIN"], {"BERLIN"}),
    ],
)
def test_a_claim_of_warehouses_limits_even_where_it_cannot_be_understood(warehouses: object, codes: set[str]) -> None:
    assert read(warehouses=warehouses).warehouses == codes


def test_without_a_claim_of_warehouses_it_is_all_of_them() -> None:
    assert read().warehouses is None


@pytest.mark.parametrize("subject", [None, "", " ", 5, "a\x00", "x" * 251])
def test_whoever_has_no_subject_that_can_be_kept_is_nobody(subject: object) -> None:
    assert claims.read({"sub": subject, "preferred_username": "ada"}) is None
    assert claims.read({"preferred_username": "ada"}) is None


@pytest.mark.parametrize(
    "name",
    ["gqlstock", "GQLstock", " gqlstock ", "g q l stock", "ｇｑｌｓｔｏｃｋ", "gqlstóck", "anonymous", "Anonymous"],
)
def test_a_name_of_the_ledger_s_own_stands_there_as_that_of_a_jwt(name: str) -> None:
    assert read(preferred_username=name).name == f"jwt:{name}"
    assert read(sub=name).name == f"jwt:{name}"


def test_a_name_that_is_only_like_a_reserved_one_stands_there_as_it_is() -> None:
    assert read(preferred_username="gqlstock-erp").name == "gqlstock-erp"
