"""Counts of a file that leaves open what is counted, and what is said of two counts of one level."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.format import CountFormat, Option
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.import_report import RemarkKind
from gqlstock.rules.import_rows import ItemName, LevelCount
from gqlstock.rules.refusals import Refused
from gqlstock.services import import_counts
from support import importing
from support import shop_builders as make
from support.importing import figures

STRICT = CountFormat(
    help="Counts.",
    columns=(Columns(("sku", "units")),),
    counts=lambda row, _: [LevelCount(row.line, ItemName(row["sku"]), "BERLIN", Decimal(row["units"]))],
    hint="Look at the units.",
    options=frozenset({Option.WAREHOUSE}),
)
LENIENT = replace(STRICT, leaves_out_unknown_items=True)


def file(*rows: str) -> Sequence[str]:
    return ["sku,units\n", *(f"{row}\n" for row in rows)]


@pytest.fixture
async def shop(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.product("EBOOK", tracking=InventoryTracking.DO_NOT_TRACK)
    await make.product("TEE", options={"Size": ["S"]})


async def test_a_lenient_format_leaves_out_what_is_not_counted_there(shop: None) -> None:
    report = await importing.run(LENIENT, file("MUG,3", "EBOOK,2", "TEE,5"))

    assert figures(report) == {"counted": 1}
    assert importing.remarks(report, RemarkKind.NOT_CARRIED) == {import_counts.NOT_COUNTED: "2, 7 units (EBOOK, TEE)"}


async def test_a_lenient_format_does_not_report_zeros_of_what_is_not_counted_there(shop: None) -> None:
    report = await importing.run(LENIENT, file("MUG,3", "TEE,0"))

    assert importing.remarks(report, RemarkKind.NOT_CARRIED) == {}


async def test_a_strict_format_refuses_what_is_not_counted_there(shop: None) -> None:
    with pytest.raises(Refused) as refused:
        await importing.run(STRICT, file("MUG,3", "TEE,5"))

    assert [one.message for one in refused.value.refusals] == [
        "Line 3: TEE is tracked with options; its combinations have the stock."
    ]


async def test_two_counts_of_a_level_are_refused_with_the_hint_of_the_format(shop: None) -> None:
    with pytest.raises(Refused) as refused:
        await importing.run(STRICT, file("MUG,3", "MUG,4"))

    message = "Line 3: MUG in BERLIN has 4 here but 3 on line 2. Look at the units."
    assert [one.message for one in refused.value.refusals] == [message]


async def test_the_warehouse_of_the_command_is_there(shop: None) -> None:
    with pytest.raises(Refused) as refused:
        await importing.run(STRICT, file("MUG,3"), warehouse="PARIS")

    assert refused.value.refusals[0].message.startswith("There is no warehouse PARIS")
