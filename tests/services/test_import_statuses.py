"""Statuses of products that come with counts."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import CountFormat
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.import_report import RemarkKind
from gqlstock.rules.import_rows import ItemName, ItemStatus, LevelCount
from gqlstock.rules.refusals import Refused
from gqlstock.store import catalog
from support import importing
from support import shop_builders as make
from support.importing import figures

STRICT = CountFormat(
    help="Counts and statuses.",
    columns=(Columns(("sku", "status", "units")),),
    counts=lambda row, _: (
        [LevelCount(row.line, ItemName(row["sku"]), "BERLIN", Decimal(row["units"]))] if row["units"] else []
    ),
    status=lambda row, _: (
        ItemStatus(row.line, ItemName(row["sku"]), InventoryStatus(row["status"])) if row["status"] else None
    ),
)
LENIENT = CountFormat(
    help="Counts and statuses.",
    columns=STRICT.columns,
    counts=STRICT.counts,
    status=STRICT.status,
    leaves_out_unknown_items=True,
)


def file(*rows: str) -> Sequence[str]:
    return ["sku,status,units\n", *(f"{row}\n" for row in rows)]


@pytest.fixture
async def shop(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.product("CUP", inventory_status=InventoryStatus.DISCONTINUED)
    await make.product("TEE", options={"Size": ["S"]})


async def status(sku: str) -> InventoryStatus:
    return (await catalog.by_sku([sku]))[sku].inventory_status


async def test_statuses_that_differ_are_set(shop: None) -> None:
    given = file("MUG,OUT_OF_STOCK,3", "CUP,DISCONTINUED,", "TEE,,")

    foretold = await importing.run(STRICT, given, dry=True)
    before = await status("MUG")
    done = await importing.run(STRICT, given)
    again = await importing.run(STRICT, given)

    assert figures(foretold) == figures(done) == {"products_changed": 1, "counted": 1}
    assert figures(again) == {}
    assert (before, await status("MUG"), await status("CUP")) == (
        InventoryStatus.IN_STOCK,
        InventoryStatus.OUT_OF_STOCK,
        InventoryStatus.DISCONTINUED,
    )


async def test_statuses_of_combinations_and_of_what_is_not_there_are_reported(shop: None) -> None:
    done = await importing.run(LENIENT, file("TEE-S,OUT_OF_STOCK,2", "NONE,OUT_OF_STOCK,4"))

    assert await status("TEE-S") is InventoryStatus.IN_STOCK
    assert importing.remarks(done, RemarkKind.NOT_CARRIED) == {
        "statuses of combinations, which share their product's status": "1 (TEE-S)",
        "statuses of unknown items": "1 (NONE)",
        "counts of unknown items": "1, 4 units (NONE)",
    }


async def test_two_statuses_of_one_product_are_refused(shop: None) -> None:
    with pytest.raises(Refused) as error:
        await importing.run(STRICT, file("MUG,OUT_OF_STOCK,3", "MUG,IN_STOCK,3"))

    assert str(error.value) == "Line 3: MUG is IN_STOCK here but OUT_OF_STOCK on line 2."
    assert await status("MUG") is InventoryStatus.IN_STOCK


@pytest.mark.parametrize("units", ["", "3"])
async def test_an_unknown_item_is_refused_once(shop: None, units: str) -> None:
    with pytest.raises(Refused) as error:
        await importing.run(STRICT, file(f"NONE,OUT_OF_STOCK,{units}"))

    assert str(error.value) == "Line 2: There is no item NONE."
