"""Webhook endpoints that are for some warehouses, and whose secrets are rotated. Those from before are for all."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0020_webhook_topics")]

    initial = False

    operations = [
        ops.AddField(model_name="WebhookEndpoint", name="warehouses", field=fields.JSONField(null=True)),
        ops.AddField(
            model_name="WebhookEndpoint", name="previous_secret", field=fields.CharField(null=True, max_length=100)
        ),
        ops.AddField(
            model_name="WebhookEndpoint",
            name="previous_secret_until",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
    ]
