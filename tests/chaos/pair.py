"""A PostgreSQL primary and its standby, which swap roles at each failover."""

import asyncio
import contextlib
import time
from pathlib import Path

from chaos.machines import Cluster
from support.server_processes import PATIENCE
from support.tcp_proxy import Proxy


class Pair:
    """The standby replicates through a proxy. ``synchronous``: whether the primary waits for the standby before it confirms a
    commit."""

    def __init__(self, directory: Path, *, synchronous: bool) -> None:
        self.synchronous = synchronous
        self.primary, self.standby = Cluster(directory, "one"), Cluster(directory, "two")
        self._proxy: Proxy | None = None

    async def start(self, database: str) -> None:
        await self.primary.create()
        await self.primary.start()
        await self.primary.ask(f"CREATE DATABASE {database}")
        await self.add_standby()

    async def add_standby(self) -> None:
        """Create a standby of the primary, and wait until it has caught up."""
        proxy = self._proxy = Proxy("127.0.0.1", self.primary.port)
        await proxy.open()
        await self.standby.copy(self.primary, through=proxy.port)
        await self.standby.start()
        await self._wait_for("state = 'streaming' AND replay_lsn >= pg_current_wal_lsn()")
        if self.synchronous:
            await self.primary.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{self.standby.name}'")
            await self.primary.ask("SELECT pg_reload_conf()")
            await self._wait_for("sync_state = 'sync'")

    async def _wait_for(self, state: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await self.primary.ask(f"SELECT 1 FROM pg_stat_replication WHERE {state}"):
                await asyncio.sleep(0.05)

    def stall(self) -> None:
        """Stop the replication without breaking its connection."""
        assert self._proxy is not None
        self._proxy.freeze()

    async def fail_over(self) -> float:
        """Kill the primary, and promote the standby. Returns when it was promoted, in monotonic seconds."""
        assert self._proxy is not None
        await self.primary.kill()
        # The proxy stays frozen, so the data that it holds back is lost.
        await self._proxy.shut()
        self.primary, self.standby = self.standby, self.primary
        await self.primary.promote()
        return time.monotonic()

    async def end(self) -> None:
        for cluster in (self.primary, self.standby):
            await cluster.kill()
        if self._proxy is not None:
            with contextlib.suppress(OSError):
                await self._proxy.shut()
