"""Files as spreadsheets and other systems write them."""

import io
import re
from decimal import Decimal

import pytest

from gqlstock.formats import csv_dialect
from gqlstock.formats.csv_dialect import Columns
from gqlstock.rules.import_rows import Faults
from gqlstock.rules.refusals import Refused

COLUMNS = Columns(("sku", "on_hand"), {"lager": "on_hand"}, ("on_hand",))


def read(text: str) -> list[dict[str, str]]:
    faults = Faults()
    rows = [row.cells for row in csv_dialect.read(text.splitlines(keepends=True), [COLUMNS], faults).rows]
    faults.check()
    return rows


def refused(text: str) -> list[str]:
    with pytest.raises(Refused) as error:
        read(text)
    return [refusal.message for refusal in error.value.refusals]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_found_by_the_header(delimiter: str) -> None:
    assert read("sku:name:on_hand\nMUG:Blue:5\n".replace(":", delimiter)) == [
        {"sku": "MUG", "name": "Blue", "on_hand": "5"}
    ]


def test_a_separator_inside_of_the_header_does_not_mislead() -> None:
    assert read('sku;"a,b,c";on_hand\nMUG;x,y;5\n') == [{"sku": "MUG", "a,b,c": "x,y", "on_hand": "5"}]


def test_a_spreadsheets_own_word_for_the_separator_is_passed_over_and_lines_stay_right() -> None:
    assert read("sep=;\nsku;on_hand\nMUG;5\n") == [{"sku": "MUG", "on_hand": "5"}]
    assert refused("sep=;\nsku;on_hand\nMUG;5;6\n") == ["Line 3: The row has 3 values, but there are 2 columns."]


@pytest.mark.parametrize(("cell", "read_as"), [("1,5", "1.5"), ("-0,25", "-0.25"), ("7", "7"), ("1.5", "1.5")])
def test_with_a_semicolon_a_decimal_comma_is_read(cell: str, read_as: str) -> None:
    assert read(f"sku;on_hand\n1,5;{cell}\n") == [{"sku": "1,5", "on_hand": read_as}]


def test_with_a_tab_a_comma_is_no_decimal_comma() -> None:
    (row,) = csv_dialect.read(["sku\ton_hand\n", "MUG\t1,5\n"], [COLUMNS], Faults()).rows

    with pytest.raises(Refused):
        csv_dialect.quantity(row, "on_hand")


def test_a_quantity_is_exact() -> None:
    (row,) = csv_dialect.read(["sku;on_hand\n", "MUG;0,1\n"], [COLUMNS], Faults()).rows

    assert csv_dialect.quantity(row, "on_hand") == Decimal("0.1")


@pytest.mark.parametrize(
    ("cell", "read_as"),
    [
        ("'=SUM", "=SUM"),
        ("'-5", "-5"),
        ("'+49", "+49"),
        ("'@mug", "@mug"),
        (" -5", "-5"),
        ("'s-Gravenhage", "'s-Gravenhage"),
        ("''=x", "'=x"),
        ("it's -1", "it's -1"),
        ("'", "'"),
    ],
)
def test_guards_against_formulas_are_taken_off(cell: str, read_as: str) -> None:
    assert read(f"sku,on_hand\n{cell},1\n") == [{"sku": read_as, "on_hand": "1"}]


def test_columns_are_known_whatever_their_case_and_by_other_names() -> None:
    assert read("SKU,Lager,Farbe\nMUG,5,blau\n") == [{"sku": "MUG", "on_hand": "5", "Farbe": "blau"}]


def test_a_row_that_is_too_short_has_empty_cells() -> None:
    assert read("sku,on_hand,name\nMUG\n") == [{"sku": "MUG", "on_hand": "", "name": ""}]


def test_a_nul_character_is_told_by_its_line() -> None:
    assert refused("sku,on_hand\nMUG,1\nM\x00UG,1\n") == ["Line 3: The row contains a NUL character."]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "The file is empty. Its first line must name the columns, including sku, on_hand."),
        (
            "sku;menge\n",
            ('The header has no column on_hand; it has: sku, menge. If it has another name: --column "NAME=on_hand".'),
        ),
        ("sku;on_hand;Lager\n", "The header has the column on_hand more than once."),
    ],
)
def test_a_header_that_is_wrong_is_refused(text: str, told: str) -> None:
    assert refused(text) == [told]


TEXT = "sku;on_hand\r\nGröße;1\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_the_encoding_of_a_file_is_found(encoding: str) -> None:
    assert "".join(csv_dialect.lines(io.BytesIO(TEXT.encode(encoding)))) == TEXT


