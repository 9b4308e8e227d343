"""Files taken in: what they make, what they leave alone, that a bad row leaves nothing behind, and in which parts they are
written."""

import asyncio
import csv
import io
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.rules.catalog import Image, InventoryTracking, Item, new_product
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.refusals import Code, Refused
from gqlstock.rules.settings import BackorderMode
from gqlstock.services import catalog as products
from gqlstock.services import settings, verification
from gqlstock.services.settings import target_of
from gqlstock.store import alerts, catalog, categories, commands, inventory, levels
from gqlstock.store.catalog import Item as Row
from gqlstock.store.db import clock, sql, transactions
from gqlstock.store.warehouses import Warehouse
from support import importing
from support import shop_builders as make
from support.importing import counted, figures, shopify

EXPORT = """\
Handle,Title,Body (HTML),Type,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,\
Variant Inventory Qty,Variant Inventory Policy,Variant Barcode,Image Src,Image Alt Text,Variant Image
tee,T-shirt,Of cotton.,Shirts & Tops,true,Size,S,TEE-S,shopify,3,deny,401,https://x/tee.jpg,Front,https://x/s.jpg
tee,,,,,,M,,shopify,4,continue,,https://x/back.jpg,,
mug,Mug,,Kitchen,false,Title,Default Title,,,7,deny,,,,
tee,,,,,,,,,,,,https://x/side.jpg,,
"""
LEVELS = "sku,warehouse,on_hand\n"


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def edited(text: str, handle: str, number: int = 0, **cells: str) -> list[str]:
    """An export with some cells of a handle's row changed; the columns by their names with underscores."""
    rows = list(csv.DictReader(io.StringIO(text)))
    row = [row for row in rows if row["Handle"] == handle][number]
    row.update({name.replace("_", " "): value for name, value in cells.items()})
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return lines(out.getvalue())


async def item(sku: str) -> Item:
    return (await catalog.by_sku([sku]))[sku]


async def on_hand() -> dict[str, Decimal]:
    found = await levels.live_levels().prefetch_related("item").order_by("id")
    return {level.item.sku: level.on_hand for level in found}


async def own(**place: str) -> dict[str, Any]:
    return dict((await settings.at(target_of(place))).own)


async def everything() -> list[list[dict[str, Any]]]:
    """All that a file could have changed, to the last timestamp."""
    tables = (
        "item",
        "category",
        "setting_override",
        "inventory_level",
        "stock_movement",
        "outbox",
        "low_inventory_alert",
    )
    return [await sql.query(f"SELECT * FROM {table} ORDER BY id") for table in tables]


async def refused(given: Sequence[str], warehouse: str = "BERLIN") -> list[str]:
    """What an export is refused for; nothing of it may have been written."""
    before = await everything()
    with pytest.raises(Refused) as caught:
        await shopify(given, warehouse)
    assert await everything() == before
    return [refusal.message for refusal in caught.value.refusals]


async def test_an_export_makes_products_combinations_categories_and_counts(db: None) -> None:
    await make.warehouse()

    found = await shopify(lines(EXPORT))

    assert figures(found) == {"categories_made": 2, "products_made": 2, "combinations_made": 2, "counted": 3}
    tee, small, medium, mug = [await item(sku) for sku in ("tee", "TEE-S", "tee-M", "mug")]
    assert (tee.slug, tee.name, tee.description) == ("tee", "T-shirt", "Of cotton.")
    assert tee.tracking is InventoryTracking.TRACK_WITH_OPTIONS
    assert [(option.name, [v.name for v in option.values]) for option in tee.options] == [("Size", ["S", "M"])]
    assert tee.images == (Image("https://x/tee.jpg", "Front"), Image("https://x/back.jpg"), Image("https://x/side.jpg"))
    assert (small.name, small.choice, small.barcode) == ("T-shirt – S", {"Size": "S"}, "401")
    assert small.images == (Image("https://x/s.jpg"),)
    assert medium.choice == {"Size": "M"}
    assert (mug.published, mug.tracking) == (False, InventoryTracking.TRACK_WITHOUT_OPTIONS)
    assert await on_hand() == {"TEE-S": Decimal(3), "tee-M": Decimal(4), "mug": Decimal(7)}
    category = (await categories.categories([tee.category_id or 0]))[tee.category_id or 0]
    assert (category.slug, category.name) == ("shirts-tops", "Shirts & Tops")


