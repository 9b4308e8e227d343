"""Products as records of any format: what they make and change, and that what a file does not say stays."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.formats.records import UNSET, Counted, Identity, Product, Variant
from gqlstock.rules.catalog import Image, InventoryStatus, InventoryTracking, Item, Option, OptionValue
from gqlstock.rules.import_report import Kind, RemarkKind, Report
from gqlstock.rules.refusals import Refused
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import settings, verification
from gqlstock.services.settings import target_of
from gqlstock.store import catalog, categories, levels, warehouses
from gqlstock.store.db import sql
from support import importing
from support import shop_builders as make
from support.importing import figures

MUG = Product(line=2, identity=Identity.SKU, sku_stem="mug", sku="MUG", name="Mug")
TEE = Product(
    line=3,
    identity=Identity.SKU,
    sku_stem="tee",
    name="Tee",
    options=(
        Option("Size", (OptionValue("S"), OptionValue("M"))),
        Option("Wrap", (OptionValue("Paper"), OptionValue("Box")), inventory=False),
    ),
    variants=(
        Variant(3, (("Size", "S"),), sku="TEE-S", code="T1", barcode="401", images=(Image("https://x/s.jpg"),)),
        Variant(4, (("Size", "M"),)),
    ),
)


async def item(sku: str) -> Item:
    return (await catalog.by_sku([sku]))[sku]


async def own(**place: str) -> dict[str, Any]:
    return dict((await settings.at(target_of(place))).own)


async def on_hand() -> dict[tuple[str, str], Decimal]:
    found = await levels.live_levels().prefetch_related("item", "warehouse").order_by("id")
    return {(level.item.sku, level.warehouse.code): level.on_hand for level in found}


async def written() -> list[list[dict[str, Any]]]:
    tables = ("item", "category", "setting_override", "inventory_level", "stock_movement", "warehouse", "assignment")
    return [await sql.query(f"SELECT * FROM {table} ORDER BY id") for table in tables]


async def refused(*given: Product, **options: Any) -> list[str]:
    """What records are refused for; nothing of them may have been written."""
    before = await written()
    with pytest.raises(Refused) as caught:
        await importing.products(*given, **options)
    assert await written() == before
    return [refusal.message for refusal in caught.value.refusals]


async def imported_twice(*given: Product, **options: Any) -> Report:
    """The report of an import, which a check has foretold, and which changes nothing the second time."""
    foretold = await importing.products(*given, dry=True, **options)
    done = await importing.products(*given, **options)
    before = await written()
    again = await importing.products(*given, **options)

    assert figures(foretold) == figures(done)
    assert [importing.remarks(foretold, kind) for kind in RemarkKind] == [
        importing.remarks(done, kind) for kind in RemarkKind
    ]
    assert figures(again) == {}
    assert await written() == before
    assert await verification.verify() == []
    return done


async def test_a_product_has_all_that_its_record_says(db: None) -> None:
    await make.warehouse("BERLIN")
    told = replace(
        MUG,
        slug="blue-mug",
        description="Of enamel.",
        barcode="400",
        category=("Home", "Kitchen"),
        published=False,
        inventory_status=InventoryStatus.DISCONTINUED,
        shipping_origin="BERLIN",
        images=(Image("https://x/1.jpg", "Front"),),
        tracking=InventoryTracking.DO_NOT_TRACK,
    )

    await imported_twice(told)

    mug = await item("MUG")
    assert (mug.slug, mug.name, mug.description, mug.barcode) == ("blue-mug", "Mug", "Of enamel.", "400")
    assert (mug.published, mug.inventory_status) == (False, InventoryStatus.DISCONTINUED)
    assert (mug.images, mug.tracking) == ((Image("https://x/1.jpg", "Front"),), InventoryTracking.DO_NOT_TRACK)
    assert mug.shipping_origin_id == (await warehouses.warehouses_by_code(["BERLIN"]))["BERLIN"].id
    assert mug.category_id == (await categories.category("home-kitchen")).id  # type: ignore[union-attr]


async def test_what_a_record_does_not_say_stays(db: None) -> None:
    await make.category("kitchen")
    await make.warehouse("BERLIN")
    await make.product(
        "MUG",
        slug="mug",
        description="Of enamel.",
        barcode="400",
        category="kitchen",
        published=False,
        inventory_status=InventoryStatus.OUT_OF_STOCK,
        shipping_origin="BERLIN",
        images=[Image("https://x/1.jpg")],
    )
    await make.setting(product="MUG", notify_below=3)
    await make.stock("MUG", "BERLIN", 5)
    before = await written()

    found = await importing.products(Product(line=2, identity=Identity.SKU, sku_stem="x", sku="MUG"))

    assert figures(found) == {}
    assert await written() == before


async def test_options_for_display_make_no_combinations(db: None) -> None:
    done = await imported_twice(TEE)

    tee, small, medium = await item("tee"), await item("TEE-S"), await item("tee-M")
    assert figures(done) == {"products_made": 1, "combinations_made": 2}
    assert tee.options == TEE.options
    assert tee.tracking is InventoryTracking.TRACK_WITH_OPTIONS
    assert (small.own_code, small.barcode, small.images) == ("T1", "401", (Image("https://x/s.jpg"),))
    assert medium.choice == {"Size": "M"}
    assert importing.remarks(done, RemarkKind.MADE_UP) == {"SKUs missing from the file": "2 (tee, tee-M)"}


async def test_a_product_without_a_sku_is_found_by_the_one_that_was_made(db: None) -> None:
    one = replace(MUG, sku=None, sku_stem="mug-17")
    await importing.products(one)

    found = await importing.products(replace(one, name="Blue mug"))

    assert figures(found) == {"products_changed": 1}
    assert (await item("mug-17")).name == "Blue mug"


async def test_a_product_that_gets_a_sku_is_found_by_the_one_that_was_made_before(db: None) -> None:
    await importing.products(replace(MUG, sku=None))
    made = await item("mug")

    report = await imported_twice(replace(MUG, sku_stem="MUG", earlier_sku="mug"))

    assert figures(report) == {"products_changed": 1}
    assert (await item("MUG")).id == made.id


@pytest.mark.parametrize(
    ("sku", "told"),
    [
        ("mug", "Line 7: The SKU mug differs from MUG on line 2 only in case."),
        ("MUG", "Line 7: The SKU MUG already appears on line 2."),
    ],
)
async def test_two_items_whose_skus_differ_at_most_in_case_are_refused(db: None, sku: str, told: str) -> None:
    assert await refused(MUG, replace(MUG, line=7, sku=sku)) == [told]


async def test_a_sku_that_a_combination_has_is_no_products(db: None) -> None:
    await make.product("TEE", options={"Size": ["S"]})

    assert await refused(replace(MUG, sku="TEE-S")) == ["Line 2: The item TEE-S already exists."]


async def test_a_slug_that_another_product_has_is_stepped_aside_for(db: None) -> None:
    await make.product("OTHER", slug="mug")

    done = await imported_twice(replace(MUG, slug="mug"), replace(MUG, line=5, sku="MUG-B", slug="mug"))

    assert (await item("MUG")).slug == "mug-2"
    assert (await item("MUG-B")).slug == "mug-3"
    assert importing.remarks(done, RemarkKind.MADE_UP) == {
        "slugs, because another product already uses the one in the file": "2 (MUG, MUG-B)"
    }


SETTINGS: Mapping[str, Any] = {
    "backorders": BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,
    "notify_below": Decimal(3),
    "minimum_order_quantity": Decimal("0.5"),
    "quantity_uses_decimals": True,
    "allowed_quantities": (Decimal("0.5"), Decimal(1)),
    "upcoming": True,
}


async def test_settings_are_set_where_they_are_said(db: None) -> None:
    await make.warehouse("BERLIN")
    small, medium = (replace(one, counts=(Counted(one.line, Decimal(2)),)) for one in TEE.variants)
    told = replace(TEE, settings=SETTINGS, variants=(replace(small, settings={"manage_stock": False}), medium))

    await imported_twice(told, warehouse="BERLIN")

    assert await own(product="tee") == dict(SETTINGS)
    assert await own(combination="TEE-S") == {"manage_stock": False}
    assert await own(combination="tee-M") == {}


async def test_a_setting_that_is_said_to_be_unset_is_reset_and_others_stay(db: None) -> None:
    await importing.products(replace(MUG, settings=SETTINGS))

    done = await importing.products(replace(MUG, settings={"notify_below": UNSET, "manage_stock": UNSET}))

    assert figures(done) == {"products_changed": 1}
    assert await own(product="MUG") == {name: value for name, value in SETTINGS.items() if name != "notify_below"}


async def test_settings_that_contradict_each_other_are_refused_by_their_line(db: None) -> None:
    await make.setting(maximum_order_quantity=4)
    small, medium = TEE.variants
    wrong = {"minimum_order_quantity": Decimal(5)}
    below_zero = {"notify_below": Decimal(-1)}

    told = await refused(
        replace(MUG, settings=wrong), replace(TEE, variants=(small, replace(medium, settings=below_zero)))
    )

    assert told == [
        "Line 2: minimumOrderQuantity 5 is above maximumOrderQuantity 4.",
        "Line 4: notifyBelow must be 0 or more, not -1.",
    ]


async def test_parts_of_a_unit_are_counted_where_the_record_says_so(db: None) -> None:
    await make.warehouse("BERLIN")
    small, medium = (replace(one, counts=(Counted(one.line, Decimal("1.5")),)) for one in TEE.variants)
    in_parts = {"quantity_uses_decimals": True}

    assert await refused(replace(TEE, variants=(replace(small, settings=in_parts), medium)), warehouse="BERLIN") == [
        "Line 4: tee-M is counted in whole units there, not 1.5."
    ]
    await imported_twice(replace(TEE, settings=in_parts, variants=(small, medium)), warehouse="BERLIN")
    assert await on_hand() == {("TEE-S", "BERLIN"): Decimal("1.5"), ("tee-M", "BERLIN"): Decimal("1.5")}
    assert await refused(
        replace(TEE, settings={"quantity_uses_decimals": UNSET}, variants=(small, medium)), warehouse="BERLIN"
    ) == [
        "Line 3: TEE-S is counted in whole units there, not 1.5.",
        "Line 4: tee-M is counted in whole units there, not 1.5.",
    ]


async def test_counts_in_named_warehouses_are_counted_there(db: None) -> None:
    await make.warehouse("BERLIN")
    await make.warehouse("P1", name="Paris")
    counts = (Counted(2, Decimal(3)), Counted(2, Decimal(4), "paris"))

    done = await imported_twice(replace(MUG, counts=counts), warehouse="BERLIN")

    assert figures(done) == {"products_made": 1, "counted": 2}
    assert await on_hand() == {("MUG", "BERLIN"): Decimal(3), ("MUG", "P1"): Decimal(4)}


async def test_a_warehouse_that_is_missing_is_refused_with_those_there_are(db: None) -> None:
    await make.warehouse("BERLIN")

    assert await refused(replace(MUG, counts=(Counted(5, Decimal(4), "PARIS"),), shipping_origin="ROME")) == [
        "Line 2: There is no warehouse ROME. Known warehouses: BERLIN.",
        "Line 5: There is no warehouse PARIS. Known warehouses: BERLIN.",
    ]


async def test_missing_warehouses_are_made_where_the_format_makes_them(db: None) -> None:
    await make.warehouse("BERLIN")
    await make.website("shop", warehouses=["BERLIN"])
    mug = replace(
        MUG, counts=(Counted(2, Decimal(4), "Rue 5"), Counted(2, Decimal(1), "ROME")), shipping_origin="Rue 5"
    )

    foretold = await importing.with_new_places(mug, dry=True, website="shop")
    done = await importing.with_new_places(mug, website="shop")
    again = await importing.with_new_places(mug, website="shop")

    assert figures(foretold) == figures(done) == {"warehouses_made": 2, "products_made": 1, "counted": 2}
    assert figures(again) == {}
    assert importing.remarks(done, RemarkKind.MADE_UP) == {"warehouses, named as in the file": "2 (Rue 5, ROME)"}
    assert await on_hand() == {("MUG", "Rue 5"): Decimal(4), ("MUG", "ROME"): Decimal(1)}
    channel = (await warehouses.network()).find("shop")
    codes = await warehouses.codes_by_id()
    assert channel is not None
    assert [codes[one.warehouse_id] for one in channel.warehouses] == ["BERLIN", "Rue 5", "ROME"]
    assert codes[(await item("MUG")).shipping_origin_id or 0] == "Rue 5"


async def test_warehouses_that_are_made_and_sell_nothing_are_to_be_checked(db: None) -> None:
    done = await importing.with_new_places(replace(MUG, counts=(Counted(2, Decimal(4), "Rue 5"),)))

    assert list(importing.remarks(done, RemarkKind.TO_CHECK)) == [
        "new warehouses that no website sells from: assign them with updateWebsite, or import with --website"
    ]


async def test_units_without_a_warehouse_are_reported(db: None) -> None:
    small, medium = (replace(one, counts=(Counted(one.line, Decimal(2)),)) for one in TEE.variants)

    done = await imported_twice(replace(MUG, counts=(Counted(2, Decimal(3)),)), replace(TEE, variants=(small, medium)))

    assert importing.remarks(done, RemarkKind.NOT_CARRIED) == {
        "units without a warehouse: set it with --warehouse": "3, 7 units (MUG, TEE-S, …)"
    }


async def test_units_of_what_has_no_level_are_reported(db: None) -> None:
    await make.warehouse("BERLIN")
    counted = (Counted(2, Decimal(3)),)
    small, medium = TEE.variants

    done = await imported_twice(
        replace(MUG, counts=counted, tracking=InventoryTracking.DO_NOT_TRACK),
        replace(
            TEE,
            sku="TEE",
            tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS,
            counts=counted,
            variants=(replace(small, counts=counted), medium),
        ),
        warehouse="BERLIN",
    )

    assert await on_hand() == {("TEE", "BERLIN"): Decimal(3)}
    assert importing.remarks(done, RemarkKind.NOT_CARRIED) == {
        "units of items that hold no stock under their product's tracking": "2, 6 units (MUG, TEE)"
    }


async def test_categories_are_a_tree_with_slugs_of_their_whole_paths(db: None) -> None:
    done = await imported_twice(
        replace(MUG, category=("Home", "Kitchen", "Cups")),
        replace(MUG, line=3, sku="CUP", category=("Garden", "Kitchen")),
        replace(MUG, line=4, sku="JAR", category=("Home",)),
    )

    every = await sql.query(
        "SELECT c.slug, c.name, p.slug AS parent FROM category c LEFT JOIN category p ON p.id = c.parent_id"
    )
    assert {(row["slug"], row["name"], row["parent"]) for row in every} == {
        ("home", "Home", None),
        ("home-kitchen", "Kitchen", "home"),
        ("home-kitchen-cups", "Cups", "home-kitchen"),
        ("garden", "Garden", None),
        ("garden-kitchen", "Kitchen", "garden"),
    }
    assert done[Kind.CATEGORIES].made == 5


async def test_categories_that_are_there_are_used(db: None) -> None:
    await make.category("home")
    await make.category("kitchen", name="KITCHEN", parent="home")

    done = await imported_twice(replace(MUG, category=("Home", "Kitchen")))

    assert done[Kind.CATEGORIES].made == 0
    assert (await item("MUG")).category_id == (await categories.category("kitchen")).id  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("path", "other"),
    [(("A B",), ("A", "B")), (("Tea!", "Green"), ("Tea",)), (("Tea", "Green"), ("Tea!", "Green"))],
)
async def test_two_paths_have_two_categories_although_their_slugs_would_be_alike(
    db: None, path: tuple[str, ...], other: tuple[str, ...]
) -> None:
    await imported_twice(replace(MUG, category=path), replace(MUG, line=3, sku="CUP", category=other))

    assert (await item("MUG")).category_id != (await item("CUP")).category_id


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (replace(MUG, name="x" * 501), "Line 2: The name xxx"),
        (replace(MUG, category=("***",)), "Line 2: The category *** has no letters or digits"),
        (replace(MUG, options=(Option("Size", ()),)), "Line 2: The option Size has no values."),
        (
            replace(TEE, variants=(Variant(9, (("Size", "L"),)),)),
            "Line 9: A combination must have one value of each of: Size.",
        ),
        (replace(TEE, variants=(Variant(9, ()),)), "Line 9: A combination must have one value of each of: Size."),
        (
            replace(TEE, variants=(*TEE.variants, Variant(9, (("Size", "S"),)))),
            "Line 9: The combination S already appears on line 3.",
        ),
        (
            replace(MUG, counts=(Counted(2, Decimal(1)), Counted(3, Decimal(2)))),
            "Line 2: The file has two different counts.",
        ),
    ],
)
async def test_what_no_product_can_have_is_refused_by_its_line(db: None, wrong: Product, told: str) -> None:
    (message,) = await refused(wrong)

    assert message.startswith(told)
