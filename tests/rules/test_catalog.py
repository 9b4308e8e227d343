from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gqlstock.rules import catalog, combinations
from gqlstock.rules.catalog import Image, InventoryTracking, Option, OptionValue
from gqlstock.rules.refusals import Code, Refusal, Refused

LETTERS = st.text("abcÄöß-_ 012/", min_size=1, max_size=12)


def option(name="Size", *values, inventory=True, renamed_from=None):
    return Option(name, tuple(OptionValue(value) for value in values or ("S", "M")), inventory, renamed_from)


def size_and_color():
    """Two options that make combinations, and one that does not."""
    return [
        option("Size", "S", "M"),
        option("Color", "Red", "Blue"),
        option("Engraving", "None", "Name", inventory=False),
    ]


def refusals(rule, *arguments, **named):
    with pytest.raises(Refused) as refused:
        rule(*arguments, **named)
    return refused.value.refusals


def invalid(message, *path):
    return (Refusal(Code.INVALID_INPUT, message, path),)


@pytest.mark.parametrize(
    ("tracking", "expected"),
    [
        pytest.param(InventoryTracking.DO_NOT_TRACK, False, id="nothing-is-counted"),
        pytest.param(InventoryTracking.TRACK_WITHOUT_OPTIONS, False, id="the-product-has-the-quantity"),
        pytest.param(InventoryTracking.TRACK_WITH_OPTIONS, True, id="only-combinations-have-quantities"),
    ],
)
def test_where_the_quantities_lie(tracking, expected):
    assert catalog.counts_combinations(tracking) is expected


def test_only_options_for_inventory_make_combinations():
    made = combinations.every_choice(size_and_color())

    assert made == [
        {"Size": "S", "Color": "Red"},
        {"Size": "S", "Color": "Blue"},
        {"Size": "M", "Color": "Red"},
        {"Size": "M", "Color": "Blue"},
    ]


def test_a_product_without_options_for_inventory_has_no_combinations_to_make():
    found = refusals(combinations.every_choice, [option("Engraving", inventory=False)], "product")

    assert found == invalid("The product has no inventory option; set inventory to true on at least one.", "product")


def numbered(name, count):
    return option(name, *(str(number) for number in range(count)))


def test_two_thousand_combinations_are_made():
    assert len(combinations.every_choice([numbered("Size", 40), numbered("Color", 50)])) == 2_000


def test_over_two_thousand_combinations_are_too_many():
    found = refusals(combinations.every_choice, [numbered("Size", 29), numbered("Color", 69)], "product")

    assert found == (Refusal(Code.TOO_MANY, "At most 2000 combinations per call, 2001 given.", ("product",)),)


@pytest.mark.parametrize(
    ("fixed", "expected"),
    [
        pytest.param(None, 4, id="nothing-chosen-yet"),
        pytest.param({"Size": "S"}, 2, id="the-size-is-chosen"),
        pytest.param({"Engraving": "Name"}, 4, id="a-choice-that-makes-no-combination"),
        pytest.param({"Size": "S", "Color": "Red"}, 1, id="all-is-chosen"),
    ],
)
def test_how_many_choices_are_left(fixed, expected):
    assert catalog.choice_count(size_and_color(), fixed) == expected


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        pytest.param({"Size": "S", "Color": "Red", "Engraving": "Name"}, True, id="everything-chosen"),
        pytest.param({"Size": "S", "Color": "Red"}, True, id="what-makes-no-combination-may-be-open"),
        pytest.param({"Size": "S"}, False, id="the-color-is-open"),
        pytest.param({"Engraving": "Name"}, False, id="only-the-engraving-is-chosen"),
        pytest.param({}, False, id="nothing-chosen"),
    ],
)
def test_a_choice_is_complete_when_every_inventory_option_has_a_value(choice, expected):
    assert catalog.is_complete(choice, size_and_color()) is expected


def test_the_part_of_a_choice_that_makes_a_combination_is_in_the_products_order():
    part = catalog.inventory_part({"Engraving": "Name", "Color": "Red", "Size": "S"}, size_and_color())

    assert list(part.items()) == [("Size", "S"), ("Color", "Red")]


def test_an_open_option_is_no_part_of_a_combination():
    assert catalog.inventory_part({"Color": "Red"}, size_and_color()) == {"Color": "Red"}


def test_a_choice_is_read_by_option_name():
    choice = catalog.check_choice([("Color", "Red"), ("Engraving", "Name")], size_and_color())

    assert choice == {"Color": "Red", "Engraving": "Name"}


