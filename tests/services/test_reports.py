"""What the reports say: what is low, what was ordered, and how long the stock lasts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gqlstock.rules import demand as rules
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.demand import Demand
from gqlstock.rules.explanation import TermKind
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import demand, explanations, reports
from gqlstock.stock.present import assortment
from gqlstock.store import catalog, categories, warehouses
from gqlstock.store.db import clock
from gqlstock.store.orders import Order
from support import order_life as life
from support import shop_builders as make

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def shop(db):
    await make.warehouse("BERLIN")
    await make.warehouse("MUNICH")
    await make.website("shop", warehouses=["BERLIN", "MUNICH"])
    await make.category("kitchen")
    await make.category("mugs", parent="kitchen")
    await make.product(sku="MUG", category="mugs")


async def low(**chosen):
    found = await reports.low_stock(await warehouses.network(), **chosen)
    return {row.item.sku: (row.available, row.minimum) for row in found}


async def place(code):
    return (await warehouses.warehouses_by_code([code]))[code].id


async def explained(sku):
    item = (await catalog.by_sku([sku]))[sku]
    network = await warehouses.network()
    found = await assortment([item], network.channels[0])
    terms = await explanations.explain(item, found)
    return found.assess(item), terms


async def test_a_counted_item_at_its_minimum_is_low_and_one_over_it_is_not():
    await make.product(sku="CUP")
    await make.setting(minimum_stock_quantity=5)
    await make.stock("MUG", "BERLIN", 5)
    await make.stock("CUP", "BERLIN", 6)

    assert await low() == {"MUG": (5, 5)}


async def test_what_is_low_in_one_warehouse_need_not_be_low_over_all():
    await make.setting(product="MUG", minimum_stock_quantity=5)
    await make.stock("MUG", "BERLIN", 2)
    await make.stock("MUG", "MUNICH", 9)

    assert await low() == {}
    assert await low(warehouse_id=await place("BERLIN")) == {"MUG": (2, 5)}


async def test_safety_stock_is_taken_off_before_an_item_is_called_low():
    await make.setting(product="MUG", minimum_stock_quantity=5, out_of_stock_threshold=3)
    await make.stock("MUG", "BERLIN", 7)

    assert await low() == {"MUG": (4, 5)}


async def test_combinations_stand_in_the_report_instead_of_their_product():
    await make.product(sku="TEE", options={"Size": ["S", "M"]})
    await make.setting(product="TEE", minimum_stock_quantity=1)
    await make.stock("TEE-S", "BERLIN", 1)
    await make.stock("TEE-M", "BERLIN", 2)

    assert await low() == {"TEE-S": (1, 1)}


async def test_uncounted_items_are_never_low():
    await make.product(sku="GIFT", tracking=InventoryTracking.DO_NOT_TRACK)
    await make.setting(minimum_stock_quantity=5)
    await make.setting(product="MUG", manage_stock=False)

    assert await low() == {}


async def test_a_category_has_what_is_low_below_it():
    await make.product(sku="CUP")
    await make.setting(minimum_stock_quantity=5)
    kitchen = await categories.category("kitchen")
    assert kitchen is not None

    assert await low(category_ids=await categories.subtree(kitchen.id)) == {"MUG": (0, 5)}


@pytest.mark.parametrize(
    ("settings", "stock", "salable", "kinds"),
    [
        pytest.param({}, (3, 4), 7, [("ON_HAND", 3), ("ON_HAND", 4)], id="plain-stock"),
        pytest.param(
            {"out_of_stock_threshold": 2},
            (3, 4),
            5,
            [("ON_HAND", 3), ("ON_HAND", 4), ("SAFETY_STOCK", -2)],
            id="safety-stock",
        ),
        pytest.param(
            {"out_of_stock_threshold": 9},
            (3, 4),
            0,
            [("ON_HAND", 3), ("ON_HAND", 4), ("SAFETY_STOCK", -9), ("SHORTFALL", 2)],
            id="more-safety-stock-than-there-is",
        ),
        pytest.param(
            {"out_of_stock_threshold": -6, "backorders": "ALLOW"},
            (3, 4),
            13,
            [("ON_HAND", 3), ("ON_HAND", 4), ("BACKORDER_LIMIT", 6)],
            id="backorders-with-a-limit",
        ),
        pytest.param({"backorders": "ALLOW"}, (3, 4), None, [("ON_HAND", 3), ("ON_HAND", 4)], id="backorders-without"),
        pytest.param(
            {"quantity_uses_decimals": True},
            (3, 4),
            4,
            [("ON_HAND", 3), ("ON_HAND", 4), ("SHORTFALL", -3)],
            id="a-line-that-is-never-split",
        ),
    ],
)
async def test_the_terms_of_an_explanation_add_up_to_what_can_be_sold(settings, stock, salable, kinds):
    await make.setting(product="MUG", **settings)
    await make.stock("MUG", "BERLIN", stock[0])
    await make.stock("MUG", "MUNICH", stock[1])

    assessment, terms = await explained("MUG")

    assert assessment.salable == salable
    assert [(one.term.kind, one.term.quantity) for one in terms] == kinds
    assert sum(one.term.quantity for one in terms) == (assessment.available if salable is None else salable)


async def test_the_term_of_a_threshold_says_where_its_value_comes_from():
    await make.setting(category="kitchen", out_of_stock_threshold=2)
    await make.stock("MUG", "BERLIN", 5)

    _, terms = await explained("MUG")

    (threshold,) = [one for one in terms if one.term.kind is TermKind.SAFETY_STOCK]
    assert threshold.origin is not None
    assert (threshold.origin.scope, threshold.origin.owner) == ("CATEGORY", "kitchen")
    assert threshold.term.text == "2 set aside as safety stock."


async def test_what_one_warehouse_lacks_is_given_back_and_an_inactive_one_is_named():
    await make.setting(product="MUG", backorders="ALLOW")
    await make.stock("MUG", "BERLIN", 1)
    await make.order("MUG", 4)
    await make.stock("MUG", "MUNICH", 5)
    await make.warehouse("HAMBURG", active=False)
    await make.places.update_website(
        "shop", {"warehouses": [make.AssignedWarehouse(c) for c in ("BERLIN", "MUNICH", "HAMBURG")]}
    )

    assessment, terms = await explained("MUG")

    assert assessment.available == 5
    assert [(one.warehouse, one.term.kind, one.term.quantity) for one in terms] == [
        ("BERLIN", "ON_HAND", -3),
        ("BERLIN", "SHORTFALL", 3),
        ("MUNICH", "ON_HAND", 5),
        ("HAMBURG", "INACTIVE_WAREHOUSE", 0),
    ]


async def test_demand_is_what_was_ordered_in_the_span_and_in_as_many_days_before():
    await make.stock("MUG", "BERLIN", 100)
    before, long_ago = await make.order("MUG", 4), await make.order("MUG", 50)
    await make.order("MUG", 6)
    now = clock.now()
    await Order.filter(id=before).update(placed_at=now - timedelta(days=15))
    await Order.filter(id=long_ago).update(placed_at=now - timedelta(days=25))

    (row,) = await (await demand.by_item(await warehouses.network(), days=10, cover_days=30)).of_all()

    assert row.item.sku == "MUG"
    assert row.demand == Demand(ordered=Decimal(6), ordered_before=Decimal(4))
    assert (row.available, row.outlook.per_day, row.outlook.suggested_reorder) == (40, Decimal("0.6"), 0)


async def test_the_items_that_run_out_next_are_read_from_a_place_on():
    for sku, there, ordered in (("MUG", 20, 10), ("CUP", 9, 8), ("JUG", 40, 10), ("POT", 5, 0)):
        if sku != "MUG":
            await make.product(sku)
        await make.stock(sku, "BERLIN", there)
        if ordered:
            await make.order(sku, ordered)
    report = await demand.by_item(await warehouses.network(), days=10, cover_days=30)

    found = await report.soonest(None, 10)
    last = await report.soonest((Decimal(10), found[1].item.id), 10)

    assert [(row.item.sku, row.outlook.days_of_cover) for row in found] == [
        ("CUP", Decimal("1.25")),
        ("MUG", 10),
        ("JUG", 30),
    ]
    assert [row.item.sku for row in last] == ["JUG"]


async def test_units_of_a_hold_that_has_expired_last_as_long_as_any_others():
    await make.stock("MUG", "BERLIN", 20)
    await make.order("MUG", 10)
    await life.expire(await life.hold(("MUG", 6)))
    report = await demand.by_item(await warehouses.network(), days=10, cover_days=30)

    (row,) = await report.soonest((Decimal(9), 0), 1)

    assert (row.available, row.outlook.days_of_cover) == (10, 10)


async def test_items_that_nobody_ordered_last_for_ever():
    await make.stock("MUG", "BERLIN", 5)

    (row,) = await (await demand.by_item(await warehouses.network(), days=10, cover_days=30)).of_all()

    assert (row.outlook.days_of_cover, row.outlook.stockout, row.outlook.suggested_reorder) == (None, None, 0)


async def test_the_demand_of_a_category_is_that_of_all_below_it():
    await make.stock("MUG", "BERLIN", 100)
    await make.order("MUG", 6)

    found = await demand.by_category(days=10)

    assert [(row.category.slug, row.ordered, row.ordered_before) for row in found] == [
        ("kitchen", 6, 0),
        ("mugs", 6, 0),
    ]


@pytest.mark.parametrize(
    ("ordered", "available", "incoming", "decimals", "cover", "stockout", "reorder"),
    [
        pytest.param(30, 10, 0, False, 10, NOON + timedelta(days=10), 20, id="one-a-day"),
        pytest.param(30, 10, 15, False, 10, NOON + timedelta(days=10), 5, id="what-is-incoming-counts"),
        pytest.param(30, 50, 0, False, 50, NOON + timedelta(days=50), 0, id="enough"),
        pytest.param(40, 10, 0, False, Decimal("7.5"), NOON + timedelta(days=7.5), 30, id="a-fast-one"),
        pytest.param(1, 0, 0, False, 0, NOON, 1, id="sold-out"),
        pytest.param("0.5", 0, 0, False, 0, NOON, 1, id="half-a-unit-is-ordered-as-a-whole"),
        pytest.param("0.5", 0, 0, True, 0, NOON, Decimal("0.5"), id="half-a-unit-of-what-is-cut"),
    ],
)
def test_the_pace_says_how_long_stock_lasts_and_what_to_order(
    ordered, available, incoming, decimals, cover, stockout, reorder
):
    found = rules.outlook(
        Demand(ordered=Decimal(ordered)),
        Decimal(available),
        Decimal(incoming),
        days=30,
        cover_days=30,
        decimals=decimals,
        now=NOON,
    )

    assert (found.days_of_cover, found.stockout, found.suggested_reorder) == (cover, stockout, reorder)


async def test_the_terms_of_what_nobody_has_counted_add_up_as_well():
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW, out_of_stock_threshold=-3)

    assessment, terms = await explained("MUG")

    assert [(one.term.kind.value, one.term.quantity, one.warehouse) for one in terms] == [
        ("ON_HAND", 0, "BERLIN"),
        ("BACKORDER_LIMIT", 3, None),
    ]
    assert assessment.salable == 3
