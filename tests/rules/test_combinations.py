"""Which combinations stay when a product's options change, and with which choice."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import catalog, combinations
from gqlstock.rules.catalog import Item, Option, OptionValue, new_product
from gqlstock.rules.refusals import Code, Refusal, Refused

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
PRODUCT = replace(new_product("SHIRT", "Shirt", NOON), id=1)


def option(name: str, *values: str, existing: str | None = None, **more: object) -> Option:
    return replace(Option(name, tuple(OptionValue(value) for value in values)), existing=existing, **more)  # type: ignore[arg-type]


def members(*choices: dict[str, str]) -> list[Item]:
    """Combinations with the ids 2, 3 …, and SKUs made from their values."""
    made = []
    for number, choice in enumerate(choices, start=2):
        sku = combinations.sku("SHIRT", choice, ())
        made.append(replace(combinations.new(PRODUCT, choice, sku, NOON), id=number))
    return made


SMALL, MEDIUM = {"Size": "S"}, {"Size": "M"}
SMALL_RED, SMALL_BLUE, MEDIUM_RED = (
    {"Size": size, "Color": color} for size, color in (("S", "Red"), ("S", "Blue"), ("M", "Red"))
)
SIZE, COLOR, FIT = option("Size", "S", "M"), option("Color", "Red", "Blue"), option("Fit", "Slim", "Wide")
EXISTING_RED = replace(COLOR, existing="Red")


@pytest.mark.parametrize(
    ("before", "options", "staying"),
    [
        pytest.param([SMALL, MEDIUM], [SIZE], {2: SMALL, 3: MEDIUM}, id="nothing-changed"),
        pytest.param([SMALL, MEDIUM], [SIZE, EXISTING_RED], {2: SMALL_RED, 3: MEDIUM_RED}, id="a-new-option"),
        pytest.param(
            [SMALL],
            [EXISTING_RED, SIZE, replace(FIT, existing="Wide")],
            {2: {"Color": "Red", "Size": "S", "Fit": "Wide"}},
            id="two-new-options",
        ),
        pytest.param(
            [SMALL], [SIZE, replace(EXISTING_RED, inventory=False)], {2: SMALL}, id="a-new-one-without-combinations"
        ),
        pytest.param(
            [SMALL_BLUE, MEDIUM_RED],
            [SIZE, EXISTING_RED],
            {2: SMALL_BLUE, 3: MEDIUM_RED},
            id="existing-of-an-old-option",
        ),
        pytest.param(
            [SMALL],
            [option("Fit", "S", renamed_from="Size"), EXISTING_RED],
            {2: {"Fit": "S", "Color": "Red"}},
            id="a-new-one-beside-a-new-name",
        ),
        pytest.param(
            [SMALL],
            [option("Fit", "S", renamed_from="Size"), option("Size", "L", "M", existing="L")],
            {2: {"Fit": "S", "Size": "L"}},
            id="a-new-one-by-the-name-that-another-had",
        ),
        pytest.param(
            [SMALL_RED, MEDIUM_RED], [SIZE], {2: SMALL, 3: MEDIUM}, id="an-option-removed-that-told-none-apart"
        ),
        pytest.param(
            [SMALL_RED, MEDIUM_RED],
            [SIZE, replace(COLOR, inventory=False)],
            {2: SMALL, 3: MEDIUM},
            id="an-option-not-for-inventory-now",
        ),
        pytest.param([SMALL_RED, SMALL_BLUE, MEDIUM_RED], [SIZE], {4: MEDIUM}, id="two-that-would-be-the-same"),
        pytest.param([SMALL, MEDIUM], [EXISTING_RED], {}, id="one-option-for-another"),
        pytest.param([SMALL], [EXISTING_RED], {2: {"Color": "Red"}}, id="one-option-for-another-of-one-combination"),
        pytest.param([SMALL], [], {}, id="no-option-left"),
        pytest.param([SMALL, MEDIUM], [option("Size", "M"), EXISTING_RED], {3: MEDIUM_RED}, id="a-value-gone-as-well"),
        pytest.param([SMALL], [SIZE, COLOR], {}, id="a-new-option-that-names-no-value"),
    ],
)
def test_combinations_stay_with_their_value_of_each_option(before, options, staying):
    stay, unfit = combinations.following(members(*before), options)

    assert {member.id: choice for member, choice in stay} == staying
    # In the order of the options, in which names and SKUs are made.
    assert all(list(choice) == [one.name for one in options if one.inventory] for _, choice in stay)
    assert [member.id for member in unfit] == [number for number in range(2, 2 + len(before)) if number not in staying]


def test_a_renamed_combination_wins_over_one_that_had_the_choice_before():
    renamed = Option("Size", (OptionValue("M", renamed_from="S"),))

    stay, unfit = combinations.following(members(SMALL, MEDIUM), [renamed])

    assert [(member.id, choice) for member, choice in stay] == [(2, MEDIUM)]
    assert [member.id for member in unfit] == [3]


def test_an_import_names_the_values_of_each_combination_by_its_sku():
    named = {"SHIRT-S": SMALL_BLUE, "SHIRT-M": MEDIUM_RED, "OTHER": SMALL_RED}

    stay, unfit = combinations.following(
        members(SMALL, MEDIUM, {"Size": "L"}), [option("Size", "S", "M", "L"), COLOR], named
    )

    assert [(member.sku, choice) for member, choice in stay] == [("SHIRT-S", SMALL_BLUE), ("SHIRT-M", MEDIUM_RED)]
    assert [member.sku for member in unfit] == ["SHIRT-L"]


def test_an_import_does_not_move_a_sku_to_another_value_of_an_option_that_is_known():
    stay, _ = combinations.following(members(SMALL), [SIZE, COLOR], {"SHIRT-S": MEDIUM_RED})

    assert [choice for _, choice in stay] == [SMALL_RED]


@given(
    st.lists(
        st.fixed_dictionaries({"Size": st.sampled_from("SM"), "Color": st.sampled_from(["Red", "Blue"])}),
        unique_by=catalog.digest,
        min_size=1,
    ),
    st.lists(
        st.sampled_from([SIZE, replace(SIZE, inventory=False), EXISTING_RED, replace(FIT, existing="Slim")]),
        unique=True,
    ),
)
def test_no_two_combinations_that_stay_are_the_same_and_each_fits(choices, options):
    options = list({one.name: one for one in options}.values())
    stay, unfit = combinations.following(members(*choices), options)

    assert len({catalog.digest(choice) for _, choice in stay}) == len(stay)
    assert all(combinations.fits(choice, options) for _, choice in stay)
    assert len(stay) + len(unfit) == len(choices)


def refusals(before, options):
    with pytest.raises(Refused) as refused:
        combinations.check_existing(members(*before), options, "options")
    return refused.value.refusals


def test_a_new_inventory_option_of_a_product_with_combinations_names_the_value_that_these_take():
    message = "Color is new to the product's combinations; set existing to the value that they take, one of: Red, Blue."

    assert refusals([SMALL], [SIZE, COLOR]) == (Refusal(Code.INVALID_INPUT, message, ("options", 1, "existing")),)


def test_each_of_several_new_options_names_a_value():
    (refused,) = refusals([SMALL], [EXISTING_RED, SIZE, FIT])

    assert refused.path == ("options", 2, "existing")


def test_an_option_that_becomes_one_for_inventory_is_new_to_the_combinations():
    (refused,) = refusals([SMALL], [COLOR, SIZE])

    assert refused.path == ("options", 0, "existing")


@pytest.mark.parametrize(
    ("before", "options"),
    [
        pytest.param([SMALL], [SIZE, EXISTING_RED], id="the-value-is-named"),
        pytest.param([SMALL], [SIZE, replace(COLOR, inventory=False)], id="an-option-without-combinations"),
        pytest.param([], [SIZE, COLOR], id="no-combination"),
        pytest.param([SMALL_RED], [COLOR, SIZE], id="another-order"),
        pytest.param([SMALL], [option("Fit", "S", renamed_from="Size")], id="a-new-name"),
        pytest.param([SMALL_RED], [SIZE], id="an-option-less"),
    ],
)
def test_otherwise_none_is_needed(before, options):
    combinations.check_existing(members(*before), options, "options")
