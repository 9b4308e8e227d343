"""Products that are made by SKU where they do not exist and changed where they do: what is decided, and what is refused."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.rules import catalog, combinations, product_upsert
from gqlstock.rules.catalog import InventoryTracking, Item, Option, OptionValue, new_product, stored_options
from gqlstock.rules.catalog_edits import CatalogEdits
from gqlstock.rules.catalog_rows import CatalogRows
from gqlstock.rules.fallback import Place
from gqlstock.rules.item_use import ItemUse
from gqlstock.rules.ledger import Level
from gqlstock.rules.product_upsert import CombinationRow, ProductRow, UpsertRequest
from gqlstock.rules.refusals import Refused
from gqlstock.rules.settings import SettingScope

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2030, 1, 1, 13, tzinfo=UTC)
SIZE = Option("Size", (OptionValue("S"), OptionValue("M")))
TRACKED = {"tracking": InventoryTracking.TRACK_WITH_OPTIONS}


def stored(item_id: int, sku: str, *options: Option, **more: Any) -> Item:
    item = replace(new_product(sku, sku.capitalize(), NOON), id=item_id, slug=sku.lower(), **more)
    return replace(item, stored_options=stored_options(options))


MUG = stored(1, "MUG")
SHIRT = stored(2, "SHIRT", SIZE, category_id=7, **TRACKED)
SHIRT_S = replace(combinations.new(SHIRT, {"Size": "S"}, "SHIRT-S", NOON), id=3)
COAT = stored(4, "COAT", SIZE, **TRACKED)
BOXES = Place(SettingScope.CATEGORY, "boxes", {"minimum_order_quantity": Decimal(5)})


def rows(**more: Any) -> CatalogRows:
    items = {item.id: item for item in (MUG, SHIRT, SHIRT_S, COAT)}
    return CatalogRows(
        items=items,
        by_sku={item.sku: item for item in items.values()},
        slugs={item.slug: item.id for item in items.values() if item.slug is not None},
        categories={"boxes": 8},
        above={None: [], 7: [], 8: [BOXES]},
        use_read_of=items,
        **more,
    )


def of(sku: str, *values: str, settings: Mapping[str, Any] | None = None, **fields: Any) -> CombinationRow:
    options = tuple(("Size", value) for value in values)
    return CombinationRow(sku, options, fields, settings or {})


def row(sku: str, *made: CombinationRow, settings: Mapping[str, Any] | None = None, **fields: Any) -> ProductRow:
    return ProductRow(sku, fields, made, settings or {})


def refused(*given: ProductRow, read: CatalogRows | None = None) -> list[tuple[str, tuple[Any, ...]]]:
    with pytest.raises(Refused) as error:
        product_upsert.decide(CatalogEdits(read or rows(), LATER), UpsertRequest(given))
    return [(one.code.value, one.path) for one in error.value.refusals]


SIZE_AND_COLOR = (SIZE, Option("Color", (OptionValue("Red"),)))
REFUSED: dict[str, tuple[ProductRow, str, tuple[Any, ...]]] = {
    "an empty SKU": (row(" ", name="X"), "INVALID_INPUT", ("sku",)),
    "no name": (row("NEW"), "INVALID_INPUT", ("name",)),
    "name null": (row("NEW", name=None), "INVALID_INPUT", ("name",)),
    "no tracking": (row("NEW", of("NEW-S", "S"), name="New", options=(SIZE,)), "INVALID_INPUT", ("tracking",)),
    "the same SKU": (row("MUG", of("MUG", "S")), "INVALID_INPUT", ("combinations", 0, "sku")),
    "a combination's SKU": (row("SHIRT-S", name="X"), "ALREADY_EXISTS", ("sku",)),
    "a product's SKU": (row("COAT", of("MUG", "S")), "ALREADY_EXISTS", ("combinations", 0, "sku")),
    "another product's combination": (row("COAT", of("SHIRT-S", "S")), "ALREADY_EXISTS", ("combinations", 0, "sku")),
    "a choice that exists": (row("SHIRT", of("SHIRT-X", "S")), "ALREADY_EXISTS", ("combinations", 0, "options")),
    "a choice twice": (row("COAT", of("A", "S"), of("B", "S")), "ALREADY_EXISTS", ("combinations", 1, "options")),
    "another choice": (row("SHIRT", of("SHIRT-S", "M")), "INVALID_INPUT", ("combinations", 0, "options")),
    "an unknown value": (row("COAT", of("A", "L")), "INVALID_INPUT", ("combinations", 0, "options", 0, "value")),
    "no choice": (row("COAT", of("A")), "INVALID_INPUT", ("combinations", 0, "options")),
    "no options": (row("MUG", of("A")), "INVALID_INPUT", ("combinations", 0, "options")),
    "no existing": (row("SHIRT", options=SIZE_AND_COLOR), "INVALID_INPUT", ("options", 1, "existing")),
    "a taken slug": (row("MUG", slug="shirt"), "ALREADY_EXISTS", ("slug",)),
    "no slug": (row("MUG", slug="a b"), "INVALID_INPUT", ("slug",)),
    "an unknown category": (row("MUG", category="x"), "NOT_FOUND", ("category",)),
    "an unknown warehouse": (row("MUG", shipping_origin="X"), "NOT_FOUND", ("shippingOrigin",)),
    "a long barcode": (row("COAT", of("A", "S", barcode="9" * 256)), "INVALID_INPUT", ("combinations", 0, "barcode")),
    "wrong settings": (
        row("MUG", settings={"incoming_buffer_days": 366}),
        "INVALID_INPUT",
        ("settings", "incomingBufferDays"),
    ),
    "settings against the new category": (
        row("MUG", category="boxes", settings={"maximum_order_quantity": Decimal(4)}),
        "INVALID_INPUT",
        ("settings", "maximumOrderQuantity"),
    ),
    "settings against the product's": (
        row(
            "SHIRT",
            of("SHIRT-S", "S", settings={"maximum_order_quantity": Decimal(4)}),
            settings={"minimum_order_quantity": Decimal(5)},
        ),
        "INVALID_INPUT",
        ("combinations", 0, "settings", "maximumOrderQuantity"),
    ),
}


@pytest.mark.parametrize(("wrong", "code", "path"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_at_its_place(wrong: ProductRow, code: str, path: tuple[Any, ...]) -> None:
    assert refused(row("APE", name="Ape"), wrong) == [(code, ("products", 1, *path))]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (row("SHIRT", tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS), "tracking"),
        (row("SHIRT", options=(Option("Size", (OptionValue("M"),)),)), "options"),
        (row("SHIRT", options=None), "options"),
    ],
)
@pytest.mark.parametrize(
    "use", [ItemUse([replace(Level(), item_id=3, on_hand=Decimal(1))]), ItemUse(orders={3: 12})], ids=["stock", "order"]
)
def test_what_would_lose_stock_or_a_combination_on_order_is_refused(given: ProductRow, path: str, use: ItemUse) -> None:
    assert refused(given, read=rows(use=use)) == [("INVALID_STATE", ("products", 0, path))]


def test_use_that_was_not_read_is_asked_for() -> None:
    read = rows()
    read.use_read_of = ()
    edits = CatalogEdits(read, LATER)

    product_upsert.decide(edits, UpsertRequest((row("SHIRT", options=None), row("MUG", barcode="1"))))

    assert edits.missing_use == {3}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ((), "INVALID_INPUT"),
        ((row("A"),) * 251, "TOO_MANY"),
        ((row("A", *[of("B", "S")] * 1_000), row("C", *[of("D", "S")] * 1_001)), "TOO_MANY"),
    ],
    ids=["nothing", "251 products", "2,001 combinations"],
)
def test_a_call_has_1_to_250_products_with_2000_combinations(given: tuple[ProductRow, ...], code: str) -> None:
    with pytest.raises(Refused) as error:
        UpsertRequest(given).check_size()

    assert [(one.code.value, one.path) for one in error.value.refusals] == [(code, ("products",))]
    UpsertRequest((row("A"),) * 249 + (row("A", *[of("B", "S")] * 2_000),)).check_size()


def test_with_partial_a_refused_product_leaves_nothing_behind() -> None:
    edits = CatalogEdits(rows(), LATER)
    wrong = row("MUG", of("X", "S"), name="Cup", slug="cup", settings={"notify_below": Decimal(1)})
    other = row("COAT", of("A", "S"), slug="cup", barcode="1")

    done = product_upsert.decide(edits, UpsertRequest((wrong, other), partial=True))

    assert [(one.code.value, one.path) for one in done.refusals] == [
        ("INVALID_INPUT", ("products", 0, "combinations", 0, "options", 0, "name"))
    ]
    assert [item.sku for item in done.products] == ["COAT"]
    assert [(before.sku, after.slug) for before, after in edits.changed] == [("COAT", "cup")]
    assert ([item.sku for item in edits.created], edits.changed_settings) == (["A"], {})


def test_what_is_as_requested_already_is_no_change() -> None:
    edits = CatalogEdits(rows(settings={3: {"notify_below": Decimal(1)}}), LATER)
    member = of("SHIRT-S", "S", barcode="", code=None, settings={"notify_below": Decimal(1), "backorders": None})
    again = row("SHIRT", member, name="Shirt", slug="shirt", description=None, options=(SIZE,), **TRACKED)

    done = product_upsert.decide(edits, UpsertRequest((again, row("MUG", slug=None))))

    assert done.products == [SHIRT, MUG]
    assert (edits.changed, edits.created, edits.retired, edits.changed_settings) == ([], [], [], {})


def test_options_are_converted_once_for_all_combinations_of_a_product(monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[int] = []
    options_of = catalog.options_of
    monkeypatch.setattr(catalog, "options_of", lambda stored: converted.append(1) or options_of(stored))
    sizes = Option("Size", tuple(OptionValue(str(number)) for number in range(50)))
    made = [of(f"COAT-{value.name}", value.name) for value in sizes.values]
    edits = CatalogEdits(rows(), LATER)

    product_upsert.decide(edits, UpsertRequest((row("COAT", *made, options=(sizes,)),)))

    assert (len(edits.created), len(converted)) == (50, 2), "the options before and after"


def test_each_product_sees_those_before_it() -> None:
    edits = CatalogEdits(rows(), LATER)
    given = (
        row("MUG", slug="cup"),
        row("NEW", name="Mug"),
        row("NEWER", name="mug!"),
        row("COAT", slug=None, name="Mug"),
    )

    done = product_upsert.decide(edits, UpsertRequest(given))

    assert [item.slug for item in done.products] == ["cup", "mug", "mug-2", "mug-3"]