@pytest.mark.parametrize(
    ("chosen", "message", "path"),
    [
        pytest.param(
            [("Size", "S"), ("Weight", "1 kg")],
            "The product has no option Weight; its options are: Size, Color, Engraving.",
            ("options", 1, "name"),
            id="an-option-that-the-product-has-not",
        ),
        pytest.param(
            [("Size", "XL")],
            "Size has no value XL; its values are: S, M.",
            ("options", 0, "value"),
            id="a-value-that-the-option-has-not",
        ),
        pytest.param(
            [("Size", "S"), ("Size", "M")],
            "The option Size is chosen twice.",
            ("options", 1, "name"),
            id="two-values-of-one-option",
        ),
    ],
)
def test_a_choice_that_the_product_does_not_have_is_invalid(chosen, message, path):
    assert refusals(catalog.check_choice, chosen, size_and_color(), "options") == invalid(message, *path)


def test_a_refused_choice_names_as_many_options_and_values_as_fit_a_message():
    many = [
        Option(f"Option {number}", tuple(OptionValue(f"Value {one}") for one in range(100))) for number in range(100)
    ]

    option = refusals(catalog.check_choice, [("X", "S")], many)
    value = refusals(catalog.check_choice, [("Option 1", "X")], many)

    listed = ", ".join(f"Option {number}" for number in range(9))[:79]
    assert option == invalid(f"The product has no option X; its options are: {listed}….", 0, "name")
    listed = ", ".join(f"Value {number}" for number in range(9))[:79]
    assert value == invalid(f"Option 1 has no value X; its values are: {listed}….", 0, "value")


def test_a_product_without_options_says_so():
    found = refusals(catalog.check_choice, [("Size", "S")], [])

    assert found == invalid("The product has no option Size; its options are: none.", 0, "name")


def test_the_same_choice_in_another_order_is_the_same_combination():
    one = catalog.digest({"Size": "S", "Color": "Red"})
    other = catalog.digest({"Color": "Red", "Size": "S"})

    assert one == other


@given(st.dictionaries(LETTERS, LETTERS, max_size=3), st.dictionaries(LETTERS, LETTERS, max_size=3))
def test_another_choice_is_another_combination(one, other):
    assume(one != other)

    assert catalog.digest(one) != catalog.digest(other)


@pytest.mark.parametrize(
    ("choice", "taken", "expected"),
    [
        pytest.param({"Size": "S", "Color": "Red"}, [], "TEE-S-RED", id="the-products-sku-and-the-values"),
        pytest.param({"Size": "S"}, ["TEE-M"], "TEE-S", id="anothers-sku-does-not-matter"),
        pytest.param({"Size": "S"}, ["TEE-S"], "TEE-S-2", id="numbered-where-it-is-taken"),
        pytest.param({"Size": "S"}, ["TEE-S", "TEE-S-2"], "TEE-S-3", id="the-next-free-number"),
        pytest.param({"Size": "10 x 15 cm"}, [], "TEE-10X15CM", id="without-spaces"),
        pytest.param({"Size": "größer"}, [], "TEE-GRÖSSER", id="letters-of-any-script"),
        pytest.param({"Mood": "☺"}, [], "TEE-X", id="a-value-without-a-letter"),
    ],
)
def test_a_combinations_sku_is_made_when_not_given(choice, taken, expected):
    assert combinations.sku("TEE", choice, taken) == expected


def test_a_made_sku_is_never_longer_than_a_sku_may_be():
    sku = combinations.sku("T" * 255, {"Size": "S"}, ["T" * 240])

    assert sku == "T" * 240 + "-2"


def test_a_made_sku_is_in_the_one_spelling():
    assert combinations.sku("TEE", {"Letter": "\u0390"}, []) == "TEE-\u03aa\u0301"


def test_a_combination_is_named_after_its_product_and_its_values():
    assert combinations.name("Tee", {"Size": "S", "Color": "Red"}) == "Tee – S / Red"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        pytest.param({"Size": "S", "Color": "Red"}, True, id="a-value-of-each"),
        pytest.param({"Size": "XL", "Color": "Red"}, False, id="a-value-that-was-removed"),
        pytest.param({"Size": "S"}, False, id="an-inventory-option-too-few"),
        pytest.param({"Size": "S", "Color": "Red", "Engraving": "Name"}, False, id="an-option-not-for-inventory"),
        pytest.param({"Size": "S", "Engraving": "Name"}, False, id="one-for-another"),
        pytest.param({}, False, id="nothing-chosen"),
    ],
)
def test_a_combination_fits_while_its_options_have_its_values(choice, expected):
    assert combinations.fits(choice, size_and_color()) is expected


