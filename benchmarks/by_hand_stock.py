"""Hand-written changes: orders, adjustments and counts, each in one transaction, with only the ledger."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from by_hand import UNIT, Row, Statement, Statements, answer, quantity


class Refused(Exception):
    """Not enough stock."""


_FIRST_NUMBER = 100_000

_SOURCES = """SELECT i.id AS item_id, i.sku, i.name, COALESCE(i.own_code, p.sku, i.sku) AS code,
        l.id AS level_id, l.available, l.warehouse_id, a.website_id
    FROM item i LEFT JOIN item p ON p.id = i.product_id
    JOIN inventory_level l ON l.item_id = i.id AND l.deleted_at IS NULL
    JOIN warehouse w ON w.id = l.warehouse_id AND w.active
    JOIN assignment a ON a.warehouse_id = w.id AND a.website_id = (SELECT MIN(id) FROM website)
    WHERE i.sku IN ? AND i.deleted_at IS NULL ORDER BY a.priority, a.id"""
_ORDER = """INSERT INTO customer_order (status, placed_at, updated_at, website_id)
    VALUES ('PLACED', ?, ?, ?) RETURNING id"""
_LINES = """INSERT INTO order_line
    (sku, name, code, selected_options, quantity, canceled, decrement, item_id, order_id)
    VALUES {} RETURNING id"""
_ALLOCATIONS = """INSERT INTO allocation (position, quantity, state, changed_at, level_id, line_id, warehouse_id)
    VALUES {}"""
_TAKE = """UPDATE inventory_level SET on_hand = on_hand - ?, available = available - ?, updated_at = ?
    WHERE id = ? AND available >= ? RETURNING on_hand"""
_MOVEMENTS = """INSERT INTO stock_movement (kind, quantity, on_hand_after, actor, order_id, created_at, level_id)
    VALUES {}"""
_ADJUST = """UPDATE inventory_level SET on_hand = on_hand + ?, available = available + ?, updated_at = ?
    WHERE id = (SELECT l.id FROM inventory_level l
        JOIN item i ON i.id = l.item_id JOIN warehouse w ON w.id = l.warehouse_id
        WHERE i.sku = ? AND i.deleted_at IS NULL AND w.code = ?)
    AND on_hand + ? >= 0 RETURNING id, on_hand, available"""
_TO_COUNT = """SELECT l.id, i.sku, w.code, l.on_hand FROM inventory_level l
    JOIN item i ON i.id = l.item_id JOIN warehouse w ON w.id = l.warehouse_id
    WHERE i.sku IN ? AND i.deleted_at IS NULL ORDER BY l.id FOR UPDATE OF l"""
_COUNT = """UPDATE inventory_level
    SET on_hand = on_hand + ?, available = available + ?, counted_at = ?, updated_at = ? WHERE id = ?"""


def place(lines: Sequence[Row]) -> Statements[bytes]:
    """Place an order in full, from the sources in turn, or not at all."""
    at = datetime.now(UTC)
    sources: dict[str, list[Row]] = defaultdict(list)
    for row in (yield Statement(_SOURCES, [[line["sku"] for line in lines]])):
        sources[row["sku"]].append(row)
    free = {row["level_id"]: row["available"] for own in sources.values() for row in own}
    planned = [_taken(sources[line["sku"]], line["quantity"] * UNIT, free) for line in lines]
    first, _ = planned[0][0]
    (made,) = yield Statement(_ORDER, [at, at, first["website_id"]])
    order = made["id"]
    written = yield _rows(
        _LINES,
        [
            (of["sku"], of["name"], of["code"], "{}", line["quantity"] * UNIT, 0, "ON_ORDER", of["item_id"], order)
            for line, ((of, _), *_) in zip(lines, planned, strict=True)
        ],
    )
    parts = list(zip(sorted(row["id"] for row in written), planned, strict=True))
    yield _rows(
        _ALLOCATIONS,
        [
            (position, units, "ON_HAND", at, source["level_id"], line, source["warehouse_id"])
            for line, taken in parts
            for position, (source, units) in enumerate(taken)
        ],
    )
    movements = []
    # Lock last and in a fixed order: locks are held for two statements only, and cannot deadlock.
    for level, units in sorted(_summed(taken for _, taken in parts).items()):
        changed = yield Statement(_TAKE, [units, units, at, level, units])
        if not changed:
            raise Refused
        movements.append(("SALE", -units, changed[0]["on_hand"], "by hand", order, at, level))
    yield _rows(_MOVEMENTS, movements)
    shown = [{"sku": line["sku"], "quantity": line["quantity"]} for line in lines]
    return answer(
        placeOrder={
            "order": {"number": str(_FIRST_NUMBER + order), "status": "PLACED", "lines": shown},
            "userErrors": [],
        }
    )


def adjust(changes: Sequence[Row]) -> Statements[bytes]:
    """Adjust levels, with a movement for each."""
    at, levels = datetime.now(UTC), []
    for one in changes:
        units = one["delta"] * UNIT
        changed = yield Statement(_ADJUST, [units, units, at, one["sku"], one["warehouse"], units])
        if not changed:
            raise Refused
        (level,) = changed
        yield _rows(_MOVEMENTS, [("ADJUSTMENT", units, level["on_hand"], "by hand", None, at, level["id"])])
        levels.append({"onHand": quantity(level["on_hand"]), "available": quantity(level["available"])})
    return answer(adjustStock={"inventoryLevels": levels, "userErrors": []})


def count(counts: Sequence[Row]) -> Statements[bytes]:
    """Set levels to counted units, with movements of the differences."""
    at = datetime.now(UTC)
    wanted = {(one["sku"], one["warehouse"]): one["onHand"] for one in counts}
    found = yield Statement(_TO_COUNT, [[sku for sku, _ in wanted]])
    counted = [(row, wanted[key] * UNIT) for row in found if (key := (row["sku"], row["code"])) in wanted]
    if len(counted) < len(wanted):
        raise Refused
    changed = [(row["id"], units - row["on_hand"], units) for row, units in counted]
    yield Statement(_COUNT, [(by, by, at, at, level) for level, by, _ in changed], many=True)
    moved = [("COUNT", by, after, "by hand", None, at, level) for level, by, after in changed if by]
    yield Statement(_MOVEMENTS.format(_slots(7)), moved, many=True)
    shown = [
        {"item": {"sku": row["sku"]}, "warehouse": {"code": row["code"]}, "onHand": quantity(units)}
        for row, units in counted
    ]
    return answer(setStock={"inventoryLevels": shown, "userErrors": []})


def refusal(name: str) -> bytes:
    return answer(**{name: {"userErrors": [{"code": "INSUFFICIENT_STOCK"}]}})


def _taken(sources: Sequence[Row], wanted: int, free: dict[int, int]) -> list[tuple[Row, int]]:
    """Take units from the sources in turn. ``free``: the units that earlier lines have left in each."""
    taken = []
    for source in sources:
        units = min(max(free[source["level_id"]], 0), wanted)
        if units:
            free[source["level_id"]] -= units
            wanted -= units
            taken.append((source, units))
    if wanted:
        raise Refused
    return taken


def _summed(taken: Iterable[Sequence[tuple[Row, int]]]) -> dict[int, int]:
    found: dict[int, int] = defaultdict(int)
    for parts in taken:
        for source, units in parts:
            found[source["level_id"]] += units
    return found


def _rows(sql: str, values: Sequence[Sequence[Any]]) -> Statement:
    """One statement that inserts all rows."""
    slots = ", ".join([_slots(len(values[0]))] * len(values))
    return Statement(sql.format(slots), [value for row in values for value in row])


def _slots(count: int) -> str:
    return f"({', '.join('?' * count)})"
