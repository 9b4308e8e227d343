from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0003_delivery")]

    initial = False

    operations = [
        ops.AddField(
            model_name="ApiToken",
            name="warehouses",
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads),
        ),
    ]
