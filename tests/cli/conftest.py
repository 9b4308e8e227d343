"""Running a command as a person would, and the database it works on."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gqlstock.cli import app
from gqlstock.store.db import connection
from gqlstock.store.db.connection import DatabaseUrl
from support.command_line import Fill, Run


@pytest.fixture
def run(database_env: dict[str, str]) -> Run:
    """Run a command on this test's database, or in the environment given."""

    def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(app, [str(one) for one in arguments], env=database_env if env is None else env)

    return run


@pytest.fixture
def fill(database_url: DatabaseUrl) -> Fill:
    """Do something with this test's database between commands."""

    def fill(work: Callable[[], Awaitable[object]]) -> None:
        async def opened() -> None:
            async with connection.opened(database_url):
                await work()

        asyncio.run(opened())

    return fill


@pytest.fixture
def fresh_env(tmp_path: Path) -> dict[str, str]:
    """The environment of a database that nobody has migrated."""
    return {"GQLSTOCK_DATABASE_URL": f"sqlite:///{tmp_path / 'fresh.db'}", "GQLSTOCK_REDIS_URL": ""}


@pytest.fixture
def old_env(fresh_env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment of a database that is there and has had no migration."""
    (tmp_path / "fresh.db").touch()
    return fresh_env
