"""GraphQL over HTTP and websockets: Strawberry's view with our callers, errors and page."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import strawberry
from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from gqlstock.graphql.context import Context, Feed
from gqlstock.rules.scopes import ANONYMOUS, Caller

log = logging.getLogger(__name__)

Identify = Callable[[str], Awaitable[Caller | None]]
"""Whom a token stands for; None when it stands for nobody."""

_SCHEME = "bearer "


class View(GraphQL[Context, None]):
    """The endpoint. ``identify`` is asked for every token, over every transport."""

    def __init__(
        self,
        schema: strawberry.Schema,
        feed: Feed,
        identify: Identify,
        page: str,
        *,
        public_orders: bool,
        private_webhooks: bool,
    ) -> None:
        super().__init__(schema, graphql_ide="graphiql", subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,))
        self._feed = feed
        self._identify = identify
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
            feed=self._feed,
            public_orders=self._public_orders,
            private_webhooks=self._private_webhooks,
            remembers=isinstance(request, Request),
        )
        if isinstance(request, Request):
            caller = await self._caller(request.headers.get("authorization"))
            if caller is None:
                raise HTTPException(401, "The token is unknown, expired or revoked.")
            context.caller = caller
        return context

    async def on_ws_connect(self, context: Context) -> Any:
        given = (context.connection_params or {}).get("Authorization")
        caller = await self._caller(given) if given is None or isinstance(given, str) else None
        if caller is None:
            raise ConnectionRejectionError
        context.caller = caller
        return strawberry.UNSET

    async def _caller(self, authorization: str | None) -> Caller | None:
        """The public without a header; None for a header that stands for nobody."""
        if not authorization:
            return ANONYMOUS
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            return None
        return await self._identify(authorization[len(_SCHEME) :].strip())

    def encode_json(self, data: object) -> str | bytes:
        try:
            return orjson.dumps(data)
        except TypeError:
            # Such as half of a surrogate pair in a message about it.
            return super().encode_json(data)

    async def render_graphql_ide(self, request: Request) -> Response:
        return HTMLResponse(self._page)
