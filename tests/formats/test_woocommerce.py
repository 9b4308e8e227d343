"""WooCommerce's product export, with the warts that real files have."""

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.formats import woocommerce, woocommerce_cells, woocommerce_variations
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

COLUMNS = [
    *("ID", "Type", "SKU", "GTIN, UPC, EAN, or ISBN", "Name", "Published", "Visibility in catalog", "Description"),
    *("In stock?", "Stock", "Low stock amount", "Backorders allowed?", "Sold individually?", "Categories", "Images"),
    *("Parent", "Attribute 1 name", "Attribute 1 value(s)", "Attribute 2 name", "Attribute 2 value(s)"),
]
SHORT = {
    "type": "Type",
    "sku": "SKU",
    "gtin": "GTIN, UPC, EAN, or ISBN",
    "name": "Name",
    "published": "Published",
    "visibility": "Visibility in catalog",
    "description": "Description",
    "in_stock": "In stock?",
    "stock": "Stock",
    "low": "Low stock amount",
    "backorders": "Backorders allowed?",
    "individually": "Sold individually?",
    "categories": "Categories",
    "images": "Images",
    "parent": "Parent",
    "name1": "Attribute 1 name",
    "value1": "Attribute 1 value(s)",
    "name2": "Attribute 2 name",
    "value2": "Attribute 2 value(s)",
}
Cells = dict[str, str]


def row(number: int, **cells: str) -> Cells:
    """A row of a simple product, by the short names of its cells."""
    said = {"type": "simple", "name": "Mug", "published": "1", "in_stock": "1", "stock": "5", **cells}
    return {"ID": str(number), **{SHORT[name]: value for name, value in said.items()}}


def variable(number: int = 44, **cells: str) -> Cells:
    """A row of a variable product: Color is Red or Blue."""
    color = {"name1": "Color", "value1": "Red, Blue"}
    return row(number, **{"type": "variable", "name": "Tee", "stock": "", "sku": "TEE", **color, **cells})


def variation(number: int, color: str, **cells: str) -> Cells:
    """A row of a variation of that product."""
    said = {"type": "variation", "name": f"Tee - {color}", "parent": "TEE", "name1": "Color", "value1": color}
    return row(number, **{**said, **cells})


def sheet(*rows: Cells, without: Sequence[str] = ()) -> list[str]:
    """The lines of an export; ``without`` some columns."""
    text = io.StringIO(newline="")
    columns = [name for name in COLUMNS if name not in without]
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().splitlines(keepends=True)


def parsed(*rows: Cells, context: Context | None = None, without: Sequence[str] = ()) -> list[Product]:
    return importing.parsed("woocommerce", sheet(*rows, without=without), context)


def refused(*rows: Cells) -> list[str]:
    with pytest.raises(Refused) as caught:
        parsed(*rows)
    return [refusal.message for refusal in caught.value.refusals]


def remarks(kind: RemarkKind, *rows: Cells, **options: Any) -> dict[str, str]:
    """What is said of a file, by reason."""
    context = Context(Options(**options))
    parsed(*rows, context=context)
    return importing.remarks(context.report, kind)


def test_a_simple_product_is_one_item() -> None:
    cells = {"name": "Blue mug", "sku": "MUG", "gtin": "401", "description": "Of enamel.", "backorders": "0"}

    assert parsed(row(7, **cells, low="2", individually="0", categories="Kitchen > Cups")) == [
        Product(
            line=2,
            identity=Identity.SKU,
            sku_stem="MUG",
            sku="MUG",
            earlier_sku="WC-7",
            name="Blue mug",
            description="Of enamel.",
            barcode="401",
            category=("Kitchen", "Cups"),
            published=True,
            inventory_status=InventoryStatus.IN_STOCK,
            tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
            settings={
                "manage_stock": COUNTED,
                "backorders": DENY,
                "notify_below": Decimal(3),
                "maximum_order_quantity": UNSET,
            },
            counts=(Counted(2, Decimal(5)),),
        )
    ]


