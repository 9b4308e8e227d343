"""Resources of this machine for the faults: the programs of PostgreSQL and Redis, PostgreSQL clusters, and small disks."""

import asyncio
import contextlib
import grp
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import asyncpg

from support import server_processes
from support.server_processes import PATIENCE

_ACCOUNT = "postgres"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "120",
    "shared_buffers": "32MB",
    "wal_level": "replica",
    "max_wal_senders": "8",
    "wal_keep_size": "256MB",
    "hot_standby": "on",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "autovacuum_naptime": "10s",
    "wal_receiver_timeout": "0",
    "wal_sender_timeout": "0",
    "wal_retrieve_retry_interval": "200ms",
    "jit": "off",
}


class Missing(Exception):
    """A fault cannot be injected on this machine. The message names what is missing."""


class Stopped(Exception):
    """A PostgreSQL cluster has stopped."""


def postgres_program(name: str) -> str:
    """The path of a PostgreSQL program in the newest installed version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: float(one.parent.name), reverse=True)
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        done = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
        folders.append(Path(done.stdout.strip()))
    folders += [Path(folder) for folder in os.get_exec_path()]
    for folder in folders:
        if (folder / name).exists():
            return str(folder / name)
    raise Missing(f"{name} of PostgreSQL is not installed (Debian: apt-get install postgresql)")


def redis_program() -> str:
    found = shutil.which("redis-server")
    if found is None:
        raise Missing("redis-server is not installed (Debian: apt-get install redis-server)")
    return found


def _is_root() -> bool:
    return os.geteuid() == 0


def _account_options() -> dict[str, object]:
    """The subprocess options that run a program as PostgreSQL's account. PostgreSQL refuses to run as root."""
    if not _is_root():
        return {}
    try:
        account = pwd.getpwnam(_ACCOUNT)
    except KeyError:
        raise Missing(f"PostgreSQL does not run as root, and the user {_ACCOUNT} does not exist") from None
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _change_owner(directory: Path) -> None:
    if _is_root():
        shutil.chown(directory, _ACCOUNT, grp.getgrgid(pwd.getpwnam(_ACCOUNT).pw_gid).gr_name)


async def command(*arguments: str) -> None:
    """Run a program as PostgreSQL's account if this process is root."""
    await asyncio.to_thread(_command, arguments)


def _command(arguments: Sequence[str]) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, cwd="/", timeout=PATIENCE, **_account_options())  # type: ignore[call-overload]
    if done.returncode:
        raise RuntimeError(f"{Path(arguments[0]).name} failed: {done.stderr.strip()}")


