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
        # Those that are open have indexes of their own in migrations.
        indexes = (("level_id", "id"), ("expected_at", "id"), ("reference",))


def is_open() -> Q:
    """A filter for announcements of which something is still to come, as ``StockAnnouncement.remaining`` in ``rules``."""
    return Q(withdrawn_at=None, received__lt=F("quantity"))


def is_overdue(now: datetime) -> Q:
    """``rules.receiving.is_overdue`` as a filter."""
    return is_open() & Q(expected_at__lte=now)


def is_not_overdue(now: datetime) -> Q:
    """The opposite of ``is_overdue``: nothing is later or earlier than a date that is not known."""
    return ~is_open() | Q(expected_at=None) | Q(expected_at__gt=now)


_DATED = """SELECT {listed} FROM stock_announcement a
    WHERE a.level_id = l.id AND a.withdrawn_at IS NULL AND a.received < a.quantity AND a.expected_at IS NOT NULL"""
_ON_POSTGRES = "json_agg(json_build_array(a.id, a.quantity - a.received, a.expected_at) ORDER BY a.id)"
_ON_SQLITE = "json_group_array(json_array(a.id, a.quantity - a.received, a.expected_at))"


def dated() -> str:
    """An SQL expression: the open announcements with a date of an inventory_level l, for ``arrivals``.

    As a column, it costs nothing for levels without incoming units, and no statement.
    """
    listed = _ON_POSTGRES if connection.is_postgres() else _ON_SQLITE
    return f"CASE WHEN l.incoming > 0 THEN ({_DATED.format(listed=listed)}) END"


def arrivals(dated: str | None) -> list[Arrival]:
    """The arrivals in a value of ``dated``, oldest first."""
    found = [] if dated is None else orjson.loads(dated) or []
    return [Arrival(id_, from_units(units), records.moment(moment)) for id_, units, moment in sorted(found)]


async def announcements(ids: Collection[int]) -> dict[int, receiving.StockAnnouncement]:
    return await records.by_id(receiving.StockAnnouncement, ids)


async def items_with_lapsed(now: datetime, limit: int) -> list[int]:
    """Items with announcements whose date has passed and was not told yet, at most ``limit``."""
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
    """The query of a list of announcements; ``keyset`` reads it as records."""
    return StockAnnouncement.all()


def matching(chosen: AnnouncementFilter, within: Collection[int] | None, now: datetime) -> QuerySet[StockAnnouncement]:
    """The announcements that a filter lets through. ``within``: only in these warehouses."""
    found = all_announcements()
    if within is not None:
        found = found.filter(level__warehouse_id__in=within)
    if chosen.skus is not None:
        # A few SKUs have few levels. Finding rows by level is faster than scanning in list order.
        levels = InventoryLevel.filter(item__sku__in=chosen.skus, item__deleted_at=None)
        found = found.filter(level_id__in=Subquery(levels.values("id")))
    if chosen.warehouses is not None:
        found = found.filter(level__warehouse__code__in=chosen.warehouses)
    if chosen.open is not None:
        found = found.filter(is_open() if chosen.open else ~is_open())
    if chosen.overdue is not None:
        found = found.filter(is_overdue(now) if chosen.overdue else is_not_overdue(now))
    if chosen.expected_from is not None:
        found = found.filter(expected_at__gte=chosen.expected_from)
    if chosen.expected_until is not None:
        found = found.filter(expected_at__lte=chosen.expected_until)
    if chosen.reference is not None:
        found = found.filter(reference=chosen.reference)
    return found


async def next_overdue(now: datetime) -> datetime | None:
    """The moment at which the next announcement is overdue."""
    dates = StockAnnouncement.filter(is_open(), expected_at__gt=now).order_by("expected_at").limit(1)
    found = await records.records(receiving.StockAnnouncement, dates)
    return found[0].expected_at if found else None
