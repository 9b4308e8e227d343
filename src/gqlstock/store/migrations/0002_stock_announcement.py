from tortoise import migrations
from tortoise.migrations import operations as ops
from decimal import Decimal
from gqlstock.store.fields import QuantityField
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0001_initial")]

    initial = False

    operations = [
        ops.CreateModel(
            name="StockAnnouncement",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "level",
                    fields.ForeignKeyField(
                        "gqlstock.InventoryLevel",
                        source_field="level_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="announcements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("quantity", QuantityField()),
                ("received", QuantityField(default=Decimal("0"))),
                ("expected_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reference", fields.CharField(null=True, max_length=255)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("withdrawn_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "stock_announcement",
                "app": "gqlstock",
                "indexes": [Index(fields=["level_id", "id"])],
                "pk_attr": "id",
                "table_description": "So many units that are to come to a level. The level's ``incoming`` sums what is still to come.",
            },
            bases=["Model"],
        ),
    ]
