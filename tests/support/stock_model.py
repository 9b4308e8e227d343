"""What stock has to do: each mutation of stock in a few lines of plain Python, in whole units, for one website.

It shares no code with gqlstock's own rules, so that a fault in them shows. Two questions it leaves open, and clients that
are checked against it do not ask them: which of two open shipments of one source gives up a unit, and the place of a
parked order among those that wait.
"""

from collections.abc import Callable, Sequence
from typing import Any

from support.level_model import LevelModel
from support.stock_records import (
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
    Refused,
    Rows,
    Shipment,
    changed,
    merged,
)


class Model(LevelModel):
    """All of it: the parts of ``LevelModel``, orders and shipments."""

    # ── orders

    def place(self, id: int, rows: Rows, hold: int | None = None) -> None:
        first = self.facts.get(("hold", hold), Hold(())).parts
        freed = self._end(hold, "ORDERED")
        plan, short = self._plan(rows, first)
        if short and not self._parked(rows, plan):
            raise Refused(*short)
        order = Order(tuple(Line(sku, quantity) for sku, quantity in rows), parked=bool(short))
        self._take(id, order, [] if short else plan, freed)

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
        self._take(id, order._replace(parked=False), plan, [])

    def _take(self, id: int, order: Order, plan: Sequence[Any], freed: list[Place]) -> None:
        lines = list(order.lines)
        sold: dict[Place, int] = {}
        for number, parts in enumerate(plan):
            mode = self.rules[lines[number].sku].mode
            lines[number] = lines[number]._replace(pieces=_pieces(parts, mode))
            for piece in lines[number].pieces:
                at = lines[number].sku, piece.warehouse
                self._change(*at, to_leave=piece.quantity)
                if mode == ON_SHIPMENT:
                    self._change(*at, reserved=piece.quantity)
                if mode == ON_ORDER:
                    sold[at] = sold.get(at, 0) + piece.quantity
                if piece.state == "BACKORDERED":
                    self._change(*at, backordered=piece.quantity)
                    queue = self.facts.get(("waiting", *at), ())
                    self.facts.put(("waiting", *at), queue if id in queue else (*queue, id))
        for at, quantity in sold.items():
            self._change(*at, "SALE", on_hand=-quantity)
        self.facts.put(("order", id), order._replace(lines=tuple(lines)))
        self._fill([*freed, *((line.sku, piece.warehouse) for line in lines for piece in line.pieces)])

    def cancel(self, id: int, rows: Rows | None = None) -> None:
        order: Order = self.facts.get(("order", id))
        if order.status in ("SHIPPED", "CANCELED"):
            raise Refused(("INVALID_STATE", None))
        if order.parked:
            return self._cancel_parked(id, order, rows)
        picks = self._picks(
            order,
            rows,
            lambda p: p.state in OPEN,
            lambda p: (p.state == "ON_HAND", p.shipment != NO_SHIPMENT, -p.position),
        )
        self._move(id, order, picks, "CANCELED", "CANCELLATION")
        order = self.facts.get(("order", id))
        canceled = [sum(n for number, _, n in picks if number == one) for one in range(len(order.lines))]
        lines = tuple(line._replace(canceled=line.canceled + n) for line, n in zip(order.lines, canceled, strict=True))
        self.facts.put(("order", id), order._replace(lines=lines))
        return self._fill(self._touched(order, picks))

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

    # ── shipments

    def pack(self, id: int, order: int, warehouse: str, rows: Rows | None = None) -> None:
        found: Order = self.facts.get(("order", order))
        picks = self._picks(
            found,
            rows,
            lambda p: p.state in OPEN and p.shipment == NO_SHIPMENT and p.warehouse == warehouse,
            lambda p: (p.state == "BACKORDERED", p.position),
        )
        if found.status in ("BACKORDERED", "CANCELED") or not picks:
            raise Refused(("INVALID_STATE", None))
        self.facts.put(("shipment", id), Shipment(order, warehouse, "READY"))
        self._move(order, found, picks, None, None, into=id)

    def ship(self, id: int) -> None:
        order, found, picks = self._contents(id)
        if any(piece.state == "BACKORDERED" for _, piece, _ in picks):
            raise Refused(("INVALID_STATE", None))
        self._move(order, found, picks, "SHIPPED", "SHIPMENT")
        if any(movement.on_hand_after < 0 for movement in self.movements):
            raise Refused(("INSUFFICIENT_STOCK", None))
        found = self.facts.get(("order", order))
        self.facts.put(("order", order), found._replace(left=(*found.left, id)))
        self.facts.put(("shipment", id), self.facts.get(("shipment", id))._replace(state="SHIPPED"))
        self._fill(self._touched(found, picks))

    def unpack(self, id: int) -> None:
        order, found, picks = self._contents(id)
        self._move(order, found, picks, None, None, into=NO_SHIPMENT)

    # ── what they have in common

    def _contents(self, id: int) -> tuple[int, Order, list[Pick]]:
        """The order of a shipment that has not left, and what is in the shipment."""
        shipment: Shipment = self.facts.get(("shipment", id))
        order: Order = self.facts.get(("order", shipment.order))
        picks = self._picks(order, None, lambda p: p.shipment == id, lambda p: p.position)
        if shipment.state == "SHIPPED" or not picks:
            raise Refused(("INVALID_STATE", None))
        return shipment.order, order, picks

    def _picks(
        self, order: Order, rows: Rows | None, fits: Callable[[Piece], bool], rank: Callable[[Piece], Any]
    ) -> list[Pick]:
        """Take units from the matching pieces in order of rank: those of the given rows, or of all lines without rows."""
        picks = []
        for sku, left in rows if rows is not None else [(None, 0)]:
            for number, line in enumerate(order.lines):
                if sku is not None and line.sku != sku:
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
        """Bring units to a state or into a shipment. ``kind`` is that of the movement, None where nothing counts."""
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


# What a unit that comes to a state does to what is on hand, by the mode of its order.
_SIGNS = {
    (ON_ORDER, "CANCELED"): +1,
    (ON_ORDER, "RETURNED"): +1,
    (ON_SHIPMENT, "SHIPPED"): -1,
    (ON_SHIPMENT, "RETURNED"): +1,
}


def _pieces(parts: Sequence[tuple[str, int, str]], mode: str) -> tuple[Piece, ...]:
    """Where the units of a line come from. Under NEVER nothing waits, and a warehouse gives all of its units as one."""
    if mode == NEVER:
        places = list(dict.fromkeys(warehouse for warehouse, _, _ in parts))
        return merged(Piece(places.index(w), w, "ON_HAND", NO_SHIPMENT, n) for w, n, _ in parts)
    return tuple(Piece(number, w, state, NO_SHIPMENT, n) for number, (w, n, state) in enumerate(parts))
