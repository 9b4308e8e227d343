"""A database of its own for every test: a copy of a migrated SQLite file, or the one PostgreSQL database, emptied."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import hypothesis
import pytest

from gqlstock.config import Config
from gqlstock.services import warehouses
from gqlstock.store import database
from gqlstock.store.database import DatabaseUrl, Postgres, SqliteFile

# How long one example takes says nothing on a shared machine.
hypothesis.settings.register_profile("gqlstock", deadline=None)
hypothesis.settings.load_profile("gqlstock")

POSTGRES = os.environ.get("GQLSTOCK_TEST_DATABASE_URL")
REDIS = os.environ.get("GQLSTOCK_TEST_REDIS_URL")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> DatabaseUrl:
    """A database that is up to date and has nothing in it; made once."""
    if POSTGRES:
        url = Config.from_env({"GQLSTOCK_DATABASE_URL": POSTGRES}).database
        assert isinstance(url, Postgres)
        asyncio.run(_recreate(url))
    else:
        url = SqliteFile(str(tmp_path_factory.mktemp("template") / "gqlstock.db"))
    asyncio.run(_migrate(url))
    return url


@pytest.fixture
def database_url(migrated: DatabaseUrl, tmp_path: Path) -> DatabaseUrl:
    """Where this test's database is: up to date, with the default organization and nothing else."""
    if isinstance(migrated, SqliteFile):
        return SqliteFile(str(shutil.copy(migrated.path, tmp_path / "gqlstock.db")))
    asyncio.run(_empty(migrated))
    return migrated


@pytest.fixture
def database_env(database_url: DatabaseUrl) -> dict[str, str]:
    """The environment of a process that works on this test's database."""
    url = f"sqlite:///{database_url.path}" if isinstance(database_url, SqliteFile) else POSTGRES
    assert url is not None
    return {"GQLSTOCK_DATABASE_URL": url} | ({"GQLSTOCK_REDIS_URL": REDIS} if REDIS else {})


@pytest.fixture
async def db(database_url: DatabaseUrl) -> AsyncIterator[None]:
    """This test's database, open."""
    async with database.opened(database_url, everywhere=True):
        yield


async def _migrate(url: DatabaseUrl) -> None:
    await database.migrate(url)
    async with database.opened(url):
        await warehouses.ensure_default_organization()


async def _recreate(url: Postgres) -> None:
    name = url.credentials["database"]
    server = await asyncpg.connect(**{**url.credentials, "database": "postgres"})
    try:
        await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await server.execute(f'CREATE DATABASE "{name}"')
    finally:
        await server.close()


async def _empty(url: DatabaseUrl) -> None:
    async with database.opened(url):
        found = await database.query(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations'"
        )
        tables = ", ".join(f'"{row["tablename"]}"' for row in found)
        await database.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        await warehouses.ensure_default_organization()
