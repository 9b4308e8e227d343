"""Levels and their ledger: the one lock on them and the one place that writes them, but for ``counts``, many at a time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Protocol

from tortoise import fields
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import ledger, refusals, seals
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.ledger import Change, Level, MovementKind
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import Caller
from gqlstock.store import database, outbox
from gqlstock.store.catalog import Item
from gqlstock.store.fields import QuantityField, from_units, to_units
from gqlstock.store.warehouses import Warehouse


class InventoryLevel(Model):
    """One item in one warehouse. Only ``record`` writes its figures. ``available`` is theirs, kept to sort by."""

    id = fields.BigIntField(primary_key=True)
    item: fields.ForeignKeyRelation[Item] = fields.ForeignKeyField(
        "gqlstock.Item", related_name="levels", on_delete=fields.RESTRICT
    )
    item_id: int
    warehouse: fields.ForeignKeyRelation[Warehouse] = fields.ForeignKeyField(
        "gqlstock.Warehouse", related_name="levels", on_delete=fields.RESTRICT
    )
    warehouse_id: int
    on_hand: fields.Field[Decimal] = QuantityField(default=ZERO)
    reserved: fields.Field[Decimal] = QuantityField(default=ZERO)
    planned: fields.Field[Decimal] = QuantityField(default=ZERO)
    held: fields.Field[Decimal] = QuantityField(default=ZERO)
    backordered: fields.Field[Decimal] = QuantityField(default=ZERO)
    incoming: fields.Field[Decimal] = QuantityField(default=ZERO)
    available: fields.Field[Decimal] = QuantityField(default=ZERO)
    counted_at = fields.DatetimeField(null=True)
    updated_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)

    class Meta:
        table = "inventory_level"
        unique_together = (("item_id", "warehouse_id"),)
        indexes = (("warehouse_id", "id"), ("available", "id"), ("on_hand", "id"), ("updated_at", "id"))

    @property
    def state(self) -> Level:
        """Its figures, as the rules know a level."""
        return Level(self.on_hand, self.reserved, self.planned, self.held, self.backordered, self.incoming)


class LevelPlace(Protocol):
    """Whose level it is, and where."""

    @property
    def id(self) -> int: ...
    @property
    def item_id(self) -> int: ...
    @property
    def warehouse_id(self) -> int: ...


class StockMovement(Model):
    """One line of the ledger, never edited or removed."""

    id = fields.BigIntField(primary_key=True)
    level: fields.ForeignKeyRelation[InventoryLevel] = fields.ForeignKeyField(
        "gqlstock.InventoryLevel", related_name="movements", on_delete=fields.RESTRICT
    )
    level_id: int
    kind = fields.CharEnumField(MovementKind, max_length=20)
    quantity: fields.Field[Decimal] = QuantityField()
    on_hand_after: fields.Field[Decimal] = QuantityField()
    reason = fields.CharField(max_length=1000, null=True)
    reference = fields.CharField(max_length=255, null=True)
    actor = fields.CharField(max_length=255)
    order_id = fields.BigIntField(null=True)
    created_at = fields.DatetimeField()
    seal = fields.BigIntField(null=True)

    class Meta:
        table = "stock_movement"
        indexes = (("level_id", "id"), ("order_id", "id"), ("created_at", "id"), ("kind", "id"), ("reference",))

    def sealed(self, place: "LevelPlace") -> int:
        """Its seal, by which its level is also known to be the one that it was written for."""
        return seals.of_movement(self, place.item_id, place.warehouse_id)


@dataclass(slots=True)
class Posting:
    """A change of one level, and what the ledger says of it."""

    level: InventoryLevel
    change: Change
    caller: Caller
    reason: str | None = None
    reference: str | None = None
    order: Model | None = None
    """The order that it belongs to, which may get its id only when it is written."""
    counted_at: datetime | None = None


class Claim:
    """Items that this transaction has to itself, with their levels in all warehouses."""

    def __init__(self, items: dict[int, Item], levels: Iterable[InventoryLevel], alerted: Collection[int]) -> None:
        self.items = items
        self.alerted = set(alerted)
        """The items that may have an open alert."""
        self.told: dict[int, Level] = {}
        """Each level as it was when news of it was last worked out: at first as it was claimed."""
        self._levels: dict[int, dict[int, InventoryLevel]] = {}
        self.add(levels)

    def levels(self, item_id: int) -> list[InventoryLevel]:
        """An item's levels in use, by id."""
        return [level for level in self._levels.get(item_id, {}).values() if level.deleted_at is None]

    def all_levels(self, item_id: int) -> list[InventoryLevel]:
        """An item's levels, those out of use as well."""
        return list(self._levels.get(item_id, {}).values())

    def level(self, item_id: int, warehouse_id: int) -> InventoryLevel | None:
        """The item's level in that warehouse, one out of use as well."""
        return self._levels.get(item_id, {}).get(warehouse_id)

    def add(self, levels: Iterable[InventoryLevel]) -> None:
        """Take up levels that were made under this claim."""
        for level in levels:
            self._levels.setdefault(level.item_id, {})[level.warehouse_id] = level
            self.told.setdefault(level.id, level.state)

    async def open(self, item_id: int, warehouse_id: int) -> InventoryLevel:
        """The item's level in that warehouse, made if it is missing and brought back into use if it was not."""
        await self.open_all([(item_id, warehouse_id)])
        level = self.level(item_id, warehouse_id)
        assert level is not None
        return level

    async def open_all(self, keys: Iterable[tuple[int, int]]) -> None:
        """Make the levels of these pairs of item and warehouse that are missing, and bring back those out of use."""
        at = database.now()
        wanted = {key: self.level(*key) for key in keys}
        made = [
            InventoryLevel(item_id=item_id, warehouse_id=warehouse_id, updated_at=at)
            for (item_id, warehouse_id), level in wanted.items()
            if level is None
        ]
        await database.insert_many(made)
        self.add(made)
        back = [level for level in wanted.values() if level is not None and level.deleted_at is not None]
        for level in back:
            level.deleted_at = None
        if back:
            await InventoryLevel.filter(id__in=[level.id for level in back]).update(deleted_at=None)
        await outbox.add([Event(Topic.LEVEL, level.id) for level in [*made, *back]])


