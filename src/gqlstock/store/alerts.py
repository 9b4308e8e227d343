"""The table of low-inventory alerts. ``rules.alerts`` decides when they are raised and resolved."""

from collections.abc import Collection
from decimal import Decimal
from typing import cast

from tortoise import fields
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import alerts as rules
from gqlstock.rules.alerts import AlertState
from gqlstock.rules.filters import AlertFilter
from gqlstock.store import catalog
from gqlstock.store.catalog import Item
from gqlstock.store.db import records
from gqlstock.store.db.fields import QuantityField, SkuField
from gqlstock.store.warehouses import Warehouse


class LowInventoryAlert(Model):
    """One fall of an item below its threshold: over all active warehouses, or in the one that is named.

    At most one of each is open (an index in the migration).
    """

    id = fields.BigIntField(primary_key=True)
    item: fields.ForeignKeyRelation[Item] = fields.ForeignKeyField(
        "gqlstock.Item", related_name="alerts", on_delete=fields.RESTRICT
    )
    item_id: int
    warehouse: fields.ForeignKeyNullableRelation[Warehouse] = fields.ForeignKeyField(
        "gqlstock.Warehouse", related_name="alerts", null=True, on_delete=fields.RESTRICT
    )
    warehouse_id: int | None
    sku = SkuField(max_length=255)
    name = fields.CharField(max_length=1000)
    code = fields.CharField(max_length=255)
    quantity_left: fields.Field[Decimal] = QuantityField()
    threshold: fields.Field[Decimal] = QuantityField()
    state = fields.CharEnumField(AlertState, max_length=20)
    raised_at = fields.DatetimeField()
    acknowledged_at = fields.DatetimeField(null=True)
    acknowledged_by = fields.CharField(max_length=255, null=True)
    resolved_at = fields.DatetimeField(null=True)
    seal = fields.BigIntField(null=True)

    class Meta:
        table = "low_inventory_alert"
        indexes = (("state", "id"), ("item_id", "id"), ("warehouse_id", "id"), ("sku",))


async def matching(
    criteria: AlertFilter,
    within: Collection[int] | None,
    *,
    warehouse_ids: Collection[int] | None,
    in_categories: Collection[int] | None,
) -> QuerySet[LowInventoryAlert]:
    """The alerts that match a filter. ``within``: only of these warehouses.

    ``warehouse_ids`` and ``in_categories`` are the ids of the filter's warehouses, and of its category and subcategories.
    Few alerts are about a single warehouse; query planners can only tell from the id column.
    """
    rows = LowInventoryAlert.all()
    if within is not None:
        rows = rows.filter(warehouse_id__in=within)
    if criteria.state is not None:
        rows = rows.filter(state=criteria.state)
    if criteria.acknowledged is not None:
        rows = rows.filter(acknowledged_at__isnull=not criteria.acknowledged)
    if criteria.skus is not None:
        rows = rows.filter(await catalog.with_skus(criteria.skus))
    if warehouse_ids is not None:
        rows = rows.filter(warehouse_id__in=warehouse_ids)
    if in_categories is not None:
        rows = rows.filter(catalog.in_categories(in_categories, "item__"))
    return rows


async def ids_among(query: QuerySet[LowInventoryAlert], ids: Collection[int]) -> set[int]:
    """Those of the ids whose alerts a query finds."""
    return set(cast("list[int]", await query.filter(id__in=ids).values_list("id", flat=True)))


async def alerts(ids: Collection[int]) -> dict[int, rules.LowInventoryAlert]:
    return await records.by_id(rules.LowInventoryAlert, ids)