def test_nothing_chosen_is_no_combination_of_a_product_without_inventory_options():
    assert combinations.fits({}, [option("Engraving", inventory=False)]) is False


FRONT, SMALL, RED, OWN = (Image(f"https://shop.test/{name}.jpg") for name in ("front", "small", "red", "own"))


def photographed(name, value, *images, inventory=True):
    """An option with one value, and its pictures."""
    return Option(name, (OptionValue(value, images), OptionValue("another", (FRONT,))), inventory)


@pytest.mark.parametrize(
    ("choice", "own", "expected"),
    [
        pytest.param({"Size": "S", "Color": "Red"}, [OWN], [OWN], id="the-combinations-own"),
        pytest.param({"Size": "S", "Color": "Red"}, [], [SMALL, RED], id="else-those-of-the-chosen-values"),
        pytest.param({"Color": "Red"}, [], [RED], id="of-the-options-chosen-so-far"),
        pytest.param({}, [], [FRONT], id="else-the-products"),
        pytest.param({"Wrapping": "Paper"}, [], [FRONT], id="the-products-where-the-value-has-none"),
    ],
)
def test_a_choice_shows_its_pictures(choice, own, expected):
    options = [
        photographed("Size", "S", SMALL),
        photographed("Color", "Red", RED),
        photographed("Wrapping", "Paper", inventory=False),
    ]

    assert list(catalog.pictures(options, choice, own, [FRONT])) == expected


def value(name, renamed_from=None):
    return OptionValue(name, renamed_from=renamed_from)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param([option("Size", "S", "M")], {"Size": "S"}, id="nothing-renamed"),
        pytest.param([option("Fit", "S", "M", renamed_from="Size")], {"Fit": "S"}, id="the-option"),
        pytest.param([Option("Size", (value("Small", "S"), value("M")))], {"Size": "Small"}, id="the-value"),
        pytest.param([Option("Fit", (value("Small", "S"),), renamed_from="Size")], {"Fit": "Small"}, id="both"),
        pytest.param(
            [Option("Size", (value("S", "M"), value("M", "S")))], {"Size": "M"}, id="two-values-change-places"
        ),
        pytest.param([option("Color", "Red")], {"Size": "S"}, id="an-option-not-mentioned-stays"),
        pytest.param([option("Size", "M")], {"Size": "S"}, id="a-value-not-mentioned-stays"),
    ],
)
def test_a_combination_follows_the_new_names_of_its_options(options, expected):
    assert combinations.renamed({"Size": "S"}, options) == expected


def test_options_may_be_those_of_a_product():
    options = size_and_color()

    assert catalog.options(options) == tuple(options)


def test_option_names_and_values_are_taken_trimmed():
    assert catalog.options([option(" Size ", "S ", " M")]) == (option("Size", "S", "M"),)


@pytest.mark.parametrize(
    ("options", "message", "path"),
    [
        pytest.param(
            [option("Size"), option(" Size")],
            "The option Size occurs twice.",
            (1, "name"),
            id="an-option-twice-but-for-a-space",
        ),
        pytest.param(
            [option("Size"), option(" ", "Red")],
            "The option must not be empty.",
            (1, "name"),
            id="an-option-without-name",
        ),
        pytest.param(
            [Option("Size", ())], "The option Size has no values.", (0, "values"), id="an-option-without-values"
        ),
        pytest.param(
            [option("Size", "S", "")],
            "The option must not be empty.",
            (0, "values", 1, "name"),
            id="a-value-without-name",
        ),
        pytest.param(
            [option("Size", "S", "M", "S")],
            "The value S occurs twice.",
            (0, "values", 2, "name"),
            id="a-value-twice",
        ),
        pytest.param(
            [option("Size"), option("Size")], "The option Size occurs twice.", (1, "name"), id="an-option-twice"
        ),
        pytest.param(
            [option("Size"), replace(option("Color", "Red", "Blue"), existing="Green")],
            "Color has no value Green; its values are: Red, Blue.",
            (1, "existing"),
            id="an-existing-value-that-is-none",
        ),
        pytest.param(
            [replace(option(), existing="")],
            "Size has no value ; its values are: S, M.",
            (0, "existing"),
            id="no-existing-value",
        ),
        pytest.param(
            [option("x" * 101)],
            f"The option {'x' * 79}… has 101 characters; the maximum is 100.",
            (0, "name"),
            id="a-name-too-long",
        ),
    ],
)
def test_options_that_no_product_may_have_are_invalid(options, message, path):
    assert refusals(catalog.options, options, "options") == invalid(message, "options", *path)


