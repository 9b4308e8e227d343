"""Random documents under both executors: the same data in the same order, and the same errors; and to a caller for one
warehouse the same, whatever happens in another.

``GQLSTOCK_TEST_DOCUMENTS`` says how many, over all tests here.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gqlstock.graphql.context import Context, Deployment
from gqlstock.graphql.executor import BreadthFirstExecutor, OrdinaryExecutor
from gqlstock.graphql.schema import root
from gqlstock.rules import orders
from gqlstock.rules.scopes import ANONYMOUS, SYSTEM, Caller, Scope
from gqlstock.services import receive
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store.db import connection
from gqlstock.store.db.connection import DatabaseUrl
from support import corner_case_schema
from support import shop_builders as make
from support.random_documents import documents

pytestmark = pytest.mark.long

DOCUMENTS = int(os.environ.get("GQLSTOCK_TEST_DOCUMENTS", "2000"))


def some(share: float) -> settings:
    return settings(
        max_examples=max(1, int(DOCUMENTS * share)),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


# Where something fails, graphql-core leaves some of what it had begun.
leaves_something = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


# ── a schema of corner cases

ORDINARY, OURS = corner_case_schema.build(None), corner_case_schema.build(BreadthFirstExecutor)
POOLS: dict[str, st.SearchStrategy[Any]] = {
    "Int": st.integers(0, 40),
    "Odd": st.integers(0, 9),
    "Boolean": st.booleans(),
    "String": st.text("ab", max_size=3),
}


def corner_documents(**options: Any) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return documents(ORDINARY._schema, POOLS, **options)


async def asked(asking: Any, document: str, variables: dict[str, Any]) -> tuple[str, list[dict[str, Any]], list[int]]:
    """The data as text, so that the order of keys counts; the errors; and what mutations did."""
    done: list[int] = []
    answer = await asking.execute(document, variables, context_value=done)
    return json.dumps(answer.data), [error.formatted for error in answer.errors or ()], done


@some(0.25)
@given(asking=corner_documents(slow=False))
def test_what_does_not_wait_gives_the_same_data_and_errors(runner: asyncio.Runner, asking: Any) -> None:
    theirs = runner.run(asked(ORDINARY, *asking))

    assert runner.run(asked(OURS, *asking)) == theirs


@leaves_something
@some(0.3)
@given(asking=corner_documents())
def test_what_waits_gives_the_same_data_and_null_for_the_same_reasons(runner: asyncio.Runner, asking: Any) -> None:
    data, errors, _ = runner.run(asked(ORDINARY, *asking))

    our_data, our_errors, _ = runner.run(asked(OURS, *asking))

    assert our_data == data
    assert reasons(json.loads(data), our_errors) == reasons(json.loads(data), errors)


@leaves_something
@some(0.1)
@given(asking=corner_documents(kind="mutation"))
def test_mutations_are_done_in_order_as_far_as_they_are_done(runner: asyncio.Runner, asking: Any) -> None:
    data, errors, done = runner.run(asked(ORDINARY, *asking))

    our_data, our_errors, our_done = runner.run(asked(OURS, *asking))

    assert (our_data, our_done) == (data, done)
    assert reasons(json.loads(data), our_errors) == reasons(json.loads(data), errors)


@leaves_something
@some(0.05)
@given(asking=corner_documents(kind="subscription"))
def test_each_event_of_a_subscription_gives_the_same(runner: asyncio.Runner, asking: Any) -> None:
    async def events(subscribed: Any) -> list[Any]:
        stream = await subscribed.subscribe(*asking)
        return [(json.dumps(event.data), [e.formatted for e in event.errors or ()]) async for event in stream]

    theirs = runner.run(events(ORDINARY))

    ours = runner.run(events(OURS))

    assert [data for data, _ in ours] == [data for data, _ in theirs]
    assert [reasons(json.loads(d), e) for d, e in ours] == [reasons(json.loads(d), e) for d, e in theirs]


def reasons(data: Any, errors: list[dict[str, Any]]) -> dict[str, Any]:
    """The errors by the place in the data that is null for them.

    Where several things fail below one place that becomes null, which of them is told depends on which failed first:
    then only the place is compared. An error whose own field is null is the only one there can be.
    """
    out: dict[str, Any] = {}
    for error in errors:
        path = error.get("path", [])
        place = [*null_at(data, path)]
        exact = len(place) == len(path)
        out.setdefault(json.dumps(place), []).append(error if exact else None)
    return {place: found if None not in found else ["below"] for place, found in out.items()}


def null_at(data: Any, path: list[Any]) -> list[Any]:
    """The part of a path that leads to null."""
    for length, key in enumerate(path):
        if data is None:
            return path[:length]
        data = data[key]
    return path


@some(0.05)
@given(asking=corner_documents())
def test_what_was_begun_is_awaited(runner: asyncio.Runner, asking: Any) -> None:
    # A coroutine that is dropped is a warning, and warnings are errors.
    runner.run(asked(OURS, *asking))


# ── the real schema

SKUS = ["MUG", "CUP", "SHIRT", "SHIRT-S-RED", "SHIRT-M-RED", "HIDDEN", "SERVICE", "NONE"]
CALLERS = [
    ANONYMOUS,
    Caller("all", "token:1", frozenset(Scope)),
    Caller("stock", "token:2", frozenset({Scope.INVENTORY_READ})),
    Caller("orders", "token:3", frozenset({Scope.ORDERS_READ, Scope.CATALOG_READ})),
]
REAL_POOLS: dict[str, st.SearchStrategy[Any]] = {
    "sku": st.sampled_from(SKUS),
    "skus": st.sampled_from(SKUS),
    "product": st.sampled_from(SKUS),
    "slug": st.sampled_from(["mug", "shirt", "kitchen", "none"]),
    "category": st.sampled_from(["kitchen", "cups", "none"]),
    "warehouse": st.sampled_from(["BERLIN", "PARIS", "NONE"]),
    "warehouses": st.sampled_from(["BERLIN", "PARIS", "NONE"]),
    "website": st.sampled_from(["shop", "outlet", "none"]),
    "code": st.sampled_from(["BERLIN", "shop", "default", "none"]),
    "number": st.sampled_from([orders.number(1), orders.number(2), "none"]),
    "order": st.sampled_from([orders.number(1), orders.number(2), "none"]),
    "first": st.integers(0, 5),
    "last": st.integers(0, 3),
    "after": st.just("bm9uZQ=="),
    "before": st.just("bm9uZQ=="),
    "days": st.integers(1, 40),
    "coverDays": st.integers(1, 40),
    "ID": st.sampled_from(["UHJvZHVjdDox", "V2FyZWhvdXNlOjE=", "T3JkZXI6MQ==", "eA=="]),
    "Int": st.integers(0, 9),
    "Float": st.floats(-80, 80),
    "Boolean": st.booleans(),
    "String": st.sampled_from(["Size", "S", "Color", "Red", "MUG", ""]),
    "Quantity": st.sampled_from([0, 1, 2.5, "3"]),
    "DateTime": st.sampled_from(["2020-01-01T00:00:00Z", "2030-01-01T00:00:00+02:00"]),
}


async def a_shop() -> None:
    await make.shop()
    await make.warehouse("PARIS")
    await make.website("outlet", warehouses=["PARIS", "BERLIN"])
    await make.category("kitchen")
    await make.category("cups", parent="kitchen")
    await make.setting(notify_below=3, display_stock_quantity=True, minimum_stock_quantity=4)
    for sku in ("MUG", "CUP"):
        await make.product(sku, category="cups")
        await make.stock(sku, "BERLIN", 5)
        await make.stock(sku, "PARIS", 1)
    await make.product("SHIRT", options={"Size": ["S", "M"], "Color": ["Red"]}, category="kitchen")
    await make.stock("SHIRT-S-RED", "BERLIN", 2)
    await make.product("HIDDEN", published=False)
    await make.order("MUG", 4)
    await make.order(lines={"CUP": 1, "SHIRT-S-RED": 1}, website="outlet")


async def answered(executor: Any, caller: Caller, document: str, variables: dict[str, Any]) -> tuple[str, Any]:
    context = Context(Deployment(None, None), caller=caller)  # type: ignore[arg-type]
    answer = await root.build(executor).execute(document, variables, context_value=context)
    errors = [error.formatted for error in answer.errors or ()]
    assert not [error for error in errors if error["extensions"]["code"] == "INTERNAL"]
    return json.dumps(answer.data), errors


@leaves_something
def test_the_real_schema_gives_the_same_data_and_errors(database_url: DatabaseUrl, runner: asyncio.Runner) -> None:
    real = root.build()._schema
    # What is reckoned from this very moment is never twice the same.
    asked_of_it = documents(real, REAL_POOLS, depth=5, without={"stockoutDate"})

    @some(0.3)
    @given(asking=asked_of_it, caller=st.sampled_from(CALLERS))
    def compare(asking: Any, caller: Caller) -> None:
        data, errors = runner.run(answered(OrdinaryExecutor, caller, *asking))

        our_data, our_errors = runner.run(answered(BreadthFirstExecutor, caller, *asking))

        assert our_data == data
        assert reasons(json.loads(data), our_errors) == reasons(json.loads(data), errors)

    opened = connection.opened(database_url, everywhere=True)
    runner.run(opened.__aenter__())
    try:
        runner.run(a_shop())
        compare()
    finally:
        runner.run(opened.__aexit__(None, None, None))


# What shops show to everybody is of all warehouses; the place where the feed ends is the same for all who read it.
OF_ALL = {"availability", "availabilities", "selection", "checkOrder", "stockoutDate", "endCursor"}


def test_what_happens_in_one_warehouse_is_not_seen_by_who_is_for_another(
    database_url: DatabaseUrl, runner: asyncio.Runner
) -> None:
    real = root.build()._schema
    pools = REAL_POOLS | {"inStock": st.none()}
    drawn: list[Any] = []

    @some(0.15)
    @given(asking=documents(real, pools, depth=5, without=OF_ALL))
    def draw(asking: Any) -> None:
        drawn.append(asking)

    async def seen(warehouses: frozenset[int] | None) -> list[str]:
        caller = Caller("till", "token:4", frozenset(Scope), warehouses=warehouses)
        return [(await answered(BreadthFirstExecutor, caller, *asking))[0] for asking in drawn]

    draw()
    drawn.append(("{ inventoryLevels { nodes { onHand } } }", {}))
    opened = connection.opened(database_url, everywhere=True)
    runner.run(opened.__aenter__())
    try:
        runner.run(a_shop())
        before, all_before = runner.run(seen(frozenset({1}))), runner.run(seen(None))
        runner.run(much_happens_in_paris())
        after, all_after = runner.run(seen(frozenset({1}))), runner.run(seen(None))
    finally:
        runner.run(opened.__aexit__(None, None, None))

    assert [asking for asking, one, other in zip(drawn, before, after, strict=True) if one != other] == []
    assert all_before != all_after


async def much_happens_in_paris() -> None:
    """Counts, levels that are new, stock on its way, and alerts that are raised and resolved."""
    for sku, on_hand in (("MUG", 4_711), ("CUP", 0), ("SHIRT-S-RED", 815), ("SHIRT-M-RED", 1)):
        await make.stock(sku, "PARIS", on_hand)
        await receive.announce(SYSTEM, AnnounceStockRequest("PARIS", (StockLine(sku, Decimal(3)),)))
