"""Transfers on the way: shipped from one warehouse, announced at another, received in parts, closed and canceled."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.scopes import SYSTEM, Caller, Scope
from gqlstock.rules.settings import BackorderMode
from gqlstock.rules.transfers import InventoryTransferState
from gqlstock.services import (
    adjust_stock,
    catalog,
    delete_level,
    list_transfers,
    receive,
    ship_transfer,
    update_announcement,
    verification,
)
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.receive import ReceivedLine, ReceiveStockRequest
from gqlstock.services.ship_transfer import ShipTransferRequest
from gqlstock.store.announcements import StockAnnouncement
from gqlstock.store.db import sql
from gqlstock.store.inventory import StockMovement
from support import order_life as life
from support import shop_builders as make
from support import transfers

SOON = datetime(2030, 1, 1, tzinfo=UTC)
LATER = datetime(2030, 2, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def shop(db):
    """10 of MUG in BERLIN. HAMBURG has none, and no level of it."""
    await make.warehouse("BERLIN")
    await make.warehouse("HAMBURG")
    await make.website("shop", warehouses=["BERLIN", "HAMBURG"])
    await make.product("MUG")
    await make.stock("MUG", "BERLIN", 10)
    yield
    assert [str(one) for one in await verification.verify()] == []


async def at(warehouse, sku="MUG"):
    """On hand, incoming and available of a level."""
    found = await sql.query(
        """SELECT l.on_hand, l.incoming, l.available FROM inventory_level l JOIN item i ON i.id = l.item_id
           JOIN warehouse w ON w.id = l.warehouse_id WHERE i.sku = ? AND w.code = ?""",
        sku,
        warehouse,
    )
    return tuple(row // 10_000 for row in next(iter(dict(one) for one in found)).values()) if found else None


async def announced():
    return [(one.quantity, one.received, one.withdrawn_at is not None) for one in await StockAnnouncement.all()]


async def state(number):
    return (await transfers.found(number)).state


async def caller_for(code):
    (row,) = await sql.query("SELECT id FROM warehouse WHERE code = ?", code)
    return Caller("pat", "pat", frozenset({Scope.INVENTORY_WRITE}), warehouses=frozenset({row["id"]}))


# ── shipping


async def test_shipped_units_leave_now_and_are_announced_at_the_destination():
    number = await transfers.ship(("MUG", 4), expected_at=SOON, reference="TR-1")

    assert number == "T100001"
    assert (await at("BERLIN"), await at("HAMBURG")) == ((6, 0, 6), (0, 4, 0))
    found = await transfers.found(number)
    assert (found.state, found.reference, found.closed_at) == (InventoryTransferState.IN_TRANSIT, "TR-1", None)
    assert await transfers.counts(number) == [("MUG", 4, 0, 0, 0)]
    (announcement,) = await StockAnnouncement.all()
    assert (announcement.quantity, announcement.expected_at, announcement.reference) == (4, SOON, "TR-1")
    assert announcement.transfer_id == found.id
    movement = await StockMovement.all().order_by("-id").first()
    assert (movement.kind, movement.quantity, movement.reference) == (MovementKind.TRANSFER_OUT, -4, "TR-1")


async def test_rows_of_one_item_make_one_line():
    await make.product("CUP")
    await make.stock("CUP", "BERLIN", 3)

    number = await transfers.ship(("MUG", 1), ("CUP", 3), ("mug".upper(), 2))

    assert await transfers.counts(number) == [("MUG", 3, 0, 0, 0), ("CUP", 3, 0, 0, 0)]
    assert await announced() == [(3, 0, False), (3, 0, False)]


@pytest.mark.parametrize(
    ("rows", "more", "told"),
    [
        ([("MUG", 11)], {}, ("INSUFFICIENT_STOCK", ("lines", 0, "quantity"))),
        ([("MUG", 6), ("MUG", 5)], {}, ("INSUFFICIENT_STOCK", ("lines", 1, "quantity"))),
        ([("MUG", 0)], {}, ("INVALID_INPUT", ("lines", 0, "quantity"))),
        ([("MUG", 1.5)], {}, ("INVALID_INPUT", ("lines", 0, "quantity"))),
        ([("CUP", 1)], {}, ("NOT_FOUND", ("lines", 0, "sku"))),
        ([], {}, ("INVALID_INPUT", ("lines",))),
        ([("MUG", 1)] * 1_001, {}, ("TOO_MANY", ("lines",))),
        ([("MUG", 1)], {"target": "PARIS"}, ("NOT_FOUND", ("to",))),
        ([("MUG", 1)], {"source": "PARIS"}, ("NOT_FOUND", ("from",))),
        ([("MUG", 1)], {"target": "BERLIN"}, ("INVALID_INPUT", ("to",))),
    ],
)
async def test_what_cannot_be_shipped_is_refused_and_nothing_moves(rows, more, told):
    before = await life.everything()

    assert await life.refused(transfers.ship(*rows, **more)) == told

    assert await life.everything() == before


async def test_reserved_units_are_not_available_for_a_transfer():
    await life.hold(("MUG", 8))

    assert (await life.refused(transfers.ship(("MUG", 3))))[0] == "INSUFFICIENT_STOCK"
    await transfers.ship(("MUG", 2))


async def test_an_item_that_is_not_counted_cannot_be_shipped():
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)

    assert await life.refused(transfers.ship(("GIFT", 1))) == ("NOT_TRACKED", ("lines", 0, "sku"))


async def test_the_same_call_under_a_key_ships_once():
    first = await transfers.ship(("MUG", 4), key="one")
    again = await transfers.ship(("MUG", 4), key="one")

    assert first == again
    assert await at("BERLIN") == (6, 0, 6)
    assert (await life.refused(transfers.ship(("MUG", 5), key="one")))[0] == "IDEMPOTENCY_CONFLICT"


async def test_inactive_warehouses_send_and_receive():
    await make.warehouse("DEPOT", active=False)

    number = await transfers.ship(("MUG", 4), target="DEPOT")
    await transfers.receive(number, everything=True)

    assert await at("DEPOT") == (4, 0, 4)
    await transfers.receive(await transfers.ship(("MUG", 1), source="DEPOT", target="HAMBURG"), everything=True)
    assert await at("HAMBURG") == (1, 0, 1)


# ── receiving


async def test_a_transfer_is_received_in_parts():
    number = await transfers.ship(("MUG", 5))

    await transfers.receive(number, ("MUG", 2))

    assert await state(number) is InventoryTransferState.IN_TRANSIT
    assert (await at("HAMBURG"), await announced()) == ((2, 3, 2), [(5, 2, False)])

    await transfers.receive(number, ("MUG", 1), ("MUG", 2))

    found = await transfers.found(number)
    assert (found.state, found.closed_at) == (InventoryTransferState.RECEIVED, found.updated_at)
    assert (await at("HAMBURG"), await announced()) == ((5, 0, 5), [(5, 5, False)])
    assert await transfers.counts(number) == [("MUG", 5, 5, 0, 0)]
    kinds = [(one.kind, one.quantity) for one in await StockMovement.all().order_by("id")]
    assert kinds[1:] == [
        (MovementKind.TRANSFER_OUT, -5),
        (MovementKind.TRANSFER_IN, 2),
        (MovementKind.TRANSFER_IN, 3),
    ]


async def test_without_lines_all_that_is_on_the_way_is_received():
    await make.product("CUP")
    await make.stock("CUP", "BERLIN", 3)
    number = await transfers.ship(("MUG", 5), ("CUP", 3))
    await transfers.receive(number, ("MUG", 4))

    await transfers.receive(number, everything=True)

    assert (await at("HAMBURG"), await at("HAMBURG", "CUP")) == ((5, 0, 5), (3, 0, 3))
    assert await state(number) is InventoryTransferState.RECEIVED


async def test_closing_gives_up_what_did_not_come():
    number = await transfers.ship(("MUG", 5))

    await transfers.receive(number, ("MUG", 3), close=True)

    assert await state(number) is InventoryTransferState.RECEIVED
    assert await transfers.counts(number) == [("MUG", 5, 3, 0, 2)]
    assert (await at("HAMBURG"), await announced()) == ((3, 0, 3), [(5, 3, True)])


async def test_closing_without_units_gives_up_all_of_it():
    number = await transfers.ship(("MUG", 5))
    await transfers.receive(number, ("MUG", 1))

    await transfers.receive(number, close=True)

    assert await transfers.counts(number) == [("MUG", 5, 1, 0, 4)]
    assert await at("HAMBURG") == (1, 0, 1)


async def test_closing_without_lines_receives_all_and_loses_nothing():
    number = await transfers.ship(("MUG", 5))

    await transfers.receive(number, everything=True, close=True)

    assert await transfers.counts(number) == [("MUG", 5, 5, 0, 0)]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([("MUG", 6)], ("INVALID_INPUT", ("lines", 0, "quantity"))),
        ([("MUG", 4), ("MUG", 2)], ("INVALID_INPUT", ("lines", 1, "quantity"))),
        ([("MUG", 0)], ("INVALID_INPUT", ("lines", 0, "quantity"))),
        ([("MUG", 0.5)], ("INVALID_INPUT", ("lines", 0, "quantity"))),
        ([("CUP", 1)], ("NOT_FOUND", ("lines", 0, "sku"))),
        ([], ("INVALID_INPUT", ("lines",))),
        ([("MUG", 1)] * 1_001, ("TOO_MANY", ("lines",))),
    ],
)
async def test_what_is_not_on_the_way_cannot_be_received(rows, told):
    number = await transfers.ship(("MUG", 5))
    await make.product("CUP")
    before = await life.everything()

    assert await life.refused(transfers.receive(number, *rows)) == told

    assert await life.everything() == before


async def test_a_sku_that_is_not_in_a_transfer_is_named():
    number = await transfers.ship(("MUG", 5))

    refusal = await life.refusal(transfers.receive(number, ("CUP", 1)))

    assert refusal.message == f"There is no line of transfer {number} with the SKU CUP."


@pytest.mark.parametrize("number", ["T100009", "T1", "100001", ""])
async def test_an_unknown_transfer_is_not_found(number):
    assert await life.refused(transfers.receive(number, everything=True)) == ("NOT_FOUND", ("number",))
    assert await life.refused(transfers.cancel(number)) == ("NOT_FOUND", ("number",))


async def test_a_transfer_that_has_ended_is_neither_received_nor_canceled():
    received, canceled = await transfers.ship(("MUG", 1)), await transfers.ship(("MUG", 1))
    await transfers.receive(received, everything=True)
    await transfers.cancel(canceled)

    for number in (received, canceled):
        assert await life.refused(transfers.receive(number, everything=True)) == ("INVALID_STATE", ("number",))
        assert await life.refused(transfers.receive(number, close=True)) == ("INVALID_STATE", ("number",))
        assert await life.refused(transfers.cancel(number)) == ("INVALID_STATE", ("number",))


async def test_the_same_receipt_under_a_key_is_taken_in_once():
    number = await transfers.ship(("MUG", 5))

    for _ in range(2):
        await transfers.receive(number, ("MUG", 2), key="one")

    assert await at("HAMBURG") == (2, 3, 2)


async def test_what_arrives_goes_to_orders_that_wait_there():
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)
    await make.website("north", warehouses=["HAMBURG"])
    number = await transfers.ship(("MUG", 5))
    order = await make.order("MUG", 3, website="north")

    await transfers.receive(number, ("MUG", 2))

    assert [(quantity, state) for _, quantity, state in await life.units(order)] == [(2, "ON_HAND"), (1, "BACKORDERED")]


async def test_parts_of_a_unit_on_the_way_can_be_received_as_a_whole_once_only_whole_units_are_counted():
    await make.setting(product="MUG", quantity_uses_decimals=True)
    number = await transfers.ship(("MUG", 2.5))
    await make.setting(product="MUG", quantity_uses_decimals=False)

    assert (await life.refused(transfers.receive(number, ("MUG", 1.5))))[0] == "INVALID_INPUT"
    await transfers.receive(number, ("MUG", 2.5))

    assert await transfers.counts(number) == [("MUG", Decimal("2.5"), Decimal("2.5"), 0, 0)]


# ── canceling


async def test_canceling_brings_back_what_is_on_the_way():
    number = await transfers.ship(("MUG", 5))
    await transfers.receive(number, ("MUG", 2))

    await transfers.cancel(number)

    assert await state(number) is InventoryTransferState.CANCELED
    assert await transfers.counts(number) == [("MUG", 5, 2, 3, 0)]
    assert (await at("BERLIN"), await at("HAMBURG")) == ((8, 0, 8), (2, 0, 2))
    assert await announced() == [(5, 2, True)]
    movement = await StockMovement.all().order_by("-id").first()
    assert (movement.kind, movement.quantity) == (MovementKind.TRANSFER_IN, 3)


async def test_units_come_back_to_a_level_that_is_out_of_use_by_now():
    number = await transfers.ship(("MUG", 10))
    await delete_level.delete(SYSTEM, "MUG", "BERLIN")

    await transfers.cancel(number)

    assert await at("BERLIN") == (10, 0, 10)
    rows = await sql.query("SELECT COUNT(*) AS gone FROM inventory_level WHERE deleted_at IS NOT NULL")
    assert rows[0]["gone"] == 0


# ── what is announced


async def test_a_receipt_of_stock_passes_a_transfer_over():
    number = await transfers.ship(("MUG", 5), reference="TR-1")

    request = ReceiveStockRequest("HAMBURG", (ReceivedLine("MUG", Decimal(3)),), reference="TR-1")
    await receive.receive(SYSTEM, request)

    assert (await at("HAMBURG"), await announced()) == ((3, 5, 3), [(5, 0, False)])
    assert await transfers.counts(number) == [("MUG", 5, 0, 0, 0)]


async def test_the_announcement_of_a_transfer_is_neither_received_nor_withdrawn_by_itself():
    await transfers.ship(("MUG", 5))
    (found,) = await StockAnnouncement.all()
    request = ReceiveStockRequest("HAMBURG", (ReceivedLine("MUG", Decimal(3), found.id, "told"),))

    assert await life.refused(receive.receive(SYSTEM, request)) == ("INVALID_STATE", ("lines", 0, "announcement"))
    assert await life.refused(receive.withdraw(SYSTEM, GivenId(found.id, "told"))) == ("INVALID_STATE", ("id",))


async def test_only_the_date_of_a_transfers_announcement_can_change():
    number = await transfers.ship(("MUG", 5), expected_at=SOON, reference="TR-1")
    (found,) = await StockAnnouncement.all()

    async def update(**given):
        await update_announcement.update(SYSTEM, GivenId(found.id, "told"), given)

    before = await transfers.found(number)
    assert await life.refused(update(quantity=Decimal(6))) == ("INVALID_STATE", ("quantity",))
    assert await life.refused(update(reference="TR-2")) == ("INVALID_STATE", ("reference",))
    assert await transfers.found(number) == before

    await update(expected_at=LATER)

    assert await list_transfers.expected_at([before.id]) == [LATER]
    assert (await transfers.found(number)).updated_at > before.updated_at


async def test_a_level_or_an_item_with_units_on_the_way_stays_in_use():
    number = await transfers.ship(("MUG", 10))

    assert (await life.refused(delete_level.delete(SYSTEM, "MUG", "HAMBURG")))[0] == "INVALID_STATE"
    assert (await life.refused(catalog.delete_product("MUG")))[0] == "INVALID_STATE"
    await transfers.receive(number, close=True)
    await delete_level.delete(SYSTEM, "MUG", "HAMBURG")
    await catalog.delete_product("MUG")


async def test_a_transfer_is_received_under_the_sku_that_its_item_has_now_and_while_nothing_of_it_is_counted():
    number = await transfers.ship(("MUG", 5))
    await catalog.update_product("MUG", {"sku": "CUP", "tracking": InventoryTracking.DO_NOT_TRACK})

    await transfers.receive(number, ("CUP", 1))
    await transfers.receive(number, ("MUG", 1))

    assert await transfers.counts(number) == [("MUG", 5, 2, 0, 0)]


# ── tokens for some warehouses


async def test_a_token_needs_the_origin_to_ship_and_to_cancel_and_the_destination_to_receive():
    berlin, hamburg = await caller_for("BERLIN"), await caller_for("HAMBURG")

    assert await life.refused(transfers.ship(("MUG", 2), caller=hamburg)) == ("NOT_FOUND", ("from",))
    number = await transfers.ship(("MUG", 2), caller=berlin)
    other = await transfers.ship(("MUG", 2), caller=berlin)
    assert await life.refused(transfers.receive(number, everything=True, caller=berlin)) == ("NOT_FOUND", ("number",))
    assert await life.refused(transfers.cancel(number, caller=hamburg)) == ("NOT_FOUND", ("number",))
    await transfers.receive(number, ("MUG", 1), caller=hamburg)
    await transfers.receive(number, close=True, caller=hamburg)
    await transfers.cancel(other, caller=berlin)

    assert (await at("BERLIN"), await at("HAMBURG")) == ((8, 0, 8), (1, 0, 1))
    assert {one.actor for one in await StockMovement.filter(kind__in=["TRANSFER_OUT", "TRANSFER_IN"])} == {"pat"}


async def test_a_token_sees_the_transfers_of_either_end():
    await make.warehouse("PARIS")
    number = await transfers.ship(("MUG", 2))
    berlin, hamburg, paris = [await caller_for(code) for code in ("BERLIN", "HAMBURG", "PARIS")]

    assert (await list_transfers.by_number(number, berlin)).id == 1
    assert (await list_transfers.by_number(number, hamburg)).id == 1
    assert await list_transfers.by_number(number, paris) is None


async def test_shipping_between_the_warehouses_of_a_level_that_changes_elsewhere_counts_all_of_it():
    await transfers.ship(("MUG", 5))
    await adjust_stock.adjust(SYSTEM, AdjustStockRequest((StockAdjustment("MUG", "BERLIN", Decimal(-2)),)))
    request = ShipTransferRequest("BERLIN", "HAMBURG", transfers.rows(("MUG", 4)))

    assert (await life.refused(ship_transfer.ship(SYSTEM, request)))[0] == "INSUFFICIENT_STOCK"
