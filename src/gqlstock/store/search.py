"""Searches items for a text. Rare texts are looked up first, with an index if there is one; frequent ones become a filter."""

from typing import Any

from tortoise.expressions import Q

from gqlstock.rules import folding
from gqlstock.store.db import sql

# The most items to look up. Texts in more items fill a page of any sorted list quickly.
_MAX_FOUND = 2_000
_ITEMS = rf"SELECT id FROM item WHERE folded LIKE ? ESCAPE '\' OR folded_sku LIKE ? ESCAPE '\' LIMIT {_MAX_FOUND + 1}"
# A combination without a code of its own shows its product's SKU.
_COMBINATIONS = rf"""
    SELECT combination.id FROM item product
    JOIN item combination ON combination.product_id = product.id AND combination.own_code IS NULL
    WHERE product.product_id IS NULL AND product.folded_sku LIKE ? ESCAPE '\' LIMIT {_MAX_FOUND + 1}
"""


async def items(text: str, prefix: str = "") -> Q:
    """A filter for a text in the name, SKU, code or barcode. Ignores case and accents. ``prefix``: the lookup of the item.

    It takes two statements, because PostgreSQL would start parallel workers for a combined one, which takes longer.
    """
    folded = folding.fold(text)
    pattern = "%" + folded.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await sql.query(_ITEMS, pattern, pattern)
    if len(rows) <= _MAX_FOUND:
        rows += await sql.query(_COMBINATIONS, pattern)
    if len(rows) > _MAX_FOUND:
        return _matches(folded, prefix)
    return _is(f"{prefix}id__in", sorted({row["id"] for row in rows}))


def _matches(folded: str, prefix: str) -> Q:
    found = Q(*(_is(f"{prefix}{column}__contains", folded) for column in ("folded", "folded_sku")), join_type=Q.OR)
    return found | _is(f"{prefix}own_code", None) & _is(f"{prefix}product__folded_sku__contains", folded)


def _is(lookup: str, value: Any) -> Q:
    return Q(**{lookup: value})
