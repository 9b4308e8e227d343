"""Links that sign in once: the digest of a link's code, and when it expires. No token from before has one."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0021_webhook_endpoints")]

    initial = False

    operations = [
        ops.AddField(model_name="ApiToken", name="link_digest", field=fields.CharField(null=True, max_length=64)),
        ops.AddField(
            model_name="ApiToken",
            name="link_expires_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
    ]
