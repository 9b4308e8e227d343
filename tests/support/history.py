"""Checks a history of calls against the stock model: does some serial order explain it?

The order must explain every answer, respect real time (a call that ended before another began comes first), write the
ledger exactly as it is, give every order and hold the units that it has, and end in the database's figures. Calls without
an answer may or may not have happened. Groups of items that no call combines are checked separately: if each has a serial
order, they have one together.

    PYTHONPATH=tests .venv/bin/python -m support.stock_load --minutes 10 --database sqlite:////tmp/load.db

runs clients that change a few items through two processes for ten minutes, and then checks their answers. The clients are
in ``stock_clients.py``.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from support.facts import Facts
from support.serial_order import Found, Search
from support.stock_evidence import Evidence
from support.stock_model import Model
from support.stock_records import OPEN, Level, Movement, Order, Piece, Place, Refused, Rules

UNANSWERED = float("inf")
_PATIENCE = 20
_TAGGED = ("adjust", "count", "transfer", "receive", "cancel", "take_back", "edit", "move")
# None of these can be done twice to the same object.
_ONCE = ("ship", "unpack", "release", "withdraw", "retry")
# The kind of object that a call names.
_NAMED = {
    **dict.fromkeys(("retry", "edit", "move", "cancel", "take_back", "pack"), "order"),
    **dict.fromkeys(("ship", "unpack"), "shipment"),
    **dict.fromkeys(("release", "expire"), "hold"),
    **dict.fromkeys(("withdraw", "update"), "announcement"),
}
_MAKING = ("place", "hold", "pack", "announce")


@dataclass(eq=False)
class Call:
    """A client's request, in terms of the model, and its answer.

    ``tag`` identifies the call: the database has it as the reference of the created object, or the reason of a movement. A
    retry with the same ``key`` is another call with the same tag. ``refusals`` is None if the answer was lost.
    """

    group: str
    name: str
    given: dict[str, Any]
    tag: str
    key: str | None = None
    start: float = 0.0
    end: float = UNANSWERED
    refusals: tuple[tuple[str, int | None], ...] | None = None
    made: int | None = None
    lines: list[tuple[str, str]] = field(default_factory=list)
    """The ids and SKUs of an order's lines in the answer."""
    seen: Any = None
    hint: float = 0.0

    @property
    def optional(self) -> bool:
        return self.refusals is None

    @property
    def quiet(self) -> bool:
        return bool(self.refusals) or self.name == "look"

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in self.given.items())
        answer = self.refusals or self.seen or self.made or "done"
        return f"{self.tag} {self.name}({given}) → {'no answer' if self.optional else answer}"


@dataclass
class Group:
    """Items that calls combine: their rules, and the initial stock."""

    rules: Mapping[str, Rules]
    warehouses: Sequence[str]
    at_first: Mapping[Place, int]


@dataclass
class Verdict:
    """The result for one group. ``problems`` is empty if a serial order explains its calls."""

    group: str
    calls: int
    seconds: float
    """CPU time."""
    problems: list[str] = field(default_factory=list)


def check(
    calls: Sequence[Call], groups: Mapping[str, Group], evidence: Mapping[str, Evidence], patience: int = _PATIENCE
) -> list[Verdict]:
    """Check each group of items separately. ``patience``: how often a search may backtrack per call before it gives up."""
    verdicts = []
    for name, group in groups.items():
        began = time.process_time()
        judge = Judge(group, evidence[name])
        mine = judge.possible([call for call in calls if call.group == name])
        found = judge.search(mine, patience)
        verdicts.append(Verdict(name, len(mine), time.process_time() - began, judge.problems(found, len(mine))))
    return verdicts


