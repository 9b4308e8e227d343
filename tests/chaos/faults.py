"""Faults that occur in production. Each function injects one under load for some seconds, and returns when it is over."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chaos import site as sites
from chaos.load import Load
from chaos.site import SERVERS, Site
from chaos.tail import Tail
from gqlstock.store.db import sql
from gqlstock.store.db.records import moment
from support import server_processes, stock_load
from support import shop_builders as make
from support.server_processes import PATIENCE
from support.webhook_receiver import Received

# The standby must lack at least this many confirmed calls.
_MIN_TAIL = 5
# Webhook messages are refused for at most this long, because the pauses before further attempts are too long for a round.
_MAX_REFUSING_SECONDS = 4.0
_AHEAD = timedelta(hours=1)
_CLOCK = f"""CREATE SCHEMA chaos;
CREATE TABLE chaos.clock (ahead interval);
INSERT INTO chaos.clock VALUES ('0');
CREATE FUNCTION chaos.clock_timestamp() RETURNS timestamptz LANGUAGE sql
    AS 'SELECT pg_catalog.clock_timestamp() + (SELECT ahead FROM chaos.clock)';
ALTER DATABASE {sites.NAME} SET search_path = chaos, pg_catalog, public"""
# How transactions that write end. Those that only read send no semicolon.
_COMMIT = b"COMMIT;\0"
_HELD = 5
_HOLD = """mutation ($input: HoldStockInput!) { holdStock(input: $input) { hold { id } userErrors { code } } }"""
_HELD_UNITS = "query ($sku: String!, $warehouse: String!) { inventoryLevel(sku: $sku, warehouse: $warehouse) { held } }"


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

    def deadline(self) -> float:
        """When the fault should be over, in monotonic seconds."""
        return time.monotonic() + self.seconds


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
    while not kills or time.monotonic() < deadline:
        number = kills % SERVERS
        server_processes.kill(context.site.servers[number])
        await asyncio.sleep(context.chance.uniform(0, 0.5))
        await context.site.restart(number)
        kills += 1
        await asyncio.sleep(context.chance.uniform(0.2, 1))
    return f"{kills} times"


async def kill_postgres(context: Context) -> str:
    cluster = context.site.cluster
    assert cluster is not None
    deadline, kills = context.deadline(), 0
    while not kills or time.monotonic() < deadline:
        await cluster.kill()
        await asyncio.sleep(context.chance.uniform(0, 0.5))
        await cluster.start()
        kills += 1
        await asyncio.sleep(context.chance.uniform(0.5, 1.5))
    return f"{kills} times"


async def terminate_connections(context: Context) -> str:
    deadline, ended = context.deadline(), 0
    while not ended or time.monotonic() < deadline:
        ended += await context.site.terminate_connections()
        await asyncio.sleep(context.chance.uniform(0.1, 0.8))
    return f"{ended} connections"


async def stop_redis(context: Context) -> str:
    context.site.broker.stop()
    try:
        await asyncio.sleep(context.seconds)
    finally:
        await context.site.broker.start()
    return f"for {context.seconds:.0f} s"


async def suspend_redis(context: Context) -> str:
    context.site.broker.suspend()
    try:
        await asyncio.sleep(context.seconds)
    finally:
        context.site.broker.resume()
    return f"for {context.seconds:.0f} s"


async def refuse_deliveries(context: Context) -> str:
    """Answer webhook messages with 500, and leave emails without an answer."""
    receiver, postbox, refused = context.site.receiver, context.site.postbox, 0

    def refuse(_: Received) -> int:
        nonlocal refused
        refused += 1
        return 500

    answer, receiver.answer, postbox.keeps_waiting = receiver.answer, refuse, True
    try:
        await asyncio.sleep(min(context.seconds, _MAX_REFUSING_SECONDS))
    finally:
        receiver.answer, postbox.keeps_waiting = answer, False
    if not refused:
        raise AssertionError("no webhook message arrived meanwhile")
    return f"{refused} messages refused"


async def disturb_network(context: Context) -> str:
    proxy = context.site.proxy
    assert proxy is not None
    deadline, made = context.deadline(), Counter[str]()
    while len(made) < 3 or time.monotonic() < deadline:
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


async def lose_commits(context: Context) -> str:
    """Break connections at COMMIT, before and after PostgreSQL gets it, in turn."""
    proxy = context.site.proxy
    assert proxy is not None
    deadline, broken = context.deadline(), 0
    while not broken or time.monotonic() < deadline:
        proxy.break_at_next(_COMMIT, forwarded=broken % 2 == 1)
        async with asyncio.timeout(PATIENCE):
            while not proxy.has_broken:
                await asyncio.sleep(0.01)
        broken += 1
        await asyncio.sleep(context.chance.uniform(0, 0.1))
    return f"{broken} times"


async def fill_disk(context: Context) -> str:
    disk, cluster, failures = context.site.disk, context.site.cluster, context.load.record.failures
    assert disk is not None
    failed = len(failures)
    disk.fill()
    try:
        # PostgreSQL and SQLite first use the free space within existing files.
        deadline = time.monotonic() + PATIENCE
        while len(failures) == failed:
            if time.monotonic() > deadline:
                raise AssertionError("no write failed although the disk was full")
            if cluster is not None:
                await cluster.skip_segment()
            await asyncio.sleep(0.1)
            disk.fill()
        await asyncio.sleep(context.seconds)
    finally:
        disk.free()
    restarted = cluster is not None and await cluster.restart_if_stopped()
    return f"for {context.seconds:.0f} s{'; PostgreSQL stopped and was restarted' if restarted else ''}"


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


async def set_postgres_clock(context: Context) -> str:
    """Shadow ``clock_timestamp``, which the servers call. Only new connections use the replacement, so old ones are ended."""
    site = context.site
    assert site.cluster is not None
    for statement in _CLOCK.split(";\n"):
        await site.cluster.ask(statement, database=sites.NAME)

    async def set_clock(ahead: timedelta) -> None:
        assert site.cluster is not None
        seconds = ahead.total_seconds()
        await site.cluster.ask(f"UPDATE chaos.clock SET ahead = '{seconds} seconds'", database=sites.NAME)
        await site.terminate_connections()

    try:
        return await _jump(context, set_clock)
    finally:
        await site.cluster.ask(f"ALTER DATABASE {sites.NAME} RESET search_path")
        await site.cluster.ask("DROP SCHEMA chaos CASCADE", database=sites.NAME)
        await site.terminate_connections()


async def set_sqlite_clock(context: Context) -> str:
    async def set_clock(ahead: timedelta) -> None:
        assert context.site.clock is not None
        # The servers may read the file at any moment, so it is replaced atomically.
        new = context.site.clock.with_suffix(".new")
        new.write_text(str(ahead.total_seconds()))
        new.replace(context.site.clock)

    return await _jump(context, set_clock)


async def _jump(context: Context, set_clock: Callable[[timedelta], Awaitable[None]]) -> str:
    """Set the clock forward and back, twice. A hold ends at the first jump, and stays ended."""
    async with _held(context) as held:
        for _ in range(2):
            for ahead in (_AHEAD, timedelta(0)):
                await set_clock(ahead)
                await asyncio.sleep(context.seconds / 4)
                for number in range(SERVERS):
                    await held(number, 0)
    newest = moment((await sql.query("SELECT MAX(created_at) AS at FROM outbox"))[0]["at"])
    if newest < datetime.now(UTC) + _AHEAD - timedelta(minutes=10):
        raise AssertionError(f"the servers did not notice that the clock was set: their latest change is of {newest}")
    return f"2 × {_AHEAD.total_seconds() / 60:.0f} minutes forward and back"


@contextlib.asynccontextmanager
async def _held(context: Context) -> AsyncIterator[Callable[[int, int], Awaitable[None]]]:
    """Hold units of an own item for half an hour. Yields a function that waits until a server shows a number as held."""
    servers, warehouse = context.site.servers, stock_load.WAREHOUSES[0]
    sku = f"HELD-{context.load.label.upper()}"
    await make.product(sku)
    await make.stock(sku, warehouse, _HELD)

    async with server_processes.client(context.site.token) as http:

        async def held(number: int, units: int) -> None:
            shown: Any = None
            deadline = time.monotonic() + PATIENCE
            while shown != units:
                if time.monotonic() > deadline:
                    raise AssertionError(f"server {number} shows {shown} held units, not {units}")
                with contextlib.suppress(AssertionError):
                    found = await server_processes.ask(http, servers[number], _HELD_UNITS, sku=sku, warehouse=warehouse)
                    shown = found["inventoryLevel"]["held"]
                await asyncio.sleep(0.05)

        hold = {"lines": [{"sku": sku, "quantity": _HELD}], "minutes": 30}
        await server_processes.ask(http, servers[0], _HOLD, input=hold)
        for number in range(SERVERS):
            await held(number, _HELD)
        yield held


async def fail_over(context: Context) -> str:
    """Kill the primary, promote its standby, and rebuild the old primary as the new standby."""
    pair, load = context.site.pair, context.load
    assert pair is not None
    await asyncio.sleep(context.seconds / 2)
    since = time.monotonic()
    if not pair.synchronous:
        pair.stall()
        async with asyncio.timeout(PATIENCE):
            while load.keyed_since(since) < _MIN_TAIL:
                await asyncio.sleep(0.02)
    context.over_at = await pair.fail_over()
    if not pair.synchronous:
        context.tail = Tail(since, context.over_at)
        load.forget()
    recovered = await load.recovered_after(context.over_at, PATIENCE)
    await pair.add_standby()
    await asyncio.sleep(context.seconds / 2)
    return f"both servers wrote {recovered:.1f} s after the promotion"


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
# The clock faults are the last of their sites, because the clocks of the servers stay ahead.
FAULTS = (
    Fault("server-killed", "kill -9 of a server process, then a restart", POSTGRES, kill_servers),
    Fault("postgresql-killed", "kill -9 of PostgreSQL, then a restart", POSTGRES, kill_postgres),
    Fault("connections-ended", "pg_terminate_backend of all connections, repeatedly", POSTGRES, terminate_connections),
    Fault("redis-gone", "kill -9 of Redis, then a restart", POSTGRES, stop_redis),
    Fault("redis-hangs", "SIGSTOP of Redis", POSTGRES, suspend_redis),
    Fault("network", "stalled, cut and half-open connections to PostgreSQL", POSTGRES, disturb_network),
    Fault("commits-unanswered", "connections that break at COMMIT", POSTGRES, lose_commits),
    Fault("server-stopped", "SIGSTOP of a server process that holds row locks", POSTGRES, stop_server),
    Fault("deliveries-refused", "500 from the webhook receiver, and a silent mail server", POSTGRES, refuse_deliveries),
    Fault("disk-postgresql", "no disk space for PostgreSQL's write-ahead log", POSTGRES, fill_disk),
    Fault("clock-postgresql", "PostgreSQL's clock set forward and back", POSTGRES, set_postgres_clock),
    Fault("server-killed-sqlite", "kill -9 of a server process on a SQLite file", SQLITE, kill_servers),
    Fault("disk-sqlite", "no disk space for the SQLite file", SQLITE, fill_disk),
    Fault("clock-sqlite", "the machine's clock set forward and back", SQLITE, set_sqlite_clock),
    SYNCHRONOUS,
    ASYNCHRONOUS,
)
