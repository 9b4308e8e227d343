"""Indexes for lists of millions of rows. Combinations store the category and status of their product."""

from typing import Any

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class OnPostgres(ops.RunSQL):
    """SQL that SQLite does not need or support."""

    async def database_forward(self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None) -> None:
        if state_editor and state_editor.client.capabilities.dialect == "postgres":
            await super().database_forward(app_label, old_state, new_state, state_editor)


# Finds a text within names and codes. It needs the extension pg_trgm. Without the extension, and on SQLite, a search scans
# all items and finds the same.
_SEARCH = """
    DO $$ BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE INDEX item_search ON item USING gin (
            UPPER(name) gin_trgm_ops, UPPER(sku) gin_trgm_ops, UPPER(own_code) gin_trgm_ops, UPPER(barcode) gin_trgm_ops
        );
    EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
        RAISE NOTICE 'pg_trgm is not available: item searches use no index';
    END $$
"""


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0004_token_warehouses")]

    initial = False

    operations = [
        ops.RunSQL(
            """UPDATE item SET
                   category_id = (SELECT p.category_id FROM item p WHERE p.id = item.product_id),
                   inventory_status = (SELECT p.inventory_status FROM item p WHERE p.id = item.product_id)
               WHERE product_id IS NOT NULL"""
        ),
        ops.AddIndex(model_name="Category", index=Index(fields=["parent_id", "id"])),
        ops.AddIndex(model_name="Item", index=Index(fields=["sku", "id"])),
        ops.AddIndex(model_name="Item", index=Index(fields=["inventory_status", "id"])),
        ops.AddIndex(model_name="Item", index=Index(fields=["published", "id"])),
        ops.AddIndex(model_name="InventoryLevel", index=Index(fields=["on_hand", "id"])),
        ops.AddIndex(model_name="StockMovement", index=Index(fields=["kind", "id"])),
        ops.AddIndex(model_name="Shipment", index=Index(fields=["state", "created_at", "id"])),
        ops.AddIndex(model_name="LowInventoryAlert", index=Index(fields=["warehouse_id", "id"])),
        ops.AddIndex(model_name="LowInventoryAlert", index=Index(fields=["sku"])),
        # Email lookups ignore case.
        ops.RemoveIndex(model_name="Order", fields=["customer_email"]),
        ops.RunSQL("CREATE INDEX customer_order_email ON customer_order (UPPER(CAST(customer_email AS VARCHAR)))"),
        # Only the few shipments still to be packed or shipped, oldest first.
        ops.RunSQL("CREATE INDEX shipment_open ON shipment (created_at, id) WHERE state IN ('PENDING', 'READY')"),
        # For prefix lookups under any collation. They find the SKUs and slugs that a new one must not repeat.
        OnPostgres("CREATE INDEX item_sku_start ON item (sku varchar_pattern_ops) WHERE deleted_at IS NULL"),
        OnPostgres("CREATE INDEX item_slug_start ON item (slug varchar_pattern_ops) WHERE deleted_at IS NULL"),
        OnPostgres(_SEARCH),
    ]