def test_columns_that_were_left_out_say_nothing() -> None:
    (product,) = importing.parsed("woocommerce", ["Type,Name,SKU\n", "simple,Mug,MUG\n"])

    assert product == Product(
        line=2,
        identity=Identity.SKU,
        sku_stem="MUG",
        sku="MUG",
        name="Mug",
        tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
    )


def test_variations_stand_anywhere_and_make_combinations_of_the_attributes_that_they_name() -> None:
    early = variation(40, "Blue", stock="3", sku="TEE-B", gtin="402", images="https://x/b.jpg", backorders="notify")
    tee = variable(name2="Fabric", value2="Cotton", images="https://x/1.jpg, https://x/2.jpg")
    tee_of_file, mug = parsed(early, row(43), tee, variation(90, "Red", stock="1.5", parent="id:44", low="0"))

    assert mug.name == "Mug"
    assert tee_of_file == Product(
        line=4,
        identity=Identity.SKU,
        sku_stem="TEE",
        sku="TEE",
        earlier_sku="WC-44",
        name="Tee",
        published=True,
        images=(Image("https://x/1.jpg"), Image("https://x/2.jpg")),
        options=(Option("Color", (OptionValue("Red"), OptionValue("Blue"))),),
        tracking=InventoryTracking.TRACK_WITH_OPTIONS,
        settings={"notify_below": UNSET},
        variants=(
            Variant(
                line=2,
                choice=(("Color", "Blue"),),
                sku="TEE-B",
                barcode="402",
                images=(Image("https://x/b.jpg"),),
                settings={
                    "manage_stock": COUNTED,
                    "backorders": BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,
                    "notify_below": UNSET,
                },
                counts=(Counted(2, Decimal(3)),),
            ),
            Variant(
                line=5,
                choice=(("Color", "Red"),),
                settings={"manage_stock": COUNTED, "notify_below": Decimal(1), "quantity_uses_decimals": True},
                counts=(Counted(5, Decimal("1.5")),),
            ),
        ),
    )


def test_a_parent_is_named_by_its_sku_in_any_capitals() -> None:
    (tee,) = parsed(variable(), variation(45, "Red", parent="tee"))

    assert len(tee.variants) == 1


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    lines = sheet(row(7))

    assert importing.parsed("woocommerce", ["\ufeff" + lines[0], *lines[1:]])[0].sku_stem == "WC-7"


def test_skus_are_made_of_ids_alone_because_names_occur_twice_and_are_corrected() -> None:
    assert [one.wanted_sku for one in parsed(row(7), row(8), row(9, name="Cup"))] == ["WC-7", "WC-8", "WC-9"]


def test_a_made_sku_that_another_row_gives_is_refused() -> None:
    assert refused(row(7), row(8, sku="wc-7")) == [
        "Line 2: The SKU generated from the ID would be WC-7, but another row has it. Give this product a SKU."
    ]


def test_the_sku_that_was_made_before_is_not_another_rows_sku() -> None:
    first, second = parsed(row(7, sku="MUG"), row(8, sku="WC-7"))

    assert (first.earlier_sku, second.earlier_sku) == (None, "WC-8")


@pytest.mark.parametrize("kind", ["simple, virtual", "simple, downloadable, virtual", "virtual, simple", "Simple"])
def test_marks_behind_the_type_do_not_change_what_it_is(kind: str) -> None:
    (product,) = parsed(row(7, type=kind))

    assert product.tracking is InventoryTracking.TRACK_WITHOUT_OPTIONS


def test_virtual_variable_products_have_variations() -> None:
    (tee,) = parsed(variable(type="variable, virtual"), variation(45, "Red", type="variation, virtual"))

    assert [one.choice for one in tee.variants] == [(("Color", "Red"),)]


def test_types_without_a_counterpart_are_reported() -> None:
    rows = (
        row(7, type="grouped", sku="SET"),
        row(8, type="external"),
        row(9, type="variable-subscription", sku="SUB"),
        row(10, type="subscription_variation", parent="SUB"),
        row(11, type="simple, virtual", stock="", sku="BOOK"),
    )

    assert remarks(RemarkKind.NOT_CARRIED, *rows) == {
        woocommerce.GROUPED: "1 (SET)",
        woocommerce.EXTERNAL: "1 (id:8)",
        woocommerce.OTHER_TYPES: "2 (SUB, id:10)",
        woocommerce.MARKS: "1 (BOOK)",
    }


