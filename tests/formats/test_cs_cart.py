"""What rows of CS-Cart's product export say."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.formats import cs_cart
from gqlstock.formats import cs_cart_cells as cells
from gqlstock.formats.format import Context
from gqlstock.formats.records import UNSET, AnyOf, Counted, Product
from gqlstock.rules.catalog import Image, InventoryTracking, Option, OptionValue
from gqlstock.rules.import_report import RemarkKind
from gqlstock.rules.refusals import Refused
from gqlstock.rules.settings import BackorderMode
from support import importing
from support import shop_builders as make
from support.importing import figures

Cells = Mapping[str, str]
DENIES = AnyOf(UNSET, (BackorderMode.NO_BACKORDERS,))
ALLOWS = AnyOf(BackorderMode.ALLOW, (BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,))


def row(code: str = "MUG", number: str = "7", **more: str) -> Cells:
    """A row; the columns by their names with underscores."""
    said = {name.replace("_", " "): value for name, value in more.items()}
    return {"Product code": code, "Language": "en", "Product id": number, **said}


def lines(*rows: Cells) -> list[str]:
    """The lines of an export, as CS-Cart writes it: semicolons, all values in quotes."""
    out = io.StringIO(newline="")
    names = list(dict.fromkeys(name for one in rows for name in one))
    out.write(";".join(names) + "\n")
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([one.get(name, "") for name in names] for one in rows)
    return out.getvalue().splitlines(keepends=True)


def parsed(*rows: Cells, context: Context | None = None) -> list[Product]:
    return importing.parsed("cs-cart", lines(*rows), context)


def one(*rows: Cells) -> Product:
    (found,) = parsed(*rows)
    return found


def remarks(kind: RemarkKind, *rows: Cells) -> dict[str, str]:
    """What is said of a file but for the columns that it lacks."""
    context = Context()
    parsed(*rows, context=context)
    found = importing.remarks(context.report, kind)
    return {reason: text for reason, text in found.items() if reason not in cells.GLOBAL.values()}


def refusal(*rows: Cells) -> str:
    with pytest.raises(Refused) as refused:
        parsed(*rows)
    return refused.value.refusals[0].message


def test_a_product_says_its_fields() -> None:
    found = one(
        row(
            Category="Home///Kitchen",
            Status="D",
            Product_name="Mug",
            Description="<p>Of clay; 8&quot;</p>",
            SEO_name="mug-of-clay",
            Image_URL="https://x/small.jpg",
            Detailed_image_URL="https://x/mug.jpg",
        )
    )

    assert (found.sku, found.sku_stem, found.earlier_sku) == ("MUG", "MUG", "CS-CART-7")
    assert (found.name, found.description, found.slug) == ("Mug", "<p>Of clay; 8&quot;</p>", "mug-of-clay")
    assert (found.category, found.published) == (("Home", "Kitchen"), False)
    assert found.images == (Image("https://x/mug.jpg"),)


def test_what_has_no_column_is_not_said() -> None:
    found = one(row())

    assert (found.name, found.slug, found.published, found.tracking) == (None, None, None, None)
    assert (found.category, found.images, found.options, found.settings, found.counts) == ((), (), (), {}, ())


def test_columns_that_are_left_out_for_a_value_of_the_shop_are_reported_once() -> None:
    context = Context()

    parsed(row(Min_quantity="1"), row("CUP", "8"), context=context)

    assert list(importing.remarks(context.report, RemarkKind.TO_CHECK)) == [
        reason for column, reason in cells.GLOBAL.items() if column != cells.MINIMUM
    ]


def test_a_product_without_a_code_is_told_by_its_id() -> None:
    found = one(row(code=""))

    assert (found.sku, found.sku_stem, found.earlier_sku) == (None, "CS-CART-7", None)


def test_a_product_without_code_and_id_is_refused() -> None:
    assert refusal(row("", "", Product_name="Mug")) == "Line 2: Product code and Product id are both missing."


@pytest.mark.parametrize(
    ("value", "tracking"),
    [
        ("D", InventoryTracking.DO_NOT_TRACK),
        ("B", InventoryTracking.TRACK_WITHOUT_OPTIONS),
        ("o", InventoryTracking.TRACK_WITH_OPTIONS),
        ("", None),
    ],
)
def test_a_product_says_how_it_is_counted(value: str, tracking: InventoryTracking | None) -> None:
    assert one(row(Inventory_tracking=value)).tracking is tracking


def test_a_quantity_is_a_count() -> None:
    assert one(row(Quantity="-2")).counts == (Counted(2, Decimal(-2)),)
    assert one(row(Quantity="")).counts == ()


def test_the_quantity_of_a_product_that_is_counted_by_options_is_their_sum() -> None:
    assert one(row(Quantity="7", Inventory_tracking="O")).counts == ()


def test_columns_of_warehouses_are_counted_instead_of_the_quantity() -> None:
    found = one({**row(Quantity="9"), "West Side (Warehouse)": "4", "EAST (Warehouse)": ""})

    assert found.counts == (Counted(2, Decimal(4), "West Side"),)


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ({"Min_quantity": "2"}, {"minimum_order_quantity": Decimal(2)}),
        ({"Min_quantity": "0"}, {"minimum_order_quantity": UNSET}),
        ({"Max_quantity": ""}, {"maximum_order_quantity": UNSET}),
        ({"Max_quantity": "10"}, {"maximum_order_quantity": Decimal(10)}),
        ({"Quantity_step": "4"}, {"quantity_increment": Decimal(4)}),
        ({"List_qty_count": "4"}, {}),
        ({"Out_of_stock_actions": ""}, {}),
        ({"Out_of_stock_actions": "N"}, {"backorders": DENIES, "allow_back_in_stock_subscriptions": False}),
        ({"Out_of_stock_actions": "S"}, {"backorders": DENIES, "allow_back_in_stock_subscriptions": True}),
        ({"Out_of_stock_actions": "B"}, {"backorders": ALLOWS, "allow_back_in_stock_subscriptions": False}),
        ({"Available_since": ""}, {"upcoming": UNSET, "availability_date": UNSET}),
        (
            {"Available_since": "01 Mar 2027 09:30:00"},
            {"upcoming": True, "availability_date": datetime(2027, 3, 1, 9, 30, tzinfo=UTC)},
        ),
        (
            {"Available_since": "15 Dec 2027"},
            {"upcoming": True, "availability_date": datetime(2027, 12, 15, tzinfo=UTC)},
        ),
    ],
)
def test_a_setting_has_its_value(said: Cells, settings: dict[str, Any]) -> None:
    assert one(row(**said)).settings == settings


@pytest.mark.parametrize(
    ("least", "most", "step", "count", "listed"),
    [
        ("2", "10", "2", "5", [2, 4, 6, 8, 10]),
        ("2", "10", "2", "3", [2, 4, 6]),
        ("3", "0", "2", "3", [4, 6, 8]),
        ("0", "0", "6", "2", [6, 12]),
        ("2", "7", "2", "9", [2, 4, 6]),
    ],
)
def test_a_list_of_quantities_is_all_that_can_be_ordered(
    least: str, most: str, step: str, count: str, listed: list[int]
) -> None:
    found = one(row(Min_quantity=least, Max_quantity=most, Quantity_step=step, List_qty_count=count))

    assert found.settings["allowed_quantities"] == tuple(map(Decimal, listed))


@pytest.mark.parametrize(("step", "count"), [("0", "5"), ("2", "0"), ("", "")])
def test_without_a_step_or_a_number_there_is_no_list(step: str, count: str) -> None:
    assert one(row(Quantity_step=step, List_qty_count=count)).settings["allowed_quantities"] is UNSET


def test_options_are_those_of_the_text() -> None:
    found = one(row(Inventory_tracking="O", Options="(Shop) Color: S[Red,Blue]///inventory=Y; Wrapping: S[None]"))

    assert found.options == (
        Option("Color", (OptionValue("Red"), OptionValue("Blue"))),
        Option("Wrapping", (OptionValue("None"),), inventory=False),
    )


def test_other_languages_are_left_out() -> None:
    german = {**row(Product_name="Becher"), "Language": "de"}

    assert [found.name for found in parsed(row(Product_name="Mug"), row("CUP", "8", Product_name="Cup"), german)] == [
        "Mug",
        "Cup",
    ]
    assert remarks(RemarkKind.NOT_CARRIED, row(), german) == {cs_cart.LANGUAGES: "1 (MUG)"}


def test_a_product_that_stands_there_twice_is_refused() -> None:
    assert refusal(row(), row()) == "Line 3: The product MUG already appears on line 2."


def test_texts_that_were_damaged_are_repaired() -> None:
    rows = [row(Product_name="Levi&#39,s &amp; co", Description="Soft&nbsp,cotton &amp, wool", Category="Men&#39;s")]

    found = one(*rows)

    assert (found.name, found.category) == ("Levi's & co", ("Men's",))
    assert found.description == "Soft&nbsp;cotton &amp; wool"
    assert remarks(RemarkKind.TO_CHECK, *rows) == {cells.REPAIRED: "2 (MUG, …)"}


@pytest.mark.parametrize("name", ["Salt & pepper, mixed", "A&B, C", "R&D"])
def test_texts_that_are_whole_stay(name: str) -> None:
    rows = [row(Product_name=name)]

    assert one(*rows).name == name
    assert remarks(RemarkKind.TO_CHECK, *rows) == {}


def variation(code: str, color: str, **more: str) -> Cells:
    return {**row(code, code, Variation_group_code="PV-1", **more), "COLOR (Variation feature)": color}


def test_a_variation_group_is_one_product() -> None:
    found = one(
        variation("TEE-R", "Red", Product_name="Tee, red", Quantity="3"),
        variation("TEE-B", "Blue", Product_name="Tee", Quantity="4", Variation_set_as_default="Y"),
    )

    assert (found.sku, found.sku_stem, found.name) == (None, "PV-1", "Tee")
    assert found.tracking is InventoryTracking.TRACK_WITH_OPTIONS
    assert found.options == (Option("COLOR", (OptionValue("Red"), OptionValue("Blue"))),)
    assert [(one.sku, one.choice, one.counts) for one in found.variants] == [
        ("TEE-R", (("COLOR", "Red"),), (Counted(2, Decimal(3)),)),
        ("TEE-B", (("COLOR", "Blue"),), (Counted(3, Decimal(4)),)),
    ]


def test_a_variation_group_may_be_named_by_its_id() -> None:
    found = one({**row("A", Variation_group_id="5"), "Size (Variation feature)": "S"})

    assert found.sku_stem == "CS-CART-GROUP-5"


def test_settings_of_variations_are_those_of_combinations() -> None:
    found = one(
        variation("A", "Red", Inventory_tracking="D", Min_quantity="2"), variation("B", "Blue", Inventory_tracking="B")
    )

    assert found.settings == {}
    assert [one.settings for one in found.variants] == [
        {"minimum_order_quantity": Decimal(2), "manage_stock": False},
        {"minimum_order_quantity": UNSET, "manage_stock": AnyOf(UNSET, (True,))},
    ]


def test_a_variation_that_is_disabled_is_left_out() -> None:
    rows = [variation("A", "Red", Status="D"), variation("B", "Blue", Status="A")]

    assert [one.sku for one in one(*rows).variants] == ["B"]
    assert remarks(RemarkKind.NOT_CARRIED, *rows) == {cs_cart.DISABLED: "1 (A)"}


def test_a_group_that_is_disabled_is_unpublished() -> None:
    found = one(variation("A", "Red", Status="D"), variation("B", "Blue", Status="D"))

    assert (found.published, len(found.variants)) == (False, 2)


def test_without_columns_of_features_those_that_differ_make_the_variations() -> None:
    found = one(
        row("A", "1", Variation_group_code="PV-1", Features="Brand: E[Acme]; (Looks) Color: S[Red]; Size: S[M]"),
        row("B", "2", Variation_group_code="PV-1", Features="Brand: E[Acme]; (Looks) Color: S[Blue]; Size: S[M]"),
    )

    assert [one.choice for one in found.variants] == [(("Color", "Red"),), (("Color", "Blue"),)]


def test_a_lone_variation_without_its_feature_is_a_product_without_options() -> None:
    rows = [row(Variation_group_code="PV-1", Features="Color: S[Red]")]

    assert (one(*rows).sku, one(*rows).variants) == ("MUG", ())
    assert remarks(RemarkKind.TO_CHECK, *rows) == {cs_cart.LONE: "1 (MUG)"}


@pytest.mark.parametrize(
    ("kind", "said", "reason"),
    [
        (RemarkKind.TO_CHECK, {"Status": "H"}, cells.HIDDEN),
        (RemarkKind.TO_CHECK, {"Inventory_tracking": "O"}, cs_cart.TO_COME),
        (RemarkKind.TO_CHECK, {"Available_since": "01 Mar 2027 09:00:00"}, cells.NO_SALE_BEFORE),
        (RemarkKind.MADE_UP, {"Available_since": "01 Mar 2027 09:00:00", "Out_of_stock_actions": "B"}, cells.ZONES),
        (RemarkKind.NOT_CARRIED, {"Secondary_categories": "Shop:Sale; Shop:New"}, cells.FURTHER_CATEGORIES),
        (RemarkKind.NOT_CARRIED, {"Detailed_image": "exim/ts.jpg#{[en]:T;}"}, cells.PICTURES),
        (RemarkKind.NOT_CARRIED, {"Exceptions_type": "A"}, cells.EXCEPTIONS_OF),
        (RemarkKind.NOT_CARRIED, {"Options": "Engraving: I///required=N"}, cs_cart.TEXT_OPTIONS),
        (RemarkKind.NOT_CARRIED, {"Options": "Color: S[Red]///status=D"}, cs_cart.DISABLED_OPTIONS),
        (RemarkKind.NOT_CARRIED, {"Quantity_step": "1", "List_qty_count": "251"}, cells.LONG_LISTS),
    ],
)
def test_what_needs_a_person_is_reported(kind: RemarkKind, said: Cells, reason: str) -> None:
    assert remarks(kind, row(**said)) == {reason: "1 (MUG)"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(Status="Z")], "Line 2: Status is 'Z'; expected A, H or D."),
        ([row(Inventory_tracking="Z")], "Line 2: Inventory tracking is 'Z'; expected D, B or O."),
        ([row(Out_of_stock_actions="Z")], "Line 2: Out of stock actions is 'Z'; expected N, B or S."),
        (
            [row(Available_since="soon")],
            "Line 2: Available since is 'soon'; expected a date such as 01 Mar 2027 09:00:00.",
        ),
        (
            [row(Available_since="31 Feb 2027")],
            "Line 2: Available since is '31 Feb 2027'; expected a date such as 01 Mar 2027 09:00:00.",
        ),
        ([row(Quantity="many")], "Line 2: Quantity 'many' is not a quantity."),
        (
            [row(Options="Red or blue")],
            "Line 2: 'Red or blue' is not an option; expected a text such as Color: S[Red,Blue]///inventory=Y.",
        ),
        (
            [variation("A", "Red"), variation("B", "")],
            "Line 2: B is in the variation group PV-1 but has no COLOR (Variation feature).",
        ),
        (
            [row("A", "1", Variation_group_code="PV-1"), row("B", "2", Variation_group_code="PV-1")],
            "Line 2: A is in the variation group PV-1 but has no Features that differ.",
        ),
        ([variation("A", "Red"), variation("B", "Red")], "Line 3: The combination Red already appears on line 2."),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(rows: list[Cells], message: str) -> None:
    assert refusal(*rows) == message


async def test_a_code_that_a_product_gets_later_does_not_make_another(db: None) -> None:
    await make.shop()

    made = await importing.run("cs-cart", lines(row("", Quantity="3")), warehouse="BERLIN")
    coded = await importing.run("cs-cart", lines(row("MUG", Quantity="3")), warehouse="BERLIN")

    assert figures(made) == {"products_made": 1, "counted": 1}
    assert figures(coded) == {"products_changed": 1}


async def test_a_corrected_file_changes_what_was_corrected(db: None) -> None:
    await make.shop()
    mug, cup = row(Quantity="3", Min_quantity="2"), row("CUP", "8", Quantity="1", Min_quantity="0")
    await importing.run("cs-cart", lines(mug, cup), warehouse="BERLIN")

    again = await importing.run("cs-cart", lines(mug, cup), warehouse="BERLIN")
    corrected = await importing.run(
        "cs-cart", lines(mug | {"Min quantity": "3"}, cup | {"Quantity": "2"}), warehouse="BERLIN"
    )

    assert (figures(again), figures(corrected)) == ({}, {"products_changed": 1, "counted": 1})
