"""Many products written at once: as many statements as for one, and the same catalog as by single mutations."""

import asyncio
import contextlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gqlstock.rules import skus
from gqlstock.rules.catalog import Image, InventoryStatus, InventoryTracking, Option, OptionValue
from gqlstock.rules.events import Topic
from gqlstock.rules.product_upsert import CombinationRow, ProductRow, UpsertRequest
from gqlstock.rules.refusals import Code, Refusal, Refused, taken
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import SettingScope
from gqlstock.services import combinations, edit_catalog, upsert_products
from gqlstock.services import settings as setting_services
from gqlstock.services.edit_catalog import CatalogNames
from gqlstock.services.settings import SettingTarget
from gqlstock.store import catalog, outbox
from gqlstock.store.db import connection, sql, transactions
from support import shop_builders as make
from support.settled_news import settled
from support.statement_counter import Statements

SIZES = ("S", "M", "L", "XL")


def option(name: str, *values: str, **more: Any) -> Option:
    return Option(name, tuple(OptionValue(value) for value in values), **more)


def row(sku: str, *, name: str = "Shirt", units: int = 3) -> ProductRow:
    """A product with eight combinations, and settings of its own and of theirs."""
    options = (option("Size", *SIZES), option("Color", "Red", "Blue"))
    choices = [(("Size", size), ("Color", color)) for size in SIZES for color in ("Red", "Blue")]
    images = [Image(f"https://img.example/{sku}.jpg")]
    made = tuple(
        CombinationRow(f"{sku}-{number}", choice, {"barcode": name, "images": images}, {"notify_below": Decimal(units)})
        for number, choice in enumerate(choices)
    )
    fields = {
        "name": f"{name} {sku}",
        "category": "clothes",
        "tracking": InventoryTracking.TRACK_WITH_OPTIONS,
        "options": options,
        "images": images,
        "shipping_origin": "BERLIN",
    }
    return ProductRow(sku, fields, made, {"notify_below": Decimal(units), "minimum_order_quantity": Decimal(1)})


async def test_250_products_with_2000_combinations_take_as_many_statements_as_one(db: None) -> None:
    await make.shop()
    await make.category("clothes")
    listening = Statements()

    async def statements(*skus: str) -> list[int]:
        """How many statements it takes to make these products, to change all of them, and to write them again."""
        counts = []
        for key, name, units in (("made", "Shirt", 3), ("changed", "Blouse", 4), ("again", "Blouse", 4)):
            request = UpsertRequest(tuple(row(sku, name=name, units=units) for sku in skus))
            with listening.counted() as sent:
                await upsert_products.upsert(SYSTEM, request, f"{key} {len(skus)}")
            counts.append(len(sent))
        return counts

    made, changed, again = await statements("ONE")
    many = await statements(*(f"MANY-{number}" for number in range(250)))

    assert await sql.query("SELECT COUNT(*) AS items FROM item") == [{"items": 251 * 9}]
    # SQLite takes at most 30,000 values with one statement: it inserts 2,000 combinations with two.
    assert many == [made if connection.is_postgres() else made + 1, changed, again]
    assert max(many) <= 30


async def test_a_product_that_moves_goes_by_the_threshold_of_its_new_category_at_once(db: None) -> None:
    await make.shop()
    await make.category("cups")
    await make.setting(category="cups", notify_below=5)
    for sku in ("MUG", "CUP"):
        await make.product(sku)
        await make.stock(sku, on_hand=4)

    rows = tuple(ProductRow(sku, {"category": "cups"}) for sku in ("MUG", "CUP"))
    await upsert_products.upsert(SYSTEM, UpsertRequest(rows))

    found = await sql.query("SELECT sku, state FROM low_inventory_alert ORDER BY sku")
    assert [dict(one) for one in found] == [{"sku": "CUP", "state": "RAISED"}, {"sku": "MUG", "state": "RAISED"}]


async def test_a_refusal_under_a_key_is_kept_and_decided_anew_later(db: None) -> None:
    request = UpsertRequest((ProductRow("MUG", {"name": "Mug", "category": "cups"}),))
    with pytest.raises(Refused):
        await upsert_products.upsert(SYSTEM, request, "key")
    assert [bool(one["refused"]) for one in await sql.query("SELECT refused FROM kept_answer")] == [True]

    await make.category("cups")
    done = await upsert_products.upsert(SYSTEM, request, "key")

    assert len(done.ids["products"]) == 1


_NO_NAME = (Code.INVALID_INPUT, "A new product needs a name.")
_NO_TRACKING = (Code.INVALID_INPUT, "A new product with combinations needs tracking.")

# ── the same as by single mutations ──

