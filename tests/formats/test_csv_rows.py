"""Cells of CSV: what a spreadsheet would run is guarded, numbers are not, and everything can be read back."""

import csv
import io

from gqlstock.formats import csv_rows


def test_texts_are_guarded_and_numbers_are_not() -> None:
    written = csv_rows.encoded([("=1+1", -5, 2.5, None, True, False)])

    assert written == b"'=1+1,-5,2.5,,true,false\n"


def test_lists_are_written_as_json_and_empty_ones_as_nothing() -> None:
    rows = list(csv.reader(io.StringIO(csv_rows.encoded([([{"url": "x"}], [])]).decode())))

    assert rows == [['[{"url":"x"}]', ""]]


def test_half_of_a_surrogate_pair_stops_no_file() -> None:
    assert csv_rows.encoded([("a\ud800", "ü")]) == "a\\ud800,ü\n".encode()
