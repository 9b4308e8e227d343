"""The endpoint: GraphQL over HTTP as its specification has it, server-sent events and websockets, for one caller each."""

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Any, cast

import orjson
import strawberry
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from gqlstock.graphql import media_types, requests
from gqlstock.graphql.admission import Admission
from gqlstock.graphql.callers import Callers
from gqlstock.graphql.context import Context, Feed, Storefront
from gqlstock.graphql.errors import OperationNotAllowed
from gqlstock.graphql.persisted import Persisted
from gqlstock.graphql.pushes import Pushes, encode
from gqlstock.graphql.questions import Questions
from gqlstock.graphql.requests import Asked, Refusal
from gqlstock.graphql.server_sent import EventStream
from gqlstock.graphql.sockets import Socket, SocketFrames
from gqlstock.rules.limits import Limits, PublicHolds

_METHODS = {"allow": "GET, POST"}
_BY_METHOD = {"GET": {OperationType.QUERY, OperationType.SUBSCRIPTION}, "POST": set(OperationType)}
_IN_A_QUERY_STRING = ("query", "extensions", "documentId", "id", "doc_id")
_STATUS = {"INTERNAL": 500, "TIMEOUT": 503}


class View(GraphQL[Context, None]):
    """``callers`` says who calls, over every transport; ``admission`` who is let in; ``page`` None: there is none."""

    graphql_transport_ws_handler_class = Socket
    websocket_adapter_class = SocketFrames

    def __init__(
        self,
        schema: strawberry.Schema,
        feed: Feed,
        storefront: Storefront,
        callers: Callers,
        admission: Admission,
        persisted: Persisted,
        limits: Limits,
        page: Response | None,
        *,
        origins: Sequence[str],
        questions: Questions,
        public_orders: bool,
        public_holds: PublicHolds,
        private_webhooks: bool,
    ) -> None:
        super().__init__(
            schema,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=limits.init_seconds),
            allowed_origins=origins,
        )
        self.callers = callers
        self.admission = admission
        self.persisted = persisted
        self.limits = limits
        self._feed = feed
        self._storefront = storefront
        self._pushes = Pushes()
        self._page = page
        self._questions = questions
        self._public_orders = public_orders
        self._public_holds = public_holds
        self._private_webhooks = private_webhooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.run(WebSocket(scope, receive=receive, send=send))
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Refusal as refusal:
            response = refusal.response(request.headers.get("accept"))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method not in _BY_METHOD:
            raise Refusal(405, "GraphQL is asked by GET or POST.", headers=_METHODS)
        accept = request.headers.get("accept")
        if self._page is not None and _by_a_browser(request, accept):
            return self._page
        media_type = media_types.answer(accept)
        if media_type is None:
            raise Refusal(406, f"The answer is {media_types.RESPONSE}, {media_types.JSON} or {media_types.EVENTS}.")
        context = await self.get_context(request, Response())
        asked = requests.by_get(request) if request.method == "GET" else await requests.by_post(request, self.limits)
        text = self.persisted.document(asked, authenticated=context.caller.authenticated)
        if media_type == media_types.EVENTS:
            return await self._stream(request.method, text, asked, context)
        result = await self.schema.execute(
            text,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
            allowed_operation_types=_BY_METHOD[request.method],
            operation_extensions=asked.extensions,
        )
        return self._told(result, media_type, request.method)

    def _told(self, result: ExecutionResult, media_type: str, method: str) -> Response:
        errors = result.errors
        body: dict[str, Any] = {}
        status, headers = 200, None
        if result.data is not None or not errors or any(error.path for error in errors):
            body["data"] = result.data
        elif isinstance(errors[0], OperationNotAllowed):
            status, headers = (405, {"allow": "POST"}) if method == "GET" else (400, None)
        elif media_type == media_types.RESPONSE:
            status = _STATUS.get((errors[0].extensions or {}).get("code", ""), 400)
        if errors:
            body["errors"] = [error.formatted for error in errors]
        if result.extensions:
            body["extensions"] = result.extensions
        return Response(self.encode_json(body), status, headers, media_type=f"{media_type}; charset=utf-8")

    async def _stream(self, method: str, text: str, asked: Asked, context: Context) -> Response:
        # It may last: what is read for one push is old for the next.
        context.remembers = False
        results = await self.schema.stream(
            text,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
            operation_extensions=asked.extensions,
            allowed_operation_types=_BY_METHOD[method],
        )
        lasting = self.callers.lasting(context.authorization)
        return EventStream(cast("AsyncGenerator[ExecutionResult, None]", results), lasting)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        host = request.client.host if request.client else None
        context = Context(
            self._feed,
            self._storefront,
            host=host,
            address=self.admission.address(host),
            questions=self._questions,
            public_orders=self._public_orders,
            public_holds=self._public_holds,
            private_webhooks=self._private_webhooks,
            pushes=self._pushes,
            counted=self.admission.subscribed,
        )
        if isinstance(request, Request):
            context.remembers = True
            await self._admit(context, request.headers.get("authorization"))
        return context

    async def on_ws_connect(self, context: Context) -> Any:
        given = (context.connection_params or {}).get("Authorization")
        if given is not None and not isinstance(given, str):
            raise ConnectionRejectionError
        await self._admit(context, given)
        return strawberry.UNSET

    async def _admit(self, context: Context, authorization: str | None) -> None:
        context.caller = await self.admission.admit(authorization, context.host)
        context.authorization = authorization

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> str | bytes:
        return encode(data)


def _by_a_browser(request: Request, accept: str | None) -> bool:
    return (
        request.method == "GET"
        and media_types.prefers_page(accept)
        and not any(name in request.query_params for name in _IN_A_QUERY_STRING)
    )