def test_a_letter_across_two_parts_of_a_large_file_is_no_fault() -> None:
    text = "x" * 999_999 + "é" + "\n"

    assert list(csv_dialect.lines(io.BytesIO(text.encode()))) == [text]


def test_utf_8_with_a_damaged_character_is_not_taken_for_windows_1252() -> None:
    data = "sku\nGröße\nM".encode() + b"\xfc" + b"tze\n"

    with pytest.raises(Refused) as error:
        list(csv_dialect.lines(io.BytesIO(data)))

    assert str(error.value) == ("Line 3: the file is UTF-8 but contains a damaged character. Save it as UTF-8 again.")


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(Refused) as error:
        list(csv_dialect.lines(io.BytesIO(b"sku\n\x81\x8d\n")))

    assert str(error.value) == (
        "The file is not UTF-8, UTF-16 or Windows-1252. Save it as UTF-8, or name its encoding with --encoding."
    )


def test_an_encoding_that_is_named_is_used() -> None:
    data = "sku;on_hand\nGröße €;1\n".encode("iso-8859-15")

    assert "".join(csv_dialect.lines(io.BytesIO(data), "iso-8859-15")) == "sku;on_hand\nGröße €;1\n"


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("klingon", "'klingon' is not a known encoding; use for example utf-8, cp1252, iso-8859-15 or utf-16."),
        ("base64", "'base64' is not a known encoding; use for example utf-8, cp1252, iso-8859-15 or utf-16."),
        ("utf-8", "The file is not in the encoding utf-8."),
    ],
)
def test_an_encoding_that_does_not_read_the_file_is_refused(encoding: str, told: str) -> None:
    with pytest.raises(Refused) as error:
        list(csv_dialect.lines(io.BytesIO("Größe".encode("cp1252")), encoding))

    assert str(error.value) == told


def test_a_column_is_read_under_the_name_that_it_is_given() -> None:
    text = ["Artikel;Bestand\n", "MUG;1,5\n"]

    table = csv_dialect.read(text, [COLUMNS], Faults(), renamed={"artikel": "SKU", "Bestand": "on_hand"})

    assert [row.cells for row in table.rows] == [{"sku": "MUG", "on_hand": "1.5"}]


def test_the_layout_is_the_one_whose_required_columns_are_all_there() -> None:
    by_place = Columns(("sku", "place", "on_hand"))

    assert csv_dialect.read(["sku,on_hand,a\n"], [by_place, COLUMNS], Faults()).columns is COLUMNS
    assert csv_dialect.read(["sku,on_hand,place\n"], [COLUMNS, by_place], Faults()).columns is by_place
    assert csv_dialect.read(["sku,on_hand,place\n"], [by_place, COLUMNS], Faults()).columns is by_place


def test_columns_that_nobody_looks_for_are_known() -> None:
    columns = Columns(("sku",), optional=("Name",), families=re.compile(r"attribute \d+ name"))

    table = csv_dialect.read(["sku,NAME,Attribute 1 name,Price,\n"], [columns], Faults())

    assert columns.unknown(table.names) == ["Price"]


def test_quotes_behind_backslashes_are_read_in_files_that_have_them() -> None:
    columns = Columns(("sku", "json"), backslash_quotes=True)
    older = ["sku,json\n", r'A,"{\"a\":\"b\",\"c\":\"d\"}"' + "\n", r'B,"say \"hi\""' + "\n", r'C,"12"" wide"' + "\n"]
    newer = ["sku,json\n", r'A,"say \""hi\"""' + "\n", 'B,"C:\\",\n'.replace(",\n", "\n"), r'C,"12"" wide"' + "\n"]

    assert [row["json"] for row in csv_dialect.read(older, [columns], Faults()).rows] == [
        r"{\"a\":\"b\",\"c\":\"d\"}",
        r"say \"hi\"",
        '12" wide',
    ]
    assert [row["json"] for row in csv_dialect.read(newer, [columns], Faults()).rows] == [
        r"say \"hi\"",
        "C:\\",
        '12" wide',
    ]


def test_the_lines_of_a_further_file_go_on_from_where_they_are_told() -> None:
    faults = Faults()

    table = csv_dialect.read(["sku,on_hand\n", "MUG,1\n", "MUG,1,2\n"], [COLUMNS], faults, first_line=1_000)

    assert [row.line for row in table.rows] == [1_002]
    assert [fault.path for fault in faults.reported] == [("line", 1_003)]
