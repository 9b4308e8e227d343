"""Counts and seals, by which ``gqlstock verify`` finds rows that were changed or have vanished.

The counts of rows that are there are worked out; they have no seals, and are looked at without.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from gqlstock.rules.quantities import ZERO
from gqlstock.store.fields import QuantityField


def _seal(model: str) -> ops.AddField:
    return ops.AddField(model_name=model, name="seal", field=fields.BigIntField(null=True))


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0005_growth")]

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
        ops.RunSQL(
            """UPDATE customer_order SET
                   canceled_units = (SELECT CAST(SUM(l.canceled) AS BIGINT) FROM order_line l
                                     WHERE l.order_id = customer_order.id)
               WHERE EXISTS (SELECT 1 FROM order_line l WHERE l.order_id = customer_order.id AND l.canceled > 0)"""
        ),
        ops.RunSQL(
            """UPDATE customer_order SET
                   shipment_count = (SELECT COUNT(*) FROM shipment s WHERE s.order_id = customer_order.id)
               WHERE EXISTS (SELECT 1 FROM shipment s WHERE s.order_id = customer_order.id)"""
        ),
        ops.RunSQL(
            """UPDATE order_line SET
                   returned = (SELECT CAST(SUM(a.quantity) AS BIGINT) FROM allocation a
                               WHERE a.line_id = order_line.id AND a.state = 'RETURNED')
               WHERE EXISTS (SELECT 1 FROM allocation a WHERE a.line_id = order_line.id AND a.state = 'RETURNED')"""
        ),
        ops.RunSQL(
            """UPDATE shipment SET
                   quantity = COALESCE((SELECT CAST(SUM(a.quantity) AS BIGINT) FROM allocation a
                                        WHERE a.shipment_id = shipment.id), 0)"""
        ),
    ]
