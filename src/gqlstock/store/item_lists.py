"""The queries of lists of products and items."""

from collections.abc import Collection
from typing import Any

from tortoise.expressions import RawSQL
from tortoise.queryset import QuerySet

from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.filters import ItemFilter, ProductFilter
from gqlstock.store import catalog, search
from gqlstock.store.catalog import Item
from gqlstock.store.db.fields import to_units

TOTAL_AVAILABLE = "total_available"
"""The column of ``items`` with ``totals``: what is available over active warehouses, in stored units."""


async def products(chosen: ProductFilter, category_ids: Collection[int] | None) -> QuerySet[Item]:
    """The products in use that a filter lets through, whatever their stock. ``category_ids``: those of its category."""
    found = await _narrowed(catalog.live_products(), chosen, category_ids)
    if chosen.published is not None:
        found = found.filter(published=chosen.published)
    if chosen.tracking is not None:
        found = found.filter(tracking=chosen.tracking)
    return found


async def items(
    chosen: ItemFilter, category_ids: Collection[int] | None, within: Collection[int] | None, *, totals: bool
) -> QuerySet[Item]:
    """The items in use that a filter lets through. ``within``: only the stock of these warehouses counts."""
    found = await _narrowed(catalog.live_items(), chosen, category_ids)
    if chosen.warehouse is not None:
        found = found.filter(levels__warehouse__code=chosen.warehouse, levels__deleted_at=None)
        if within is not None:
            found = found.filter(levels__warehouse_id__in=within)
    if totals or chosen.available_below is not None:
        found = with_total_available(found, within)
    if chosen.available_below is not None:
        found = found.filter(total_available__lt=to_units(chosen.available_below))
    return found


async def _narrowed(
    found: QuerySet[Item], chosen: ProductFilter | ItemFilter, category_ids: Collection[int] | None
) -> QuerySet[Item]:
    if chosen.search:
        found = found.filter(await search.items(chosen.search))
    if chosen.skus is not None:
        found = found.filter(sku__in=chosen.skus)
    if category_ids is not None:
        found = found.filter(catalog.in_categories(category_ids))
    if chosen.updated_since is not None:
        found = found.filter(updated_at__gte=chosen.updated_since)
    return found


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
