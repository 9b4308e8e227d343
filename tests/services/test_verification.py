"""What is kept twice is compared: each figure that was tampered with is named."""

from decimal import Decimal

import pytest

from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.services import receive, verification
from gqlstock.services.receive import AnnounceStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.services.verification import Difference
from gqlstock.store import inventory
from gqlstock.store.db import sql
from support import importing
from support import order_life as life
from support import shop_builders as make


async def _shop() -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", "BERLIN", 5)


async def test_an_empty_database_agrees(db: None) -> None:
    assert await verification.verify() == []


async def test_orders_backorders_announcements_and_parked_orders_agree(db: None) -> None:
    await _shop()
    await make.product("CUP")
    await make.stock("CUP", "BERLIN", "2.0")
    await make.setting(
        product="CUP", backorders=BackorderMode.ALLOW, decrement_inventory=InventoryDecrement.ON_SHIPMENT
    )
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)

    await make.order(lines={"MUG": 8, "CUP": 5})
    await receive.announce(SYSTEM, AnnounceStockRequest("BERLIN", (StockLine("MUG", Decimal(10)),)))

    assert await verification.verify() == []


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (
            "on_hand",
            ["MUG@BERLIN: onHand is 6, not 5", "MUG@BERLIN: available is 5, not 6"],
        ),
        ("reserved", ["MUG@BERLIN: reserved is 1, not 0", "MUG@BERLIN: available is 5, not 4"]),
        ("planned", ["MUG@BERLIN: planned is 1, not 0", "MUG@BERLIN: available is 5, not 4"]),
        ("held", ["MUG@BERLIN: held is 1, not 0", "MUG@BERLIN: available is 5, not 4"]),
        (
            "backordered",
            ["MUG@BERLIN: backordered is 1, not 0", "MUG@BERLIN: backordered despite available stock is 1, not 0"],
        ),
        ("incoming", ["MUG@BERLIN: incoming is 1, not 0"]),
        ("available", ["MUG@BERLIN: available is 6, not 5"]),
    ],
)
async def test_a_figure_that_was_tampered_with_is_named(db: None, column: str, told: list[str]) -> None:
    await _shop()

    await sql.execute(f"UPDATE inventory_level SET {column} = {column} + 10000")

    assert [str(difference) for difference in await verification.verify()] == told


async def test_a_movement_that_went_missing_is_found(db: None) -> None:
    await _shop()
    await make.stock("MUG", "BERLIN", "7")

    await sql.execute("DELETE FROM stock_movement WHERE quantity = 50000")

    movement = (await inventory.StockMovement.all().first()).id
    assert await verification.verify() == [
        Difference("MUG@BERLIN", "onHand", Decimal(7), Decimal(2)),
        Difference("MUG@BERLIN", f"onHandAfter of movement {movement}", Decimal(7), Decimal(2)),
    ]


async def test_allocations_that_do_not_cover_their_line_are_found(db: None) -> None:
    await _shop()
    await make.order("MUG", 3)

    await sql.execute("UPDATE allocation SET quantity = 20000")

    assert [str(difference) for difference in await verification.verify()] == [
        "Order 100001, MUG: quantity is 3, not 2",
        "Order 100001: SALE movements of level 1 is -3, not -2",
    ]


async def test_a_parked_order_has_no_allocations(db: None) -> None:
    await _shop()
    await make.setting(product="MUG", insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    await make.order("MUG", 6)
    assert await verification.verify() == []

    await sql.execute("UPDATE customer_order SET status = 'PLACED'")

    assert [str(difference) for difference in await verification.verify()] == [
        "Order 100001: status is PLACED, not BACKORDERED",
        "Order 100001, MUG: quantity is 6, not 0",
    ]


async def test_a_hold_that_has_expired_and_is_not_swept_leaves_the_alerts_as_they_are(db: None) -> None:
    await _shop()
    await make.setting(product="MUG", notify_below=3)
    await life.expire(await life.hold(("MUG", 4)))
    assert await verification.verify() == []

    await make.stock("MUG", "BERLIN", 6)

    assert await verification.verify() == []


async def test_rows_from_before_there_were_seals_are_looked_at_without(db: None) -> None:
    await _shop()
    await make.order("MUG", 3)

    await sql.execute("UPDATE customer_order SET seal = NULL")
    await sql.execute("UPDATE stock_movement SET seal = NULL")

    assert await verification.verify() == []


async def test_an_edited_order_agrees_unless_it_was_tampered_with_before(db: None) -> None:
    await _shop()
    await make.stock("MUG", on_hand=9)
    one, other = await make.order("MUG", 1), await make.order("MUG", 1)
    await sql.execute("UPDATE order_line SET name = 'Jug' WHERE order_id = ?", other)

    for order_id in (one, other):
        await life.edit(order_id, change=[("MUG", 2)], add=[("MUG", 1)])

    assert [difference.place for difference in await verification.verify()] == [f"Order {100_000 + other}"]


async def test_an_order_from_before_there_were_seals_is_edited_without(db: None) -> None:
    await _shop()
    order_id = await make.order("MUG", 1)
    await sql.execute("UPDATE customer_order SET seal = NULL")

    await life.edit(order_id, change=[("MUG", 2)])

    assert await sql.query("SELECT seal FROM customer_order") == [{"seal": None}]
    assert await verification.verify() == []


async def test_every_page_of_levels_is_looked_at(db: None) -> None:
    await make.warehouse()
    for number in range(3):
        await make.product(f"P{number}", options={"Size": [str(size) for size in range(900)]})
    rows = await sql.query("SELECT sku FROM item WHERE product_id IS NOT NULL ORDER BY id")
    await importing.levels(["sku,warehouse,on_hand\n", *(f"{row['sku']},BERLIN,1\n" for row in rows)])

    await sql.execute("UPDATE inventory_level SET available = 0 WHERE id IN (1, 2700)")

    assert [difference.place for difference in await verification.verify()] == ["P0-0@BERLIN", "P2-899@BERLIN"]
