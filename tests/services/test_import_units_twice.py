"""Units that a file of products counted in one warehouse, and a file by location counts in another one."""

from collections.abc import Sequence

import pytest

from gqlstock.rules.import_report import RemarkKind, Report
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import transfer_stock
from gqlstock.services.import_counts import TWICE
from gqlstock.services.transfer_stock import TransferStockRequest
from support import importing, transfers
from support import shop_builders as make

PRODUCTS = (
    "Handle,Title,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty\n",
    "mug,Mug,MUG,shopify,5\n",
    "cup,Cup,CUP,shopify,4\n",
    "jar,Jar,JAR,shopify,0\n",
)


def locations(*rows: str) -> Sequence[str]:
    return ["Handle,SKU,Location,Available,Committed\n", *(f"{row.split(',')[0].lower()},{row},0\n" for row in rows)]


@pytest.fixture
async def shop(db: None) -> None:
    """5 of MUG, 4 of CUP and 0 of JAR, all in BERLIN, by a file of products."""
    await make.shop()
    await importing.shopify(PRODUCTS)


async def by_location(*rows: str, dry: bool = False) -> Report:
    return await importing.run("shopify-inventory", locations(*rows), dry=dry, website="shop")


def warned(report: Report) -> str | None:
    return importing.remarks(report, RemarkKind.TO_CHECK).get(TWICE)


@pytest.mark.parametrize("dry", [False, True], ids=["import", "check"])
async def test_a_file_by_location_that_counts_them_elsewhere_warns_with_the_units_of_before(
    shop: None, dry: bool
) -> None:
    report = await by_location("MUG,PARIS,5", "MUG,LYON,2", "CUP,PARIS,4", "JAR,PARIS,3", dry=dry)

    assert warned(report) == "2, 9 units (MUG, CUP)"


async def test_the_warning_stays_until_the_units_of_before_are_counted_to_zero(shop: None) -> None:
    await by_location("MUG,PARIS,5")
    assert warned(await by_location("MUG,PARIS,5")) == "1, 5 units (MUG)"

    await make.stock("MUG", "BERLIN", 0)

    assert warned(await by_location("MUG,PARIS,6")) is None


async def test_orders_do_not_hide_where_the_units_came_from(shop: None) -> None:
    await make.order("MUG", 2)

    assert warned(await by_location("MUG,PARIS,5")) == "1, 3 units (MUG)"


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(("MUG,BERLIN,3", "MUG,PARIS,2"), id="the-warehouse-of-the-products-is-in-the-file"),
        pytest.param(("MUG,Berlin,3", "MUG,PARIS,2"), id="it-is-there-by-its-name"),
        pytest.param(("MUG,PARIS,0",), id="the-other-warehouse-has-none"),
        pytest.param(("JAR,PARIS,3",), id="the-products-had-none"),
        pytest.param(("MUG,PARIS,not stocked",), id="the-file-does-not-count-the-item"),
    ],
)
async def test_a_file_that_counts_nothing_twice_does_not_warn(shop: None, rows: Sequence[str]) -> None:
    assert warned(await by_location(*rows)) is None


@pytest.mark.parametrize("way", ["counted", "moved", "by-location", "levels"])
async def test_units_that_something_else_put_there_are_meant_to_be_there(shop: None, way: str) -> None:
    if way == "counted":
        await make.stock("MUG", "BERLIN", 7)
    elif way == "moved":
        await make.warehouse("DEPOT")
        await make.stock("MUG", "DEPOT", 2)
        moved = TransferStockRequest("DEPOT", "BERLIN", transfers.rows(("MUG", 2)))
        await transfer_stock.transfer(SYSTEM, moved)
    elif way == "by-location":
        await by_location("MUG,BERLIN,8")
    else:
        await importing.levels(["sku,warehouse,on_hand\n", "MUG,BERLIN,8\n"])

    assert warned(await by_location("MUG,PARIS,5")) is None


async def test_files_of_counts_for_one_warehouse_each_do_not_warn(db: None) -> None:
    await make.shop()
    await make.product("MUG", slug="mug")

    await by_location("MUG,BERLIN,5")

    assert warned(await by_location("MUG,PARIS,5")) is None


async def test_counts_that_a_person_writes_for_another_warehouse_do_not_warn(shop: None) -> None:
    await make.warehouse("PARIS")

    assert warned(await importing.levels(["sku,warehouse,on_hand\n", "MUG,PARIS,5\n"])) is None


async def test_magentos_sources_warn_too(db: None) -> None:
    await make.shop()
    products = ["sku,product_type,name,qty\n", "MUG,simple,Mug,5\n", "CUP,simple,Cup,4\n"]
    await importing.run("magento-products", products, warehouse="BERLIN")

    sources = ["source_code,sku,status,quantity\n", "default,MUG,1,5\n", "BERLIN,CUP,1,4\n", "default,CUP,1,2\n"]
    report = await importing.run("magento-sources", sources, website="shop")

    assert warned(report) == "1, 5 units (MUG)"