class Judge:
    """Compares the model's results of calls with the clients' answers and the database."""

    def __init__(self, group: Group, evidence: Evidence) -> None:
        self._group = group
        self._evidence = evidence
        self._moved: set[int] = set()
        """The orders whose units may have been moved."""
        self._changing: dict[int, set[str]] = {}
        """The tags of the calls that may have edited an order, or moved its units."""
        self._start_over()

    def _start_over(self) -> None:
        self._facts = Facts()
        self._model = Model(dict(self._group.rules), self._group.warehouses, self._facts)
        for place, on_hand in self._group.at_first.items():
            self._facts.put(("level", *place), Level(on_hand, moved=int(on_hand != 0)))

    def possible(self, calls: Sequence[Call]) -> list[Call]:
        """The calls that may have happened according to the database, with its hints."""
        offset = time.time() - time.monotonic()
        done = {(call.name, call.given["id"]) for call in calls if call.name in _ONCE and call.refusals == ()}
        updates = [call for call in calls if call.name in ("announce", "update") and not call.refusals]
        found = [call for call in calls if not call.optional or self._may_have_happened(call, done, updates)]
        for call in found:
            if call.name == "announce" and not call.refusals:
                call.made = self._evidence.tagged.get(call.tag)
        self._moved = {call.given["id"] for call in found if call.name == "move" and not call.refusals}
        self._changing = {}
        for call in found:
            if call.name in ("edit", "move") and not call.refusals:
                self._changing.setdefault(call.given["id"], set()).add(call.tag)
        for call in found:
            stamp = self._stamp(call)
            if stamp is not None:
                # Outside of the call, where the database's clock was set meanwhile.
                call.hint = min(max(stamp.timestamp() - offset, call.start), call.end) + self._within_batch(call)
            else:
                is_known = not self._leaves_no_evidence(call) or self._is_the_only_cause(call, updates)
                call.hint = min(call.end, call.start + 0.02) if is_known else UNANSWERED
        return found

    def _within_batch(self, call: Call) -> float:
        """Some nanoseconds, which order the calls of a transaction: they have the same time."""
        kept = self._evidence.kept.get(call.key or "")
        return kept.number * 1e-9 if kept else 0

    def _may_have_happened(self, call: Call, done: Collection[tuple[str, Any]], updates: Sequence[Call]) -> bool:
        """``done``: what other calls have done that can be done once. ``updates``: the calls that set an announcement."""
        evidence, given = self._evidence, call.given
        if call.key is not None:
            kept = evidence.kept.get(call.key)
            if kept is None:
                return False
            if call.name in _MAKING:
                call.made = kept.made if kept.made is not None else evidence.tagged.get(call.tag)
            return True
        if call.name in _ONCE and (call.name, given["id"]) in done:
            return False
        match call.name:
            case "look":
                return False
            case "place" | "announce":
                call.made = evidence.tagged.get(call.tag)
                return call.made is not None
            case "adjust" | "count" | "transfer" | "receive":
                return ("tag", call.tag) in evidence.times
            case "ship" | "unpack":
                state = "SHIPPED" if call.name == "ship" else "CANCELED"
                return given["id"] in evidence.shipments and evidence.shipments[given["id"]][2] == state
            case "release":
                return given["id"] in evidence.holds and evidence.holds[given["id"]][0] == "RELEASED"
            case "cancel":
                there = evidence.orders.get(given["id"])
                return there is not None and self._may_be_canceled(*there, given["rows"])
            case "retry":
                return given["id"] in evidence.orders and evidence.orders[given["id"]][0] != "BACKORDERED"
            case "withdraw":
                return given["id"] in evidence.announcements and evidence.announcements[given["id"]].withdrawn
            case "update":
                return self._may_have_been_updated(call, updates)
        return True

    def _may_have_been_updated(self, call: Call, updates: Sequence[Call]) -> bool:
        """Whether an announcement has the value of an update in the end, or a later update may have changed it again."""
        there = self._evidence.announcements.get(call.given["id"])
        ((name, value),) = _changes(call).items()
        return there is not None and (
            getattr(there, name) == value
            or any(
                other.name == "update"
                and other.given["id"] == call.given["id"]
                and name in other.given
                and other.end > call.start
                for other in updates
                if other is not call
            )
        )

    def _is_the_only_cause(self, call: Call, updates: Sequence[Call]) -> bool:
        """Whether no other call can have given an announcement the value of an update that it has in the end."""
        if call.name != "update":
            return False
        id: int = call.given["id"]
        ((name, value),) = _changes(call).items()
        others = [other for other in updates if other is not call and id in (other.made, other.given.get("id"))]
        return getattr(self._evidence.announcements[id], name) == value and all(
            other.given.get(name, value) != value or name not in other.given for other in others
        )

    def _leaves_no_evidence(self, call: Call) -> bool:
        """Whether nothing in the database tells if an unanswered call happened: it is tried where nothing else fits."""
        return call.optional and call.key is None and call.name in ("update", "delete_level")

    def _may_be_canceled(
        self, status: str, lines: Sequence[tuple[str, int, int]], rows: Sequence[tuple[str, int]] | None
    ) -> bool:
        """Whether an order is in a state that the cancellation leaves: nothing is open, or these units are canceled."""
        if rows is None:
            return status in ("CANCELED", "SHIPPED")
        canceled: Counter[str] = Counter()
        for sku, _, units in lines:
            canceled[sku] += units
        return all(canceled[sku] >= quantity for sku, quantity in rows)

    def _stamp(self, call: Call) -> datetime | None:
        if call.quiet:
            return None
        id = call.made if call.name in _MAKING else call.given.get("id")
        times, kept = self._evidence.times, self._evidence.kept.get(call.key or "")
        return times.get(("tag", call.tag)) or times.get((call.name, id)) or (kept.at if kept else None)

    def search(self, calls: Sequence[Call], patience: int = _PATIENCE) -> Found[Call]:
        return Search(calls, self._facts, self.explains, self.misfits).run(patience * len(calls) + 1_000)

    def explains(self, call: Call) -> bool:
        """Apply a call to the model. Returns whether the result agrees with the client's answer and the database."""
        return self._difference(call) is None

    def _difference(self, call: Call) -> str | None:
        kept = self._facts.get(("key", call.key)) if call.key is not None else None
        if kept is not None:
            same = call.refusals == () and kept in (call.made, True)
            return None if same else f"the key was used before, for {kept}"
        if missing := self._missing(call):
            is_told = call.refusals is not None and {code for code, _ in call.refusals} == {"NOT_FOUND"}
            return None if is_told else f"the model has no {missing}"
        self._model.movements.clear()
        mark = self._facts.mark()
        try:
            seen = getattr(self._model, call.name)(**self._given(call))
        except Refused as no:
            self._facts.undo(mark)
            return None if call.refusals == no.reasons else f"the model refuses it: {no.reasons}"
        if call.refusals:
            return f"the model does it, and shows {seen}" if seen else "the model does it"
        if call.name == "look":
            return None if seen == call.seen else f"the model shows {seen}"
        if call.key is not None:
            self._facts.put(("key", call.key), call.made or True)
        return self._other_units(call) or self._beyond_the_end(call) or self._other_movement(call)

    def _missing(self, call: Call) -> str | None:
        """The object that a call names and that the model does not have, because the database may have lost it."""
        given = call.given
        named = [
            ("hold", given.get("hold")),
            ("hold", given.get("replaces")),
            ("announcement", given.get("announcement")),
        ]
        if call.name in _NAMED:
            named.append((_NAMED[call.name], given["order" if call.name == "pack" else "id"]))
        return next(
            (f"{kind} {id}" for kind, id in named if id is not None and self._facts.get((kind, id)) is None), None
        )

    def _given(self, call: Call) -> dict[str, Any]:
        if call.name in _MAKING:
            return {**call.given, "id": call.made}
        if call.name == "count":
            return {"rows": [(*row[:4], self._moved_since(row)) for row in call.given["rows"]]}
        return call.given

    def _moved_since(self, row: tuple[str, str, int, int | None, datetime | None]) -> int:
        sku, warehouse, _, _, moment = row
        if moment is None:
            return 0
        before = self._evidence.ledger[sku, warehouse][: self._model.level(sku, warehouse).moved]
        return sum(movement.quantity for movement in before if movement.at > moment)

    def _other_units(self, call: Call) -> str | None:
        """How the model's units of an order, hold or shipment differ from those in the database."""
        evidence, facts = self._evidence, self._facts
        if call.name in ("place", "retry", "edit", "move"):
            id: int = call.made if call.name == "place" else call.given["id"]
            order: Order = facts.get(("order", id))
            if call.seen is not None and order.parked != (call.seen == "BACKORDERED"):
                return f"the model has it {order.status}"
            if order.parked:
                return None
            if other := self._other_sources(id, order):
                return other
            changed = facts.get(("changed", id), frozenset()) | {call.tag}
            facts.put(("changed", id), changed)
            promised, told = [line.promised for line in order.lines], evidence.promised.get(id)
            fits = promised == told or not self._changing.get(id, set()) <= changed
            return None if fits else f"the model promises {promised}, the database {told}"
        if call.name == "hold":
            parts: Counter[Place] = Counter()
            for sku, warehouse, quantity in facts.get(("hold", call.made)).parts:
                parts[sku, warehouse] += quantity
            held = evidence.holds.get(call.made or 0)
            return None if held and held[1] == parts else f"the model holds {parts}, the database {held}"
        if call.name == "pack":
            packed = evidence.shipments.get(call.made or 0)
            same = packed and packed[:2] == (call.given["order"], call.given["warehouse"])
            return self._left_out(call) if same else f"the database has {packed}"
        return None

    def _other_sources(self, id: int, order: Order) -> str | None:
        """How the current units of an order's lines contradict the final ones, which may be more."""
        if id in self._moved:
            return None
        planned = [_counted(line.pieces, 2) for line in order.lines]
        there = [
            Counter({at: units for at, units in in_the_end.items() if at in by_now})
            for by_now, in_the_end in zip(planned, self._evidence.plans.get(id, []), strict=False)
        ]
        return None if planned == there else f"the model takes {planned}, the database {there}"

    def _left_out(self, pack: Call) -> str | None:
        """How a new shipment lacks units that it has in the end: none are added later."""
        order: Order = self._facts.get(("order", pack.given["order"]))
        in_the_end = [
            sum(units for (*_, shipment), units in pieces.items() if shipment == pack.made)
            for pieces in self._evidence.pieces[pack.given["order"]]
        ]
        packed = [sum(piece.quantity for piece in line.pieces if piece.shipment == pack.made) for line in order.lines]
        # Lines may be added later.
        packed += [0] * (len(in_the_end) - len(packed))
        is_whole = all(now >= then for now, then in zip(packed, in_the_end, strict=True))
        return None if is_whole else f"the model packs {packed} of its lines, the database has {in_the_end}"

    def _beyond_the_end(self, call: Call) -> str | None:
        """How a line has more units, or more finished ones, than in the end: neither ever decreases."""
        if call.name == "receive":
            return self._received_beyond_the_end(call)
        if call.name not in ("cancel", "edit", "ship", "take_back"):
            return None
        id = self._facts.get(("shipment", call.given["id"])).order if call.name == "ship" else call.given["id"]
        order: Order = self._facts.get(("order", id))
        _, rows = self._evidence.orders[id]
        for line, (_, most, canceled), in_the_end in zip(order.lines, rows, self._evidence.pieces[id], strict=False):
            there = _over(
                (warehouse, state, shipment, units) for (_, warehouse, state, shipment), units in in_the_end.items()
            )
            by_now = _over(piece[1:] for piece in line.pieces)
            if line.quantity > most or line.canceled > canceled or not by_now <= there:
                return f"the model has {line}, the database {in_the_end}"
        return None

    def _received_beyond_the_end(self, call: Call) -> str | None:
        """How more units of an announcement were received than in the end."""
        for id, in_the_end in self._evidence.announcements.items():
            if in_the_end[:2] == (call.given["sku"], call.given["warehouse"]):
                by_now = self._facts.get(("announcement", id))
                if by_now is not None and by_now.received > in_the_end.received:
                    return f"the model has {by_now}, the database {in_the_end}"
        return None

    def _other_movement(self, call: Call) -> str | None:
        """How the model's movement differs from the next line of the ledger."""
        if call.name in _TAGGED and not self._model.movements and ("tag", call.tag) in self._evidence.times:
            return "the ledger has a movement of it"
        for movement in self._model.movements:
            ledger = self._evidence.ledger[movement.sku, movement.warehouse]
            there = ledger[movement.number] if movement.number < len(ledger) else None
            if there is None or not self._is_same(call, movement, there):
                return f"the model writes {tuple(movement)}, the ledger has {there}"
        return None

    def _is_same(self, call: Call, movement: Movement, there: Any) -> bool:
        order = call.given.get("id") if call.name in ("retry", "cancel", "take_back", "edit", "move") else None
        if call.name == "place":
            order = call.made
        if call.name == "ship":
            order = self._facts.get(("shipment", call.given["id"])).order
        cause = call.tag if call.name in _TAGGED else None
        figures = there.kind, there.quantity, there.on_hand_after
        return figures == movement[2:5] and (there.order, there.cause) == (order, cause)

    def misfits(self) -> list[str]:
        """The differences between the database and the current state of the model."""
        model: dict[tuple[str, Any], Any] = {}
        stored: dict[tuple[str, Any], Any] = {}
        for place, figures in self._evidence.levels.items():
            level = self._model.level(*place)
            model["level", place] = (level[:6] if level.in_use else None), level.moved
            stored["level", place] = figures, len(self._evidence.ledger[place])
        for kind, there in (("order", self._orders()), ("shipment", self._evidence.shipments)):
            stored |= {(kind, id): value for id, value in there.items()}
        stored |= {("hold", id): state for id, (state, _) in self._evidence.holds.items()}
        stored |= {("announcement", id): value for id, value in self._evidence.announcements.items()}
        for (kind, *rest), value in self._facts.items():
            if kind in ("order", "shipment", "hold", "announcement"):
                model[kind, rest[0]] = _SHOWN[kind](self, rest[0], value)
        return [
            f"{kind} {id}: the model has {model.get((kind, id))}, the database {stored.get((kind, id))}"
            for kind, id in sorted(model.keys() | stored.keys(), key=str)
            if model.get((kind, id)) != stored.get((kind, id))
        ]

    def _orders(self) -> dict[int, Any]:
        evidence = self._evidence
        return {id: (*order, evidence.pieces[id], evidence.promised[id]) for id, order in evidence.orders.items()}

    def _order(self, _: int, order: Order) -> Any:
        lines = [(line.sku, line.quantity, line.canceled) for line in order.lines]
        pieces = [_counted(_in_sequence(line.pieces), 4) for line in order.lines]
        return order.status, lines, pieces, [line.promised for line in order.lines]

    def _shipment(self, id: int, shipment: Any) -> Any:
        order: Order = self._facts.get(("order", shipment.order))
        inside = {piece.state for line in order.lines for piece in line.pieces if piece.shipment == id}
        open_state = "PENDING" if "BACKORDERED" in inside else "READY" if inside else "CANCELED"
        return shipment.order, shipment.warehouse, "SHIPPED" if shipment.state == "SHIPPED" else open_state

    def problems(self, found: Found[Call], count: int) -> list[str]:
        """Why there is no explanation; empty if there is one."""
        if found.complete:
            return []
        told = "no serial order" if found.exhausted else "no serial order found"
        if found.problems:
            return [f"{told} of {count} calls ends in the database's figures:", *found.problems]
        self._start_over()
        for call in found.order:
            self.explains(call)
        stuck = [f"{call}: {self._and_back(call)}" for call in found.stuck]
        return [f"{told} explains more than {len(found.order)} of {count} calls; none of these can be next:", *stuck]

    def _and_back(self, call: Call) -> str | None:
        mark = self._facts.mark()
        difference = self._difference(call)
        self._facts.undo(mark)
        return difference


