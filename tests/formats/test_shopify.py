"""Shopify's product export, with the warts that real files have."""

import csv
import io
from collections.abc import Sequence
from decimal import Decimal

import pytest

from gqlstock.formats.records import UNSET, AnyOf, Counted, Identity, Product, Variant
from gqlstock.rules.catalog import Image, InventoryTracking, Option, OptionValue
from gqlstock.rules.refusals import Refused
from gqlstock.rules.settings import BackorderMode
from support import importing

COUNTED = AnyOf(UNSET, (True,))
CONTINUE = AnyOf(BackorderMode.ALLOW, (BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,))
DENY = AnyOf(UNSET, (BackorderMode.NO_BACKORDERS,))

COLUMNS = (
    "Handle,Title,Body (HTML),Type,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,"
    "Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Barcode,Image Src,Image Alt Text,"
    "Variant Image"
)


def parsed(lines: Sequence[str]) -> list[Product]:
    return importing.parsed("shopify-products", lines)


def sheet(*rows: dict[str, str]) -> list[str]:
    """The lines of an export."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS.split(","), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().splitlines(keepends=True)


def row(handle: str = "mug", **cells: str) -> dict[str, str]:
    """A row of a product without options; ``title``, ``sku``, ``qty``, … by their short names."""
    return {
        "Handle": handle,
        "Title": cells.get("title", "Mug"),
        "Body (HTML)": cells.get("body", ""),
        "Type": cells.get("type", ""),
        "Published": cells.get("published", "true"),
        "Option1 Name": cells.get("option", "Title"),
        "Option1 Value": cells.get("value", "Default Title"),
        "Option2 Name": cells.get("option2", ""),
        "Option2 Value": cells.get("value2", ""),
        "Variant SKU": cells.get("sku", ""),
        "Variant Inventory Tracker": cells.get("tracker", "shopify"),
        "Variant Inventory Qty": cells.get("qty", "5"),
        "Variant Inventory Policy": cells.get("policy", "deny"),
        "Variant Barcode": cells.get("barcode", ""),
        "Image Src": cells.get("image", ""),
        "Image Alt Text": cells.get("alt", ""),
        "Variant Image": cells.get("variant_image", ""),
    }


PRESENT = (
    "Title,URL handle,Description,Type,Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,"
    "Inventory tracker,Inventory quantity,Continue selling when out of stock,Product image URL,Image alt text"
)


def test_the_headers_of_today_are_read_as_the_older_ones() -> None:
    (product,) = parsed(
        [
            f"{PRESENT}\n",
            "Tee,tee,Of cotton,Clothing,TRUE,Active,TEE-S,401,Size,S,shopify,3,DENY,https://x/t.jpg,Front\n",
            ",tee,,,,,TEE-M,,,M,,4,CONTINUE,,\n",
        ]
    )

    assert product == Product(
        line=2,
        identity=Identity.SLUG,
        sku_stem="tee",
        slug="tee",
        name="Tee",
        description="Of cotton",
        category=("Clothing",),
        published=True,
        images=(Image("https://x/t.jpg", "Front"),),
        options=(Option("Size", (OptionValue("S"), OptionValue("M"))),),
        tracking=InventoryTracking.TRACK_WITH_OPTIONS,
        variants=(
            Variant(
                line=2,
                choice=(("Size", "S"),),
                sku="TEE-S",
                barcode="401",
                settings={"manage_stock": COUNTED, "backorders": DENY},
                counts=(Counted(2, Decimal(3)),),
            ),
            Variant(
                line=3,
                choice=(("Size", "M"),),
                sku="TEE-M",
                settings={"manage_stock": False, "backorders": CONTINUE},
                counts=(Counted(3, Decimal(4)),),
            ),
        ),
    )


def test_columns_that_were_left_out_say_nothing() -> None:
    (product,) = parsed(["Handle,Title,Variant SKU\n", "mug,Mug,MUG\n"])

    assert product == Product(
        line=2,
        identity=Identity.SLUG,
        sku_stem="mug",
        slug="mug",
        name="Mug",
        sku="MUG",
        tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
    )


def test_a_sku_is_read_in_its_one_spelling() -> None:
    (product,) = parsed(sheet(row(sku="CAFE\u0301\u200b")))

    assert product.sku == "CAFÉ"


def variant(handle: str = "tee", **cells: str) -> dict[str, str]:
    """A further row of a product with options: it repeats the handle only."""
    return row(handle, **{"title": "", "published": "", "option": "", **cells})


def picture(handle: str, image: str, alt: str = "") -> dict[str, str]:
    return {"Handle": handle, "Image Src": image, "Image Alt Text": alt}


def refused(*rows: dict[str, str]) -> list[str]:
    with pytest.raises(Refused) as caught:
        parsed(sheet(*rows))
    return [refusal.message for refusal in caught.value.refusals]


def test_a_lone_default_title_is_a_product_without_options() -> None:
    (product,) = parsed(sheet(row(title="Blue mug", body="Of enamel.", type="Kitchen", sku="M-1", barcode="401")))

    assert product == Product(
        line=2,
        identity=Identity.SLUG,
        sku_stem="mug",
        slug="mug",
        sku="M-1",
        name="Blue mug",
        description="Of enamel.",
        barcode="401",
        category=("Kitchen",),
        published=True,
        tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
        settings={"manage_stock": COUNTED, "backorders": DENY},
        counts=(Counted(2, Decimal(5)),),
    )


def test_option_columns_make_options_in_the_order_of_the_file() -> None:
    (product,) = parsed(
        sheet(
            row("tee", option="Size", value="M", option2="Color", value2="Red"),
            variant(value="S", value2="Red"),
            variant(value="S", value2="Blue"),
        )
    )

    assert product.options == (
        Option("Size", (OptionValue("M"), OptionValue("S"))),
        Option("Color", (OptionValue("Red"), OptionValue("Blue"))),
    )
    assert [v.choice for v in product.variants] == [
        (("Size", "M"), ("Color", "Red")),
        (("Size", "S"), ("Color", "Red")),
        (("Size", "S"), ("Color", "Blue")),
    ]
    assert product.tracking is InventoryTracking.TRACK_WITH_OPTIONS


def test_an_option_named_title_with_other_values_is_an_option() -> None:
    (product,) = parsed(sheet(row(value="Dr."), variant("mug", value="Prof.")))

    assert product.options == (Option("Title", (OptionValue("Dr."), OptionValue("Prof."))),)


def test_pictures_on_rows_of_their_own_belong_to_the_product() -> None:
    (product,) = parsed(
        sheet(
            row(image="https://x/1.jpg", alt="Front"),
            picture("mug", "https://x/2.jpg"),
            picture("mug", "https://x/1.jpg"),
        )
    )

    assert product.images == (Image("https://x/1.jpg", "Front"), Image("https://x/2.jpg"))
    assert product.variants == ()


def test_the_rows_of_a_handle_need_not_stand_together() -> None:
    products = parsed(
        sheet(row("tee", option="Size", value="S", qty="1"), row("mug"), variant("tee", value="M", qty="2"))
    )

    assert [(p.slug, [(count.line, count.on_hand) for count in p.all_counts()]) for p in products] == [
        ("tee", [(2, Decimal(1)), (4, Decimal(2))]),
        ("mug", [(3, Decimal(5))]),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    lines = sheet(row())

    assert parsed(["\ufeff" + lines[0], *lines[1:]]) == parsed(lines)


def test_lines_are_counted_as_in_the_file_where_values_have_newlines() -> None:
    assert refused(row(body="One\n\nthree"), row("cup", qty="many")) == [
        "Line 5: Variant Inventory Qty 'many' is not a quantity."
    ]


def test_an_empty_tracker_is_not_counted_and_its_quantity_is_read_all_the_same() -> None:
    (product,) = parsed(sheet(row(tracker="", qty="3", policy="continue")))

    assert product.settings == {"manage_stock": False, "backorders": CONTINUE}
    assert product.counts == (Counted(2, Decimal(3)),)


@pytest.mark.parametrize(("published", "expected"), [("true", True), ("TRUE", True), ("", True), ("false", False)])
def test_published_says_whether_the_product_is(published: str, expected: bool) -> None:
    (product,) = parsed(sheet(row(published=published)))

    assert product.published is expected


def test_units_given_twice_for_one_item_are_one_count() -> None:
    (product,) = parsed(sheet(row(qty="3"), row(qty="3"), row(qty="")))

    assert product.counts == (Counted(2, Decimal(3)),)


def test_a_variant_that_contradicts_itself_is_refused() -> None:
    assert refused(row(qty="3"), row(qty="4")) == [
        "Line 3: The same variant is on line 2 with a different Variant Inventory Qty."
    ]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"qty": "1.23456"}, "Variant Inventory Qty '1.23456' is not a quantity."),
        ({"policy": "maybe"}, "Variant Inventory Policy is 'maybe'; expected deny or continue."),
        ({"published": "perhaps"}, "Published is 'perhaps'; expected true or false."),
        ({"title": ""}, "The Title must not be empty."),
        ({"handle": "my mug"}, "The Handle is 'my mug'; expected letters, digits and dashes."),
        ({"type": "***"}, "The Type '***' has no letters or digits to generate a category slug from."),
        ({"option": "", "value": "S"}, "Option1 Value is 'S', but Option1 Name is missing."),
        ({"option": "Size", "value": ""}, "Option1 Value is missing; every variant must have a value of Size."),
        ({"option2": "Title", "value2": "X"}, "Two options have the same name."),
    ],
)
def test_what_is_wrong_is_told_by_its_line(cells: dict[str, str], told: str) -> None:
    assert refused(row(**cells)) == [f"Line 2: {told}"]


def test_everything_that_is_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    assert refused(row(qty="x"), row("", title="Lost"), row("cup", policy="?")) == [
        "Line 2: Variant Inventory Qty 'x' is not a quantity.",
        "Line 3: The Handle is missing.",
        "Line 4: Variant Inventory Policy is '?'; expected deny or continue.",
    ]


def test_more_faults_than_a_person_reads_are_counted() -> None:
    told = refused(*(row(f"mug-{number}", qty="x") for number in range(25)))

    assert len(told) == 21
    assert told[-1] == "And 5 more."


def test_an_option_has_one_name() -> None:
    assert refused(row("tee", option="Size", value="S"), variant(option="Length", value="M")) == [
        "Line 3: Option1 Name is 'Length', but 'Size' on an earlier line."
    ]


def test_missing_columns_are_named() -> None:
    with pytest.raises(Refused) as caught:
        parsed(["Title,Vendor\n", "Mug,me\n"])

    assert str(caught.value) == (
        'The header has no column Handle; it has: Title, Vendor. If it has another name: --column "NAME=Handle".'
    )


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(Refused, match="The file is empty"):
        parsed([])


def test_a_quote_that_never_ends_is_refused_instead_of_swallowing_the_rest() -> None:
    with pytest.raises(Refused) as caught:
        parsed([*sheet(row()), '"mug,Mug\n', "cup,Cup\n"])

    assert str(caught.value) == "Line 3: invalid CSV: unexpected end of data."


def test_a_row_with_too_many_values_is_refused() -> None:
    lines = sheet(row())

    with pytest.raises(Refused, match="Line 3: The row has 18 values, but there are 17 columns"):
        parsed([*lines, lines[1].strip() + ",more\n"])