@pytest.mark.parametrize(
    ("given_text", "kind", "expected"),
    [
        pytest.param("TEE", "sku", "TEE", id="as-it-is"),
        pytest.param("  TEE \n", "sku", "TEE", id="without-spaces-around-it"),
        pytest.param("T" * 255, "sku", "T" * 255, id="as-long-as-may-be"),
        pytest.param("Soft.\n\tWarm.", "description", "Soft.\n\tWarm.", id="with-lines-and-tabs"),
    ],
)
def test_a_text_is_taken_trimmed(given_text, kind, expected):
    assert catalog.text(given_text, kind) == expected


@pytest.mark.parametrize(
    ("given_text", "kind", "message"),
    [
        pytest.param("", "sku", "The sku must not be empty.", id="nothing"),
        pytest.param("   ", "name", "The name must not be empty.", id="only-spaces"),
        pytest.param("T" * 256, "sku", f"The sku {'T' * 79}… has 256 characters; the maximum is 255.", id="a-long-sku"),
        pytest.param(
            "N" * 501, "name", f"The name {'N' * 79}… has 501 characters; the maximum is 500.", id="a-long-name"
        ),
        pytest.param(
            "B" * 256,
            "carrier",
            f"The carrier {'B' * 79}… has 256 characters; the maximum is 255.",
            id="a-long-text-of-another-kind",
        ),
        pytest.param("TE\x00E", "sku", "The sku contains a control character.", id="a-nul"),
        pytest.param("TE\x1bE", "sku", "The sku contains a control character.", id="an-escape"),
    ],
)
def test_a_text_that_cannot_be_kept_is_invalid(given_text, kind, message):
    assert refusals(catalog.text, given_text, kind, kind) == invalid(message, kind)


def test_half_a_character_that_no_database_can_keep_is_invalid():
    found = refusals(catalog.text, "TE\ud800E", "sku", "sku")

    assert [(refusal.code, refusal.path) for refusal in found] == [(Code.INVALID_INPUT, ("sku",))]


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        pytest.param(None, None, id="nothing"),
        pytest.param("", None, id="the-empty-text"),
        pytest.param("  ", None, id="only-spaces"),
        pytest.param(" 4006381333931 ", "4006381333931", id="a-barcode"),
    ],
)
def test_a_text_that_need_not_be_there_may_be_empty(given_text, expected):
    assert catalog.optional_text(given_text, "barcode") == expected


def test_a_text_that_need_not_be_there_is_held_to_its_length():
    found = refusals(catalog.optional_text, "1" * 256, "barcode", "barcode")

    assert found == invalid(f"The barcode {'1' * 79}… has 256 characters; the maximum is 255.", "barcode")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("Garden tools", "garden-tools", id="two-words"),
        pytest.param("  Tee -- (Red) ", "tee-red", id="marks-become-one-dash"),
        pytest.param("snake_case", "snake-case", id="an-underscore"),
        pytest.param("Größe 10", "größe-10", id="letters-of-any-script"),
        pytest.param("!!!", "", id="nothing-to-make-one-of"),
        pytest.param("a" * 254 + " b", "a" * 254, id="cut-without-a-dash-at-the-end"),
    ],
)
def test_a_slug_is_made_from_a_name(name, expected):
    assert catalog.slug_from(name) == expected


@given(st.text("abzÄÖßİ ié_-.,!/ 0129中文", max_size=300))
def test_a_made_slug_is_a_slug(name):
    made = catalog.slug_from(name)
    assume(made)

    assert catalog.slug(made) == made


@pytest.mark.parametrize("slug", ["tools", "garden-tools", "größe-10", "2024"])
def test_letters_and_digits_joined_by_dashes_are_a_slug(slug):
    assert catalog.slug(f" {slug} ") == slug


@pytest.mark.parametrize(
    "slug",
    [
        pytest.param("garden tools", id="a-space"),
        pytest.param("garden--tools", id="two-dashes"),
        pytest.param("-tools", id="a-dash-in-front"),
        pytest.param("tools-", id="a-dash-at-the-end"),
        pytest.param("garden_tools", id="an-underscore"),
        pytest.param("garden/tools", id="a-slash"),
    ],
)
def test_anything_else_is_no_slug(slug):
    found = refusals(catalog.slug, slug, "slug")

    assert found == invalid(f"{slug} is not a valid slug; use letters and digits, joined by single hyphens.", "slug")
