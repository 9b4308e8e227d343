"""Low-inventory alerts: what was raised, who took it on, when it was over."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from tortoise import fields
from tortoise.expressions import Q
from tortoise.models import Model

from gqlstock.rules import seals
from gqlstock.rules.alerts import AlertState
from gqlstock.rules.events import Event, Topic
from gqlstock.store import catalog, database, outbox
from gqlstock.store.catalog import Item
from gqlstock.store.fields import QuantityField, SkuField
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

    def sealed(self) -> int:
        return seals.of_alert(self)

    @property
    def event(self) -> Event:
        """The news of its state as it is now; what follows later does not change what was told."""
        return Event(
            Topic.ALERT,
            self.id,
            {
                "state": self.state.value,
                "acknowledged_at": _told(self.acknowledged_at),
                "acknowledged_by": self.acknowledged_by,
                "resolved_at": _told(self.resolved_at),
            },
        )

    def as_told(self, data: dict[str, Any]) -> "LowInventoryAlert":
        """The alert as it was when the news of it was written."""
        then = self.clone(pk=self.pk)
        then.state = AlertState(data["state"])
        then.acknowledged_at = _moment(data["acknowledged_at"])
        then.acknowledged_by = data["acknowledged_by"]
        then.resolved_at = _moment(data["resolved_at"])
        return then


def _told(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None


async def with_skus(skus: Collection[str]) -> Q:
    """Those of the items of these SKUs, as they were when alerts were raised or as they are now."""
    items = await catalog.by_sku(skus)
    return Q(Q(sku__in=list(skus)), Q(item_id__in=[item.id for item in items.values()]), join_type=Q.OR)


async def open_alerts(item_ids: Collection[int]) -> list[LowInventoryAlert]:
    """The alerts of these items that are raised and not resolved."""
    return await LowInventoryAlert.filter(item_id__in=set(item_ids), state=AlertState.RAISED) if item_ids else []


async def raise_all(raised: Sequence[LowInventoryAlert]) -> None:
    for alert in raised:
        alert.seal = alert.sealed()
    await database.insert_many(raised)
    await outbox.add([alert.event for alert in raised])


async def resolve_all(over: Sequence[LowInventoryAlert], at: datetime) -> None:
    """Resolve alerts of claimed items."""
    if over:
        same = LowInventoryAlert.filter(id__in=[alert.id for alert in over])
        await same.update(state=AlertState.RESOLVED, resolved_at=at)
    for alert in over:
        alert.state, alert.resolved_at = AlertState.RESOLVED, at
    await outbox.add([alert.event for alert in over])


async def acknowledge(alert: LowInventoryAlert, by: str, at: datetime) -> None:
    alert.acknowledged_by, alert.acknowledged_at = by, at
    await alert.save(update_fields=["acknowledged_by", "acknowledged_at"])
    await outbox.add([alert.event])


async def alerts(ids: Collection[int]) -> dict[int, LowInventoryAlert]:
    return {alert.id: alert for alert in await LowInventoryAlert.filter(id__in=set(ids))} if ids else {}
