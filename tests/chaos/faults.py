"""Faults that occur in production. Each function injects one under load for some seconds, and returns when it is over."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from chaos import site as sites
from chaos.load import Load
from chaos.site import SERVERS, Site
from chaos.tail import Tail
from support import server_processes


@dataclass
class Context:
    """What a fault is injected into, and how long it may last."""

    site: Site
    load: Load
    seconds: float
    chance: random.Random
    over_at: float | None = None
    """When writes could resume, in monotonic seconds. By default at the end of the fault."""
    tail: Tail | None = None
    """The time in which confirmed calls may have been lost."""

    def deadline(self) -> "Deadline":
        return Deadline(time.monotonic() + self.seconds)


@dataclass(frozen=True)
class Deadline:
    """``at``: in monotonic seconds."""

    at: float

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self.at


@dataclass(frozen=True)
class Fault:
    """``inject`` returns a description of what it did."""

    name: str
    description: str
    site: Callable[[], AbstractAsyncContextManager[Site]]
    inject: Callable[[Context], Awaitable[str]]
    may_lose: bool = False
    """Whether confirmed calls may be lost."""


async def kill_servers(context: Context) -> str:
    deadline, kills = context.deadline(), 0
    while not kills or not deadline.passed:
        number = kills % SERVERS
        server_processes.kill(context.site.servers[number])
        await asyncio.sleep(context.chance.uniform(0, 0.5))
        await context.site.restart(number)
        kills += 1
        await asyncio.sleep(context.chance.uniform(0.2, 1))
    return f"{kills} times"


async def terminate_connections(context: Context) -> str:
    deadline, ended = context.deadline(), 0
    while not ended or not deadline.passed:
        ended += await context.site.terminate_connections()
        await asyncio.sleep(context.chance.uniform(0.1, 0.8))
    return f"{ended} connections"


async def stop_redis(context: Context) -> str:
    context.site.broker.stop()
    await asyncio.sleep(context.seconds)
    await context.site.broker.start()
    return f"for {context.seconds:.0f} s"


async def disturb_network(context: Context) -> str:
    proxy = context.site.proxy
    assert proxy is not None
    deadline, made = context.deadline(), Counter[str]()
    while len(made) < 3 or not deadline.passed:
        kind = ("stalled", "cut", "half-opened")[sum(made.values()) % 3]
        pause = context.chance.uniform(0.3, max(0.5, min(3, context.seconds / 4)))
        if kind == "stalled":
            proxy.freeze()
            await asyncio.sleep(pause)
            proxy.thaw()
        elif kind == "cut":
            await proxy.shut()
            await asyncio.sleep(pause / 2)
            await proxy.open()
        else:
            proxy.strand()
            await asyncio.sleep(pause)
            proxy.end_stranded()
        made[kind] += 1
        await asyncio.sleep(context.chance.uniform(0.2, 1))
    return ", ".join(f"{times} × {kind}" for kind, times in made.items())


async def fill_disk(context: Context) -> str:
    disk, cluster = context.site.disk, context.site.cluster
    assert disk is not None
    failed = sum(context.load.record.failures.values())
    disk.fill()
    # PostgreSQL and SQLite first use the free space within existing files.
    deadline = time.monotonic() + 60
    while sum(context.load.record.failures.values()) == failed and time.monotonic() < deadline:
        if cluster is not None:
            await cluster.skip_segment()
        await asyncio.sleep(0.1)
        disk.fill()
    if sum(context.load.record.failures.values()) == failed:
        raise AssertionError("no write failed although the disk was full")
    await asyncio.sleep(context.seconds)
    disk.free()
    duration = f"for {context.seconds:.0f} s"
    if cluster is not None and not cluster.runs:
        await cluster.start()
        return f"{duration}; PostgreSQL stopped and was restarted"
    if cluster is not None:
        await cluster.wait_until_ready()
    return duration


async def stop_server(context: Context) -> str:
    """Suspend a server while one of its transactions holds row locks."""
    process = context.site.servers[0].process
    for _ in range(400):
        process.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(os.waitid, os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        await asyncio.sleep(0.15)
        if locked := await _idle_transactions(context.site):
            break
        process.send_signal(signal.SIGCONT)
        await asyncio.sleep(context.chance.uniform(0.01, 0.06))
    else:
        raise AssertionError("the server was never suspended with row locks")
    try:
        await asyncio.sleep(context.seconds)
    finally:
        process.send_signal(signal.SIGCONT)
    return f"for {context.seconds:.0f} s, with {locked} open transactions"


async def _idle_transactions(site: Site) -> int:
    """Count the transactions that hold row locks and have been idle for longer than a running client would leave them."""
    assert site.cluster is not None
    rows = await site.cluster.ask(
        """SELECT count(DISTINCT a.pid) AS transactions FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
           WHERE a.state = 'idle in transaction' AND a.state_change < clock_timestamp() - interval '100 milliseconds'
             AND l.mode IN ('RowShareLock', 'RowExclusiveLock')"""
    )
    return int(rows[0]["transactions"])


_PATIENCE = 60.0
_AHEAD = 3600
_CLOCK = f"""CREATE SCHEMA chaos;
CREATE TABLE chaos.clock (ahead interval);
INSERT INTO chaos.clock VALUES ('0');
CREATE FUNCTION chaos.clock_timestamp() RETURNS timestamptz LANGUAGE sql
    AS 'SELECT pg_catalog.clock_timestamp() + (SELECT ahead FROM chaos.clock)';