async def test_an_import_is_in_the_ledger_in_the_order_of_items(db: None) -> None:
    await make.warehouse()

    await shopify(lines(EXPORT))

    movements = await inventory.StockMovement.all().order_by("id")
    assert [(m.kind, m.quantity, m.on_hand_after, m.actor) for m in movements] == [
        (MovementKind.IMPORT, Decimal(7), Decimal(7), "gqlstock"),
        (MovementKind.IMPORT, Decimal(3), Decimal(3), "gqlstock"),
        (MovementKind.IMPORT, Decimal(4), Decimal(4), "gqlstock"),
    ]


async def test_an_empty_tracker_and_continue_become_settings_of_the_item(db: None) -> None:
    await make.warehouse()

    await shopify(lines(EXPORT))

    assert await own(product="mug") == {"manage_stock": False}
    assert await own(combination="tee-M") == {"backorders": BackorderMode.ALLOW}
    assert await own(combination="TEE-S") == {}
    assert await own(product="tee") == {}


async def test_the_same_file_again_changes_nothing(db: None) -> None:
    await make.warehouse()
    await make.setting(notify_below=5)
    await shopify(lines(EXPORT))
    before = await everything()

    found = await shopify(lines(EXPORT))

    assert figures(found) == {}
    assert await everything() == before


async def test_a_file_that_says_otherwise_changes_what_it_says(db: None) -> None:
    await make.warehouse()
    await shopify(lines(EXPORT))

    changed = edited(EXPORT, "tee", Title="Shirt", Type="Kitchen", Variant_SKU="SHIRT-S", Variant_Inventory_Qty="1")
    found = await shopify(changed)

    assert figures(found) == {"products_changed": 1, "combinations_changed": 1, "counted": 1}
    assert (await item("tee")).name == "Shirt"
    assert (await item("SHIRT-S")).name == "Shirt – S"
    assert (await categories.category("kitchen")).id == (await item("tee")).category_id  # type: ignore[union-attr]
    assert (await on_hand())["SHIRT-S"] == Decimal(1)


async def test_what_the_file_takes_back_is_unset(db: None) -> None:
    await make.warehouse()
    await shopify(lines(EXPORT))

    await shopify(edited(EXPORT, "tee", 1, Variant_Inventory_Policy="deny"))
    await shopify(edited(EXPORT, "mug", Variant_Inventory_Tracker="shopify"))

    assert await own(combination="tee-M") == {"backorders": BackorderMode.ALLOW}
    assert await own(product="mug") == {}


async def test_a_stronger_way_of_taking_backorders_is_left_alone(db: None) -> None:
    await make.warehouse()
    await shopify(lines(EXPORT))
    await make.setting(combination="tee-M", backorders=BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER)

    await shopify(lines(EXPORT))

    assert await own(combination="tee-M") == {"backorders": BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER}


async def test_a_new_value_makes_a_combination_and_leaves_the_others(db: None) -> None:
    await make.warehouse()
    await shopify(lines(EXPORT))

    found = await shopify([*lines(EXPORT), "tee,,,,,,L,,shopify,9,deny,,,,\n"])

    assert figures(found) == {"products_changed": 1, "combinations_made": 1, "counted": 1}
    assert [value.name for value in (await item("tee")).options[0].values] == ["S", "M", "L"]
    assert await on_hand() == {"TEE-S": Decimal(3), "tee-M": Decimal(4), "mug": Decimal(7), "tee-L": Decimal(9)}


async def test_a_made_sku_steps_aside_for_one_that_is_there(db: None) -> None:
    await make.warehouse()
    await make.product("mug", slug="another")

    await shopify(lines(EXPORT))

    assert (await item("mug-2")).slug == "mug"


async def test_a_given_sku_that_another_item_has_is_refused(db: None) -> None:
    await make.warehouse()
    await make.product("TEE-S")

    assert await refused(lines(EXPORT)) == ["Line 2: The item TEE-S already exists."]


async def test_a_sku_stands_once(db: None) -> None:
    await make.warehouse()

    assert await refused(edited(EXPORT, "mug", Variant_SKU="TEE-S")) == [
        "Line 4: The SKU TEE-S already appears on line 2."
    ]


