"""What ``gqlstock doctor`` says about PostgreSQL servers that lose data, wait without end, or take no writes."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

import asyncpg
import pytest
from typer.testing import CliRunner

from gqlstock.cli import app
from support import postgres_servers
from support.postgres_servers import PostgresServer, new_servers
from support.server_processes import PATIENCE

pytestmark = pytest.mark.skipif(postgres_servers.binaries() is None, reason="needs the programs of a PostgreSQL server")

BY_COMMAND = "Set it to on in postgresql.conf, and reload the server (it is set by: command line)."
NOT_DURABLE = [
    f"problem: fsync is off. If the machine crashes, the whole database may be lost. {BY_COMMAND}",
    f"problem: full_page_writes is off. If the machine crashes while it writes, pages may be damaged. {BY_COMMAND}",
]
WAITS = (
    "problem: Each commit waits for 1 standby (synchronous_standby_names is 'spare'), of which 0 are connected, so changes "
    "wait without end. Start the standby, or take its name out of synchronous_standby_names and reload the server."
)
FEW = (
    "problem: 1 process of gqlstock can open 17 connections, and max_connections (15, of which 3 are reserved) allows 12. "
    "Raise it, or run fewer processes."
)
CANNOT_BE_READ = (
    "problem: The database postgres at 127.0.0.1:{port} cannot be read: no answer in time. Run this again. If it stays, look "
    "at the server's log, and for locks that a migration or a client holds."
)
NO_STANDBY = "note: No standby is connected (synchronous_standby_names is empty). "


def doctor(server: PostgresServer, command: str = "doctor") -> list[str]:
    env = {"GQLSTOCK_DATABASE_URL": server.url, "GQLSTOCK_REDIS_URL": ""}
    return CliRunner().invoke(app, [command], env=env).stdout.splitlines()


@contextlib.contextmanager
def locked(server: PostgresServer, table: str) -> Iterator[None]:
    """As by a migration."""

    async def lock() -> asyncpg.Connection:
        connection = await asyncpg.connect(server.url)
        await connection.execute(f"BEGIN; LOCK TABLE {table}")
        return connection

    with asyncio.Runner() as runner:
        connection = runner.run(lock())
        try:
            yield
        finally:
            runner.run(connection.close())


def until_told(server: PostgresServer, expected: list[str]) -> None:
    """Settings take effect, and standbys connect, soon after they are told to."""
    deadline = time.monotonic() + PATIENCE
    while (told := doctor(server)) != expected:
        assert time.monotonic() < deadline, told


def test_servers_that_lose_data_or_take_no_writes() -> None:
    with new_servers(2) as (primary, standby):
        primary.create()
        with primary.running(fsync="off", full_page_writes="off", max_connections="15", cluster_name="primary"):
            doctor(primary, "migrate")
            *told, last = doctor(primary)
            assert told == [*NOT_DURABLE, FEW]
            assert last.startswith(NO_STANDBY)

            primary.change(synchronous_standby_names="spare")
            until_told(primary, [*NOT_DURABLE, WAITS, FEW])

            standby.copy_as_standby(primary)
            with standby.running(max_connections="20", cluster_name="spare"):
                until_told(primary, [*NOT_DURABLE, FEW])
                told = doctor(standby)

            with locked(primary, "outbox"):
                assert CANNOT_BE_READ.format(port=primary.port) in doctor(primary)

    assert told == [
        "problem: This server is a standby, which takes no writes. Set GQLSTOCK_DATABASE_URL to the primary server."
    ]
