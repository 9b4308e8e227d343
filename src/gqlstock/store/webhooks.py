"""The table of webhook endpoints, and the queue of messages to them. ``delivery.webhooks`` sends the messages."""

from collections.abc import Collection, Sequence
from datetime import datetime

from tortoise import fields
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import webhooks as rules
from gqlstock.rules.retries import WorkState
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.store.db import sql, transactions, writing
from gqlstock.store.db.records import by_id, moment, records
from gqlstock.store.work import Work, WorkQueue


class WebhookEndpoint(Model):
    """Where news goes. A deleted one is out of use and never active, but its deliveries still name it.

    It gets the outbox entries after the end of the outbox at its creation. Secrets are stored in plain text, because
    signing needs them. They are erased when the endpoint is deleted, the previous one when it no longer signs.
    """

    id = fields.BigIntField(primary_key=True)
    url = fields.CharField(max_length=2000)
    stored_topics: fields.Field[list[str]] = fields.JSONField()
    # Ids; null for all.
    warehouses: fields.Field[list[int] | None] = fields.JSONField(null=True)
    active = fields.BooleanField(default=True)
    secret = fields.CharField(max_length=100)
    previous_secret = fields.CharField(max_length=100, null=True)
    previous_secret_until = fields.DatetimeField(null=True)
    since_era = fields.BigIntField(db_default=0)
    since_tx = fields.BigIntField(db_default=0)
    since_id = fields.BigIntField(db_default=0)
    created_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)

    class Meta:
        table = "webhook_endpoint"


class WebhookDelivery(Work):
    """One message to one endpoint. Its line is the endpoint and the item or order that it is about."""

    endpoint: fields.ForeignKeyRelation[WebhookEndpoint] = fields.ForeignKeyField(
        "gqlstock.WebhookEndpoint", related_name="deliveries", on_delete=fields.RESTRICT
    )
    endpoint_id: int
    topic = fields.CharEnumField(WebhookTopic, max_length=30)
    body = fields.TextField()
    last_status_code = fields.IntField(null=True)

    class Meta:
        table = "webhook_delivery"
        indexes = (("endpoint_id", "due_at"), ("line", "state", "id"), ("state", "id"), ("endpoint_id", "id"))


queue = WorkQueue(rules.WebhookDelivery, WebhookDelivery)


async def endpoints(ids: Collection[int]) -> dict[int, rules.WebhookEndpoint]:
    return await by_id(rules.WebhookEndpoint, ids)


def endpoints_in_use() -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.filter(deleted_at=None)


async def active() -> list[rules.WebhookEndpoint]:
    """The active endpoints."""
    return await records(rules.WebhookEndpoint, WebhookEndpoint.filter(active=True).order_by("id"))


async def deliveries(ids: Collection[int]) -> dict[int, rules.WebhookDelivery]:
    return await by_id(rules.WebhookDelivery, ids)


def deliveries_among(endpoint_id: int | None, state: WorkState | None) -> QuerySet[WebhookDelivery]:
    """Deliveries to an endpoint (None: all) in a state (None: any)."""
    query = WebhookDelivery.all()
    if endpoint_id is not None:
        query = query.filter(endpoint_id=endpoint_id)
    return query if state is None else query.filter(state=state)


async def lock(endpoint_ids: Collection[int]) -> dict[int, rules.WebhookEndpoint]:
    """Lock endpoints, and thereby the lines of their messages, and read them."""
    if not endpoint_ids:
        return {}
    locked = WebhookEndpoint.filter(id__in=set(endpoint_ids)).order_by("id").select_for_update(no_key=True)
    return {endpoint.id: endpoint for endpoint in await records(rules.WebhookEndpoint, locked)}


async def insert_endpoint(new: rules.WebhookEndpoint) -> int:
    """Insert a new endpoint. Returns its id."""
    return (await writing.insert(WebhookEndpoint, [new]))[0]


async def update_endpoint(before: rules.WebhookEndpoint, after: rules.WebhookEndpoint) -> None:
    await writing.update(WebhookEndpoint, [(before, after)])


async def update_delivery(before: rules.WebhookDelivery, after: rules.WebhookDelivery) -> None:
    await writing.update(WebhookDelivery, [(before, after)])


async def add(rows: Sequence[rules.WebhookDelivery]) -> list[int]:
    """Queue messages to endpoints that are still active. Returns their ids."""
    known = await lock({row.endpoint_id for row in rows})
    return await queue.add([row for row in rows if row.endpoint_id in known and known[row.endpoint_id].active])


async def forget_previous_secrets(now: datetime) -> None:
    """Erase the secrets that no longer sign."""
    over = WebhookEndpoint.filter(previous_secret_until__lte=now)
    await over.update(previous_secret=None, previous_secret_until=None)


async def waiting() -> dict[int, datetime]:
    """The time at which the next message to each active endpoint is due. Endpoints without messages are omitted."""
    rows = await sql.query(
        """SELECT e.id AS id, (SELECT MIN(d.due_at) FROM webhook_delivery d WHERE d.endpoint_id = e.id) AS due_at
           FROM webhook_endpoint e WHERE e.active"""
    )
    return {row["id"]: moment(row["due_at"]) for row in rows if row["due_at"] is not None}


async def settle(delivery: rules.WebhookDelivery, *, disable: bool = False, **changes: object) -> None:
    """Record an attempt. ``disable``: deactivate the endpoint."""

    async def work() -> None:
        await lock([delivery.endpoint_id])
        if await queue.settle(delivery, **changes) and disable:
            await WebhookEndpoint.filter(id=delivery.endpoint_id).update(active=False)

    await transactions.run(work)


async def abandon(endpoint_id: int, why: str) -> None:
    """Fail the pending messages of a locked endpoint."""
    pending = WebhookDelivery.filter(endpoint_id=endpoint_id, state=WorkState.PENDING)
    await pending.update(state=WorkState.FAILED, due_at=None, sending=False, last_error=why)


async def has_earlier(delivery: rules.WebhookDelivery) -> bool:
    """Whether an earlier message in its line is pending."""
    before = WebhookDelivery.filter(line=delivery.line, state=WorkState.PENDING, id__lt=delivery.id)
    return await before.exists()
