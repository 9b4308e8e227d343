"""The composition root: builds the application from a configuration. The only file that knows every part."""

import asyncio
import contextlib
import gc
import importlib
import multiprocessing
import os
import sys
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from gqlstock import logs
from gqlstock.adapters.bus import Bus, OneProcess, RedisBus
from gqlstock.adapters.mail import LogMail
from gqlstock.adapters.metrics import CacheFigures, Figures, Lookups, Metrics, Pool
from gqlstock.adapters.rates import InProcess, InRedis
from gqlstock.adapters.tracing import Tracing, provider
from gqlstock.adapters.webhook_calls import WebhookCalls
from gqlstock.config import Config, ConfigError, Executor
from gqlstock.delivery import housekeeping
from gqlstock.delivery.courier import Courier
from gqlstock.delivery.dispatcher import Dispatcher
from gqlstock.delivery.feed import OutboxFeed
from gqlstock.delivery.letters import Letters
from gqlstock.delivery.storefront import Storefront
from gqlstock.delivery.webhooks import Webhooks
from gqlstock.graphql.context import Deployment
from gqlstock.graphql.executor import BreadthFirstExecutor, OrdinaryExecutor
from gqlstock.graphql.http.admission import Admission
from gqlstock.graphql.http.callers import Callers
from gqlstock.graphql.http.endpoint import Endpoint
from gqlstock.graphql.http.persisted import Persisted
from gqlstock.graphql.http.questions import Questions
from gqlstock.graphql.http.requests import RequestError
from gqlstock.graphql.http.view import View
from gqlstock.graphql.schema import root
from gqlstock.rules.scopes import Caller
from gqlstock.services import identities, status
from gqlstock.services.status import NotUsable
from gqlstock.stock import cache
from gqlstock.stock.cache import Cache
from gqlstock.store import dispatch
from gqlstock.store.db import connection
from gqlstock.store.db.outages import Patience
from gqlstock.web import exports, graphiql, health, metrics, sign_in, stockroom, unsubscribe
from gqlstock.web.requests import Requests
from gqlstock.web.stopping import EndsWhatLasts, Stopping

_STARTUP_FAILURE = 3  # of uvicorn
_EXECUTORS = {Executor.BREADTH_FIRST: BreadthFirstExecutor, Executor.GRAPHQL_CORE: OrdinaryExecutor}

# Headers that common clients send and that CORS does not allow by default.
_HEADERS = [
    "authorization",
    "content-type",
    "apollo-require-preflight",
    "apollographql-client-name",
    "apollographql-client-version",
    "x-requested-with",
    "x-request-id",
    "traceparent",
]
_SECONDS_OF_PREFLIGHT = 7_200
# A statement may wait for locks. A process that was stopped holds them for a while.
_SECONDS_PER_STATEMENT = 30.0


def create_app(config: Config) -> Starlette:
    """Build the application. Its lifespan opens the database, tails the outbox and delivers messages."""
    bus: Bus = RedisBus(config.redis) if config.redis else OneProcess()
    feed = OutboxFeed(bus)
    counter = InRedis(config.redis) if config.redis else InProcess()
    storefront = Storefront(feed)
    issuer = _adapter("identity_provider").IdentityProvider(config.jwt_issuer) if config.jwt_issuer else None
    callers = Callers(partial(identities.callers, claims_of=issuer.claims if issuer else None))
    admission = Admission(callers, counter, config.public_rate, config.limits)
    deployment = Deployment(
        feed,
        storefront,
        questions=Questions(config.public_rate.questions),
        public_orders=config.public_orders,
        public_holds=config.public_holds,
        private_webhooks=config.private_webhooks,
        count_subscription=admission.subscribed,
    )
    view = View(
        root.build(_EXECUTORS[config.executor], config.limits),
        Endpoint(deployment, callers, admission, Persisted(config.persisted), config.limits),
        graphiql.page() if config.limits.public_introspection else None,
        config.cors_origins,
    )
    checks: list[tuple[str, health.Check]] = [("database", status.database_answers)]
    if isinstance(bus, RedisBus):
        checks.append(("broker", bus.ping))
    stopping = Stopping(grace=config.grace.total_seconds(), drain=config.drain.total_seconds())
    kept = Cache(config.cache_bytes)
    figures = Metrics(
        lambda: health.in_time(_figures(dispatcher)), lambda: Pool(*connection.pool()), lambda: _cache_figures(kept)
    )
    tracing = Tracing(provider()) if config.tracing else None
    calls = WebhookCalls(private_addresses=config.private_webhooks)
    mail = _adapter("smtp").SmtpMail(config.smtp) if config.smtp else LogMail()
    webhooks = Courier(Webhooks(calls), partial(figures.delivered, "webhook"))
    letters = Courier(Letters(mail, config.mail_from, config.unsubscribe_url), partial(figures.delivered, "mail"))
    dispatcher = Dispatcher(config.admin_emails, [webhooks.wake, letters.wake])

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with (
            contextlib.aclosing(counter),
            connection.opened(config.database, everywhere=True, patience=_patience(config)),
            feed.running(),
            storefront.running(),
            housekeeping.running(config.news_retention, dispatch.place),
            contextlib.aclosing(issuer) if issuer else contextlib.nullcontext(),
            contextlib.aclosing(calls),
            webhooks.running(),
            letters.running(),
            dispatcher.running(),
            figures.running(),
            tracing.running() if tracing is not None else contextlib.nullcontext(),
            stopping.heeding_signals(),
        ):
            with cache.everywhere(kept):
                yield

    return Starlette(
        routes=[
            Route("/graphql", view),
            WebSocketRoute("/graphql", view),
            Route("/healthz", health.live),
            Route("/readyz", health.ready(checks, stopping)),
            Route("/metrics", metrics.page(figures.text, config.metrics_token)),
            *exports.routes(partial(_admitted, admission), callers.lasting),
            Route("/unsubscribe", unsubscribe.page, methods=["GET", "POST"]),
            Route("/sign-in", sign_in.exchange, methods=["POST"]),
            *stockroom.routes(),
        ],
        middleware=[
            Middleware(Requests, [figures, tracing] if tracing is not None else [figures]),
            Middleware(EndsWhatLasts, stopping),
            *_cors(config.cors_origins),
            Middleware(_Directly, "/graphql", view),
        ],
        lifespan=lifespan,
    )


