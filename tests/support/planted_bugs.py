"""Planted bugs for a checker to find. Each replaces a function of gqlstock in the calling process.

No other tests patch code: here the bug is the point.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules import backorders, cache_keys, ledger, promises, shipments, sourcing
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.catalog import Item
from gqlstock.rules.ledger import Change, FulfilmentStep, Level, StockMovement
from gqlstock.rules.quantities import ZERO
from gqlstock.services.open_order import OpenOrder
from gqlstock.services.stock_edits import StockEdits
from gqlstock.stock import idempotency, promised_dates, validating
from gqlstock.stock.cache import Cache
from gqlstock.stock.reading import Reading
from gqlstock.store import catalog, commands, levels
from gqlstock.store import ledger as movements
from gqlstock.store.db import sql
from gqlstock.store.db.reads import Reader
from gqlstock.store.levels import Increment, LevelsOfItems


def lock_skipped() -> None:
    """Items are read without being locked. On SQLite the single writer is the lock."""

    async def lock_items(ids: Collection[int], *, waiting: bool = False) -> list[Item]:
        return list((await catalog.items(ids)).values())

    commands.lock_items = lock_items


def levels_remembered() -> None:
    """Levels that were read under the lock are reused for a short time."""
    right = levels.of_items
    kept: dict[int, tuple[float, dict[int, Level]]] = {}

    async def of_items(item_ids: Collection[int], now: datetime) -> LevelsOfItems:
        found = await right(item_ids, now)
        return dataclasses.replace(found, levels=[_remembered(level) for level in found.levels])

    def _remembered(level: Level) -> Level:
        at, known = kept.get(level.id, (0.0, level))
        if time.monotonic() - at > 0.3:
            at, known = kept[level.id] = time.monotonic(), level
        return dataclasses.replace(level, **{name: getattr(known, name) for name in ledger.FIGURES})

    levels.of_items = of_items


def decrement_lost() -> None:
    """One decrement in twenty is written to the ledger, but not to the level."""
    right, numbers = levels.increment, itertools.count(1)

    async def increment(increments: Sequence[Increment]) -> None:
        await right([_lossy(one) for one in increments])

    def _lossy(one: Increment) -> Increment:
        is_lost = one.figures[0] < 0 and next(numbers) % 20 == 0
        return dataclasses.replace(one, figures=[ZERO, *one.figures[1:]]) if is_lost else one

    levels.increment = increment


def expired_holds_counted() -> None:
    """The units of an expired hold stay held until the hold is swept."""

    async def without_expired(found: Sequence[Level], now: datetime) -> list[Level]:
        return list(found)

    levels.without_expired = without_expired


def newest_backorder_filled_first() -> None:
    right = backorders.fill
    backorders.fill = lambda waiting, quantity: right(list(reversed(waiting)), quantity)


def key_applied_twice() -> None:
    """Answers under idempotency keys are not found again."""

    async def answers(keys: Collection[Any]) -> idempotency.Answers:
        return idempotency.Answers()

    async def keep(made: Mapping[Any, Any], outdated: Collection[int]) -> None:
        pass

    idempotency.answers, idempotency.keep = answers, keep


def cancel_gives_back_too_much() -> None:
    """Canceled units are restocked twice under ON_ORDER."""
    for step in (FulfilmentStep.CANCELED, FulfilmentStep.CANCELED_PACKED):
        _change_step(step, lambda change: ledger.combined(change, Change(on_hand=max(change.on_hand, ZERO))))


def packed_units_stay_reserved() -> None:
    _change_step(FulfilmentStep.PACKED, lambda change: ledger.combined(change, Change(reserved=-change.reserved)))


def _change_step(step: FulfilmentStep, wrong: Callable[[Change], Change]) -> None:
    right = ledger.effect

    def effect(done: FulfilmentStep, *given: Any) -> Change:
        return wrong(right(done, *given)) if done is step else right(done, *given)

    ledger.effect = effect


def written_off_units_come_back() -> None:
    """Units that are canceled without restocking can be sold again."""
    OpenOrder.write_off = lambda self, picks: None  # type: ignore[method-assign]


def missing_units_shipped() -> None:
    """Units that are not on hand are shipped, allowed or not."""
    OpenOrder.check_on_hand = lambda self: None  # type: ignore[method-assign]


def moved_units_not_free() -> None:
    """Units are moved to a warehouse without free units."""
    right = ledger.check_free

    def check_free(level: Level, quantity: Decimal, sku: str, available: str = "available") -> None:
        if available == "available":
            right(level, quantity, sku)

    ledger.check_free = check_free


def edit_frees_units_twice() -> None:
    """Units that an edit takes from a line are free twice for its other lines."""
    right = Assortment.after

    def after(self: Assortment, changes: Mapping[int, Change], *given: Any) -> Assortment:
        return right(self, {id: ledger.combined(one, one) for id, one in changes.items()}, *given)

    Assortment.after = after  # type: ignore[method-assign]


def edit_keeps_promises() -> None:
    """An edited order keeps its earlier dates."""
    promised_dates.promise = lambda unit, order_id: None


def transfer_loses_units() -> None:
    """Of three or more units, one does not arrive."""
    right = ledger.received
    ledger.received = lambda quantity: right(quantity - 1 if quantity > 2 else quantity)


def safety_stock_ignored() -> None:
    sourcing.safety_stock = lambda settings, sources: ZERO


def room_ignores_who_waits() -> None:
    """All dated supply counts as room for backorders, even if units already wait for it."""
    promises.room = lambda arrivals, level: sum((one.quantity for one in arrivals), ZERO)


def reserved_units_sold() -> None:
    """Units reserved under ON_SHIPMENT are free for others."""
    Level.available = property(lambda level: level.on_hand - level.planned - level.held)  # type: ignore[assignment,method-assign]


def expectation_ignored() -> None:
    """Counts ignore the expected onHand."""
    ledger.expect = lambda *given: None


def backordered_units_shipped() -> None:
    """A shipment is ready although it contains backordered units."""
    shipments.state = lambda states: shipments.ShipmentState.READY if states else shipments.ShipmentState.CANCELED


def late_count_forgets_what_followed() -> None:
    StockEdits.moved_since = lambda self, sku, warehouse, moment: ZERO  # type: ignore[method-assign]


def stale_read() -> None:
    """Cached levels are shown although they have changed."""
    right = cache_keys.dropped

    def dropped(entries: Iterable[tuple[str, int | None]]) -> set[cache_keys.Key]:
        return right([(topic, item_id) for topic, item_id in entries if not topic.startswith("LEVEL")])

    cache_keys.dropped = dropped


def validated_once() -> None:
    """The cache is validated when a process starts, and never again."""
    right = validating.validate

    async def validate(kept: Cache) -> None:
        if kept.mark is None:
            await right(kept)

    validating.validate = validate


def read_piece_by_piece() -> None:
    """Each statement of a read sees its own instant."""

    async def fetch(self: Reading, reader: Reader, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        self.never_keep()
        return await reader.fetch(statement, values)

    Reading.fetch = fetch  # type: ignore[method-assign]


def half_a_batch_written() -> None:
    """Of ledger rows that are written together, one in fifteen is lost."""
    right, numbers = movements.insert, itertools.count(1)

    async def insert(moved: Sequence[StockMovement]) -> list[int]:
        made = await right(moved)
        if made and next(numbers) % 15 == 0:
            await sql.execute("DELETE FROM stock_movement WHERE id = ?", made[-1])
        return made

    movements.insert = insert


# Each bug with the items that reveal it.
BUGS: dict[str, tuple[Callable[[], None], tuple[str, ...]]] = {
    bug.__name__: (bug, tuple(groups))
    for bug, *groups in (
        (lock_skipped, "counted", "parked"),
        (levels_remembered, "counted", "bounded"),
        (decrement_lost, "counted"),
        (expired_holds_counted, "kept"),
        (newest_backorder_filled_first, "counted", "bounded"),
        (key_applied_twice, "counted", "parked", "kept"),
        (cancel_gives_back_too_much, "counted"),
        (packed_units_stay_reserved, "bounded", "kept"),
        (written_off_units_come_back, "counted", "kept"),
        (missing_units_shipped, "missing"),
        (moved_units_not_free, "counted", "kept"),
        (edit_frees_units_twice, "counted", "kept"),
        (edit_keeps_promises, "preordered"),
        (transfer_loses_units, "counted", "rare"),
        (safety_stock_ignored, "counted", "kept"),
        (room_ignores_who_waits, "preordered"),
        (reserved_units_sold, "kept", "parked"),
        (expectation_ignored, "counted", "parked"),
        (backordered_units_shipped, "bounded"),
        (late_count_forgets_what_followed, "bounded"),
        (stale_read, "counted", "bounded"),
        (half_a_batch_written, "counted"),
    )
}
OF_READS = {bug.__name__: bug for bug in (validated_once, read_piece_by_piece)}
NEED_POSTGRES = {"lock_skipped"}
OF_DATABASE = NEED_POSTGRES | {
    "levels_remembered",
    "decrement_lost",
    "key_applied_twice",
    "stale_read",
    "half_a_batch_written",
}
"""The bugs in what transactions see and write. The others are in the rules, which do not depend on the database."""


def plant(bug: str) -> None:
    plant = OF_READS.get(bug) or BUGS[bug][0]
    plant()
