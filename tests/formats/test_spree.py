"""Spree's product export, with the warts that real files have."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.formats import spree
from gqlstock.formats.format import Context, Options
from gqlstock.formats.records import UNSET, AnyOf, Counted, Identity, Product, Variant
from gqlstock.rules.catalog import Image, InventoryStatus, InventoryTracking, Option, OptionValue
from gqlstock.rules.import_report import RemarkKind
from gqlstock.rules.refusals import Refused
from gqlstock.rules.settings import BackorderMode
from support import importing
from support import shop_builders as make

COUNTED = AnyOf(UNSET, (True,))
DENY = AnyOf(UNSET, (BackorderMode.NO_BACKORDERS,))
ALLOW = AnyOf(BackorderMode.ALLOW, (BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,))
NOW = datetime(2026, 6, 1, tzinfo=UTC)
FUTURE, PAST = "2026-07-01 12:00:00", "2025-10-09 14:35:53"

OPTIONS = [f"option{number}_{part}" for number in (1, 2, 3) for part in ("name", "value")]
COLUMNS = [
    *("slug", "sku", "name", "status", "description", "price", "currency", "available_on", "discontinue_on"),
    *("track_inventory", "inventory_count", "inventory_backorderable", "image1_src", "image2_src"),
    *(*OPTIONS, "category1", "category2"),
]
Cells = dict[str, str]


def head(slug: str = "mug", **cells: str) -> Cells:
    """The first row of a product."""
    said = {"name": "Mug", "status": "active", "currency": "USD", "track_inventory": "true", "inventory_count": "5"}
    return {"slug": slug, **said, **cells}


def of_tee(**cells: str) -> Cells:
    """The first row of a product with options, which counts what no combination has."""
    return head("tee", **{"name": "Tee", "inventory_count": "100", **cells})


def combination(color: str, **cells: str) -> Cells:
    """A row of a combination of that product."""
    counted = {"track_inventory": "true", "inventory_count": "5"}
    return {"slug": "tee", "currency": "USD", "option1_name": "Color", "option1_value": color, **counted, **cells}


def price(sku: str, slug: str = "tee") -> Cells:
    """A row with a price in another currency."""
    return {"slug": slug, "sku": sku, "price": "9.99", "currency": "EUR", "inventory_backorderable": "FALSE"}


def sheet(*rows: Cells, columns: Sequence[str] = COLUMNS) -> list[str]:
    """The lines of an export. Rows end with their last value, as Spree writes them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        last = max(place for place, name in enumerate(columns) if row.get(name)) + 1
        writer.writerow([row.get(name, "") for name in columns[:last]])
    return text.getvalue().splitlines(keepends=True)


def parsed(*rows: Cells, context: Context | None = None, columns: Sequence[str] = COLUMNS) -> list[Product]:
    return importing.parsed("spree", sheet(*rows, columns=columns), context or Context(now=NOW))


def refused(*rows: Cells) -> list[str]:
    with pytest.raises(Refused) as caught:
        parsed(*rows)
    return [refusal.message for refusal in caught.value.refusals]


def remarks(kind: RemarkKind, *rows: Cells, columns: Sequence[str] = COLUMNS) -> dict[str, str]:
    """What is said of a file, by reason."""
    context = Context(now=NOW)
    parsed(*rows, context=context, columns=columns)
    return importing.remarks(context.report, kind)


def test_a_product_without_options_is_one_item() -> None:
    mug = head(sku="MUG", description="Of enamel.", inventory_backorderable="true", image1_src="https://x/1.jpg")

    assert parsed({**mug, "category1": "Home -> Kitchen -> Cups", "category2": "Home -> Kitchen"}) == [
        Product(
            line=2,
            identity=Identity.SLUG,
            sku_stem="mug",
            slug="mug",
            sku="MUG",
            name="Mug",
            description="Of enamel.",
            category=("Home", "Kitchen", "Cups"),
            published=True,
            inventory_status=InventoryStatus.IN_STOCK,
            images=(Image("https://x/1.jpg"),),
            tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
            settings={"manage_stock": COUNTED, "backorders": ALLOW, "upcoming": UNSET, "availability_date": UNSET},
            counts=(Counted(2, Decimal(5)),),
        )
    ]