NAMES = st.sampled_from(["Mug", "mug!", "Cup", "Mug 2"])
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "minimum_order_quantity": st.sampled_from([None, Decimal(2), Decimal(4)]),
        "maximum_order_quantity": st.sampled_from([None, Decimal(3)]),
        "quantity_increment": st.sampled_from([None, Decimal("0.5"), Decimal(1)]),
    },
)
IMAGES = st.sampled_from([None, (), (Image("https://x/1.jpg"),), (Image("https://x/2.jpg", "Two"),)])
OPTIONS = st.sampled_from(
    [
        None,
        (),
        (option("Size", "S", "M"),),
        (option("Size", "S"),),
        (option("Size", "S", "M"), option("Fit", "Slim", "Wide", existing="Wide")),
        (option("Fit", "Slim", "Wide", existing="Wide"), option("Size", "S", "M")),
        (Option("Size", (OptionValue("S"), OptionValue("Medium", renamed_from="M"))),),
        (option("Size", "S", "M"), option("Gift", "Yes", "No", inventory=False)),
    ]
)
CHOICES = st.sampled_from(
    [
        (("Size", "S"),),
        (("Size", "M"),),
        (("Size", "Medium"),),
        (("Size", "S"), ("Fit", "Wide")),
        (("Size", "S"), ("Fit", "Slim")),
        (("Size", "M"), ("Fit", "Wide")),
    ]
)
COMBINATIONS = st.builds(
    CombinationRow,
    st.sampled_from(["C0", "C1", "C2", " C3", "C4", "P0"]),
    CHOICES,
    st.fixed_dictionaries({}, optional={"barcode": st.sampled_from([None, "1"]), "code": NAMES, "images": IMAGES}),
    SETTINGS,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.none() | NAMES,
        "barcode": st.sampled_from([None, "", "400"]),
        "slug": st.sampled_from([None, "mug", "mug-2", "cup", "no slug"]),
        "description": st.sampled_from([None, "Blue."]),
        "images": IMAGES,
        "category": st.sampled_from([None, "cups", "kitchen", "unknown"]),
        "tracking": st.sampled_from([None, *InventoryTracking]),
        "published": st.sampled_from([None, True, False]),
        "inventory_status": st.sampled_from([None, *InventoryStatus]),
        "shipping_origin": st.sampled_from([None, "BERLIN"]),
        "options": OPTIONS,
    },
)
ROWS = st.builds(
    ProductRow,
    st.sampled_from(["P0", "P1", "P2", "C0"]),
    FIELDS,
    st.lists(COMBINATIONS, max_size=3).map(tuple),
    SETTINGS,
)
LIKELY = st.builds(
    lambda sku, made, fields: ProductRow(
        sku,
        {
            "name": "Mug",
            "tracking": InventoryTracking.TRACK_WITH_OPTIONS,
            "options": (option("Size", "S", "M"),),
            **fields,
        },
        tuple(CombinationRow(f"{sku}-{number}", (("Size", "SM"[number]),)) for number in range(made)),
    ),
    st.sampled_from(["P0", "P1", "P2"]),
    st.integers(0, 2),
    FIELDS.map(lambda fields: {name: fields[name] for name in ("slug", "name", "category") if fields.get(name)}),
)
CALLS = st.lists(st.lists(LIKELY | ROWS, min_size=1, max_size=4), min_size=1, max_size=3)


async def test_upserts_equal_the_same_changes_by_single_mutations(new_database: Any) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(CALLS)
    def judge(calls: list[list[ProductRow]]) -> None:
        asyncio.run_coroutine_threadsafe(_compare(new_database, calls), loop).result()

    await asyncio.to_thread(judge)


async def _compare(new_database: Any, calls: list[list[ProductRow]]) -> None:
    found = []
    for write in (_at_once, _one_by_one):
        async with new_database():
            await make.shop()
            await make.category("kitchen")
            await make.category("cups", parent="kitchen")
            await make.setting(category="cups", minimum_order_quantity=3)
            steps = []
            for number, rows in enumerate(calls):
                await settled()
                at = await outbox.latest()
                refused = await write(rows)
                await settled()
                steps.append((refused, await _catalog(), await _told(at)))
                if number == 0 and (await catalog.by_sku(["P0-0"])).get("P0-0") and not refused.get(0):
                    await _count("P0-0")
            found.append(steps)
    for together, single in zip(*found, strict=True):
        (refused, written, told), (refused_alone, written_alone, told_alone) = together, single
        assert written == written_alone
        assert refused.keys() == refused_alone.keys()
        for number, first in refused_alone.items():
            assert first[0] in refused[number]
        # A mutation of settings tells of items whose settings stay the same.
        assert told <= told_alone


async def _count(sku: str) -> None:
    with contextlib.suppress(Refused):
        await make.stock(sku, on_hand=2)


