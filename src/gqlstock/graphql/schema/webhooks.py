"""Webhook endpoints and their deliveries in the schema."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import batch, nodes, paging
from gqlstock.graphql.relay.nodes import Node
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page
from gqlstock.graphql.schema import mutations
from gqlstock.graphql.schema.mutations import ERRORS, DeletePayload
from gqlstock.graphql.schema.network.warehouses import Warehouse
from gqlstock.graphql.schema.scalars import JSON
from gqlstock.graphql.schema.user_errors import UserError
from gqlstock.rules import webhooks as rules
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.paging import NEWEST_FIRST, OLDEST_FIRST
from gqlstock.rules.retries import WorkState
from gqlstock.rules.scopes import Scope
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import list_webhooks
from gqlstock.services import webhooks as services
from gqlstock.stock import network

WRITES = Scope.WEBHOOKS_WRITE


_CONCERNS = (
    "Levels, shipments and alerts of a single warehouse concern that one, transfers their source and target, orders "
    "the warehouses that they have or had units in. Messages that concern no warehouse go to every endpoint of their topic."
)


async def _warehouses(parents: Sequence["WebhookEndpoint"], info: Info) -> list[list[Warehouse] | None]:
    known = await network.warehouses({one for parent in parents for one in parent.row.warehouses or ()})
    return [
        None if parent.row.warehouses is None else [nodes.show(known[one]) for one in parent.row.warehouses]
        for parent in parents
    ]


async def _payload(parents: Sequence["WebhookDelivery"], info: Info) -> list[JSON | None]:
    return [JSON(json.loads(parent.row.body)) for parent in parents]


@strawberry.type(description="A URL that receives messages, signed according to the Standard Webhooks specification.")
class WebhookEndpoint(Node):
    row: strawberry.Private[rules.WebhookEndpoint]
    url: str = strawberry.field(description="The URL that messages are posted to.")
    topics: list[WebhookTopic] = strawberry.field(description="The topics of its messages.")
    warehouses: list[Warehouse] | None = batch.field(
        _warehouses, description=f"It gets only messages that concern one of these warehouses. Null: all. {_CONCERNS}"
    )
    active: bool = strawberry.field(
        description="While false, nothing is sent to it and no messages are created for it. Always false once deleted."
    )
    created_at: datetime = strawberry.field(
        description="When it was created. It gets no messages about earlier events."
    )

    @classmethod
    def of(cls, row: rules.WebhookEndpoint) -> "WebhookEndpoint":
        return cls(
            row=row,
            id=nodes.global_id("WebhookEndpoint", row.id),
            url=row.url,
            topics=row.topics,
            active=row.active,
            created_at=row.created_at,
        )


@strawberry.type(
    description="One message to one endpoint, sent at least once and in order for each item, order, shipment and transfer."
)
class WebhookDelivery(Node):
    row: strawberry.Private[rules.WebhookDelivery]
    endpoint: WebhookEndpoint = batch.field(
        nodes.by_id(list_webhooks.endpoints, "endpoint_id"), description="The receiving endpoint, even if deleted."
    )
    topic: WebhookTopic = strawberry.field(description="The topic of the message.")
    payload: JSON | None = batch.field(
        _payload, description="The body of the message: `type`, `timestamp` and `data`. Contains no personal data."
    )
    attempts: int = strawberry.field(description="The number of attempts to send it.")
    state: WorkState = strawberry.field(description="The state of the delivery.")
    last_status_code: int | None = strawberry.field(
        description="The HTTP status of the last response. Null if there was none."
    )
    last_error: str | None = strawberry.field(description="Why the last attempt failed. Null if it succeeded.")
    created_at: datetime = strawberry.field(description="When it was created.")
    delivered_at: datetime | None = strawberry.field(description="When the endpoint accepted it. Null if it has not.")

    @classmethod
    def of(cls, row: rules.WebhookDelivery) -> "WebhookDelivery":
        return cls(
            row=row,
            id=nodes.global_id("WebhookDelivery", row.id),
            topic=row.topic,
            attempts=row.attempts,
            state=row.state,
            last_status_code=row.last_status_code,
            last_error=row.last_error,
            created_at=row.created_at,
            delivered_at=row.delivered_at,
        )


@strawberry.type
class WebhookQueries:
    @access.field(
        description="The endpoints that are not deleted, oldest first. Needs webhooks:write.",
        scope=WRITES,
    )
    async def webhook_endpoints(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[WebhookEndpoint] | None:
        page = Page.of(first, after, last, before)
        return await paging.connection(page, OLDEST_FIRST, list_webhooks.endpoints_in_use(), nodes.show)

    @access.field(
        description=(
            "Messages to endpoints, newest first. Delivered messages are kept for 7 days, failed ones for 30. "
            "Needs webhooks:write."
        ),
        scope=WRITES,
    )
    async def webhook_deliveries(
        self,
        info: Info,
        endpoint: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only deliveries to this endpoint, by id.")
        ] = None,
        state: Annotated[WorkState | None, strawberry.argument(description="Only deliveries in this state.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[WebhookDelivery] | None:
        page = Page.of(first, after, last, before)
        endpoint_id = None if endpoint is None else nodes.row_id("WebhookEndpoint", endpoint) or 0
        found = list_webhooks.deliveries_among(endpoint_id, state)
        return await paging.connection(page, NEWEST_FIRST, found, nodes.show)


@strawberry.input(description="A webhook endpoint to create.")
class CreateWebhookEndpointInput:
    url: str = strawberry.field(
        description=(
            "An https:// URL. http:// and private addresses need the operator's GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES=true."
        )
    )
    topics: list[WebhookTopic] = strawberry.field(description="The topics of its messages. At least one.")
    warehouses: list[str] | None = strawberry.field(
        default=None, description=f"Only messages that concern these warehouses, by code. Null: all. {_CONCERNS}"
    )


@strawberry.input(description="Changes to a webhook endpoint. Omitted fields stay unchanged.")
class UpdateWebhookEndpointInput:
    id: strawberry.ID = strawberry.field(description="The endpoint.")
    url: str | None = strawberry.field(default=strawberry.UNSET, description="The new URL.")
    topics: list[WebhookTopic] | None = strawberry.field(
        default=strawberry.UNSET, description="All topics of its messages. Replaces the existing ones."
    )
    warehouses: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All its warehouses, by code. Replaces the existing ones. Null: all warehouses.",
    )
    active: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "false: nothing is sent to it and no messages are created. Pending messages are sent once it is true again."
        ),
    )


@strawberry.input(description="An endpoint to delete.")
class DeleteWebhookEndpointInput:
    id: strawberry.ID = strawberry.field(description="The endpoint.")


@strawberry.input(description="An endpoint to send a test message to.")
class TestWebhookEndpointInput:
    id: strawberry.ID = strawberry.field(description="The endpoint.")


@strawberry.input(description="An endpoint to give a new secret.")
class RotateWebhookSecretInput:
    id: strawberry.ID = strawberry.field(description="The endpoint.")


@strawberry.input(description="A message to send again.")
class RedeliverWebhookInput:
    id: strawberry.ID = strawberry.field(description="The delivery.")


@strawberry.type(description="The resulting endpoint.")
class WebhookEndpointPayload:
    endpoint: WebhookEndpoint | None = strawberry.field(description="The endpoint.")
    secret: str | None = strawberry.field(
        description="The secret for verifying signatures. Shown only when it is created or rotated, otherwise null."
    )
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@strawberry.type(description="The resulting delivery.")
class WebhookDeliveryPayload:
    delivery: WebhookDelivery | None = strawberry.field(description="The delivery.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


INPUT = strawberry.argument(description="The input. It is applied completely or not at all.")


@strawberry.type
class WebhookMutations:
    @mutations.field(
        description="Creates a webhook endpoint and returns its secret, which is shown only once. Needs webhooks:write.",
        payload=WebhookEndpointPayload,
        scope=WRITES,
    )
    async def create_webhook_endpoint(
        self, info: Info, input: Annotated[CreateWebhookEndpointInput, INPUT]
    ) -> WebhookEndpointPayload:
        made, secret = await services.create(
            input.url, input.topics, input.warehouses, private_addresses=info.context.deployment.private_webhooks
        )
        return WebhookEndpointPayload(endpoint=await _endpoint(made), secret=secret, user_errors=[])

    @mutations.field(
        description="Changes a webhook endpoint. Needs webhooks:write.", payload=WebhookEndpointPayload, scope=WRITES
    )
    async def update_webhook_endpoint(
        self, info: Info, input: Annotated[UpdateWebhookEndpointInput, INPUT]
    ) -> WebhookEndpointPayload:
        changes = mutations.given(input)
        given_id = _given_id("WebhookEndpoint", changes.pop("id"))
        found = await services.update(given_id, changes, private_addresses=info.context.deployment.private_webhooks)
        return WebhookEndpointPayload(endpoint=await _endpoint(found), secret=None, user_errors=[])

    @mutations.field(
        description=(
            "Deletes a webhook endpoint. Its pending messages fail; all its messages can still be read. "
            "Needs webhooks:write."
        ),
        payload=DeletePayload,
        scope=WRITES,
    )
    async def delete_webhook_endpoint(
        self, info: Info, input: Annotated[DeleteWebhookEndpointInput, INPUT]
    ) -> DeletePayload:
        found = await services.delete(_given_id("WebhookEndpoint", input.id))
        return DeletePayload(deleted_id=nodes.global_id("WebhookEndpoint", found), user_errors=[])

    @mutations.field(
        description=(
            "Sends a message of the topic TEST to an endpoint immediately, regardless of its topics and warehouses. It waits "
            "for no other message and is retried like any other. The returned delivery is still PENDING; query its result "
            "later with `node`. "
            "Needs webhooks:write."
        ),
        payload=WebhookDeliveryPayload,
        scope=WRITES,
    )
    async def test_webhook_endpoint(
        self, info: Info, input: Annotated[TestWebhookEndpointInput, INPUT]
    ) -> WebhookDeliveryPayload:
        sent = await services.send_test(_given_id("WebhookEndpoint", input.id))
        return WebhookDeliveryPayload(delivery=await nodes.loaded("WebhookDelivery", sent), user_errors=[])

    @mutations.field(
        description=(
            "Gives an endpoint a new secret, which is shown only once. Messages are signed with both secrets for 24 hours, "
            "new one first. A second rotation within that time invalidates the oldest secret immediately. "
            "Needs webhooks:write."
        ),
        payload=WebhookEndpointPayload,
        scope=WRITES,
    )
    async def rotate_webhook_secret(
        self, info: Info, input: Annotated[RotateWebhookSecretInput, INPUT]
    ) -> WebhookEndpointPayload:
        found, secret = await services.rotate_secret(_given_id("WebhookEndpoint", input.id))
        return WebhookEndpointPayload(endpoint=await _endpoint(found), secret=secret, user_errors=[])

    @mutations.field(
        description=(
            "Sends a message again immediately, with the same webhook-id and all retries. A pending message is sent without "
            "waiting for its next retry. Needs webhooks:write."
        ),
        payload=WebhookDeliveryPayload,
        scope=WRITES,
    )
    async def redeliver_webhook(
        self, info: Info, input: Annotated[RedeliverWebhookInput, INPUT]
    ) -> WebhookDeliveryPayload:
        found = await services.redeliver(_given_id("WebhookDelivery", input.id))
        return WebhookDeliveryPayload(delivery=await nodes.loaded("WebhookDelivery", found), user_errors=[])


def _given_id(name: str, text: str) -> GivenId:
    return GivenId(nodes.row_id(name, text), text)


async def _endpoint(row_id: int) -> Any:
    return await nodes.loaded("WebhookEndpoint", row_id)


nodes.register(rules.WebhookEndpoint, "WebhookEndpoint", WebhookEndpoint.of, list_webhooks.endpoints, WRITES)
nodes.register(rules.WebhookDelivery, "WebhookDelivery", WebhookDelivery.of, list_webhooks.deliveries, WRITES)
