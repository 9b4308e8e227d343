import asyncio
import contextlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gqlstock.rules import orders as order_rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking, Option, OptionValue
from gqlstock.rules.geo import Point
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.refusals import (
    Code,
    InsufficientStock,
    NotOrderable,
    QuantityNotAllowed,
    Refusal,
    Refused,
    UnavailableReason,
)
from gqlstock.rules.scopes import ANONYMOUS, SYSTEM, Caller, Scope
from gqlstock.rules.settings import (
    BackorderMode,
    InsufficientStockAction,
    InventoryDecrement,
    LowStockActivity,
    SourceSelection,
)
from gqlstock.services import catalog, check_order, combinations, delete_level, place_order, retry_order, warehouses
from gqlstock.stock.present import assortment
from gqlstock.store import catalog as catalog_rows
from gqlstock.store import warehouses as warehouse_rows
from gqlstock.store.catalog import Item
from gqlstock.store.db import connection, sql, transactions
from gqlstock.store.inventory import InventoryLevel, StockMovement
from gqlstock.store.orders import Allocation, Order
from gqlstock.store.orders import OrderLine as OrderLineRow
from gqlstock.store.outbox import OutboxEntry
from support import shop_builders as make

HAMBURG_CITY, MUNICH_CITY = Point(53.55, 9.99), Point(48.14, 11.58)
CASHIER = Caller(name="till", key="token:1", scopes=frozenset({Scope.ORDERS_WRITE}))


@pytest.fixture
async def shop(db: None) -> None:
    """BERLIN before HAMBURG, the website shop that sells from both, the product MUG without stock."""
    await make.warehouse("BERLIN", location=(52.52, 13.405))
    await make.warehouse("HAMBURG", location=(53.55, 9.99))
    await make.website("shop", warehouses=["BERLIN", "HAMBURG"])
    await make.product("MUG", name="Mug")


def asked(*lines: tuple[str, float | str], **more: Any) -> OrderRequest:
    return OrderRequest(tuple(RequestedLine(sku, Decimal(str(units))) for sku, units in lines), **more)


async def place(*lines: tuple[str, float | str], caller: Caller = SYSTEM, **more: Any) -> int:
    return (await place_order.place(caller, asked(*lines, **more))).ids["order"][0]


async def refusal(*lines: tuple[str, float | str], caller: Caller = SYSTEM, **more: Any) -> list[Refusal]:
    """Why an order is not placed; that it leaves no trace, and that checking it says the same."""
    wanted = asked(*lines, **more)
    before = await rows_of_all_tables()
    with pytest.raises(Refused) as error:
        await place_order.place(caller, wanted)
    assert await rows_of_all_tables() == before
    checked = await check_order.check(caller, wanted)
    assert not checked.orderable
    assert list(checked.refusals) == list(error.value.refusals)
    return list(error.value.refusals)


async def told(*lines: tuple[str, float | str], **more: Any) -> list[tuple[Code, tuple[str | int, ...]]]:
    return [(one.code, one.path) for one in await refusal(*lines, **more)]


