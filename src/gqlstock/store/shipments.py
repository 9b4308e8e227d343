"""The table of shipments, and the units in them."""

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
    """The units in it; of a shipped one, those that were in it."""
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


def matching(chosen: ShipmentFilter, within: Collection[int] | None) -> QuerySet[Shipment]:
    """The shipments that a filter lets through. ``within``: only from these warehouses."""
    found = Shipment.all()
    if within is not None:
        found = found.filter(warehouse_id__in=within)
    if chosen.states is not None:
        found = found.filter(state__in=chosen.states)
    if chosen.warehouse is not None:
        found = found.filter(warehouse__code=chosen.warehouse)
    if chosen.order is not None:
        found = found.filter(order_id=order_rules.id_of(chosen.order) or 0)
    if chosen.updated_since is not None:
        found = found.filter(updated_at__gte=chosen.updated_since)
    return found


async def shipments(ids: Collection[int]) -> dict[int, rules.Shipment]:
    return await records.by_id(rules.Shipment, ids)


async def shipments_of(order_ids: Collection[int]) -> dict[int, list[rules.Shipment]]:
    """The shipments of each order, oldest first."""
    return await records.below(rules.Shipment, "order_id", order_ids)


async def contents(shipment_ids: Collection[int]) -> dict[int, list[Allocation]]:
    """The units in each shipment, in the order of the lines; of a shipped one, those that were in it."""
    found = await records.below(Allocation, "shipment_id", shipment_ids)
    return {shipment_id: sorted(inside, key=_by_line) for shipment_id, inside in found.items()}


def _by_line(allocation: Allocation) -> tuple[int, int, int]:
    return allocation.line_id, allocation.position, allocation.id