_CLAIMED = """
    SELECT l.*, EXISTS (SELECT 1 FROM low_inventory_alert a WHERE a.item_id = l.item_id AND a.state = 'RAISED') AS alerted
    FROM inventory_level l WHERE l.item_id IN ({slots}) ORDER BY l.id
"""


async def claim(item_ids: Collection[int], read: Mapping[int, Item] = MappingProxyType({})) -> Claim:
    """Lock items against every other transaction that claims them, in the order of their ids, and read their levels.

    The one lock on stock: whoever changes a level, or what an item is, claims the item first. On SQLite the running
    transaction is the only writer anyway. Items are locked rather than levels, so that a level can be made under it.

    ``read`` are those of them that this transaction read before. Were they changed until it had the lock, it starts again.
    """
    wanted = set(item_ids)
    if wanted <= read.keys() and not database.is_postgres():
        found = {item_id: read[item_id] for item_id in wanted}
    else:
        locked = f"id IN ({database.slots(wanted)}) ORDER BY id" + (
            " FOR NO KEY UPDATE" if database.is_postgres() else ""
        )
        rows = await database.rows(Item, locked, *wanted)
        found = {item.id: item for item in rows}
        if any(item.id in read and item.updated_at != read[item.id].updated_at for item in rows):
            raise database.Outdated(f"items {sorted(wanted)} were changed")
    return await claimed(found)


async def claimed(items: dict[int, Item]) -> Claim:
    """The claim on items that are locked, with their levels as they are now."""
    rows_found = await database.query(_CLAIMED.format(slots=database.slots(items)), *items)
    levels = [InventoryLevel._init_from_db(**row) for row in rows_found]
    quiet = {row["item_id"] for row in rows_found if not row["alerted"]}
    await current(levels)
    return Claim(items, levels, items.keys() - quiet)


_LOCKED_AT_ONCE = 5_000
_FIGURES = ("on_hand", "reserved", "planned", "held", "backordered", "incoming", "available")
_INCREMENT = (
    "UPDATE inventory_level SET "
    + ", ".join(f"{figure} = {figure} + ?" for figure in _FIGURES)
    + ", counted_at = COALESCE(?, counted_at), updated_at = ? WHERE id = ?"
)