async def test_a_made_sku_is_none_that_a_later_product_gives(db: None) -> None:
    await make.warehouse()

    await shopify([*lines(EXPORT), "cup,Cup,,,,Title,Default Title,mug,shopify,1,deny,,,,\n"])

    assert (await item("mug")).slug == "cup"
    assert (await item("mug-2")).slug == "mug"


async def test_a_product_with_stock_does_not_turn_into_one_with_options(db: None) -> None:
    await make.warehouse()
    await make.product("TEE", slug="tee")
    await make.stock("TEE", "BERLIN", 5)

    assert await refused(lines(EXPORT)) == ["Line 2: TEE still has stock or claims in a warehouse."]


async def test_a_bad_row_leaves_nothing_of_the_file(db: None) -> None:
    await make.warehouse()

    assert await refused(edited(EXPORT, "mug", Variant_Inventory_Qty="seven")) == [
        "Line 4: Variant Inventory Qty 'seven' is not a quantity."
    ]
    assert await refused(edited(EXPORT, "mug", Variant_Inventory_Qty="1.5")) == [
        "Line 4: mug is counted in whole units there, not 1.5."
    ]


async def test_an_unknown_warehouse_is_told_with_those_there_are(db: None) -> None:
    await make.warehouse("BERLIN")
    await make.warehouse("AMIENS")

    assert await refused(lines(EXPORT), "PARIS") == ["There is no warehouse PARIS. Known warehouses: AMIENS, BERLIN."]


async def test_a_count_raises_the_alert_that_it_is_due(db: None) -> None:
    await make.shop()
    await make.setting(notify_below=4)

    await shopify(lines(EXPORT))

    raised = await commands.open_alerts([(await item("TEE-S")).id, (await item("tee-M")).id])
    assert [(alert.sku, alert.quantity_left) for alert in raised] == [("TEE-S", Decimal(3))]


async def test_levels_are_counted(db: None) -> None:
    await make.warehouse("BERLIN")
    await make.warehouse("AMIENS")
    await make.product("MUG")
    await make.product("TEE", options={"Size": ["S", "M"]})
    await make.stock("MUG", "BERLIN", 5)

    found = await importing.levels(lines(f"{LEVELS}MUG,BERLIN,2\nTEE-S,AMIENS,0\nTEE-M,AMIENS,7\n"))

    assert figures(found) == {"counted": 3}
    assert await on_hand() == {"MUG": Decimal(2), "TEE-S": Decimal(0), "TEE-M": Decimal(7)}
    movements = await inventory.StockMovement.filter(kind=MovementKind.IMPORT).order_by("id")
    assert [(m.quantity, m.on_hand_after) for m in movements] == [(Decimal(-3), Decimal(2)), (Decimal(7), Decimal(7))]


async def test_levels_that_are_so_already_are_left_alone(db: None) -> None:
    await make.warehouse()
    await make.product("MUG")
    await make.product("CUP")
    text = f"{LEVELS}MUG,BERLIN,2\nCUP,BERLIN,0\n"
    await importing.levels(lines(text))
    before = await everything()

    found = await importing.levels(lines(text))

    assert figures(found) == {}
    assert await everything() == before


async def test_a_level_out_of_use_comes_back(db: None) -> None:
    await make.warehouse()
    await make.product("MUG")
    await make.stock("MUG", "BERLIN", 0)
    await sql.execute("UPDATE inventory_level SET deleted_at = ?", clock.now())

    await importing.levels(lines(f"{LEVELS}MUG,BERLIN,0\n"))

    assert await on_hand() == {"MUG": Decimal(0)}


async def test_units_given_twice_for_one_level_are_one_count(db: None) -> None:
    await make.warehouse()
    await make.product("MUG")

    found = await importing.levels(lines(f"{LEVELS}MUG,BERLIN,2\nMUG,BERLIN,2.0\n"))

    assert figures(found) == {"counted": 1}
    assert await on_hand() == {"MUG": Decimal(2)}


async def test_a_count_waits_for_backorders_as_any_other(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)
    await make.stock("MUG", "BERLIN", 0)
    await make.order("MUG", 5)

    await importing.levels(lines(f"{LEVELS}MUG,BERLIN,20\n"))

    (level,) = await levels.live_levels()
    assert (level.on_hand, level.backordered, level.available) == (Decimal(20), Decimal(0), Decimal(20))


