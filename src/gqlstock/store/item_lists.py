"""The queries for lists of products and items."""

from collections.abc import Collection
from typing import Any

from tortoise.expressions import RawSQL
from tortoise.queryset import QuerySet

from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.filters import ItemFilter, ProductFilter
from gqlstock.store import catalog, item_stock, search
from gqlstock.store.catalog import Item
from gqlstock.store.db.fields import to_units
from gqlstock.store.item_stock import Supply

TOTAL_AVAILABLE = "total_available"
"""The column that ``items`` adds with ``totals``: the available units in active warehouses, as stored."""


async def products(criteria: ProductFilter, category_ids: Collection[int] | None) -> QuerySet[Item]:
    """The products in use that match a filter, regardless of stock. ``category_ids``: its category and subcategories."""
    rows = await _narrowed(catalog.live_products(), criteria, category_ids)
    if criteria.published is not None:
        rows = rows.filter(published=criteria.published)
    if criteria.tracking is not None:
        rows = rows.filter(tracking=criteria.tracking)
    return rows


async def items(
    criteria: ItemFilter,
    category_ids: Collection[int] | None,
    within: Collection[int] | None,
    supply: Supply | None,
    *,
    totals: bool,
) -> QuerySet[Item]:
    """The items in use that match a filter. ``within``: only the stock of these warehouses counts.

    ``supply`` is required for ``out_of_stock``.
    """
    rows = await _narrowed(catalog.live_items(), criteria, category_ids)
    rows = rows.filter(*await item_stock.filters(criteria, within, supply))
    if criteria.warehouse is not None:
        rows = rows.filter(levels__warehouse__code=criteria.warehouse, levels__deleted_at=None)
        if within is not None:
            rows = rows.filter(levels__warehouse_id__in=within)
    if totals or criteria.available_below is not None:
        rows = with_total_available(rows, within)
    if criteria.available_below is not None:
        rows = rows.filter(total_available__lt=to_units(criteria.available_below))
    return rows


async def _narrowed(
    rows: QuerySet[Item], criteria: ProductFilter | ItemFilter, category_ids: Collection[int] | None
) -> QuerySet[Item]:
    if criteria.search:
        rows = rows.filter(await search.items(criteria.search))
    if criteria.skus is not None:
        rows = rows.filter(sku__in=criteria.skus)
    if category_ids is not None:
        rows = rows.filter(catalog.in_categories(category_ids))
    if criteria.updated_since is not None:
        rows = rows.filter(updated_at__gte=criteria.updated_since)
    return rows


def with_total_available(items: QuerySet[Item], within: Collection[int] | None = None) -> QuerySet[Item]:
    """The items with ``TOTAL_AVAILABLE``. ``within``: only of these warehouses."""
    annotated: dict[str, Any] = {TOTAL_AVAILABLE: RawSQL(_total_available(within))}
    return items.annotate(**annotated)


def _total_available(within: Collection[int] | None) -> str:
    only = "" if within is None else f"AND w.id IN ({', '.join(map(str, sorted(within))) or 'NULL'})"
    total = f"""SELECT CAST(SUM(l.available) AS BIGINT) FROM inventory_level l
        JOIN warehouse w ON w.id = l.warehouse_id AND w.active {only} JOIN item c ON c.id = l.item_id
        WHERE l.deleted_at IS NULL AND"""
    # A product tracked with options has the sum of its combinations.
    return f"""COALESCE(CASE
        WHEN "item"."product_id" IS NULL AND "item"."tracking" = '{InventoryTracking.TRACK_WITH_OPTIONS}'
        THEN ({total} c.product_id = "item"."id" AND c.deleted_at IS NULL)
        ELSE ({total} c.id = "item"."id")
    END, 0)"""
