"""What rows of OroCommerce's product export say."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.formats import oro_products
from gqlstock.formats.format import Context, Options
from gqlstock.formats.records import UNSET, AnyOf, Product
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking, Option, OptionValue
from gqlstock.rules.import_report import RemarkKind
from gqlstock.rules.refusals import Refused
from gqlstock.rules.settings import BackorderMode, InventoryDecrement
from gqlstock.store import catalog
from gqlstock.store import categories as category_rows
from support import importing
from support.importing import figures

Cells = Mapping[str, str]
SHIRT = {
    "SKU": "SHIRT",
    "Type": "configurable",
    "Name.default.value": "Shirt",
    "Configurable Attributes": "Color,shoe_size",
    "Product Variant Links.1.Product.SKU": "SHIRT-1",
    "Product Variant Links.1.Visible": "1",
}
RED = {"SKU": "SHIRT-1", "Type": "simple", "Color.Name": "Red", "Shoe Size.Name": "41"}


def lines(*rows: Cells) -> list[str]:
    out = io.StringIO(newline="")
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().splitlines(keepends=True)


def simple(**cells: str) -> Cells:
    return {"SKU": "MUG", "Type": "simple", **{name.replace("__", "."): value for name, value in cells.items()}}


def parsed(*rows: Cells, context: Context | None = None) -> list[Product]:
    return importing.parsed("oro-products", lines(*rows), context)


def said(column: str, value: str) -> dict[str, Any]:
    (product,) = parsed({"SKU": "MUG", "Type": "simple", column: value})
    return dict(product.settings)


def refusal(*rows: Cells) -> str:
    with pytest.raises(Refused) as refused:
        parsed(*rows)
    return refused.value.refusals[0].message


def not_carried(*rows: Cells, kind: RemarkKind = RemarkKind.NOT_CARRIED) -> dict[str, str]:
    context = Context(Options(manage_stock=True))
    parsed(*rows, context=context)
    return importing.remarks(context.report, kind)


def test_a_simple_product_says_its_fields() -> None:
    row = {
        "SKU": "MUG",
        "Type": "simple",
        "Status": "disabled",
        "Inventory Status.Id": "out_of_stock",
        "Name.default.value": "Mug",
        "Description.default.value": "<p>Of clay.</p>",
        "URL Slug.default.value": "mug-of-clay",
        "category.path": "All Products / Home / Pots // pans",
    }

    (product,) = parsed(row)

    assert (product.sku, product.name, product.description) == ("MUG", "Mug", "<p>Of clay.</p>")
    assert (product.slug, product.category) == ("mug-of-clay", ("Home", "Pots / pans"))
    assert (product.published, product.inventory_status) == (False, InventoryStatus.OUT_OF_STOCK)
    assert product.tracking is InventoryTracking.TRACK_WITHOUT_OPTIONS


def test_what_has_no_column_is_not_said() -> None:
    (product,) = parsed({"SKU": "MUG", "Type": "simple"})

    assert (product.name, product.slug, product.published, product.inventory_status) == (None, None, None, None)
    assert (product.category, product.settings) == ((), {})


@pytest.mark.parametrize(
    ("column", "value", "setting"),
    [
        ("Managed Inventory.value", "1", {"manage_stock": True}),
        ("Managed Inventory.value", "0", {"manage_stock": False}),
        ("manageInventory.value", "0", {"manage_stock": False}),
        ("Inventory Threshold.value", "-5", {"out_of_stock_threshold": Decimal(-5)}),
        ("Low Inventory Threshold.value", "2.5", {"low_inventory_threshold": Decimal("2.5")}),
        ("Highlight Low Inventory.value", "1", {"highlight_low_inventory": True}),
        ("Backorders.value", "0", {"backorders": BackorderMode.NO_BACKORDERS}),
        (
            "Backorders.value",
            "1",
            {"backorders": AnyOf(BackorderMode.ALLOW, (BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,))},
        ),
        ("Decrement Inventory.value", "0", {"decrement_inventory": InventoryDecrement.NEVER}),
        (
            "Decrement Inventory.value",
            "1",
            {"decrement_inventory": AnyOf(InventoryDecrement.ON_ORDER, (InventoryDecrement.ON_SHIPMENT,))},
        ),
        ("Minimum Quantity To Order.value", "2", {"minimum_order_quantity": Decimal(2)}),
        ("Maximum Quantity To Order.value", "100000", {"maximum_order_quantity": Decimal(100000)}),
        ("Minimum Quantity To Order.value", "0", {"minimum_order_quantity": UNSET}),
        ("Maximum Quantity To Order.value", "0", {"maximum_order_quantity": UNSET}),
        ("Upcoming.value", "1", {"upcoming": True}),
        ("Availability Date", "10/09/2024 00:00:00", {"availability_date": datetime(2024, 10, 9, tzinfo=UTC)}),
        (
            "Availability Date",
            "2024-10-09T06:30:00+00:00",
            {"availability_date": datetime(2024, 10, 9, 6, 30, tzinfo=UTC)},
        ),
        ("Unit of Quantity.Precision", "3", {"quantity_uses_decimals": True}),
        ("Unit of Quantity.Precision", "0", {"quantity_uses_decimals": AnyOf(UNSET, (False,))}),
        ("Unit of Quantity.Precision", "", {}),
    ],
)
def test_a_setting_has_its_value(column: str, value: str, setting: Mapping[str, Any]) -> None:
    assert said(column, value) == setting


@pytest.mark.parametrize("value", ["category", "systemConfig", "systemconfig", ""])
@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("Managed Inventory.value", "manage_stock"),
        ("Inventory Threshold.value", "out_of_stock_threshold"),
        ("Backorders.value", "backorders"),
        ("Maximum Quantity To Order.value", "maximum_order_quantity"),
        ("Availability Date", "availability_date"),
    ],
)
def test_a_setting_that_is_not_the_products_own_is_unset(column: str, name: str, value: str) -> None:
    assert said(column, value) == {name: UNSET}


@pytest.mark.parametrize("cells", [{"Managed Inventory.value": "systemConfig"}, {"Managed Inventory.value": ""}, {}])
def test_whether_stock_is_counted_is_asked_for_where_the_file_leaves_it_open(cells: Cells) -> None:
    row = {"SKU": "MUG", "Type": "simple", **cells}
    asked = Context()
    parsed(row, context=asked)

    (told,) = parsed(row, context=Context(Options(manage_stock=False)))

    assert importing.remarks(asked.report, RemarkKind.TO_CHECK) == {oro_products.LEFT_OPEN: "1 (MUG)"}
    assert told.settings == {"manage_stock": False}


def test_the_option_does_not_change_what_the_file_says() -> None:
    context = Context(Options(manage_stock=True))

    (product,) = parsed({"SKU": "MUG", "Type": "simple", "Managed Inventory.value": "0"}, context=context)

    assert product.settings == {"manage_stock": False}
    assert importing.remarks(context.report, RemarkKind.TO_CHECK) == {}


def test_a_configurable_product_has_the_variants_that_it_names() -> None:
    (product,) = parsed(RED, {"SKU": "MUG", "Type": "kit"}, SHIRT)

    assert (product.sku, product.tracking) == ("SHIRT", InventoryTracking.TRACK_WITH_OPTIONS)
    assert product.options == (Option("Color", (OptionValue("Red"),)), Option("Shoe Size", (OptionValue("41"),)))
    (variant,) = product.variants
    assert (variant.sku, variant.choice) == ("SHIRT-1", (("Color", "Red"), ("Shoe Size", "41")))


def test_attributes_are_matched_without_case_blanks_and_underscores() -> None:
    internal = {
        "sku": "SHIRT",
        "type": "configurable",
        "variantFields": "SHOE_size",
        "variantLinks:0:product:sku": "shirt-1",
        "variantLinks:0:visible": "1",
    }
    variant = {"sku": "SHIRT-1", "type": "simple", "shoeSize.name": "41"}

    (product,) = parsed(internal, variant)

    assert [one.choice for one in product.variants] == [(("shoeSize", "41"),)]


@pytest.mark.parametrize(("value", "shown"), [("1", "Yes"), ("0", "No")])
def test_a_boolean_attribute_stands_in_a_column_of_its_own(value: str, shown: str) -> None:
    parent = SHIRT | {"Configurable Attributes": "isNew"}

    (product,) = parsed(parent, {"SKU": "SHIRT-1", "Type": "simple", "isNew": value})

    assert [one.choice for one in product.variants] == [(("isNew", shown),)]


def test_settings_are_those_of_variants() -> None:
    context = Context(Options(manage_stock=True))

    (product,) = parsed(SHIRT | {"Backorders.value": "1"}, RED | {"Backorders.value": "0"}, context=context)

    assert product.settings == {}
    assert product.variants[0].settings == {"backorders": BackorderMode.NO_BACKORDERS, "manage_stock": True}
    assert importing.remarks(context.report, RemarkKind.NOT_CARRIED) == {oro_products.OWN_SETTINGS: "1 (SHIRT)"}


@pytest.mark.parametrize(
    ("parent", "variant", "reason"),
    [
        ({"Product Variant Links.1.Visible": "0"}, {}, oro_products.HIDDEN),
        ({}, {"Status": "disabled"}, oro_products.DISABLED),
        ({"Product Variant Links.1.Product.SKU": "SHIRT-2"}, {}, oro_products.NOT_THERE),
    ],
)
def test_variants_that_cannot_be_bought_are_left_out(parent: Cells, variant: Cells, reason: str) -> None:
    context = Context(Options(manage_stock=True))

    product = parsed({**SHIRT, **parent}, {**RED, **variant}, context=context)[0]

    assert (product.sku, product.variants, product.options) == ("SHIRT", (), ())
    assert list(importing.remarks(context.report, RemarkKind.NOT_CARRIED)) == [reason]


def test_a_configurable_product_may_be_empty() -> None:
    (product,) = parsed({"SKU": "SHIRT", "Type": "configurable", "Configurable Attributes": "Color"})

    assert (product.tracking, product.variants) == (InventoryTracking.TRACK_WITH_OPTIONS, ())


def test_a_variant_of_two_configurable_products_is_the_first_ones() -> None:
    context = Context(Options(manage_stock=True))

    first, second = parsed(SHIRT, RED, SHIRT | {"SKU": "BLOUSE"}, context=context)

    assert (len(first.variants), len(second.variants)) == (1, 0)
    assert importing.remarks(context.report, RemarkKind.NOT_CARRIED) == {oro_products.ELSEWHERE: "1 (SHIRT-1)"}


@pytest.mark.parametrize(
    ("rows", "reason", "found"),
    [
        ([{"SKU": "SET", "Type": "kit"}], oro_products.KITS, "1 (SET)"),
        ([SHIRT, RED | {"Name.default.value": "Red shirt"}], oro_products.OWN_TEXTS, "1 (SHIRT-1)"),
        ([SHIRT, RED | {"Inventory Status.Id": "out_of_stock"}], oro_products.OWN_STATUSES, "1 (SHIRT-1)"),
        ([simple(**{"Inventory Status__Id": "on_hold"})], oro_products.OTHER_STATUSES, "1 (MUG)"),
        ([simple(**{"additionalUnitPrecisions:0:unit:code": "kg"})], oro_products.UNITS, "1 (MUG)"),
        ([simple(**{"Maximum Quantity To Order__value": "0"})], oro_products.NOT_SOLD, "1 (MUG)"),
        ([simple(Category__ID="2")], oro_products.CATEGORY_IDS, "1 (MUG)"),
    ],
)
def test_what_does_not_come_over_is_reported(rows: list[Cells], reason: str, found: str) -> None:
    assert not_carried(*rows) == {reason: found}


def test_dates_are_taken_in_utc() -> None:
    row = simple(**{"Availability Date": "10/09/2024 00:00:00"})

    assert not_carried(row, kind=RemarkKind.MADE_UP) == {oro_products.ZONES: "1 (MUG)"}


def test_statuses_of_newer_versions_have_a_prefix() -> None:
    (product,) = parsed(simple(**{"Inventory Status__Id": "prod_inventory_status.discontinued"}))

    assert product.inventory_status is InventoryStatus.DISCONTINUED


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"SKU": "", "Type": "simple"}], "Line 2: The SKU is missing."),
        ([{"SKU": "MUG", "Type": "bundle"}], "Line 2: Type is 'bundle'; expected simple, configurable or kit."),
        ([simple(Status="on")], "Line 2: Status is 'on'; expected enabled or disabled."),
        (
            [simple(Backorders__value="maybe")],
            "Line 2: Backorders.value is 'maybe'; expected 1, 0, category or systemConfig.",
        ),
        (
            [simple(**{"Inventory Threshold__value": "few"})],
            "Line 2: Inventory Threshold.value 'few' is not a quantity.",
        ),
        (
            [simple(**{"Availability Date": "09.10.2024"})],
            "Line 2: Availability Date is '09.10.2024'; expected a date such as 10/09/2024 00:00:00, month first.",
        ),
        (
            [simple(**{"Unit of Quantity__Precision": "5"})],
            "Line 2: Unit of Quantity.Precision is 5; gqlstock supports at most 4 decimal places.",
        ),
        ([SHIRT, RED | {"Color.Name": ""}], "Line 3: Color.Name is missing: variants of SHIRT differ by it."),
        (
            [SHIRT | {"Configurable Attributes": "Fit"}, RED],
            "Line 3: There is no column Fit.Name for the attribute in Configurable Attributes of SHIRT. "
            'If it has another name: --column "NAME=Fit.Name".',
        ),
        (
            [SHIRT | {"Configurable Attributes": ""}, RED],
            "Line 3: Configurable Attributes of SHIRT is missing, although it has variants.",
        ),
        (
            [SHIRT, RED | {"Type": "configurable"}],
            "Line 3: SHIRT-1 is configurable and cannot be a variant of another product.",
        ),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(rows: list[Cells], message: str) -> None:
    assert refusal(*rows) == message


def test_a_column_of_an_attribute_can_be_named() -> None:
    context = Context(Options(manage_stock=True, columns={"Passform.Name": "Fit.Name"}))

    (product,) = parsed(SHIRT | {"Configurable Attributes": "Fit"}, RED | {"Passform.Name": "Slim"}, context=context)

    assert [one.choice for one in product.variants] == [(("Fit", "Slim"),)]


async def test_attributes_are_not_among_the_columns_that_do_not_come_over(db: None) -> None:
    report = await importing.run("oro-products", lines(SHIRT, RED | {"Brand.Name": "Best"}), manage_stock=True)

    assert list(importing.remarks(report, RemarkKind.NOT_CARRIED)) == ["columns: Brand.Name"]


TREE = lines(
    {"ID": "1", "Title.default.value": "All Products", "Parent category.Title": ""},
    {"ID": "2", "Title.default.value": "Home", "Parent category.Title": "All Products"},
    {"ID": "3", "Title.default.value": "Kitchen", "Parent category.Title": "All Products / Home"},
    {"ID": "4", "Title.default.value": "Garden", "Parent category.Title": "All Products"},
    {"ID": "5", "Title.default.value": "Kitchen", "Parent category.Title": "All Products / Garden"},
)


async def slug_of_category(sku: str) -> str | None:
    item = (await catalog.by_sku([sku]))[sku]
    found = await category_rows.categories([item.category_id or 0])
    return next((one.slug for one in found.values()), None)


@pytest.mark.parametrize(
    ("cells", "slug"),
    [
        ({"Category.ID": "5", "category.default.title": "Kitchen"}, "garden-kitchen"),
        ({"Category.ID": "3"}, "home-kitchen"),
        ({"category.default.title": "Home"}, "home"),
        ({"category.default.title": "Kitchen"}, "kitchen"),
        ({"category.path": "All Products / Garden / Kitchen"}, "garden-kitchen"),
        ({"Category.ID": "1", "category.default.title": "All Products"}, None),
    ],
)
async def test_a_category_is_found_in_the_categories_file(db: None, cells: Cells, slug: str | None) -> None:
    await importing.run("oro-products", lines(simple(**cells)), TREE, manage_stock=True)

    assert await slug_of_category("MUG") == slug


async def test_a_corrected_file_changes_what_was_corrected(db: None) -> None:
    first = lines(SHIRT, RED | {"Backorders.value": "0"}, simple(Backorders__value="systemConfig"))
    corrected = lines(
        SHIRT | {"Name.default.value": "Blouse"},
        RED | {"Backorders.value": "1"},
        simple(Backorders__value="systemConfig"),
    )

    made = await importing.run("oro-products", first, manage_stock=True)
    again = await importing.run("oro-products", first, manage_stock=True)
    changed = await importing.run("oro-products", corrected, manage_stock=True)

    assert figures(made) == {"products_made": 2, "combinations_made": 1}
    assert figures(again) == {}
    assert figures(changed) == {"products_changed": 1, "combinations_changed": 1}
    assert (await catalog.by_sku(["SHIRT"]))["SHIRT"].name == "Blouse"
