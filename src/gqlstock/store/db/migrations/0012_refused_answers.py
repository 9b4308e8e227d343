"""Idempotency keys also store refusals, which apply to calls that arrived before the refusal."""

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
