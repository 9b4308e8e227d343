"""Any shop that is written as CS-Cart's exports comes over as it was, with variations and with combinations of options."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gqlstock.formats.records import Identity, Product, Variant
from gqlstock.rules import quantities
from gqlstock.rules.catalog import InventoryTracking, Option
from gqlstock.rules.settings import BackorderMode
from support import made_up_shops
from support.made_up_shops import Abilities, Shop, texts

COLUMNS = {
    "minimum_order_quantity": "Min quantity",
    "maximum_order_quantity": "Max quantity",
    "quantity_increment": "Quantity step",
}
# What can be ordered in advance cannot be asked to be told of.
SETTINGS = {
    "minimum_order_quantity": st.integers(1, 9).map(Decimal),
    "maximum_order_quantity": st.integers(10, 99).map(Decimal),
    "quantity_increment": st.integers(1, 9).map(Decimal),
    "backorders": st.just(BackorderMode.ALLOW),
    "availability_date": st.datetimes(
        datetime(2000, 1, 1),
        datetime(2040, 1, 1),
        timezones=st.just(UTC),
    ).map(lambda moment: moment.replace(microsecond=0)),
}
FEATURES = ("COLOR", "Größe; EU", "Size")
# Nothing is escaped but commas in values; line breaks are taken out of every value.
words = texts.map(lambda text: " ".join(re.sub(r"[\\/]", "-", text).split()).strip(" ;:|,")).filter(
    lambda text: any(c.isalnum() for c in text) and text[0] not in "'=+-@"
)
simple_words = (
    st.text("aBcX1 ,é日", min_size=1, max_size=8)
    .map(lambda text: text.strip(" ,"))
    .filter(lambda text: any(c.isalnum() for c in text))
)


def as_said(product: Product) -> Product:
    """A product with what CS-Cart always says with the rest: that it is upcoming, and whether shoppers are told.

    Its options are in the order of the file's columns.
    """
    counted = product.tracking is InventoryTracking.TRACK_WITHOUT_OPTIONS
    settings = product.settings if product.variants else _whole(product.settings)
    variants = tuple(replace(one, settings=_whole(one.settings)) for one in product.variants)
    options = tuple(sorted(product.options, key=_column))
    return replace(product, settings=settings if counted else {}, variants=variants, options=options)


def _column(option: Option) -> int:
    """The place of a feature among the file's columns. Options that are no features come after them."""
    return FEATURES.index(option.name) if option.name in FEATURES else len(FEATURES)


def by_options(product: Product) -> Product:
    """A product whose combinations have no settings of their own, and codes that are their SKUs."""
    variants = tuple(replace(one, settings={}, code=one.sku, counts=one.counts[:1]) for one in product.variants)
    return replace(product, settings=_whole(product.settings), variants=variants)


def _whole(said: Any) -> dict[str, Any]:
    found = dict(said)
    if "availability_date" in found:
        found["upcoming"] = True
    return {**found, "allow_back_in_stock_subscriptions": "backorders" not in found}


