"""Indexes for lists of millions of rows, and combinations that say themselves where their product lies."""

from typing import Any

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class TrigramIndex(ops.RunSQL):
    """Lets PostgreSQL find a text inside of names and codes, where its extension pg_trgm is there or may be made.

    Without it a search reads all items, and finds the same; so it does on SQLite.
    """

    def __init__(self, name: str, table: str, expressions: tuple[str, ...]) -> None:
        columns = ", ".join(f"{expression} gin_trgm_ops" for expression in expressions)
        super().__init__(
            f"""DO $$ BEGIN
                    CREATE EXTENSION IF NOT EXISTS pg_trgm;
                    CREATE INDEX {name} ON {table} USING gin ({columns});
                EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
                    RAISE NOTICE 'pg_trgm is not there: searches in {table} go without an index';
                END $$"""
        )

    async def database_forward(self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None) -> None:
        if state_editor and state_editor.client.capabilities.dialect == "postgres":
            await super().database_forward(app_label, old_state, new_state, state_editor)


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
        ops.AddIndex(model_name="Item", index=Index(fields=["sku", "id"])),
        ops.AddIndex(model_name="Item", index=Index(fields=["inventory_status", "id"])),
        ops.AddIndex(model_name="Item", index=Index(fields=["published", "id"])),
        ops.AddIndex(model_name="InventoryLevel", index=Index(fields=["on_hand", "id"])),
        ops.AddIndex(model_name="StockMovement", index=Index(fields=["kind", "id"])),
        ops.AddIndex(model_name="LowInventoryAlert", index=Index(fields=["warehouse_id", "id"])),
        ops.AddIndex(model_name="LowInventoryAlert", index=Index(fields=["sku"])),
        # Addresses are looked for whatever their case.
        ops.RemoveIndex(model_name="Order", fields=["customer_email"]),
        ops.RunSQL("CREATE INDEX customer_order_email ON customer_order (UPPER(CAST(customer_email AS VARCHAR)))"),
        # The few that are still to be packed or to leave, oldest first.
        ops.RunSQL("CREATE INDEX shipment_open ON shipment (created_at, id) WHERE state IN ('PENDING', 'READY')"),
        TrigramIndex("item_search", "item", ("UPPER(name)", "UPPER(sku)", "UPPER(own_code)", "UPPER(barcode)")),
    ]
