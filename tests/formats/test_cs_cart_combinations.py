"""What rows of CS-Cart's export of combinations say, with its products file."""

from decimal import Decimal

import pytest

from gqlstock.formats import cs_cart, cs_cart_combinations
from gqlstock.formats.format import Context
from gqlstock.formats.records import Counted, Product
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.import_report import RemarkKind
from gqlstock.rules.refusals import Refused
from support import importing
from support import shop_builders as make
from support.importing import figures

OPTIONS = "Color: S[Red,Blue]///inventory=Y; Size: S[S,M]///inventory=Y; Wrapping: S[None]"
PRODUCTS = [
    "Product code;Language;Product id;Inventory tracking;Quantity;Options;Product name\n",
    f'"TEE";"en";"12";"O";"7";"{OPTIONS}";"T-shirt"\n',
    '"TEE";"de";"12";"O";"7";"Farbe: S[Rot,Blau]///inventory=Y";"T-Shirt"\n',
    '"MUG";"en";"13";"B";"5";"";"Mug"\n',
]
HEADER = "Product ID;Language;Product name;Combination code;Combination;Amount;Thumbnail;Detailed image\n"


def combination(text: str, amount: str = "3", code: str = "", number: str = "12", language: str = "en") -> str:
    return f'"{number}";"{language}";"T-shirt";"{code}";"{text}";"{amount}";"";""\n'


def parsed(*rows: str, products: list[str] = PRODUCTS, context: Context | None = None) -> list[Product]:
    return importing.parsed("cs-cart-combinations", products, context, [[HEADER, *rows]])


def refusal(*rows: str, products: list[str] = PRODUCTS) -> str:
    with pytest.raises(Refused) as refused:
        parsed(*rows, products=products)
    return refused.value.refusals[0].message


def not_carried(*rows: str) -> dict[str, str]:
    context = Context()
    parsed(*rows, context=context)
    found = importing.remarks(context.report, RemarkKind.NOT_CARRIED)
    return {reason: text for reason, text in found.items() if reason != cs_cart.LANGUAGES}


def test_combinations_are_those_of_the_product_with_their_id() -> None:
    (found,) = parsed(combination("Color: Red, Size: M", "3", "TEE-RM"), combination("Color: Blue, Size: S", ""))

    assert (found.sku, found.tracking, found.counts) == ("TEE", InventoryTracking.TRACK_WITH_OPTIONS, ())
    assert [(one.name, one.inventory) for one in found.options] == [
        ("Color", True),
        ("Size", True),
        ("Wrapping", False),
    ]
    assert [(one.sku, one.code, one.choice, one.counts) for one in found.variants] == [
        ("TEE-RM", "TEE-RM", (("Color", "Red"), ("Size", "M")), (Counted(6, Decimal(3)),)),
        (None, None, (("Color", "Blue"), ("Size", "S")), ()),
    ]


def test_a_code_that_is_the_products_is_no_sku() -> None:
    rows = [combination("Color: Red, Size: M", code="TEE")]

    assert [(one.sku, one.code) for one in parsed(*rows)[0].variants] == [(None, None)]
    assert not_carried(*rows) == {cs_cart_combinations.CODES_OF_PRODUCTS: "1 (TEE)"}


def test_other_languages_are_left_out() -> None:
    context = Context()

    (found,) = parsed(
        combination("Color: Red, Size: M"), combination("Farbe: Rot, Size: M", language="de"), context=context
    )

    assert len(found.variants) == 1
    assert importing.remarks(context.report, RemarkKind.NOT_CARRIED) == {cs_cart.LANGUAGES: "2 (TEE, …)"}


def test_damaged_characters_are_repaired() -> None:
    products = [PRODUCTS[0], '"TEE";"en";"12";"O";"7";"Fit: S[Men&#39;s,Kids]///inventory=Y";"T-shirt"\n']

    (found,) = parsed(combination("Fit: Men&#39,s"), products=products)

    assert [one.choice for one in found.variants] == [(("Fit", "Men's"),)]


def test_options_are_those_of_the_combinations_where_the_products_file_has_none() -> None:
    products = ["Product code;Language;Product id\n", '"TEE";"en";"12"\n']

    (found,) = parsed(combination("Color: Red, Size: M"), products=products)

    assert [one.name for one in found.options] == ["Color", "Size"]
    assert found.tracking is InventoryTracking.TRACK_WITH_OPTIONS


def test_pictures_of_combinations_are_reported() -> None:
    row = '"12";"en";"T-shirt";"TEE-RM";"Color: Red, Size: M";"3";"";"exim/red.jpg#{[en]:;}"\n'

    assert not_carried(row) == {cs_cart_combinations.OWN_PICTURES: "1 (TEE-RM)"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            combination("Color: Green, Size: M"),
            "Line 6: Combination 'Color: Green, Size: M' is not a combination of: Color: Red, Blue; Size: S, M.",
        ),
        (
            combination("Color: Red, Size: M", number="99"),
            "Line 6: Product id 99 is not in any products file. Also pass the product export, with this column.",
        ),
        (combination("Color: Red, Size: M", number=""), "Line 6: Product id is missing."),
        (combination("Color: Red, Size: M", "many"), "Line 6: Amount 'many' is not a quantity."),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(row: str, message: str) -> None:
    assert refusal(row) == message


def test_a_combination_that_stands_there_twice_is_refused() -> None:
    rows = [combination("Color: Red, Size: M"), combination("Size: M, Color: Red")]

    assert refusal(*rows) == "Line 7: The combination Red / M already appears on line 6."


async def test_combinations_come_after_products(db: None) -> None:
    await make.shop()
    combinations = [
        HEADER,
        combination("Color: Red, Size: M", "3", "TEE-RM"),
        combination("Color: Blue, Size: S", "-1"),
    ]
    corrected = [HEADER, combination("Color: Red, Size: M", "2", "TEE-RM"), combination("Color: Blue, Size: S", "-1")]

    products = await importing.run("cs-cart", PRODUCTS, warehouse="BERLIN")
    made = await importing.run("cs-cart-combinations", PRODUCTS, combinations, warehouse="BERLIN")
    again = await importing.run("cs-cart-combinations", combinations, PRODUCTS, warehouse="BERLIN")
    products_again = await importing.run("cs-cart", PRODUCTS, warehouse="BERLIN")
    changed = await importing.run("cs-cart-combinations", PRODUCTS, corrected, warehouse="BERLIN")

    assert figures(products) == {"products_made": 2, "counted": 1}
    assert figures(made) == {"combinations_made": 2, "counted": 2}
    assert (figures(again), figures(products_again)) == ({}, {})
    assert figures(changed) == {"counted": 1}
