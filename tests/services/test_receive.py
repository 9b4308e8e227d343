"""Stock on its way: announced, received, withdrawn; ``incoming`` is always what is still to come."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import receive as receiving
from gqlstock.services.receive import AnnounceStockRequest, ReceivedLine, ReceiveStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store import announcements, inventory, ledger
from support import shop_builders as make


@pytest.fixture(autouse=True)
async def shop(db):
    await make.shop()
    await make.product(sku="MUG")


async def announce(*quantities, sku="MUG", expected_at=None, reference="PO-7"):
    lines = tuple(StockLine(sku, Decimal(quantity)) for quantity in quantities)
    await receiving.announce(SYSTEM, AnnounceStockRequest("BERLIN", lines, expected_at, reference))
    return [row.id for row in await announcements.StockAnnouncement.all().order_by("id")]


async def receive(*quantities, announcement=None, sku="MUG", reference="DN-9"):
    told = None if announcement is None else str(announcement)
    lines = tuple(ReceivedLine(sku, Decimal(quantity), announcement, told) for quantity in quantities)
    return await receiving.receive(SYSTEM, ReceiveStockRequest("BERLIN", lines, reference=reference))


async def level():
    (found,) = await inventory.InventoryLevel.all()
    return found


async def received():
    return [row.received for row in await announcements.StockAnnouncement.all().order_by("id")]


async def test_announced_stock_counts_as_incoming_and_makes_the_level_that_is_missing():
    moment = datetime(2026, 12, 1, tzinfo=UTC)

    await announce(5, expected_at=moment)

    (made,) = await announcements.StockAnnouncement.all()
    assert (made.quantity, made.received, made.expected_at, made.reference) == (5, 0, moment, "PO-7")
    found = await level()
    assert (found.on_hand, found.incoming, found.available) == (0, 5, 0)


async def test_an_arrival_fills_the_oldest_announcement_and_then_the_next():
    await announce(5, 10)

    await receive(7)

    assert await received() == [5, 2]
    found = await level()
    assert (found.on_hand, found.incoming) == (7, 8)


async def test_an_arrival_fills_the_announcement_that_it_names():
    _, second = await announce(5, 10)

    await receive(7, announcement=second)

    assert await received() == [0, 7]


async def test_an_arrival_fills_the_announcements_of_its_reference_before_older_ones():
    await announce(5, reference="PO-1")
    await announce(4, reference="PO-2")
    await announce(3, reference="PO-2")

    await receive(6, reference="PO-2")

    assert await received() == [0, 4, 2]
    assert (await level()).incoming == 6


@pytest.mark.parametrize("rows", [(9,), (4, 5)], ids=["in-one-row", "in-two-rows"])
async def test_more_than_was_announced_of_a_reference_is_not_taken_off_another_announcement(rows):
    await announce(5, reference="PO-1")
    await announce(4, reference="PO-2")

    await receive(*rows, reference="PO-2")

    assert await received() == [0, 4]
    found = await level()
    assert (found.on_hand, found.incoming) == (9, 5)


async def test_an_arrival_of_a_reference_that_nobody_waits_for_any_more_fills_the_oldest_announcement():
    await announce(5, reference="PO-1")
    withdrawn, done = (await announce(4, reference="PO-2"))[1], (await announce(4, reference="PO-2"))[2]
    await receiving.withdraw(SYSTEM, GivenId(withdrawn, "told"))
    await receive(4, announcement=done)

    await receive(3, reference="PO-2")

    assert await received() == [3, 0, 4]


async def test_an_arrival_needs_no_announcement():
    kept = await receive(4)

    (movement,) = (await ledger.movements(kept.ids["movements"])).values()
    assert (movement.kind, movement.quantity, movement.reference) == (MovementKind.RECEIPT, 4, "DN-9")
    found = await level()
    assert (found.on_hand, found.incoming) == (4, 0)


async def test_more_than_was_announced_is_taken_in_and_incoming_ends_at_nothing():
    await announce(5)

    await receive(8)

    assert await received() == [5]
    found = await level()
    assert (found.on_hand, found.incoming) == (8, 0)


async def test_what_will_not_come_is_withdrawn_and_no_longer_incoming():
    (only,) = await announce(5)
    await receive(2)

    await receiving.withdraw(SYSTEM, GivenId(only, "told"))

    found = await level()
    assert (found.on_hand, found.incoming) == (2, 0)
    assert (await announcements.announcements([only]))[only].withdrawn_at is not None


@pytest.mark.parametrize("how", ["withdrawn", "received in full"])
async def test_an_announcement_with_nothing_left_can_be_neither_received_nor_withdrawn(how):
    (only,) = await announce(5)
    if how == "withdrawn":
        await receiving.withdraw(SYSTEM, GivenId(only, "told"))
    else:
        await receive(5)

    with pytest.raises(Refused) as again:
        await receive(1, announcement=only)
    with pytest.raises(Refused) as withdrawn:
        await receiving.withdraw(SYSTEM, GivenId(only, "told"))

    (refusal,) = again.value.refusals
    assert (refusal.code, refusal.path) == (Code.INVALID_STATE, ("lines", 0, "announcement"))
    assert refusal.message == f"The announcement was {how}."
    assert [r.code for r in withdrawn.value.refusals] == [Code.INVALID_STATE]


async def test_an_announcement_of_another_item_is_refused_and_nothing_arrives():
    await make.product(sku="CUP")
    (only,) = await announce(5)

    with pytest.raises(Refused) as error:
        await receive(1, announcement=only, sku="CUP")

    assert [(r.code, r.path) for r in error.value.refusals] == [(Code.INVALID_INPUT, ("lines", 0, "announcement"))]
    assert [found.on_hand for found in await inventory.InventoryLevel.all()] == [0]


@pytest.mark.parametrize(
    ("line", "code", "path"),
    [
        pytest.param(StockLine("NOPE", Decimal(1)), Code.NOT_FOUND, ("lines", 0, "sku"), id="an-unknown-item"),
        pytest.param(StockLine("MUG", Decimal(0)), Code.INVALID_INPUT, ("lines", 0, "quantity"), id="nothing"),
        pytest.param(
            StockLine("MUG", Decimal(-1)), Code.INVALID_INPUT, ("lines", 0, "quantity"), id="less-than-nothing"
        ),
        pytest.param(StockLine("MUG", Decimal("0.5")), Code.INVALID_INPUT, ("lines", 0, "quantity"), id="half-a-mug"),
    ],
)
async def test_a_bad_line_announces_nothing(line, code, path):
    with pytest.raises(Refused) as error:
        await receiving.announce(SYSTEM, AnnounceStockRequest("BERLIN", (line,)))

    assert [(r.code, r.path) for r in error.value.refusals] == [(code, path)]
    assert await announcements.StockAnnouncement.all().count() == 0
    assert await inventory.InventoryLevel.all().count() == 0


async def test_the_same_key_announces_once():
    asked = AnnounceStockRequest("BERLIN", (StockLine("MUG", Decimal(5)),))

    first = await receiving.announce(SYSTEM, asked, "po-7")
    second = await receiving.announce(SYSTEM, asked, "po-7")

    assert second == first
    assert (await level()).incoming == 5


async def test_an_arrival_fills_waiting_orders_first():
    await make.setting(product="MUG", backorders="ALLOW")
    await make.stock("MUG", "BERLIN", 1)
    await make.order("MUG", 4)

    await receive(2)

    found = await level()
    assert (found.on_hand, found.backordered) == (-1, 1)
