"""Webhook endpoints, and what is or was to be delivered to them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules.retries import WorkState
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.store import database, work
from gqlstock.store.work import Work


class WebhookEndpoint(Model):
    """Where news goes. A deleted one is out of use and never active, but its deliveries still name it.

    It gets what stands in the outbox behind the place that was the end when it was made.
    The secret is kept as it is, for signing needs it, and erased when the endpoint is deleted.
    """

    id = fields.BigIntField(primary_key=True)
    url = fields.CharField(max_length=2000)
    stored_topics: fields.Field[list[str]] = fields.JSONField()
    active = fields.BooleanField(default=True)
    secret = fields.CharField(max_length=100)
    since_era = fields.BigIntField(db_default=0)
    since_tx = fields.BigIntField(db_default=0)
    since_id = fields.BigIntField(db_default=0)
    created_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)

    class Meta:
        table = "webhook_endpoint"

    @property
    def since(self) -> tuple[int, int, int]:
        return self.since_era, self.since_tx, self.since_id

    @property
    def topics(self) -> list[WebhookTopic]:
        return [WebhookTopic(told) for told in self.stored_topics]


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


async def endpoints(ids: Collection[int]) -> dict[int, WebhookEndpoint]:
    return {found.id: found for found in await WebhookEndpoint.filter(id__in=set(ids))} if ids else {}


async def active() -> list[WebhookEndpoint]:
    """The endpoints that news goes to."""
    return await WebhookEndpoint.filter(active=True).order_by("id")


async def deliveries(ids: Collection[int]) -> dict[int, WebhookDelivery]:
    return {found.id: found for found in await WebhookDelivery.filter(id__in=set(ids))} if ids else {}


async def lock(endpoint_ids: Collection[int]) -> dict[int, WebhookEndpoint]:
    """Have the lines of these endpoints to this transaction, and read them."""
    wanted = WebhookEndpoint.filter(id__in=set(endpoint_ids)).order_by("id")
    return {found.id: found for found in await wanted.select_for_update(no_key=True)} if endpoint_ids else {}


async def add(rows: Sequence[WebhookDelivery]) -> None:
    """Write what is to be delivered to endpoints that are still active."""
    known = await lock({row.endpoint_id for row in rows})
    await work.add([row for row in rows if row.endpoint_id in known and known[row.endpoint_id].active])


async def waiting() -> dict[int, datetime]:
    """When something is next due at each active endpoint that waits for something."""
    rows = await database.query(
        """SELECT e.id AS id, (SELECT MIN(d.due_at) FROM webhook_delivery d WHERE d.endpoint_id = e.id) AS due_at
           FROM webhook_endpoint e WHERE e.active"""
    )
    column = WebhookDelivery._meta.fields_map["due_at"]
    return {row["id"]: column.to_python_value(row["due_at"]) for row in rows if row["due_at"] is not None}


async def settle(delivery: WebhookDelivery, *, disable: bool = False, **changes: object) -> None:
    """Write what became of an attempt. ``disable``: the endpoint takes nothing any more."""

    async def write() -> None:
        await lock([delivery.endpoint_id])
        if await work.settle(delivery, **changes) and disable:
            await WebhookEndpoint.filter(id=delivery.endpoint_id).update(active=False)

    await database.transaction(write)


async def abandon(endpoint_id: int, why: str) -> None:
    """Give up what is still to be delivered to an endpoint, which its lines are locked for."""
    pending = WebhookDelivery.filter(endpoint_id=endpoint_id, state=WorkState.PENDING)
    await pending.update(state=WorkState.FAILED, due_at=None, sending=False, last_error=why)


async def has_earlier(delivery: WebhookDelivery) -> bool:
    """Whether something of its line comes first."""
    before = WebhookDelivery.filter(line=delivery.line, state=WorkState.PENDING, id__lt=delivery.id)
    return await before.exists()
