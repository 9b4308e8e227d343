"""SQL conditions for the queries of lists.

If few rows match, ``few`` finds their ids by an index first, and a list in any order reads only these. If many match, the
condition filters while the list is read, which fills a page quickly in any order.
"""

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
    """A condition on rows of the list's table, as SQL that names the table. It has no parameters."""

    def __init__(self, text: str) -> None:
        super().__init__(text, [])

    def with_values(self, values: list[Any]) -> "Condition":
        return self

    def resolve(self, resolve_context: ResolveContext) -> QueryModifier:
        return QueryModifier(where_criterion=_Text(str(self.shape)))


async def few(statement: str) -> set[int] | None:
    """The ids that a statement returns; None if there are too many to list."""
    rows = await sql.query(f"{statement} LIMIT {_FEW + 1}")
    return None if len(rows) > _FEW else {row["id"] for row in rows}


def exists(rows: str) -> str:
    """Whether rows such as "inventory_level l WHERE l.item_id = item.id" exist, evaluated for each row of the list.

    For EXISTS, PostgreSQL would first collect the rows of the whole list, although a page needs few of them.
    """
    return f"((SELECT 1 FROM {rows} LIMIT 1) IS NOT NULL)"


def listed(ids: Collection[int]) -> str:
    """Ids for an IN list; without ids it is NULL, which matches no row."""
    return ", ".join(str(int(one)) for one in sorted(ids)) or "NULL"


class _Text(Criterion):
    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def get_sql(self, ctx: SqlContext) -> str:
        return self._text
