"""Indexes for filters of items and orders by their stock."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0018_order_key")]

    initial = False

    operations = [
        # The levels that make an item pass: often few, and else found without reading the level.
        ops.RunSQL(
            "CREATE INDEX inventory_level_available ON inventory_level (item_id, warehouse_id)"
            " WHERE available > 0 AND deleted_at IS NULL"
        ),
        ops.RunSQL(
            "CREATE INDEX inventory_level_backordered ON inventory_level (item_id, warehouse_id) WHERE backordered > 0"
        ),
        ops.RunSQL(
            "CREATE INDEX inventory_level_incoming ON inventory_level (item_id, warehouse_id) WHERE incoming > 0"
        ),
        ops.RunSQL("CREATE INDEX allocation_on_hand ON allocation (line_id, warehouse_id) WHERE state = 'ON_HAND'"),
    ]