async def record(postings: Sequence[Posting]) -> list[StockMovement]:
    """Write changes of claimed levels; gives the movements."""
    journal = Journal()
    movements = await journal.enter(postings)
    await journal.write()
    return movements


class Journal:
    """Changes of claimed levels on their way into the ledger: the level objects have them once they are entered, the
    tables once they are written – the figures by increments, a movement for each change of onHand."""

    def __init__(self) -> None:
        self._before: dict[int, Level] = {}
        self._changed: dict[int, InventoryLevel] = {}
        self._counted: dict[int, datetime] = {}
        self._movements: list[tuple[StockMovement, Model | None, Event]] = []

    async def enter(self, postings: Sequence[Posting]) -> list[StockMovement]:
        """Take up changes, with the news of them; gives their movements.

        Refused when a figure leaves its range, and to a caller who is not for that warehouse, whatever it is that would
        move its stock: then none of them is taken up.
        """
        if not all(posting.caller.reaches(posting.level.warehouse_id) for posting in postings):
            raise refusals.moves_elsewhere().only()
        states: dict[int, Level] = {}
        steps = []
        for posting in postings:
            then = states.get(posting.level.id) or posting.level.state
            states[posting.level.id] = ledger.apply(then, posting.change)
            steps.append((then, states[posting.level.id]))
        at = database.now()
        entered = [self._enter(p, then, after, at) for p, (then, after) in zip(postings, steps, strict=True)]
        await outbox.add([event for _, event in entered if event is not None])
        return [movement for movement, _ in entered if movement is not None]

    def _enter(
        self, posting: Posting, then: Level, after: Level, at: datetime
    ) -> tuple[StockMovement | None, Event | None]:
        level = posting.level
        self._before.setdefault(level.id, then)
        self._changed[level.id] = level
        _carry(level, after, at)
        if posting.counted_at is not None:
            level.counted_at = self._counted[level.id] = posting.counted_at
        movement = None
        data: dict[str, int] = {}
        event = Event(Topic.LEVEL, level.id, data) if after != then else None
        if posting.change.on_hand:
            assert event is not None
            movement = _movement(posting, at)
            data["movement"] = 0  # Its id, once it is written.
            self._movements.append((movement, posting.order, event))
        return movement, event

    async def write(self) -> None:
        """Write what was entered; then it is empty. The orders that it belongs to are written by now."""
        for movement, order, _ in self._movements:
            movement.order_id = order.pk if order is not None else None
            movement.seal = movement.sealed(self._changed[movement.level_id])
        await database.insert_many([movement for movement, _, _ in self._movements])
        for movement, _, event in self._movements:
            event.data["movement"] = movement.id
        await database.execute_many(
            _INCREMENT,
            [
                [
                    *_increments(self._before[level_id], level.state),
                    self._counted.get(level_id),
                    level.updated_at,
                    level_id,
                ]
                for level_id, level in sorted(self._changed.items())
            ],
        )
        for part in (self._before, self._changed, self._counted, self._movements):
            part.clear()


def _movement(posting: Posting, at: datetime) -> StockMovement:
    assert posting.change.kind is not None
    return StockMovement(
        level_id=posting.level.id,
        kind=posting.change.kind,
        quantity=posting.change.on_hand,
        on_hand_after=posting.level.on_hand,
        reason=posting.reason,
        reference=posting.reference,
        actor=posting.caller.name,
        created_at=at,
    )


def _carry(level: InventoryLevel, state: Level, at: datetime) -> None:
    for figure in _FIGURES:
        setattr(level, figure, getattr(state, figure))
    level.updated_at = at


def _increments(before: Level, after: Level) -> list[int]:
    return [to_units(getattr(after, figure) - getattr(before, figure)) for figure in _FIGURES]


# A statement takes 32,767 values on PostgreSQL.
_READ_AT_ONCE = 10_000

