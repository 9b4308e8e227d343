"""A PostgreSQL primary with one standby, which take turns."""

import asyncio
import contextlib
import time
from pathlib import Path

from chaos.machines import PATIENCE, Cluster
from support.tcp_proxy import Proxy


class Pair:
    """``synchronous``: whether the primary confirms a change only when the standby has it. The standby follows the primary
    through a proxy."""

    def __init__(self, directory: Path, *, synchronous: bool) -> None:
        self.synchronous = synchronous
        self.primary, self.standby = Cluster(directory, "one"), Cluster(directory, "two")
        self._wire: Proxy | None = None

    async def start(self, database: str) -> None:
        await self.primary.create()
        await self.primary.start()
        await self.primary.ask(f"CREATE DATABASE {database}")
        await self.add_standby()

    async def add_standby(self) -> None:
        """Make a standby of the primary, and wait until it has all that the primary has."""
        wire = self._wire = Proxy("127.0.0.1", self.primary.port)
        await wire.open()
        await self.standby.copy(self.primary, through=wire.port)
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
        """The standby gets nothing from now on."""
        assert self._wire is not None
        self._wire.freeze()

    async def fail_over(self) -> float:
        """Kill the primary, and promote the standby. Returns when it was promoted, in monotonic seconds."""
        assert self._wire is not None
        await self.primary.kill()
        # Not thawed first: what the proxy holds back is lost.
        await self._wire.shut()
        self.primary, self.standby = self.standby, self.primary
        await self.primary.promote()
        return time.monotonic()

    async def end(self) -> None:
        for cluster in (self.primary, self.standby):
            await cluster.kill()
        if self._wire is not None:
            with contextlib.suppress(OSError):
                await self._wire.shut()
