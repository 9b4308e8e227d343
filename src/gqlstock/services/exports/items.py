"""Products and combinations for exports. A product comes before its combinations."""

from collections.abc import Mapping, Sequence
from typing import Any

from gqlstock.formats.csv_rows import SEPARATOR
from gqlstock.rules import moments
from gqlstock.rules.catalog import Item
from gqlstock.rules.ids import global_id
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.services.exports.page import Row
from gqlstock.store import catalog, categories, export_pages, warehouses

COLUMNS = (
    *("kind", "sku", "product", "selectedOptions", "code", "ownCode", "name", "slug", "description", "barcode"),
    *("category", "categoryPath", "tracking", "published", "inventoryStatus", "shippingOrigin"),
    *("options", "images", "ownImages"),
)
# A description has up to 60,000 characters.
_ITEMS = 250
_ABOVE = " > "


async def page(caller: Caller, after: int | None) -> tuple[list[Row], int | None]:
    found = await export_pages.items(after or 0, _ITEMS)
    known = await catalog.with_products(found)
    paths = await _paths({item.category_id for item in found} - {None})
    codes = await warehouses.codes_by_id() if caller.may(Scope.INVENTORY_READ) else {}
    rows = [_row(item, known[item.product_id or item.id], paths.get(item.category_id, []), codes) for item in found]
    return rows, found[-1].id if len(found) == _ITEMS else None


async def _paths(category_ids: set[Any]) -> dict[int | None, list[Row]]:
    """The path to each category from the root."""
    chains = await categories.chains(category_ids)
    named = await categories.categories({one for chain in chains.values() for one, _ in chain})
    return {
        category_id: [{"slug": slug, "name": named[one].name} for one, slug in reversed(chain)]
        for category_id, chain in chains.items()
    }


def _row(item: Item, product: Item, path: Sequence[Row], codes: Mapping[int, str]) -> Row:
    kind = "Product" if item.is_product else "Combination"
    return {
        "id": global_id(kind, item.id),
        "kind": kind.upper(),
        "sku": item.sku,
        "product": None if item.is_product else product.sku,
        "selectedOptions": [{"name": name, "value": value} for name, value in item.choice.items()],
        "code": item.own_code or product.sku,
        "ownCode": item.own_code,
        "name": item.name,
        "slug": product.slug,
        "description": item.description,
        "barcode": item.barcode,
        "category": path[-1]["slug"] if path else None,
        "categoryPath": path,
        "tracking": product.tracking.value,
        "published": product.published,
        "inventoryStatus": item.inventory_status.value,
        "shippingOrigin": codes.get(product.shipping_origin_id or 0),
        "options": item.stored_options,
        "images": item.own_images or product.own_images,
        "ownImages": item.own_images,
        "createdAt": moments.wire(item.created_at),
        "updatedAt": moments.wire(item.updated_at),
    }


def cells(row: Row) -> list[tuple[Any, ...]]:
    """The columns that people set: no ids and no timestamps, so that identical shops produce identical files."""
    options = SEPARATOR.join(f"{one['name']}={one['value']}" for one in row["selectedOptions"])
    path = _ABOVE.join(one["name"] for one in row["categoryPath"])
    return [tuple((row | {"selectedOptions": options, "categoryPath": path})[column] for column in COLUMNS)]
