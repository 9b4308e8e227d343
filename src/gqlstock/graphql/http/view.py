"""The ASGI view: GraphQL over HTTP by its specification, server-sent events, and websockets."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import strawberry
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from gqlstock.graphql.context import Context
from gqlstock.graphql.errors import OperationNotAllowed, away_message, seconds_to_retry
from gqlstock.graphql.http import answers, callers, media_types, requests
from gqlstock.graphql.http.endpoint import Endpoint
from gqlstock.graphql.http.execution import Schema
from gqlstock.graphql.http.pushes import encode
from gqlstock.graphql.http.requests import NOT_STORED, HttpRequest, OperationRequest, RequestError
from gqlstock.graphql.http.server_sent import EventStream
from gqlstock.graphql.http.sockets import Socket, SocketFrames
from gqlstock.services import status
from gqlstock.stock import reading
from gqlstock.stock.reading import Reading

_METHODS = {"allow": "GET, POST"}
_BY_METHOD = {"GET": {OperationType.QUERY, OperationType.SUBSCRIPTION}, "POST": set(OperationType)}
_IN_A_QUERY_STRING = ("query", "extensions", "documentId", "id", "doc_id")
_STATUS = {"INTERNAL": 500, "TIMEOUT": 503}


class View(GraphQL[Context, None]):
    """``page`` is shown to browsers that send no operation. None: no page."""

    graphql_transport_ws_handler_class = Socket
    websocket_adapter_class = SocketFrames
    schema: Schema

    def __init__(
        self, schema: Schema, endpoint: Endpoint, page: Response | None = None, origins: Sequence[str] = ()
    ) -> None:
        super().__init__(
            schema,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=endpoint.limits.init_seconds),
            allowed_origins=origins,
        )
        self.endpoint = endpoint
        self._page = page
        self._in_progress = answers.InProgress()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.run(WebSocket(scope, receive=receive, send=send))
            return
        request = HttpRequest(scope, receive)
        try:
            response = await self._respond(request)
        except RequestError as error:
            response = error.response(request.header(b"accept"))
        except Exception as error:
            if not status.is_away(error):
                raise
            away = RequestError(503, away_message(error), "INTERNAL", retry_after=status.SECONDS_TO_RETRY)
            response = away.response(request.header(b"accept"))
        await response(scope, receive, send)

    async def _respond(self, request: HttpRequest) -> ASGIApp:
        if request.method not in _BY_METHOD:
            raise RequestError(405, "GraphQL requests must use GET or POST.", headers=_METHODS)
        accept = request.header(b"accept")
        if self._page is not None and _by_a_browser(request, accept):
            return self._page
        media_type = media_types.answer(accept)
        if media_type is None:
            raise RequestError(406, f"Accept {media_types.RESPONSE}, {media_types.JSON} or {media_types.EVENTS}.")
        context = self.endpoint.context(request.host)
        authorization = request.header(b"authorization")
        async with reading.opened(begun=False) as read:
            if authorization and read.keeps:
                # Tokens are cached as well.
                await read.begin()
            await self.endpoint.admit(context, authorization)
            await read.release()
            limits = self.endpoint.limits.of(authenticated=context.caller.authenticated)
            asked = await requests.sent(request, limits)
            if media_type != media_types.EVENTS:
                return await self._answer(request, asked, media_type, context, read)
        operation = _operation(request, asked)
        return await self._stream(request.method, self.endpoint.document(operation, context), operation, context)

    async def _answer(
        self, request: HttpRequest, asked: bytes, media_type: str, context: Context, read: Reading
    ) -> ASGIApp:
        """The cached answer if it is current, else a newly executed one."""
        named = answers.name(request, asked, media_type, context.caller)
        kept = await self._in_progress.find(read, named, context.caller)
        if kept is not None:
            return answers.response(request, kept.body, media_type)
        operation = _operation(request, asked)
        text = self.endpoint.document(operation, context)
        is_query = self.schema.is_known_query(text, operation.operation_name, context.caller)
        with self._in_progress.running(named) if is_query and read.keeps else contextlib.nullcontext():
            result = await self._execute(request.method, text, operation, context)
            if result.errors or result.extensions:
                return self._response(result, media_type, request.method)
            body = encode({"data": result.data}).encode()
            answers.keep(read, named, body)
        return answers.response(request, body, media_type, shared=read.is_keepable)

    async def _execute(self, method: str, text: str, operation: OperationRequest, context: Context) -> ExecutionResult:
        return await self.schema.execute(
            text,
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.operation_name,
            allowed_operation_types=_BY_METHOD[method],
            operation_extensions=operation.extensions,
        )

    def _response(self, result: ExecutionResult, media_type: str, method: str) -> Response:
        errors = result.errors
        body: dict[str, Any] = {}
        code, headers = 200, NOT_STORED
        wait = seconds_to_retry(errors or ())
        if result.data is not None or not errors or any(error.path for error in errors):
            body["data"] = result.data
        elif isinstance(errors[0], OperationNotAllowed):
            code, headers = (405, {"allow": "POST", **NOT_STORED}) if method == "GET" else (400, NOT_STORED)
        elif media_type == media_types.RESPONSE:
            code = _STATUS.get((errors[0].extensions or {}).get("code", ""), 400)
        if wait is not None and all(value is None for value in (result.data or {}).values()):
            code, headers = 503, {"retry-after": str(wait), **NOT_STORED}
        if errors:
            body["errors"] = [error.formatted for error in errors]
        if result.extensions:
            body["extensions"] = result.extensions
        return Response(encode(body), code, headers, media_type=f"{media_type}; charset=utf-8")

    async def _stream(self, method: str, text: str, operation: OperationRequest, context: Context) -> Response:
        results = await self.schema.stream(
            text,
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.operation_name,
            operation_extensions=operation.extensions,
            allowed_operation_types=_BY_METHOD[method],
        )
        lasting = self.endpoint.callers.lasting(context.authorization)
        return EventStream(results, lasting)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """The context of a websocket connection."""
        return self.endpoint.context(_host(request))

    async def on_ws_connect(self, context: Context) -> Any:
        await self.endpoint.admit(context, callers.over_websocket(context.connection_params))
        return strawberry.UNSET


def _host(request: Request | WebSocket) -> str | None:
    return request.client.host if request.client else None


def _operation(request: HttpRequest, asked: bytes) -> OperationRequest:
    return requests.by_get(request) if request.method == "GET" else requests.by_post(asked)


def _by_a_browser(request: HttpRequest, accept: str | None) -> bool:
    return (
        request.method == "GET"
        and media_types.prefers_page(accept)
        and not any(name in request.query for name in _IN_A_QUERY_STRING)
    )
