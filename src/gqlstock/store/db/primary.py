"""Finds the PostgreSQL server that takes writes, and notices when it is gone.

A server process has a watcher: a task that sends a heartbeat to the primary each second, and immediately when a connection
breaks. Without an answer, the watcher looks for the primary among all hosts until it finds one, and all others wait for it.
Commands have no watcher; they look once.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import asyncpg

from gqlstock.store.db.outages import ConnectionLost, Disconnected, Patience, Unavailable

log = logging.getLogger(__name__)

Address = tuple[str, int]

_SECONDS_BETWEEN_HEARTBEATS = 1.0
# A heartbeat is awaited in several steps. A process that was stopped for a while misses one step, not all of them.
_STEPS_PER_HEARTBEAT = 5
_SECONDS_PER_STEP = 1.0
_SECONDS_BETWEEN_SEARCHES = 0.2
_SECONDS_TO_CONNECT = 3.0
_MAX_WAITING = 10_000

_LOST = (
    Disconnected,
    ConnectionLost,
    OSError,  # includes TimeoutError
    asyncpg.InternalClientError,  # a statement after an answer that broke off
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TargetServerAttributeNotMatched,
)


_CLOSED = ("closed", "closing", "released back to the pool")


def is_lost(error: BaseException | None) -> bool:
    """Whether an error says that the connection is of no more use, or that the server takes none now."""
    # asyncpg raises InterfaceError for closed connections, but also for mistakes of the caller.
    closed = isinstance(error, asyncpg.InterfaceError) and any(word in str(error) for word in _CLOSED)
    return closed or isinstance(error, _LOST)


class Primary:
    """The primary among ``hosts``. ``options``: how to connect. ``patience`` None: without a watcher."""

    def __init__(self, hosts: Sequence[Address], options: dict[str, Any], patience: Patience | None) -> None:
        self._hosts = hosts
        self._options = {**options, "timeout": min(_SECONDS_TO_CONNECT, options.get("timeout", _SECONDS_TO_CONNECT))}
        if len(hosts) > 1 or patience is not None:
            self._options["target_session_attrs"] = "primary"
        self.patience = patience
        self._address: Address | None = None
        self.generation = 0
        """How often the primary was found. A connection has the generation in which it was opened."""
        self._found = asyncio.Event()
        self._lost = asyncio.Event()
        self._lost_at: float | None = None
        self._error: BaseException | None = None
        self._waiting = 0
        self._on_loss: list[Callable[[], None]] = []
        self.is_watched = False
        """Whether there is a watcher. Then it is worth trying again after a connection was lost."""

    def on_loss(self, call: Callable[[], None]) -> None:
        """Call a function to close all connections, when the heartbeat fails or another server has taken over."""
        self._on_loss.append(call)

    async def address(self) -> Address:
        """The primary's host and port. Raises ``Unavailable`` when the outage has lasted too long."""
        if self._address is None:
            if not self.is_watched:
                try:
                    found, connection = await self._search()
                except Exception as error:
                    if not is_lost(error):
                        raise
                    raise ConnectionLost(f"the database cannot be reached: {error}") from error
                connection.terminate()
                self._use(found)
            else:
                await self._wait()
        assert self._address is not None
        return self._address

    async def _wait(self) -> None:
        assert self.patience is not None
        until = (self._lost_at or time.monotonic()) + self.patience.outage
        if self._waiting >= _MAX_WAITING:
            raise Unavailable(f"{self._waiting} calls are already waiting for the database") from self._error
        self._waiting += 1
        try:
            while self._address is None:
                async with asyncio.timeout(until - time.monotonic()):
                    await self._found.wait()
        except TimeoutError:
            raise Unavailable("the database is unavailable") from self._error
        finally:
            self._waiting -= 1

    def lost(self, error: BaseException, generation: int) -> None:
        """A connection of this generation was lost or refused. Only the current generation tells of an outage."""
        if generation == self.generation:
            self._begin_outage(error)

    def _use(self, found: Address) -> None:
        self._address = found
        self.generation += 1

    def _begin_outage(self, error: BaseException) -> None:
        self._error = error
        if self._address is not None:
            log.info("connection to the database lost: %s", _told(error))
        self._address = None
        self._found.clear()
        self._lost_at = self._lost_at or time.monotonic()
        self._lost.set()

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watch the primary during the block."""
        self.is_watched = True
        self._begin_outage(Unavailable("not connected yet"))
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            self.is_watched = False
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            try:
                await self._follow()
            except Exception:
                # Without a watcher, the next outage would last until a restart.
                log.exception("watching the database failed; retrying")
                await asyncio.sleep(_SECONDS_BETWEEN_SEARCHES)

    async def _follow(self) -> None:
        """Use the primary until it is lost, and then the next one."""
        before: Address | None = None
        while True:
            found, connection = await self._search_until_found()
            if before not in (None, found):
                self._close_connections()
            before = found
            self._use(found)
            self._end_outage()
            try:
                await self._beat_until_lost(connection, found)
            finally:
                connection.terminate()

    async def _beat_until_lost(self, connection: Any, address: Address) -> None:
        while True:
            try:
                await _beat(connection)
            except Exception as error:
                self._begin_outage(error)
                if is_lost(error):
                    # Others may be half open: their ends are unknown, or the server does not answer.
                    self._close_connections()
                return
            if self._lost.is_set():
                # Another connection was lost, but the server answers. It may be too full for a new connection.
                self._use(address)
                self._end_outage()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS_BETWEEN_HEARTBEATS):
                    await self._lost.wait()

    def _close_connections(self) -> None:
        for call in self._on_loss:
            call()

    def _end_outage(self) -> None:
        assert self._address is not None
        assert self._lost_at is not None
        seconds = time.monotonic() - self._lost_at
        log.log(
            logging.WARNING if seconds > 1 else logging.INFO,
            "connected to the database at %s:%s after %.1f seconds",
            *self._address,
            seconds,
        )
        self._lost_at = None
        self._lost.clear()
        self._found.set()

    async def _search_until_found(self) -> tuple[Address, Any]:
        is_told = False
        while True:
            try:
                return await self._search()
            except Exception as error:
                if not is_told:
                    log.warning("the database is unavailable: %s", _told(error))
                is_told, self._error = True, error
                await asyncio.sleep(_SECONDS_BETWEEN_SEARCHES)

    async def _search(self) -> tuple[Address, Any]:
        """Connect to all hosts at once. The first one that takes writes is the primary; the others are left.

        Raises the error of the first host if none does.
        """
        attempts = {asyncio.ensure_future(self._connect(host)): host for host in self._hosts}
        running = set(attempts)
        try:
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for attempt in done:
                    if attempt.exception() is None:
                        return attempts.pop(attempt), attempt.result()
        finally:
            for attempt in attempts:
                attempt.cancel()
                attempt.add_done_callback(_close)
        raise next(iter(attempts)).exception() or Unavailable("no host of the database was named")

    async def _connect(self, address: Address) -> Any:
        host, port = address
        try:
            return await asyncpg.connect(**{**self._options, "host": host, "port": port})
        except asyncpg.TargetServerAttributeNotMatched:
            raise Unavailable(f"the server at {host}:{port} is a standby, which takes no writes") from None


async def _beat(connection: Any) -> None:
    """Raise an error if the server does not answer, or takes no writes: a pooler may have changed to a standby."""
    beat = asyncio.ensure_future(connection.fetchval("SELECT pg_is_in_recovery()"))
    for _ in range(_STEPS_PER_HEARTBEAT):
        done, _pending = await asyncio.wait({beat}, timeout=_SECONDS_PER_STEP)
        if done:
            if beat.result():
                raise Disconnected("the server is a standby, which takes no writes")
            return
    connection.terminate()
    await asyncio.gather(beat, return_exceptions=True)
    raise TimeoutError("the database does not answer")


def _close(attempt: "asyncio.Future[Any]") -> None:
    """Close a connection that is not wanted."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().terminate()


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__
