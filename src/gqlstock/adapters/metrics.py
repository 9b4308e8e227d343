"""The metrics that Prometheus scrapes: some are counted as things happen, others are read during the scrape.

Callers choose the names of operations, so the number of their series is limited: the first hundred names of callers with a
token, the first hundred of the public, and one for all others. With ``PROMETHEUS_MULTIPROC_DIR`` set, each process of a
machine counts in a file of its own there, and any of them answers for all.
"""

import asyncio
import contextlib
import importlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from gqlstock.trail import UNKNOWN, Operation, Trail

# Creation timestamps would add a series to each, which nobody uses.
disable_created_metrics()  # type: ignore[no-untyped-call]

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"

_MAX_NAMES = 100
_MAX_NAME_LENGTH = 60
_UNNAMED = "unnamed"
_OTHER = "other"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_SECONDS_BETWEEN_SAMPLES = 5.0


@dataclass(frozen=True, slots=True)
class Pool:
    """The database connections of this process."""

    in_use: int
    open: int
    most: int


@dataclass(frozen=True, slots=True)
class Lookups:
    """Cache lookups since the process started."""

    hits: int = 0
    misses: int = 0
    drops: int = 0
    """Lookups of entries that a change had dropped. They are misses as well."""


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """The cache of this process. ``lookups``: by kind of entry."""

    bytes: int
    lookups: Mapping[str, Lookups]


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures from the database, the same for every process."""

    outbox_waiting: int
    outbox_oldest_seconds: float
    feed_held_back_seconds: float
    deliveries_waiting: dict[str, int]


Look = Callable[[], Awaitable[Figures]]


class Metrics:
    """``figures`` is called on every scrape. If it fails, the database is reported as down, and the rest stays available."""

    def __init__(
        self, figures: Look, pool: Callable[[], Pool], cache: Callable[[], CacheFigures], names: int = _MAX_NAMES
    ) -> None:
        self._figures = figures
        self._pool = pool
        self._cache = cache
        self._names = {True: _Names(names), False: _Names(names)}
        self._registry = registry = CollectorRegistry()
        self._is_multiprocess = MULTIPROCESS in os.environ
        if not self._is_multiprocess:
            for collector in (ProcessCollector, PlatformCollector, GCCollector):
                collector(registry=registry)
        self._requests = Counter("gqlstock_http_requests", "HTTP responses.", ["status"], registry=registry)
        self._operations = Counter(
            "gqlstock_operations", "GraphQL operations.", ["operation", "type"], registry=registry
        )
        self._seconds = Histogram(
            "gqlstock_operation_seconds",
            "Duration of queries and mutations.",
            ["operation", "type"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._errors = Counter("gqlstock_errors", "Errors of operations.", ["code"], registry=registry)
        self._refusals = Counter(
            "gqlstock_refusals",
            "User errors. INSUFFICIENT_STOCK counts prevented overselling.",
            ["code"],
            registry=registry,
        )
        self._orders = Counter("gqlstock_orders_placed", "Orders placed.", registry=registry)
        self._deliveries = Counter(
            "gqlstock_deliveries", "Attempts to deliver webhooks and emails.", ["kind", "outcome"], registry=registry
        )
        self._subscribers = Gauge(
            "gqlstock_subscribers",
            "Open subscriptions.",
            ["transport", "subscription"],
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._connections = Gauge(
            "gqlstock_database_connections",
            "Database connections; max is the limit.",
            ["state"],
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._cache_bytes = Gauge(
            "gqlstock_cache_bytes",
            "Size of the query cache; GQLSTOCK_CACHE_MB is the limit.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._lookups = {
            event: Counter(name, description, ["kind"], registry=registry)
            for event, name, description in (
                ("hits", "gqlstock_cache_hits", "Answers and records found in the cache and current."),
                ("misses", "gqlstock_cache_misses", "Answers and records not found in the cache or not current."),
                ("drops", "gqlstock_cache_drops", "Misses of entries that a change had dropped."),
            )
        }
        self._counted_lookups: dict[str, Lookups] = {}
        self._statuses: dict[int, Counter] = {}
        self._series: dict[tuple[str, str], tuple[Counter, Histogram]] = {}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """During the block, sample the metrics that only this process can read."""
        sampling = asyncio.create_task(self._sample()) if self._is_multiprocess else None
        try:
            yield
        finally:
            if sampling is not None:
                sampling.cancel()
                await asyncio.gather(sampling, return_exceptions=True)
                _multiprocess().mark_process_dead(os.getpid())

    def answered(self, status: int) -> None:
        if status not in self._statuses:
            self._statuses[status] = self._requests.labels(str(status))
        self._statuses[status].inc()

    def began(self, of: Trail, operation: Operation) -> None:
        if operation.is_subscription:
            self._subscribers.labels(_transport(of), operation.field).inc()

    def ended(self, of: Trail, operation: Operation) -> None:
        if operation.is_subscription:
            self._subscribers.labels(_transport(of), operation.field).dec()
        name, kind = self._name(operation), operation.kind
        if (name, kind) not in self._series:
            self._series[name, kind] = self._operations.labels(name, kind), self._seconds.labels(name, kind)
        count, seconds = self._series[name, kind]
        count.inc()
        if not operation.is_subscription:
            seconds.observe(operation.seconds)
        for code, times in operation.errors.items():
            self._errors.labels(code).inc(times)
        for code, times in operation.refusals.items():
            self._refusals.labels(code).inc(times)
        if operation.orders:
            self._orders.inc(operation.orders)

    def delivered(self, kind: str, outcome: str) -> None:
        self._deliveries.labels(kind, outcome).inc()

    async def text(self) -> bytes:
        """All metrics in Prometheus text format."""
        self._update()
        looked_up = await self._look_up()
        return generate_latest(self._counted()) + generate_latest(looked_up)

    def _name(self, operation: Operation) -> str:
        if not operation.valid:
            return UNKNOWN
        if operation.name is None:
            return _UNNAMED
        return self._names[operation.authenticated].known(operation.name)

    def _update(self) -> None:
        """Update the metrics that are read in this process."""
        self._set_connections()
        cache = self._cache()
        self._cache_bytes.set(cache.bytes)
        for kind, now in cache.lookups.items():
            before = self._counted_lookups.get(kind, Lookups())
            for event, counter in self._lookups.items():
                counter.labels(kind).inc(getattr(now, event) - getattr(before, event))
            self._counted_lookups[kind] = now

    def _set_connections(self) -> None:
        pool = self._pool()
        for state, number in (("in_use", pool.in_use), ("open", pool.open), ("max", pool.most)):
            self._connections.labels(state).set(number)

    async def _sample(self) -> None:
        while True:
            self._update()
            await asyncio.sleep(_SECONDS_BETWEEN_SAMPLES)

    def _counted(self) -> CollectorRegistry:
        if not self._is_multiprocess:
            return self._registry
        multiprocess, directory = _multiprocess(), os.environ[MULTIPROCESS]
        for path in Path(directory).glob("gauge_live*_*.db"):
            pid = int(path.stem.rpartition("_")[2])
            if not _is_alive(pid):
                multiprocess.mark_process_dead(pid)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, path=directory)
        return registry

    async def _look_up(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        up = Gauge("gqlstock_database_up", "Whether the database answers.", registry=registry)
        try:
            figures = await self._figures()
        except Exception:
            return registry
        up.set(1)
        waiting = Gauge("gqlstock_outbox_waiting", "Outbox entries not yet turned into deliveries.", registry=registry)
        waiting.set(figures.outbox_waiting)
        oldest = Gauge("gqlstock_outbox_oldest_seconds", "Age of the oldest waiting outbox entry.", registry=registry)
        oldest.set(figures.outbox_oldest_seconds)
        held_back = Gauge(
            "gqlstock_feed_held_back_seconds",
            "Age of the oldest running transaction that feeds wait for.",
            registry=registry,
        )
        held_back.set(figures.feed_held_back_seconds)
        deliveries = Gauge("gqlstock_deliveries_waiting", "Pending deliveries.", ["kind"], registry=registry)
        for kind, number in figures.deliveries_waiting.items():
            deliveries.labels(kind).set(number)
        return registry


class _Names:
    """The first ``most`` names. All others share one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def known(self, name: str) -> str:
        if name in self._known:
            return name
        if len(self._known) >= self._most or len(name) > _MAX_NAME_LENGTH:
            return _OTHER
        self._known.add(name)
        return name


def _transport(of: Trail) -> str:
    return "websocket" if of.transport == "websocket" else "sse"


def _multiprocess() -> Any:
    # The module reads the directory on import.
    return importlib.import_module("prometheus_client.multiprocess")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
