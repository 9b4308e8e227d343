"""Outbox entries name the item whose cached reads they invalidate. Adds topics."""

from gqlstock.rules.events import Topic
from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Reword(ops.AlterField):
    """Changes a field's description, and nothing in the database.

    On SQLite, altering a field copies the table: it would lose its indexes, and the ids of an empty outbox would restart.
    """

    async def database_forward(self, *_: object, **__: object) -> None: ...

    database_backward = database_forward


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0012_refused_answers")]

    initial = False

    operations = [
        ops.AddField(model_name="OutboxEntry", name="item_id", field=fields.BigIntField(null=True)),
        Reword(
            model_name="OutboxEntry",
            name="topic",
            field=fields.CharEnumField(
                description="LEVEL: LEVEL\nLEVEL_ROW: LEVEL_ROW\nALERT: ALERT\nORDER: ORDER\nITEM: ITEM\nSTOCK: STOCK\n"
                "SETTINGS: SETTINGS\nTOKENS: TOKENS\nRESET: RESET\nUNKNOWN: UNKNOWN",
                enum_type=Topic,
                max_length=20,
            ),
        ),
    ]
