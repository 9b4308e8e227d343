"""Texts of CS-Cart that hold options, features and combinations."""

import pytest

from gqlstock.formats import cs_cart_options
from gqlstock.formats.cs_cart_options import Described
from gqlstock.rules.catalog import Option, OptionValue
from gqlstock.rules.refusals import Refused


def option(name: str, *values: str, inventory: bool = True) -> Option:
    return Option(name, tuple(map(OptionValue, values)), inventory)


def options(text: str, *, tracked: bool = False) -> tuple[Option, ...]:
    return cs_cart_options.options_of(cs_cart_options.described(text), tracked=tracked)


def test_options_stand_behind_each_other_with_what_is_said_of_them() -> None:
    text = (
        "(Simtech) Color: S[Red,Blue///modifier=2.000///modifier_type=A]///inventory=Y///required=Y///status=A; "
        "(Simtech) Size: R[S,M]///inventory=N///status=D; (Simtech) Engraving: I///required=N///status=A"
    )

    assert cs_cart_options.described(text) == [
        Described("Color", ("Red", "Blue"), selected=True, inventory=True, disabled=False),
        Described("Size", ("S", "M"), selected=True, inventory=False, disabled=True),
        Described("Engraving", (), selected=False, inventory=None, disabled=False),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Wrapping: SG[None,Paper\\\\, recycled]///required=N",
            option("Wrapping", "None", "Paper, recycled", inventory=False),
        ),
        ("Wrapping: S[Paper\\, recycled]", option("Wrapping", "Paper, recycled", inventory=False)),
        ("{698}Size: S[{2894}7.5 M,{2895}8 M///modifier=1]", option("Size", "7.5 M", "8 M", inventory=False)),
        ("Gift: C[Yes,No]///inventory=Y", option("Gift", "Yes", "No")),
        ("Cut: EU: S[36,38]///inventory=Y", option("Cut: EU", "36", "38")),
        ("Set: S[Pen; ink,Pen]///inventory=Y;", option("Set", "Pen; ink", "Pen")),
        ("Color: S[Red,Red]", option("Color", "Red", inventory=False)),
    ],
)
def test_an_option_is_read(text: str, found: Option) -> None:
    assert options(text) == (found,)


def test_options_of_older_files_are_for_inventory_where_the_product_is_counted_by_options() -> None:
    text = "{1}Size: S[{2}S,{3}M]; {4}Color: S[{5}Red]"

    assert [one.inventory for one in options(text, tracked=True)] == [True, True]
    assert [one.inventory for one in options(text)] == [False, False]


def test_options_that_are_not_said_to_be_for_inventory_are_not_where_others_are() -> None:
    found = options("Size: S[S,M]///inventory=Y; Wrapping: S[None]", tracked=True)

    assert [one.inventory for one in found] == [True, False]


@pytest.mark.parametrize("text", ["", "Engraving: I///required=N", "Color: S[Red]///status=D"])
def test_what_cannot_be_chosen_is_no_option(text: str) -> None:
    assert options(text) == ()


def test_a_text_without_options_is_refused() -> None:
    with pytest.raises(Refused, match="'red or blue' is not an option; expected a text such as Color: S"):
        cs_cart_options.described("red or blue")


KNOWN = (
    option("Color", "Red", "Red, dark", "Blue"),
    option("Size", "S", "M"),
    option("Wrapping", "None", inventory=False),
)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("Color: Red, Size: S", (("Color", "Red"), ("Size", "S"))),
        ("Size: M, Color: Blue", (("Color", "Blue"), ("Size", "M"))),
        ("Color: Red, dark, Size: S", (("Color", "Red, dark"), ("Size", "S"))),
        ("Color:Red,Size:S", (("Color", "Red"), ("Size", "S"))),
    ],
)
def test_a_combination_is_read_by_the_options_of_its_product(text: str, choice: tuple[tuple[str, str], ...]) -> None:
    assert cs_cart_options.choice_of(text, KNOWN) == choice


@pytest.mark.parametrize("text", ["Color: Green, Size: S", "Color: Red", "Color: Red, Size: S, Wrapping: None", ""])
def test_a_combination_that_the_product_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"is not a combination of: Color: Red, Red, dark, Blue; Size: S, M\."):
        cs_cart_options.choice_of(text, KNOWN)


def test_a_combination_that_can_be_read_in_two_ways_is_refused() -> None:
    known = (option("A", "x", "x, B: y"), option("B", "y", "y, B: y"))

    with pytest.raises(Refused, match="is ambiguous as a combination"):
        cs_cart_options.choice_of("A: x, B: y, B: y", known)


def test_a_combination_is_read_without_the_options_of_its_product() -> None:
    assert cs_cart_options.pairs_of("Color: Red, Size: M") == (("Color", "Red"), ("Size", "M"))
    with pytest.raises(Refused, match="is not a choice; expected a text such as Color: Red, Size: M"):
        cs_cart_options.pairs_of("Red, M")
