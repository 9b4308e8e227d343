"""Mail that is to be sent: to administrators about low inventory, to shoppers about what is back in stock."""

from collections.abc import Sequence
from datetime import datetime

from tortoise import fields

from gqlstock.store import database, dispatch, work
from gqlstock.store.alerts import LowInventoryAlert
from gqlstock.store.back_in_stock import BackInStockSubscription
from gqlstock.store.work import Work


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


async def add(rows: Sequence[Mail]) -> None:
    """Write what is to be sent, under the lock of ``dispatch``."""
    await work.add(rows)


async def next_due() -> datetime | None:
    """When a letter is next due."""
    found = await Mail.filter(due_at__isnull=False).order_by("due_at").first().only("id", "due_at")
    return found.due_at if found is not None else None


async def settle(mail: Mail, **changes: object) -> bool:
    """Write what became of an attempt, with the running transaction; False when somebody else has the letter by now."""
    await dispatch.lock()
    return await work.settle(mail, **changes)


async def drop(mail: Mail) -> None:
    """Take back a letter that is not to be sent after all; the next of its line is due."""

    async def take_back() -> None:
        await dispatch.lock()
        await database.execute(
            "DELETE FROM mail WHERE id = ? AND attempts = ? AND state = 'PENDING'", mail.id, mail.attempts
        )
        await work.pass_on(Mail, mail.line)

    await database.transaction(take_back)