def test_columns_that_are_missing_say_nothing() -> None:
    (product,) = importing.parsed("spree", ["slug,sku\n", "mug,MUG\n"])

    assert product == Product(
        line=2,
        identity=Identity.SLUG,
        sku_stem="mug",
        slug="mug",
        sku="MUG",
        tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
    )


def test_rows_of_a_slug_stand_anywhere_and_those_with_options_are_combinations() -> None:
    red = combination("Red", sku="TEE-R", inventory_backorderable="FALSE", image1_src="https://x/r.jpg")
    blue = combination("Blue", inventory_count="2", option2_name="Size", option2_value="M")
    tee, mug = parsed(of_tee(), {**red, "option2_name": "Size", "option2_value": "S"}, head(), blue, price("TEE-R"))

    assert mug.slug == "mug"
    assert tee == Product(
        line=2,
        identity=Identity.SLUG,
        sku_stem="tee",
        slug="tee",
        name="Tee",
        published=True,
        inventory_status=InventoryStatus.IN_STOCK,
        options=(
            Option("Color", (OptionValue("Red"), OptionValue("Blue"))),
            Option("Size", (OptionValue("S"), OptionValue("M"))),
        ),
        tracking=InventoryTracking.TRACK_WITH_OPTIONS,
        settings={"upcoming": UNSET, "availability_date": UNSET},
        variants=(
            Variant(
                line=3,
                choice=(("Color", "Red"), ("Size", "S")),
                sku="TEE-R",
                images=(Image("https://x/r.jpg"),),
                settings={"manage_stock": COUNTED, "backorders": DENY},
                counts=(Counted(3, Decimal(5)),),
            ),
            Variant(
                line=5,
                choice=(("Color", "Blue"), ("Size", "M")),
                settings={"manage_stock": COUNTED},
                counts=(Counted(5, Decimal(2)),),
            ),
        ),
    )


def test_a_combination_may_stand_before_the_row_with_the_name() -> None:
    (tee,) = parsed(combination("Red"), of_tee(sku="TEE", inventory_count=""))

    assert (tee.line, tee.name, tee.sku) == (3, "Tee", "TEE")
    assert [one.choice for one in tee.variants] == [(("Color", "Red"),)]


def test_the_first_row_of_newer_exports_is_a_combination_too() -> None:
    first = {**combination("Red", sku="TEE-R", image1_src="https://x/r.jpg"), "name": "Tee", "status": "draft"}
    (tee,) = parsed(first, combination("Blue", sku="TEE-B"))

    assert (tee.name, tee.sku, tee.published, tee.images) == ("Tee", None, False, (Image("https://x/r.jpg"),))
    assert [(one.sku, one.images, one.counts) for one in tee.variants] == [
        ("TEE-R", (), (Counted(2, Decimal(5)),)),
        ("TEE-B", (), (Counted(3, Decimal(5)),)),
    ]


def test_rows_that_have_only_a_price_say_nothing() -> None:
    rows = (of_tee(), combination("Red", sku="TEE-R"), head(sku="MUG"))

    assert parsed(*rows, price("tee-r"), price("MUG", "mug"), price("")) == parsed(*rows)
    assert remarks(RemarkKind.NOT_CARRIED, *rows, price("TEE-X")) == {spree.UNKNOWN_PRICES: "1 (TEE-X)"}


@pytest.mark.parametrize("cells", [{"inventory_count": "∞"}, {"track_inventory": "FALSE", "inventory_count": ""}])
def test_what_is_not_tracked_is_not_counted(cells: dict[str, str]) -> None:
    (mug,) = parsed(head(**cells))

    assert (mug.settings["manage_stock"], mug.counts) == (False, ())


def test_units_of_the_first_row_are_none_where_rows_with_options_follow() -> None:
    rows = (of_tee(), combination("Red"))

    assert parsed(*rows)[0].counts == ()
    assert remarks(RemarkKind.TO_CHECK, *rows) == {spree.SUMMED: "1, 5 units (tee)"}


def test_a_first_row_with_a_sku_and_units_may_be_a_combination_that_lost_its_options() -> None:
    rows = (of_tee(sku="TEE-XS"), combination("Red", sku="TEE-R"))

    assert remarks(RemarkKind.TO_CHECK, *rows) == {
        spree.HEADER_UNITS: "1, 100 units (TEE-XS)",
        spree.SUMMED: "1, 5 units (TEE-R)",
    }