class Cluster:
    """A PostgreSQL cluster on a free port. ``wal``: the directory of its write-ahead log, if separate."""

    def __init__(self, directory: Path, name: str, *, wal: Path | None = None) -> None:
        self.name = name
        self.port = server_processes.free_port()
        self._data = directory / name
        self._wal = wal
        self._log = directory / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    async def create(self, **settings: str) -> None:
        """Create an empty cluster. ``settings``: additions to the defaults."""
        self._recreate_directory()
        options = [
            "--auth=trust",
            f"--username={_ACCOUNT}",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            # Small segments start fast, and fit on a small disk.
            "--wal-segsize=1",
        ]
        if self._wal is not None:
            _change_owner(self._wal)
            options.append(f"--waldir={self._wal / 'pg_wal'}")
        await command(postgres_program("initdb"), f"--pgdata={self._data}", *options)
        self._configure({**_SETTINGS, "port": str(self.port), **settings})

    async def copy(self, primary: "Cluster", *, through: int | None = None, **settings: str) -> None:
        """Create a standby of a running primary, but do not start it. ``through``: the port for replication."""
        self._recreate_directory()
        source = ["--host=127.0.0.1", f"--port={primary.port}", f"--username={_ACCOUNT}"]
        rest = ["--checkpoint=fast", "--wal-method=stream", "--no-sync"]
        await command(postgres_program("pg_basebackup"), f"--pgdata={self._data}", *source, *rest)
        self._write("standby.signal", "")
        connection = f"host=127.0.0.1 port={through or primary.port} user={_ACCOUNT} application_name={self.name}"
        self._configure(
            {"port": str(self.port), "primary_conninfo": connection, "synchronous_standby_names": "", **settings}
        )

    def _recreate_directory(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(mode=0o700)
        _change_owner(self._data)

    def _configure(self, settings: Mapping[str, str]) -> None:
        lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        with (self._data / "postgresql.auto.conf").open("a") as file:
            file.write(lines)

    def _write(self, name: str, text: str) -> None:
        (self._data / name).write_text(text)
        _change_owner(self._data / name)

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Start the cluster, and wait until it accepts connections."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # type: ignore[call-overload]
                [postgres_program("postgres"), "-D", str(self._data)],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
                **_account_options(),
            )
        await self._wait_until_ready()

    async def restart_if_stopped(self) -> bool:
        """Start the cluster if it has stopped, and wait until it accepts connections. Returns whether it had stopped."""
        with contextlib.suppress(Stopped):
            await self._wait_until_ready()
            return False
        await self.start()
        return True

    async def _wait_until_ready(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                if not self.runs:
                    raise Stopped(f"PostgreSQL {self.name} has stopped:\n{self.log[-2_000:]}")
                with contextlib.suppress(OSError, asyncpg.PostgresError):
                    await self.ask("SELECT 1")
                    return
                await asyncio.sleep(0.05)

    async def ask(self, statement: str, *values: object, database: str = "postgres") -> list[asyncpg.Record]:
        """Run a statement on a new connection, and return the rows."""
        credentials = {"host": "127.0.0.1", "port": self.port, "user": _ACCOUNT, "database": database}
        connection = await asyncpg.connect(**credentials, timeout=5, ssl=False)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
            return rows
        finally:
            connection.terminate()

    async def skip_segment(self) -> None:
        """Continue the log in its next file. PostgreSQL keeps some files in reserve. Ignores errors."""
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await self.ask("SELECT pg_switch_wal()")

    async def kill(self) -> None:
        """Kill all processes of the cluster at once, as in a power failure."""
        if self._process is None:
            return
        postmaster = self._process.pid
        with contextlib.suppress(ProcessLookupError):
            # A suspended postmaster starts no new processes.
            os.kill(postmaster, signal.SIGSTOP)
            for child in _children(postmaster):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            os.kill(postmaster, signal.SIGKILL)
        await asyncio.to_thread(self._process.wait)
        self._process = None

    async def promote(self) -> None:
        """Promote this standby, and wait until it is the primary."""
        await self.ask("SELECT pg_promote(wait => true, wait_seconds => 60)")


def _children(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(status.parent.name))
    return found


class SmallDisk:
    """A small file system, or a plain directory that cannot be filled. ``reason``: why it could not be mounted, or None."""

    def __init__(self, directory: Path, reason: str | None) -> None:
        self.directory = directory
        self._reason = reason
        self._ballast = directory / "ballast"

    @property
    def is_mounted(self) -> bool:
        return self._reason is None

    def fill(self) -> None:
        """Use up the free space."""
        if self._reason is not None:
            raise Missing(self._reason)
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(directory: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount a file system of that size at a new directory. Without permission to mount, it is a plain directory."""
    directory.mkdir(mode=0o777)
    reason = _mount(directory, megabytes)
    try:
        yield SmallDisk(directory, reason)
    finally:
        if reason is None:
            subprocess.run(["umount", "--lazy", str(directory)], check=True)


def _mount(directory: Path, megabytes: int) -> str | None:
    """Mount a tmpfs. Returns why that failed, or None."""
    if not _is_root() or shutil.which("mount") is None:
        return "needs root to mount a small disk"
    options = f"size={megabytes}m,mode=0777"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True)
    return f"needs root with permission to mount: {done.stderr.strip()}" if done.returncode else None
