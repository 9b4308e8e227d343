"""Entries of the outbox tell of shipments, and webhooks of shipments, products, resolved alerts and tests."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from gqlstock.rules.events import Topic
from gqlstock.rules.webhooks import WebhookTopic


class Reword(ops.AlterField):
    """Changes a field's description, and nothing in the database.

    On SQLite altering a field copies the table: its indexes would be gone, and the ids of an empty outbox begin again.
    """

    async def database_forward(self, *_: object, **__: object) -> None: ...

    database_backward = database_forward


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0019_stock_filters")]

    initial = False

    operations = [
        Reword(
            model_name="OutboxEntry",
            name="topic",
            field=fields.CharEnumField(
                description="LEVEL: LEVEL\nLEVEL_ROW: LEVEL_ROW\nALERT: ALERT\nORDER: ORDER\nITEM: ITEM\nSTOCK: STOCK\n"
                "SETTINGS: SETTINGS\nTOKENS: TOKENS\nTRANSFER: TRANSFER\nSHIPMENT: SHIPMENT\nRESET: RESET\n"
                "UNKNOWN: UNKNOWN",
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
                "ORDER_DATE_CHANGED: ORDER_DATE_CHANGED\nSHIPMENT_UPDATED: SHIPMENT_UPDATED\n"
                "TRANSFER_UPDATED: TRANSFER_UPDATED\nLOW_INVENTORY_RESOLVED: LOW_INVENTORY_RESOLVED\n"
                "PRODUCT_UPDATED: PRODUCT_UPDATED\nTEST: TEST",
                enum_type=WebhookTopic,
                max_length=30,
            ),
        ),
    ]
