"""A shop on this machine: two server processes, a database, Redis, a webhook receiver and a mail server."""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from chaos import machines
from chaos.machines import Cluster, SmallDisk
from chaos.pair import Pair
from gqlstock.config import Config
from gqlstock.rules.webhooks import WebhookTopic
from gqlstock.services import order_tokens, warehouses, webhooks
from gqlstock.store.db import connection, versions
from gqlstock.store.db.connection import DatabaseUrl
from support import server_processes, smtp_server, stock_load, webhook_receiver
from support import shop_builders as make
from support.broker import Broker
from support.server_processes import Server
from support.smtp_server import Postbox
from support.tcp_proxy import Proxy, proxied
from support.webhook_receiver import Receiver

SERVERS = 2
TOPICS = (WebhookTopic.ORDER_PLACED, WebhookTopic.SHIPMENT_UPDATED)
NAME = "chaos"
_TESTS = Path(__file__).parents[1]


@dataclass
class Site:
    """``url``: the direct URL of the database; ``proxy``: the proxy between the servers and PostgreSQL, if any."""

    directory: Path
    url: str
    env: dict[str, str]
    broker: Broker
    receiver: Receiver
    postbox: Postbox
    cluster: Cluster | None = None
    pair: Pair | None = None
    proxy: Proxy | None = None
    disk: SmallDisk | None = None
    clock: Path | None = None
    """The file with the number of seconds by which the clock of a SQLite site is ahead."""
    bug: str | None = None
    """A bug to plant in the servers."""
    token: str = ""
    secret: str = ""
    servers: list[Server] = field(default_factory=list)
    loads: int = 0

    async def restart(self, number: int) -> None:
        """Start a stopped server on the same port, and wait until it is ready."""
        self.servers[number] = self._start(self.servers[number].port)
        await server_processes.ready(self.servers[number])

    def _start(self, port: int | None = None) -> Server:
        application = "gqlstock.app" if self.clock is None else "chaos.set_clock"
        if self.bug is not None:
            application = "chaos.planted"
        return server_processes.start(self.env, self.directory, port, f"{application}:from_env")

    async def start_servers(self) -> None:
        self.servers += [self._start() for _ in range(SERVERS)]
        await asyncio.gather(*map(server_processes.ready, self.servers))

    async def terminate_connections(self) -> int:
        """Terminate all connections to the database. Returns their number."""
        assert self.cluster is not None
        statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
        return len(await self.cluster.ask(statement, NAME))

    async def transactions_left(self) -> int:
        """Count the transactions that have been open and idle for some seconds."""
        cluster = self.pair.primary if self.pair is not None else self.cluster
        if cluster is None:
            return 0
        statement = """SELECT count(*) AS transactions FROM pg_stat_activity WHERE datname = $1
            AND state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - interval '5 seconds'"""
        return int((await cluster.ask(statement, NAME))[0]["transactions"])

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Open the database in this process."""
        async with connection.opened(_database(self.url), everywhere=True):
            yield

    def log_ends(self) -> list[str]:
        """The last lines of the servers' logs."""
        return [
            line for server in self.servers for line in (server.log.name, *server.log.read_text().splitlines()[-20:])
        ]


@contextlib.asynccontextmanager
async def postgres(bug: str | None = None) -> AsyncIterator[Site]:
    """A site on a new PostgreSQL cluster behind a proxy. If mounting is permitted, the write-ahead log is on a small disk.
    ``bug``: one to plant in the servers."""
    async with contextlib.AsyncExitStack() as stack:
        directory = stack.enter_context(_directory())
        disk = stack.enter_context(machines.small_disk(directory / "disk", 64))
        created = Cluster(directory, "primary", wal=disk.directory if disk.is_mounted else None)
        settings = {"min_wal_size": "2MB", "max_wal_size": "32MB", "wal_keep_size": "0"}
        cluster = await stack.enter_async_context(_running(created, **settings))
        proxy = await stack.enter_async_context(proxied("127.0.0.1", cluster.port))
        site = _site(directory, _url(cluster.port), cluster, proxy=proxy, disk=disk, bug=bug)
        yield await stack.enter_async_context(site)


