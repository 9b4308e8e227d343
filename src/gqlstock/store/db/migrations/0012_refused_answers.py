"""Refusals are kept under idempotency keys too: they decide for calls that arrived before them."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0011_inputs")]

    initial = False

    operations = [
        ops.AddField(
            model_name="KeptAnswer", name="refused", field=fields.BooleanField(default=False, db_default=False)
        ),
    ]
