"""docs/glossary.md: every name of the API is in the schema, and the table of low-stock numbers has the real defaults."""

import re
from decimal import Decimal

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, build_schema

from gqlstock.rules.settings import AT_LEVEL, DEFAULTS, camel
from support.documentation_pages import HOME

PAGE = (HOME / "docs" / "glossary.md").read_text()
SCHEMA = build_schema((HOME / "schema.graphql").read_text())
SYSTEMS = {
    "Shopify",
    "Saleor",
    "Vendure",
    "Medusa",
    "commercetools",
    "CS-Cart",
    "nopCommerce",
    "OroCommerce",
    "Magento and Adobe Commerce",
    "Solidus",
}


def tables() -> dict[str, list[list[str]]]:
    """The rows of each section's table, without its head."""
    sections = re.split(r"^## (.*)$", PAGE, flags=re.MULTILINE)[1:]
    return {
        heading: [
            [cell.strip() for cell in line.strip("|").split(" | ")]
            for line in re.findall(r"^\| .*\|$", text, re.MULTILINE)[1:]
        ]
        for heading, text in zip(sections[::2], sections[1::2], strict=True)
    }


def is_in_the_schema(name: str) -> bool:
    type_name, _, member = name.partition(".")
    type_ = SCHEMA.type_map.get(type_name)
    if not member:
        return type_ is not None
    if isinstance(type_, GraphQLEnumType):
        return member in type_.values
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        return member in type_.fields
    return False


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("InventoryLevel", True),
        ("InventoryLevel.onHand", True),
        ("InventoryLevel.stocked", False),
        ("InventoryDecrement.ON_ORDER", True),
        ("InventoryDecrement.ON_RETURN", False),
        ("StockLevel", False),
    ],
)
def test_a_wrong_name_is_found_out(name: str, there: bool) -> None:
    assert is_in_the_schema(name) is there


def test_each_field_of_the_glossary_is_in_the_schema() -> None:
    of_systems = {heading: rows for heading, rows in tables().items() if heading in SYSTEMS}
    fields = [(heading, row[2]) for heading, rows in of_systems.items() for row in rows]
    names = [(heading, name) for heading, field in fields for name in re.findall(r"`([^`]+)`", field)]

    assert of_systems.keys() == SYSTEMS
    assert [(heading, field) for heading, field in fields if "`" not in field and field != "–"] == []
    assert [(heading, name) for heading, name in names if not is_in_the_schema(name)] == []
    assert len(names) > 150


def test_the_table_of_low_stock_numbers_has_the_defaults_and_what_can_be_set_at_a_level() -> None:
    told = {row[0].strip("`"): (row[3], row[4]) for row in tables()["The five low-stock numbers"]}
    names = (
        "out_of_stock_threshold",
        "only_x_left_threshold",
        "low_inventory_threshold",
        "minimum_stock_quantity",
        "notify_below",
    )

    assert told == {
        camel(name): (_shown(getattr(DEFAULTS, name)), "yes" if name in AT_LEVEL else "no") for name in names
    }


def _shown(default: Decimal | None) -> str:
    return "unset" if default is None else str(default.normalize())
