"""Bugs for a checker to find: each replaces one function of gqlstock in the process that calls it.

The only place where tests replace anything: here the bug is the point.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from gqlstock.rules import availability, backorders, ledger, shipments
from gqlstock.rules.catalog import Item
from gqlstock.rules.ledger import Change, FulfilmentStep, Level, StockMovement
from gqlstock.rules.quantities import ZERO
from gqlstock.services.stock_edits import StockEdits
from gqlstock.stock import idempotency
from gqlstock.store import catalog, commands, levels
from gqlstock.store import ledger as movements
from gqlstock.store.db import sql
from gqlstock.store.levels import Increment


def lock_skipped() -> None:
    """Items are read and not locked. On SQLite the one writer is the lock."""

    async def lock_items(ids: Collection[int], *, waiting: bool = False) -> list[Item]:
        return list((await catalog.items(ids)).values())

    commands.lock_items = lock_items


def levels_remembered() -> None:
    """Levels that were read under the lock are taken to be so for a moment."""
    right = levels.of_items
    kept: dict[int, tuple[float, dict[int, Level]]] = {}

    async def of_items(item_ids: Collection[int], now: datetime) -> tuple[list[Level], set[int]]:
        found, alerted = await right(item_ids, now)
        return [_remembered(level) for level in found], alerted

    def _remembered(level: Level) -> Level:
        at, known = kept.get(level.id, (0.0, level))
        if time.monotonic() - at > 0.3:
            at, known = kept[level.id] = time.monotonic(), level
        return dataclasses.replace(level, **{name: getattr(known, name) for name in ledger.FIGURES})

    levels.of_items = of_items


def decrement_lost() -> None:
    """One decrement in twenty is in the ledger and not in the level."""
    right, numbers = levels.increment, itertools.count(1)

    async def increment(increments: Sequence[Increment]) -> None:
        await right([_lossy(one) for one in increments])

    def _lossy(one: Increment) -> Increment:
        is_lost = one.figures[0] < 0 and next(numbers) % 20 == 0
        return dataclasses.replace(one, figures=[ZERO, *one.figures[1:]]) if is_lost else one

    levels.increment = increment


def expired_holds_counted() -> None:
    """What a hold kept is kept from everybody until the hold is swept."""

    async def without_expired(found: Sequence[Level], now: datetime) -> list[Level]:
        return list(found)

    levels.without_expired = without_expired


def newest_backorder_filled_first() -> None:
    right = backorders.fill
    backorders.fill = lambda waiting, quantity: right(list(reversed(waiting)), quantity)


def key_applied_twice() -> None:
    """What was answered under a key is not found again."""

    async def answers(keys: Collection[Any]) -> idempotency.Answers:
        return idempotency.Answers()

    async def keep(made: Mapping[Any, Any], outdated: Collection[int]) -> None:
        pass

    idempotency.answers, idempotency.keep = answers, keep


def cancel_gives_back_too_much() -> None:
    """Canceled units of ON_ORDER are given back twice."""
    for step in (FulfilmentStep.CANCELED, FulfilmentStep.CANCELED_PACKED):
        _change_step(step, lambda change: ledger.combined(change, Change(on_hand=max(change.on_hand, ZERO))))


def packed_units_stay_reserved() -> None:
    _change_step(FulfilmentStep.PACKED, lambda change: ledger.combined(change, Change(reserved=-change.reserved)))


def _change_step(step: FulfilmentStep, wrong: Callable[[Change], Change]) -> None:
    right = ledger.effect

    def effect(done: FulfilmentStep, *given: Any) -> Change:
        return wrong(right(done, *given)) if done is step else right(done, *given)

    ledger.effect = effect


def transfer_loses_units() -> None:
    """Of three units or more one does not arrive."""
    right = ledger.received
    ledger.received = lambda quantity: right(quantity - 1 if quantity > 2 else quantity)


def safety_stock_ignored() -> None:
    availability.safety_stock = lambda settings, sources: ZERO


def reserved_units_sold() -> None:
    """What is reserved under ON_SHIPMENT is free for others."""
    Level.available = property(lambda level: level.on_hand - level.planned - level.held)  # type: ignore[assignment,method-assign]


def expectation_ignored() -> None:
    """A count is taken whatever was expected."""
    ledger.expect = lambda *given: None


def backordered_units_shipped() -> None:
    """A shipment is ready whatever waits in it."""
    shipments.state = lambda states: shipments.ShipmentState.READY if states else shipments.ShipmentState.CANCELED


def late_count_forgets_what_followed() -> None:
    StockEdits.moved_since = lambda self, sku, warehouse, moment: ZERO  # type: ignore[method-assign]


def stale_read() -> None:
    """A level is shown as it was up to half a second ago."""
    right = levels.levels_in
    kept: dict[Any, tuple[float, Any]] = {}

    async def levels_in(warehouse_id: int, item_ids: Collection[int]) -> Any:
        key = warehouse_id, tuple(item_ids)
        if key not in kept or time.monotonic() - kept[key][0] > 0.5:
            kept[key] = time.monotonic(), await right(warehouse_id, item_ids)
        return kept[key][1]

    levels.levels_in = levels_in


def half_a_batch_written() -> None:
    """Of the rows of the ledger that are written together, one in fifteen is not."""
    right, numbers = movements.insert, itertools.count(1)

    async def insert(moved: Sequence[StockMovement]) -> list[int]:
        made = await right(moved)
        if made and next(numbers) % 15 == 0:
            await sql.execute("DELETE FROM stock_movement WHERE id = ?", made[-1])
        return made

    movements.insert = insert


# Each with the items among which it shows.
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
        (transfer_loses_units, "counted", "rare"),
        (safety_stock_ignored, "counted", "kept"),
        (reserved_units_sold, "kept", "parked"),
        (expectation_ignored, "counted", "parked"),
        (backordered_units_shipped, "bounded"),
        (late_count_forgets_what_followed, "bounded"),
        (stale_read, "counted", "bounded"),
        (half_a_batch_written, "counted"),
    )
}
NEED_POSTGRES = {"lock_skipped"}