def test_a_comma_within_a_value_follows_a_backslash() -> None:
    tee = variable(value1="Red\\, light, Blue", categories="Clothing\\, new, Sale\\, all > Tees\\, long")
    (product,) = parsed(tee, variation(45, "Red\\, light"))

    assert product.options == (Option("Color", (OptionValue("Red, light"), OptionValue("Blue"))),)
    assert product.variants[0].choice == (("Color", "Red, light"),)
    assert product.category == ("Sale, all", "Tees, long")


def test_newlines_of_a_description_are_two_signs_and_a_backslash_before_an_n_is_doubled() -> None:
    (product,) = parsed(row(7, description=r"One\ntwo, C:\\new"))

    assert product.description == "One\ntwo, C:\\new"


def test_names_of_terms_are_read_without_entities() -> None:
    (product,) = parsed(
        variable(categories="Food &amp; Drink", value1="Salt &amp; Pepper"), variation(45, "Salt & Pepper")
    )

    assert product.category == ("Food & Drink",)
    assert product.options == (Option("Color", (OptionValue("Salt & Pepper"),)),)


def test_hand_made_headers_have_other_capitals() -> None:
    lines = [
        "TYPE,Sku,name,STOCK,parent,Attribute 1 Name,Attribute 1 Value(s)\n",
        'variable,TEE,Tee,,,Color,"Red, Blue"\n',
        "variation,,,4,TEE,color,RED\n",
    ]
    (product,) = importing.parsed("woocommerce", lines)

    assert [(one.choice, one.counts) for one in product.variants] == [
        ((("Color", "Red"),), (Counted(3, Decimal(4)),)),
    ]


def test_guards_against_formulas_are_taken_off() -> None:
    (product,) = parsed(row(7, sku="'-MUG", stock="'-3", description="'+1", name="'quoted'"))

    assert (product.sku, product.description, product.name) == ("-MUG", "+1", "'quoted'")
    assert product.counts == (Counted(2, Decimal(-3)),)


def test_an_attribute_of_which_every_variation_takes_any_value_is_an_option_to_show() -> None:
    tee = variable(name2="Size", value2="S, M")
    (product,) = parsed(tee, variation(45, "Red", name2="Size"), variation(46, "Blue", name2="Size"))

    assert product.options == (
        Option("Color", (OptionValue("Red"), OptionValue("Blue"))),
        Option("Size", (OptionValue("S"), OptionValue("M")), inventory=False),
    )
    assert [one.choice for one in product.variants] == [(("Color", "Red"),), (("Color", "Blue"),)]


def test_attributes_are_matched_by_name_and_not_by_number() -> None:
    tee = variable(name2="Size", value2="S, M")
    (product,) = parsed(
        tee, row(45, type="variation", parent="TEE", name1="Size", value1="M", name2="Color", value2="Red")
    )

    assert product.variants[0].choice == (("Color", "Red"), ("Size", "M"))


def test_a_variation_with_any_value_beside_others_that_choose_one_is_left_out() -> None:
    rows = (variable(), variation(45, "Red", low="1"), variation(46, "", sku="ANY", stock="4"))

    assert remarks(RemarkKind.NOT_CARRIED, *rows) == {woocommerce_variations.SOME_ANY: "1, 4 units (ANY)"}
    (product,) = parsed(*rows)
    assert [one.choice for one in product.variants] == [(("Color", "Red"),)]


