"""Outbox entries get a mark, and an era for PostgreSQL's transaction numbers. Webhook endpoints store where they start."""

from typing import Any

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Mark(ops.RunSQL):
    """Give every row of a table a random mark."""

    def __init__(self, table: str) -> None:
        super().__init__(f"UPDATE {table} SET mark = (random() * 9007199254740991)::bigint")
        self.on_sqlite = ops.RunSQL(f"UPDATE {table} SET mark = random() & 9007199254740991")

    async def database_forward(self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None) -> None:
        if state_editor and state_editor.client.capabilities.dialect != "postgres":
            await self.on_sqlite.database_forward(app_label, old_state, new_state, state_editor)
        else:
            await super().database_forward(app_label, old_state, new_state, state_editor)


def _add(model: str, *names: str) -> list[ops.AddField]:
    # Servers of the previous version keep running meanwhile, and write rows without these columns.
    return [ops.AddField(model_name=model, name=name, field=fields.BigIntField(db_default=0)) for name in names]


class Migration(migrations.Migration):
    dependencies = [("gqlstock", "0005_growth")]

    initial = False

    operations = [
        ops.CreateModel(
            name="OutboxEra",
            fields=[
                ("id", fields.BigIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ("era", fields.BigIntField()),
                ("system", fields.BigIntField(null=True)),
            ],
            options={
                "table": "outbox_era",
                "app": "gqlstock",
                "pk_attr": "id",
                "table_description": "The era that is written in, and the identifier of the server whose transaction numbers it has: one row.",
            },
            bases=["Model"],
        ),
        ops.RunSQL("INSERT INTO outbox_era (id, era) VALUES (1, 0)"),
        *_add("OutboxEntry", "era", "mark"),
        *_add("OutboxHorizon", "era", "mark"),
        *_add("Dispatch", "era", "mark"),
        *_add("WebhookEndpoint", "since_era", "since_tx", "since_id"),
        ops.RemoveIndex(model_name="OutboxEntry", fields=["tx", "id"]),
        ops.AddIndex(model_name="OutboxEntry", index=Index(fields=["era", "tx", "id"])),
        Mark("outbox"),
        Mark("outbox_horizon"),
        ops.RunSQL(
            """UPDATE dispatch SET mark = COALESCE(
                   (SELECT mark FROM outbox WHERE outbox.id = dispatch.entry_id),
                   (SELECT mark FROM outbox_horizon WHERE outbox_horizon.entry_id = dispatch.entry_id), 0)"""
        ),
    ]
