"""Lists changes of levels as they were committed, for as long as their entries are kept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gqlstock.rules.events import Topic
from gqlstock.rules.feed import START, Cursor, Entry, row_of
from gqlstock.rules.filters import ChangeFilter
from gqlstock.rules.ledger import Level, StockMovement
from gqlstock.rules.scopes import Caller
from gqlstock.services import list_movements
from gqlstock.stock import present, reading
from gqlstock.store import named_levels, outbox
from gqlstock.store.outbox import Among

TOPICS = (Topic.LEVEL,)


@dataclass(frozen=True, slots=True)
class Part:
    """Entries, and the end of the feed read before them: later entries come after it."""

    entries: Sequence[Entry]
    end: Cursor


@dataclass(frozen=True, slots=True)
class Change:
    """An entry with its level as it is now, and the movement that the change wrote, if ``onHand`` changed."""

    entry: Entry
    level: Level
    movement: StockMovement | None


async def between(
    chosen: ChangeFilter, caller: Caller, after: Cursor | None, before: Cursor | None, limit: int, *, latest_first: bool
) -> Part:
    """The next entries between two cursors, of levels that the caller may see.

    Raises ``OutOfReach`` if a cursor is not from this history or entries after it have been deleted.
    """
    among = _among(chosen, caller)
    end = before or await outbox.latest()
    if latest_first:
        found = await outbox.before(before, limit, TOPICS, since=after or START, among=among)
    else:
        found = await outbox.after(after or START, limit, TOPICS, before=before, among=among)
    for cursor in (after, before):
        if cursor is not None:
            await outbox.check(cursor)
    return Part(found, end)


async def count(chosen: ChangeFilter, caller: Caller) -> int:
    """The number of kept entries of levels that the caller may see."""
    among = _among(chosen, caller)
    return await reading.once(("changes", among), lambda: outbox.count(TOPICS, among))


async def changes(entries: Sequence[Entry]) -> list[Change]:
    """The changes of entries, in the same order. Raises ``OutOfReach`` if the database no longer has them."""
    levels = await present.levels({entry.subject for entry in entries})
    movements = await list_movements.by_id({entry.data["movement"] for entry in entries if "movement" in entry.data})
    return [
        Change(
            entry,
            row_of(levels, entry.subject),
            row_of(movements, entry.data["movement"]) if "movement" in entry.data else None,
        )
        for entry in entries
    ]


async def names(level_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Each level's SKU and warehouse code."""
    return await named_levels.names(level_ids)


def _among(chosen: ChangeFilter, caller: Caller) -> Among | None:
    if chosen.skus is None and chosen.warehouses is None and caller.warehouses is None:
        return None
    return named_levels.among(chosen.skus, chosen.warehouses, caller.warehouses)
