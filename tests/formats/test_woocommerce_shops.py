"""Any shop that is written as WooCommerce's product export comes over as it was."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gqlstock.formats.records import Identity, Product, Variant
from gqlstock.rules import quantities
from gqlstock.rules.catalog import Image, InventoryStatus
from gqlstock.rules.settings import BackorderMode
from support import made_up_shops
from support.made_up_shops import Abilities, Shop

BACKORDERS = {None: "0", BackorderMode.ALLOW: "1", BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER: "notify"}
OF_PARENTS = {"notify_below": st.integers(1, 9).map(Decimal), "maximum_order_quantity": st.just(Decimal(1))}
OF_ITEMS = {
    "notify_below": OF_PARENTS["notify_below"],
    "backorders": st.sampled_from([BackorderMode.ALLOW, BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER]),
}


def adapted(product: Product) -> Product:
    """There is no column for slugs and for texts of pictures. What is not counted has no number, and what is counted one."""
    images = tuple(Image(image.url) for image in product.images)
    if product.variants:
        said = {name: value for name, value in product.settings.items() if name in OF_PARENTS}
        variants = tuple(replace(one, settings=_counting(one)) for one in product.variants)
        product = replace(product, settings=said, variants=variants)
    else:
        product = replace(product, settings=_counting(product))
    is_out = product.settings.get("manage_stock") is False and product.inventory_status is InventoryStatus.OUT_OF_STOCK
    status = InventoryStatus.OUT_OF_STOCK if is_out else InventoryStatus.IN_STOCK
    # The slug is made of the name.
    return replace(product, name=product.slug, images=images, inventory_status=status)


def _counting(item: Product | Variant) -> dict[str, Any]:
    if not item.counts:
        return {**item.settings, "manage_stock": False}
    is_in_parts = not quantities.is_whole(item.counts[0].on_hand)
    return {**item.settings, **({"quantity_uses_decimals": True} if is_in_parts else {})}


CAN = Abilities(
    identity=Identity.SKU,
    display_options=True,
    category_depth=3,
    statuses=True,
    parts_of_units=True,
    settings={**OF_PARENTS, **OF_ITEMS},
    parent_settings=True,
    variant_settings=OF_ITEMS,
    # WooCommerce does not double a backslash: before a comma or a newline that it writes, it is part of that.
    texts=made_up_shops.texts.filter(lambda text: "\\\n" not in text and not text.endswith("\\")),
    adapted=adapted,
)


def written(shop: Shop) -> list[str]:
    """The lines of an export: variations stand before and behind all products."""
    early: list[dict[str, str]] = []
    products, late = [], []
    for number, product in enumerate(shop, 1):
        products.append(_product_row(product, 100 * number))
        (late if number % 2 else early).extend(_variation_rows(product, 100 * number))
    out = io.StringIO(newline="")
    rows = [*early, *products, *late]
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return ["\ufeff", *out.getvalue().splitlines(keepends=True)]


def _product_row(product: Product, number: int) -> dict[str, str]:
    description = (product.description or "").replace("\n", "\\n")
    return {
        "ID": str(number),
        "Type": "variable" if product.options else "simple, virtual",
        "Name": product.name or "",
        "Published": "1" if product.published else "-1",
        "Description": description,
        "Categories": _listed([" > ".join(product.category)]),
        "Sold individually?": str(int("maximum_order_quantity" in product.settings)),
        "Parent": "",
        **_attributes({one.name: _listed([value.name for value in one.values]) for one in product.options}),
        **_item(product, is_counted_here=not product.options),
    }


def _variation_rows(product: Product, number: int) -> Iterator[dict[str, str]]:
    # One variation for any value is a product that is sold as one thing.
    lone = [Variant(0, (), settings=product.settings, counts=product.counts)] if product.options else []
    for place, one in enumerate(product.variants or lone, 1):
        chosen = dict(one.choice)
        row = {
            "ID": str(number + place),
            "Type": "variation",
            "Name": f"{product.name} - {', '.join(chosen.values())}",
            "Published": "1",
            "Parent": product.sku or f"id:{number}",
            # In another order than those of the product.
            **_attributes({of.name: _listed([chosen.get(of.name, "")]) for of in reversed(product.options)}),
            **_item(one),
        }
        if not product.variants:
            row["In stock?"] = str(int(product.inventory_status is not InventoryStatus.OUT_OF_STOCK))
        yield row


def _item(item: Product | Variant, *, is_counted_here: bool = True) -> dict[str, str]:
    low = item.settings.get("notify_below")
    is_out = isinstance(item, Product) and item.inventory_status is InventoryStatus.OUT_OF_STOCK
    return {
        "SKU": item.sku or "",
        "GTIN, UPC, EAN, or ISBN": item.barcode or "",
        "Images": _listed([image.url for image in item.images]),
        "In stock?": "0" if is_out else "1",
        "Stock": "".join(quantities.text(count.on_hand) for count in item.counts if is_counted_here),
        "Low stock amount": quantities.text(low - 1) if low is not None else "",
        "Backorders allowed?": BACKORDERS[item.settings.get("backorders")],
    }


def _attributes(values: Mapping[str, str]) -> dict[str, str]:
    cells = {}
    for number, (name, value) in enumerate(values.items(), 1):
        cells |= {f"Attribute {number} name": name, f"Attribute {number} value(s)": value}
    return cells


def _listed(values: Sequence[str]) -> str:
    return ", ".join(value.replace(",", "\\,") for value in values)


async def test_a_shop_comes_over_as_it_was(new_database: Any) -> None:
    await made_up_shops.check_round_trips(new_database, "woocommerce", CAN, written)
