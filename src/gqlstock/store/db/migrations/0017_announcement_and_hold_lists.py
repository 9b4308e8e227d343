"""Indexes for lists of announcements and holds."""

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0016_transfers")]

    initial = False

    operations = [
        ops.AddIndex(model_name="StockAnnouncement", index=Index(fields=["reference"])),
        # Only the few announcements that are still open, soonest first and oldest first.
        ops.RunSQL(
            "CREATE INDEX stock_announcement_open ON stock_announcement (expected_at, id)"
            " WHERE withdrawn_at IS NULL AND received < quantity"
        ),
        ops.RunSQL(
            "CREATE INDEX stock_announcement_open_id ON stock_announcement (id)"
            " WHERE withdrawn_at IS NULL AND received < quantity"
        ),
        ops.AddIndex(model_name="StockHold", index=Index(fields=["state", "created_at", "id"])),
        ops.AddIndex(model_name="StockHold", index=Index(fields=["created_at", "id"])),
        ops.AddIndex(model_name="StockHoldLine", index=Index(fields=["sku"])),
        ops.AddIndex(model_name="StockHoldLine", index=Index(fields=["item_id", "hold_id"])),
    ]
