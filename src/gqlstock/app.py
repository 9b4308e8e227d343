"""The composition root: a configuration becomes an application. The only file that knows every part."""

import contextlib
import os
from collections.abc import AsyncIterator
from importlib.resources import files

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, WebSocketRoute

from gqlstock.adapters.bus import Bus, OneProcess, RedisBus
from gqlstock.config import Config
from gqlstock.delivery import housekeeping
from gqlstock.delivery.feed import OutboxFeed
from gqlstock.delivery.storefront import Storefront
from gqlstock.graphql import schema
from gqlstock.graphql.callers import Callers
from gqlstock.graphql.view import View
from gqlstock.services import status, tokens
from gqlstock.store import database
from gqlstock.web import health


def create_app(config: Config) -> Starlette:
    """The application; its lifespan opens the database and tails the outbox."""
    bus: Bus = RedisBus(config.redis_url) if config.redis_url else OneProcess()
    feed = OutboxFeed(bus)
    page = files("gqlstock.web").joinpath("graphiql.html").read_text(encoding="utf-8")
    storefront = Storefront(feed)
    callers = Callers(tokens.callers)
    view = View(schema.schema, feed, storefront, callers, page, public_orders=config.public_orders)
    checks: list[tuple[str, health.Check]] = [("database", status.database_answers)]
    if isinstance(bus, RedisBus):
        checks.append(("broker", bus.ping))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with (
            database.opened(config.database, everywhere=True),
            feed.running(),
            storefront.running(),
            housekeeping.running(config.news_retention),
        ):
            yield

    return Starlette(
        routes=[
            Route("/graphql", view),
            WebSocketRoute("/graphql", view),
            Route("/healthz", health.live),
            Route("/readyz", health.ready(checks)),
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


def from_env() -> Starlette:
    """The application of this process's environment."""
    return create_app(Config.from_env(os.environ))


def schema_text() -> str:
    """The schema in the schema language."""
    return schema.text()