def test_a_lone_variation_that_takes_any_value_is_the_whole_product() -> None:
    rows = (variable(low="4"), variation(45, "", sku="TEE-ANY", stock="4", gtin="401", backorders="1"))
    (product,) = parsed(*rows)

    assert (product.sku, product.barcode, product.variants) == ("TEE", "401", ())
    assert product.tracking is InventoryTracking.TRACK_WITHOUT_OPTIONS
    assert product.options == (Option("Color", (OptionValue("Red"), OptionValue("Blue")), inventory=False),)
    assert product.settings == {
        "manage_stock": COUNTED,
        "backorders": BackorderMode.ALLOW,
        "notify_below": Decimal(5),
    }
    assert product.counts == (Counted(3, Decimal(4)),)
    assert remarks(RemarkKind.NOT_CARRIED, *rows) == {woocommerce_variations.WHOLE_PRODUCT: "1 (TEE-ANY)"}


def test_variations_that_all_take_any_value_are_refused() -> None:
    assert refused(variable(), variation(45, ""), variation(46, "")) == [
        "Line 4: This variation and line 3 both accept any value of every attribute. Export all attributes."
    ]


def test_variations_that_all_sell_the_stock_of_their_parent_are_not_counted_themselves() -> None:
    tee = variable(stock="8", low="2", backorders="1")
    (product,) = parsed(tee, variation(45, "Red", stock="parent", sku="R"), variation(46, "Blue", stock="parent"))

    assert product.tracking is InventoryTracking.TRACK_WITHOUT_OPTIONS
    assert product.counts == (Counted(2, Decimal(8)),)
    assert product.settings == {
        "manage_stock": COUNTED,
        "backorders": BackorderMode.ALLOW,
        "notify_below": Decimal(3),
    }
    assert product.variants == (
        Variant(3, (("Color", "Red"),), sku="R"),
        Variant(4, (("Color", "Blue"),)),
    )


def test_a_variation_that_shares_its_parents_stock_beside_others_with_their_own_is_reported() -> None:
    rows = (variable(stock="8"), variation(45, "Red", stock="parent", sku="R"), variation(46, "Blue", stock="2"))

    assert remarks(RemarkKind.TO_CHECK, *rows)[woocommerce_variations.SHARED_STOCK] == "1 (R)"
    (product,) = parsed(*rows)
    assert product.tracking is InventoryTracking.TRACK_WITH_OPTIONS
    assert product.counts == (Counted(2, Decimal(8)),)
    assert [one.counts for one in product.variants] == [(), (Counted(4, Decimal(2)),)]


def test_a_variation_that_is_switched_off_makes_no_combination() -> None:
    rows = (variable(), variation(45, "Red"), variation(46, "Blue", published="0", sku="B", stock="3"))

    assert remarks(RemarkKind.NOT_CARRIED, *rows) == {woocommerce_variations.SWITCHED_OFF: "1, 3 units (B)"}
    (product,) = parsed(*rows)
    assert [one.choice for one in product.variants] == [(("Color", "Red"),)]


def test_a_variable_product_without_variations_has_nothing_to_sell() -> None:
    assert remarks(RemarkKind.TO_CHECK, variable()) == {woocommerce_variations.NO_VARIATIONS: "1 (TEE)"}
    (product,) = parsed(variable())
    assert (product.tracking, product.options, product.variants) == (InventoryTracking.TRACK_WITH_OPTIONS, (), ())


@pytest.mark.parametrize(
    ("in_stock", "status"),
    [("1", InventoryStatus.IN_STOCK), ("0", InventoryStatus.OUT_OF_STOCK), ("backorder", InventoryStatus.IN_STOCK)],
)
def test_the_status_of_what_is_not_counted_is_that_of_the_file(in_stock: str, status: InventoryStatus) -> None:
    (product,) = parsed(row(7, stock="", in_stock=in_stock))

    assert (product.inventory_status, product.counts) == (status, ())
    assert product.settings == {"manage_stock": False, "notify_below": UNSET}


def test_what_is_on_backorder_without_being_counted_is_reported() -> None:
    assert remarks(RemarkKind.NOT_CARRIED, row(7, stock="", in_stock="backorder", sku="MUG")) == {
        woocommerce_cells.ON_BACKORDER: "1 (MUG)"
    }


