"""The same answers by hand: SQL and orjson for just these questions, on the tables and with the default settings."""

import base64
import sqlite3
from collections import defaultdict
from typing import Any

import orjson

_PRODUCTS = """SELECT id, sku, name, slug, own_images AS images FROM item
    WHERE product_id IS NULL AND deleted_at IS NULL ORDER BY name, id LIMIT ?"""
_COMBINATIONS = """SELECT c.id, c.product_id, c.sku, c.name, COALESCE(c.own_code, p.sku) AS code
    FROM item c JOIN item p ON p.id = c.product_id
    WHERE c.product_id IN ({}) AND c.deleted_at IS NULL ORDER BY c.id"""
_LEVELS = """SELECT l.item_id, l.on_hand, l.available, w.code, w.active
    FROM inventory_level l JOIN warehouse w ON w.id = l.warehouse_id
    WHERE l.item_id IN ({}) AND l.deleted_at IS NULL"""
_UNIT = 10_000


def connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def page(db: sqlite3.Connection, first: int = 24) -> bytes:
    """24 products with their combinations, availability and levels."""
    products = db.execute(_PRODUCTS, (first,)).fetchall()
    below = _below(db, products)
    return _answer(
        products={
            "nodes": [
                {
                    "id": _id("Product", one["id"]),
                    "sku": one["sku"],
                    "name": one["name"],
                    "slug": one["slug"],
                    "images": orjson.loads(one["images"]),
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


def many(db: sqlite3.Connection, first: int = 250) -> bytes:
    """250 products of 10 combinations with what can be sold of each."""
    products = db.execute(_PRODUCTS, (first,)).fetchall()
    below = _below(db, products)
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


def one(db: sqlite3.Connection, sku: str) -> bytes:
    """One product with what can be sold of it."""
    found = db.execute("SELECT id, sku, name FROM item WHERE sku = ? AND deleted_at IS NULL", (sku,)).fetchone()
    (units,) = db.execute(
        """SELECT COALESCE(SUM(MAX(l.available, 0)), 0) FROM inventory_level l
           JOIN item c ON c.id = l.item_id JOIN warehouse w ON w.id = l.warehouse_id AND w.active
           WHERE c.product_id = ? AND c.deleted_at IS NULL AND l.deleted_at IS NULL""",
        (found["id"],),
    ).fetchone()
    shown = {key: value for key, value in _product_availability(units).items() if key != "onlyLeft"}
    return _answer(
        product={"id": _id("Product", found["id"]), "sku": found["sku"], "name": found["name"], "availability": shown}
    )


def _below(db: sqlite3.Connection, products: list[sqlite3.Row]) -> dict[int, list[dict[str, Any]]]:
    """The combinations of each product, with their levels."""
    ids = [one["id"] for one in products]
    combinations = db.execute(_COMBINATIONS.format(",".join("?" * len(ids))), ids).fetchall()
    ids = [one["id"] for one in combinations]
    levels: dict[int, list[sqlite3.Row]] = defaultdict(list)
    for level in db.execute(_LEVELS.format(",".join("?" * len(ids))), ids):
        levels[level["item_id"]].append(level)
    out: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for combination in combinations:
        own = levels[combination["id"]]
        out[combination["product_id"]].append(
            dict(combination)
            | {
                "available": sum(max(level["available"], 0) for level in own if level["active"]),
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
