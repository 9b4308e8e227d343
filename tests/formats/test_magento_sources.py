"""Magento's export of sources."""

from decimal import Decimal

import pytest

from gqlstock.formats import magento, magento_sources
from gqlstock.formats.format import Context
from gqlstock.rules.import_report import RemarkKind
from gqlstock.rules.import_rows import ItemName, LevelCount
from gqlstock.rules.refusals import Refused
from support import importing


def counts(*lines: str, context: Context | None = None) -> list[LevelCount]:
    return importing.level_counts("magento-sources", [f"{line}\n" for line in lines], context)


def test_each_row_counts_a_sku_at_a_source() -> None:
    context = Context()

    found = counts("source_code,sku,status,quantity", "eu-1,MUG,1,5.5000", "us,MUG,,3", context=context)

    assert found == [
        LevelCount(2, ItemName("MUG"), "eu-1", Decimal("5.5")),
        LevelCount(3, ItemName("MUG"), "us", Decimal(3)),
    ]
    assert importing.remarks(context.report, RemarkKind.TO_CHECK) == {magento.QUANTITIES: "1"}


def test_a_file_without_a_status_counts_every_row() -> None:
    assert counts("source_code,sku,quantity", "eu,MUG, -2.0000") == [LevelCount(2, ItemName("MUG"), "eu", Decimal(-2))]


def test_units_that_magento_does_not_sell_are_not_counted_and_reported() -> None:
    context = Context()

    assert counts("source_code,sku,status,quantity", "eu,MUG,0,10.0000", "us,CUP,0,2", context=context) == []
    assert importing.remarks(context.report, RemarkKind.NOT_CARRIED) == {
        magento_sources.NOT_SOLD: "2, 12 units (MUG, CUP)"
    }


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (",MUG,1,5", "Line 2: The source_code is missing."),
        ("eu,,1,5", "Line 2: The sku is missing."),
        ("eu,MUG,1,", "Line 2: The quantity is missing."),
        ("eu,MUG,1,few", "Line 2: quantity 'few' is not a quantity."),
        ("eu,MUG,on,5", "Line 2: status is 'on'; expected 1 or 0."),
    ],
)
def test_what_is_wrong_is_told_by_its_line(row: str, told: str) -> None:
    with pytest.raises(Refused) as caught:
        counts("source_code,sku,status,quantity", row)

    assert str(caught.value) == told