@pytest.mark.parametrize(
    ("row", "code", "told"),
    [
        ("CUP,BERLIN,1", Code.NOT_FOUND, "There is no item CUP."),
        ("MUG,PARIS,1", Code.NOT_FOUND, "There is no warehouse PARIS. Known warehouses: BERLIN."),
        ("MUG,BERLIN,x", Code.INVALID_INPUT, "on_hand 'x' is not a quantity."),
        ("MUG,BERLIN,", Code.INVALID_INPUT, "The on_hand is missing."),
        ("MUG,BERLIN,1.5", Code.INVALID_INPUT, "MUG is counted in whole units there, not 1.5."),
        ("MUG,BERLIN,1,2", Code.INVALID_INPUT, "The row has 4 values, but there are 3 columns."),
        (
            "TEE,BERLIN,1",
            Code.NOT_TRACKED,
            "TEE is tracked with options; its combinations have the stock.",
        ),
    ],
)
async def test_a_bad_row_of_levels_is_told_by_its_line_and_writes_nothing(
    db: None, row: str, code: Code, told: str
) -> None:
    await make.warehouse()
    await make.product("MUG")
    await make.product("TEE", options={"Size": ["S"]})
    before = await everything()

    with pytest.raises(Refused) as caught:
        await importing.levels(lines(f"{LEVELS}TEE-S,BERLIN,3\n\n{row}\n"))

    assert [(refusal.code, refusal.message) for refusal in caught.value.refusals] == [(code, f"Line 4: {told}")]
    assert await everything() == before


async def test_quantities_below_zero_count_as_zero_and_are_told_by_their_line(db: None) -> None:
    await make.warehouse()
    await make.product("MUG")
    await make.product("CUP")
    await make.stock("MUG", on_hand=4)
    given = lines(f"{LEVELS}MUG,BERLIN,-2.5\nCUP,BERLIN,7\n")

    first = await importing.levels(given)
    again = await importing.levels(given)

    assert (counted(first), counted(again)) == (2, 0)
    assert list(first.notes.reported) == list(again.notes.reported) == ["Line 2: MUG has -2.5; counted as 0."]
    assert [level.on_hand for level in await levels.live_levels().order_by("id")] == [0, 7]


