"""The dates promised for orders, and announcements whose date has passed."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0013_dropped_keys")]

    initial = False

    operations = [
        ops.AddField(model_name="Order", name="promised_at", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="OrderLine", name="promised_at", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="OrderLine", name="buffer_days", field=fields.IntField(default=0, db_default=0)),
        ops.AddField(model_name="StockAnnouncement", name="lapsed_at", field=fields.DatetimeField(null=True)),
        ops.AddIndex(model_name="StockAnnouncement", index=Index(fields=["expected_at", "id"])),
        # Only the few announcements that are still open. The sweep reads those whose date has passed.
        ops.RunSQL(
            "CREATE INDEX stock_announcement_due ON stock_announcement (expected_at)"
            " WHERE withdrawn_at IS NULL AND received < quantity AND lapsed_at IS NULL"
        ),
    ]
