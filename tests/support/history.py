"""Checks whether a history of calls is linearizable: whether the stock model explains it in some serial order.

The serial order must respect real time: a call that ended before another began comes first. With it, the model must
produce every answer, the exact ledger, the units of every order and hold, and the final figures of the database. Calls
without an answer may or may not have happened. A call with a key happened if the database has an answer stored under the key.
Groups of items that no call combines are checked separately. Linearizability is local: if each group has a serial order, all
groups together have one. The clients are in ``stock_clients.py``.
"""

import dataclasses
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from support.facts import Facts
from support.serial_order import Found, Search
from support.stock_evidence import Evidence, Kept, LedgerRow
from support.stock_model import Model
from support.stock_records import OPEN, Level, Movement, Order, Piece, Place, Refused, Rules, Shipment

UNANSWERED = float("inf")
MAX_BACKTRACKS = 5_000
# Orders the calls of a transaction, which have the same timestamp. Seconds.
_TICK = 1e-7
# The ledger has the tag of these calls as the reason of their movements.
TAGGED = ("adjust", "count", "transfer", "receive", "cancel", "take_back", "edit", "move")
# These succeed at most once per object.
_ONCE = ("ship", "unpack", "release", "withdraw", "retry")
LOOKS = ("look", "look_order")
# The kind of object that a call refers to.
TARGETS = {
    **dict.fromkeys(("retry", "edit", "move", "cancel", "take_back", "pack", "look_order"), "order"),
    **dict.fromkeys(("ship", "unpack"), "shipment"),
    **dict.fromkeys(("release", "expire"), "hold"),
    **dict.fromkeys(("withdraw", "update"), "announcement"),
}
# These create an object.
CREATING = {"place": "order", "hold": "hold", "pack": "shipment", "announce": "announcement"}


