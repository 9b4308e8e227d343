"""Orders, their lines, and which warehouse gives how much to each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tortoise import fields
from tortoise.expressions import Q, Subquery
from tortoise.models import Model

from gqlstock.rules import folding, geo, seals
from gqlstock.rules import orders as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.backorders import Fill
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.settings import InventoryDecrement
from gqlstock.store import catalog, database
from gqlstock.store.catalog import Item
from gqlstock.store.fields import FoldedField, QuantityField, SkuField, from_units
from gqlstock.store.inventory import InventoryLevel
from gqlstock.store.warehouses import Warehouse, Website


class Order(Model):
    """An order. People know it by a number that is made from its id.

    Its e-mail address has an index in the migration, whatever the case.
    """

    id = fields.BigIntField(primary_key=True)
    website: fields.ForeignKeyRelation[Website] = fields.ForeignKeyField(
        "gqlstock.Website", related_name="orders", on_delete=fields.RESTRICT
    )
    website_id: int
    status = fields.CharEnumField(OrderStatus, max_length=20)
    customer_email = fields.CharField(max_length=254, null=True)
    reference = fields.CharField(max_length=255, null=True)
    ship_latitude = fields.FloatField(null=True)
    ship_longitude = fields.FloatField(null=True)
    placed_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    canceled_at = fields.DatetimeField(null=True)
    canceled_units: fields.Field[Decimal] = QuantityField(default=ZERO, db_default=ZERO)
    """What is canceled of its lines: of a parked order nothing else says it."""
    shipment_count = fields.IntField(default=0, db_default=0)
    seal = fields.BigIntField(null=True)
    folded = FoldedField(of=("customer_email", "reference"))

    @property
    def ship_to(self) -> geo.Point | None:
        """Where it goes, if that was said."""
        return geo.point_or_none(self.ship_latitude, self.ship_longitude)

    class Meta:
        table = "customer_order"
        indexes = (
            ("placed_at", "id"),
            ("updated_at", "id"),
            ("status", "placed_at"),
            ("reference",),
        )

    def sealed(self, lines: "Sequence[OrderLine]") -> int:
        """Its seal, which has what was ordered as well."""
        return seals.of_order(self, lines)


class OrderLine(Model):
    """What was ordered, as it was then. ``item`` is what was asked for, be its product what has the units."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "gqlstock.Order", related_name="lines", on_delete=fields.RESTRICT
    )
    order_id: int
    item: fields.ForeignKeyRelation[Item] = fields.ForeignKeyField(
        "gqlstock.Item", related_name="order_lines", on_delete=fields.RESTRICT
    )
    item_id: int
    sku = SkuField(max_length=255)
    name = fields.CharField(max_length=1000)
    code = fields.CharField(max_length=255)
    selected_options: fields.Field[dict[str, str]] = fields.JSONField(default=dict)
    quantity: fields.Field[Decimal] = QuantityField()
    canceled: fields.Field[Decimal] = QuantityField(default=ZERO)
    returned: fields.Field[Decimal] = QuantityField(default=ZERO, db_default=ZERO)
    decrement = fields.CharEnumField(InventoryDecrement, max_length=20)
    message = fields.CharField(max_length=255, null=True)
    folded = FoldedField(of=("sku", "name"))

    class Meta:
        table = "order_line"
        indexes = (("order_id", "id"), ("item_id", "order_id"), ("sku",))


