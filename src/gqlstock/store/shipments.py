"""Shipments of orders, and the units in them."""

from collections.abc import Collection
from decimal import Decimal

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules import seals
from gqlstock.rules import shipments as rules
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.shipments import ShipmentState
from gqlstock.store import database
from gqlstock.store.fields import QuantityField
from gqlstock.store.orders import Allocation, Order
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
    """How many units are in it, or were when it left."""
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

    def sealed(self) -> int:
        return seals.of_shipment(self)


async def shipments(ids: Collection[int]) -> dict[int, Shipment]:
    return {shipment.id: shipment for shipment in await Shipment.filter(id__in=set(ids))} if ids else {}


async def shipments_of(order_ids: Collection[int]) -> dict[int, list[Shipment]]:
    """The shipments of each order, oldest first."""
    found: dict[int, list[Shipment]] = {order_id: [] for order_id in order_ids}
    for shipment in await Shipment.filter(order_id__in=set(found)).order_by("id"):
        found[shipment.order_id].append(shipment)
    return found


async def contents(shipment_ids: Collection[int]) -> dict[int, list[Allocation]]:
    """What is in each shipment, or was when it left, in the order of the lines."""
    found: dict[int, list[Allocation]] = {shipment_id: [] for shipment_id in shipment_ids}
    if found:
        for allocation in await Allocation.filter(shipment_id__in=set(found)).order_by("line_id", "position", "id"):
            assert allocation.shipment_id is not None
            found[allocation.shipment_id].append(allocation)
    return found


async def restate(shipment_ids: Collection[int]) -> None:
    """Bring the state of shipments that have not left in line with the units in them.

    Who calls has written or locked their orders before: two who each fill a part of one shipment wait for each other.
    """
    inside = await contents(shipment_ids)
    still = Shipment.filter(id__in=set(shipment_ids), state__in=rules.OPEN_STATES)
    for shipment in await still.order_by("id"):
        states = [allocation.state for allocation in inside[shipment.id]]
        shipment.state, shipment.updated_at = rules.state(states), database.now()
        shipment.quantity = sum((allocation.quantity for allocation in inside[shipment.id]), ZERO)
        await shipment.save(update_fields=["state", "updated_at", "quantity"])