@dataclass(eq=False)
class Call:
    """A client's request in terms of the model, and its answer.

    ``tag`` identifies the call. It is stored as the reference of the created object or as the reason of a movement. A retry
    with the same ``key`` is another call with the same tag. ``refusals`` is None if there was no answer. ``made`` is the id
    of the created object.
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
    """The ids and SKUs of the order lines in the answer."""
    seen: Any = None
    hint: float = 0.0

    @property
    def optional(self) -> bool:
        return self.refusals is None

    @property
    def target(self) -> int:
        """The id of the object of a kind in ``TARGETS`` that it refers to."""
        id: int = self.given["order" if self.name == "pack" else "id"]
        return id

    @property
    def quiet(self) -> bool:
        return bool(self.refusals) or self.name in LOOKS

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in self.given.items())
        unknown = "no answer" if self.optional else "no answer, but one is stored" if self.end == UNANSWERED else None
        return f"{self.tag} {self.name}({given}) → {unknown or self.refusals or self.seen or self.made or 'done'}"


@dataclass
class Group:
    """Items that calls may combine: their rules and the initial stock."""

    rules: Mapping[str, Rules]
    warehouses: Sequence[str]
    initial_stock: Mapping[Place, int]


@dataclass
class Verdict:
    """The result for one group. ``problems`` is empty if a serial order explains its calls."""

    group: str
    calls: int
    seconds: float
    """CPU time."""
    problems: list[str] = field(default_factory=list)
    undecided: bool = False
    """Whether the search gave up, so that a serial order may exist."""


def check(
    calls: Sequence[Call],
    groups: Mapping[str, Group],
    evidence: Mapping[str, Evidence],
    max_backtracks: int = MAX_BACKTRACKS,
) -> list[Verdict]:
    """Check each group of items separately. A search gives up after ``max_backtracks`` backtracks."""
    verdicts = []
    for name, group in groups.items():
        began = time.process_time()
        checker = Checker(group, evidence[name])
        possible = checker.possible([call for call in calls if call.group == name])
        found = checker.search(possible, max_backtracks)
        seconds = time.process_time() - began
        undecided = not (found.complete or found.exhausted)
        verdicts.append(Verdict(name, len(possible), seconds, checker.problems(found, len(possible)), undecided))
    return verdicts


class Checker:
    """Compares the model's results with the clients' answers and the database."""

    def __init__(self, group: Group, evidence: Evidence) -> None:
        self._group = group
        self._evidence = evidence
        self._moved: set[int] = set()
        """The orders whose units may have been moved."""
        self._changing: dict[int, set[str]] = {}
        """For each order, the tags of the calls that may have edited it or moved its units."""
        self._reset_model()

    def _reset_model(self) -> None:
        self._facts = Facts()
        self._model = Model(dict(self._group.rules), self._group.warehouses, self._facts)
        for place, on_hand in self._group.initial_stock.items():
            self._facts.put(("level", *place), Level(on_hand, moved=int(on_hand != 0)))

    def possible(self, calls: Sequence[Call]) -> list[Call]:
        """The calls that happened or may have happened according to the database. Sets their hints."""
        done = {(call.name, call.given["id"]) for call in calls if call.name in _ONCE and call.refusals == ()}
        updates = [call for call in calls if call.name in ("announce", "update") and not call.refusals]
        found = [call for call in calls if not call.optional or self._may_have_happened(call, done, updates)]
        for call in found:
            if call.name in CREATING and not call.refusals and call.made is None:
                call.made = self._made(call)
        found = self._merged(found)
        self._moved = {call.given["id"] for call in found if call.name == "move" and not call.refusals}
        self._changing = {}
        for call in found:
            if call.name in ("edit", "move") and not call.refusals:
                self._changing.setdefault(call.given["id"], set()).add(call.tag)
        self._set_hints(found, updates)
        return found

    def _kept(self, call: Call) -> Kept | None:
        """The answer that the database has stored under the call's key."""
        return None if call.key is None else self._evidence.kept.get(call.key)

    def _made(self, call: Call) -> int | None:
        """The id of the object that the database has for the call."""
        kept = self._kept(call)
        return kept.made if kept and kept.made is not None else self._evidence.tagged.get(call.tag)

    def _merged(self, calls: Sequence[Call]) -> list[Call]:
        """Merge the attempts of each stored key into one call that happened. Refused attempts stay, and so do those that were
        answered with another object."""
        merged: list[Call] = []
        attempts: dict[str, list[Call]] = {}
        for call in calls:
            is_attempt = self._kept(call) and not call.refusals and call.made in (None, self._made(call))
            (attempts.setdefault(call.key or "", []) if is_attempt else merged).append(call)
        for same in attempts.values():
            first = min(same, key=lambda call: call.start)
            end = min(call.end for call in same)
            merged.append(dataclasses.replace(first, end=end, refusals=(), seen=None))
        return merged

    def _set_hints(self, calls: Sequence[Call], updates: Sequence[Call]) -> None:
        offset = time.time() - time.monotonic()
        for call in calls:
            stamp = self._stamp(call)
            if stamp is not None:
                # The database's clock may have been set meanwhile, so the timestamp may lie outside the call.
                call.hint = min(max(stamp.timestamp() - offset, call.start), call.end)
            else:
                is_known = not self._leaves_no_evidence(call) or self._is_the_only_cause(call, updates)
                call.hint = min(call.end, call.start + 0.02) if is_known else UNANSWERED
        self._order_hints(calls)

    def _order_hints(self, calls: Sequence[Call]) -> None:
        """Correct the hints of calls with stored answers, whose numbers show their order without a clock."""
        numbered = [(kept.number, call) for call in calls if not call.refusals and (kept := self._kept(call))]
        ordered = [call for _, call in sorted(numbered, key=lambda one: one[0])]
        latest_start, earliest_end = 0.0, UNANSWERED
        for call in ordered:
            latest_start = max(latest_start, call.start)
            call.hint = max(call.hint, latest_start)
        for call in reversed(ordered):
            earliest_end = min(earliest_end, call.end)
            call.hint = min(call.hint, earliest_end)
        for number, call in enumerate(ordered):
            call.hint += number * _TICK

    def _may_have_happened(self, call: Call, done: Collection[tuple[str, Any]], updates: Sequence[Call]) -> bool:
        """Whether the database allows that an unanswered call happened. ``done``: the successful calls in ``_ONCE``, by name
        and object id; ``updates``: the calls that set values of announcements."""
        evidence, given = self._evidence, call.given
        if call.key is not None:
            return self._kept(call) is not None
        if call.name in _ONCE and (call.name, given["id"]) in done:
            return False
        match call.name:
            case "look" | "look_order":
                return False
            case "place" | "announce":
                return call.tag in evidence.tagged
            case "adjust" | "count" | "transfer" | "receive":
                return ("tag", call.tag) in evidence.times
            case "ship" | "unpack":
                state = "SHIPPED" if call.name == "ship" else "CANCELED"
                return given["id"] in evidence.shipments and evidence.shipments[given["id"]][2] == state
            case "release":
                return given["id"] in evidence.holds and evidence.holds[given["id"]][0] == "RELEASED"
            case "cancel":
                order = evidence.orders.get(given["id"])
                return order is not None and self._may_be_canceled(*order, given["rows"])
            case "retry":
                return given["id"] in evidence.orders and evidence.orders[given["id"]][0] != "BACKORDERED"
            case "withdraw":
                return given["id"] in evidence.announcements and evidence.announcements[given["id"]].withdrawn
            case "update":
                return self._may_have_been_updated(call, updates)
        return True

    def _may_have_been_updated(self, call: Call, updates: Sequence[Call]) -> bool:
        """Whether the final value of an announcement is that of the update, or a later update may have overwritten it."""
        final = self._evidence.announcements.get(call.given["id"])
        ((name, value),) = _changes(call).items()
        return final is not None and (
            getattr(final, name) == value
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
        """Whether only this update can have set the final value of an announcement."""
        if call.name != "update":
            return False
        id: int = call.given["id"]
        ((name, value),) = _changes(call).items()
        others = [other for other in updates if other is not call and id in (other.made, other.given.get("id"))]
        return getattr(self._evidence.announcements[id], name) == value and all(
            other.given.get(name, value) != value or name not in other.given for other in others
        )

    def _leaves_no_evidence(self, call: Call) -> bool:
        """Whether the database cannot show if an unanswered call happened. The search tries such a call last."""
        return call.optional and call.key is None and call.name in ("update", "delete_level")

    def _may_be_canceled(
        self, status: str, lines: Sequence[tuple[str, int, int]], rows: Sequence[tuple[str, int]] | None
    ) -> bool:
        """Whether an order's state fits a cancellation: nothing is open, or at least these units are canceled."""
        if rows is None:
            return status in ("CANCELED", "SHIPPED")
        canceled: Counter[str] = Counter()
        for sku, _, units in lines:
            canceled[sku] += units
        return all(canceled[sku] >= quantity for sku, quantity in rows)

    def _stamp(self, call: Call) -> datetime | None:
        if call.quiet:
            return None
        of: Any = call.made if call.name in CREATING else call.given.get("id")
        if call.name == "delete_level":
            of = call.given["sku"], call.given["warehouse"]
        times, kept = self._evidence.times, self._kept(call)
        return times.get(("tag", call.tag)) or times.get((call.name, of)) or (kept.at if kept else None)

    def search(self, calls: Sequence[Call], max_backtracks: int = MAX_BACKTRACKS) -> Found[Call]:
        return Search(calls, self._facts, self.explains, self.differences).run(max_backtracks)

    def explains(self, call: Call) -> bool:
        """Apply a call to the model. Returns whether the result agrees with the client's answer and the database."""
        return self._difference(call) is None

    def _difference(self, call: Call) -> str | None:
        used = self._facts.get(("key", call.key)) if call.key is not None else None
        if used is not None:
            same = call.refusals == () and used in (call.made, True)
            return None if same else f"the key was already used, for {used}"
        if call.key is not None and not call.refusals and self._kept(call) is None:
            return "the database has no answer under its key"
        if call.name in CREATING and not call.refusals and call.made is None:
            return f"the database has no {CREATING[call.name]} of the call"
        if missing := self._missing(call):
            not_found = call.refusals is not None and {code for code, _ in call.refusals} == {"NOT_FOUND"}
            not_shown = call.name == "look_order" and call.seen is None
            return None if not_found or not_shown else f"the model has no {missing}"
        self._model.movements.clear()
        mark = self._facts.mark()
        try:
            seen = getattr(self._model, call.name)(**self._arguments(call))
        except Refused as refusal:
            self._facts.undo(mark)
            return None if call.refusals == refusal.reasons else f"the model refuses it: {refusal.reasons}"
        if call.refusals:
            return f"the model accepts it, and shows {seen}" if seen else "the model accepts it"
        if call.name in LOOKS:
            return None if seen == call.seen else f"the model shows {seen}"
        if call.key is not None:
            self._facts.put(("key", call.key), call.made or True)
        return self._unit_difference(call) or self._exceeds_final(call) or self._movement_difference(call)

    def _missing(self, call: Call) -> str | None:
        """An object that a call refers to and that the model does not have. Only a failover to an asynchronous standby may
        lose it; then the call is refused with NOT_FOUND."""
        given = call.given
        objects = [
            ("hold", given.get("hold")),
            ("hold", given.get("replaces")),
            ("announcement", given.get("announcement")),
        ]
        if call.name in TARGETS:
            objects.append((TARGETS[call.name], call.target))
        return next(
            (f"{kind} {id}" for kind, id in objects if id is not None and self._facts.get((kind, id)) is None), None
        )

    def _arguments(self, call: Call) -> dict[str, Any]:
        if call.name in CREATING:
            # A refused call has no object. The model accepts it only if the refusal was wrong.
            return {**call.given, "id": call.made or 0}
        if call.name == "count":
            return {"rows": [(*row[:4], self._moved_since(row)) for row in call.given["rows"]]}
        return call.given

    def _moved_since(self, row: tuple[str, str, int, int | None, datetime | None]) -> int:
        sku, warehouse, _, _, moment = row
        if moment is None:
            return 0
        before = self._evidence.ledger[sku, warehouse][: self._model.level(sku, warehouse).moved]
        return sum(movement.quantity for movement in before if movement.at > moment)

    def _unit_difference(self, call: Call) -> str | None:
        """How the model's units of an order, hold or shipment differ from those in the database."""
        evidence, facts = self._evidence, self._facts
        if call.name in ("place", "retry", "edit", "move"):
            id: int = call.made if call.name == "place" else call.given["id"]
            order: Order = facts.get(("order", id))
            if call.seen is not None and order.parked != (call.seen == "BACKORDERED"):
                return f"the model has it {order.status}"
            if order.parked:
                return None
            if difference := self._source_difference(id, order):
                return difference
            changed = facts.get(("changed", id), frozenset()) | {call.tag}
            facts.put(("changed", id), changed)
            promised, stored = [line.promised for line in order.lines], evidence.promised.get(id)
            # The stored dates are those after the last change.
            fits = promised == stored or not self._changing.get(id, set()) <= changed
            return None if fits else f"the model promises {promised}, the database {stored}"
        if call.name == "hold":
            parts: Counter[Place] = Counter()
            for sku, warehouse, quantity in facts.get(("hold", call.made)).parts:
                parts[sku, warehouse] += quantity
            held = evidence.holds.get(call.made or 0)
            return None if held and held[1] == parts else f"the model holds {parts}, the database {held}"
        if call.name == "pack":
            packed = evidence.shipments.get(call.made or 0)
            same = packed and packed[:2] == (call.given["order"], call.given["warehouse"])
            return self._shipment_difference(call) if same else f"the database has {packed}"
        return None

    def _source_difference(self, id: int, order: Order) -> str | None:
        """How the current units of an order's lines contradict the final ones. Units may be added later."""
        if id in self._moved:
            return None
        planned = [counted(line.pieces, 2) for line in order.lines]
        stored = [
            Counter({source: units for source, units in final.items() if source in current})
            for current, final in zip(planned, self._evidence.plans.get(id, []), strict=False)
        ]
        return None if planned == stored else f"the model takes {planned}, the database {stored}"

    def _shipment_difference(self, pack: Call) -> str | None:
        """How a new shipment has fewer units than its final ones. Units are never added to a shipment."""
        order: Order = self._facts.get(("order", pack.given["order"]))
        final = [
            sum(units for (*_, shipment), units in pieces.items() if shipment == pack.made)
            for pieces in self._evidence.pieces[pack.given["order"]]
        ]
        packed = [sum(piece.quantity for piece in line.pieces if piece.shipment == pack.made) for line in order.lines]
        # Lines may be added later.
        packed += [0] * (len(final) - len(packed))
        fits = all(now >= later for now, later in zip(packed, final, strict=True))
        return None if fits else f"the model packs {packed} units of the lines, the database has {final}"

    def _exceeds_final(self, call: Call) -> str | None:
        """How an order line exceeds its final numbers of ordered, canceled, shipped or returned units. They only grow."""
        if call.name == "receive":
            return self._received_exceeds_final(call)
        if call.name not in ("cancel", "edit", "ship", "take_back"):
            return None
        id = self._facts.get(("shipment", call.given["id"])).order if call.name == "ship" else call.given["id"]
        order: Order = self._facts.get(("order", id))
        _, rows = self._evidence.orders[id]
        for line, (_, most, canceled), final in zip(order.lines, rows, self._evidence.pieces[id], strict=False):
            closed = _closed(
                (warehouse, state, shipment, units) for (_, warehouse, state, shipment), units in final.items()
            )
            closed_so_far = _closed(piece[1:] for piece in line.pieces)
            if line.quantity > most or line.canceled > canceled or not closed_so_far <= closed:
                return f"the model has {line}, the database {final}"
        return None

    def _received_exceeds_final(self, call: Call) -> str | None:
        """How more units of an announcement were received than in its final state."""
        for id, final in self._evidence.announcements.items():
            if final[:2] == (call.given["sku"], call.given["warehouse"]):
                current = self._facts.get(("announcement", id))
                if current is not None and current.received > final.received:
                    return f"the model has {current}, the database {final}"
        return None

    def _movement_difference(self, call: Call) -> str | None:
        """How the model's movements differ from the next entries of the ledger."""
        if call.name in TAGGED and not self._model.movements and ("tag", call.tag) in self._evidence.times:
            return "the ledger has a movement of the call, the model has none"
        for movement in self._model.movements:
            ledger = self._evidence.ledger[movement.sku, movement.warehouse]
            entry = ledger[movement.number] if movement.number < len(ledger) else None
            if entry is None or not self._is_same(call, movement, entry):
                return f"the model writes {tuple(movement)}, the ledger has {entry}"
        return None

    def _is_same(self, call: Call, movement: Movement, entry: LedgerRow) -> bool:
        order = order_of_movements(self._facts, call)
        cause = call.tag if call.name in TAGGED else None
        figures = entry.kind, entry.quantity, entry.on_hand_after
        return figures == movement[2:5] and (entry.order, entry.cause) == (order, cause)

    def differences(self) -> list[str]:
        """The differences between the database and the current state of the model."""
        model: dict[tuple[str, Any], Any] = {}
        stored: dict[tuple[str, Any], Any] = {}
        for place, figures in self._evidence.levels.items():
            level = self._model.level(*place)
            model["level", place] = (level[:6] if level.in_use else None), level.moved
            stored["level", place] = figures, len(self._evidence.ledger[place])
        for kind, rows in (("order", self._orders()), ("shipment", self._evidence.shipments)):
            stored |= {(kind, id): value for id, value in rows.items()}
        stored |= {("hold", id): state for id, (state, _) in self._evidence.holds.items()}
        stored |= {("announcement", id): value for id, value in self._evidence.announcements.items()}
        for (kind, *rest), value in self._facts.items():
            if kind in ("order", "shipment", "hold", "announcement"):
                model[kind, rest[0]] = _COMPARED[kind](self, rest[0], value)
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
        pieces = [counted(renumbered(line.pieces), 4) for line in order.lines]
        return order.status, lines, pieces, [line.promised for line in order.lines]

    def problems(self, found: Found[Call], count: int) -> list[str]:
        """Why there is no serial order; empty if there is one."""
        if found.complete:
            return []
        undecided = "" if found.exhausted else f"undecided after {found.backtracks} backtracks: "
        failure = f"{undecided}no serial order of {count} calls {'exists' if found.exhausted else 'was found'}"
        if found.problems:
            return [
                f"{failure}: the best one explains all answers, but its final state differs:",
                *found.problems,
            ]
        self._reset_model()
        for call in found.order:
            self.explains(call)
        stuck = [f"{call}: {self._try(call)}" for call in found.stuck]
        return [
            f"{failure}: the best one explains {len(found.order)}, and none of these can be next:",
            *stuck,
        ]

    def _try(self, call: Call) -> str | None:
        mark = self._facts.mark()
        difference = self._difference(call)
        self._facts.undo(mark)
        return difference


def order_of_movements(facts: Facts, call: Call) -> int | None:
    """The id of the order in the movements of a call."""
    if call.name == "ship":
        shipment: Shipment = facts.get(("shipment", call.given["id"]))
        return shipment.order
    if call.name == "place":
        return call.made
    return call.given["id"] if call.name in ("retry", "cancel", "take_back", "edit", "move") else None


def stored_shipment(facts: Facts, id: int, shipment: Shipment) -> tuple[int, str, str]:
    """A shipment of the model as the database has it: its order, warehouse and state."""
    order: Order = facts.get(("order", shipment.order))
    states = {piece.state for line in order.lines for piece in line.pieces if piece.shipment == id}
    open_state = "PENDING" if "BACKORDERED" in states else "READY" if states else "CANCELED"
    return shipment.order, shipment.warehouse, "SHIPPED" if shipment.state == "SHIPPED" else open_state


def _changes(update: Call) -> dict[str, Any]:
    """The values that an update sets."""
    return {name: value for name, value in update.given.items() if name != "id"}


def _closed(pieces: Iterable[tuple[str, str, int, int]]) -> Counter[tuple[str, str, int]]:
    """The numbers of canceled, shipped and returned units, by warehouse and shipment."""
    sums: Counter[tuple[str, str, int]] = Counter()
    for warehouse, state, shipment, units in pieces:
        if state not in OPEN:
            sums[warehouse, state if state == "CANCELED" else "GONE", shipment] += units
        if state == "RETURNED":
            sums[warehouse, state, shipment] += units
    return sums


def renumbered(pieces: Sequence[Piece]) -> list[Piece]:
    """Renumber the positions of pieces without the gaps that moves leave."""
    positions = sorted({piece.position for piece in pieces})
    return [piece._replace(position=positions.index(piece.position)) for piece in pieces]


def counted(pieces: Sequence[Piece], fields: int) -> Counter[Any]:
    """Count units by the first fields of their pieces."""
    sums: Counter[Any] = Counter()
    for piece in pieces:
        sums[piece[:fields]] += piece.quantity
    return sums


_COMPARED: dict[str, Any] = {
    "order": Checker._order,
    "shipment": lambda checker, id, shipment: stored_shipment(checker._facts, id, shipment),
    "hold": lambda checker, id, hold: hold.state,
    "announcement": lambda checker, id, announcement: announcement,
}
