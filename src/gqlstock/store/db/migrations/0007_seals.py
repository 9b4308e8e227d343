"""Counts and seals, by which ``gqlstock verify`` finds rows that were changed or deleted.

Existing rows have no seal. They are verified without seals and counts: servers of the previous version, which maintain
neither, may still write during the rollout.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from gqlstock.rules.quantities import ZERO
from gqlstock.store.db.fields import QuantityField


def _seal(model: str) -> ops.AddField:
    return ops.AddField(model_name=model, name="seal", field=fields.BigIntField(null=True))


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0006_cursors")]

    initial = False

    operations = [
        *map(
            _seal,
            (
                "StockMovement",
                "Order",
                "Shipment",
                "StockHold",
                "StockAnnouncement",
                "LowInventoryAlert",
                "KeptAnswer",
            ),
        ),
        ops.AddField(model_name="Order", name="canceled_units", field=QuantityField(default=ZERO, db_default=ZERO)),
        ops.AddField(model_name="Order", name="shipment_count", field=fields.IntField(default=0, db_default=0)),
        ops.AddField(model_name="OrderLine", name="returned", field=QuantityField(default=ZERO, db_default=ZERO)),
        ops.AddField(model_name="Shipment", name="quantity", field=QuantityField(default=ZERO, db_default=ZERO)),
    ]
