"""Searches items for a text. A rare text is found first, by an index if there is one; a frequent one is a plain filter."""

from typing import Any

from tortoise.expressions import Q

from gqlstock.rules import folding
from gqlstock.store.db import sql

# Up to so many items are found first. With more, a list in any order soon finds a page of them.
_MAX_FOUND = 2_000
_ITEMS = rf"SELECT id FROM item WHERE folded LIKE ? ESCAPE '\' OR folded_sku LIKE ? ESCAPE '\' LIMIT {_MAX_FOUND + 1}"
# A combination without an own code shows its product's SKU.
_COMBINATIONS = rf"""
    SELECT combination.id FROM item product
    JOIN item combination ON combination.product_id = product.id AND combination.own_code IS NULL
    WHERE product.product_id IS NULL AND product.folded_sku LIKE ? ESCAPE '\' LIMIT {_MAX_FOUND + 1}
"""


async def items(text: str, prefix: str = "") -> Q:
    """A filter for a text in name, SKU, code or barcode, without case and accents. ``prefix`` leads to the item.

    Two statements, because PostgreSQL would start parallel workers for one, which takes longer than both.
    """
    wanted = folding.fold(text)
    pattern = "%" + wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await sql.query(_ITEMS, pattern, pattern)
    if len(rows) <= _MAX_FOUND:
        rows += await sql.query(_COMBINATIONS, pattern)
    if len(rows) > _MAX_FOUND:
        return _matches(wanted, prefix)
    return _is(f"{prefix}id__in", sorted({row["id"] for row in rows}))


def _matches(wanted: str, prefix: str) -> Q:
    found = Q(*(_is(f"{prefix}{column}__contains", wanted) for column in ("folded", "folded_sku")), join_type=Q.OR)
    return found | _is(f"{prefix}own_code", None) & _is(f"{prefix}product__folded_sku__contains", wanted)


def _is(lookup: str, value: Any) -> Q:
    return Q(**{lookup: value})
