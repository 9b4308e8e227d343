"""Hand-written reads: SQL for exactly the benchmarked requests, on gqlstock's tables and with the default settings.

Each is a generator that yields statements, receives their rows and returns the answer, so SQLite and PostgreSQL share it.
``?`` stands for a value and ``IN ?`` for a list of values. ``by_hand_app`` runs the statements.
"""

import base64
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import orjson

T = TypeVar("T")
Row = Mapping[str, Any]


class Statement(NamedTuple):
    """``many``: execute once for each list of values."""

    sql: str
    values: Sequence[Any]
    many: bool = False


Statements = Generator[Statement, list[Row], T]


UNIT = 10_000

_PRODUCTS = """SELECT id, sku, name, slug, own_images AS images FROM item
    WHERE product_id IS NULL AND deleted_at IS NULL ORDER BY name, id LIMIT ?"""
# With the limit as a parameter, PostgreSQL scans the index of names, which is fast for a category of 2,000 products. With a
# literal limit it uses the index of categories, which is fast for a category of 24.
_PAGE = """SELECT id, sku, name, slug, own_images AS images FROM item
    WHERE category_id = (SELECT id FROM category WHERE slug = ?) AND product_id IS NULL AND deleted_at IS NULL
    ORDER BY name, id LIMIT 24"""
_IN_CATEGORY = """SELECT id, sku, name, slug, own_images AS images FROM item
    WHERE category_id = (SELECT id FROM category WHERE slug = ?) AND product_id IS NULL AND deleted_at IS NULL
    ORDER BY name, id LIMIT ?"""
_BEHIND = """SELECT id, sku, name, slug, own_images AS images FROM item
    WHERE category_id = (SELECT id FROM category WHERE slug = ?) AND product_id IS NULL AND deleted_at IS NULL
    AND (name, id) > (?, ?) ORDER BY name, id LIMIT ?"""
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


def page(category: str) -> Statements[bytes]:
    """24 products with their combinations, availability and levels."""
    products = yield Statement(_PAGE, [category])
    below = yield from _below(products)
    return answer(
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


def listing(category: str, after: tuple[str, int] | None = None, first: int = 24) -> Statements[bytes]:
    """24 products without options, with availability: the first of a category, or those after a name and an id."""
    if after is None:
        products = yield Statement(_IN_CATEGORY, [category, first])
    else:
        products = yield Statement(_BEHIND, [category, *after, first])
    levels = yield Statement(_LEVELS, [[one["id"] for one in products]])
    free: dict[int, int] = defaultdict(int)
    for level in levels:
        free[level["item_id"]] += _free(level)
    return answer(
        products={"nodes": [_shown(one) | {"availability": _availability(free[one["id"]])} for one in products]}
    )


def many(first: int = 250) -> Statements[bytes]:
    """250 products with 10 combinations each, and the availability of each combination."""
    products = yield Statement(_PRODUCTS, [first])
    below = yield from _below(products)
    return answer(
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
                                    "salableQuantity": quantity(c["available"]),
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
    """One product without options, with availability."""
    found = yield Statement(_BY_SKU, [[sku]])
    first, units = found[0], sum(_free(row) for row in found)
    return answer(
        product={
            "id": _id("Product", first["id"]),
            "sku": first["sku"],
            "name": first["name"],
            "availability": _availability(units),
        }
    )


def availabilities(skus: Sequence[str]) -> Statements[bytes]:
    """The availability of many items, in the requested order."""
    found = yield Statement(_BY_SKU, [skus])
    free: dict[str, int] = defaultdict(int)
    for row in found:
        free[row["sku"]] += _free(row)
    return answer(availabilities=[{"sku": sku} | _availability(free[sku]) if sku in free else None for sku in skus])


def _free(level: Row) -> int:
    """The available units of a level; 0 if there is no level or its warehouse is inactive."""
    return max(level["available"], 0) if level["active"] else 0


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
                        "onHand": quantity(level["on_hand"]),
                        "available": quantity(level["available"]),
                        "warehouse": {"code": level["code"]},
                    }
                    for level in own
                ],
            }
        )
    return out


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
        "salableQuantity": quantity(units),
        "onlyLeft": None,
    }


def _product_availability(units: int) -> dict[str, Any]:
    """Products tracked with options are ordered by combination."""
    return _availability(units) | {"orderable": False}


def quantity(units: int) -> int | float:
    return units // UNIT if units % UNIT == 0 else units / UNIT


def _id(name: str, row_id: int) -> str:
    return base64.urlsafe_b64encode(f"{name}:{row_id}".encode()).decode()


def answer(**data: Any) -> bytes:
    return orjson.dumps({"data": data})
