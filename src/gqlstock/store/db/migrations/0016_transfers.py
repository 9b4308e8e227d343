"""Transfers, whose units are announced at the destination while in transit. Adds their outbox and webhook topics."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from gqlstock.rules.events import Topic
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.transfers import InventoryTransferState
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.store.db.fields import QuantityField


class Reword(ops.AlterField):
    """Changes a field's description, and nothing in the database.

    On SQLite, altering a field copies the table: it would lose its indexes, and the ids of an empty outbox would restart.
    """

    async def database_forward(self, *_: object, **__: object) -> None: ...

    database_backward = database_forward


def _id() -> fields.BigIntField:
    return fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)


def _refers(model: str, column: str, related_name: str) -> fields.Field:  # type: ignore[type-arg]
    return fields.ForeignKeyField(
        f"gqlstock.{model}",
        source_field=column,
        db_constraint=True,
        to_field="id",
        related_name=related_name,
        on_delete=OnDelete.RESTRICT,
    )


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0015_order_dates")]

    initial = False

    operations = [
        ops.CreateModel(
            name="InventoryTransfer",
            fields=[
                ("id", _id()),
                ("source", _refers("Warehouse", "source_id", "transfers_out")),
                ("target", _refers("Warehouse", "target_id", "transfers_in")),
                (
                    "state",
                    fields.CharEnumField(
                        description="IN_TRANSIT: IN_TRANSIT\nRECEIVED: RECEIVED\nCANCELED: CANCELED",
                        enum_type=InventoryTransferState,
                        max_length=20,
                    ),
                ),
                ("reference", fields.CharField(null=True, max_length=255)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("seal", fields.BigIntField(null=True)),
            ],
            options={
                "table": "inventory_transfer",
                "app": "gqlstock",
                "indexes": [
                    Index(fields=["source_id", "id"]),
                    Index(fields=["target_id", "id"]),
                    Index(fields=["state", "id"]),
                    Index(fields=["reference"]),
                    Index(fields=["updated_at", "id"]),
                ],
                "pk_attr": "id",
                "table_description": (
                    "Units that leave one warehouse for another. People know it by a number that is made from its id."
                ),
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InventoryTransferLine",
            fields=[
                ("id", _id()),
                ("transfer", _refers("InventoryTransfer", "transfer_id", "lines")),
                ("item", _refers("Item", "item_id", "transfer_lines")),
                ("sku", fields.CharField(max_length=255)),
                ("quantity", QuantityField()),
                ("received", QuantityField(default=ZERO)),
                ("returned", QuantityField(default=ZERO)),
                ("lost", QuantityField(default=ZERO)),
            ],
            options={
                "table": "inventory_transfer_line",
                "app": "gqlstock",
                "indexes": [
                    Index(fields=["transfer_id", "id"]),
                    Index(fields=["item_id", "transfer_id"]),
                    Index(fields=["sku"]),
                ],
                "pk_attr": "id",
                "table_description": (
                    "So many units of one item in a transfer. A line has one announcement, which knows its transfer."
                ),
            },
            bases=["Model"],
        ),
        ops.AddField(model_name="StockAnnouncement", name="transfer_id", field=fields.BigIntField(null=True)),
        # Most announcements do not belong to a transfer.
        ops.RunSQL(
            "CREATE INDEX stock_announcement_transfer ON stock_announcement (transfer_id, id)"
            " WHERE transfer_id IS NOT NULL"
        ),
        Reword(
            model_name="OutboxEntry",
            name="topic",
            field=fields.CharEnumField(
                description="LEVEL: LEVEL\nLEVEL_ROW: LEVEL_ROW\nALERT: ALERT\nORDER: ORDER\nITEM: ITEM\nSTOCK: STOCK\n"
                "SETTINGS: SETTINGS\nTOKENS: TOKENS\nTRANSFER: TRANSFER\nRESET: RESET\nUNKNOWN: UNKNOWN",
                enum_type=Topic,
                max_length=20,
            ),
        ),
        Reword(
            model_name="WebhookDelivery",
            name="topic",
            field=fields.CharEnumField(
                description="LOW_INVENTORY: LOW_INVENTORY\nOUT_OF_STOCK: OUT_OF_STOCK\nBACK_IN_STOCK: BACK_IN_STOCK\n"
                "INVENTORY_CHANGED: INVENTORY_CHANGED\nORDER_PLACED: ORDER_PLACED\nORDER_UPDATED: ORDER_UPDATED\n"
                "ORDER_DATE_CHANGED: ORDER_DATE_CHANGED\nTRANSFER_UPDATED: TRANSFER_UPDATED",
                enum_type=WebhookTopic,
                max_length=30,
            ),
        ),
    ]
