"""The key that order access tokens are derived from. ``gqlstock migrate`` creates it once the table exists."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0017_announcement_and_hold_lists")]

    initial = False

    operations = [
        ops.CreateModel(
            name="OrderKey",
            fields=[
                ("id", fields.BigIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ("key", fields.CharField(max_length=64)),
            ],
            options={
                "table": "order_key",
                "app": "gqlstock",
                "pk_attr": "id",
                "table_description": "The key that access tokens of orders are made with, in hexadecimal: one row.",
            },
            bases=["Model"],
        ),
    ]
