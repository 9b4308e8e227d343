"""The application as its clients reach it: GraphQL over HTTP, in process, on this test's database."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from gqlstock.app import create_app
from gqlstock.config import Config
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
