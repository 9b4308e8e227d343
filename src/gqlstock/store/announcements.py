"""The table of stock announcements."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

import orjson
from tortoise import fields
from tortoise.expressions import F, Q, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import receiving
from gqlstock.rules.filters import AnnouncementFilter
from gqlstock.rules.promises import Arrival
from gqlstock.rules.quantities import ZERO
from gqlstock.store.db import connection, records, sql
from gqlstock.store.db.fields import QuantityField, from_units
from gqlstock.store.inventory import InventoryLevel


class StockAnnouncement(Model):
    """So many units that are to come to a level. The level's ``incoming`` sums what is still to come."""

    id = fields.BigIntField(primary_key=True)
    level: fields.ForeignKeyRelation[InventoryLevel] = fields.ForeignKeyField(
        "gqlstock.InventoryLevel", related_name="announcements", on_delete=fields.RESTRICT
    )
    level_id: int
    quantity: fields.Field[Decimal] = QuantityField()
    received: fields.Field[Decimal] = QuantityField(default=ZERO)
    expected_at = fields.DatetimeField(null=True)
    reference = fields.CharField(max_length=255, null=True)
    created_at = fields.DatetimeField()
    withdrawn_at = fields.DatetimeField(null=True)
    seal = fields.BigIntField(null=True)
    lapsed_at = fields.DatetimeField(null=True)
    transfer_id = fields.BigIntField(null=True)
    """Has a partial index in the migration."""

    class Meta:
        table = "stock_announcement"
        # Migrations add partial indexes for open announcements.
        indexes = (("level_id", "id"), ("expected_at", "id"), ("reference",))


def is_open() -> Q:
    """A filter for announcements with units still to come (``StockAnnouncement.remaining`` in ``rules``)."""
    return Q(withdrawn_at=None, received__lt=F("quantity"))


def is_overdue(now: datetime) -> Q:
    """``rules.receiving.is_overdue`` as a filter."""
    return is_open() & Q(expected_at__lte=now)


def is_not_overdue(now: datetime) -> Q:
    """The complement of ``is_overdue``. It names null dates, because no comparison with null is true."""
    return ~is_open() | Q(expected_at=None) | Q(expected_at__gt=now)


_DATED = """SELECT {listed} FROM stock_announcement a
    WHERE a.level_id = l.id AND a.withdrawn_at IS NULL AND a.received < a.quantity AND a.expected_at IS NOT NULL"""
_LISTED_ON_POSTGRES = "json_agg(json_build_array(a.id, a.quantity - a.received, a.expected_at) ORDER BY a.id)"
_LISTED_ON_SQLITE = "json_group_array(json_array(a.id, a.quantity - a.received, a.expected_at))"


def dated() -> str:
    """SQL for the dated open announcements of an inventory_level ``l``, which ``arrivals`` parses.

    As a column it needs no further statement, and costs nothing for levels without incoming units.
    """
    listed = _LISTED_ON_POSTGRES if connection.is_postgres() else _LISTED_ON_SQLITE
    return f"CASE WHEN l.incoming > 0 THEN ({_DATED.format(listed=listed)}) END"


def arrivals(dated: str | None) -> list[Arrival]:
    """The arrivals in a value of ``dated``, oldest announcement first."""
    found = [] if dated is None else orjson.loads(dated) or []
    return [Arrival(id_, from_units(units), records.moment(moment)) for id_, units, moment in sorted(found)]


async def announcements(ids: Collection[int]) -> dict[int, receiving.StockAnnouncement]:
    return await records.by_id(receiving.StockAnnouncement, ids)


async def items_with_lapsed(now: datetime, limit: int) -> list[int]:
    """Up to ``limit`` items with overdue announcements that no sweep has marked yet."""
    rows = await sql.query(
        """SELECT DISTINCT item_id FROM (
               SELECT l.item_id AS item_id FROM stock_announcement a JOIN inventory_level l ON l.id = a.level_id
               WHERE a.expected_at <= ? AND a.withdrawn_at IS NULL AND a.received < a.quantity AND a.lapsed_at IS NULL
               ORDER BY a.expected_at LIMIT ?) AS due""",
        now,
        limit,
    )
    return [row["item_id"] for row in rows]


def all_announcements() -> QuerySet[StockAnnouncement]:
    """A query for all announcements; ``keyset`` reads it as records."""
    return StockAnnouncement.all()


def matching(
    criteria: AnnouncementFilter, within: Collection[int] | None, now: datetime
) -> QuerySet[StockAnnouncement]:
    """The announcements that match a filter. ``within``: only in these warehouses."""
    rows = all_announcements()
    if within is not None:
        rows = rows.filter(level__warehouse_id__in=within)
    if criteria.skus is not None:
        # A few SKUs have few levels. Finding rows by level is faster than scanning in list order.
        levels = InventoryLevel.filter(item__sku__in=criteria.skus, item__deleted_at=None)
        rows = rows.filter(level_id__in=Subquery(levels.values("id")))
    if criteria.warehouses is not None:
        rows = rows.filter(level__warehouse__code__in=criteria.warehouses)
    if criteria.open is not None:
        rows = rows.filter(is_open() if criteria.open else ~is_open())
    if criteria.overdue is not None:
        rows = rows.filter(is_overdue(now) if criteria.overdue else is_not_overdue(now))
    if criteria.expected_from is not None:
        rows = rows.filter(expected_at__gte=criteria.expected_from)
    if criteria.expected_until is not None:
        rows = rows.filter(expected_at__lte=criteria.expected_until)
    if criteria.reference is not None:
        rows = rows.filter(reference=criteria.reference)
    return rows


async def next_overdue(now: datetime) -> datetime | None:
    """When the next announcement becomes overdue; None if there is none."""
    dates = StockAnnouncement.filter(is_open(), expected_at__gt=now).order_by("expected_at").limit(1)
    found = await records.records(receiving.StockAnnouncement, dates)
    return found[0].expected_at if found else None
