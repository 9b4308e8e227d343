"""The faults that operators really have. Each lasts for some seconds, under load, and is over when its function returns."""

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
class Given:
    """What a fault works on, and how long it may last."""

    site: Site
    load: Load
    seconds: float
    chance: random.Random
    over_at: float | None = None
    """When writes could go on, in monotonic seconds; by default at the end of the fault."""
    tail: Tail | None = None
    """When confirmed calls may have been lost."""

    def until_over(self) -> "Over":
        return Over(time.monotonic() + self.seconds)


@dataclass(frozen=True)
class Over:
    """A deadline."""

    at: float

    def __bool__(self) -> bool:
        return time.monotonic() >= self.at


@dataclass(frozen=True)
class Fault:
    """``make`` returns what it did."""

    name: str
    told: str
    site: Callable[[], AbstractAsyncContextManager[Site]]
    make: Callable[[Given], Awaitable[str]]
    may_lose: bool = False
    """Whether confirmed calls may be lost."""


async def kill_servers(given: Given) -> str:
    over, kills = given.until_over(), 0
    while not kills or not over:
        number = kills % SERVERS
        server_processes.kill(given.site.servers[number])
        await asyncio.sleep(given.chance.uniform(0, 0.5))
        await given.site.restart(number)
        kills += 1
        await asyncio.sleep(given.chance.uniform(0.2, 1))
    return f"{kills} times"


async def terminate_connections(given: Given) -> str:
    over, ended = given.until_over(), 0
    while not ended or not over:
        ended += await given.site.terminate_connections()
        await asyncio.sleep(given.chance.uniform(0.1, 0.8))
    return f"{ended} connections"


async def stop_redis(given: Given) -> str:
    given.site.broker.stop()
    await asyncio.sleep(given.seconds)
    await given.site.broker.start()
    return f"for {given.seconds:.0f} s"


async def disturb_network(given: Given) -> str:
    proxy = given.site.proxy
    assert proxy is not None
    over, made = given.until_over(), Counter[str]()
    while len(made) < 3 or not over:
        kind = ("stalled", "cut", "half-opened")[sum(made.values()) % 3]
        pause = given.chance.uniform(0.3, max(0.5, min(3, given.seconds / 4)))
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
        await asyncio.sleep(given.chance.uniform(0.2, 1))
    return ", ".join(f"{times} × {kind}" for kind, times in made.items())


async def fill_disk(given: Given) -> str:
    disk, cluster = given.site.disk, given.site.cluster
    assert disk is not None
    failed = sum(given.load.record.failures.values())
    disk.fill()
    # The space within files that are there already is used up first.
    deadline = time.monotonic() + 60
    while sum(given.load.record.failures.values()) == failed and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        disk.fill()
    if sum(given.load.record.failures.values()) == failed:
        raise AssertionError("no write failed, although the disk was full")
    await asyncio.sleep(given.seconds)
    disk.free()
    told = f"for {given.seconds:.0f} s"
    if cluster is not None and not cluster.runs:
        await cluster.start()
        return f"{told}; PostgreSQL ended, and was started again"
    if cluster is not None:
        await cluster.answers()
    return told


async def stop_a_server(given: Given) -> str:
    """Stop it in a transaction that has locked rows."""
    process = given.site.servers[0].process
    for _ in range(400):
        process.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(os.waitid, os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        await asyncio.sleep(0.15)
        if locked := await _rows_locked(given.site):
            break
        process.send_signal(signal.SIGCONT)
        await asyncio.sleep(given.chance.uniform(0.01, 0.06))
    else:
        raise AssertionError("the server was never stopped with locked rows")
    try:
        await asyncio.sleep(given.seconds)
    finally:
        process.send_signal(signal.SIGCONT)
    return f"for {given.seconds:.0f} s, with {locked} open transactions"


async def _rows_locked(site: Site) -> int:
    """How many transactions have changed or locked rows, and wait for their client for longer than a client takes."""
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


async def set_postgres_clock(given: Given) -> str:
    """Replace the function by which the servers ask for the time. New connections ask at once."""
    site = given.site
    assert site.cluster is not None
    for statement in _CLOCK.split(";\n"):
        await site.cluster.ask(statement, database=sites.NAME)

    async def put(ahead: int) -> None:
        assert site.cluster is not None
        await site.cluster.ask(f"UPDATE chaos.clock SET ahead = '{ahead} seconds'", database=sites.NAME)
        await site.terminate_connections()

    try:
        return await _jump(given, put)
    finally:
        await site.cluster.ask(f"ALTER DATABASE {sites.NAME} RESET search_path")
        await site.cluster.ask("DROP SCHEMA chaos CASCADE", database=sites.NAME)
        await site.terminate_connections()


async def set_sqlite_clock(given: Given) -> str:
    async def put(ahead: int) -> None:
        assert given.site.clock is not None
        # Servers read the file at any moment.
        new = given.site.clock.with_suffix(".new")
        new.write_text(str(ahead))
        new.replace(given.site.clock)

    return await _jump(given, put)


async def _jump(given: Given, put: Callable[[int], Awaitable[None]]) -> str:
    """Set the clock forward and back, twice. Fails if no row was written with the new time."""
    for _ in range(2):
        for ahead in (_AHEAD, 0):
            await put(ahead)
            await asyncio.sleep(given.seconds / 4)
    return f"2 × {_AHEAD // 60} minutes forward and back"


# Some confirmed calls, so that there is something to lose.
_LEAST_TAIL = 5


async def fail_over(given: Given) -> str:
    """Kill the primary, promote its standby, and make a new standby of the killed one."""
    pair, load = given.site.pair, given.load
    assert pair is not None
    await asyncio.sleep(given.seconds / 2)
    since = time.monotonic()
    if not pair.synchronous:
        pair.stall()
        async with asyncio.timeout(_PATIENCE):
            while load.keyed_since(since) < _LEAST_TAIL:
                await asyncio.sleep(0.02)
    given.over_at = await pair.fail_over()
    if not pair.synchronous:
        given.tail = Tail(since, given.over_at)
        load.forget()
    recovered = await load.confirmed_after(given.over_at, _PATIENCE)
    await pair.add_standby()
    await asyncio.sleep(given.seconds / 2)
    return f"first write {recovered:.1f} s after the promotion"


POSTGRES, SQLITE = sites.postgres, sites.sqlite
SYNCHRONOUS = Fault(
    "failover-synchronous",
    "kill -9 of a primary, promotion of its synchronous standby",
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
    Fault(
        "connections-ended", "pg_terminate_backend of all connections, again and again", POSTGRES, terminate_connections
    ),
    Fault("redis-gone", "kill -9 of Redis, then a restart", POSTGRES, stop_redis),
    Fault("network", "stalled, cut and half-open connections to PostgreSQL", POSTGRES, disturb_network),
    Fault("server-stopped", "SIGSTOP of a server process that has locked rows", POSTGRES, stop_a_server),
    Fault("clock-postgresql", "PostgreSQL's clock is set forward and back", POSTGRES, set_postgres_clock),
    Fault("disk-postgresql", "no space for PostgreSQL's log", POSTGRES, fill_disk),
    Fault("clock-sqlite", "the machine's clock is set forward and back", SQLITE, set_sqlite_clock),
    Fault("disk-sqlite", "no space for the SQLite file", SQLITE, fill_disk),
    SYNCHRONOUS,
    ASYNCHRONOUS,
)
