"""Creates and drops databases for benchmarks: a template with the shop, and copies to work on."""

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import asyncpg

from gqlstock.config import Config
from gqlstock.store.db.connection import DatabaseUrl


class Place(Protocol):
    """A place for databases."""

    def url(self, name: str) -> str: ...
    def create(self, name: str) -> None: ...
    def copy(self, name: str, to: str) -> None: ...
    def drop(self, name: str) -> None: ...


class Directory:
    """SQLite files."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def url(self, name: str) -> str:
        return f"sqlite:///{self._path / name}.db"

    def create(self, name: str) -> None:
        """SQLite creates the file when it is opened."""

    def copy(self, name: str, to: str) -> None:
        shutil.copy(self._path / f"{name}.db", self._path / f"{to}.db")

    def drop(self, name: str) -> None:
        for file in self._path.glob(f"{name}.db*"):
            file.unlink()


class Cluster:
    """Databases of a PostgreSQL server, named after the database in the URL."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)

    def url(self, name: str) -> str:
        return self._parts._replace(path=f"/{self._name(name)}").geturl()

    def create(self, name: str) -> None:
        self.drop(name)
        self._execute(f'CREATE DATABASE "{self._name(name)}"')

    def copy(self, name: str, to: str) -> None:
        # Otherwise autovacuum would do this later, during a measurement.
        self._execute("VACUUM ANALYZE", self._name(name))
        self.drop(to)
        self._execute(f'CREATE DATABASE "{self._name(to)}" TEMPLATE "{self._name(name)}"')

    def drop(self, name: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{self._name(name)}" WITH (FORCE)')

    def _name(self, name: str) -> str:
        return f"{self._parts.path.removeprefix('/')}_bench_{name}"

    def _execute(self, statement: str, name: str = "postgres") -> None:
        async def work() -> None:
            connection: Any = await asyncpg.connect(self._parts._replace(path=f"/{name}").geturl())
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(work())


def opened_as(url: str) -> DatabaseUrl:
    """The database of a URL, as gqlstock opens it."""
    return Config.from_env({"GQLSTOCK_DATABASE_URL": url}).database


@contextlib.contextmanager
def made(place: Place, name: str) -> Iterator[str]:
    """An empty database that exists during the block."""
    try:
        place.create(name)
        yield place.url(name)
    finally:
        place.drop(name)


@contextlib.contextmanager
def copied(place: Place, name: str, to: str) -> Iterator[str]:
    """A copy of a database, which must not be open, that exists during the block."""
    try:
        place.copy(name, to)
        yield place.url(to)
    finally:
        place.drop(to)
