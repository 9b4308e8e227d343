"""Many counts at a time: items claimed, levels made or moved and the ledger written with few statements for a thousand.

What a count does to a level is a rule; ``inventory.Journal`` writes all that is not counts of a file.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import quantities, refusals
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.refusals import invalid
from gqlstock.rules.scopes import Caller
from gqlstock.store import catalog, database, inventory, outbox
from gqlstock.store.fields import from_units, to_units
from gqlstock.store.inventory import Claim, InventoryLevel, movement_seal

Key = tuple[int, int]
"""An item's id and a warehouse's."""


@dataclass(frozen=True, slots=True)
class Count:
    """What one line of a file says of one level."""

    line: int
    item_id: int
    warehouse_id: int
    on_hand: Decimal

    @property
    def key(self) -> Key:
        return self.item_id, self.warehouse_id


async def on_hand_of(item_ids: Collection[int]) -> dict[Key, Decimal]:
    """What the levels in use of these items have."""
    rows = await database.query(
        f"""SELECT item_id, warehouse_id, on_hand FROM inventory_level
            WHERE item_id IN ({database.slots(item_ids)}) AND deleted_at IS NULL""",
        *item_ids,
    )
    return {(row["item_id"], row["warehouse_id"]): from_units(row["on_hand"]) for row in rows}


async def claim(item_ids: Collection[int]) -> Claim:
    """As ``inventory.claim`` for many: they are read once, and not before they are locked."""
    await inventory.lock(item_ids)
    return await inventory.claimed(await catalog.items(item_ids))


# On SQLite for one level after another, on PostgreSQL for all of them at once.
_SET = """SET on_hand = l.on_hand + v.units, available = l.available + v.units, updated_at = ?, deleted_at = NULL,
    counted_at = ?"""
_MOVE_ALL = (
    f"UPDATE inventory_level AS l {_SET} FROM unnest(?::bigint[], ?::bigint[]) AS v (id, units) WHERE l.id = v.id"
)
_MOVE_ONE = f"UPDATE inventory_level AS l {_SET} FROM (SELECT ? AS id, ? AS units) AS v WHERE l.id = v.id"


async def record(claim: Claim, changes: Mapping[Key, Change], caller: Caller) -> list[InventoryLevel]:
    """Write what counts change of claimed levels, with the ledger and the news. Levels that are missing are made.

    Gives the levels, which carry their new figures; to the claim they are known as they were.
    """
    if not all(caller.reaches(warehouse_id) for _, warehouse_id in changes):
        raise refusals.moves_elsewhere().only()
    if any(abs(change.on_hand) > quantities.MAXIMUM for change in changes.values()):
        raise invalid(f"A movement is at most {quantities.MAXIMUM} at once.")
    at = database.now()
    known = {key: level for key in changes if (level := claim.level(*key)) is not None}
    await _move([(level, changes[key].on_hand) for key, level in known.items()], at)
    made = await _make({key: change.on_hand for key, change in changes.items() if key not in known}, at)
    claim.add(made)
    claim.told.update((level.id, Level()) for level in made)
    levels = [*known.values(), *made]
    await _tell([(level, changes[level.item_id, level.warehouse_id]) for level in levels], caller, at)
    return levels


async def _move(levels: Sequence[tuple[InventoryLevel, Decimal]], at: datetime) -> None:
    """Add to levels that are there, by increments; those out of use come back into it."""
    moved = [(level.id, to_units(units)) for level, units in levels]
    if database.is_postgres() and moved:
        ids, stored = zip(*moved, strict=True)
        await database.execute(_MOVE_ALL, at, at, list(ids), list(stored))
    else:
        await database.execute_many(_MOVE_ONE, [[at, at, level_id, units] for level_id, units in moved])
    for level, units in levels:
        level.on_hand += units
        level.available += units
        level.deleted_at = None


async def _make(on_hand: Mapping[Key, Decimal], at: datetime) -> list[InventoryLevel]:
    """New levels that have that much."""
    rows = []
    for (item_id, warehouse_id), units in on_hand.items():
        stored = to_units(units)
        rows.append((item_id, warehouse_id, stored, stored))
    same = {**_NOTHING, "updated_at": at, "counted_at": at}
    ids = await database.insert(InventoryLevel, _LEVEL, rows, same)
    unset = same | {"deleted_at": None}
    return [
        InventoryLevel._init_from_db(id=level_id, **dict(zip(_LEVEL, row, strict=True)), **unset)
        for level_id, row in zip(ids, rows, strict=True)
    ]


_LEVEL = ("item_id", "warehouse_id", "on_hand", "available")
_NOTHING = dict.fromkeys(("reserved", "planned", "held", "backordered", "incoming"), 0)
_MOVEMENT = ("level_id", "kind", "quantity", "on_hand_after", "seal")


async def _tell(levels: Sequence[tuple[InventoryLevel, Change]], caller: Caller, at: datetime) -> None:
    """Write the movements to the ledger, and the news of every level."""
    moved = [(level, change) for level, change in levels if change.on_hand]
    rows = [
        (
            level.id,
            change.kind.value,
            to_units(change.on_hand),
            to_units(level.on_hand),
            movement_seal(level, change.kind, change.on_hand, level.on_hand, caller.name, at),
        )
        for level, change in moved
        if change.kind is not None
    ]
    ids = await database.insert(inventory.StockMovement, _MOVEMENT, rows, {"actor": caller.name, "created_at": at})
    movements = {level.id: movement_id for (level, _), movement_id in zip(moved, ids, strict=True)}
    await outbox.add(
        [
            Event(Topic.LEVEL, level.id, {"movement": movements[level.id]} if level.id in movements else {})
            for level, _ in levels
        ]
    )
