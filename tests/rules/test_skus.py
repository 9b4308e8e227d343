import pytest

from gqlstock.rules import skus
from gqlstock.rules.refusals import Refused

SPELLINGS = ["CAFÉ", " CAFÉ\t", "CAFE\u0301", "\ufeffCAFÉ", "CA\u200bFÉ\u200d", "\u2060 CAFÉ \u200b"]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_every_spelling_of_a_sku_is_one(spelled: str) -> None:
    assert skus.normalized(spelled) == "CAFÉ"


@pytest.mark.parametrize("other", ["café", "CAFE", "CA FÉ", "ＣAFÉ"])
def test_what_looks_different_stays_different(other: str) -> None:
    assert skus.normalized(other) == other


@pytest.mark.parametrize("nothing", ["", "  ", "\u200b", "\ufeff \u2060"])
def test_nothing_that_can_be_seen_is_no_sku(nothing: str) -> None:
    with pytest.raises(Refused) as error:
        skus.checked(nothing, "sku")

    assert [one.path for one in error.value.refusals] == [("sku",)]
