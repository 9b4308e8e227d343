"""The application as its clients reach it: GraphQL over HTTP, in process, on this test's database."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.stock import cache
from gqlstock.stock.cache import Cache
from gqlstock.store.db.connection import DatabaseUrl
from support.graphql_client import Client
from support.statement_counter import Statements


@pytest.fixture
async def client(db: None, database_url: DatabaseUrl) -> AsyncIterator[Client]:
    app = create_app(replace(Config.from_env(os.environ), database=database_url))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as http:
        yield Client(http)


@pytest.fixture
def statements() -> Statements:
    return Statements()


@pytest.fixture(autouse=True)
def kept() -> Iterator[Cache]:
    """What the application of a test keeps in memory, as a server does."""
    found = Cache(64_000_000)
    with cache.everywhere(found):
        yield found
