"""Stock on its way, level by level."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from tortoise import fields
from tortoise.expressions import F
from tortoise.models import Model

from gqlstock.rules import seals
from gqlstock.rules.quantities import ZERO
from gqlstock.store import database
from gqlstock.store.fields import QuantityField, to_units
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

    def sealed(self) -> int:
        return seals.of_announcement(self)


async def announcements(ids: Collection[int]) -> dict[int, StockAnnouncement]:
    return {found.id: found for found in await StockAnnouncement.filter(id__in=set(ids))} if ids else {}


async def to_come(level_ids: Collection[int]) -> list[StockAnnouncement]:
    """What is still to come to levels, the oldest announcement first."""
    still = StockAnnouncement.filter(level_id__in=set(level_ids), withdrawn_at=None, received__lt=F("quantity"))
    return await still.order_by("id") if level_ids else []


async def receive(filled: Mapping[int, Decimal]) -> None:
    """Count units of announcements as received."""
    await database.execute_many(
        "UPDATE stock_announcement SET received = received + ? WHERE id = ?",
        [[to_units(quantity), announcement_id] for announcement_id, quantity in sorted(filled.items())],
    )


async def withdraw(announcement_id: int, at: datetime) -> None:
    await StockAnnouncement.filter(id=announcement_id).update(withdrawn_at=at)