def test_a_variation_that_is_out_of_stock_without_being_counted_is_counted_with_0() -> None:
    rows = (variable(), variation(45, "Red", stock="", in_stock="0", sku="R"), variation(46, "Blue", stock=""))
    (product,) = parsed(*rows)

    assert [(one.settings["manage_stock"], one.counts) for one in product.variants] == [
        (COUNTED, (Counted(3, Decimal(0)),)),
        (False, ()),
    ]
    assert remarks(RemarkKind.TO_CHECK, *rows) == {woocommerce_cells.COUNTED_AS_NONE: "1 (R)"}


def test_a_person_should_look_at_what_the_file_leaves_open() -> None:
    rows = (row(7, sku="A", low="3"), row(8, sku="B", in_stock="0"), row(9, sku="C", stock="0", visibility="search"))

    assert remarks(RemarkKind.TO_CHECK, *rows) == {
        woocommerce_cells.MARKED_OUT: "1, 5 units (B)",
        woocommerce_cells.THRESHOLD: "2 (B, C)",
        woocommerce.HIDDEN: "1 (C)",
    }


def test_a_file_without_stock_says_that_nothing_is_counted() -> None:
    context = Context()
    (product,) = parsed(row(7, sku="A"), context=context, without=["Stock"])

    assert (product.counts, product.inventory_status, product.settings) == ((), None, {"notify_below": UNSET})
    assert importing.remarks(context.report, RemarkKind.TO_CHECK) == {woocommerce_cells.NO_STOCK: "1 (A)"}


@pytest.mark.parametrize(
    ("given", "published"), [("1", True), ("0", False), ("-1", False), ("2", False), ("true", True), ("", None)]
)
def test_private_products_drafts_and_those_in_review_are_not_published(given: str, published: bool | None) -> None:
    (product,) = parsed(row(7, published=given))

    assert product.published is published


def test_a_product_that_is_sold_individually_is_ordered_once() -> None:
    (product,) = parsed(variable(individually="1"), variation(45, "Red", individually="1"))

    assert product.settings == {"notify_below": UNSET, "maximum_order_quantity": Decimal(1)}


def test_of_several_categories_the_deepest_is_kept_and_parents_are_no_others() -> None:
    rows = (
        row(7, sku="A", categories="Clothing, Clothing > Tees"),
        row(8, sku="B", categories="Sale, Kitchen > Cups, Garden > Pots"),
    )

    assert [one.category for one in parsed(*rows)] == [("Clothing", "Tees"), ("Kitchen", "Cups")]
    assert remarks(RemarkKind.NOT_CARRIED, *rows) == {woocommerce.MORE_CATEGORIES: "1 (B)"}


def test_pictures_without_an_address_need_one() -> None:
    mug = row(7, sku="A", images="cup.jpg, https://x/a\\,b.jpg")

    assert remarks(RemarkKind.NOT_CARRIED, mug) == {woocommerce_cells.PICTURES: "1 (A)"}
    (product,) = parsed(mug, context=Context(Options(base_url="https://shop/uploads")))
    assert product.images == (Image("https://shop/uploads/cup.jpg"), Image("https://x/a,b.jpg"))


def test_attributes_and_texts_that_have_no_place_here_are_counted() -> None:
    rows = (
        row(7, sku="A", name1="Fabric", value1="Cotton"),
        variable(name2="Cut", value2="Slim"),
        variation(45, "Red", sku="R", description="Like a rose."),
    )

    assert remarks(RemarkKind.NOT_CARRIED, *rows) == {
        woocommerce_variations.ATTRIBUTES: "2 (A, TEE)",
        woocommerce_variations.DESCRIPTIONS: "1 (R)",
    }


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"stock": "many"}, "Stock 'many' is not a quantity."),
        (
            {"stock": "parent"},
            "Stock is 'parent', but the product has none; expected a number, or nothing if it is not counted.",
        ),
        ({"low": "few"}, "Low stock amount 'few' is not a quantity."),
        ({"published": "soon"}, "Published is 'soon'; expected 1, 0, -1 or 2."),
        ({"in_stock": "perhaps"}, "In stock? is 'perhaps'; expected 1, 0 or backorder."),
        ({"backorders": "maybe"}, "Backorders allowed? is 'maybe'; expected 0, 1 or notify."),
        ({"individually": "2"}, "Sold individually? is '2'; expected 1 or 0."),
        ({"type": "variation"}, "The Parent is missing; a variation names its product by SKU, or as id:20."),
        ({"type": "variation", "parent": "id:20"}, "The Parent 'id:20' is not in the file."),
    ],
)
def test_what_is_wrong_is_told_by_its_line(cells: dict[str, str], told: str) -> None:
    assert refused(row(7, **cells)) == [f"Line 2: {told}"]


