"""GraphQL over HTTP, server-sent events and websockets: Strawberry's view with our callers, errors and page."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

import orjson
import strawberry
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLRequestData
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.http.streaming import HTTPStreamTransport
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage
from strawberry.types import ExecutionResult
from strawberry.types.execution import SubscriptionExecutionResult

from gqlstock.graphql.callers import OVER, Callers
from gqlstock.graphql.context import Context, Feed, Storefront
from gqlstock.graphql.server_sent import ServerSentEvents

_FORBIDDEN = 4403


class _Socket(BaseGraphQLTransportWSHandler[Context, None]):
    """A websocket connection that ends with its token."""

    view: "View"
    _lasting: asyncio.Task[None] | None = None

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        await super().handle_connection_init(message)
        if self.connection_acknowledged and self._lasting is None:
            self._lasting = asyncio.create_task(self._close_with_token())

    async def _close_with_token(self) -> None:
        async with self.view.callers.lasting(self.context.authorization) as over:
            await over.wait()
            for operation in list(self.operations):
                await self.cleanup_operation(operation)
            with contextlib.suppress(WebSocketDisconnected):
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


class View(GraphQL[Context, None]):
    """The endpoint. ``callers`` says who calls, over every transport."""

    graphql_transport_ws_handler_class = _Socket
    stream_transport_classes_by_protocol: Mapping[str, type[HTTPStreamTransport]] = {
        GRAPHQL_SSE_PROTOCOL: ServerSentEvents
    }

    def __init__(
        self,
        schema: strawberry.Schema,
        feed: Feed,
        storefront: Storefront,
        callers: Callers,
        page: str,
        *,
        public_orders: bool,
        private_webhooks: bool,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql",
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
        )
        self.callers = callers
        self._feed = feed
        self._storefront = storefront
        self._page = page
        self._public_orders = public_orders
        self._private_webhooks = private_webhooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.run(WebSocket(scope, receive=receive, send=send))
            return
        try:
            response: Response = await self.run(Request(scope, receive))
        except HTTPException as error:
            code = "UNAUTHENTICATED" if error.status_code == 401 else "BAD_USER_INPUT"
            response = JSONResponse(
                {"errors": [{"message": error.reason, "extensions": {"code": code}}]}, status_code=error.status_code
            )
        await response(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        context = Context(
            self._feed,
            self._storefront,
            public_orders=self._public_orders,
            private_webhooks=self._private_webhooks,
        )
        if isinstance(request, Request):
            context.remembers = True
            await self._admit(context, request.headers.get("authorization"), HTTPException(401, _UNKNOWN))
        return context

    async def on_ws_connect(self, context: Context) -> Any:
        given = (context.connection_params or {}).get("Authorization")
        if given is not None and not isinstance(given, str):
            raise ConnectionRejectionError
        await self._admit(context, given, ConnectionRejectionError())
        return strawberry.UNSET

    async def _admit(self, context: Context, authorization: str | None, otherwise: Exception) -> None:
        caller = await self.callers.caller(authorization)
        if caller is None:
            raise otherwise
        context.caller, context.authorization = caller, authorization

    async def execute_operation(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData | list[GraphQLRequestData],
        context: Context,
        root_value: None,
        sub_response: Response,
    ) -> ExecutionResult | list[ExecutionResult] | SubscriptionExecutionResult:
        if isinstance(request_data, GraphQLRequestData) and request_data.protocol == "sse":
            # It may last: what is read for one push is old for the next.
            context.remembers = False
        result = await super().execute_operation(
            request, request_adapter, request_data, context, root_value, sub_response
        )
        if isinstance(result, AsyncGenerator):
            return cast("SubscriptionExecutionResult", self._until_over(result, context))
        return result

    async def _until_over(
        self, results: AsyncGenerator[ExecutionResult, None], context: Context
    ) -> AsyncGenerator[ExecutionResult, None]:
        """The results of a stream for as long as the caller's token stands; then an error as the last one."""
        async with contextlib.aclosing(results), self.callers.lasting(context.authorization) as over:
            ending = asyncio.ensure_future(over.wait())
            tasks: list[asyncio.Future[Any]] = [ending]
            try:
                while True:
                    following = asyncio.ensure_future(anext(results))
                    tasks[1:] = [following]
                    await asyncio.wait({following, ending}, return_when=asyncio.FIRST_COMPLETED)
                    if ending.done():
                        yield ExecutionResult(
                            data=None, errors=[GraphQLError(OVER, extensions={"code": "UNAUTHENTICATED"})]
                        )
                        return
                    try:
                        result = following.result()
                    except StopAsyncIteration:
                        return
                    yield result
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def encode_json(self, data: object) -> str | bytes:
        try:
            # A text: clients of websockets take no bytes for it.
            return orjson.dumps(data).decode()
        except TypeError:
            # Such as half of a surrogate pair in a message about it.
            return super().encode_json(data)

    async def render_graphql_ide(self, request: Request) -> Response:
        return HTMLResponse(self._page)


_UNKNOWN = "The token is unknown, expired or revoked."
