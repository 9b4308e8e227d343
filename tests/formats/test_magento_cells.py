"""Cells of Magento's export that hold several things, in which next to nothing is escaped."""

import pytest

from gqlstock.formats import magento_cells
from gqlstock.formats.magento_cells import CustomOption, Variation
from gqlstock.rules.refusals import Refused


def children(text: str, labels: str = "") -> list[tuple[str, dict[str, str]]]:
    found = magento_cells.variations(text, labels)
    return [(child.sku, child.values) for child in found.children]


def test_variations_are_children_with_the_values_of_their_attributes() -> None:
    found = magento_cells.variations("sku=TEE-S,size=S,color=Red|sku=TEE-M,size=M,color=Red", "size=Size,color=Colour")

    assert found.labels == {"size": "Size", "color": "Colour"}
    assert found.children == (
        Variation("TEE-S", {"size": "S", "color": "Red"}),
        Variation("TEE-M", {"size": "M", "color": "Red"}),
    )


def test_an_attribute_without_a_label_goes_by_its_code() -> None:
    assert magento_cells.variations("sku=A,size=S", "").labels == {"size": "size"}
    assert magento_cells.variations("sku=A,size=S,fit=Slim", "size=,fit=Fit").labels == {"size": "size", "fit": "Fit"}


def test_nothing_is_escaped_in_skus_and_values() -> None:
    assert children("sku=A,1|B=2,size=1,5 m|2 m, wide|sku=A/2,size=x=y", "size=Size") == [
        ("A,1|B=2", {"size": "1,5 m|2 m, wide"}),
        ("A/2", {"size": "x=y"}),
    ]


def test_a_word_before_an_equals_sign_is_an_attribute_only_where_every_child_has_it() -> None:
    assert children("sku=A,size=S,cut=wide|sku=B,size=M") == [("A", {"size": "S,cut=wide"}), ("B", {"size": "M"})]


def test_the_flag_of_the_child_that_is_shown_first_is_no_attribute() -> None:
    assert children("sku=A,size=S,display=1|sku=B,size=M") == [("A", {"size": "S"}), ("B", {"size": "M"})]


def test_a_value_that_a_variation_lacks_is_not_there() -> None:
    assert children("sku=A,size=S|sku=B,size=", "size=Size") == [("A", {"size": "S"}), ("B", {})]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("size=S,sku=A", "configurable_variations must start with sku=, but is size=S,sku=A."),
        ("sku=,size=S", "configurable_variations has no SKU in sku=,size=S."),
    ],
)
def test_variations_without_a_sku_are_refused(text: str, told: str) -> None:
    with pytest.raises(Refused) as caught:
        magento_cells.variations(text, "")

    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("has_options=0,ean=401,size=S", {"has_options": "0", "ean": "401", "size": "S"}),
        ("note=a, b and c,ean=401", {"note": "a, b and c", "ean": "401"}),
        ('data={"a":1,"b":[2,3]},ean=401', {"data": '{"a":1,"b":[2,3]}', "ean": "401"}),
        ('note="a, ean=5, ""b""",ean="401"', {"note": 'a, ean=5, "b"', "ean": "401"}),
        ('note="a" and "b",ean=401', {"note": '"a" and "b"', "ean": "401"}),
        ('size="', {"size": '"'}),
        ("ean=,upc=7", {"ean": "", "upc": "7"}),
        ("", {}),
    ],
)
def test_attributes_are_read_with_their_values_in_quotes_and_without(text: str, expected: dict[str, str]) -> None:
    assert magento_cells.attributes(text) == expected


def test_custom_options_of_one_name_are_one_option_with_its_values() -> None:
    text = (
        "name=Engraving,type=field,required=0,price=5,price_type=fixed,sku=,max_characters=20"
        "|name=Box, gift,type=drop_down,required=0,price=10.0000,price_type=fixed,sku=,option_title=Gold, matt"
        "|name=Box, gift,type=drop_down,required=0,price=,price_type=fixed,sku=b|x,option_title=Silver"
    )

    assert magento_cells.custom_options(text) == (
        CustomOption("Engraving", "field", ()),
        CustomOption("Box, gift", "drop_down", ("Gold, matt", "Silver")),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Default Category/Gear,Default Category/Gear/Bags", [("Gear",), ("Gear", "Bags")]),
        ("Default Category/Gear|Default Category/Gear/Bags", [("Gear",), ("Gear", "Bags")]),
        ("Default Category,Default Category/Sale", [("Sale",)]),
        ("Default Category", []),
        ("Default Category/Red, Blue,Default Category/A|B", [("Red, Blue",), ("A|B",)]),
        ("Default Category/Red,Blue/Green", [("Red,Blue", "Green")]),
        ("Default Category/A,B2B/Tools", [("A",), ("Tools",)]),
        (r"Default Category/Cups \/ Mugs/Large", [("Cups / Mugs", "Large")]),
        ("", []),
    ],
)
def test_categories_are_paths_below_their_roots(text: str, expected: list[tuple[str, ...]]) -> None:
    assert magento_cells.category_paths(text, {"Default Category", "B2B"}) == expected


def test_a_list_is_separated_by_commas_or_by_bars() -> None:
    assert magento_cells.listed("/a.jpg, /b.jpg,") == ["/a.jpg", "/b.jpg"]
    assert magento_cells.listed("/a.jpg|/b.jpg") == ["/a.jpg", "/b.jpg"]
    assert magento_cells.listed("") == []