def test_a_product_without_sku_and_id_could_not_be_found_again() -> None:
    with pytest.raises(Refused) as caught:
        importing.parsed("woocommerce", ["Type,Name\n", "simple,Mug\n"])

    assert str(caught.value) == (
        "Line 2: SKU and ID are both missing; one of them is required to identify the product."
    )


def test_an_id_is_one_number_of_one_product() -> None:
    assert refused({**row(7), "ID": "x7"}, row(8), row(8, name="Cup")) == [
        "Line 2: The ID is 'x7'; expected a number.",
        "Line 4: The ID 8 already appears on line 3.",
    ]


def test_a_variation_has_one_value_of_an_attribute() -> None:
    assert refused(variable(), variation(45, "Red, Blue")) == [
        "Line 3: Color has 2 values, but a variation has one. Escape a comma in it as \\,"
    ]


def test_a_simple_product_has_no_variations() -> None:
    assert refused(row(7, sku="TEE"), variation(45, "Red")) == [
        "Line 3: The Parent on line 2 is simple; only variable products have variations."
    ]


def test_two_variations_are_not_of_the_same_values() -> None:
    assert refused(variable(), variation(45, "Red"), variation(46, "red")) == [
        "Line 4: The combination Red already appears on line 3."
    ]


def test_translated_columns_are_named_by_hand() -> None:
    lines = ["ID,Typ,Name,Lager\n", "7,simple,Becher,5\n"]
    with pytest.raises(Refused) as caught:
        importing.parsed("woocommerce", lines)
    assert str(caught.value) == (
        'The header has no column Type; it has: ID, Typ, Name, Lager. If it has another name: --column "NAME=Type".'
    )

    (product,) = importing.parsed("woocommerce", lines, Context(Options(columns={"Typ": "Type", "Lager": "Stock"})))
    assert product.counts == (Counted(2, Decimal(5)),)


async def test_a_corrected_file_changes_what_was_corrected(db: None) -> None:
    await make.warehouse("BERLIN")
    wrong = sheet(row(7), row(8, name="Cup"), variable(sku=""), variation(45, "Red", parent="id:44"))
    made = await importing.run("woocommerce", wrong, warehouse="BERLIN")
    assert importing.figures(made) == {"products_made": 3, "combinations_made": 1, "counted": 3}
    assert importing.remarks(made, RemarkKind.MADE_UP) == {"SKUs missing from the file": "4 (WC-7, WC-8, WC-44, …)"}

    right = sheet(
        row(7, name="Blue mug"),
        row(8, name="Cup", sku="CUP"),
        variable(sku=""),
        variation(45, "Red", parent="id:44", stock="6"),
    )
    corrected = await importing.run("woocommerce", right, warehouse="BERLIN")

    assert importing.figures(corrected) == {"products_changed": 2, "counted": 1}
    assert importing.figures(await importing.run("woocommerce", right, warehouse="BERLIN")) == {}


def test_a_variation_without_sku_and_id_is_called_by_its_name_or_its_parents() -> None:
    lines = [
        "Type,SKU,Name,Parent,Published,Attribute 1 name,Attribute 1 value(s)\n",
        "variable,TEE,Tee,,1,Color,Red\n",
        "variation,,,TEE,0,Color,Red\n",
    ]
    context = Context()
    importing.parsed("woocommerce", lines, context)

    assert importing.remarks(context.report, RemarkKind.NOT_CARRIED) == {woocommerce_variations.SWITCHED_OFF: "1 (TEE)"}
