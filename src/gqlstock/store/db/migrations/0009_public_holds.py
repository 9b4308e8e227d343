"""Holds placed without a token store where they were requested from."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0007_seals")]

    initial = False

    operations = [
        ops.AddField(model_name="StockHold", name="address", field=fields.CharField(max_length=45, null=True)),
        ops.AddIndex(model_name="StockHold", index=Index(fields=["address"])),
    ]
