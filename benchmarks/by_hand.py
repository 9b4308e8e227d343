"""The same answers by hand: the SQL for just these questions, on the tables and with the default settings.

Each is a generator of statements that is sent their rows and returns the answer, so that it is written once for SQLite
and for PostgreSQL. ``?`` stands for a value, ``IN ?`` for a list of them. How statements are run is decided elsewhere.
"""

import base64
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import orjson

T = TypeVar("T")
Row = Mapping[str, Any]


class Statement(NamedTuple):
    """``many``: once for each list of values."""

    sql: str
    values: Sequence[Any]
    many: bool = False


Statements = Generator[Statement, list[Row], T]


class Refused(Exception):
    """There is not enough."""


_UNIT = 10_000
_FIRST_NUMBER = 100_000

_PRODUCTS = """SELECT id, sku, name, slug, own_images AS images FROM item
    WHERE product_id IS NULL AND deleted_at IS NULL ORDER BY name, id LIMIT ?"""
_IN_CATEGORY = """SELECT id, sku, name, slug, own_images AS images FROM item
    WHERE category_id = (SELECT id FROM category WHERE slug = ?) AND product_id IS NULL AND deleted_at IS NULL
    ORDER BY name, id LIMIT ?"""
_COMBINATIONS = """SELECT c.id, c.product_id, c.sku, c.name, COALESCE(c.own_code, p.sku) AS code
    FROM item c JOIN item p ON p.id = c.product_id
    WHERE c.product_id IN ? AND c.deleted_at IS NULL ORDER BY c.id"""
_LEVELS = """SELECT l.item_id, l.on_hand, l.available, w.code, w.active
    FROM inventory_level l JOIN warehouse w ON w.id = l.warehouse_id
    WHERE l.item_id IN ? AND l.deleted_at IS NULL"""
_BY_SKU = """SELECT i.id, i.sku, i.name, l.available, w.active FROM item i
    LEFT JOIN inventory_level l ON l.item_id = i.id AND l.deleted_at IS NULL
    LEFT JOIN warehouse w ON w.id = l.warehouse_id
    WHERE i.sku IN ? AND i.deleted_at IS NULL"""
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


def page(first: int = 24) -> Statements[bytes]:
    """24 products with their combinations, availability and levels."""
    products = yield Statement(_PRODUCTS, [first])
    below = yield from _below(products)
    return _answer(
        products={
            "nodes": [
                {
                    "id": _id("Product", one["id"]),
                    **_shown(one),
                    "availability": _product_availability(sum(c["available"] for c in below[one["id"]])),
                    "combinations": {
                        "nodes": [
                            {
                                "id": _id("Combination", c["id"]),
                                "sku": c["sku"],
                                "name": c["name"],
                                "code": c["code"],
                                "availability": _availability(c["available"]) | {"visible": True, "backorder": False},
                                "inventoryLevels": {"nodes": c["levels"]},
                            }
                            for c in below[one["id"]]
                        ]
                    },
                }
                for one in products
            ]
        }
    )


def listing(category: str, first: int = 24) -> Statements[bytes]:
    """24 products without options, with availability."""
    products = yield Statement(_IN_CATEGORY, [category, first])
    levels = yield Statement(_LEVELS, [[one["id"] for one in products]])
    free: dict[int, int] = defaultdict(int)
    for level in levels:
        free[level["item_id"]] += _free(level)
    return _answer(
        products={"nodes": [_shown(one) | {"availability": _availability(free[one["id"]])} for one in products]}
    )


def many(first: int = 250) -> Statements[bytes]:
    """250 products of 10 combinations with what can be sold of each."""
    products = yield Statement(_PRODUCTS, [first])
    below = yield from _below(products)
    return _answer(
        products={
            "nodes": [
                {
                    "sku": one["sku"],
                    "combinations": {
                        "nodes": [
                            {
                                "sku": c["sku"],
                                "availability": {
                                    "orderable": c["available"] > 0,
                                    "salableQuantity": _quantity(c["available"]),
                                },
                            }
                            for c in below[one["id"]]
                        ]
                    },
                }
                for one in products
            ]
        }
    )


def one(sku: str) -> Statements[bytes]:
    """One product without options, with what can be sold of it."""
    found = yield Statement(_BY_SKU, [[sku]])
    first, units = found[0], sum(_free(row) for row in found)
    return _answer(
        product={
            "id": _id("Product", first["id"]),
            "sku": first["sku"],
            "name": first["name"],
            "availability": _availability(units),
        }
    )


def availabilities(skus: Sequence[str]) -> Statements[bytes]:
    """What can be sold of many, in the order in which they were asked for."""
    found = yield Statement(_BY_SKU, [skus])
    free: dict[str, int] = defaultdict(int)
    for row in found:
        free[row["sku"]] += _free(row)
    return _answer(availabilities=[{"sku": sku} | _availability(free[sku]) if sku in free else None for sku in skus])


