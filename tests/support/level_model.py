"""The part of the stock model for levels: counts, transfers, arrivals, holds, sources of orders, and the queue of
backorders."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from support.facts import Facts
from support.stock_records import (
    Announcement,
    Hold,
    Level,
    Movement,
    Order,
    Piece,
    Place,
    Queued,
    Refused,
    Rows,
    Rules,
    changed,
)


class LevelModel:
    """``movements``: those since it was last emptied."""

    def __init__(self, rules: dict[str, Rules], warehouses: Sequence[str], facts: Facts) -> None:
        self.rules = rules
        self.warehouses = tuple(warehouses)
        self.facts = facts
        self.movements: list[Movement] = []

    def level(self, sku: str, warehouse: str) -> Level:
        found: Level = self.facts.get(("level", sku, warehouse)) or Level(in_use=False)
        return found

    # ── stock

    def adjust(self, rows: Sequence[tuple[str, str, int]]) -> None:
        reasons = []
        for sku, warehouse, delta in rows:
            on_hand = self.level(sku, warehouse).on_hand
            if delta < 0 and on_hand + delta < 0:
                reasons.append(("INSUFFICIENT_STOCK", max(on_hand, 0)))
            else:
                self._change(sku, warehouse, "ADJUSTMENT", on_hand=delta)
        self._end_of_rows(reasons, [(sku, warehouse) for sku, warehouse, _ in rows])

    def count(self, rows: Sequence[tuple[str, str, int, int | None, int]]) -> None:
        """Each row: SKU, warehouse, count, expected onHand, and the movements since the time of the count."""
        reasons = []
        for sku, warehouse, counted, expected, moved in rows:
            on_hand = self.level(sku, warehouse).on_hand
            if expected is not None and expected != on_hand:
                reasons.append(("STALE_QUANTITY", on_hand))
            else:
                self._change(sku, warehouse, "COUNT", on_hand=counted + moved - on_hand)
        self._end_of_rows(reasons, [(sku, warehouse) for sku, warehouse, *_ in rows])

    def transfer(self, source: str, target: str, rows: Rows) -> None:
        reasons = []
        for sku, quantity in rows:
            free = max(self.level(sku, source).available, 0)
            if quantity > free:
                reasons.append(("INSUFFICIENT_STOCK", free))
            else:
                self._change(sku, source, "TRANSFER_OUT", on_hand=-quantity)
                self._change(sku, target, "TRANSFER_IN", on_hand=quantity)
        self._end_of_rows(reasons, [(sku, warehouse) for sku, _ in rows for warehouse in (source, target)])

    def announce(self, id: int, sku: str, warehouse: str, quantity: int, at: datetime | None = None) -> None:
        self._announce(id, Announcement(sku, warehouse, quantity, at))

    def update(self, id: int, **changes: Any) -> None:
        """Set a new ``quantity`` or a new date (``at``)."""
        found: Announcement = self.facts.get(("announcement", id))
        if found.withdrawn:
            raise Refused(("INVALID_STATE", None))
        if changes.get("quantity", found.quantity) < found.received:
            raise Refused(("INVALID_INPUT", None))
        self._announce(id, found._replace(**changes))

    def _announce(self, id: int, to_be: Announcement) -> None:
        """Add or replace an announcement, and update its level."""
        found = self.facts.get(("announcement", id))
        more = to_be.remaining - (found.remaining if found else 0)
        self.facts.put(("announcement", id), to_be)
        at = to_be.sku, to_be.warehouse
        self._expect(*at, sorted({*self.facts.get(("coming", *at), ()), id}))
        if more:
            self._change(*at, incoming=more)
            self._fill([at])

    def receive(self, warehouse: str, sku: str, quantity: int, announcement: int | None = None) -> None:
        if announcement is not None:
            self._announced(announcement)
        left = quantity
        waiting = self.facts.get(("coming", sku, warehouse), ()) if announcement is None else (announcement,)
        for id in waiting:
            found = self.facts.get(("announcement", id))
            brought = min(found.remaining, left)
            self.facts.put(("announcement", id), found._replace(received=found.received + brought))
            left -= brought
        self._expect(sku, warehouse, self.facts.get(("coming", sku, warehouse), ()))
        self._change(sku, warehouse, "RECEIPT", on_hand=quantity, incoming=left - quantity)
        self._fill([(sku, warehouse)])

    def withdraw(self, id: int) -> None:
        self._announce(id, self._announced(id)._replace(withdrawn=True))

    def delete_level(self, sku: str, warehouse: str) -> None:
        level = self.level(sku, warehouse)
        if not level.in_use:
            raise Refused(("NOT_FOUND", None))
        if any(level[:7]):
            raise Refused(("INVALID_STATE", None))
        self.facts.put(("level", sku, warehouse), level._replace(in_use=False))

    def look(self, sku: str, warehouse: str) -> tuple[int, ...] | None:
        """The figures of a level: on hand, reserved, planned, backordered, held, incoming."""
        level = self.level(sku, warehouse)
        return level[:6] if level.in_use else None

    # ── holds

    def hold(self, id: int, rows: Rows, replaces: int | None = None) -> None:
        freed = self._end(replaces, "RELEASED")
        plan, short = self._plan(rows, only_free=True)
        if short:
            raise Refused(*short)
        parts = tuple((sku, at, n) for (sku, _), found in zip(rows, plan, strict=True) for at, n, _ in found)
        for sku, warehouse, quantity in parts:
            self._change(sku, warehouse, held=quantity)
        self.facts.put(("hold", id), Hold(parts))
        self._fill([*freed, *((sku, warehouse) for sku, warehouse, _ in parts)])

    def release(self, id: int) -> None:
        self._fill(self._end(id, "RELEASED"))

    def expire(self, id: int) -> None:
        """Expire a hold, unless it has ended."""
        if self.facts.get(("hold", id)).state == "ACTIVE":
            self._end(id, "EXPIRED")

    def _end(self, id: int | None, state: str) -> list[Place]:
        """Free the units of a hold. Returns where they were."""
        if id is None:
            return []
        hold: Hold = self.facts.get(("hold", id))
        if hold.state != "ACTIVE":
            raise Refused(("HOLD_EXPIRED" if hold.state == "EXPIRED" else "INVALID_STATE", None))
        self.facts.put(("hold", id), hold._replace(state=state))
        for sku, warehouse, quantity in hold.parts:
            self._change(sku, warehouse, held=-quantity)
        return [(sku, warehouse) for sku, warehouse, _ in hold.parts]

    # ── shared

    def _plan(self, rows: Rows, first: Any = (), *, only_free: bool = False) -> tuple[list[Any], list[Any]]:
        """The parts of each line (warehouse, quantity, state), None if its item is short, and the reasons for these."""
        plan: list[Any] = [None] * len(rows)
        short: list[tuple[str, int | None]] = []
        for sku in dict.fromkeys(sku for sku, _ in rows):
            rules = self.rules[sku]
            held = [warehouse for held_sku, warehouse, _ in first if held_sku == sku]
            sources = [w for w in dict.fromkeys([*held, *self.warehouses]) if self.level(sku, w).in_use]
            free = self._free(sku, sources)
            rooms = self._rooms(sku, () if only_free else sources)
            room = sum(rooms.values())
            if rules.threshold < 0:
                waiting = sum(self.level(sku, warehouse).backordered for warehouse in sources)
                room = min(room, max(-rules.threshold - waiting, 0))
            if sum(n for one, n in rows if one == sku) > sum(free.values()) + room:
                short.append(("INSUFFICIENT_STOCK", int(sum(free.values()) + room)))
                continue
            for number, (one, left) in enumerate(rows):
                if one == sku:
                    plan[number] = self._parts(left, sources, free, rooms)
        return plan, short

    def _free(self, sku: str, sources: Sequence[str]) -> dict[str, int]:
        """The free units of each source. The safety stock stays in the last ones."""
        kept = 0 if self.rules[sku].backorders else max(self.rules[sku].threshold, 0)
        free = {}
        for warehouse in reversed(sources):
            there = max(self.level(sku, warehouse).available, 0)
            free[warehouse] = max(there - kept, 0)
            kept -= there - free[warehouse]
        return free

    def _rooms(self, sku: str, sources: Sequence[str]) -> dict[str, float]:
        """The room for backorders at each source."""
        rules = self.rules[sku]
        if not rules.backorders:
            return {}
        if not rules.from_incoming:
            return dict.fromkeys(sources, float("inf"))
        coming = {warehouse: len(self._supply(sku, warehouse)) for warehouse in sources}
        return {w: max(coming[w] - max(-self.level(sku, w).available, 0), 0) for w in sources}

    def _supply(self, sku: str, warehouse: str) -> list[datetime]:
        """The dates of expected units, one per unit."""
        found = [self.facts.get(("announcement", id)) for id in self.facts.get(("coming", sku, warehouse), ())]
        return sorted(one.at for one in found if one.at is not None for _ in range(one.remaining))

    def _parts(
        self, left: int, sources: Sequence[str], free: dict[str, int], rooms: dict[str, float]
    ) -> list[tuple[str, int, str]]:
        parts = []
        for warehouse in sources:
            if taken := min(free[warehouse], left):
                parts.append((warehouse, taken, "ON_HAND"))
                free[warehouse] -= taken
                left -= taken
        for warehouse, room in rooms.items():
            if taken := int(min(room, left)):
                parts.append((warehouse, taken, "BACKORDERED"))
                rooms[warehouse] -= taken
                left -= taken
        return parts

    def _change(self, sku: str, warehouse: str, kind: str | None = None, *, on_hand: int = 0, **by: int) -> None:
        """Change the figures of a level, and take it into use."""
        level = self.level(sku, warehouse)
        figures = {name: getattr(level, name) + quantity for name, quantity in by.items()}
        level = level._replace(in_use=True, on_hand=level.on_hand + on_hand, **figures)
        if on_hand:
            assert kind is not None
            self.movements.append(Movement(sku, warehouse, kind, on_hand, level.on_hand, level.moved))
            level = level._replace(moved=level.moved + 1)
        self.facts.put(("level", sku, warehouse), level)

    def _end_of_rows(self, reasons: Sequence[tuple[str, int | None]], levels: Sequence[Place]) -> None:
        if reasons:
            raise Refused(*reasons)
        self._fill(levels)

    def _expect(self, sku: str, warehouse: str, ids: Sequence[int]) -> None:
        """Keep the announcements with remaining units, oldest first."""
        left = tuple(id for id in ids if self.facts.get(("announcement", id)).remaining)
        self.facts.put(("coming", sku, warehouse), left or None)

    def _announced(self, id: int) -> Announcement:
        found: Announcement = self.facts.get(("announcement", id))
        if not found.remaining:
            raise Refused(("INVALID_STATE", None))
        return found

    def _fill(self, levels: Sequence[Place]) -> None:
        """Fill backorders until no more units wait than are missing, in planning order."""
        for sku, warehouse in dict.fromkeys(levels):
            level = self.level(sku, warehouse)
            count = level.backordered - max(-level.available, 0)
            if level.backordered and count > 0:
                self._fill_orders(sku, warehouse, count)
                self._change(sku, warehouse, backordered=-count)

    def _fill_orders(self, sku: str, warehouse: str, count: int) -> None:
        still = []
        for place in self.facts.get(("waiting", sku, warehouse), ()):
            for piece in self._waiting(place, warehouse):
                given = min(piece.quantity, count)
                count -= given
                if given:
                    id, number, _ = place
                    order: Order = self.facts.get(("order", id))
                    lines = list(order.lines)
                    pieces = changed(lines[number].pieces, piece, given, state="ON_HAND", shipment=piece.shipment)
                    lines[number] = lines[number]._replace(pieces=pieces)
                    self.facts.put(("order", id), order._replace(lines=tuple(lines)))
            if self._waiting(place, warehouse):
                still.append(place)
        self.facts.put(("waiting", sku, warehouse), tuple(still) or None)

    def _waiting(self, place: Queued, warehouse: str) -> list[Piece]:
        """The queued pieces that still wait there; others were canceled or moved."""
        id, number, position = place
        pieces = self.facts.get(("order", id)).lines[number].pieces
        return [p for p in pieces if (p.position, p.warehouse, p.state) == (position, warehouse, "BACKORDERED")]
