"""Shopify's inventory export, in its present and its older form."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from gqlstock.formats.format import Context
from gqlstock.rules.import_report import RemarkKind
from gqlstock.rules.import_rows import ItemName, LevelCount
from gqlstock.rules.refusals import Refused
from support import importing

HEAD = (
    "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value,SKU,HS Code,COO,"
    "Location,Bin name,Incoming (not editable),Unavailable (not editable),Committed (not editable),"
    "Available (not editable),On hand (current),On hand (new)\n"
)
SMALL = ItemName("TEE-S", "tee", (("Size", "S"),))


def row(
    *,
    location: str = "Berlin",
    incoming: str = "0",
    unavailable: str = "0",
    committed: str = "0",
    available: str = "0",
    current: str = "",
    new: str = "",
) -> str:
    return (
        f"tee,Tee,Size,S,,,,,TEE-S,,DE,{location},A1,{incoming},{unavailable},{committed},{available},{current},{new}\n"
    )


def counts(lines: Sequence[str], context: Context | None = None) -> list[LevelCount]:
    return importing.level_counts("shopify-inventory", lines, context)


def test_what_is_on_hand_is_counted_at_each_location() -> None:
    found = counts([HEAD, row(current="7", available="5", committed="2"), row(location="Paris", current="-3")])

    assert found == [
        LevelCount(2, SMALL, "Berlin", Decimal(7)),
        LevelCount(3, SMALL, "Paris", Decimal(-3)),
    ]


def test_a_number_that_was_entered_for_shopify_counts_instead_of_the_current_one() -> None:
    assert [count.on_hand for count in counts([HEAD, row(current="7", new="9")])] == [9]


@pytest.mark.parametrize("cell", ["not stocked", "Not stocked", ""])
def test_what_is_not_stocked_at_a_location_is_not_counted_there(cell: str) -> None:
    assert counts([HEAD, row(available=cell, current=cell, new=cell)]) == []


def test_without_on_hand_it_is_the_sum_of_its_parts() -> None:
    head = "Handle,SKU,Location,Available,Committed,Unavailable\n"

    assert [count.on_hand for count in counts([head, "mug,MUG,Berlin,5,2,1\n", "cup,CUP,Berlin,5,,\n"])] == [8, 5]


def test_available_alone_is_counted_and_that_is_told() -> None:
    context = Context()

    found = counts(["Handle,SKU,Location,Available\n", "mug,MUG,Berlin,5\n"], context)

    assert [count.on_hand for count in found] == [5]
    assert importing.remarks(context.report, RemarkKind.TO_CHECK) == {
        "the file has only available units: committed and unavailable units are not counted": "1"
    }


def test_older_files_have_a_column_for_each_location() -> None:
    context = Context()
    head = "Handle,Title,Option1 Name,Option1 Value,SKU,HS Code,COO,Berlin,Rue 5\n"

    found = counts([head, "tee,Tee,Size,S,TEE-S,,,4,not stocked\n", "mug,Mug,Title,Default Title,MUG,,,0,2\n"], context)

    assert found == [
        LevelCount(2, SMALL, "Berlin", Decimal(4)),
        LevelCount(3, ItemName("MUG", "mug"), "Berlin", Decimal(0)),
        LevelCount(3, ItemName("MUG", "mug"), "Rue 5", Decimal(2)),
    ]
    assert list(importing.remarks(context.report, RemarkKind.TO_CHECK)) == [
        "the file has only available units: committed and unavailable units are not counted"
    ]


def test_units_that_need_a_person_are_summed_up() -> None:
    context = Context()

    counts(
        [HEAD, row(current="9", committed="2", unavailable="3", incoming="4"), row(current="1", committed="5")], context
    )

    assert importing.remarks(context.report, RemarkKind.TO_CHECK) == {
        "units committed to open orders of the old shop, which are not imported: ship them there": (
            "2, 7 units (TEE-S, …)"
        ),
        "units unavailable in the old shop (damaged, set aside), counted as on hand": "1, 3 units (TEE-S)",
    }
    assert importing.remarks(context.report, RemarkKind.NOT_CARRIED) == {
        "incoming units: announce them": "1, 4 units (TEE-S)"
    }


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([HEAD, row(current="many")], "Line 2: On hand 'many' is not a quantity."),
        ([HEAD, row(location="", current="1")], "Line 2: The Location is missing."),
        (["Handle,SKU,Location,Available\n", ",MUG,Berlin,5\n"], "Line 2: The Handle is missing."),
        (["Handle,SKU\n", "mug,MUG\n"], "Line 2: The file has neither a column Location nor location columns."),
        (["SKU,Title\n"], "The header has no column Handle"),
    ],
)
def test_what_is_wrong_is_told(lines: list[str], told: str) -> None:
    with pytest.raises(Refused) as error:
        counts(lines)

    assert str(error.value).startswith(told)
