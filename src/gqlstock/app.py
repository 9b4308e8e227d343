"""The composition root: a configuration becomes an application. The only file that knows every part."""

import contextlib
import os
from collections.abc import AsyncIterator
from functools import partial
from importlib.resources import files

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, WebSocketRoute

from gqlstock.adapters.bus import Bus, OneProcess, RedisBus
from gqlstock.adapters.http import Http
from gqlstock.adapters.identity_provider import IdentityProvider
from gqlstock.adapters.mail import LogMail, SmtpMail
from gqlstock.config import Config, Executor
from gqlstock.delivery import housekeeping
from gqlstock.delivery.courier import Courier
from gqlstock.delivery.dispatcher import Dispatcher
from gqlstock.delivery.feed import OutboxFeed
from gqlstock.delivery.letters import Letters
from gqlstock.delivery.storefront import Storefront
from gqlstock.delivery.webhooks import Webhooks
from gqlstock.graphql import schema
from gqlstock.graphql.callers import Callers
from gqlstock.graphql.executor import BreadthFirstExecutor, OrdinaryExecutor
from gqlstock.graphql.view import View
from gqlstock.services import identities, status
from gqlstock.store import database, dispatch
from gqlstock.web import health, unsubscribe

_EXECUTORS = {Executor.BREADTH_FIRST: BreadthFirstExecutor, Executor.GRAPHQL_CORE: OrdinaryExecutor}


def create_app(config: Config) -> Starlette:
    """The application; its lifespan opens the database, tails the outbox and delivers."""
    bus: Bus = RedisBus(config.redis_url) if config.redis_url else OneProcess()
    feed = OutboxFeed(bus)
    page = files("gqlstock.web").joinpath("graphiql.html").read_text(encoding="utf-8")
    storefront = Storefront(feed)
    provider = IdentityProvider(config.jwt_issuer) if config.jwt_issuer else None
    view = View(
        schema.build(_EXECUTORS[config.executor]),
        feed,
        storefront,
        Callers(partial(identities.callers, claims_of=provider.claims if provider else None)),
        page,
        public_orders=config.public_orders,
        private_webhooks=config.private_webhooks,
    )
    checks: list[tuple[str, health.Check]] = [("database", status.database_answers)]
    if isinstance(bus, RedisBus):
        checks.append(("broker", bus.ping))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with (
            database.opened(config.database, everywhere=True),
            feed.running(),
            storefront.running(),
            housekeeping.running(config.news_retention, dispatch.place),
            _delivering(config),
            contextlib.aclosing(provider) if provider else contextlib.nullcontext(),
        ):
            yield

    return Starlette(
        routes=[
            Route("/graphql", view),
            WebSocketRoute("/graphql", view),
            Route("/healthz", health.live),
            Route("/readyz", health.ready(checks)),
            Route("/unsubscribe", unsubscribe.page, methods=["GET", "POST"]),
        ],
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=config.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["authorization", "content-type"],
            )
        ]
        if config.cors_origins
        else [],
        lifespan=lifespan,
    )


@contextlib.asynccontextmanager
async def _delivering(config: Config) -> AsyncIterator[None]:
    """Turn what is committed into webhooks and mail, and deliver them, for the block."""
    http = Http(private_addresses=config.private_webhooks)
    mail = SmtpMail(config.smtp) if config.smtp else LogMail()
    webhooks = Courier(Webhooks(http))
    letters = Courier(Letters(mail, config.mail_from, config.unsubscribe_url))
    dispatcher = Dispatcher(config.admin_emails, [webhooks.wake, letters.wake])
    async with contextlib.aclosing(http), webhooks.running(), letters.running(), dispatcher.running():
        yield


def from_env() -> Starlette:
    """The application of this process's environment."""
    return create_app(Config.from_env(os.environ))


def schema_text() -> str:
    """The schema in the schema language."""
    return schema.text()
