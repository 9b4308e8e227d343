"""The queue of emails about low inventory and items back in stock. ``delivery.letters`` sends them."""

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
    """When the next email is due; None if none is queued."""
    rows = await sql.query("SELECT MIN(due_at) AS due_at FROM mail")
    return None if rows[0]["due_at"] is None else moment(rows[0]["due_at"])


async def settle(letter: Letter, **changes: object) -> bool:
    """Record an attempt in the running transaction. Returns False if another process has taken over the email."""
    await dispatch.lock()
    return await queue.settle(letter, **changes)


async def drop(letter: Letter) -> None:
    """Delete an email that is no longer needed. The next email in its line becomes due."""

    async def work() -> None:
        await dispatch.lock()
        await queue.drop(letter)

    await transactions.run(work)
