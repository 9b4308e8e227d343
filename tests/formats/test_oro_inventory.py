"""What rows of OroCommerce's inventory export say."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from gqlstock.formats import oro_inventory, oro_products
from gqlstock.formats.format import Context, Options
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.import_report import RemarkKind
from gqlstock.rules.import_rows import ItemName, LevelCount
from gqlstock.rules.refusals import Refused
from gqlstock.services import import_counts, import_statuses
from gqlstock.store import catalog
from support import importing
from support import shop_builders as make
from support.importing import figures

PRODUCTS = [
    "SKU,Type,Unit of Quantity.Unit.Code,additionalUnitPrecisions:0:unit:code\n",
    "OIL,simple,liter,milliliter\n",
    "MUG,simple,item,\n",
]


def counts(header: str, *rows: str, warehouse: str | None = "BERLIN") -> list[LevelCount]:
    lines = [f"{header}\n", *(f"{row}\n" for row in rows)]
    return importing.level_counts("oro-inventory", lines, Context(Options(warehouse=warehouse)))


def refusals(header: str, *rows: str, warehouse: str | None = "BERLIN") -> list[str]:
    with pytest.raises(Refused) as refused:
        counts(header, *rows, warehouse=warehouse)
    return [one.message for one in refused.value.refusals]


@pytest.fixture
async def shop(db: None) -> None:
    await make.shop()
    await make.product("OIL")
    await make.product("MUG")
    await make.product("TEE", options={"Size": ["S"]})


async def imported(*files: Sequence[str], warehouse: str | None = "BERLIN") -> tuple[dict[str, int], dict[str, str]]:
    report = await importing.run("oro-inventory", *files, warehouse=warehouse)
    return figures(report), importing.remarks(report, RemarkKind.NOT_CARRIED)


def test_a_quantity_counts_in_the_warehouse_of_the_command() -> None:
    assert counts("SKU,Product,Inventory Status,Quantity", "MUG,Mug,In Stock,5") == [
        LevelCount(2, ItemName("MUG"), "BERLIN", Decimal(5))
    ]


def test_a_quantity_counts_in_the_warehouse_of_its_row() -> None:
    assert counts("SKU,Quantity,Warehouse", "MUG,5,West Side", "MUG,2,") == [
        LevelCount(2, ItemName("MUG"), "West Side", Decimal(5)),
        LevelCount(3, ItemName("MUG"), "BERLIN", Decimal(2)),
    ]


def test_internal_names_are_known() -> None:
    header = "product:sku,product:defaultName,product:inventoryStatus,quantity,productUnitPrecision:unit:code"

    assert counts(header, "MUG,Mug,In Stock,5.5,item") == [LevelCount(2, ItemName("MUG"), "BERLIN", Decimal("5.5"))]


def test_an_empty_quantity_is_no_count() -> None:
    assert counts("SKU,Quantity", "MUG,", "OIL,0") == [LevelCount(3, ItemName("OIL"), "BERLIN", Decimal(0))]


def test_a_file_may_have_statuses_alone() -> None:
    assert counts("SKU,Inventory Status", "MUG,In Stock") == []


def test_a_quantity_without_a_warehouse_is_refused() -> None:
    assert refusals("SKU,Quantity", "MUG,5", warehouse=None) == [
        "Line 2: Warehouse is missing: set it with --warehouse."
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [(",5", "Line 2: The SKU is missing."), ("MUG,many", "Line 2: Quantity 'many' is not a quantity.")],
)
def test_a_wrong_row_is_refused_with_its_line(row: str, message: str) -> None:
    assert refusals("SKU,Quantity", row) == [message]


async def test_only_the_primary_unit_counts(shop: None) -> None:
    inventory = ["SKU,Quantity,Unit\n", "OIL,3,liters\n", "OIL,55,milliliters\n", "MUG,1,item\n"]

    found, left_out = await imported(PRODUCTS, inventory)

    assert found == {"counted": 2}
    assert left_out == {oro_inventory.OTHER_UNITS: "1, 55 units (OIL)"}


async def test_an_item_without_a_quantity_in_its_primary_unit_is_not_counted(shop: None) -> None:
    found, left_out = await imported(PRODUCTS, ["SKU,Quantity,Unit\n", "OIL,,liter\n", "OIL,55,milliliter\n"])

    assert found == {}
    assert left_out == {oro_inventory.OTHER_UNITS: "1, 55 units (OIL)"}


async def test_a_unit_that_the_product_does_not_have_is_refused(shop: None) -> None:
    with pytest.raises(Refused) as refused:
        await imported(PRODUCTS, ["SKU,Quantity,Unit\n", "OIL,3,barrels\n"])

    message = "Line 2 of b.csv: Unit is 'barrels'; the products file has: 'liter, milliliter'."
    assert [one.message for one in refused.value.refusals] == [
        message.replace("'liter, milliliter'", "liter, milliliter")
    ]


async def test_the_products_file_comes_first(shop: None) -> None:
    with pytest.raises(Refused) as refused:
        await imported(["SKU,Quantity,Unit\n", "MUG,3,items\n"], PRODUCTS)

    assert [one.message for one in refused.value.refusals] == ["Pass the products file before the inventory file."]


async def test_without_the_products_file_units_are_taken_as_primary_once(shop: None) -> None:
    report = await importing.run(
        "oro-inventory", ["SKU,Quantity,Unit\n", "OIL,3,liters\n", "MUG,2,item\n"], warehouse="BERLIN"
    )

    assert figures(report) == {"counted": 2}
    assert list(importing.remarks(report, RemarkKind.TO_CHECK)) == [oro_inventory.TAKEN_AS_PRIMARY]


async def test_two_units_are_refused_without_the_products_file(shop: None) -> None:
    with pytest.raises(Refused) as refused:
        await imported(["SKU,Quantity,Unit\n", "OIL,3,liters\n", "OIL,55,milliliters\n"])

    assert [one.message for one in refused.value.refusals] == [
        f"Line 3: OIL in BERLIN has 55 here but 3 on line 2. {oro_inventory.HINT}"
    ]


async def test_statuses_are_those_of_products(shop: None) -> None:
    inventory = ["SKU,Inventory Status\n", "MUG,Discontinued\n", "OIL,in stock\n", "OIL,\n", "TEE,Out of Stock\n"]

    found, left_out = await imported(inventory)
    again, _ = await imported(inventory)

    items = await catalog.by_sku(["MUG", "OIL", "TEE"])
    assert (found, left_out, again) == ({"products_changed": 2}, {}, {})
    assert [items[sku].inventory_status for sku in ("MUG", "OIL", "TEE")] == [
        InventoryStatus.DISCONTINUED,
        InventoryStatus.IN_STOCK,
        InventoryStatus.OUT_OF_STOCK,
    ]


async def test_two_statuses_of_one_product_are_refused(shop: None) -> None:
    with pytest.raises(Refused) as refused:
        await imported(["SKU,Inventory Status\n", "MUG,In Stock\n", "MUG,Out of Stock\n"])

    assert [one.message for one in refused.value.refusals] == [
        "Line 3: MUG is OUT_OF_STOCK here but IN_STOCK on line 2."
    ]


async def test_what_does_not_come_over_is_reported(shop: None) -> None:
    inventory = ["SKU,Inventory Status,Quantity\n", "MUG,On order,5\n", "SET,In Stock,2\n", "TEE,In Stock,9\n"]

    found, left_out = await imported(inventory)

    assert found == {"counted": 1}
    assert left_out == {
        oro_products.OTHER_STATUSES: "1 (MUG)",
        import_statuses.UNKNOWN_ITEMS: "1 (SET)",
        import_counts.UNKNOWN_ITEMS: "1, 2 units (SET)",
        import_counts.NOT_COUNTED: "1, 9 units (TEE)",
    }


async def test_a_warehouse_of_the_file_is_made(shop: None) -> None:
    found, _ = await imported(["SKU,Quantity,Warehouse\n", "MUG,5,West Side\n"], warehouse=None)

    assert found == {"warehouses_made": 1, "counted": 1}


async def test_a_corrected_file_changes_what_was_corrected(shop: None) -> None:
    await imported(["SKU,Inventory Status,Quantity\n", "MUG,In Stock,5\n", "OIL,In Stock,4\n"])

    found, _ = await imported(["SKU,Inventory Status,Quantity\n", "MUG,In Stock,6\n", "OIL,Out of Stock,4\n"])

    assert found == {"products_changed": 1, "counted": 1}
