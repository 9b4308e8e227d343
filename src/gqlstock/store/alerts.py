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
    chosen: AlertFilter,
    within: Collection[int] | None,
    *,
    warehouse_ids: Collection[int] | None,
    in_categories: Collection[int] | None,
) -> QuerySet[LowInventoryAlert]:
    """The alerts that a filter lets through, by the ids of its warehouses and of its category and those below.

    By the ids of warehouses, because few alerts are of one warehouse alone, and only by id is that known beforehand.
    ``within``: only of these warehouses.
    """
    found = LowInventoryAlert.all()
    if within is not None:
        found = found.filter(warehouse_id__in=within)
    if chosen.state is not None:
        found = found.filter(state=chosen.state)
    if chosen.acknowledged is not None:
        found = found.filter(acknowledged_at__isnull=not chosen.acknowledged)
    if chosen.skus is not None:
        found = found.filter(await catalog.with_skus(chosen.skus))
    if warehouse_ids is not None:
        found = found.filter(warehouse_id__in=warehouse_ids)
    if in_categories is not None:
        found = found.filter(catalog.in_categories(in_categories, "item__"))
    return found


async def ids_among(found: QuerySet[LowInventoryAlert], ids: Collection[int]) -> set[int]:
    """The ids of the alerts of a query that are among these."""
    return set(cast("list[int]", await found.filter(id__in=ids).values_list("id", flat=True)))


async def alerts(ids: Collection[int]) -> dict[int, rules.LowInventoryAlert]:
    return await records.by_id(rules.LowInventoryAlert, ids)
