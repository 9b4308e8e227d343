"""The tables of orders, order lines and allocations."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from tortoise import fields
from tortoise.expressions import Q, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import allocation, folding
from gqlstock.rules import orders as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.filters import OrderFilter
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.settings import InventoryDecrement
from gqlstock.store import catalog
from gqlstock.store.catalog import Item
from gqlstock.store.db import conditions, records, sql
from gqlstock.store.db.conditions import Condition
from gqlstock.store.db.fields import FoldedField, QuantityField, SkuField, from_units
from gqlstock.store.inventory import InventoryLevel
from gqlstock.store.warehouses import Warehouse, Website

_TO_SHIP = conditions.exists("""order_line l JOIN allocation a ON a.line_id = l.id
    WHERE l.order_id = "customer_order".id AND a.state = 'ON_HAND' {there}""")
_LINES_TO_SHIP = "SELECT a.line_id AS id FROM allocation a WHERE a.state = 'ON_HAND' {there}"
_WITH_UNITS_LEFT = (OrderStatus.PLACED, OrderStatus.PARTIALLY_SHIPPED)
# PostgreSQL accepts at most 32,767 parameters per statement.
_IDS_PER_STATEMENT = 10_000


class Order(Model):
    """An order. People know it by a number that is made from its id.

    A migration adds a case-insensitive index on the email address.
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
    """The canceled units of its lines. A parked order has no allocations to derive them from."""
    shipment_count = fields.IntField(default=0, db_default=0)
    promised_at = fields.DatetimeField(null=True)
    seal = fields.BigIntField(null=True)
    folded = FoldedField(of=("customer_email", "reference"))

    class Meta:
        table = "customer_order"
        indexes = (
            ("placed_at", "id"),
            ("updated_at", "id"),
            ("status", "placed_at"),
            ("reference",),
        )


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
    promised_at = fields.DatetimeField(null=True)
    buffer_days = fields.IntField(default=0, db_default=0)
    folded = FoldedField(of=("sku", "name"))

    class Meta:
        table = "order_line"
        indexes = (("order_id", "id"), ("item_id", "order_id"), ("sku",))


