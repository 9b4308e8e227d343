import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.refusals import Code, InsufficientStock, Refused, StaleQuantity
from gqlstock.rules.scopes import ANONYMOUS, SYSTEM, Caller
from gqlstock.services import adjust_stock, catalog, count_stock, hold_stock, place_order
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.count_stock import CountStockRequest, StockCount
from gqlstock.services.hold_stock import HoldRequest
from gqlstock.services.place_order import PlaceOrder
from gqlstock.stock import transaction
from gqlstock.stock.command import Result
from gqlstock.stock.idempotency import key_on_website
from gqlstock.store import idempotency
from gqlstock.store.db import clock, sql, transactions
from gqlstock.store.idempotency import KeptAnswer
from gqlstock.store.inventory import InventoryLevel, StockMovement
from gqlstock.store.orders import Order
from gqlstock.store.outbox import OutboxEntry
from support import shop_builders as make

ANNA, BEN = Caller(name="Anna", key="token:1"), Caller(name="Ben", key="token:2")


@pytest.fixture
async def shop(db: None) -> None:
    """100 of MUG in BERLIN, which the website shop sells from."""
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=100)


def asked(units: int | str = 1, **more: Any) -> OrderRequest:
    return OrderRequest((RequestedLine("MUG", Decimal(units)),), **more)


def adjustment(*deltas: int, partial: bool = False) -> AdjustStockRequest:
    return AdjustStockRequest(
        tuple(StockAdjustment("MUG", "BERLIN", Decimal(delta)) for delta in deltas), partial=partial
    )


async def place(key: str | None, units: int = 1, caller: Caller = ANNA) -> int:
    return (await place_order.place(caller, asked(units), key)).ids["order"][0]


async def left() -> Decimal:
    return (await InventoryLevel.get()).on_hand


def code(error: pytest.ExceptionInfo[Refused]) -> tuple[Code, tuple[str | int, ...]]:
    (refusal,) = error.value.refusals
    return refusal.code, refusal.path


async def test_the_same_key_with_the_same_input_answers_the_same_and_does_nothing_again(shop: None) -> None:
    first = await place("k1", 2)
    news = await OutboxEntry.all().count()

    again = await place("k1", 2)

    assert again == first
    assert await Order.all().count() == 1
    assert await left() == 98
    assert await OutboxEntry.all().count() == news


async def test_without_a_key_every_call_counts(shop: None) -> None:
    assert await place(None) != await place(None)
    assert await left() == 98


async def test_another_input_under_the_same_key_is_a_conflict(shop: None) -> None:
    await place("k1", 2)

    with pytest.raises(Refused) as error:
        await place("k1", 3)

    assert code(error) == (Code.IDEMPOTENCY_CONFLICT, ("idempotencyKey",))
    assert await left() == 98


@pytest.mark.parametrize(
    "other",
    [
        asked(1, reference="R-2"),
        asked(1, website="outlet", reference="R-1"),
        asked(1, reference="R-1", customer_email="anna@example.com"),
        OrderRequest((RequestedLine("MUG", Decimal(1)), RequestedLine("MUG", Decimal(1))), reference="R-1"),
    ],
    ids=["reference", "website", "email", "lines"],
)
async def test_every_part_of_the_input_counts(shop: None, other: OrderRequest) -> None:
    await place_order.place(ANNA, asked(1, reference="R-1"), "k1")

    with pytest.raises(Refused) as error:
        await place_order.place(ANNA, other, "k1")

    assert code(error) == (Code.IDEMPOTENCY_CONFLICT, ("idempotencyKey",))


async def test_the_default_website_is_the_same_named_or_left_out(shop: None) -> None:
    placed = [
        (await place_order.place(ANNA, asked(1, website=website), "k1")).ids
        for website in (None, "shop", None, " shop ")
    ]
    held = [
        (await hold_stock.hold(ANNA, HoldRequest((RequestedLine("MUG", Decimal(1)),), website), "k1")).ids
        for website in ("shop", None)
    ]

    assert [one == placed[0] for one in placed] == [True] * 4
    assert held[0] == held[1]
    assert await left() == 99


