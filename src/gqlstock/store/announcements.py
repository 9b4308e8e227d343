"""The table of stock announcements."""

from collections.abc import Collection
from decimal import Decimal

from tortoise import fields
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import receiving
from gqlstock.rules.quantities import ZERO
from gqlstock.store.db import records
from gqlstock.store.db.fields import QuantityField
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

    class Meta:
        table = "stock_announcement"
        indexes = (("level_id", "id"),)


async def announcements(ids: Collection[int]) -> dict[int, receiving.StockAnnouncement]:
    return await records.by_id(receiving.StockAnnouncement, ids)


def all_announcements() -> QuerySet[StockAnnouncement]:
    """The query of a list of announcements; ``keyset`` reads it as records."""
    return StockAnnouncement.all()
