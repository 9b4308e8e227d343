from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0001_initial")]

    initial = False

    operations = [
        ops.CreateModel(
            name="OutboxHorizon",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("tx", fields.BigIntField()),
                ("entry_id", fields.BigIntField()),
            ],
            options={
                "table": "outbox_horizon",
                "app": "gqlstock",
                "pk_attr": "id",
                "table_description": "The place up to which entries were swept: one row, none as long as nothing was.",
            },
            bases=["Model"],
        ),
    ]