async def test_a_level_below_zero_that_was_exported_is_left_alone(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.setting(product="MUG", backorders=BackorderMode.ALLOW)
    await make.stock("MUG", "BERLIN", 0)
    await make.order("MUG", 5)

    done = await importing.levels(lines(f"{LEVELS}MUG,BERLIN,-5\n"))

    assert (counted(done), list(done.notes.reported)) == (0, [])


async def test_an_oversold_variant_counts_as_zero_and_is_told(db: None) -> None:
    await make.warehouse()

    done = await shopify(edited(EXPORT, "mug", Variant_Inventory_Qty="-3"))

    assert [note.partition(" has ")[2] for note in done.notes.reported] == ["-3; counted as 0."]
    assert 0 in [level.on_hand for level in await levels.live_levels()]


@pytest.mark.parametrize("sku", ["CAFE\u0301", "\u200bCAFÉ"])
async def test_a_sku_and_a_code_of_a_file_may_be_spelled_in_any_way(db: None, sku: str) -> None:
    await make.warehouse()
    await make.product("CAFÉ")

    done = await importing.levels(lines(f"{LEVELS}{sku},BERLIN\u200b,3\nCAFÉ,BERLIN,3\n"))

    assert counted(done) == 1


async def test_contradicting_counts_of_one_level_are_refused(db: None) -> None:
    with pytest.raises(Refused) as caught:
        await importing.levels(lines(f"{LEVELS}MUG,BERLIN,1\nMUG,BERLIN,2\n"))

    assert str(caught.value) == "Line 3: MUG in BERLIN has 2 here but 1 on line 2."


async def test_progress_is_told_up_to_the_end(db: None) -> None:
    await make.warehouse()
    await make.product("TEE", options={"Size": [str(size) for size in range(1_500)]})
    await make.product("SOCK", options={"Size": [str(size) for size in range(1_500)]})
    told: list[tuple[str, int, int | None]] = []
    rows = "".join(f"{sku}-{size},BERLIN,1\n" for sku in ("TEE", "SOCK") for size in range(1_500))

    await importing.levels(lines(LEVELS + rows), lambda what, done, of: told.append((what, done, of)))

    counted = [("Counted", done, 3_000) for done in (0, 1_000, 2_000, 3_000)]
    assert told == [("Read", 3_000, None), ("Checked", 3_000, 3_000), *counted]


async def test_the_counts_of_one_item_are_taken_together(db: None) -> None:
    """More levels than a part has: no alert is raised halfway."""
    places = [f"W{number:04}" for number in range(2_100)]
    at = clock.now()
    await sql.insert(
        Warehouse,
        ("code", "name", "active", "created_at", "updated_at"),
        [(code, code, True, at, at) for code in places],
    )
    await make.product("MUG")
    await make.setting(notify_below=2_100)

    await importing.levels(lines(LEVELS + "".join(f"MUG,{code},1\n" for code in places)))

    assert await alerts.LowInventoryAlert.all().count() == 0
    assert await levels.live_levels().count() == 2_100


async def test_the_first_lines_that_are_wrong_are_told(db: None) -> None:
    """Whatever the order in which they are found: here it is that of the SKUs."""
    await make.warehouse()
    rows = "".join(f"X{99 - number},BERLIN,1\n" for number in range(25))

    with pytest.raises(Refused) as caught:
        await importing.levels(lines(LEVELS + rows))

    expected = [f"Line {number + 2}: There is no item X{99 - number}." for number in range(20)]
    assert [refusal.message for refusal in caught.value.refusals] == [*expected, "And 5 more."]


async def many(count: int) -> list[str]:
    """So many products, and a file that counts 5 of each."""
    at = clock.now()
    names = [f"P{number:04}" for number in range(count)]
    made = [replace(new_product(sku, "P", at), slug=sku.lower()) for sku in names]
    await transactions.run(lambda: catalog.insert(made))
    return lines(LEVELS + "".join(f"{sku},BERLIN,5\n" for sku in names))


class Interrupted(Exception):
    pass


def interrupt(what: str, at: int) -> Callable[[str, int, int | None], None]:
    """Progress that ends the import once so much is done."""

    def progress(doing: str, done: int, of: int | None) -> None:
        if (doing, done) == (what, at):
            raise Interrupted

    return progress


def begin(what: str, at: int, work: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[str, int, int | None], None]:
    """Progress that begins something else once so much is done."""
    begun = []

    def progress(doing: str, done: int, of: int | None) -> None:
        if (doing, done) == (what, at):
            begun.append(asyncio.create_task(work()))

    return progress


async def test_an_import_that_was_interrupted_is_finished_by_importing_the_file_again(db: None) -> None:
    await make.warehouse()
    given = await many(2_500)

    with pytest.raises(Interrupted):
        await importing.levels(given, interrupt("Counted", 1_000))
    written = await levels.live_levels().count(), await inventory.StockMovement.all().count()
    again = await importing.levels(given)

    assert written == (1_000, 1_000)
    assert figures(again) == {"counted": 1_500}
    assert set((await on_hand()).values()) == {Decimal(5)}
    assert await inventory.StockMovement.all().count() == 2_500


async def test_an_import_that_was_interrupted_before_it_wrote_has_written_nothing(db: None) -> None:
    await make.warehouse()
    given = await many(3)
    before = await everything()

    with pytest.raises(Interrupted):
        await importing.levels(given, interrupt("Checked", 3))

    assert await everything() == before


async def test_a_row_that_becomes_wrong_after_the_check_is_reported_and_the_others_are_written(db: None) -> None:
    await make.warehouse()
    given = await many(1_002)

    async def delete() -> None:
        await products.delete_product("P1001")

    found = await importing.levels(given, begin("Checked", 1_002, delete))

    assert [(one.code, one.message) for one in found.refused] == [
        (Code.NOT_FOUND, "Line 1003: The item was deleted during the import.")
    ]
    assert counted(found) == 1_001
    assert "P1001" not in await on_hand()
    assert len(await on_hand()) == 1_001


async def test_an_order_of_another_item_is_placed_between_two_parts(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", "BERLIN", 5)
    given = await many(5_000)
    seen: list[tuple[str, int]] = []

    async def order() -> None:
        await make.order("MUG", 2)
        seen.append(("ordered", 0))

    start = begin("Counted", 1_000, order)

    def progress(what: str, done: int, of: int | None) -> None:
        seen.append((what, done))
        start(what, done, of)

    await importing.levels(given, progress)

    assert seen.index(("Counted", 1_000)) < seen.index(("ordered", 0)) < seen.index(("Counted", 5_000))
    assert (await on_hand())["MUG"] == Decimal(3)


async def test_products_that_were_interrupted_are_finished_by_importing_the_file_again(db: None) -> None:
    await make.warehouse()
    given = [EXPORT.splitlines(keepends=True)[0], *simple(250)]

    with pytest.raises(Interrupted):
        await importing.shopify(given, "BERLIN", interrupt("Imported", 200))
    written = await Row.all().count(), len(await on_hand())
    again = await shopify(given)

    assert written == (200, 200)
    assert figures(again) == {"products_made": 50, "counted": 50}
    assert len(await on_hand()) == 250


async def test_a_product_that_becomes_wrong_after_the_check_is_reported_and_the_others_are_written(db: None) -> None:
    await make.warehouse()
    given = [EXPORT.splitlines(keepends=True)[0], *simple(250)]

    async def take_sku() -> None:
        await make.product("S249", slug="another")

    found = await importing.shopify(given, "BERLIN", begin("Checked", 250, take_sku))

    assert [(one.code, one.message) for one in found.refused] == [
        (Code.ALREADY_EXISTS, "Line 251: The product S249 already exists.")
    ]
    assert (figures(found)["products_made"], counted(found)) == (249, 249)
    assert await catalog.product(slug="h249") is None


def simple(count: int) -> list[str]:
    """Rows of so many products without options."""
    return [
        f"h{number},Mug,,,,Title,Default Title,S{number},shopify,1,deny,,,,\n".replace(",,,,Title", ",,,true,Title", 1)
        for number in range(count)
    ]


async def test_a_given_sku_that_another_product_of_the_file_gives_up_is_free(db: None) -> None:
    await make.warehouse()
    await shopify(lines(EXPORT))

    renamed = edited(EXPORT, "tee", Variant_SKU="SMALL")
    found = await shopify([*renamed, "cup,Cup,,,true,Title,Default Title,TEE-S,shopify,1,deny,,,,\n"])

    assert found.refused == ()
    assert (await item("TEE-S")).slug == "cup"


def sized(*rows: tuple[str, ...], colored: bool = True) -> list[str]:
    """An export of the product tee: rows of size, color, SKU and quantity; without ``colored`` there is no color."""
    names = ("Size", "Color") if colored else ("Size", "")
    head = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Inventory Qty\n"
    written = [
        f"tee,T-shirt,{names[0]},{size},{names[1]},{color},{sku},{quantity}\n" for size, color, sku, quantity in rows
    ]
    return [head, *written]


async def choices() -> dict[str, tuple[int, dict[str, str]]]:
    """The combinations in use: id and choice by SKU."""
    rows = await Row.filter(product_id__isnull=False, deleted_at=None).order_by("id")
    return {row.sku: (row.id, row.choice) for row in rows}


async def test_the_skus_of_a_file_name_the_values_of_a_new_option_and_stock_is_kept(db: None) -> None:
    await make.warehouse()
    await shopify(sized(("S", "", "A", "3"), ("M", "", "B", "4"), colored=False))
    before = await choices()

    found = await shopify(sized(("S", "Red", "A", "3"), ("M", "Blue", "B", "4"), ("M", "Red", "C", "5")))

    assert figures(found) == {"products_changed": 1, "combinations_made": 1, "counted": 1}
    after = await choices()
    assert [(sku, choice) for sku, (_, choice) in after.items()] == [
        ("A", {"Size": "S", "Color": "Red"}),
        ("B", {"Size": "M", "Color": "Blue"}),
        ("C", {"Size": "M", "Color": "Red"}),
    ]
    assert (after["A"][0], after["B"][0]) == (before["A"][0], before["B"][0])
    assert await on_hand() == {"A": Decimal(3), "B": Decimal(4), "C": Decimal(5)}


async def test_the_only_value_of_a_new_option_is_that_of_combinations_without_a_sku_in_the_file(db: None) -> None:
    await make.warehouse()
    await shopify(sized(("S", "", "", "3"), ("M", "", "", "4"), colored=False))

    found = await shopify(sized(("S", "Red", "", "3"), ("M", "Red", "", "4")))

    assert figures(found) == {"products_changed": 1}
    assert [(sku, choice) for sku, (_, choice) in (await choices()).items()] == [
        ("tee-S", {"Size": "S", "Color": "Red"}),
        ("tee-M", {"Size": "M", "Color": "Red"}),
    ]


async def test_a_new_option_of_which_a_file_does_not_tell_who_has_what_refuses_it_while_there_is_stock(
    db: None,
) -> None:
    await make.warehouse()
    await shopify(sized(("S", "", "", "3"), colored=False))

    assert await refused(sized(("S", "Red", "", "3"), ("S", "Blue", "", "4"))) == [
        "Line 2: tee-S still has stock or claims in a warehouse."
    ]


async def test_an_option_that_told_no_combinations_apart_may_leave_the_file(db: None) -> None:
    await make.warehouse()
    await shopify(sized(("S", "Red", "A", "3"), ("M", "Red", "B", "4")))

    found = await shopify(sized(("S", "", "A", "3"), ("M", "", "B", "4"), colored=False))

    assert figures(found) == {"products_changed": 1}
    assert {sku: choice for sku, (_, choice) in (await choices()).items()} == {"A": {"Size": "S"}, "B": {"Size": "M"}}


async def test_combinations_that_no_longer_fit_give_their_skus_to_those_that_follow(db: None) -> None:
    await make.warehouse()
    await shopify(sized(("S", "Red", "A", "0"), ("S", "Blue", "B", "0")))
    before = await choices()

    found = await shopify(sized(("S", "", "A", "2"), colored=False))

    assert (figures(found)["combinations_made"], found.refused) == (1, ())
    ((sku, (item_id, choice)),) = (await choices()).items()
    assert (sku, choice, item_id not in {one for one, _ in before.values()}) == ("A", {"Size": "S"}, True)


async def test_an_option_by_another_name_keeps_the_combinations_that_the_file_gives_their_sku(db: None) -> None:
    await make.warehouse()
    await shopify(edited(EXPORT, "tee", 1, Variant_SKU="TEE-M"))
    before = await choices()

    found = await shopify(edited("".join(edited(EXPORT, "tee", 1, Variant_SKU="TEE-M")), "tee", Option1_Name="Fit"))

    after = {sku: (before[sku][0], {"Fit": choice["Size"]}) for sku, (_, choice) in before.items()}
    assert figures(found) == {"products_changed": 1}
    assert await choices() == after


async def test_options_that_leave_stock_behind_refuse_the_file(db: None) -> None:
    await make.warehouse()
    await shopify(lines(EXPORT))

    assert await refused(edited(EXPORT, "tee", Option1_Name="Fit")) == [
        "Line 2: tee-M still has stock or claims in a warehouse."
    ]


async def test_parts_of_a_unit_are_taken_where_the_category_of_the_file_counts_them(db: None) -> None:
    await make.warehouse()
    await shopify(lines(EXPORT))
    await make.setting(category="kitchen", quantity_uses_decimals=True)

    found = await shopify(edited(EXPORT, "mug", Variant_Inventory_Qty="1.5"))

    assert counted(found) == 1
    assert (await on_hand())["mug"] == Decimal("1.5")
    assert await refused(edited(EXPORT, "tee", Variant_Inventory_Qty="1.5")) == [
        "Line 2: TEE-S is counted in whole units there, not 1.5."
    ]


async def test_orders_placed_while_a_file_is_taken_in_are_neither_lost_nor_oversold(db: None) -> None:
    await make.shop()
    skus = [f"P{number}" for number in range(20)]
    for sku in skus:
        await make.product(sku)
        await make.stock(sku, on_hand=50)
    given = lines(LEVELS + "".join(f"{sku},BERLIN,20\n" for sku in skus))

    await asyncio.gather(*(make.order(sku) for sku in skus), importing.levels(given), *map(make.order, skus))

    moved = await inventory.StockMovement.filter(kind=MovementKind.SALE).count()
    assert moved == 40
    assert await verification.verify() == []
    assert all(18 <= units <= 20 for units in (await on_hand()).values())