CAN = Abilities(
    identity=Identity.SKU,
    display_options=True,
    category_depth=3,
    images=False,
    variant_images=0,
    barcodes=False,
    places=("EAST", "West Side"),
    settings=SETTINGS,
    variant_settings=SETTINGS,
    texts=words,
    option_names=st.sampled_from(FEATURES),
    adapted=as_said,
)
CAN_COMBINE = replace(
    CAN, places=(), parent_settings=True, variant_settings={}, texts=simple_words, option_names=None, adapted=by_options
)


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The lines of a file as CS-Cart writes it: the header bare, every value in quotes."""
    out = io.StringIO(newline="")
    names = list(dict.fromkeys(name for row in rows for name in row))
    out.write(";".join(names) + "\n")
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([row.get(name, "") for name in names] for row in rows)
    return out.getvalue().splitlines(keepends=True)


def with_variations(shop: Shop) -> list[str]:
    """An export in which combinations are the products of a variation group, with a translation of each row."""
    rows = [row for number, product in enumerate(shop) for row in _variations(product, 100 * number)]
    rows += [{**row, "Language": "de", "Product name": "Anders"} for row in rows]
    # Columns with a blank semicolon in their names stand in quotes.
    header, *rest = lines(rows)
    named = header.replace("Größe; EU (Variation feature)", '"Größe; EU (Variation feature)"')
    return [named, *rest]


def _variations(product: Product, number: int) -> Iterator[dict[str, Any]]:
    if not product.variants:
        yield _row(product, number) | {"Inventory tracking": "B", **_settings(product), **_counts(product)}
        return
    for place, one in enumerate(product.variants):
        yield {
            **_row(product, number + place),
            "Product code": one.sku or f"{product.slug}_{place}",
            "Inventory tracking": "B",
            "Variation group code": product.slug,
            "Variation set as default": "Y" if place == len(product.variants) - 1 else "N",
            **{f"{name} (Variation feature)": dict(one.choice).get(name, "") for name in FEATURES},
            **_settings(one),
            **_counts(one),
        }


def _row(product: Product, number: int) -> dict[str, Any]:
    return {
        "Product code": product.sku or "",
        "Language": "en",
        "Product id": str(number + 1),
        "SEO name": product.slug,
        "Product name": product.name,
        "Description": product.description or "",
        "Category": "///".join(product.category),
        "Status": "A" if product.published else "D",
        "Options": _options([option for option in product.options if not option.inventory]),
    }


def _options(options: Sequence[Option]) -> str:
    return "; ".join(
        f"(Shop) {option.name}: S[{','.join(value.name.replace(',', chr(92) * 2 + ',') for value in option.values)}]"
        f"///inventory={'Y' if option.inventory else 'N'}///required=Y"
        for option in options
    )


def _settings(one: Product | Variant) -> dict[str, Any]:
    cells = dict.fromkeys(COLUMNS.values(), "0")
    cells |= {COLUMNS[name]: quantities.text(one.settings[name]) for name in COLUMNS if name in one.settings}
    since = one.settings.get("availability_date")
    return {
        **cells,
        "List qty count": "0",
        "Out of stock actions": "B" if "backorders" in one.settings else "S",
        "Available since": since.strftime("%d %b %Y %H:%M:%S") if since else "",
    }


def _counts(one: Product | Variant) -> dict[str, str]:
    found = {count.warehouse: quantities.text(count.on_hand) for count in one.counts}
    return {"Quantity": "77", **{f"{place} (Warehouse)": found.get(place, "") for place in CAN.places}}


def with_options(shop: Shop) -> list[str]:
    """An export in which products are counted by combinations of their options."""
    rows = []
    for number, product in enumerate(shop):
        tracking = {"Inventory tracking": "O" if product.variants else "B"}
        counted = {"Quantity": "99" if product.variants else "".join(_units(product))}
        options = {"Options": _options(product.options)}
        rows.append({**_row(product, number), **tracking, **_settings(product), **counted, **options})
    return lines(rows)


def combinations(shop: Shop) -> list[list[str]]:
    """The products again, and their combinations."""
    rows = [
        {
            "Product ID": str(number + 1),
            "Language": "en",
            "Product name": product.name,
            "Combination code": one.sku or "",
            "Combination": ", ".join(f"{name}: {value}" for name, value in one.choice),
            "Amount": "".join(_units(one)),
        }
        for number, product in enumerate(shop)
        for one in product.variants
    ]
    return [with_options(shop), lines(rows)] if rows else []


def _units(one: Product | Variant) -> Iterator[str]:
    return (quantities.text(count.on_hand) for count in one.counts)


async def test_a_shop_with_variations_comes_over_as_it_was(new_database: Any) -> None:
    await made_up_shops.check_round_trips(new_database, "cs-cart", CAN, with_variations, examples=12)


async def test_a_shop_with_combinations_of_options_comes_over_as_it_was(new_database: Any) -> None:
    await made_up_shops.check_round_trips(
        new_database,
        "cs-cart",
        CAN_COMBINE,
        with_options,
        examples=10,
        then={"cs-cart-combinations": combinations},
    )