class Allocation(Model):
    """So many units of a line, from one warehouse, in one state. ``level`` is null where nothing is counted.

    ``position`` is the place of its source in the line's plan, which its parts keep when it is split. ``split_from`` is
    the allocation that was planned, null for that one itself: ids follow the order in which units were planned.
    """

    id = fields.BigIntField(primary_key=True)
    line: fields.ForeignKeyRelation[OrderLine] = fields.ForeignKeyField(
        "gqlstock.OrderLine", related_name="allocations", on_delete=fields.RESTRICT
    )
    line_id: int
    warehouse: fields.ForeignKeyRelation[Warehouse] = fields.ForeignKeyField(
        "gqlstock.Warehouse", related_name="allocations", on_delete=fields.RESTRICT
    )
    warehouse_id: int
    level: fields.ForeignKeyNullableRelation[InventoryLevel] = fields.ForeignKeyField(
        "gqlstock.InventoryLevel", related_name="allocations", null=True, on_delete=fields.RESTRICT
    )
    level_id: int | None
    shipment: fields.ForeignKeyNullableRelation[Any] = fields.ForeignKeyField(
        "gqlstock.Shipment", related_name="allocations", null=True, on_delete=fields.RESTRICT
    )
    shipment_id: int | None
    position = fields.IntField(default=0)
    split_from = fields.BigIntField(null=True)
    quantity: fields.Field[Decimal] = QuantityField()
    state = fields.CharEnumField(AllocationState, max_length=20)
    changed_at = fields.DatetimeField()

    class Meta:
        table = "allocation"
        indexes = (("line_id", "id"), ("level_id", "state"), ("warehouse_id", "state"), ("shipment_id",))

    @property
    def planned_as(self) -> int:
        """The id of the allocation that its units were planned as."""
        return int(self.id if self.split_from is None else self.split_from)


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order that is not written yet, with its lines and the allocations of each."""

    order: Order
    lines: Sequence[tuple[OrderLine, Sequence[Allocation]]]


async def insert(new: Sequence[NewOrder]) -> None:
    """Write orders, with one statement for each table."""
    for one in new:
        one.order.seal = one.order.sealed([line for line, _ in one.lines])
    await database.insert_many([one.order for one in new])
    lines = [pair for one in new for pair in one.lines]
    for one in new:
        for line, _ in one.lines:
            line.order_id = one.order.id
    await database.insert_many([line for line, _ in lines])
    await allocate(lines)


async def allocate(lines: Sequence[tuple[OrderLine, Sequence[Allocation]]]) -> None:
    """Write the allocations of lines that are written."""
    for line, allocations in lines:
        for allocation in allocations:
            allocation.line_id = line.id
    await database.insert_many([allocation for _, allocations in lines for allocation in allocations])


OPEN_STATES = (AllocationState.ON_HAND, AllocationState.BACKORDERED)


def matches(search: str) -> Q:
    """Orders with that text in their number, reference or e-mail address, or in the name or SKU of a line."""
    text = folding.fold(search)
    found = OrderLine.filter(folded__contains=text)
    return Q(folded__contains=text) | Q(id=rules.id_of(text) or 0) | Q(id__in=Subquery(found.values("order_id")))


async def with_sku(sku: str) -> Q:
    """Orders with a line of that SKU, as it was ordered or as it is now."""
    item = (await catalog.by_sku([sku])).get(sku)
    line = Q(Q(sku=sku), Q(item_id=item.id if item else 0), join_type=Q.OR)
    return Q(id__in=Subquery(OrderLine.filter(line).values("order_id")))


def from_warehouse(code: str, within: Collection[int] | None = None) -> Q:
    """Orders that a warehouse gives units to; ``within``: none where it is not among these."""
    allocations = Allocation.filter(warehouse__code=code)
    if within is not None:
        allocations = allocations.filter(warehouse_id__in=within)
    lines = allocations.values("line_id")
    return Q(id__in=Subquery(OrderLine.filter(id__in=Subquery(lines)).values("order_id")))


async def orders(ids: Collection[int]) -> dict[int, Order]:
    found = await database.rows(Order, f"id IN ({database.slots(ids)})", *ids) if ids else []
    return {order.id: order for order in found}


async def lines(ids: Collection[int]) -> dict[int, OrderLine]:
    return {line.id: line for line in await OrderLine.filter(id__in=set(ids))} if ids else {}


async def lines_of(order_ids: Collection[int]) -> dict[int, list[OrderLine]]:
    """The lines of each order, in the order in which they were given."""
    found: dict[int, list[OrderLine]] = {order_id: [] for order_id in order_ids}
    for line in await database.rows(OrderLine, f"order_id IN ({database.slots(found)}) ORDER BY id", *found):
        found[line.order_id].append(line)
    return found


async def allocations_of(line_ids: Collection[int]) -> dict[int, list[Allocation]]:
    """The allocations of each line, oldest first."""
    found: dict[int, list[Allocation]] = {line_id: [] for line_id in line_ids}
    for allocation in await database.rows(Allocation, f"line_id IN ({database.slots(found)}) ORDER BY id", *found):
        found[allocation.line_id].append(allocation)
    return found


async def allocations(ids: Collection[int]) -> dict[int, Allocation]:
    return {allocation.id: allocation for allocation in await Allocation.filter(id__in=set(ids))} if ids else {}


async def open_allocations(level_id: int) -> int:
    """How many allocations of a level are still to be shipped or canceled."""
    return await Allocation.filter(level_id=level_id, state__in=OPEN_STATES).count()


async def open_order_of(item_ids: Collection[int]) -> int | None:
    """An order that still waits for one of these items to be shipped, if there is one."""
    found = await OrderLine.filter(
        item_id__in=set(item_ids),
        order__status__in=[OrderStatus.PLACED, OrderStatus.BACKORDERED, OrderStatus.PARTIALLY_SHIPPED],
    ).first()
    return found.order_id if found else None


async def waiting(level_id: int) -> list[Allocation]:
    """What waits for stock of a level, in the order in which its units were planned."""
    return await database.rows(
        Allocation, "level_id = ? AND state = 'BACKORDERED' ORDER BY COALESCE(split_from, id), id", level_id
    )


async def waiting_units(level_ids: Collection[int], mode: InventoryDecrement) -> dict[int, Decimal]:
    """How many units wait for stock of each level in lines of a mode."""
    found = await database.query(
        f"""SELECT a.level_id AS level_id, CAST(SUM(a.quantity) AS BIGINT) AS units
            FROM allocation a JOIN order_line l ON l.id = a.line_id
            WHERE a.level_id IN ({database.slots(level_ids)}) AND a.state = 'BACKORDERED' AND l.decrement = ?
            GROUP BY a.level_id""",
        *level_ids,
        mode.value,
    )
    return {row["level_id"]: from_units(row["units"]) for row in found}


async def fill(waiting: Sequence[Allocation], fills: Sequence[Fill]) -> list[int]:
    """Turn waiting units into ON_HAND ones, splitting an allocation that is filled in part; gives the orders' ids."""
    by_id = {allocation.id: allocation for allocation in waiting}
    at = database.now()
    split: list[Any] = []
    for one in fills:
        allocation = by_id[one.allocation_id]
        if one.quantity < allocation.quantity:
            split.append(
                Allocation(
                    line_id=allocation.line_id,
                    warehouse_id=allocation.warehouse_id,
                    level_id=allocation.level_id,
                    shipment_id=allocation.shipment_id,
                    position=allocation.position,
                    split_from=allocation.planned_as,
                    quantity=allocation.quantity - one.quantity,
                    state=AllocationState.BACKORDERED,
                    changed_at=allocation.changed_at,
                )
            )
        await Allocation.filter(id=allocation.id).update(
            quantity=one.quantity, state=AllocationState.ON_HAND, changed_at=at
        )
    await database.insert_many(split)
    line_ids = {by_id[one.allocation_id].line_id for one in fills}
    order_ids = sorted({line.order_id for line in (await lines(line_ids)).values()})
    database.gather(_touch, order_ids)
    return order_ids


