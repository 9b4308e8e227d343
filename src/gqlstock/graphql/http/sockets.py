"""GraphQL over websockets, by the graphql-transport-ws protocol: what ends a connection, and what is one operation's error.

Frames that are not messages of the protocol close it with the protocol's codes. Errors of an operation are reported only to
that operation. A connection ends with its token.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol, cast

import orjson
from graphql import GraphQLError
from starlette.websockets import WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage
from strawberry.types import ExecutionResult

from gqlstock.graphql.context import Context
from gqlstock.graphql.http import requests
from gqlstock.graphql.http.callers import OVER
from gqlstock.graphql.http.endpoint import Endpoint
from gqlstock.graphql.http.pushes import Push, encode
from gqlstock.graphql.http.requests import OperationRequest, RequestError

_BAD_REQUEST = 4400
_FORBIDDEN = 4403
_TOO_MANY_REQUESTS = 4429
_TOO_BIG = 1009
_WITH_AN_ID = ("subscribe", "complete")
_REASON_LENGTH = 120
"""Bytes that a close frame has for its reason, nearly."""


class View(Protocol):
    """What connections need of the view that accepts them."""

    endpoint: Endpoint


class SocketFrames(ASGIWebSocketAdapter):
    """Text frames of JSON; the one place that knows whether the connection is still there."""

    view: View  # type: ignore[assignment]  # the only one that is served by it

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        while self._open:
            message = await self.ws.receive()
            if message["type"] != "websocket.receive":
                return
            text = message.get("text")
            if text is None:
                raise NonTextMessageReceived
            if len(text) > self.view.endpoint.limits.body_bytes:
                await self.close(_TOO_BIG, f"A message may have {self.view.endpoint.limits.body_bytes} bytes.")
                return
            try:
                value = orjson.loads(text)
            except ValueError as error:
                raise NonJsonMessageReceived from error
            yield value

    async def send_json(self, message: Mapping[str, object]) -> None:
        await self.send_frame(encode(message))

    async def send_frame(self, text: str) -> None:
        if not self._open:
            raise WebSocketDisconnected
        try:
            await self.ws.send_text(text)
        except Exception as error:
            # Servers report a closed connection in different ways.
            raise WebSocketDisconnected from error

    async def close(self, code: int, reason: str) -> None:
        if self._open:
            with contextlib.suppress(Exception):
                await self.ws.close(code, reason.encode()[:_REASON_LENGTH].decode(errors="ignore"))

    @property
    def _open(self) -> bool:
        return WebSocketState.DISCONNECTED not in (self.ws.application_state, self.ws.client_state)


class _Operation(Operation[Context, None]):
    """An operation that sends pushes as they are."""

    __slots__ = ("_before",)

    def __init__(self, socket: "Socket", id: str, document: str, request: OperationRequest) -> None:
        super().__init__(socket, id, document, request.variables, request.operation_name)
        self._before = f'{{"id":{encode(id)},"type":"next","payload":'

    async def send_next(self, execution_result: ExecutionResult) -> None:
        if not isinstance(execution_result, Push):
            await super().send_next(execution_result)
        elif not self.completed:
            frames = cast("SocketFrames", self.handler.websocket)
            await frames.send_frame(f"{self._before}{execution_result.encoded}}}")


class Socket(BaseGraphQLTransportWSHandler[Context, None]):
    """One connection."""

    view: View  # type: ignore[assignment]
    _lasting: asyncio.Task[None] | None = None

    async def handle_message(self, message: Any) -> None:
        if (fault := _fault(message)) is not None:
            await self.handle_invalid_message(fault)
        else:
            await super().handle_message(message)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        if message.get("payload") is None:
            message["payload"] = {}
        try:
            await super().handle_connection_init(message)
        except RequestError as refusal:
            code = _TOO_MANY_REQUESTS if refusal.status == 429 else _FORBIDDEN
            await self.websocket.close(code, str(refusal))
            return
        if self.connection_acknowledged and self._lasting is None:
            self._lasting = asyncio.create_task(self._close_with_token())

    async def handle_subscribe(self, message: Any) -> None:
        id, payload = message["id"], message["payload"]
        if not self.connection_acknowledged:
            await self.websocket.close(4401, "Unauthorized")
            return
        if id in self.operations:
            await self.websocket.close(4409, f"Subscriber for {id} already exists")
            return
        try:
            request = requests.over_websocket(payload)
        except RequestError as refusal:
            await self.handle_invalid_message(str(refusal))
            return
        try:
            if len(self.operations) >= self.view.endpoint.limits.operations:
                told = f"A connection may have {self.view.endpoint.limits.operations} operations at once."
                raise RequestError(429, told, "TOO_MANY_REQUESTS")
            operation = _Operation(self, id, await self._document(request), request)
        except RequestError as refusal:
            await self.websocket.send_json({"id": id, "type": "error", "payload": [refusal.error]})
            return
        self.operations[id] = operation
        operation.task = asyncio.create_task(self.run_operation(operation))
        operation.task.add_done_callback(self._task_done)

    async def _document(self, request: OperationRequest) -> str:
        endpoint = self.view.endpoint
        if not self.context.caller.authenticated:
            await endpoint.admission.count(self.context.host)
        return endpoint.document(request, self.context)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """What is wrong with an operation never ends the connection."""
        return None

    async def _close_with_token(self) -> None:
        async with self.view.endpoint.callers.lasting(self.context.authorization) as over:
            await over.wait()
            for operation in list(self.operations):
                await self.cleanup_operation(operation)
            await self.websocket.close(_FORBIDDEN, OVER)

    async def shutdown(self) -> None:
        if self._lasting is not None:
            self._lasting.cancel()
            await asyncio.gather(self._lasting, return_exceptions=True)
        await super().shutdown()

    async def handle_task_exception(self, error: Exception) -> None:
        """A client that went away while it was sent something is no error."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)


def _fault(message: Any) -> str | None:
    """What keeps a frame from being a message of the protocol."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return "A message is an object with a type."
    kind, payload = message["type"], message.get("payload")
    if kind in _WITH_AN_ID and not (isinstance(message.get("id"), str) and message["id"]):
        return f"A {kind} message has an id."
    if kind == "subscribe" and not isinstance(payload, dict):
        return "A subscribe message has an object as its payload."
    if payload is not None and not isinstance(payload, dict) and kind != "complete":
        return "A payload is an object."
    return None