async def test_a_key_of_an_earlier_release_answers_as_it_did_whatever_is_asked(shop: None) -> None:
    """Its input cannot be compared any more: its digest came from that release's code."""
    first = await place("k1", 2)
    await transactions.run(lambda: sql.execute("UPDATE kept_answer SET digest = ?", "a" * 64))

    assert await place("k1", 2) == first
    assert await place("k1", 3) == first
    assert await left() == 98


async def test_another_spelling_of_a_sku_is_the_same_input(shop: None) -> None:
    await make.product("CAFÉ")
    await make.stock("CAFÉ", on_hand=10)

    spelled = ["CAFÉ", " CAFÉ", "CAFE\u0301", "\ufeffCA\u200bFÉ"]
    placed = {
        (await place_order.place(ANNA, OrderRequest((RequestedLine(sku, Decimal(1)),)), "k1")).ids["order"][0]
        for sku in spelled
    }

    assert len(placed) == 1


async def test_a_key_belongs_to_its_caller(shop: None) -> None:
    orders_placed = {await place("k1", caller=caller) for caller in (ANNA, BEN, SYSTEM)}

    assert len(orders_placed) == 3


async def test_the_public_shares_its_keys(shop: None) -> None:
    assert await place("k1", caller=ANONYMOUS) == await place("k1", caller=ANONYMOUS)


async def test_a_key_belongs_to_its_mutation(shop: None) -> None:
    await adjust_stock.adjust(ANNA, adjustment(5), "k1")
    await count_stock.count(ANNA, CountStockRequest((StockCount("MUG", "BERLIN", Decimal(50)),)), "k1")
    await place("k1")

    assert await left() == 49


async def test_an_answer_with_errors_is_not_kept(shop: None) -> None:
    for _ in range(2):
        with pytest.raises(Refused) as error:
            await place("k1", 101)
        assert code(error) == (Code.INSUFFICIENT_STOCK, ("lines", 0, "quantity"))

    await make.stock("MUG", on_hand=101)

    assert await Order.filter(id=await place("k1", 101)).count() == 1
    assert [one.refused for one in await KeptAnswer.all()] == [False]