ALTER DATABASE {sites.NAME} SET search_path = chaos, pg_catalog, public"""


async def set_postgres_clock(context: Context) -> str:
    """Shadow ``clock_timestamp``, which the servers call. Only new connections use the replacement, so old ones are ended."""
    site = context.site
    assert site.cluster is not None
    for statement in _CLOCK.split(";\n"):
        await site.cluster.ask(statement, database=sites.NAME)

    async def set_clock(ahead: int) -> None:
        assert site.cluster is not None
        await site.cluster.ask(f"UPDATE chaos.clock SET ahead = '{ahead} seconds'", database=sites.NAME)
        await site.terminate_connections()

    try:
        return await _jump(context, set_clock)
    finally:
        await site.cluster.ask(f"ALTER DATABASE {sites.NAME} RESET search_path")
        await site.cluster.ask("DROP SCHEMA chaos CASCADE", database=sites.NAME)
        await site.terminate_connections()


async def set_sqlite_clock(context: Context) -> str:
    async def set_clock(ahead: int) -> None:
        assert context.site.clock is not None
        # The servers may read the file at any moment, so it is replaced atomically.
        new = context.site.clock.with_suffix(".new")
        new.write_text(str(ahead))
        new.replace(context.site.clock)

    return await _jump(context, set_clock)


async def _jump(context: Context, set_clock: Callable[[int], Awaitable[None]]) -> str:
    """Set the clock forward and back, twice."""
    for _ in range(2):
        for ahead in (_AHEAD, 0):
            await set_clock(ahead)
            await asyncio.sleep(context.seconds / 4)
    return f"2 × {_AHEAD // 60} minutes forward and back"


# The standby must lack at least this many confirmed calls.
_MIN_TAIL = 5


async def fail_over(context: Context) -> str:
    """Kill the primary, promote its standby, and rebuild the old primary as the new standby."""
    pair, load = context.site.pair, context.load
    assert pair is not None
    await asyncio.sleep(context.seconds / 2)
    since = time.monotonic()
    if not pair.synchronous:
        pair.stall()
        async with asyncio.timeout(_PATIENCE):
            while load.keyed_since(since) < _MIN_TAIL:
                await asyncio.sleep(0.02)
    context.over_at = await pair.fail_over()
    if not pair.synchronous:
        context.tail = Tail(since, context.over_at)
        load.forget()
    recovered = await load.confirmed_after(context.over_at, _PATIENCE)
    await pair.add_standby()
    await asyncio.sleep(context.seconds / 2)
    return f"first write {recovered:.1f} s after the promotion"


POSTGRES, SQLITE = sites.postgres, sites.sqlite
SYNCHRONOUS = Fault(
    "failover-synchronous",
    "kill -9 of the primary, then promotion of a synchronous standby",
    sites.synchronous_pair,
    fail_over,
)
ASYNCHRONOUS = Fault(
    "failover-asynchronous",
    "the same with an asynchronous standby that lacks the latest changes",
    sites.asynchronous_pair,
    fail_over,
    may_lose=True,
)
FAULTS = (
    Fault("server-killed", "kill -9 of a server process, then a restart", POSTGRES, kill_servers),
    Fault("connections-ended", "pg_terminate_backend of all connections, repeatedly", POSTGRES, terminate_connections),
    Fault("redis-gone", "kill -9 of Redis, then a restart", POSTGRES, stop_redis),
    Fault("network", "stalled, cut and half-open connections to PostgreSQL", POSTGRES, disturb_network),
    Fault("server-stopped", "SIGSTOP of a server process that holds row locks", POSTGRES, stop_server),
    Fault("clock-postgresql", "PostgreSQL's clock set forward and back", POSTGRES, set_postgres_clock),
    Fault("disk-postgresql", "no disk space for PostgreSQL's write-ahead log", POSTGRES, fill_disk),
    Fault("clock-sqlite", "the machine's clock set forward and back", SQLITE, set_sqlite_clock),
    Fault("disk-sqlite", "no disk space for the SQLite file", SQLITE, fill_disk),
    SYNCHRONOUS,
    ASYNCHRONOUS,
)
