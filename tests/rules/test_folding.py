import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules.folding import fold, folded


@pytest.mark.parametrize(
    ("text", "looked_for"),
    [
        ("İstanbul", "istanbul"),
        ("IŞIK", "ışık"),
        ("Straße", "STRASSE"),
        ("STRAẞE", "straße"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Ёлка", "ЁЛКА"),
        ("Crème brûlée", "CREME BRULEE"),
        ("ＭＵＧ１２", "mug12"),
        ("Łódź", "lodz"),
        ("caf\u0065\u0301", "CAFÉ"),
        ("ﬁn", "FIN"),
        ("MUG\u200b-1", "mug-1"),
        ("Blue \u00a0 Mug", "blue mug"),
    ],
)
def test_case_accents_and_width_make_no_difference(text: str, looked_for: str) -> None:
    assert fold(looked_for) in fold(text)


@pytest.mark.parametrize(("text", "other"), [("Чашка", "Каша"), ("각", "가"), ("mug", "mag")])
def test_other_letters_stay_other_letters(text: str, other: str) -> None:
    assert fold(other) not in fold(text)


def test_texts_are_folded_to_a_line_each() -> None:
    assert folded("Blue\nMug", None, "", "CODE") == "blue mug\ncode"


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