class Allocation(Model):
    """So many units of a line, from one warehouse, in one state. ``level`` is null where nothing is counted.

    ``position`` and ``split_from``: see ``rules.allocation.Allocation``.
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


def all_orders() -> QuerySet[Order]:
    """A query for all orders; ``keyset`` reads it as records."""
    return Order.all()


def all_allocations() -> QuerySet[Allocation]:
    """A query for all allocations; ``keyset`` reads it as records."""
    return Allocation.all()


async def matching(criteria: OrderFilter, within: Collection[int] | None) -> QuerySet[Order]:
    """The orders that match a filter. ``within``: the only warehouses that the filter may match by."""
    rows = all_orders()
    if criteria.search:
        rows = rows.filter(matches(criteria.search))
    if criteria.statuses is not None:
        rows = rows.filter(status__in=criteria.statuses)
    if criteria.to_ship is not None:
        counted = within if criteria.warehouse is None else await _only(criteria.warehouse, within)
        rows = rows.filter(*await to_ship(counted, passing=criteria.to_ship))
    if criteria.warehouse is not None:
        rows = rows.filter(from_warehouse(criteria.warehouse, within))
    if criteria.sku is not None:
        rows = rows.filter(await with_sku(criteria.sku))
    if criteria.reference is not None:
        rows = rows.filter(reference=criteria.reference)
    if criteria.website is not None:
        rows = rows.filter(website__code=criteria.website)
    if criteria.customer_email is not None:
        rows = rows.filter(customer_email__iexact=criteria.customer_email)
    if criteria.updated_since is not None:
        rows = rows.filter(updated_at__gte=criteria.updated_since)
    if criteria.placed_since is not None:
        rows = rows.filter(placed_at__gte=criteria.placed_since)
    if criteria.placed_until is not None:
        rows = rows.filter(placed_at__lt=criteria.placed_until)
    return rows


def matches(search: str) -> Q:
    """A filter for orders with a text in the reference, email address, or SKU or name of a line, or with this number."""
    text = folding.fold(search)
    found = OrderLine.filter(folded__contains=text)
    return Q(folded__contains=text) | Q(id=rules.id_of(text) or 0) | Q(id__in=Subquery(found.values("order_id")))


async def with_sku(sku: str) -> Q:
    """A filter for orders with a line of this SKU, either as ordered or as the item has it now."""
    return Q(id__in=Subquery(OrderLine.filter(await catalog.with_skus([sku])).values("order_id")))


async def to_ship(within: Collection[int] | None, *, passing: bool) -> list[Q]:
    """A filter for orders with units on hand that have not left, or without them. ``within``: counts only units there."""
    there = "" if within is None else f"AND a.warehouse_id IN ({conditions.listed(within)})"
    condition = _TO_SHIP.format(there=there)
    if not passing:
        return [Condition(f"NOT {condition}")]
    lines = await conditions.few(_LINES_TO_SHIP.format(there=there))
    if lines is None:
        # The status tells most of the other orders apart at the least cost.
        return [Q(status__in=_WITH_UNITS_LEFT), Condition(condition)]
    rows = await sql.query(f"SELECT order_id AS id FROM order_line WHERE id IN ({sql.slots(lines)})", *lines)
    return [Q(id__in=sorted({row["id"] for row in rows})), Condition(condition)]


async def _only(code: str, within: Collection[int] | None) -> list[int]:
    """The id of the warehouse with this code. Empty if there is none, or if it is not in ``within``."""
    return [one.id for one in await Warehouse.filter(code=code) if within is None or one.id in within]


def from_warehouse(code: str, within: Collection[int] | None = None) -> Q:
    """A filter for orders with units from a warehouse. Matches none if the warehouse is not in ``within``."""
    allocations = Allocation.filter(warehouse__code=code)
    if within is not None:
        allocations = allocations.filter(warehouse_id__in=within)
    lines = allocations.values("line_id")
    return Q(id__in=Subquery(OrderLine.filter(id__in=Subquery(lines)).values("order_id")))


async def orders(ids: Collection[int]) -> dict[int, rules.Order]:
    return await records.by_id(rules.Order, ids)


async def lines(ids: Collection[int]) -> dict[int, rules.OrderLine]:
    return await records.by_id(rules.OrderLine, ids)


async def lines_of(order_ids: Collection[int]) -> dict[int, list[rules.OrderLine]]:
    """The lines of each order, in order."""
    return await records.below(rules.OrderLine, "order_id", order_ids)


async def warehouses_of(order_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """The ids of the warehouses that each order has or had allocations in. Moved units are where they are now."""
    rows = await sql.query(
        f"""SELECT DISTINCT l.order_id AS order_id, a.warehouse_id AS warehouse_id
            FROM order_line l JOIN allocation a ON a.line_id = l.id WHERE l.order_id IN ({sql.slots(order_ids)})""",
        *order_ids,
    )
    found: dict[int, frozenset[int]] = dict.fromkeys(order_ids, frozenset())
    for row in rows:
        found[row["order_id"]] |= {row["warehouse_id"]}
    return found


async def allocations_of(line_ids: Collection[int]) -> dict[int, list[allocation.Allocation]]:
    """The allocations of each line, oldest first."""
    return await records.below(allocation.Allocation, "line_id", line_ids)


async def waiting_quantities(level_ids: Collection[int]) -> dict[int, list[tuple[int, Decimal]]]:
    """The id and the quantity of each waiting allocation of levels, in the order in which they are filled.

    Returns plain pairs instead of records, because thousands may wait on one level.
    """
    found: dict[int, list[tuple[int, Decimal]]] = {level_id: [] for level_id in level_ids}
    for part in sql.parts(found, _IDS_PER_STATEMENT):
        condition = f"state = ? AND level_id IN ({sql.slots(part)}) ORDER BY COALESCE(split_from, id), id"
        statement = f"SELECT id, level_id, quantity FROM allocation WHERE {condition}"
        for row in await sql.fetch_raw(statement, AllocationState.BACKORDERED.value, *part):
            found[row["level_id"]].append((row["id"], from_units(row["quantity"])))
    return found


async def websites_of_lines(line_ids: Collection[int]) -> dict[int, int]:
    """The website of the order of each line."""
    found: dict[int, int] = {}
    for part in sql.parts(line_ids, _IDS_PER_STATEMENT):
        joined = "order_line l JOIN customer_order o ON o.id = l.order_id"
        statement = f"SELECT l.id, o.website_id FROM {joined} WHERE l.id IN ({sql.slots(part)})"
        found |= {row["id"]: row["website_id"] for row in await sql.fetch_raw(statement, *part)}
    return found


async def allocations(ids: Collection[int]) -> dict[int, allocation.Allocation]:
    return await records.by_id(allocation.Allocation, ids)


async def open_orders_of(item_ids: Collection[int]) -> dict[int, int]:
    """For each of these items on an order that is not fully shipped, the id of one such order."""
    statuses = (OrderStatus.PLACED, OrderStatus.BACKORDERED, OrderStatus.PARTIALLY_SHIPPED)
    order_of = f"""SELECT l.order_id FROM order_line l JOIN customer_order o ON o.id = l.order_id
        WHERE l.item_id = i.id AND o.status IN ({sql.slots(statuses)}) LIMIT 1"""
    found: dict[int, int] = {}
    for part in sql.parts(item_ids, _IDS_PER_STATEMENT):
        statement = f"SELECT i.id, ({order_of}) AS order_id FROM item i WHERE i.id IN ({sql.slots(part)})"
        rows = await sql.query(statement, *(status.value for status in statuses), *part)
        found |= {row["id"]: row["order_id"] for row in rows if row["order_id"] is not None}
    return found
