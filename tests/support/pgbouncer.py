"""A PgBouncer in transaction mode, in front of a PostgreSQL database."""

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

from gqlstock.store.db.connection import Postgres
from support.server_processes import PATIENCE, free_port

# Debian installs it where only root looks.
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
IGNORED = "jit, default_transaction_read_only, lock_timeout, idle_in_transaction_session_timeout"
_CONFIGURATION = """
[databases]
{database} = host={host} port={port} user='{user}' password='{password}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
ignore_startup_parameters = {ignored}
"""


@contextlib.asynccontextmanager
async def running(url: Postgres, directory: Path, connections: int, ignored: str = IGNORED) -> AsyncIterator[str]:
    """The URL of a database through a PgBouncer that opens at most so many connections to it."""
    port = free_port()
    log = directory / f"pgbouncer-{port}.log"
    process = _start(url, port, log, connections, ignored)
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                assert process.poll() is None, log.read_text()
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield f"postgres://{quote(url.credentials['user'])}@127.0.0.1:{port}/{url.credentials['database']}"
    finally:
        process.kill()
        process.wait(10)


def _start(url: Postgres, port: int, log: Path, connections: int, ignored: str) -> subprocess.Popen[bytes]:
    assert PROGRAM is not None
    account = {**url.credentials, "password": url.credentials["password"] or "none"}
    configuration = log.with_suffix(".ini")
    configuration.write_text(_CONFIGURATION.format(**account, own_port=port, connections=connections, ignored=ignored))
    # It refuses to run as root.
    as_user = ["--user", "nobody"] if os.geteuid() == 0 else []
    with log.open("wb") as output:
        return subprocess.Popen([PROGRAM, *as_user, str(configuration)], stdout=output, stderr=output)