def place(lines: Sequence[Row]) -> Statements[bytes]:
    """An order: all of it from the sources in turn, or nothing."""
    at = datetime.now(UTC)
    sources: dict[str, list[Row]] = defaultdict(list)
    for row in (yield Statement(_SOURCES, [[line["sku"] for line in lines]])):
        sources[row["sku"]].append(row)
    free = {row["level_id"]: row["available"] for own in sources.values() for row in own}
    planned = [_taken(sources[line["sku"]], line["quantity"] * _UNIT, free) for line in lines]
    ((order,),) = ((row["id"],) for row in (yield Statement(_ORDER, [at, at, planned[0][0][0]["website_id"]])))
    written = yield _rows(
        _LINES,
        [
            (of["sku"], of["name"], of["code"], "{}", line["quantity"] * _UNIT, 0, "ON_ORDER", of["item_id"], order)
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
    # The locks last and in one order: they are kept for two statements, and never in a circle.
    for level, units in sorted(_summed(taken for _, taken in parts).items()):
        changed = yield Statement(_TAKE, [units, units, at, level, units])
        if not changed:
            raise Refused
        movements.append(("SALE", -units, changed[0]["on_hand"], "by hand", order, at, level))
    yield _rows(_MOVEMENTS, movements)
    shown = [{"sku": line["sku"], "quantity": line["quantity"]} for line in lines]
    return _answer(
        placeOrder={
            "order": {"number": str(_FIRST_NUMBER + order), "status": "PLACED", "lines": shown},
            "userErrors": [],
        }
    )


def adjust(changes: Sequence[Row]) -> Statements[bytes]:
    """Deltas of levels, each with its line in the ledger."""
    at, levels = datetime.now(UTC), []
    for one in changes:
        units = one["delta"] * _UNIT
        changed = yield Statement(_ADJUST, [units, units, at, one["sku"], one["warehouse"], units])
        if not changed:
            raise Refused
        (level,) = changed
        yield _rows(_MOVEMENTS, [("ADJUSTMENT", units, level["on_hand"], "by hand", None, at, level["id"])])
        levels.append({"onHand": _quantity(level["on_hand"]), "available": _quantity(level["available"])})
    return _answer(adjustStock={"inventoryLevels": levels, "userErrors": []})


def count(counts: Sequence[Row]) -> Statements[bytes]:
    """What was counted of levels; the ledger gets the differences."""
    at = datetime.now(UTC)
    wanted = {(one["sku"], one["warehouse"]): one["onHand"] for one in counts}
    found = yield Statement(_TO_COUNT, [[sku for sku, _ in wanted]])
    counted = [(row, wanted[key] * _UNIT) for row in found if (key := (row["sku"], row["code"])) in wanted]
    if len(counted) < len(wanted):
        raise Refused
    changed = [(row["id"], units - row["on_hand"], units) for row, units in counted]
    yield Statement(_COUNT, [(by, by, at, at, level) for level, by, _ in changed], many=True)
    moved = [("COUNT", by, after, "by hand", None, at, level) for level, by, after in changed if by]
    yield Statement(_MOVEMENTS.format(_slots(7)), moved, many=True)
    shown = [
        {"item": {"sku": row["sku"]}, "warehouse": {"code": row["code"]}, "onHand": _quantity(units)}
        for row, units in counted
    ]
    return _answer(setStock={"inventoryLevels": shown, "userErrors": []})


def refusal(name: str) -> bytes:
    return _answer(**{name: {"userErrors": [{"code": "INSUFFICIENT_STOCK"}]}})


def _taken(sources: Sequence[Row], wanted: int, free: dict[int, int]) -> list[tuple[Row, int]]:
    """So many units from the sources in turn; ``free`` has what earlier lines have left of each."""
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


def _free(level: Row) -> int:
    """What can be sold of a level; there may be none, or its warehouse may be inactive."""
    return max(level["available"], 0) if level["active"] else 0


def _summed(taken: Iterable[Sequence[tuple[Row, int]]]) -> dict[int, int]:
    found: dict[int, int] = defaultdict(int)
    for parts in taken:
        for source, units in parts:
            found[source["level_id"]] += units
    return found


def _below(products: Sequence[Row]) -> Statements[dict[int, list[dict[str, Any]]]]:
    """The combinations of each product, with their levels."""
    combinations = yield Statement(_COMBINATIONS, [[one["id"] for one in products]])
    found = yield Statement(_LEVELS, [[one["id"] for one in combinations]])
    levels: dict[int, list[Row]] = defaultdict(list)
    for level in found:
        levels[level["item_id"]].append(level)
    out: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for combination in combinations:
        own = levels[combination["id"]]
        out[combination["product_id"]].append(
            dict(combination)
            | {
                "available": sum(_free(level) for level in own),
                "levels": [
                    {
                        "onHand": _quantity(level["on_hand"]),
                        "available": _quantity(level["available"]),
                        "warehouse": {"code": level["code"]},
                    }
                    for level in own
                ],
            }
        )
    return out


def _rows(sql: str, values: Sequence[Sequence[Any]]) -> Statement:
    """One statement that inserts all of these."""
    slots = ", ".join([_slots(len(values[0]))] * len(values))
    return Statement(sql.format(slots), [value for row in values for value in row])


def _slots(count: int) -> str:
    return f"({', '.join('?' * count)})"


def _shown(product: Row) -> dict[str, Any]:
    return {
        "sku": product["sku"],
        "name": product["name"],
        "slug": product["slug"],
        "images": orjson.loads(product["images"]),
    }


def _availability(units: int) -> dict[str, Any]:
    return {
        "status": "IN_STOCK" if units > 0 else "OUT_OF_STOCK",
        "orderable": units > 0,
        "salableQuantity": _quantity(units),
        "onlyLeft": None,
    }


def _product_availability(units: int) -> dict[str, Any]:
    """A product that is tracked with options is ordered by its combinations."""
    return _availability(units) | {"orderable": False}


def _quantity(units: int) -> int | float:
    return units // _UNIT if units % _UNIT == 0 else units / _UNIT


def _id(name: str, row_id: int) -> str:
    return base64.urlsafe_b64encode(f"{name}:{row_id}".encode()).decode()


def _answer(**data: Any) -> bytes:
    return orjson.dumps({"data": data})