def _patience(config: Config) -> Patience:
    return Patience(config.database_wait.total_seconds(), max(_SECONDS_PER_STATEMENT, config.limits.query_seconds))


class _Directly:
    """Dispatches one exact path without the router, which takes as long as a cached response."""

    def __init__(self, app: ASGIApp, path: str, target: ASGIApp) -> None:
        self._app = app
        self._path = path
        self._target = target

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._target if scope["type"] != "lifespan" and scope["path"] == self._path else self._app
        await app(scope, receive, send)


async def _admitted(admission: Admission, authorization: str | None, host: str | None) -> Caller:
    """The caller of a request outside the API. Admission is the same as for the API."""
    try:
        return await admission.admit(authorization, host)
    except RequestError as error:
        code = error.error["extensions"]["code"]
        raise exports.NotAdmitted(error.status, str(error), code, error.headers) from None


def _adapter(name: str) -> Any:
    """Import the adapter of a client library on demand: few servers need it, and importing costs time and memory."""
    return importlib.import_module(f"gqlstock.adapters.{name}")


def _cors(origins: Sequence[str]) -> list[Middleware]:
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=_HEADERS,
            expose_headers=["retry-after", "x-request-id"],
            max_age=_SECONDS_OF_PREFLIGHT,
        )
    ]


async def _figures(dispatcher: Dispatcher) -> Figures:
    backlog = await status.backlog(dispatcher.seen)
    deliveries = {"webhook": backlog.webhooks, "mail": backlog.letters}
    return Figures(backlog.news, backlog.oldest_seconds, backlog.held_back_seconds, deliveries)


def _cache_figures(kept: Cache) -> CacheFigures:
    lookups = {kind: Lookups(one.hits, one.misses, one.drops) for kind, one in kept.counts.items()}
    return CacheFigures(kept.bytes, lookups)


def from_env() -> Starlette:
    """The application, configured by the environment. On a configuration error, prints it and exits the process.

    A worker exits with uvicorn's code for a startup failure, which tells its supervisor not to replace it.
    """
    try:
        config = Config.from_env(os.environ)
        # In a thread, because servers call this both before and inside their event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _usable(config)).result()
    except (ConfigError, NotUsable) as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise SystemExit(1 if multiprocessing.parent_process() is None else _STARTUP_FAILURE) from None
    logs.configure(config.log_format, config.log_level)
    app = create_app(config)
    _leave_alone_what_stays()
    return app


# Thresholds of the garbage collector. A collection of the young generation takes about a millisecond. Requests leave no
# reference cycles, so it runs rarely except during large responses.
_YOUNG = 10_000
_OLDER = 10


def _leave_alone_what_stays() -> None:
    """Exclude modules and schema from garbage collection: traversing them would take a fifth of a request's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDER)


async def _usable(config: Config) -> None:
    async with connection.opened(config.database):
        await status.check_usable(config.database)


def schema_text() -> str:
    """The schema in GraphQL's schema definition language."""
    return root.text()