_EXPIRED = """SELECT u.level_id AS level_id, CAST(SUM(u.quantity) AS BIGINT) AS units
    FROM held_units u JOIN stock_hold h ON h.id = u.hold_id
    WHERE h.state = 'ACTIVE' AND h.expires_at <= ? AND u.level_id IN ({slots}) GROUP BY u.level_id"""


async def drop_expired(held: Mapping[int, Decimal]) -> None:
    """Take what an expired hold kept out of the stored figures of its levels, which ``current`` shows without it."""
    at = database.now()
    await database.execute_many(
        "UPDATE inventory_level SET held = held - ?, available = available + ?, updated_at = ? WHERE id = ?",
        [[to_units(quantity), to_units(quantity), at, level_id] for level_id, quantity in sorted(held.items())],
    )
    # Levels of deleted items are not announced.
    live = {level.id for level in await live_levels().filter(id__in=list(held)).only("id")}
    await outbox.add([Event(Topic.LEVEL, level_id) for level_id in held if level_id in live])


async def current(rows: Sequence[InventoryLevel]) -> Sequence[InventoryLevel]:
    """The levels without what holds kept that have expired: they count nowhere from that moment, swept or not."""
    holding = [level for level in rows if level.held]
    expired = await _expired(holding)
    for level in holding:
        level.held -= expired.get(level.id, ZERO)
        level.available += expired.get(level.id, ZERO)
    return rows


async def _expired(holding: Sequence[LevelPlace]) -> dict[int, Decimal]:
    """What holds that have expired still keep of levels in their stored figures."""
    if not holding:
        return {}
    statement = _EXPIRED.format(slots=database.slots(holding))
    found = await database.query(statement, database.now(), *(level.id for level in holding))
    return {row["level_id"]: from_units(row["units"]) for row in found}


def live_levels() -> QuerySet[InventoryLevel]:
    return InventoryLevel.filter(deleted_at=None)


async def levels(ids: Collection[int]) -> dict[int, InventoryLevel]:
    found = await InventoryLevel.filter(id__in=set(ids)) if ids else []
    return {level.id: level for level in await current(found)}


_FIGURES_OF = """SELECT id, item_id, warehouse_id, on_hand, reserved, planned, held, backordered, incoming
    FROM inventory_level WHERE item_id IN ({slots}) AND deleted_at IS NULL ORDER BY id"""


async def levels_of(item_ids: Collection[int]) -> dict[int, list[Level]]:
    """The levels in use of each item, by id, as they are read."""
    found: dict[int, list[Level]] = {item_id: [] for item_id in item_ids}
    wanted = list(found)
    for start in range(0, len(wanted), _READ_AT_ONCE):
        part = wanted[start : start + _READ_AT_ONCE]
        rows = await database.look(_FIGURES_OF.format(slots=database.slots(part)), *part)
        levels = [ledger.of_figures(map(from_units, units), id_, item, place) for id_, item, place, *units in rows]
        expired = await _expired([level for level in levels if level.held])
        for level in levels:
            kept = expired.get(level.id)
            found[level.item_id].append(replace(level, held=level.held - kept) if kept else level)
    return found


async def levels_in(warehouse_id: int, item_ids: Collection[int]) -> dict[int, InventoryLevel]:
    """The levels in use of items in one warehouse, by item."""
    found = await live_levels().filter(warehouse_id=warehouse_id, item_id__in=set(item_ids))
    return {level.item_id: level for level in await current(found)}


async def retire(level: InventoryLevel) -> None:
    """Take a level out of use; its ledger stays."""
    level.deleted_at = level.updated_at = database.now()
    await level.save(update_fields=["deleted_at", "updated_at"])
    await outbox.add([Event(Topic.LEVEL, level.id)])


async def lock(item_ids: Collection[int]) -> None:
    """Lock items as ``claim`` does, without reading anything: for who claims them later in any order."""
    if database.is_postgres():
        wanted = sorted(item_ids)
        for start in range(0, len(wanted), _LOCKED_AT_ONCE):
            part = wanted[start : start + _LOCKED_AT_ONCE]
            slots = ", ".join("?" * len(part))
            await database.execute(f"SELECT id FROM item WHERE id IN ({slots}) ORDER BY id FOR NO KEY UPDATE", *part)
