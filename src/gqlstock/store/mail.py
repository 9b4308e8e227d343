"""Mail that is to be sent: to administrators about low inventory, to shoppers about what is back in stock."""

from datetime import datetime

from tortoise import fields

from gqlstock.rules.letters import Letter
from gqlstock.store import dispatch
from gqlstock.store.alerts import LowInventoryAlert
from gqlstock.store.back_in_stock import BackInStockSubscription
from gqlstock.store.db import sql, transactions
from gqlstock.store.db.records import moment
from gqlstock.store.work import Work, WorkQueue


class Mail(Work):
    """One letter to one recipient, about an alert or for a subscription. It is written when it is sent."""

    recipient = fields.CharField(max_length=254)
    alert: fields.ForeignKeyNullableRelation[LowInventoryAlert] = fields.ForeignKeyField(
        "gqlstock.LowInventoryAlert", related_name="mails", null=True, on_delete=fields.RESTRICT
    )
    alert_id: int | None
    subscription: fields.ForeignKeyNullableRelation[BackInStockSubscription] = fields.ForeignKeyField(
        "gqlstock.BackInStockSubscription", related_name="mails", null=True, on_delete=fields.RESTRICT
    )
    subscription_id: int | None

    class Meta:
        table = "mail"
        indexes = (("due_at",), ("line", "state", "id"), ("state", "id"), ("subscription_id", "state"))


queue = WorkQueue(Letter, Mail)


async def next_due() -> datetime | None:
    """When a letter is next due."""
    rows = await sql.query("SELECT MIN(due_at) AS due_at FROM mail")
    return None if rows[0]["due_at"] is None else moment(rows[0]["due_at"])


async def settle(letter: Letter, **changes: object) -> bool:
    """Write what became of an attempt, with the running transaction; False when another process has the letter by now."""
    await dispatch.lock()
    return await queue.settle(letter, **changes)


async def drop(letter: Letter) -> None:
    """Take back a letter that is not to be sent after all; the next of its line is due."""

    async def take_back() -> None:
        await dispatch.lock()
        await queue.drop(letter)

    await transactions.run(take_back)
