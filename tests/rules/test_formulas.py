import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import formulas


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("https://evil.example")', '\'=HYPERLINK("https://evil.example")'),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("'=1", "''=1"),
    ],
)
def test_a_text_that_a_spreadsheet_would_run_stands_behind_an_apostrophe(text, cell):
    assert formulas.guard(text) == cell
    assert formulas.unguard(cell) == text


@pytest.mark.parametrize("text", ["MUG", "A=1", "5", "'Tis", "", "'"])
def test_any_other_text_stays_as_it_is(text):
    assert formulas.guard(text) == formulas.unguard(text) == text


@given(st.text(alphabet="'=+-@\t\r\nA1 ", max_size=6))
def test_what_was_written_is_what_is_read(text):
    assert formulas.unguard(formulas.guard(text)) == text