def test_units_in_other_stock_locations_have_rows_of_their_own() -> None:
    columns = [*COLUMNS, "stock_location"]
    north = {"slug": "tee", "stock_location": "North", "inventory_count": "7", "inventory_backorderable": "true"}
    rows = (
        of_tee(),
        combination("Red", sku="TEE-R", inventory_backorderable="false"),
        combination("Blue"),
        {**north, "sku": "tee-r"},
        north,
        head(inventory_count=""),
        {**north, "slug": "mug", "inventory_count": "-1"},
    )
    tee, mug = parsed(*rows, columns=columns)

    assert [one.counts for one in tee.variants] == [
        (Counted(3, Decimal(5)), Counted(5, Decimal(7), "North")),
        (Counted(4, Decimal(5)),),
    ]
    assert tee.variants[0].settings == {"manage_stock": COUNTED, "backorders": ALLOW}
    assert mug.counts == (Counted(8, Decimal(-1), "North"),)
    assert remarks(RemarkKind.NOT_CARRIED, *rows, columns=columns) == {spree.UNPLACED: "1, 7 units (tee)"}
    assert remarks(RemarkKind.TO_CHECK, *rows, columns=columns) == {}


@pytest.mark.parametrize(("status", "published"), [("active", True), ("draft", False), ("archived", False), ("", None)])
def test_drafts_and_archived_products_are_not_published(status: str, published: bool | None) -> None:
    (mug,) = parsed(head(status=status))

    assert mug.published is published


def test_a_day_that_is_to_come_makes_a_product_upcoming() -> None:
    rows = (head(available_on=FUTURE, sku="MUG"), head("cup", available_on=PAST))
    mug, cup = parsed(*rows)

    assert (mug.settings["upcoming"], mug.settings["availability_date"]) == (True, datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert (cup.settings["upcoming"], cup.settings["availability_date"]) == (UNSET, UNSET)
    assert remarks(RemarkKind.MADE_UP, *rows) == {spree.ZONES: "1 (MUG)"}


def test_a_date_may_say_its_zone() -> None:
    (mug,) = parsed(head(available_on="2026-07-01T14:00:00+02:00"))

    assert mug.settings["availability_date"] == datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_what_is_discontinued_is_so_from_its_day() -> None:
    rows = (head(discontinue_on=PAST), head("cup", discontinue_on=FUTURE, sku="CUP"), head("pot"))

    assert [one.inventory_status for one in parsed(*rows)] == [
        InventoryStatus.DISCONTINUED,
        InventoryStatus.IN_STOCK,
        InventoryStatus.IN_STOCK,
    ]
    assert remarks(RemarkKind.TO_CHECK, *rows)[spree.TO_BE_DISCONTINUED] == "1 (CUP)"


def test_a_product_is_discontinued_with_the_last_of_its_combinations() -> None:
    rows = (of_tee(), combination("Red", discontinue_on=PAST, sku="R"), combination("Blue"))
    (tee,) = parsed(*rows)

    assert (tee.inventory_status, [one.choice for one in tee.variants]) == (
        InventoryStatus.IN_STOCK,
        [(("Color", "Blue"),)],
    )
    assert remarks(RemarkKind.NOT_CARRIED, *rows) == {spree.DISCONTINUED: "1, 5 units (R)"}
    (gone,) = parsed(of_tee(), combination("Red", discontinue_on=PAST))
    assert (gone.inventory_status, len(gone.variants)) == (InventoryStatus.DISCONTINUED, 1)


def test_the_deepest_category_is_kept() -> None:
    rows = (head(sku="MUG", category1="Men -> Shirts", category2="Women"),)

    assert parsed(*rows)[0].category == ("Men", "Shirts")
    assert remarks(RemarkKind.NOT_CARRIED, *rows) == {spree.MORE_CATEGORIES: "1 (MUG)"}


def test_pictures_without_an_address_need_one() -> None:
    mug = head(sku="MUG", image1_src="/rails/1.jpg", image2_src="https://x/2.jpg")

    assert remarks(RemarkKind.NOT_CARRIED, mug) == {spree.PICTURES: "1 (MUG)"}
    (product,) = parsed(mug, context=Context(Options(base_url="https://shop")))
    assert product.images == (Image("https://shop/rails/1.jpg"), Image("https://x/2.jpg"))


def test_guards_against_formulas_are_taken_off() -> None:
    (mug,) = parsed(head(sku="'-MUG", name="'=1", description="'quoted'"))

    assert (mug.sku, mug.name, mug.description) == ("-MUG", "=1", "'quoted'")


@pytest.mark.parametrize("separator", [";", "|", "\t"])
def test_other_separators_are_read(separator: str) -> None:
    lines = [line.replace(",", separator) for line in ("slug,sku,name\n", "mug,MUG,Mug\n")]

    assert importing.parsed("spree", lines)[0].sku == "MUG"


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"slug": ""}, "The slug is missing."),
        ({"slug": "my mug"}, "The slug is 'my mug'; expected letters, digits and dashes."),
        ({"status": "sold"}, "The status is 'sold'; expected active, draft or archived."),
        ({"inventory_count": "many"}, "inventory_count 'many' is not a quantity."),
        ({"track_inventory": "yes"}, "track_inventory is 'yes'; expected true or false."),
        ({"inventory_backorderable": "1"}, "inventory_backorderable is '1'; expected true or false."),
        ({"available_on": "soon"}, "available_on is 'soon'; expected a date such as 2026-01-31 12:00:00."),
        ({"discontinue_on": "9/10/25"}, "discontinue_on is '9/10/25'; expected a date such as 2026-01-31 12:00:00."),
    ],
)
def test_what_is_wrong_is_told_by_its_line(cells: dict[str, str], told: str) -> None:
    assert f"Line 2: {told}" in refused({**head(), **cells})


