"""The table of shipments, and their contents."""

from collections.abc import Collection
from decimal import Decimal

from tortoise import fields
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import Allocation
from gqlstock.rules.filters import ShipmentFilter
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.shipments import ShipmentState
from gqlstock.store.db import records
from gqlstock.store.db.fields import QuantityField
from gqlstock.store.orders import Order
from gqlstock.store.warehouses import Warehouse


class Shipment(Model):
    """Units of one order that leave one warehouse together. People know it by a number that is made from its id."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "gqlstock.Order", related_name="shipments", on_delete=fields.RESTRICT
    )
    order_id: int
    warehouse: fields.ForeignKeyRelation[Warehouse] = fields.ForeignKeyField(
        "gqlstock.Warehouse", related_name="shipments", on_delete=fields.RESTRICT
    )
    warehouse_id: int
    state = fields.CharEnumField(ShipmentState, max_length=20)
    tracking_number = fields.CharField(max_length=255, null=True)
    carrier = fields.CharField(max_length=255, null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    shipped_at = fields.DatetimeField(null=True)
    quantity: fields.Field[Decimal] = QuantityField(default=ZERO, db_default=ZERO)
    """The units in the shipment or, once it has shipped, those that were in it."""
    seal = fields.BigIntField(null=True)

    class Meta:
        table = "shipment"
        indexes = (
            ("order_id", "id"),
            ("warehouse_id", "state"),
            ("state", "created_at", "id"),
            ("created_at", "id"),
            ("updated_at", "id"),
        )


def matching(criteria: ShipmentFilter, within: Collection[int] | None) -> QuerySet[Shipment]:
    """The shipments that match a filter. ``within``: only from these warehouses."""
    rows = Shipment.all()
    if within is not None:
        rows = rows.filter(warehouse_id__in=within)
    if criteria.states is not None:
        rows = rows.filter(state__in=criteria.states)
    if criteria.warehouse is not None:
        rows = rows.filter(warehouse__code=criteria.warehouse)
    if criteria.order is not None:
        rows = rows.filter(order_id=order_rules.id_of(criteria.order) or 0)
    if criteria.updated_since is not None:
        rows = rows.filter(updated_at__gte=criteria.updated_since)
    return rows


async def shipments(ids: Collection[int]) -> dict[int, rules.Shipment]:
    return await records.by_id(rules.Shipment, ids)


async def shipments_of(order_ids: Collection[int]) -> dict[int, list[rules.Shipment]]:
    """The shipments of each order, oldest first."""
    return await records.below(rules.Shipment, "order_id", order_ids)


async def contents(shipment_ids: Collection[int]) -> dict[int, list[Allocation]]:
    """The allocations in each shipment, in the order of the lines. Shipped shipments keep theirs."""
    found = await records.below(Allocation, "shipment_id", shipment_ids)
    return {shipment_id: sorted(inside, key=_by_line) for shipment_id, inside in found.items()}


def _by_line(allocation: Allocation) -> tuple[int, int, int]:
    return allocation.line_id, allocation.position, allocation.id
