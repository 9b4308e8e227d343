"""A model of stock: each mutation in a few lines of plain Python, in whole units, for one website.

It shares no code with gqlstock's own rules, so it reveals their faults. It leaves two questions open, which the checked
clients avoid: which of two open shipments of one source gives up a unit, and the place of a parked order in the queue.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from support.level_model import LevelModel
from support.stock_records import (
    GONE,
    NEVER,
    NO_SHIPMENT,
    ON_ORDER,
    ON_SHIPMENT,
    OPEN,
    Hold,
    Line,
    Order,
    Pick,
    Piece,
    Place,
    Queued,
    Refused,
    Rows,
    Shipment,
    changed,
    merged,
)


class Model(LevelModel):
    """The whole model: ``LevelModel``, orders and shipments."""

    # ── orders

    def place(self, id: int, rows: Rows, hold: int | None = None) -> None:
        first = self.facts.get(("hold", hold), Hold(())).parts
        freed = self._end(hold, "ORDERED")
        plan, short = self._plan(rows, first)
        if short and not self._parked(rows, plan):
            raise Refused(*short)
        order = Order(tuple(Line(sku, quantity) for sku, quantity in rows), parked=bool(short))
        self._take(id, order, () if short else tuple(enumerate(plan)), freed)

    def _parked(self, rows: Rows, plan: Sequence[object]) -> bool:
        return all(self.rules[sku].parks for (sku, _), parts in zip(rows, plan, strict=True) if parts is None)

    def retry(self, id: int) -> None:
        order: Order = self.facts.get(("order", id))
        if order.status != "BACKORDERED":
            raise Refused(("INVALID_STATE", None))
        wanted = [(line.sku, line.quantity - line.canceled) for line in order.lines]
        plan, short = self._plan(wanted)
        if short:
            raise Refused(*short)
        self._take(id, order._replace(parked=False), tuple(enumerate(plan)), [])

    def _take(self, id: int, order: Order, plan: Sequence[tuple[int, Any]], freed: list[Place]) -> None:
        """Plan units of lines, by line number, behind those that the lines have and behind all waiting units."""
        lines = list(order.lines)
        sold: dict[Place, int] = {}
        for number, parts in plan:
            line, mode = lines[number], self.rules[lines[number].sku].mode
            pieces = _pieces(parts, mode, _next_position(line))
            lines[number] = line._replace(pieces=merged([*line.pieces, *pieces]))
            for piece in pieces:
                at = line.sku, piece.warehouse
                self._change(*at, to_leave=piece.quantity)
                if mode == ON_SHIPMENT:
                    self._change(*at, reserved=piece.quantity)
                if mode == ON_ORDER:
                    sold[at] = sold.get(at, 0) + piece.quantity
                if piece.state == "BACKORDERED":
                    self._change(*at, backordered=piece.quantity)
                    queue = self.facts.get(("waiting", *at), ())
                    self.facts.put(("waiting", *at), (*queue, (id, number, piece.position)))
        for at, quantity in sold.items():
            self._change(*at, "SALE", on_hand=-quantity)
        self.facts.put(("order", id), order._replace(lines=tuple(lines)))
        self._fill([*freed, *((line.sku, piece.warehouse) for line in lines for piece in line.pieces)])
        self._promise(id)

    def _promise(self, id: int) -> None:
        """Record the promise dates of all lines of an order."""
        order: Order = self.facts.get(("order", id))
        lines = list(order.lines)
        for number, line in enumerate(lines):
            dates = [self._date((id, number, piece.position), at) for at, piece in _waiting(line)]
            known = [date for date in dates if date is not None]
            told = max(known) if known and len(known) == len(dates) else None
            lines[number] = line._replace(promised=told)
        self.facts.put(("order", id), order._replace(lines=tuple(lines)))

    def _date(self, place: Queued, at: Place) -> datetime | None:
        """When the last unit at an index of a queue arrives."""
        level, supply, queue = self.level(*at), self._supply(*at), self.facts.get(("waiting", *at), ())
        ahead = queue[: queue.index(place) + 1]
        last = sum(piece.quantity for one in ahead for piece in self._waiting(one, at[1]))
        last += max(-level.available - level.backordered, 0)
        return supply[last - 1] if last <= len(supply) else None

    def edit(self, id: int, change: Sequence[tuple[int, int]], add: Rows) -> None:
        """``change``: the new quantities of lines, by line number. Units taken from lines are free for the others."""
        order: Order = self.facts.get(("order", id))
        if order.status not in ("PLACED", "PARTIALLY_SHIPPED"):
            raise Refused(("INVALID_STATE", None))
        raised: list[tuple[int, int]] = []
        lowered: list[Pick] = []
        gone = [sum(p.quantity for p in line.pieces if p.state in GONE) for line in order.lines]
        if refused := [("INVALID_STATE", None) for number, quantity in change if quantity < gone[number]]:
            raise Refused(*refused)
        for number, quantity in sorted(change):
            more = quantity - (order.lines[number].quantity - order.lines[number].canceled)
            if more > 0:
                raised.append((number, more))
            elif more < 0:
                row = order.lines[number].sku, -more
                lowered += self._picks(order, [row], _is_open, _first_canceled, number)
        order = self._cancel(id, order, lowered)
        freed = self._touched(order, lowered)
        self._fill(freed)
        order = self.facts.get(("order", id))
        plan, short = self._plan([*((order.lines[number].sku, more) for number, more in raised), *add])
        if short:
            raise Refused(*short)
        lines = [*order.lines, *(Line(sku, quantity) for sku, quantity in add)]
        for number, more in raised:
            lines[number] = lines[number]._replace(quantity=lines[number].quantity + more)
        numbers = [*(number for number, _ in raised), *range(len(order.lines), len(lines))]
        planned = tuple(zip(numbers, plan, strict=True))
        self._take(id, order._replace(lines=tuple(lines)), planned, freed)

    def move(self, id: int, sku: str, quantity: int, source: str, target: str) -> None:
        """The moved units take free units there, and come last in the plan of their lines."""
        order: Order = self.facts.get(("order", id))
        picks = self._picks(order, [(sku, quantity)], lambda p: _is_open(p) and p.warehouse == source, _first_canceled)
        free = max(self.level(sku, target).available, 0)
        if quantity > free:
            raise Refused(("INSUFFICIENT_STOCK", free))
        here, there, mode = (sku, source), (sku, target), self.rules[sku].mode
        lines = list(order.lines)
        for number, piece, taken in picks:
            waits = taken if piece.state == "BACKORDERED" else 0
            self._change(*here, to_leave=-taken, backordered=-waits)
            if mode == ON_SHIPMENT:
                self._change(*here, **{"reserved" if piece.shipment == NO_SHIPMENT else "planned": -taken})
            line, rest = lines[number], piece._replace(quantity=piece.quantity - taken)
            new = Piece(_next_position(order.lines[number]), target, "ON_HAND", NO_SHIPMENT, taken)
            lines[number] = line._replace(pieces=merged([*(one for one in line.pieces if one != piece), rest, new]))
        if mode == ON_ORDER:
            self._change(*here, "CANCELLATION", on_hand=quantity)
            self._change(*there, "SALE", on_hand=-quantity)
        self._change(*there, to_leave=quantity, reserved=quantity if mode == ON_SHIPMENT else 0)
        self.facts.put(("order", id), order._replace(lines=tuple(lines)))
        self._fill([here, there])

    def cancel(self, id: int, rows: Rows | None = None, restock: bool = True) -> None:
        order: Order = self.facts.get(("order", id))
        if order.status in ("SHIPPED", "CANCELED"):
            raise Refused(("INVALID_STATE", None))
        if order.parked:
            return self._cancel_parked(id, order, rows)
        picks = self._picks(order, rows, _is_open, _first_canceled)
        self._cancel(id, order, picks, restock=restock)
        return self._fill(self._touched(order, picks))

    def _cancel(self, id: int, order: Order, picks: Sequence[Pick], *, restock: bool = True) -> Order:
        """Units on hand are written off unless they are restocked."""
        self._move(id, order, picks, "CANCELED", "CANCELLATION")
        if not restock:
            lost = Counter[Place]()
            for number, piece, quantity in picks:
                if piece.state == "ON_HAND" and self.rules[order.lines[number].sku].mode != NEVER:
                    lost[order.lines[number].sku, piece.warehouse] += quantity
            for at, quantity in lost.items():
                self._change(*at, "ADJUSTMENT", on_hand=-quantity)
        order = self.facts.get(("order", id))
        canceled = [sum(n for number, _, n in picks if number == one) for one in range(len(order.lines))]
        lines = tuple(line._replace(canceled=line.canceled + n) for line, n in zip(order.lines, canceled, strict=True))
        order = order._replace(lines=lines)
        self.facts.put(("order", id), order)
        return order

    def _cancel_parked(self, id: int, order: Order, rows: Rows | None) -> None:
        lines = list(order.lines)
        for sku, left in rows if rows is not None else [(line.sku, line.quantity) for line in lines]:
            for number, line in enumerate(lines):
                if line.sku == sku:
                    taken = min(line.quantity - line.canceled, left)
                    lines[number] = line._replace(canceled=line.canceled + taken)
                    left -= taken
            if left and rows is not None:
                raise Refused(("INVALID_STATE", None))
        self.facts.put(("order", id), order._replace(lines=tuple(lines)))

    def take_back(self, id: int, rows: Rows, restock: bool = True) -> None:
        order: Order = self.facts.get(("order", id))
        picks = self._picks(
            order, rows, lambda p: p.state == "SHIPPED", lambda p: (order.left.index(p.shipment), p.position)
        )
        self._move(id, order, picks, "RETURNED", "RETURN" if restock else None)
        self._fill(self._touched(order, picks) if restock else [])

    def look_order(self, id: int) -> tuple[str, tuple[tuple[Any, ...], ...]]:
        """The status of an order, and of each line: SKU, units ordered, canceled, backordered, shipped and returned."""
        order: Order = self.facts.get(("order", id))
        return order.status, tuple(self._shown(order, line) for line in order.lines)

    def _shown(self, order: Order, line: Line) -> tuple[Any, ...]:
        units = Counter[str]()
        for piece in line.pieces:
            units[piece.state] += piece.quantity
        gone = units["SHIPPED"] + units["RETURNED"]
        return line.sku, line.quantity, line.canceled, units["BACKORDERED"], gone, units["RETURNED"]

    # ── shipments

    def pack(self, id: int, order: int, warehouse: str, rows: Rows | None = None) -> None:
        found: Order = self.facts.get(("order", order))
        picks = self._picks(
            found,
            rows,
            lambda p: _is_open(p) and p.shipment == NO_SHIPMENT and p.warehouse == warehouse,
            lambda p: (p.state == "BACKORDERED", p.position),
        )
        if found.status in ("BACKORDERED", "CANCELED") or not picks:
            raise Refused(("INVALID_STATE", None))
        self.facts.put(("shipment", id), Shipment(order, warehouse, "READY"))
        self._move(order, found, picks, None, None, into=id)

    def ship(self, id: int, anyway: bool = False) -> None:
        order, found, picks = self._contents(id)
        if any(piece.state == "BACKORDERED" for _, piece, _ in picks):
            raise Refused(("INVALID_STATE", None))
        self._move(order, found, picks, "SHIPPED", "SHIPMENT")
        if not anyway and any(movement.on_hand_after < 0 for movement in self.movements):
            raise Refused(("INSUFFICIENT_STOCK", None))
        found = self.facts.get(("order", order))
        self.facts.put(("order", order), found._replace(left=(*found.left, id)))
        self.facts.put(("shipment", id), self.facts.get(("shipment", id))._replace(state="SHIPPED"))
        self._fill(self._touched(found, picks))

    def unpack(self, id: int) -> None:
        order, found, picks = self._contents(id)
        self._move(order, found, picks, None, None, into=NO_SHIPMENT)

    # ── shared

    def _contents(self, id: int) -> tuple[int, Order, list[Pick]]:
        """The order of an open shipment, and the contents of the shipment."""
        shipment: Shipment = self.facts.get(("shipment", id))
        order: Order = self.facts.get(("order", shipment.order))
        picks = self._picks(order, None, lambda p: p.shipment == id, lambda p: p.position)
        if shipment.state == "SHIPPED" or not picks:
            raise Refused(("INVALID_STATE", None))
        return shipment.order, order, picks

    def _picks(
        self,
        order: Order,
        rows: Rows | None,
        fits: Callable[[Piece], bool],
        rank: Callable[[Piece], Any],
        line_number: int | None = None,
    ) -> list[Pick]:
        """Pick units from the matching pieces, in order of rank: for the given rows, or of all lines without rows.
        ``line_number``: only of that line."""
        picks = []
        for sku, left in rows if rows is not None else [(None, 0)]:
            for number, line in enumerate(order.lines):
                if line.sku != (sku or line.sku) or line_number not in (None, number):
                    continue
                for piece in sorted(filter(fits, line.pieces), key=rank):
                    taken = piece.quantity if sku is None else min(piece.quantity, left)
                    left -= taken
                    if taken:
                        picks.append(Pick(number, piece, taken))
            if sku is not None and left:
                raise Refused(("INVALID_STATE", None))
        return picks

    def _move(
        self,
        id: int,
        order: Order,
        picks: Sequence[Pick],
        state: str | None,
        kind: str | None,
        *,
        into: int | None = None,
    ) -> None:
        """Move units to a state or into a shipment. ``kind``: of the movement; None if nothing is counted."""
        lines = list(order.lines)
        moved: dict[Place, int] = {}
        for number, piece, quantity in picks:
            line = lines[number]
            shipment = NO_SHIPMENT if state == "CANCELED" else piece.shipment if into is None else into
            pieces = changed(line.pieces, piece, quantity, state=state or piece.state, shipment=shipment)
            lines[number] = line._replace(pieces=pieces)
            at, mode = (line.sku, piece.warehouse), self.rules[line.sku].mode
            if state in ("CANCELED", "SHIPPED"):
                self._change(*at, to_leave=-quantity)
            if mode == ON_SHIPMENT and state != "RETURNED":
                self._change(*at, **{"reserved" if piece.shipment == NO_SHIPMENT else "planned": -quantity})
            if mode == ON_SHIPMENT and state is None:
                self._change(*at, **{"reserved" if into == NO_SHIPMENT else "planned": quantity})
            if state == "CANCELED" and piece.state == "BACKORDERED":
                self._change(*at, backordered=-quantity)
            sign = _SIGNS.get((mode, state), 0) if kind is not None else 0
            moved[at] = moved.get(at, 0) + sign * quantity
        self.facts.put(("order", id), order._replace(lines=tuple(lines)))
        for at, quantity in moved.items():
            if quantity:
                self._change(*at, kind, on_hand=quantity)

    def _touched(self, order: Order, picks: Sequence[Pick]) -> list[Place]:
        return [(order.lines[number].sku, piece.warehouse) for number, piece, _ in picks]


def _waiting(line: Line) -> list[tuple[Place, Piece]]:
    """The waiting pieces of a line, with their levels."""
    return [((line.sku, piece.warehouse), piece) for piece in line.pieces if piece.state == "BACKORDERED"]


# How a unit that reaches a state changes onHand, by the decrement mode of its order.
_SIGNS = {
    (ON_ORDER, "CANCELED"): +1,
    (ON_ORDER, "RETURNED"): +1,
    (ON_SHIPMENT, "SHIPPED"): -1,
    (ON_SHIPMENT, "RETURNED"): +1,
}


def _is_open(piece: Piece) -> bool:
    return piece.state in OPEN


def _first_canceled(piece: Piece) -> Any:
    """Waiting units first, then unpacked ones, then those planned last."""
    return piece.state == "ON_HAND", piece.shipment != NO_SHIPMENT, -piece.position


def _next_position(line: Line) -> int:
    return max((piece.position + 1 for piece in line.pieces), default=0)


def _pieces(parts: Sequence[tuple[str, int, str]], mode: str, first: int) -> tuple[Piece, ...]:
    """Where the units of a line come from. Under NEVER nothing waits, and the units of a warehouse are one piece."""
    if mode == NEVER:
        places = list(dict.fromkeys(warehouse for warehouse, _, _ in parts))
        return merged(Piece(first + places.index(w), w, "ON_HAND", NO_SHIPMENT, n) for w, n, _ in parts)
    return tuple(Piece(number, w, state, NO_SHIPMENT, n) for number, (w, n, state) in enumerate(parts, first))
