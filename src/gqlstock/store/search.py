"""A text looked for in items. Where few have it they are found first, by an index if there is one; else on the way."""

from typing import Any

from tortoise.expressions import Q

from gqlstock.store import database

_COLUMNS = ("name", "sku", "own_code", "barcode")
# That many are found first. Where more have it, a page of them is soon found in whatever order they are listed.
_FEW = 2_000
_ITEMS = """
    SELECT id FROM item WHERE {own}
    UNION ALL
    SELECT c.id FROM item p JOIN item c ON c.product_id = p.id AND c.own_code IS NULL
    WHERE p.product_id IS NULL AND UPPER(p.sku) LIKE UPPER(?) ESCAPE '\\'
    LIMIT {most}
""".format(own=" OR ".join(f"UPPER({column}) LIKE UPPER(?) ESCAPE '\\'" for column in _COLUMNS), most=_FEW + 1)


async def items(text: str, prefix: str = "") -> Q:
    """What a search looks in: name, SKU, code and barcode, whatever the case. ``prefix`` leads to the item."""
    pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await database.query(_ITEMS, *[pattern] * (len(_COLUMNS) + 1))
    if len(rows) > _FEW:
        return _matches(text, prefix)
    return _is(f"{prefix}id__in", sorted({row["id"] for row in rows}))


def _matches(text: str, prefix: str) -> Q:
    found = Q(*(_is(f"{prefix}{column}__icontains", text) for column in _COLUMNS), join_type=Q.OR)
    # A combination without a code of its own shows its product's.
    return found | _is(f"{prefix}own_code", None) & _is(f"{prefix}product__sku__icontains", text)


def _is(lookup: str, value: Any) -> Q:
    return Q(**{lookup: value})
