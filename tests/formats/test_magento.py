"""Magento's product export, with the warts that real files have."""

import csv
import io
from collections.abc import Sequence
from decimal import Decimal

import pytest

from gqlstock.formats import magento, magento_stock
from gqlstock.formats.format import Context, Options
from gqlstock.formats.records import UNSET, Counted, Identity, Product, Variant
from gqlstock.rules.catalog import Image, InventoryStatus, InventoryTracking, Option, OptionValue
from gqlstock.rules.import_report import RemarkKind
from gqlstock.rules.refusals import Refused
from support import importing

BASE = "https://shop.example/media/catalog/product"
Cells = dict[str, str]


def sheet(*rows: Cells) -> list[str]:
    """The lines of an export with the columns that the rows have."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, dict.fromkeys(name for row in rows for name in row), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().splitlines(keepends=True)


def simple(sku: str = "MUG", **cells: str) -> Cells:
    return {"sku": sku, "store_view_code": "", "product_type": "simple", "name": "Mug", **cells}


def child(sku: str, **cells: str) -> Cells:
    return simple(sku, visibility="Not Visible Individually", **cells)


def configurable(sku: str = "TEE", variations: str = "", labels: str = "", **cells: str) -> Cells:
    of_children = {"configurable_variations": variations, "configurable_variation_labels": labels}
    return {**simple(sku, **cells), "product_type": "configurable", "name": "Tee", **of_children}


def parsed(*rows: Cells, context: Context | None = None) -> list[Product]:
    return importing.parsed("magento-products", sheet(*rows), context)


def refused(*rows: Cells) -> list[str]:
    with pytest.raises(Refused) as caught:
        parsed(*rows)
    return [refusal.message for refusal in caught.value.refusals]


def not_carried(context: Context) -> dict[str, str]:
    return importing.remarks(context.report, RemarkKind.NOT_CARRIED)


def to_check(context: Context) -> dict[str, str]:
    return importing.remarks(context.report, RemarkKind.TO_CHECK)


def test_a_simple_product_comes_over_with_all_that_it_says() -> None:
    context = Context(Options(base_url=BASE))

    (product,) = parsed(
        simple(
            "MUG 1,2/3",
            categories="Default Category/Home,Default Category/Home/Kitchen",
            description="<p>Of enamel.</p>",
            url_key="blue_mug",
            product_online="1",
            base_image="/m/u/mug.jpg",
            base_image_label="Front, blue",
            additional_images="/m/u/mug.jpg,/m/u/mug_back.jpg,no_selection",
            additional_image_labels="Again,Back,",
            additional_attributes="has_options=0,ean=4006381333931,color=Blue",
            qty="12.0000",
            is_in_stock="1",
            notify_on_stock_below="3",
            use_config_notify_stock_qty="0",
        ),
        context=context,
    )

    assert product == Product(
        line=2,
        identity=Identity.SKU,
        sku_stem="MUG 1,2/3",
        sku="MUG 1,2/3",
        slug="blue-mug",
        name="Mug",
        description="<p>Of enamel.</p>",
        barcode="4006381333931",
        category=("Home", "Kitchen"),
        published=True,
        inventory_status=InventoryStatus.IN_STOCK,
        images=(Image(f"{BASE}/m/u/mug.jpg", "Front, blue"), Image(f"{BASE}/m/u/mug_back.jpg", "Back")),
        tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
        settings={"notify_below": Decimal(3)},
        counts=(Counted(2, Decimal(12)),),
    )
    assert not_carried(context) == {}
    assert to_check(context) == {magento.QUANTITIES: "1"}


def test_columns_that_were_left_out_say_nothing() -> None:
    (product,) = importing.parsed("magento-products", ["sku,product_type\n", "MUG,virtual\n"])

    assert product == Product(
        line=2,
        identity=Identity.SKU,
        sku_stem="MUG",
        sku="MUG",
        tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
    )


def test_a_configurable_and_its_children_are_one_product_wherever_they_stand() -> None:
    variations = "sku=TEE-S,size=S,color=Red|sku=TEE-M,size=M,color=Red"
    config = {"manage_stock": "0", "use_config_manage_stock": "1"}

    product, mug = parsed(
        child("TEE-S", qty="4", **config),
        simple("MUG", qty="1"),
        configurable("TEE", variations, "size=Size,color=Colour", qty="9", is_in_stock="1"),
        child("TEE-M", qty="0", additional_attributes="ean=401"),
    )

    assert product == Product(
        line=4,
        identity=Identity.SKU,
        sku_stem="TEE",
        sku="TEE",
        name="Tee",
        inventory_status=InventoryStatus.IN_STOCK,
        options=(
            Option("Size", (OptionValue("S"), OptionValue("M"))),
            Option("Colour", (OptionValue("Red"),)),
        ),
        tracking=InventoryTracking.TRACK_WITH_OPTIONS,
        variants=(
            Variant(
                line=2,
                choice=(("Size", "S"), ("Colour", "Red")),
                sku="TEE-S",
                settings={"manage_stock": UNSET},
                counts=(Counted(2, Decimal(4)),),
            ),
            Variant(
                line=5,
                choice=(("Size", "M"), ("Colour", "Red")),
                sku="TEE-M",
                barcode="401",
                counts=(Counted(5, Decimal(0)),),
            ),
        ),
    )
    assert (mug.sku, mug.counts) == ("MUG", (Counted(3, Decimal(1)),))


def test_a_child_is_known_whatever_its_case_and_keeps_that_of_its_own_row() -> None:
    (product,) = parsed(configurable("TEE", "sku=tee-s,size=S"), child("TEE-S"))

    assert [one.sku for one in product.variants] == ["TEE-S"]


def test_a_value_that_the_configurable_leaves_out_is_the_child_s_own() -> None:
    variations, labels = "sku=A,size=S|sku=B,size=M|sku=C,size=L", "size=Size,color=Colour,fit=Fit"
    children = (
        child("A", additional_attributes="color=Red,fit=Slim"),
        child("B", additional_attributes='color="Blue, dark",fit="Slim"'),
        child("C", color="Green", fit="Wide"),
    )

    context = Context()

    (product,) = parsed(configurable("TEE", variations, labels), *children, context=context)

    assert [dict(one.choice) for one in product.variants] == [
        {"Size": "S", "Colour": "Red", "Fit": "Slim"},
        {"Size": "M", "Colour": "Blue, dark", "Fit": "Slim"},
        {"Size": "L", "Colour": "Green", "Fit": "Wide"},
    ]
    assert context.used_columns == {"size", "color", "fit"}


def test_a_child_without_a_row_is_a_combination_without_stock() -> None:
    context = Context()

    (product,) = parsed(configurable("TEE", "sku=TEE-S,size=S"), context=context)

    assert product.variants == (Variant(2, (("size", "S"),), "TEE-S"),)
    assert to_check(context) == {magento.ABSENT: "1 (TEE-S)"}


def test_a_child_of_two_configurables_is_the_first_one_s() -> None:
    context = Context()

    shirt, tee = parsed(
        configurable("SHIRT", "sku=S,size=S"),
        child("S", qty="3"),
        configurable("TEE", "sku=S,size=S|sku=M,size=M"),
        child("M", qty="4"),
        context=context,
    )

    assert [one.sku for one in shirt.variants] == ["S"]
    assert [one.sku for one in tee.variants] == ["M"]
    assert not_carried(context) == {magento.OTHER_PARENT: "1 (S)"}


def test_a_child_that_is_offline_is_no_combination() -> None:
    context = Context()

    (product,) = parsed(
        configurable("TEE", "sku=S,size=S|sku=M,size=M"),
        child("S", qty="3", product_online="2"),
        child("M", qty="4", product_online="1"),
        context=context,
    )

    assert [one.sku for one in product.variants] == ["M"]
    assert product.options == (Option("size", (OptionValue("M"),)),)
    assert not_carried(context) == {magento.OFFLINE: "1, 3 units (S)"}


def test_a_child_that_is_sold_on_its_own_too_is_a_combination_only() -> None:
    context = Context()

    (product,) = parsed(configurable("TEE", "sku=S,size=S"), simple("S", visibility="Catalog, Search"), context=context)

    assert [one.sku for one in product.variants] == ["S"]
    assert not_carried(context) == {magento.SOLD_ALONE: "1 (S)"}


def test_units_of_a_child_that_is_out_of_stock_by_hand_are_counted_and_reported() -> None:
    context = Context()

    (product,) = parsed(configurable("TEE", "sku=S,size=S"), child("S", qty="3", is_in_stock="0"), context=context)

    assert product.variants[0].counts == (Counted(3, Decimal(3)),)
    assert to_check(context)[magento_stock.CHILD_OUT_OF_STOCK] == "1, 3 units (S)"


@pytest.mark.parametrize(
    ("parent", "of_child", "expected"),
    [
        ("1", "0", InventoryStatus.IN_STOCK),
        ("0", "1", InventoryStatus.OUT_OF_STOCK),
        ("0", "0", None),
        ("", "1", None),
    ],
)
def test_a_configurable_is_out_of_stock_by_hand_where_a_child_could_be_sold(
    parent: str, of_child: str, expected: InventoryStatus | None
) -> None:
    (product,) = parsed(
        configurable("TEE", "sku=S,size=S", is_in_stock=parent), child("S", qty="0", is_in_stock=of_child)
    )

    assert product.inventory_status is expected


def test_settings_of_a_configurable_are_not_those_of_its_children() -> None:
    context = Context()

    (product,) = parsed(
        configurable("TEE", "sku=S,size=S", min_cart_qty="5", use_config_min_sale_qty="0"), child("S"), context=context
    )

    assert product.settings == {}
    assert not_carried(context) == {magento.PARENT_SETTINGS: "1 (TEE)"}


def test_a_configurable_without_variations_is_made_and_reported() -> None:
    context = Context()

    (product,) = parsed(configurable("TEE"), context=context)

    assert (product.tracking, product.options) == (InventoryTracking.TRACK_WITH_OPTIONS, ())
    assert to_check(context) == {magento.NO_VARIATIONS: "1 (TEE)"}


def test_rows_of_a_store_view_are_counted_by_store_view() -> None:
    context = Context()

    (product,) = parsed(
        simple("MUG"),
        {"sku": "MUG", "store_view_code": "german", "product_type": "simple", "name": "Becher", "qty": ""},
        {"sku": "MUG", "store_view_code": "french", "product_type": "simple", "name": "Tasse"},
        {"sku": "", "store_view_code": "french", "product_type": "", "name": ""},
        context=context,
    )

    assert product.name == "Mug"
    assert not_carried(context) == {
        "rows of the store view german: texts and values": "1 (MUG)",
        "rows of the store view french: texts and values": "2 (MUG, …)",
    }


def test_rows_that_continue_the_row_above_are_counted() -> None:
    context = Context()

    (product,) = parsed(simple("MUG", image="/a.jpg"), {"sku": "", "_media_image": "/b.jpg"}, context=context)

    assert product.sku == "MUG"
    assert not_carried(context) == {magento.CONTINUED: "1", magento.PICTURES: "1 (MUG)"}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("grouped", magento.GROUPED),
        ("bundle", magento.GROUPED),
        ("giftcard", magento.OTHER_TYPES),
        ("subscription", magento.OTHER_TYPES),
    ],
)
def test_products_of_other_types_are_left_out_and_reported(kind: str, reason: str) -> None:
    context = Context()

    assert parsed({**simple("SET"), "product_type": kind}, context=context) == []
    assert not_carried(context) == {reason: "1 (SET)"}


@pytest.mark.parametrize(("online", "expected"), [("1", True), ("2", False), ("0", False), ("", None)])
def test_published_is_what_is_online(online: str, expected: bool | None) -> None:
    (product,) = parsed(simple(product_online=online))

    assert product.published is expected


def test_visibility_has_no_counterpart() -> None:
    context = Context()

    hidden, partly, visible = parsed(
        simple("A", visibility="Not Visible Individually"),
        simple("B", visibility="Search"),
        simple("C", visibility="catalog, search"),
        context=context,
    )

    assert [one.published for one in (hidden, partly, visible)] == [None, None, None]
    assert not_carried(context) == {magento.PARTLY_VISIBLE: "1 (B)"}
    assert to_check(context) == {magento.HIDDEN: "1 (A)"}


def test_products_that_are_not_on_all_websites_are_reported() -> None:
    context = Context()

    parsed(simple("A", product_websites="base"), simple("B", product_websites="base,b2b"), context=context)
    assert not_carried(context) == {magento.NOT_ON_ALL_WEBSITES: "1 (A)"}

    alone = Context()
    parsed(simple("A", product_websites="base"), simple("B", product_websites="base"), context=alone)
    assert not_carried(alone) == {}


def test_the_deepest_category_is_kept_and_further_ones_are_reported() -> None:
    context = Context()
    several = "Default Category,Default Category/Sale,Default Category/Home/Cups, red,Default Category/Home,B2B/A/B"

    first, second = parsed(simple("A", categories=several), simple("B", categories="B2B/Tools"), context=context)

    assert (first.category, second.category) == (("Home", "Cups, red"), ("Tools",))
    assert not_carried(context) == {magento.MORE_CATEGORIES: "2 (A, …)"}


def test_pictures_need_the_address_that_they_are_below() -> None:
    context = Context()

    (product,) = parsed(
        simple(base_image="/m/u/mug.jpg", additional_images="/m/u/back.jpg,https://cdn.example/side.jpg"),
        context=context,
    )

    assert product.images == (Image("https://cdn.example/side.jpg"),)
    assert not_carried(context) == {magento.PICTURES: "2 (MUG, …)"}


def test_texts_of_pictures_are_left_out_where_nobody_can_tell_whose_they_are() -> None:
    context = Context(Options(base_url=BASE))

    (product,) = parsed(
        simple(additional_images="/a.jpg,/b.jpg", additional_image_labels="Front, blue,Back"), context=context
    )

    assert product.images == (Image(f"{BASE}/a.jpg"), Image(f"{BASE}/b.jpg"))
    assert not_carried(context) == {magento.PICTURE_TEXTS: "1 (MUG)"}


def test_custom_options_with_a_list_are_options_without_stock() -> None:
    context = Context()
    custom = (
        "name=Box,type=drop_down,required=0,price=1,option_title=Gold|name=Box,type=drop_down,option_title=Silver"
        "|name=Engraving,type=field,required=0,max_characters=9|name=Size,type=radio,option_title=Big"
    )

    mug, tee = parsed(
        simple("MUG", custom_options=custom),
        configurable("TEE", "sku=S,size=S", "size=Size", custom_options=custom),
        child("S"),
        context=context,
    )

    box = Option("Box", (OptionValue("Gold"), OptionValue("Silver")), inventory=False)
    assert mug.options == (box, Option("Size", (OptionValue("Big"),), inventory=False))
    assert tee.options == (Option("Size", (OptionValue("S"),)), box)
    assert not_carried(context) == {magento.FILLED_IN: "2 (MUG, TEE)", magento.SAME_NAME: "1 (TEE)"}


def test_a_short_description_is_the_description_where_there_is_no_other() -> None:
    context = Context()

    first, second = parsed(
        simple("A", description="", short_description="Short."),
        simple("B", description="Long.", short_description="Short."),
        context=context,
    )

    assert (first.description, second.description) == ("Short.", "Long.")
    assert not_carried(context) == {magento.SHORT_DESCRIPTIONS: "1 (B)"}


def test_old_names_of_columns_are_known() -> None:
    header = "sku,_store,product_type,status,image,qty,min_qty,use_config_min_qty,backorders,min_sale_qty,max_sale_qty"
    lines = [
        f"{header},notify_stock_qty,enable_qty_increments,use_config_enable_qty_increments,ean\n",
        "MUG,,simple,2,/m.jpg,7,2,0,1,3,9,4,0,1,401\n",
        "MUG,german,simple,,,,,,,,,,,,\n",
    ]

    (product,) = importing.parsed("magento-products", lines, Context(Options(base_url=BASE)))

    assert product.published is False
    assert product.barcode == "401"
    assert product.images == (Image(f"{BASE}/m.jpg"),)
    assert product.counts == (Counted(2, Decimal(7)),)
    assert product.settings == {
        "out_of_stock_threshold": Decimal(2),
        "backorders": "ALLOW",
        "minimum_order_quantity": Decimal(3),
        "maximum_order_quantity": Decimal(9),
        "notify_below": Decimal(4),
        "quantity_increment": UNSET,
    }


def test_quotes_behind_backslashes_of_older_versions_are_read() -> None:
    lines = [
        "sku,product_type,description,name\n",
        'A,simple,"<a href=\\"x\\">1,0\\" wide</a>",Strap\n',
        'B,simple,"1.0"" wide",Strap\n',
    ]

    first, second = importing.parsed("magento-products", lines)

    assert first.description == '<a href=\\"x\\">1,0\\" wide</a>'
    assert second.description == '1.0" wide'


def test_a_quantity_below_zero_is_read_behind_its_guard() -> None:
    (product,) = parsed(simple(qty=" -3.0000"))

    assert product.counts == (Counted(2, Decimal(-3)),)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([simple("")], "Line 2: The sku is missing."),
        ([simple(qty="many")], "Line 2: qty 'many' is not a quantity."),
        ([simple(product_online="maybe")], "Line 2: product_online is 'maybe'; expected 1 or 0."),
        (
            [configurable("TEE", "size=S,sku=A")],
            "Line 2: configurable_variations must start with sku=, but is size=S,sku=A.",
        ),
        (
            [configurable("TEE", "sku=A,size=S", "size=Size,color=Colour"), child("A")],
            "Line 3: configurable_variations has no color for A.",
        ),
        (
            [configurable("TEE", "sku=A,size=S|sku=a,size=M"), child("A")],
            "Line 2: configurable_variations names a twice.",
        ),
        (
            [configurable("TEE", "sku=A,size=S"), child("A"), child("a")],
            "Line 4: The SKU a already appears on line 3.",
        ),
        (
            [configurable("TEE", "sku=SET,size=S"), configurable("SET")],
            "Line 2: configurable_variations names SET, which is a configurable.",
        ),
        (
            [configurable("TEE", "sku=A,size=S|sku=B,size=S"), child("A"), child("B")],
            "Line 4: The combination S already appears on line 3.",
        ),
    ],
)
def test_what_is_wrong_is_told_by_its_line(rows: Sequence[Cells], told: str) -> None:
    assert refused(*rows) == [told]


def test_missing_columns_are_named() -> None:
    with pytest.raises(Refused) as caught:
        importing.parsed("magento-products", ["sku,qty\n", "MUG,1\n"])

    assert str(caught.value) == (
        'The header has no column product_type; it has: sku, qty. If it has another name: --column "NAME=product_type".'
    )