async def rows_of_all_tables() -> dict[str, int]:
    """How many rows each table has."""
    if connection.is_postgres():
        names = await sql.query("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    else:
        names = await sql.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {
        row["name"]: (await sql.query(f'SELECT COUNT(*) AS rows_there FROM "{row["name"]}"'))[0]["rows_there"]
        for row in names
    }


async def taken(order_id: int) -> list[tuple[str, Decimal, str]]:
    """From which warehouse how much in which state, in the order of lines and allocations."""
    found = Allocation.filter(line__order_id=order_id).order_by("line_id", "id").select_related("warehouse")
    return [(one.warehouse.code, one.quantity, one.state.value) for one in await found]


async def figures(sku: str = "MUG", warehouse: str = "BERLIN") -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """On hand, reserved, backordered, available."""
    one = await InventoryLevel.get(item__sku=sku, warehouse__code=warehouse)
    return one.on_hand, one.reserved, one.backordered, one.available


async def assessed(sku: str) -> Assessment:
    """What the website shows of an item."""
    channel = (await warehouse_rows.network()).find(None)
    assert channel is not None
    items = await catalog_rows.by_sku([sku])
    return (await assortment(items.values(), channel)).assess(items[sku])


async def status(order_id: int) -> OrderStatus:
    return (await Order.get(id=order_id)).status


# ── sources


async def test_an_order_takes_from_the_first_warehouse_what_it_has_and_from_the_next_the_rest(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 3)
    await make.stock("MUG", "HAMBURG", 5)

    order_id = await place(("MUG", 6))

    assert await taken(order_id) == [("BERLIN", 3, "ON_HAND"), ("HAMBURG", 3, "ON_HAND")]
    assert await figures("MUG", "BERLIN") == (0, 0, 0, 0)
    assert await figures("MUG", "HAMBURG") == (2, 0, 0, 2)
    assert await status(order_id) is OrderStatus.PLACED


async def test_a_split_takes_as_much_as_was_ordered_and_no_more(shop: None) -> None:
    """10 + 13 for 13."""
    await make.stock("MUG", "BERLIN", 10)
    await make.stock("MUG", "HAMBURG", 13)

    order_id = await place(("MUG", 13))

    assert await taken(order_id) == [("BERLIN", 10, "ON_HAND"), ("HAMBURG", 3, "ON_HAND")]


async def test_what_is_shown_over_all_warehouses_can_be_ordered_from_all_of_them(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 0)
    await make.stock("MUG", "HAMBURG", 5)

    order_id = await place(("MUG", 5))

    assert await taken(order_id) == [("HAMBURG", 5, "ON_HAND")]


async def test_the_priority_decides_not_the_order_of_creation(shop: None) -> None:
    await make.website("north", warehouses=["HAMBURG", "BERLIN"])
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("MUG", "HAMBURG", 5)

    order_id = await place(("MUG", 2), website="north")

    assert await taken(order_id) == [("HAMBURG", 2, "ON_HAND")]


async def test_equal_priorities_give_by_the_warehouses_id(shop: None) -> None:
    tied = [warehouses.AssignedWarehouse("HAMBURG", 1), warehouses.AssignedWarehouse("BERLIN", 1)]
    await make.website("tied", warehouses=tied)
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("MUG", "HAMBURG", 5)

    order_id = await place(("MUG", 1), website="tied")

    assert await taken(order_id) == [("BERLIN", 1, "ON_HAND")]


async def test_by_distance_the_nearest_warehouse_gives_first(shop: None) -> None:
    await make.setting(source_selection=SourceSelection.DISTANCE)
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("MUG", "HAMBURG", 5)

    order_id = await place(("MUG", 6), ship_to=Point(53.6, 10.0))

    assert await taken(order_id) == [("HAMBURG", 5, "ON_HAND"), ("BERLIN", 1, "ON_HAND")]


async def test_by_distance_without_a_destination_the_priority_decides(shop: None) -> None:
    await make.setting(source_selection=SourceSelection.DISTANCE)
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("MUG", "HAMBURG", 5)

    assert await taken(await place(("MUG", 1))) == [("BERLIN", 1, "ON_HAND")]


async def test_by_distance_a_warehouse_without_a_place_comes_last(shop: None) -> None:
    await make.warehouse("NOWHERE")
    await make.website("all", warehouses=["NOWHERE", "BERLIN"])
    await make.setting(source_selection=SourceSelection.DISTANCE)
    await make.stock("MUG", "NOWHERE", 5)
    await make.stock("MUG", "BERLIN", 5)

    order_id = await place(("MUG", 6), website="all", ship_to=MUNICH_CITY)

    assert await taken(order_id) == [("BERLIN", 5, "ON_HAND"), ("NOWHERE", 1, "ON_HAND")]


async def test_a_destination_changes_nothing_while_the_priority_decides(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("MUG", "HAMBURG", 5)

    assert await taken(await place(("MUG", 1), ship_to=HAMBURG_CITY)) == [("BERLIN", 1, "ON_HAND")]


async def test_an_inactive_warehouse_sells_nothing(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("MUG", "HAMBURG", 5)
    await warehouses.update_warehouse("BERLIN", {"active": False})

    order_id = await place(("MUG", 5))
    (short,) = await refusal(("MUG", 1))

    assert await taken(order_id) == [("HAMBURG", 5, "ON_HAND")]
    assert (short.code, short.path) == (Code.INSUFFICIENT_STOCK, ("lines", 0, "quantity"))


async def test_a_warehouse_of_another_website_gives_nothing(shop: None) -> None:
    await make.website("south", warehouses=["BERLIN"])
    await make.stock("MUG", "BERLIN", 2)
    await make.stock("MUG", "HAMBURG", 5)

    assert await told(("MUG", 3), website="south") == [(Code.INSUFFICIENT_STOCK, ("lines", 0, "quantity"))]


async def test_a_website_without_warehouses_of_its_own_sells_from_its_organizations(shop: None) -> None:
    await make.organization("acme", warehouses=["HAMBURG"])
    await make.website("acme-shop", organization="acme")
    await make.stock("MUG", "HAMBURG", 5)

    assert await taken(await place(("MUG", 2), website="acme-shop")) == [("HAMBURG", 2, "ON_HAND")]


async def test_one_warehouses_negative_does_not_eat_anothers_stock(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 0)
    await make.setting(level=("MUG", "BERLIN"), backorders=BackorderMode.ALLOW)
    await place(("MUG", 5))
    await make.setting(level=("MUG", "BERLIN"), backorders=None)
    await make.stock("MUG", "HAMBURG", 3)

    order_id = await place(("MUG", 3))

    assert await taken(order_id) == [("HAMBURG", 3, "ON_HAND")]
    assert await figures("MUG", "BERLIN") == (-5, 0, 5, -5)


# ── lines that are never split


@pytest.fixture
async def cloth(shop: None) -> None:
    """Cloth by the metre: 4.5 in BERLIN, 7.25 in HAMBURG."""
    await make.product("CLOTH")
    await make.setting(product="CLOTH", quantity_uses_decimals=True)
    await make.stock("CLOTH", "BERLIN", "4.5")
    await make.stock("CLOTH", "HAMBURG", "7.25")


async def test_a_line_that_is_never_split_comes_whole_from_the_first_that_can_give_it(cloth: None) -> None:
    assert await taken(await place(("CLOTH", "4.5"))) == [("BERLIN", Decimal("4.5"), "ON_HAND")]
    assert await taken(await place(("CLOTH", "5.25"))) == [("HAMBURG", Decimal("5.25"), "ON_HAND")]


async def test_a_line_that_is_never_split_can_have_what_the_fullest_warehouse_gives(cloth: None) -> None:
    (short,) = await refusal(("CLOTH", "7.26"))

    assert isinstance(short, InsufficientStock)
    assert (short.requested, short.salable) == (Decimal("7.26"), Decimal("7.25"))


async def test_two_lines_may_come_from_two_warehouses_where_one_may_not_be_split(cloth: None) -> None:
    order_id = await place(("CLOTH", 4), ("CLOTH", 7))

    assert await taken(order_id) == [("BERLIN", 4, "ON_HAND"), ("HAMBURG", 7, "ON_HAND")]


async def test_with_multiple_boxes_a_line_is_split_again(cloth: None) -> None:
    await make.setting(product="CLOTH", allow_multiple_boxes=True)

    order_id = await place(("CLOTH", 10))

    assert await taken(order_id) == [("BERLIN", Decimal("4.5"), "ON_HAND"), ("HAMBURG", Decimal("5.5"), "ON_HAND")]


async def test_the_backordered_part_of_a_line_that_is_never_split_waits_in_the_same_warehouse(cloth: None) -> None:
    await make.setting(level=("CLOTH", "HAMBURG"), backorders=BackorderMode.ALLOW)

    order_id = await place(("CLOTH", 9))

    assert await taken(order_id) == [
        ("HAMBURG", Decimal("7.25"), "ON_HAND"),
        ("HAMBURG", Decimal("1.75"), "BACKORDERED"),
    ]


# ── lines and what they ask for


async def test_two_lines_of_one_item_count_together(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)

    (short,) = await refusal(("MUG", 3), ("MUG", 3))

    assert isinstance(short, InsufficientStock)
    assert (short.path, short.requested, short.salable) == (("lines", 0, "quantity"), 6, 5)


async def test_two_lines_of_one_item_take_their_units_in_turn_and_move_the_level_once(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 4)
    await make.stock("MUG", "HAMBURG", 5)

    order_id = await place(("MUG", 3), ("MUG", 3))

    assert await taken(order_id) == [("BERLIN", 3, "ON_HAND"), ("BERLIN", 1, "ON_HAND"), ("HAMBURG", 2, "ON_HAND")]
    sales = await StockMovement.filter(order_id=order_id).order_by("level_id").values_list("kind", "quantity")
    assert [(kind.value, quantity) for kind, quantity in sales] == [("SALE", -4), ("SALE", -2)]


async def test_the_quantity_rules_are_for_all_lines_of_an_item_together(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 50)
    await make.setting(product="MUG", minimum_order_quantity=4, quantity_increment=2, maximum_order_quantity=10)

    await place(("MUG", 1), ("MUG", 3))
    (broken,) = await refusal(("MUG", 5), ("MUG", 6))

    assert isinstance(broken, QuantityNotAllowed)
    assert (broken.code, broken.path, broken.sku) == (Code.QUANTITY_NOT_ALLOWED, ("lines", 0, "quantity"), "MUG")
    assert broken.requested == 11
    assert broken.message == "11 of MUG cannot be ordered: the maximum is 10; it is sold in multiples of 2."
    assert (broken.rules.minimum, broken.rules.maximum, broken.rules.increment) == (4, 10, 2)


async def test_only_the_allowed_quantities_are_sold(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 50)
    await make.setting(product="MUG", allowed_quantities=(Decimal(1), Decimal(6)))

    await place(("MUG", 6))

    assert await told(("MUG", 5)) == [(Code.QUANTITY_NOT_ALLOWED, ("lines", 0, "quantity"))]


async def test_quantity_rules_are_for_items_that_are_not_counted_as_well(shop: None) -> None:
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    await make.setting(product="GIFT", maximum_order_quantity=3)

    assert await told(("GIFT", 4)) == [(Code.QUANTITY_NOT_ALLOWED, ("lines", 0, "quantity"))]


async def test_parts_of_a_unit_are_not_sold_while_decimals_are_off(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)

    assert await told(("MUG", "1.5")) == [(Code.QUANTITY_NOT_ALLOWED, ("lines", 0, "quantity"))]
    assert await told(("MUG", "1.5"), ("MUG", "0.5")) == [(Code.QUANTITY_NOT_ALLOWED, ("lines", 0, "quantity"))]


async def test_parts_of_a_unit_are_sold_when_any_level_there_says_so(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("MUG", "HAMBURG", 5)
    await make.setting(level=("MUG", "HAMBURG"), quantity_uses_decimals=True)

    assert await taken(await place(("MUG", "0.5"))) == [("BERLIN", Decimal("0.5"), "ON_HAND")]


@pytest.mark.parametrize("units", [0, -1, "-0.5"])
async def test_a_line_asks_for_more_than_nothing(shop: None, units: float | str) -> None:
    await make.stock("MUG", "BERLIN", 5)

    assert await told(("MUG", units)) == [(Code.INVALID_INPUT, ("lines", 0, "quantity"))]


async def test_an_order_without_lines_is_refused(shop: None) -> None:
    assert await told() == [(Code.INVALID_INPUT, ("lines",))]


async def test_five_hundred_lines_are_an_order_and_one_more_is_too_many(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 500)

    order_id = await place(*[("MUG", 1)] * 500)

    assert await OrderLineRow.filter(order_id=order_id).count() == 500
    assert await told(*[("MUG", 1)] * 501) == [(Code.TOO_MANY, ("lines",))]


async def test_every_bad_line_is_told_at_once(shop: None) -> None:
    await make.product("CUP", published=False)
    await make.stock("MUG", "BERLIN", 1)

    assert await told(("NONE", 1), ("CUP", 1), ("MUG", 2), ("MUG", 0)) == [
        (Code.NOT_FOUND, ("lines", 0, "sku")),
        (Code.NOT_ORDERABLE, ("lines", 1, "sku")),
        (Code.INSUFFICIENT_STOCK, ("lines", 2, "quantity")),
        (Code.INVALID_INPUT, ("lines", 3, "quantity")),
    ]


async def test_an_unknown_website_is_refused(shop: None) -> None:
    assert await told(("MUG", 1), website="nowhere") == [(Code.NOT_FOUND, ("website",))]


async def test_without_any_website_there_is_nothing_to_order_from(db: None) -> None:
    await make.product("MUG")

    assert await told(("MUG", 1)) == [(Code.NOT_FOUND, ("website",))]


async def test_without_a_website_the_first_one_created_counts(shop: None) -> None:
    await make.website("second", warehouses=["HAMBURG"])
    await make.stock("MUG", "BERLIN", 1)

    order_id = await place(("MUG", 1))

    assert (await Order.get(id=order_id).select_related("website")).website.code == "shop"


# ── combinations


@pytest.fixture
async def shirt(shop: None) -> None:
    """SHIRT in S and M, in red or blue print: the size is for inventory, the print is not."""
    size = Option("Size", (OptionValue("S"), OptionValue("M")))
    printed = Option("Print", (OptionValue("red"), OptionValue("blue")), inventory=False)
    await make.product("SHIRT", name="Shirt", options=[size, printed])
    await make.stock("SHIRT-S", "BERLIN", 2)
    await make.stock("SHIRT-M", "BERLIN", 3)


def line(sku: str, units: int = 1, /, **options: str) -> RequestedLine:
    return RequestedLine(sku, Decimal(units), tuple(options.items()))


async def test_a_products_sku_with_a_choice_stands_for_the_combination(shirt: None) -> None:
    kept = await place_order.place(SYSTEM, OrderRequest((line("SHIRT", Size="M", Print="red"),)))

    (row,) = await OrderLineRow.filter(order_id=kept.ids["order"][0])
    assert (row.sku, row.name, row.code) == ("SHIRT-M", "Shirt – M", "SHIRT")
    assert row.selected_options == {"Size": "M", "Print": "red"}
    assert await figures("SHIRT-M") == (2, 0, 0, 2)


async def test_a_choice_and_a_sku_of_one_combination_count_together(shirt: None) -> None:
    with pytest.raises(Refused) as error:
        await place_order.place(SYSTEM, OrderRequest((line("SHIRT", 2, Size="M"), line("SHIRT-M", 2))))

    (short,) = error.value.refusals
    assert isinstance(short, InsufficientStock)
    assert (short.sku, short.requested, short.salable) == ("SHIRT-M", 4, 3)


@pytest.mark.parametrize("options", [{}, {"Print": "red"}], ids=["no-choice", "a-choice-that-is-not-complete"])
async def test_a_product_tracked_with_options_is_not_sold_by_itself(shirt: None, options: dict[str, str]) -> None:
    with pytest.raises(Refused) as error:
        await place_order.place(SYSTEM, OrderRequest((line("SHIRT", 1, **options),)))

    (refused,) = error.value.refusals
    assert isinstance(refused, NotOrderable)
    assert (refused.reason, refused.path) == (UnavailableReason.SELECT_OPTIONS, ("lines", 0, "options"))


async def test_a_combinations_sku_beside_another_choice_is_refused(shirt: None) -> None:
    with pytest.raises(Refused) as error:
        await place_order.place(SYSTEM, OrderRequest((line("SHIRT-S", 1, Size="M"),)))

    (refused,) = error.value.refusals
    assert (refused.code, refused.path) == (Code.INVALID_INPUT, ("lines", 0, "options"))


async def test_an_option_that_there_is_not_is_refused(shirt: None) -> None:
    with pytest.raises(Refused) as error:
        await place_order.place(SYSTEM, OrderRequest((line("SHIRT", 1, Size="XXL"), line("SHIRT", 1, Colour="red"))))

    assert [(one.code, one.path) for one in error.value.refusals] == [
        (Code.INVALID_INPUT, ("lines", 0, "options", 0, "value")),
        (Code.INVALID_INPUT, ("lines", 1, "options", 0, "name")),
    ]


async def test_a_complete_choice_without_a_combination_is_unavailable(shirt: None) -> None:
    await make.stock("SHIRT-S", "BERLIN", 0)
    await combinations.delete("SHIRT-S")

    with pytest.raises(Refused) as error:
        await place_order.place(SYSTEM, OrderRequest((line("SHIRT", 1, Size="S"),)))

    (refused,) = error.value.refusals
    assert isinstance(refused, NotOrderable)
    assert refused.reason is UnavailableReason.COMBINATION_UNAVAILABLE


async def test_where_other_choices_are_allowed_one_without_a_combination_is_sold_uncounted(shirt: None) -> None:
    await make.stock("SHIRT-S", "BERLIN", 0)
    await combinations.delete("SHIRT-S")
    await make.setting(product="SHIRT", allow_only_existing_combinations=False)

    kept = await place_order.place(SYSTEM, OrderRequest((line("SHIRT", 40, Size="S"),)))

    (allocation,) = await Allocation.all()
    (row,) = await OrderLineRow.filter(order_id=kept.ids["order"][0])
    assert (allocation.quantity, allocation.state, allocation.level_id) == (40, AllocationState.ON_HAND, None)
    assert (row.sku, row.selected_options) == ("SHIRT", {"Size": "S"})


async def test_combinations_of_a_product_tracked_without_options_share_its_units(shop: None) -> None:
    await make.product("POSTER", options={"Size": ["A3", "A4"]}, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    await make.stock("POSTER", "BERLIN", 5)

    (short,) = await refusal(("POSTER-A3", 3), ("POSTER-A4", 2), ("POSTER", 1))
    order_id = await place(("POSTER-A3", 3), ("POSTER-A4", 2))

    assert isinstance(short, InsufficientStock)
    assert (short.requested, short.salable, short.path) == (6, 5, ("lines", 0, "quantity"))
    assert await figures("POSTER") == (0, 0, 0, 0)
    rows = await OrderLineRow.filter(order_id=order_id).order_by("id")
    assert [(row.sku, row.code) for row in rows] == [("POSTER-A3", "POSTER"), ("POSTER-A4", "POSTER")]


# ── items that are not counted


@pytest.mark.parametrize("way", ["do-not-track", "manage-stock-off"])
async def test_what_is_not_counted_is_sold_without_end_and_moves_no_stock(shop: None, way: str) -> None:
    if way == "do-not-track":
        await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    else:
        await make.product("GIFT")
        await make.stock("GIFT", "BERLIN", 1)
        await make.setting(product="GIFT", manage_stock=False)
    movements = await StockMovement.all().count()

    order_id = await place(("GIFT", 1_000_000))

    assert await taken(order_id) == [("BERLIN", 1_000_000, "ON_HAND")]
    assert await StockMovement.all().count() == movements


async def test_what_is_not_counted_comes_whole_from_the_shipping_origin(shop: None) -> None:
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK, shipping_origin="HAMBURG")

    assert await taken(await place(("GIFT", 3))) == [("HAMBURG", 3, "ON_HAND")]


@pytest.mark.parametrize("why", ["inactive", "not-of-this-website"])
async def test_a_shipping_origin_that_does_not_sell_here_gives_way_to_the_first_source(shop: None, why: str) -> None:
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK, shipping_origin="HAMBURG")
    if why == "inactive":
        await warehouses.update_warehouse("HAMBURG", {"active": False})
    else:
        await warehouses.update_website("shop", {"warehouses": [warehouses.AssignedWarehouse("BERLIN")]})

    assert await taken(await place(("GIFT", 3))) == [("BERLIN", 3, "ON_HAND")]


async def test_what_is_not_counted_is_not_sold_where_no_warehouse_is_active(shop: None) -> None:
    await make.product("GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    await make.website("empty")

    (refused,) = await refusal(("GIFT", 1), website="empty")

    assert isinstance(refused, NotOrderable)
    assert refused.reason is UnavailableReason.NOT_SOLD_HERE


# ── safety stock and backorders


async def test_the_safety_stock_is_never_sold_and_lies_in_the_last_source(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 4)
    await make.stock("MUG", "HAMBURG", 6)
    await make.setting(out_of_stock_threshold=3)

    (short,) = await refusal(("MUG", 8))
    order_id = await place(("MUG", 7))

    assert isinstance(short, InsufficientStock)
    assert short.salable == 7
    assert await taken(order_id) == [("BERLIN", 4, "ON_HAND"), ("HAMBURG", 3, "ON_HAND")]
    assert await figures("MUG", "HAMBURG") == (3, 0, 0, 3)


async def test_what_is_missing_waits_in_the_first_source_that_takes_backorders(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 2)
    await make.stock("MUG", "HAMBURG", 3)
    await make.setting(level=("MUG", "HAMBURG"), backorders=BackorderMode.ALLOW)

    order_id = await place(("MUG", 9))

    assert await taken(order_id) == [
        ("BERLIN", 2, "ON_HAND"),
        ("HAMBURG", 3, "ON_HAND"),
        ("HAMBURG", 4, "BACKORDERED"),
    ]
    assert await figures("MUG", "HAMBURG") == (-4, 0, 4, -4)
    assert await status(order_id) is OrderStatus.PLACED


async def test_a_negative_threshold_bounds_what_may_wait_over_all_orders(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 1)
    await make.setting(backorders=BackorderMode.ALLOW, out_of_stock_threshold=-5)

    await place(("MUG", 4))
    (short,) = await refusal(("MUG", 3))
    last = await place(("MUG", 2))

    assert isinstance(short, InsufficientStock)
    assert (short.requested, short.salable) == (3, 2)
    assert await taken(last) == [("BERLIN", 2, "BACKORDERED")]
    assert await figures() == (-5, 0, 5, -5)


async def test_a_warehouse_without_a_level_takes_no_backorder(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)
    await make.stock("MUG", "HAMBURG", 0)

    assert await taken(await place(("MUG", 2))) == [("HAMBURG", 2, "BACKORDERED")]


@pytest.mark.parametrize(
    ("ship_to", "warehouse"), [(None, "BERLIN"), (HAMBURG_CITY, "HAMBURG")], ids=["by-priority", "by-distance"]
)
async def test_an_item_that_nobody_has_counted_takes_its_backorders_in_the_first_source(
    shop: None, ship_to: Point | None, warehouse: str
) -> None:
    await make.setting(backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER, source_selection=SourceSelection.DISTANCE)
    checked = await check_order.check(SYSTEM, asked(("MUG", 2), ship_to=ship_to))

    order_id = await place(("MUG", 2), ship_to=ship_to)

    assert (checked.orderable, checked.lines[0].shown_backordered) == (True, 2)
    assert checked.lines[0].message == (await OrderLineRow.get(order_id=order_id)).message
    assert await taken(order_id) == [(warehouse, 2, "BACKORDERED")]
    assert await figures("MUG", warehouse) == (-2, 0, 2, -2)
    assert await InventoryLevel.all().count() == 1
    assert await OutboxEntry.filter(topic="LEVEL").count() == 1


async def test_what_nobody_has_counted_is_shown_as_what_can_be_ordered_of_it(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW, out_of_stock_threshold=-3)

    before = await assessed("MUG")
    await place(("MUG", 2))
    after = await assessed("MUG")
    (short,) = await refusal(("MUG", 2))

    assert (before.salable, before.orderable, before.backorder) == (3, True, True)
    assert (after.salable, after.orderable, after.backorder) == (1, True, True)
    assert isinstance(short, InsufficientStock)
    assert short.salable == 1


async def test_what_nobody_has_counted_is_out_of_stock_without_backorders(shop: None) -> None:
    assert (await assessed("MUG")).reason is UnavailableReason.OUT_OF_STOCK

    (short,) = await refusal(("MUG", 1))

    assert isinstance(short, InsufficientStock)
    assert (short.requested, short.salable) == (1, 0)
    assert await InventoryLevel.all().count() == 0


async def test_a_parked_order_of_what_nobody_has_counted_makes_its_level_when_it_is_tried_again(shop: None) -> None:
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)
    parked = await place(("MUG", 2))
    assert await InventoryLevel.all().count() == 0

    await make.setting(backorders=BackorderMode.ALLOW)
    await retry_order.retry(SYSTEM, order_rules.number(parked))

    assert await taken(parked) == [("BERLIN", 2, "BACKORDERED")]
    assert await figures() == (-2, 0, 2, -2)


@pytest.mark.parametrize(
    ("mode", "state", "expected"),
    [
        (InventoryDecrement.ON_SHIPMENT, "BACKORDERED", (0, 2, 2, -2)),
        (InventoryDecrement.NEVER, "ON_HAND", (0, 0, 0, 0)),
    ],
)
async def test_the_level_is_made_whenever_units_are_taken(
    shop: None, mode: InventoryDecrement, state: str, expected: tuple[int, int, int, int]
) -> None:
    await make.setting(backorders=BackorderMode.ALLOW, decrement_inventory=mode)

    order_id = await place(("MUG", 2))

    assert await taken(order_id) == [("BERLIN", 2, state)]
    assert await figures() == expected


async def test_a_level_that_was_taken_out_of_use_is_brought_back_by_a_backorder(shop: None) -> None:
    level_id = await make.stock("MUG", "BERLIN", 0)
    await delete_level.delete(SYSTEM, "MUG", "BERLIN")
    await make.setting(backorders=BackorderMode.ALLOW)

    await place(("MUG", 2))

    level = await InventoryLevel.get()
    assert (level.id, level.deleted_at, level.on_hand) == (level_id, None, -2)


async def test_orders_at_once_make_one_level(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW)

    await asyncio.gather(*(place(("MUG", 1)) for _ in range(5)))

    assert await InventoryLevel.all().count() == 1
    assert await figures() == (-5, 0, 5, -5)


async def test_an_order_that_is_refused_makes_no_level(shop: None) -> None:
    await make.product("CUP")
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)

    with pytest.raises(Refused):
        await place(("MUG", 1), ("CUP", 1))
    with pytest.raises(Refused) as error:
        await place(("MUG", 99_999_999_999), ("MUG", 99_999_999_999))

    assert [refused.code for refused in error.value.refusals] == [Code.INVALID_INPUT]
    assert await InventoryLevel.all().count() == 0
    assert await Order.all().count() == 0


async def test_the_shopper_is_told_of_a_backorder_where_the_mode_says_so(shop: None) -> None:
    await make.setting(backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER)
    await make.stock("MUG", "BERLIN", 1)

    inside = await place(("MUG", 1))
    beyond = await place(("MUG", 1))

    messages = [(await OrderLineRow.get(order_id=order_id)).message for order_id in (inside, beyond)]
    assert messages == [None, "Out of stock - on backorder and will be dispatched once in stock."]


# ── when units are taken


async def test_on_order_the_units_leave_at_once_with_a_sale(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)

    order_id = await place(("MUG", 2), caller=CASHIER)

    (sale,) = await StockMovement.filter(order_id=order_id)
    assert (sale.kind.value, sale.quantity, sale.on_hand_after, sale.actor) == ("SALE", -2, 3, "till")
    assert await figures() == (3, 0, 0, 3)


async def test_on_shipment_the_units_are_reserved_and_stay_on_hand(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    await make.setting(decrement_inventory=InventoryDecrement.ON_SHIPMENT, backorders=BackorderMode.ALLOW)

    order_id = await place(("MUG", 7))

    assert await StockMovement.filter(order_id=order_id).count() == 0
    assert await figures() == (5, 7, 2, -2)
    assert await taken(order_id) == [("BERLIN", 5, "ON_HAND"), ("BERLIN", 2, "BACKORDERED")]


async def test_never_an_order_is_checked_like_any_other_and_moves_nothing(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    await make.setting(decrement_inventory=InventoryDecrement.NEVER)

    first, second = await place(("MUG", 5)), await place(("MUG", 5))
    (short,) = await refusal(("MUG", 6))

    assert await taken(first) == await taken(second) == [("BERLIN", 5, "ON_HAND")]
    assert short.code is Code.INSUFFICIENT_STOCK
    assert await figures() == (5, 0, 0, 5)
    assert await StockMovement.filter(kind="SALE").count() == 0


async def test_under_never_nothing_is_backordered(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 2)
    await make.setting(decrement_inventory=InventoryDecrement.NEVER, backorders=BackorderMode.ALLOW)

    assert await taken(await place(("MUG", 5))) == [("BERLIN", 5, "ON_HAND")]
    assert await figures() == (2, 0, 0, 2)


async def test_an_order_keeps_the_mode_that_it_was_placed_under(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    await place(("MUG", 1))
    await make.setting(decrement_inventory=InventoryDecrement.NEVER)

    assert (await OrderLineRow.get()).decrement is InventoryDecrement.ON_ORDER


# ── parked orders


async def test_an_order_that_cannot_be_filled_is_parked_where_the_setting_says_so(shop: None) -> None:
    await make.product("CUP")
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("CUP", "BERLIN", 5)
    await make.setting(product="CUP", insufficient_stock=InsufficientStockAction.HOLD_ORDER)

    checked = await check_order.check(SYSTEM, asked(("MUG", 2), ("CUP", 9)))
    order_id = await place(("MUG", 2), ("CUP", 9))

    assert await status(order_id) is OrderStatus.BACKORDERED
    assert await taken(order_id) == []
    assert await figures("MUG") == (5, 0, 0, 5)
    assert await figures("CUP") == (5, 0, 0, 5)
    assert not checked.orderable
    assert checked.refusals == ()
    assert [(one.orderable, one.reason) for one in checked.lines] == [
        (True, None),
        (False, UnavailableReason.OUT_OF_STOCK),
    ]


async def test_an_order_is_refused_when_one_short_line_is_not_to_be_held(shop: None) -> None:
    await make.product("CUP")
    await make.stock("MUG", "BERLIN", 1)
    await make.stock("CUP", "BERLIN", 1)
    await make.setting(product="CUP", insufficient_stock=InsufficientStockAction.HOLD_ORDER)

    assert await told(("MUG", 2), ("CUP", 2)) == [
        (Code.INSUFFICIENT_STOCK, ("lines", 0, "quantity")),
        (Code.INSUFFICIENT_STOCK, ("lines", 1, "quantity")),
    ]


async def test_an_order_with_another_fault_is_not_held(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 1)
    await make.setting(insufficient_stock=InsufficientStockAction.HOLD_ORDER)

    assert await told(("MUG", 2), ("NONE", 1)) == [
        (Code.INSUFFICIENT_STOCK, ("lines", 0, "quantity")),
        (Code.NOT_FOUND, ("lines", 1, "sku")),
    ]


async def test_a_parked_orders_lines_wait_for_nothing_and_say_nothing(shop: None) -> None:
    await make.product("CUP")
    await make.stock("MUG", "BERLIN", 0)
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER)
    await make.stock("CUP", "BERLIN", 0)
    await make.setting(product="CUP", insufficient_stock=InsufficientStockAction.HOLD_ORDER)

    order_id = await place(("MUG", 1), ("CUP", 1))

    assert [row.message for row in await OrderLineRow.filter(order_id=order_id)] == [None, None]
    assert await figures("MUG") == (0, 0, 0, 0)


# ── what cannot be ordered at all


async def reason(*lines: tuple[str, float | str], **more: Any) -> UnavailableReason:
    (refused,) = await refusal(*lines, **more)
    assert isinstance(refused, NotOrderable)
    assert (refused.code, refused.path[:2]) == (Code.NOT_ORDERABLE, ("lines", 0))
    return refused.reason


async def test_what_is_not_published_is_not_sold(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    await catalog.update_product("MUG", {"published": False})

    assert await reason(("MUG", 1)) is UnavailableReason.NOT_PUBLISHED


@pytest.mark.parametrize("by_hand", [InventoryStatus.OUT_OF_STOCK, InventoryStatus.DISCONTINUED])
async def test_a_status_set_by_hand_stops_the_sale(shop: None, by_hand: InventoryStatus) -> None:
    await make.stock("MUG", "BERLIN", 5)
    await catalog.set_status("MUG", by_hand)

    assert await reason(("MUG", 1)) is UnavailableReason.STATUS_NOT_ORDERABLE


async def test_a_status_that_may_be_ordered_does_not_stop_it(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    await catalog.set_status("MUG", InventoryStatus.OUT_OF_STOCK)
    await make.setting(orderable_statuses=(InventoryStatus.IN_STOCK, InventoryStatus.OUT_OF_STOCK))

    assert await taken(await place(("MUG", 1))) == [("BERLIN", 1, "ON_HAND")]


async def test_what_no_warehouse_of_the_website_has_a_level_of_is_not_sold_here(shop: None) -> None:
    await make.website("south", warehouses=["BERLIN"])
    await make.stock("MUG", "HAMBURG", 5)

    assert await reason(("MUG", 1), website="south") is UnavailableReason.NOT_SOLD_HERE


@pytest.mark.parametrize(
    ("activity", "expected"),
    [
        (LowStockActivity.UNPUBLISH, UnavailableReason.LOW_STOCK_UNPUBLISHED),
        (LowStockActivity.DISABLE_BUY_BUTTON, UnavailableReason.LOW_STOCK_BUY_DISABLED),
    ],
)
async def test_low_stock_stops_the_sale_until_there_is_more(
    shop: None, activity: LowStockActivity, expected: UnavailableReason
) -> None:
    """A product does not stay hidden after a restock."""
    await make.stock("MUG", "BERLIN", 4)
    await make.setting(low_stock_activity=activity, minimum_stock_quantity=5)

    assert await reason(("MUG", 1)) is expected
    await make.stock("MUG", "BERLIN", 5)
    assert await taken(await place(("MUG", 1))) == [("BERLIN", 1, "ON_HAND")]


async def test_a_deleted_item_is_not_found(shop: None) -> None:
    await catalog.delete_product("MUG")

    assert await told(("MUG", 1)) == [(Code.NOT_FOUND, ("lines", 0, "sku"))]


# ── who may see how many there are


async def salable_told(caller: Caller) -> tuple[Decimal | None, str]:
    (short,) = await refusal(("MUG", 9), caller=caller)
    assert isinstance(short, InsufficientStock)
    assert (short.sku, short.requested) == ("MUG", 9)
    return short.salable, short.message


async def test_the_public_is_not_told_how_many_there_are(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)

    assert await salable_told(ANONYMOUS) == (None, "Not enough of MUG available, 9 requested.")
    assert await salable_told(CASHIER) == (None, "Not enough of MUG available, 9 requested.")


async def test_the_public_is_told_where_the_quantity_is_displayed(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    await make.setting(display_stock_quantity=True)

    assert await salable_told(ANONYMOUS) == (5, "Only 5 of MUG available, 9 requested.")


async def test_the_public_is_not_told_while_availability_is_not_displayed(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    await make.setting(display_stock_quantity=True, display_availability=False)

    assert await salable_told(ANONYMOUS) == (None, "Not enough of MUG available, 9 requested.")


async def test_who_may_read_the_inventory_is_always_told(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    clerk = Caller("clerk", "token:2", frozenset({Scope.INVENTORY_READ}))

    assert await salable_told(clerk) == (5, "Only 5 of MUG available, 9 requested.")


# ── the order itself


async def test_a_sku_that_is_renamed_keeps_its_sold_stock_sold(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    order_id = await place(("MUG", 2))

    await catalog.update_product("MUG", {"new_sku": "CUP", "name": "Cup"})

    (row,) = await OrderLineRow.filter(order_id=order_id)
    assert (row.sku, row.name, row.code, row.quantity) == ("MUG", "Mug", "MUG", 2)
    assert await figures("CUP") == (3, 0, 0, 3)


async def test_an_order_has_its_customer_and_the_callers_number(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)

    order_id = await place(("MUG", 1), customer_email=" Anna@Example.com ", reference=" WEB-1 ")

    row = await Order.get(id=order_id)
    assert (row.customer_email, row.reference, row.status) == ("Anna@Example.com", "WEB-1", OrderStatus.PLACED)
    assert row.placed_at == row.updated_at
    assert row.canceled_at is None


@pytest.mark.parametrize("address", ["anna@shop.local", "a..b@example.com", ".a@x", "JÖRG@bücher.example", "a,b@[x"])
async def test_an_address_is_kept_as_it_is_given(shop: None, address: str) -> None:
    await make.stock("MUG", "BERLIN", 5)

    order_id = await place(("MUG", 1), customer_email=address)

    assert (await Order.get(id=order_id)).customer_email == address


@pytest.mark.parametrize(
    "address",
    ["anna", "anna@", "@example.com", "a@b@c", "a b@example.com", "a\tb@c", "a@\x07", "x" * 250 + "@example.com"],
)
async def test_what_is_no_address_is_refused(shop: None, address: str) -> None:
    await make.stock("MUG", "BERLIN", 5)
    before = await rows_of_all_tables()

    with pytest.raises(Refused) as error:
        await place(("MUG", 1), customer_email=address)

    assert [(one.code, one.path) for one in error.value.refusals] == [(Code.INVALID_INPUT, ("customerEmail",))]
    assert await rows_of_all_tables() == before


async def test_a_reference_that_is_too_long_is_refused(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)

    with pytest.raises(Refused) as error:
        await place(("MUG", 1), reference="x" * 256)

    assert [(one.code, one.path) for one in error.value.refusals] == [(Code.INVALID_INPUT, ("reference",))]


async def test_an_order_is_news_and_so_is_each_level_it_took_from_and_that_an_item_has_run_out(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 1)
    await make.stock("MUG", "HAMBURG", 1)
    before = await OutboxEntry.all().values_list("id", flat=True)

    order_id = await place(("MUG", 2))

    news = await OutboxEntry.exclude(id__in=before).order_by("id").values_list("topic", "subject")
    levels = await InventoryLevel.all().order_by("id").values_list("id", flat=True)
    assert [(topic.value, subject) for topic, subject in news] == [
        *(("LEVEL", level_id) for level_id in levels),
        ("STOCK", (await Item.get(sku="MUG")).id),
        ("ORDER", order_id),
    ]


async def test_checking_an_order_writes_nothing(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 5)
    before = await rows_of_all_tables()

    found = await check_order.check(SYSTEM, asked(("MUG", 2)))

    assert found.orderable
    assert [(p.quantity, p.state) for p in found.lines[0].parts] == [(2, AllocationState.ON_HAND)]
    assert await rows_of_all_tables() == before
    assert await figures() == (5, 0, 0, 5)


async def test_two_buyers_cannot_both_have_the_last_unit(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 1)

    results = await asyncio.gather(*(place(("MUG", 1)) for _ in range(8)), return_exceptions=True)

    assert len([one for one in results if isinstance(one, int)]) == 1
    refused = [one for one in results if isinstance(one, Refused)]
    assert [one.refusals[0].code for one in refused] == [Code.INSUFFICIENT_STOCK] * 7
    assert await figures() == (0, 0, 0, 0)


# ── what is said to fit is placed


Wanted = list[tuple[str, int]]
WANTED = st.lists(st.tuples(st.sampled_from(["MUG", "CUP", "CLOTH"]), st.integers(1, 9)), min_size=1, max_size=4)
SETUPS = st.fixed_dictionaries(
    {
        "backorders": st.sampled_from(BackorderMode),
        "out_of_stock_threshold": st.integers(-4, 4),
        "decrement_inventory": st.sampled_from(InventoryDecrement),
        "insufficient_stock": st.sampled_from(InsufficientStockAction),
        "source_selection": st.sampled_from(SourceSelection),
    }
)
STOCKS = st.tuples(*(st.integers(0, 7) for _ in range(6)))


class TakenBack(Exception):
    pass


async def taken_back(work: Any) -> None:
    """Run it and take everything back."""

    async def run() -> None:
        await work()
        raise TakenBack

    with contextlib.suppress(TakenBack):
        await transactions.run(run)


async def prepared(setup: Mapping[str, Any], stocks: tuple[int, ...]) -> None:
    await make.setting(**setup)
    levels = [(sku, place) for sku in ("MUG", "CUP", "CLOTH") for place in ("BERLIN", "HAMBURG")]
    for (sku, place_code), units in zip(levels, stocks, strict=True):
        await make.stock(sku, place_code, units)


async def placed_or_refused(wanted: Wanted) -> tuple[int | None, list[Refusal]]:
    try:
        return await place(*wanted), []
    except Refused as error:
        return None, list(error.refusals)


async def what_was_checked_is_what_happens(setup: Mapping[str, Any], stocks: tuple[int, ...], wanted: Wanted) -> None:
    await prepared(setup, stocks)
    codes = {one.id: one.code for one in await warehouse_rows.Warehouse.all()}

    checked = await check_order.check(SYSTEM, asked(*wanted))
    order_id, refused = await placed_or_refused(wanted)

    assert refused == list(checked.refusals)
    if order_id is None:
        assert not checked.orderable
        return
    planned = [(codes[p.warehouse_id], p.quantity, p.state.value) for one in checked.lines for p in one.parts]
    assert await taken(order_id) == planned
    assert checked.orderable is (await status(order_id) is OrderStatus.PLACED)
    if checked.orderable:
        assert sum(units for _, units, _ in planned) == sum(units for _, units in wanted)


async def the_last_salable_unit_is_sold_and_not_one_more(
    setup: Mapping[str, Any], stocks: tuple[int, ...], wanted: Wanted
) -> None:
    await prepared({**setup, "insufficient_stock": InsufficientStockAction.REJECT}, stocks)
    for sku in {sku for sku, _ in wanted}:
        shown = await assessed(sku)
        if shown.salable is None:
            assert (await check_order.check(SYSTEM, asked((sku, 1_000)))).orderable
            continue
        assert shown.orderable is (shown.salable > 0)
        assert not (await check_order.check(SYSTEM, asked((sku, str(shown.salable + 1))))).orderable
        if shown.salable > 0:
            await place((sku, str(shown.salable)))


@pytest.mark.parametrize(
    "law",
    [what_was_checked_is_what_happens, the_last_salable_unit_is_sold_and_not_one_more],
    ids=lambda law: law.__name__,
)
async def test_shown_checked_and_placed_are_one(shop: None, law: Any) -> None:
    """CLOTH takes decimals, so that a line of it is never split; those of MUG and CUP are."""
    await make.product("CUP")
    await make.product("CLOTH")
    await make.setting(product="CLOTH", quantity_uses_decimals=True)
    loop = asyncio.get_running_loop()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(SETUPS, STOCKS, WANTED)
    def judge(setup: Mapping[str, Any], stocks: tuple[int, ...], wanted: Wanted) -> None:
        asyncio.run_coroutine_threadsafe(taken_back(lambda: law(setup, stocks, wanted)), loop).result()

    await asyncio.to_thread(judge)


_RULE = st.none() | st.integers(1, 6)
QUANTITY_RULES = st.tuples(_RULE, _RULE, _RULE, st.lists(st.integers(1, 6), max_size=2))


async def what_is_orderable_can_be_ordered_in_some_quantity_and_nothing_else_can(
    setup: Mapping[str, Any], stocks: tuple[int, ...], rules: tuple[int | None, int | None, int | None, list[int]]
) -> None:
    minimum, maximum, increment, allowed = rules
    # Nobody compares the values of a product with those that its website gets later: they may contradict each other.
    own = {"maximum_order_quantity": maximum, "allowed_quantities": tuple(Decimal(one) for one in allowed) or None}
    for sku in ("MUG", "CLOTH"):
        with contextlib.suppress(Refused):
            await make.setting(product=sku, **own)
    await make.setting(website="shop", minimum_order_quantity=minimum, quantity_increment=increment)
    await prepared({**setup, "insufficient_stock": InsufficientStockAction.REJECT}, stocks)

    for sku in ("MUG", "CLOTH"):
        shown = await assessed(sku)
        # No rules leave a least quantity over 12.
        fitting = [q for q in range(1, 13) if (await check_order.check(SYSTEM, asked((sku, q)))).orderable]
        assert shown.orderable is bool(fitting)
        assert shown.backorder is (shown.orderable and shown.status is InventoryStatus.OUT_OF_STOCK)
        if fitting:
            await place((sku, fitting[0]))


async def test_what_is_shown_as_orderable_has_a_quantity_that_can_be_ordered(shop: None) -> None:
    await make.product("CUP")
    await make.product("CLOTH")
    await make.setting(product="CLOTH", quantity_uses_decimals=True, quantity_increment=1)
    loop = asyncio.get_running_loop()
    law = what_is_orderable_can_be_ordered_in_some_quantity_and_nothing_else_can

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(SETUPS, STOCKS, QUANTITY_RULES)
    def judge(setup: Mapping[str, Any], stocks: tuple[int, ...], rules: Any) -> None:
        asyncio.run_coroutine_threadsafe(taken_back(lambda: law(setup, stocks, rules)), loop).result()

    await asyncio.to_thread(judge)


async def test_rules_that_no_quantity_satisfies_are_told_as_such_and_place_nothing(shop: None) -> None:
    await make.stock("MUG", "BERLIN", 9)
    await make.setting(product="MUG", maximum_order_quantity=4)
    await make.setting(website="shop", minimum_order_quantity=5)

    too_few, not_orderable = await refusal(("MUG", 4))

    assert isinstance(too_few, QuantityNotAllowed)
    assert isinstance(not_orderable, NotOrderable)
    assert not_orderable.reason is UnavailableReason.NO_QUANTITY_ALLOWED
    assert not_orderable.message == ("MUG cannot be ordered in any quantity: its quantity rules contradict each other.")
    assert (await assessed("MUG")).reason is UnavailableReason.NO_QUANTITY_ALLOWED
