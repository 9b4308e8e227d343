"""A text looked for in items. Where few have it they are found first, by an index if there is one; else on the way."""

from typing import Any

from tortoise.expressions import Q

from gqlstock.rules import folding
from gqlstock.store.db import sql

# That many are found first. Where more have it, a page of them is soon found in most orders that they are listed in.
_FEW = 2_000
_ITEMS = rf"SELECT id FROM item WHERE folded LIKE ? ESCAPE '\' OR folded_sku LIKE ? ESCAPE '\' LIMIT {_FEW + 1}"
# A combination without a code of its own shows its product's.
_COMBINATIONS = rf"""
    SELECT combination.id FROM item product
    JOIN item combination ON combination.product_id = product.id AND combination.own_code IS NULL
    WHERE product.product_id IS NULL AND product.folded_sku LIKE ? ESCAPE '\' LIMIT {_FEW + 1}
"""


async def items(text: str, prefix: str = "") -> Q:
    """What a search looks in: name, SKU, code and barcode, whatever the case and accents. ``prefix`` leads to the item.

    Two statements, for PostgreSQL would start processes of its own for both as one, which takes longer than either.
    """
    wanted = folding.fold(text)
    pattern = "%" + wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await sql.query(_ITEMS, pattern, pattern)
    if len(rows) <= _FEW:
        rows += await sql.query(_COMBINATIONS, pattern)
    if len(rows) > _FEW:
        return _matches(wanted, prefix)
    return _is(f"{prefix}id__in", sorted({row["id"] for row in rows}))


def _matches(wanted: str, prefix: str) -> Q:
    found = Q(*(_is(f"{prefix}{column}__contains", wanted) for column in ("folded", "folded_sku")), join_type=Q.OR)
    return found | _is(f"{prefix}own_code", None) & _is(f"{prefix}product__folded_sku__contains", wanted)


def _is(lookup: str, value: Any) -> Q:
    return Q(**{lookup: value})
