"""Conditions in SQL for the query of a list. What few rows may pass is found first, by an index: then a list in any order
reads only these. What many pass is left to the condition: a list in any order soon finds a page of them."""

from collections.abc import Collection
from typing import Any

from pypika_tortoise.context import SqlContext
from pypika_tortoise.terms import Criterion
from tortoise.expressions import ResolveContext
from tortoise.query_utils import QueryModifier

from gqlstock.store.db import sql
from gqlstock.store.db.shapes import ShapedQ

_FEW = 2_000


class Condition(ShapedQ):
    """A condition about the rows of the list's table, which it names. It has no values."""

    def __init__(self, text: str) -> None:
        super().__init__(text, [])

    def with_values(self, values: list[Any]) -> "Condition":
        return self

    def resolve(self, resolve_context: ResolveContext) -> QueryModifier:
        return QueryModifier(where_criterion=_Text(str(self.shape)))


async def few(statement: str) -> set[int] | None:
    """The ids that a statement finds; None if these are many."""
    rows = await sql.query(f"{statement} LIMIT {_FEW + 1}")
    return None if len(rows) > _FEW else {row["id"] for row in rows}


def exists(rows: str) -> str:
    """Whether there are rows, such as "inventory_level l WHERE l.item_id = item.id", found anew for each row of the list.

    PostgreSQL would collect the rows of EXISTS for the whole list first, although a page needs few of them.
    """
    return f"((SELECT 1 FROM {rows} LIMIT 1) IS NOT NULL)"


def listed(ids: Collection[int]) -> str:
    """Ids in an IN list; NULL for none, which matches no row."""
    return ", ".join(str(int(one)) for one in sorted(ids)) or "NULL"


class _Text(Criterion):
    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def get_sql(self, ctx: SqlContext) -> str:
        return self._text
