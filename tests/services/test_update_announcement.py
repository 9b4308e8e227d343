"""Announcements that change: ``incoming`` follows, nothing is written where nothing differs, and verify agrees."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.events import Topic
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import catalog, delete_level, receive, update_announcement, verification
from gqlstock.services.receive import AnnounceStockRequest, ReceivedLine, ReceiveStockRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store import announcements, inventory
from gqlstock.store.announcements import StockAnnouncement
from gqlstock.store.outbox import OutboxEntry
from support import shop_builders as make

DATE, LATER = datetime(2036, 12, 1, tzinfo=UTC), datetime(2036, 12, 24, 8, 30, 0, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def shop(db):
    await make.shop()
    await make.product(sku="MUG")


async def announce(quantity=10, sku="MUG", expected_at=DATE, reference="PO-7"):
    await receive.announce(
        SYSTEM, AnnounceStockRequest("BERLIN", (StockLine(sku, Decimal(quantity)),), expected_at, reference)
    )
    return (await StockAnnouncement.all().order_by("-id").first()).id


async def arrive(quantity, sku="MUG"):
    await receive.receive(SYSTEM, ReceiveStockRequest("BERLIN", (ReceivedLine(sku, Decimal(quantity)),)))


async def update(announcement_id, **given):
    return await update_announcement.update(SYSTEM, GivenId(announcement_id, "told"), given)


async def refused(announcement_id, **given):
    before = await written()
    with pytest.raises(Refused) as error:
        await update(announcement_id, **given)
    assert await written() == before
    (refusal,) = error.value.refusals
    return refusal.code, refusal.path


async def written():
    return (
        [dict(row) for row in await StockAnnouncement.all().order_by("id").values()],
        [dict(row) for row in await inventory.InventoryLevel.all().order_by("id").values()],
        await OutboxEntry.all().count(),
    )


async def stored(announcement_id):
    return (await announcements.announcements([announcement_id]))[announcement_id]


async def incoming(sku="MUG"):
    return (await inventory.InventoryLevel.get(item__sku=sku)).incoming


async def topics_since(count):
    return [one.topic for one in (await OutboxEntry.all().order_by("id"))[count:]]


async def differences():
    return await verification.verify()


@pytest.mark.parametrize("quantity", [Decimal(15), Decimal(7), Decimal(4)])
async def test_incoming_is_what_the_new_quantity_leaves_to_come(quantity):
    one = await announce(10)
    await announce(3)
    await arrive(4)
    news = await OutboxEntry.all().count()

    found = await update(one, quantity=quantity)

    after = await stored(one)
    assert (after.quantity, after.received, after.expected_at, after.reference) == (quantity, 4, DATE, "PO-7")
    assert await incoming() == quantity - 4 + 3
    assert found.ids == {"levels": [(await inventory.InventoryLevel.get()).id], "movements": []}
    assert await topics_since(news) == [Topic.LEVEL]
    assert await differences() == []


async def test_an_announcement_that_shrinks_to_what_was_received_is_complete():
    one = await announce(10)
    await arrive(4)

    await update(one, quantity=Decimal(4))

    with pytest.raises(Refused) as error:
        await receive.withdraw(SYSTEM, GivenId(one, "told"))
    assert [refusal.message for refusal in error.value.refusals] == ["The announcement was received in full."]


async def test_more_can_be_announced_of_what_was_received_in_full():
    one = await announce(10)
    await arrive(10)

    await update(one, quantity=Decimal(12), expected_at=LATER)

    assert (await stored(one)).remaining == await incoming() == 2
    await arrive(2)
    assert (await stored(one)).received == 12
    assert await differences() == []


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ({"expected_at": LATER}, (LATER, "PO-7")),
        ({"expected_at": None}, (None, "PO-7")),
        ({"reference": " PO-8 "}, (DATE, "PO-8")),
        ({"reference": None}, (DATE, None)),
        ({"reference": ""}, (DATE, None)),
        ({"expected_at": LATER, "reference": "PO-8", "quantity": None}, (LATER, "PO-8")),
    ],
)
async def test_another_date_or_reference_changes_no_figure_and_leaves_an_entry_that_is_no_news_of_stock(given, after):
    one = await announce(10)
    level = await inventory.InventoryLevel.get()
    news = await OutboxEntry.all().count()

    await update(one, **given)

    found = await stored(one)
    assert (found.expected_at, found.reference) == after
    assert (found.quantity, await incoming()) == (10, 10)
    (entry,) = (await OutboxEntry.all().order_by("id"))[news:]
    assert (entry.topic, entry.subject, entry.item_id) == (Topic.LEVEL_ROW, level.id, level.item_id)
    assert (await inventory.InventoryLevel.get()).updated_at == level.updated_at
    assert await differences() == []


@pytest.mark.parametrize("received", [0, 10])
async def test_the_date_of_what_was_received_in_full_can_change_as_well(received):
    one = await announce(10)
    if received:
        await arrive(received)

    await update(one, expected_at=LATER, reference="PO-8")

    assert ((await stored(one)).expected_at, (await stored(one)).reference) == (LATER, "PO-8")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="nothing-given"),
        pytest.param({"quantity": Decimal(10), "expected_at": DATE, "reference": "PO-7 "}, id="nothing-differs"),
        pytest.param({"quantity": None}, id="no-quantity"),
    ],
)
async def test_what_changes_nothing_writes_nothing_and_answers_with_the_level(given):
    one = await announce(10)
    before = await written()

    found = await update(one, **given)

    assert found.ids == {"levels": [(await inventory.InventoryLevel.get()).id], "movements": []}
    assert await written() == before


async def test_a_new_date_has_not_passed_yet_and_other_changes_leave_what_was_noticed():
    one = await announce(10)
    await StockAnnouncement.filter(id=one).update(lapsed_at=DATE)

    await update(one, quantity=Decimal(11), reference="PO-8", expected_at=DATE)
    assert (await stored(one)).lapsed_at == DATE

    await update(one, expected_at=LATER)
    assert (await stored(one)).lapsed_at is None


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ("3", Code.INVALID_INPUT),
        ("0", Code.INVALID_INPUT),
        ("-4", Code.INVALID_INPUT),
        ("4.5", Code.INVALID_INPUT),
    ],
)
async def test_a_bad_quantity_is_refused_and_nothing_changes(quantity, code):
    one = await announce(10)
    await arrive(4)

    assert await refused(one, quantity=Decimal(quantity), expected_at=LATER) == (code, ("quantity",))


async def test_parts_of_a_unit_are_announced_where_parts_are_counted():
    await make.setting(product="MUG", quantity_uses_decimals=True)
    one = await announce(10)

    await update(one, quantity=Decimal("10.0001"))

    assert await incoming() == Decimal("10.0001")


async def test_a_level_cannot_expect_more_than_it_can_count():
    one, most = await announce(1), Decimal(99_999_999_999)
    await announce(1)
    await update(one, quantity=most - 1)

    assert await refused(one, quantity=most) == (Code.INVALID_INPUT, ())


@pytest.mark.parametrize("given", [{}, {"quantity": Decimal(5)}, {"expected_at": LATER}, {"reference": "PO-8"}])
async def test_a_withdrawn_announcement_does_not_change(given):
    one = await announce(10)
    await receive.withdraw(SYSTEM, GivenId(one, "told"))

    assert await refused(one, **given) == (Code.INVALID_STATE, ("id",))


@pytest.mark.parametrize("unknown", [None, 999])
async def test_an_unknown_announcement_is_not_found(unknown):
    assert await refused(unknown, quantity=Decimal(5)) == (Code.NOT_FOUND, ("id",))


async def test_a_long_reference_is_refused():
    one = await announce(10)

    assert await refused(one, reference="x" * 256) == (Code.INVALID_INPUT, ("reference",))


async def test_less_but_not_more_is_announced_of_an_item_that_is_not_tracked_any_more():
    one = await announce(10)
    await catalog.update_product("MUG", {"tracking": InventoryTracking.DO_NOT_TRACK})

    assert await refused(one, quantity=Decimal(11)) == (Code.NOT_TRACKED, ("id",))
    await update(one, quantity=Decimal(9))

    assert await incoming() == 9


async def test_more_is_announced_where_the_level_is_out_of_use_which_brings_it_back():
    one = await announce(10)
    await arrive(10)
    await make.stock("MUG", on_hand=0)
    await delete_level.delete(SYSTEM, "MUG", "BERLIN")

    await update(one, reference="PO-8")
    assert (await inventory.InventoryLevel.get()).deleted_at is not None

    await update(one, quantity=Decimal(11))
    level = await inventory.InventoryLevel.get()
    assert (level.deleted_at, level.incoming) == (None, 1)


async def test_no_more_is_announced_of_a_deleted_item():
    one = await announce(10)
    await arrive(10)
    await make.stock("MUG", on_hand=0)
    await catalog.delete_product("MUG")

    assert await refused(one, quantity=Decimal(11)) == (Code.INVALID_STATE, ("id",))
    await update(one, reference="PO-8")
    assert (await stored(one)).reference == "PO-8"


async def test_arrivals_and_changes_at_once_leave_what_is_to_come():
    one = await announce(10)

    await asyncio.gather(
        *(update(one, quantity=Decimal(20 + number)) for number in range(5)), *(arrive(1) for _ in range(5))
    )

    after = await stored(one)
    assert after.received == 5
    assert await incoming() == after.remaining >= 15
    assert await differences() == []