Refusals = Mapping[int, list[tuple[str, str]]]
"""The codes and messages by row."""


def _shown(refusals: Any) -> list[tuple[str, str]]:
    return [(one.code.value, one.message) for one in refusals]


async def _at_once(rows: list[ProductRow]) -> Refusals:
    done = await upsert_products.upsert(SYSTEM, UpsertRequest(tuple(rows), partial=True))
    by_row: dict[int, list[Refusal]] = {}
    for one in done.refusals:
        by_row.setdefault(int(one.path[1]), []).append(one)
    return {number: _shown(of_row) for number, of_row in by_row.items()}


async def _one_by_one(rows: list[ProductRow]) -> Refusals:
    """Every row by single mutations, in a transaction: what it refuses takes back the row. What upserts refuse is refused."""
    refused: dict[int, list[tuple[str, str]]] = {}
    seen: set[str] = set()
    for number, one in enumerate(rows):
        named = [skus.normalized(sku) for sku in (one.sku, *(made.sku for made in one.combinations))]
        twice = [sku for place, sku in enumerate(named) if sku in seen or sku in named[:place]]
        seen |= set(named)
        if twice:
            refused[number] = [("INVALID_INPUT", f"The SKU {twice[0]} occurs twice; name each SKU once.")]
            continue
        try:
            await transactions.run(lambda one=one: _alone(one))  # type: ignore[misc]
        except Refused as error:
            refused[number] = _shown(error.refusals)
    return refused


async def _alone(one: ProductRow) -> None:
    await _product(one)
    if one.settings:
        await setting_services.change(SettingTarget(SettingScope.PRODUCT, one.sku), one.settings)
    product = await catalog.product(sku=one.sku)
    assert product is not None
    for made in one.combinations:
        item = (await catalog.by_sku([made.sku])).get(made.sku)
        if item is not None and item.product_id != product.id:
            raise taken("product" if item.is_product else "combination", made.sku)
        if item is None:
            fields = {name: value or () if name == "images" else value for name, value in made.fields.items()}
            await combinations.create(one.sku, made.options, sku=made.sku, **fields)
        elif dict(made.options) != item.choice:
            # Options of the combination are no field of a single mutation.
            raise Refused([await _wrong_options(made, one)])
        else:
            await combinations.update(made.sku, made.fields)
        if made.settings:
            await setting_services.change(SettingTarget(SettingScope.COMBINATION, made.sku), made.settings)


async def _wrong_options(made: CombinationRow, one: ProductRow) -> Refusal:
    """What creating a combination of these options says of them; else that a combination keeps its options."""
    alone = ProductRow(one.sku, {}, (made,))
    try:
        await upsert_products.upsert(SYSTEM, UpsertRequest((alone,)))
    except Refused as error:
        return error.refusals[0]
    raise AssertionError(f"{made} was not refused")


async def _product(one: ProductRow) -> None:
    """Make or change the product as the single mutations do, without their reassessment after the commit."""
    item = (await catalog.by_sku([one.sku])).get(one.sku)
    if item is not None and not item.is_product:
        raise taken("combination", one.sku)
    names = CatalogNames()
    names.add_product(one.sku, one.fields)
    if item is not None:
        await edit_catalog.run(names, lambda edits: edits.change_product(edits.product(one.sku), one.fields))
        return
    if one.fields.get("name") is None:
        raise Refused([Refusal(*_NO_NAME)])
    if one.combinations and one.fields.get("tracking") is None:
        raise Refused([Refusal(*_NO_TRACKING)])
    await edit_catalog.run(names, lambda edits: edits.create_product({"sku": one.sku, **one.fields}))


async def _catalog() -> list[dict[str, Any]]:
    """Every item with its own settings, without ids and moments."""
    found = await sql.query(
        """SELECT i.*, p.sku AS of_product, o.values_set AS own FROM item i LEFT JOIN item p ON p.id = i.product_id
           LEFT JOIN setting_override o ON o.owner_id = i.id AND o.scope IN ('PRODUCT', 'COMBINATION') ORDER BY i.sku, i.id"""
    )
    out = []
    for one in found:
        deleted = one["deleted_at"] is not None
        without = ("id", "product_id", "created_at", "updated_at", "deleted_at")
        kept = {name: value for name, value in one.items() if name not in without}
        own = kept.pop("own")
        out.append({**kept, "deleted": deleted, "own": None if own in ("{}", {}, None) else own})
    return sorted(out, key=repr)


async def _told(at: outbox.Cursor) -> set[str]:
    """The SKUs of the items that readers are told of."""
    entries = [one.subject for one in await outbox.after(at, 1_000) if one.topic is Topic.ITEM]
    return {item.sku for item in (await catalog.items(entries)).values()}
