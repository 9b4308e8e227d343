from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from gqlstock.rules.back_in_stock import BackInStockState
from gqlstock.rules.events import Topic
from gqlstock.rules.retries import WorkState
from gqlstock.rules.webhooks import WebhookTopic
from json import dumps, loads
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index


class Reword(ops.AlterField):
    """Changes a field's description, and nothing in the database.

    On SQLite, altering a field copies the table: it would lose its indexes, and the ids of an empty outbox would restart.
    """

    async def database_forward(self, *_: object, **__: object) -> None: ...

    database_backward = database_forward


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0002_outbox_horizon")]

    initial = False

    operations = [
        ops.CreateModel(
            name="BackInStockSubscription",
            fields=[
                ("id", fields.BigIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                (
                    "item",
                    fields.ForeignKeyField(
                        "gqlstock.Item",
                        source_field="item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="back_in_stock_subscriptions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "website",
                    fields.ForeignKeyField(
                        "gqlstock.Website",
                        source_field="website_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="back_in_stock_subscriptions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("sku", fields.CharField(max_length=255)),
                ("email", fields.CharField(max_length=254)),
                ("email_key", fields.CharField(max_length=300)),
                (
                    "state",
                    fields.CharEnumField(
                        default=BackInStockState.WAITING,
                        description="WAITING: WAITING\nNOTIFIED: NOTIFIED\nCANCELED: CANCELED",
                        enum_type=BackInStockState,
                        max_length=20,
                    ),
                ),
                ("token_digest", fields.CharField(null=True, max_length=64)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("notified_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "back_in_stock_subscription",
                "app": "gqlstock",
                "indexes": [
                    Index(fields=["state", "item_id", "website_id"]),
                    Index(fields=["created_at", "id"]),
                    Index(fields=["sku"]),
                    Index(fields=["token_digest"]),
                ],
                "pk_attr": "id",
                "table_description": "An address that is written to once, when the item is back. At most one of an item, website and address waits.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Dispatch",
            fields=[
                ("id", fields.IntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ("tx", fields.BigIntField()),
                ("entry_id", fields.BigIntField()),
                ("checked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "dispatch",
                "app": "gqlstock",
                "pk_attr": "id",
                "table_description": "One row. What stands behind the place ``tx``, ``entry_id`` of the outbox is still to become webhooks and mail.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Mail",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("line", fields.CharField(max_length=400)),
                ("message_id", fields.CharField(unique=True, max_length=100)),
                (
                    "state",
                    fields.CharEnumField(
                        default=WorkState.PENDING,
                        description="PENDING: PENDING\nDELIVERED: DELIVERED\nFAILED: FAILED",
                        enum_type=WorkState,
                        max_length=20,
                    ),
                ),
                ("attempts", fields.IntField(default=0)),
                ("spent", fields.IntField(default=0)),
                ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("sending", fields.BooleanField(default=False)),
                ("last_error", fields.TextField(null=True, unique=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("delivered_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("recipient", fields.CharField(max_length=254)),
                (
                    "alert",
                    fields.ForeignKeyField(
                        "gqlstock.LowInventoryAlert",
                        source_field="alert_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="mails",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "subscription",
                    fields.ForeignKeyField(
                        "gqlstock.BackInStockSubscription",
                        source_field="subscription_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="mails",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "mail",
                "app": "gqlstock",
                "indexes": [
                    Index(fields=["due_at"]),
                    Index(fields=["line", "state", "id"]),
                    Index(fields=["state", "id"]),
                    Index(fields=["subscription_id", "state"]),
                ],
                "pk_attr": "id",
                "table_description": "One letter to one recipient, about an alert or for a subscription. It is written when it is sent.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("url", fields.CharField(max_length=2000)),
                (
                    "stored_topics",
                    fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads),
                ),
                ("active", fields.BooleanField(default=True)),
                ("secret", fields.CharField(max_length=100)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("deleted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "webhook_endpoint",
                "app": "gqlstock",
                "pk_attr": "id",
                "table_description": "Where news goes. A deleted one is out of use and never active, but its deliveries still name it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("line", fields.CharField(max_length=400)),
                ("message_id", fields.CharField(unique=True, max_length=100)),
                (
                    "state",
                    fields.CharEnumField(
                        default=WorkState.PENDING,
                        description="PENDING: PENDING\nDELIVERED: DELIVERED\nFAILED: FAILED",
                        enum_type=WorkState,
                        max_length=20,
                    ),
                ),
                ("attempts", fields.IntField(default=0)),
                ("spent", fields.IntField(default=0)),
                ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("sending", fields.BooleanField(default=False)),
                ("last_error", fields.TextField(null=True, unique=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("delivered_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "endpoint",
                    fields.ForeignKeyField(
                        "gqlstock.WebhookEndpoint",
                        source_field="endpoint_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="deliveries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "topic",
                    fields.CharEnumField(
                        description="LOW_INVENTORY: LOW_INVENTORY\nOUT_OF_STOCK: OUT_OF_STOCK\nBACK_IN_STOCK: BACK_IN_STOCK\nINVENTORY_CHANGED: INVENTORY_CHANGED\nORDER_PLACED: ORDER_PLACED\nORDER_UPDATED: ORDER_UPDATED",
                        enum_type=WebhookTopic,
                        max_length=30,
                    ),
                ),
                ("body", fields.TextField(unique=False)),
                ("last_status_code", fields.IntField(null=True)),
            ],
            options={
                "table": "webhook_delivery",
                "app": "gqlstock",
                "indexes": [
                    Index(fields=["endpoint_id", "due_at"]),
                    Index(fields=["line", "state", "id"]),
                    Index(fields=["state", "id"]),
                    Index(fields=["endpoint_id", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "One message to one endpoint. Its line is the endpoint and the item or order that it is about.",
            },
            bases=["Model"],
        ),
        Reword(
            model_name="OutboxEntry",
            name="topic",
            field=fields.CharEnumField(
                description="LEVEL: LEVEL\nALERT: ALERT\nORDER: ORDER\nITEM: ITEM\nSTOCK: STOCK\nSETTINGS: SETTINGS",
                enum_type=Topic,
                max_length=20,
            ),
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX back_in_stock_waiting ON back_in_stock_subscription (item_id, website_id, email_key) "
            "WHERE state = 'WAITING'"
        ),
        # Entries from before the dispatcher existed are not delivered.
        ops.RunSQL(
            "INSERT INTO dispatch (id, tx, entry_id) SELECT 1, COALESCE(MAX(tx), 0), COALESCE(MAX(id), 0) FROM outbox"
        ),
    ]
