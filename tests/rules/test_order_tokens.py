"""Access tokens of orders, and the cursors of shoppers: what they stand for, and what they do not."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import order_tokens
from gqlstock.rules.feed import Cursor
from gqlstock.rules.order_tokens import NamedOrder

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
PLACED = datetime(2030, 1, 2, 3, 4, 5, 678901, UTC)
ORDER = NamedOrder(7, PLACED)
CURSOR = Cursor(1, 2_000, 30_000, 2**53 - 1)

IDS = st.integers(1, 2**63 - 1)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))
KEYS = st.binary(min_size=32, max_size=32)
NUMBERS = st.integers(0, 2**63 - 1)


@given(key=KEYS, order=st.builds(NamedOrder, IDS, MOMENTS))
def test_a_token_names_its_order(key: bytes, order: NamedOrder) -> None:
    assert order_tokens.named(key, order_tokens.token(key, order)) == order


def test_a_token_is_always_the_same_and_safe_in_a_url() -> None:
    token = order_tokens.token(KEY, ORDER)

    assert token == "AAAAAAAAAAcABrotRH4vNaaU8Zh2AVtY2soApGx0aPdQcaIvdDNUNYybKZTCg-Gv"
    assert order_tokens.token(KEY, replace(ORDER)) == token


def test_a_token_of_another_key_names_nothing() -> None:
    assert order_tokens.named(OTHER_KEY, order_tokens.token(KEY, ORDER)) is None


def test_orders_with_the_same_id_and_of_the_same_moment_have_tokens_of_their_own() -> None:
    others = [replace(ORDER, id=8), replace(ORDER, placed_at=PLACED + timedelta(microseconds=1))]

    assert len({order_tokens.token(KEY, one) for one in (ORDER, *others)}) == 3


@pytest.mark.parametrize("place", range(64))
def test_a_token_with_another_letter_names_nothing(place: int) -> None:
    token = order_tokens.token(KEY, ORDER)

    changed = token[:place] + ("B" if token[place] != "B" else "C") + token[place + 1 :]

    assert order_tokens.named(KEY, changed) is None


def test_the_parts_of_two_tokens_name_nothing_together() -> None:
    first, second = (base64.urlsafe_b64decode(order_tokens.token(KEY, one)) for one in (ORDER, replace(ORDER, id=8)))

    mixed = base64.urlsafe_b64encode(second[:16] + first[16:]).decode()

    assert order_tokens.named(KEY, mixed) is None


TOKEN = order_tokens.token(KEY, ORDER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "\0",
        TOKEN[:-1],
        f"{TOKEN}A",
        f"{TOKEN}=",
        f"{TOKEN}\n",
        f" {TOKEN}",
        f"{TOKEN[:-1]}\0",
        TOKEN.swapcase(),
        "é" * 64,
        "\ud800" * 64,
        "٣" * 64,
        "=" * 64,
        "+" * 64,
        TOKEN * 100_000,
    ],
)
def test_a_text_that_is_no_token_names_nothing(text: str) -> None:
    assert order_tokens.named(KEY, text) is None
    assert order_tokens.opened(KEY, 7, text) is None


@given(text=st.text(alphabet="ABCDEabcde0123456789_-", min_size=64, max_size=64))
def test_any_text_of_the_right_length_names_nothing(text: str) -> None:
    assert order_tokens.named(KEY, text) is None
    assert order_tokens.opened(KEY, 7, text) is None


@given(key=KEYS, order_id=IDS, cursor=st.builds(Cursor, NUMBERS, NUMBERS, NUMBERS, NUMBERS))
def test_the_cursor_of_an_order_stands_for_its_place(key: bytes, order_id: int, cursor: Cursor) -> None:
    assert order_tokens.opened(key, order_id, order_tokens.sealed(key, order_id, cursor)) == cursor


def test_the_cursor_of_another_order_or_key_stands_for_nothing() -> None:
    sealed = order_tokens.sealed(KEY, 7, CURSOR)

    assert order_tokens.opened(KEY, 8, sealed) is None
    assert order_tokens.opened(OTHER_KEY, 7, sealed) is None


def test_a_token_is_no_cursor_and_a_cursor_is_no_token() -> None:
    assert order_tokens.opened(KEY, 7, TOKEN) is None
    assert order_tokens.named(KEY, order_tokens.sealed(KEY, 7, CURSOR)) is None


def test_cursors_of_neighbouring_places_have_nothing_in_common() -> None:
    cursors = [order_tokens.sealed(KEY, 7, replace(CURSOR, id=CURSOR.id + n)) for n in range(200)]

    decoded = [base64.urlsafe_b64decode(one) for one in cursors]
    # Of 200 random bytes at one place nearly half are different ones.
    assert all(len({one[place] for one in decoded}) > 80 for place in range(48))