def test_combinations_that_a_fourth_option_would_tell_apart_are_refused() -> None:
    three = {"option2_name": "Size", "option2_value": "S", "option3_name": "Cut", "option3_value": "Slim"}

    assert refused(of_tee(), combination("Red", **three), combination("Red", **three)) == [
        "Line 4: Line 3 has the same options. Spree exports three; the product may have more."
    ]
    assert refused(of_tee(), combination("Red"), combination("Red")) == [
        "Line 4: The combination Red already appears on line 3."
    ]


def test_a_combination_has_a_value_of_every_option() -> None:
    size = {"option2_name": "Size", "option2_value": "S"}

    assert refused(of_tee(), combination("Red", **size), combination("Blue")) == [
        "Line 4: A combination must have one value of each of: Color, Size."
    ]


def test_units_of_a_further_row_without_options_are_refused() -> None:
    assert refused(head(), {"slug": "mug", "sku": "MUG", "inventory_count": "3"}) == [
        "Line 3: The row has units but no options, and the product already is on line 2."
    ]


async def test_two_products_with_the_same_sku_are_refused(db: None) -> None:
    with pytest.raises(Refused) as caught:
        await importing.run("spree", sheet(of_tee(sku="TEE"), combination("Red"), head(sku="TEE")))

    assert str(caught.value) == "Line 4: The SKU TEE already appears on line 2."


async def test_a_corrected_file_changes_what_was_corrected(db: None) -> None:
    await make.warehouse("BERLIN")
    options: dict[str, Any] = {"warehouse": "BERLIN"}
    await importing.run("spree", sheet(head(), of_tee(), combination("Red")), **options)

    right = sheet(
        head(name="Blue mug", sku="MUG"), of_tee(), combination("Red", inventory_count="6"), combination("Blue")
    )
    corrected = await importing.run("spree", right, **options)

    figures = {"products_changed": 2, "combinations_made": 1, "counted": 2}
    assert importing.figures(corrected) == figures
    assert importing.figures(await importing.run("spree", right, **options)) == {}


async def test_dates_are_compared_with_the_moment_of_the_import(db: None) -> None:
    lines = sheet(head(sku="MUG", available_on="2999-01-01 00:00:00"), head("cup", available_on=PAST))

    done = await importing.run("spree", lines)

    assert importing.remarks(done, RemarkKind.MADE_UP)[spree.ZONES] == "1 (MUG)"
