"""PostgreSQL servers of a test, with settings of its own."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from support.server_processes import PATIENCE, free_port

_USER = "postgres"


def binaries() -> Path | None:
    """Where the programs of a server are; None if there are none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    return max((path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")), default=None)


class PostgresServer:
    def __init__(self, directory: Path) -> None:
        self._data = directory
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"postgres://{_USER}@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        _run("initdb", f"--pgdata={self._data}", "--auth=trust", f"--username={_USER}", "--no-sync")

    def copy_as_standby(self, primary: "PostgresServer") -> None:
        connection = f"host=127.0.0.1 port={primary.port} user={_USER}"
        options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        _run("pg_basebackup", f"--pgdata={self._data}", f"--dbname={connection}", *options)

    @contextlib.contextmanager
    def running(self, **settings: str) -> Iterator[None]:
        given = {"port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "", **settings}
        options = " ".join(f"-c {name}={value}" for name, value in given.items())
        log = self._data / "server.log"
        _run("pg_ctl", f"--pgdata={self._data}", f"--log={log}", f"--options={options}", "--wait", "start")
        try:
            yield
        finally:
            _run("pg_ctl", f"--pgdata={self._data}", "--mode=immediate", "--wait", "stop")

    def change(self, **settings: str) -> None:
        """Change settings while the server runs."""
        with (self._data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        _run("pg_ctl", f"--pgdata={self._data}", "reload")


@contextlib.contextmanager
def new_servers(number: int) -> Iterator[list[PostgresServer]]:
    """Servers that are neither created nor started yet."""
    directory = Path(tempfile.mkdtemp(prefix="gqlstock-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(directory, _USER)
        yield [PostgresServer(directory / str(one)) for one in range(number)]
    finally:
        shutil.rmtree(directory)


def _run(program: str, *arguments: str) -> None:
    path = binaries()
    assert path is not None
    # The server refuses to run as root.
    user = _USER if os.geteuid() == 0 else None
    extra = [] if user is None else None
    command = [str(path / program), *arguments]
    # Output goes to no pipe, which a server that is started would keep open.
    subprocess.run(
        command,
        check=True,
        user=user,
        group=user,
        extra_groups=extra,
        stdout=subprocess.DEVNULL,
        timeout=PATIENCE,
        cwd="/",
    )