def _changes(update: Call) -> dict[str, Any]:
    """What an update sets."""
    return {name: value for name, value in update.given.items() if name != "id"}


def _over(pieces: Iterable[tuple[str, str, int, int]]) -> Counter[tuple[str, str, int]]:
    """The numbers of canceled, shipped and returned units, by warehouse and shipment."""
    sums: Counter[tuple[str, str, int]] = Counter()
    for warehouse, state, shipment, units in pieces:
        if state not in OPEN:
            sums[warehouse, state if state == "CANCELED" else "GONE", shipment] += units
        if state == "RETURNED":
            sums[warehouse, state, shipment] += units
    return sums


def _in_sequence(pieces: Sequence[Piece]) -> list[Piece]:
    """Renumber the positions of pieces without the gaps that moves leave."""
    positions = sorted({piece.position for piece in pieces})
    return [piece._replace(position=positions.index(piece.position)) for piece in pieces]


def _counted(pieces: Sequence[Piece], fields: int) -> Counter[Any]:
    """Count units by the first fields of their pieces."""
    sums: Counter[Any] = Counter()
    for piece in pieces:
        sums[piece[:fields]] += piece.quantity
    return sums


_SHOWN: dict[str, Any] = {
    "order": Judge._order,
    "shipment": Judge._shipment,
    "hold": lambda judge, id, hold: hold.state,
    "announcement": lambda judge, id, announcement: announcement,
}
