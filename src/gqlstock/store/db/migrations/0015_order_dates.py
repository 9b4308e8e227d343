"""Adds webhooks for changed order dates."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from gqlstock.rules.webhooks import WebhookTopic


class Reword(ops.AlterField):
    """Changes a field's description, and nothing in the database. On SQLite altering a field copies the table."""

    async def database_forward(self, *_: object, **__: object) -> None: ...

    database_backward = database_forward


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0014_promise_dates")]

    initial = False

    operations = [
        Reword(
            model_name="WebhookDelivery",
            name="topic",
            field=fields.CharEnumField(
                description="LOW_INVENTORY: LOW_INVENTORY\nOUT_OF_STOCK: OUT_OF_STOCK\nBACK_IN_STOCK: BACK_IN_STOCK\n"
                "INVENTORY_CHANGED: INVENTORY_CHANGED\nORDER_PLACED: ORDER_PLACED\nORDER_UPDATED: ORDER_UPDATED\n"
                "ORDER_DATE_CHANGED: ORDER_DATE_CHANGED",
                enum_type=WebhookTopic,
                max_length=30,
            ),
        ),
    ]