REFUSED = {
    "too many": (asked(101), Code.INSUFFICIENT_STOCK),
    "quantity rules": (asked(2, reference="R-1"), Code.QUANTITY_NOT_ALLOWED),
    "unknown SKU": (OrderRequest((RequestedLine("NONE", Decimal(1)),)), Code.NOT_FOUND),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_refusal_decides_the_same_call_that_arrived_before_it(shop: None, what: str) -> None:
    """That call waited in another process. It gets the whole refusal, even if it could be carried out by now."""
    refused, wanted = REFUSED[what]
    await make.setting(minimum_order_quantity=1 if what == "too many" else 3)
    early = await key_on_website(ANNA, "placeOrder", "k1", refused)
    await asyncio.sleep(0.001)
    with pytest.raises(Refused) as first:
        await place_order.place(ANNA, refused, "k1")

    await make.product("NONE")
    await make.stock("NONE", on_hand=1)
    await make.stock("MUG", on_hand=101)
    await make.setting(minimum_order_quantity=1)
    with pytest.raises(Refused) as second:
        await transaction.run(PlaceOrder(ANNA, refused, None, refused.reference, early))

    assert code(first)[0] is wanted
    assert second.value.refusals == first.value.refusals
    assert await Order.all().count() == 0
    assert await place_order.place(ANNA, refused, "k1")


async def test_a_refusal_does_not_decide_another_call_under_its_key(shop: None) -> None:
    early = await key_on_website(ANNA, "placeOrder", "k1", asked(1))
    await asyncio.sleep(0.001)
    with pytest.raises(Refused):
        await place("k1", 101)

    assert (await transaction.run(PlaceOrder(ANNA, asked(1), None, None, early))).ids["order"]


async def test_a_call_that_would_be_refused_now_gets_its_kept_answer(shop: None) -> None:
    first = await place("k1", 100)
    await adjust_stock.adjust(SYSTEM, adjustment(5), None)
    await catalog.update_product("MUG", {"new_sku": "CUP"})

    assert await place("k1", 100) == first


async def test_refusals_are_forgotten_before_answers(shop: None) -> None:
    first = await place("k1")
    with pytest.raises(Refused):
        await place("k2", 101)

    now = clock.now()
    await idempotency.sweep(now - timedelta(hours=24), now + timedelta(seconds=1))

    assert [one.key for one in await KeptAnswer.all()] == ["k1"]
    assert await place("k1") == first


async def test_after_an_error_the_key_may_be_used_for_another_input(shop: None) -> None:
    with pytest.raises(Refused):
        await place("k1", 101)

    await place("k1", 1)

    assert await left() == 99


async def test_an_answer_in_part_is_kept_with_its_errors(shop: None) -> None:
    asked_for = adjustment(5, -1_000, 7, partial=True)
    first = await adjust_stock.adjust(ANNA, asked_for, "k1")
    await adjust_stock.adjust(ANNA, adjustment(2_000), None)

    again = await adjust_stock.adjust(ANNA, asked_for, "k1")

    (short,) = again.refusals
    assert again == first
    assert isinstance(short, InsufficientStock)
    assert (short.code, short.path) == (Code.INSUFFICIENT_STOCK, ("changes", 1, "delta"))
    assert (short.sku, short.requested, short.salable) == ("MUG", 1_000, 105)
    assert await left() == 2_112


async def test_a_stale_row_of_an_answer_in_part_is_told_again_with_its_figures(shop: None) -> None:
    counts = (
        StockCount("MUG", "BERLIN", Decimal("7.5"), expected_on_hand=Decimal("99.5")),
        StockCount("NONE", "BERLIN", Decimal(1)),
    )
    await make.setting(quantity_uses_decimals=True)
    asked_for = CountStockRequest(counts, partial=True)

    first = await count_stock.count(ANNA, asked_for, "k1")
    again = await count_stock.count(ANNA, asked_for, "k1")

    stale, unknown = again.refusals
    assert again == first
    assert isinstance(stale, StaleQuantity)
    assert (stale.expected, stale.actual, stale.path) == (Decimal("99.5"), 100, ("counts", 0, "expectedOnHand"))
    assert (unknown.code, unknown.path) == (Code.NOT_FOUND, ("counts", 1, "sku"))
    assert await left() == 100


@pytest.mark.parametrize("key", ["", "   ", "x" * 256])
async def test_a_key_is_a_text_of_some_length(shop: None, key: str) -> None:
    with pytest.raises(Refused) as error:
        await place(key)

    assert code(error) == (Code.INVALID_INPUT, ("idempotencyKey",))
    assert await left() == 100


async def test_a_key_is_kept_for_a_day_and_then_forgotten(shop: None) -> None:
    first = await place("k1")
    now = clock.now()

    await idempotency.sweep(now - timedelta(hours=24), now)
    assert await place("k1") == first

    await idempotency.sweep(now + timedelta(seconds=1), now)
    assert await place("k1") != first


@pytest.mark.parametrize("callers", [2, 12])
async def test_calls_at_once_with_one_key_give_one_order(shop: None, callers: int) -> None:
    placed = await asyncio.gather(*(place("k1", 3) for _ in range(callers)))

    assert len(set(placed)) == 1
    assert await Order.all().count() == 1
    assert await left() == 97


async def test_of_two_inputs_at_once_under_one_key_one_is_a_conflict(shop: None) -> None:
    results = await asyncio.gather(place("k1", 3), place("k1", 4), return_exceptions=True)

    (refused,) = [one for one in results if isinstance(one, Refused)]
    assert refused.refusals[0].code is Code.IDEMPOTENCY_CONFLICT
    assert await Order.all().count() == 1


async def test_one_adjustment_sent_twice_moves_the_stock_once(shop: None) -> None:
    first: Result = await adjust_stock.adjust(ANNA, adjustment(5), "k1")
    again = await adjust_stock.adjust(ANNA, adjustment(5), "k1")

    assert again == first
    assert await StockMovement.filter(kind="ADJUSTMENT").count() == 1