@contextlib.asynccontextmanager
async def sqlite() -> AsyncIterator[Site]:
    """A site on a SQLite file, with a clock that can be set. If mounting is permitted, the file is on a small disk."""
    async with contextlib.AsyncExitStack() as stack:
        directory = stack.enter_context(_directory())
        disk = stack.enter_context(machines.small_disk(directory / "disk", 64))
        clock = directory / "clock"
        clock.write_text("0")
        url = f"sqlite:///{disk.directory}/shop.db"
        yield await stack.enter_async_context(_site(directory, url, disk=disk, clock=clock))


@contextlib.asynccontextmanager
async def synchronous_pair() -> AsyncIterator[Site]:
    """A site on a primary that waits for its standby before it confirms a commit."""
    async with _on_pair(synchronous=True) as site:
        yield site


@contextlib.asynccontextmanager
async def asynchronous_pair() -> AsyncIterator[Site]:
    """A site on a primary that does not wait for its standby."""
    async with _on_pair(synchronous=False) as site:
        yield site


@contextlib.asynccontextmanager
async def _on_pair(*, synchronous: bool) -> AsyncIterator[Site]:
    async with contextlib.AsyncExitStack() as stack:
        directory = stack.enter_context(_directory())
        pair = Pair(directory, synchronous=synchronous)
        stack.push_async_callback(pair.end)
        await pair.start(NAME)
        url = _url(pair.primary.port, pair.standby.port)
        yield await stack.enter_async_context(_site(directory, url, pair=pair))


def _database(url: str) -> DatabaseUrl:
    return Config.from_env({"GQLSTOCK_DATABASE_URL": url}).database


def _url(*ports: int) -> str:
    return f"postgres://postgres@{','.join(f'127.0.0.1:{port}' for port in ports)}/{NAME}"


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gqlstock-chaos-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        # PostgreSQL's account must have access to its clusters.
        directory.chmod(0o755)
        yield directory


@contextlib.asynccontextmanager
async def _running(cluster: Cluster, **settings: str) -> AsyncIterator[Cluster]:
    await cluster.create(**settings)
    try:
        await cluster.start()
        await cluster.ask(f"CREATE DATABASE {NAME}")
        yield cluster
    finally:
        await cluster.kill()


@contextlib.asynccontextmanager
async def _site(
    directory: Path,
    url: str,
    cluster: Cluster | None = None,
    *,
    pair: Pair | None = None,
    proxy: Proxy | None = None,
    disk: SmallDisk | None = None,
    clock: Path | None = None,
    bug: str | None = None,
) -> AsyncIterator[Site]:
    """Create a shop in an empty database, and start its servers."""
    async with contextlib.AsyncExitStack() as stack:
        broker = Broker(server_processes.free_port(), directory, machines.redis_program())
        stack.callback(broker.stop)
        await broker.start()
        receiver = await stack.enter_async_context(webhook_receiver.receiving())
        postbox = stack.enter_context(smtp_server.open_postbox())
        env = {
            **postbox.env,
            "GQLSTOCK_DATABASE_URL": url if proxy is None else _url(proxy.port),
            "GQLSTOCK_REDIS_URL": broker.url,
            "GQLSTOCK_WEBHOOK_PRIVATE_ADDRESSES": "true",
            "GQLSTOCK_ADMIN_EMAILS": "admin@shop.example",
            "PYTHONPATH": os.pathsep.join([str(_TESTS), os.environ.get("PYTHONPATH", "")]),
        }
        if clock is not None:
            env["CHAOS_CLOCK"] = str(clock)
        if bug is not None:
            env["CHAOS_BUG"] = bug
        site = Site(directory, url, env, broker, receiver, postbox, cluster, pair, proxy, disk, clock, bug)
        await versions.migrate(_database(url))
        async with site.open():
            await warehouses.ensure_default_organization()
            await order_tokens.ensure_key()
            await stock_load.shop()
            site.token = await make.token("admin", name="chaos")
            _, site.secret = await webhooks.create(receiver.url(), TOPICS, private_addresses=True)
        stack.push_async_callback(_stop, site)
        await site.start_servers()
        yield site


async def _stop(site: Site) -> None:
    for server in site.servers:
        with contextlib.suppress(ProcessLookupError):
            server.process.send_signal(signal.SIGCONT)
        await asyncio.to_thread(server_processes.stop, server)
