"""The order in which waiting units were planned, and the items whose alerts must be reassessed."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0009_public_holds")]

    initial = False

    operations = [
        ops.AddField(model_name="Allocation", name="split_from", field=fields.BigIntField(null=True)),
        # One allocation was planned per line and source. Those with a higher id were split from it.
        ops.RunSQL(
            """UPDATE allocation SET split_from = planned.id FROM (
                   SELECT line_id, position, MIN(id) AS id FROM allocation GROUP BY line_id, position HAVING COUNT(*) > 1
               ) AS planned
               WHERE planned.line_id = allocation.line_id AND planned.position = allocation.position
                   AND planned.id < allocation.id"""
        ),
        ops.CreateModel(
            name="Reassessment",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("item_id", fields.BigIntField(null=True)),
                ("category_id", fields.BigIntField(null=True)),
                ("after", fields.BigIntField(default=0)),
            ],
            options={
                "table": "reassessment",
                "app": "gqlstock",
                "pk_attr": "id",
                "table_description": "One item, or a category with everything below it, or (where both are null) every item.",
            },
            bases=["Model"],
        ),
        # Alerts did not follow settings before, so every item is reassessed once.
        ops.RunSQL("INSERT INTO reassessment (after) SELECT 0 WHERE EXISTS (SELECT 1 FROM item)"),
    ]