_TOUCHED_AT_ONCE = 5_000


async def _touch(order_ids: list[int]) -> None:
    """Say that these orders changed: at the end, in the order of their ids, so that two that fill the same orders from
    different items never wait for each other in a circle."""
    wanted, at = sorted(set(order_ids)), database.now()
    for start in range(0, len(wanted), _TOUCHED_AT_ONCE):
        part = wanted[start : start + _TOUCHED_AT_ONCE]
        slots = ", ".join("?" * len(part))
        if database.is_postgres():
            await database.execute(
                f"SELECT id FROM customer_order WHERE id IN ({slots}) ORDER BY id FOR NO KEY UPDATE", *part
            )
        await database.execute(f"UPDATE customer_order SET updated_at = ? WHERE id IN ({slots})", at, *part)


async def lock(order_id: int) -> Order:
    """The order, which this transaction has to itself; claim its items first, as filling backorders does."""
    return await Order.filter(id=order_id).select_for_update(no_key=True).get()


async def split(allocation: Allocation, quantity: Decimal, **changes: Any) -> Allocation:
    """Change ``quantity`` units of an allocation; what is left of it stays as it was. Gives the changed part."""
    part = allocation
    if quantity < allocation.quantity:
        part = allocation.clone()
        part.split_from = allocation.planned_as
        part.quantity = quantity
        allocation.quantity -= quantity
        await allocation.save(update_fields=["quantity"])
    for name, value in {**changes, "changed_at": database.now()}.items():
        setattr(part, name, value)
    await part.save()
    return part
