"""Keyset paging: every page costs the same, and rows that are added or removed elsewhere do not shift it."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pypika_tortoise.terms import Tuple
from tortoise.expressions import F, Q, RawSQL, ResolveContext
from tortoise.functions import Count
from tortoise.query_utils import QueryModifier
from tortoise.queryset import QuerySet

from gqlstock.store.db import sql, tables

Key = tuple[Any, int]
"""The sort key of a row: the value of the sorted column, and the id."""
Groups = Mapping[int, Collection[int]]
"""The parents in each group."""


@dataclass(frozen=True, slots=True)
class SortOrder:
    """A sort order by a column that is never null, then by the id. ``descending`` reverses both."""

    column: str
    descending: bool = False

    @property
    def relation(self) -> str:
        """The relation that the column belongs to; empty for an own column."""
        return self.column.rpartition("__")[0]

    def reversed(self) -> "SortOrder":
        return SortOrder(self.column, not self.descending)

    def key(self, row: Any) -> Key:
        """The key of a row in an order by an own column."""
        return getattr(row, self.column), row.id


def identity(rows: QuerySet[Any]) -> Hashable:
    """An identity of a query: equal for queries of the same rows."""
    _, statement, values = sql.compiled(rows.all())
    return statement, tuple(map(repr, values))


def kind(rows: QuerySet[Any], order: SortOrder) -> type:
    """The type of the sorted column's values; int (stored units) for an annotated column."""
    model: Any = rows.model
    *relations, column = order.column.split("__")
    for relation in relations:
        model = model._meta.fields_map[relation].related_model
    field = model._meta.fields_map.get(column)
    return field.field_type if field is not None else int


class _After(Q):
    """Rows whose (column, id) is after a key: one row value, which an index finds among any number of equal columns."""

    def __init__(self, order: SortOrder, key: Key) -> None:
        super().__init__()
        self._order = order
        self._key = key

    def resolve(self, resolve_context: ResolveContext) -> QueryModifier:
        meta, table = resolve_context.model._meta, resolve_context.table
        value, row_id = self._key
        stored = meta.fields_map[self._order.column].to_db_value(value, resolve_context.model)
        own = Tuple(table[meta.fields_db_projection[self._order.column]], table[meta.db_pk_column])
        end = Tuple(stored, row_id)
        return QueryModifier(where_criterion=own < end if self._order.descending else own > end)


def beyond(rows: QuerySet[Any], order: SortOrder, key: Key) -> Q:
    """A filter for rows after a key. For a column of a related row, the first condition lets an index start at the key."""
    side = "lt" if order.descending else "gt"
    if order.column == "id":
        return _is(f"id__{side}", key[1])
    if order.column in rows.model._meta.fields_db_projection:
        return _After(order, key)
    after = _is(f"{order.column}__{side}", key[0]) | _is(f"id__{side}", key[1])
    return _is(f"{order.column}__{side}e", key[0]) & after


def _is(lookup: str, value: Any) -> Q:
    return Q(**{lookup: value})


def sort(order: SortOrder) -> list[str]:
    sign = "-" if order.descending else ""
    return [f"{sign}id"] if order.column == "id" else [f"{sign}{order.column}", f"{sign}id"]


async def page(
    rows: QuerySet[Any], order: SortOrder, *, after: Key | None, before: Key | None, limit: int
) -> list[tuple[Any, Key]]:
    """Up to ``limit`` rows between two keys, in order, each with its own key."""
    if after is not None:
        rows = rows.filter(beyond(rows, order, after))
    if before is not None:
        rows = rows.filter(beyond(rows, order.reversed(), before))
    sorted_rows, sorted_by = rows.order_by(*sort(order)).limit(limit), order.column
    if order.relation:
        # Always true, but lets PostgreSQL start with the related table, in the order of an index.
        not_null = sorted_rows.filter(**{f"{order.column}__isnull": False})
        sorted_rows, sorted_by = not_null.annotate(sort_key=F(order.column)), "sort_key"
    db, statement, values = sql.compiled(sorted_rows)
    return _keyed(rows, order, (await db.execute_query(statement, values))[1], sorted_by)


def _keyed(rows: QuerySet[Any], order: SortOrder, found: Sequence[Any], sorted_by: str) -> list[tuple[Any, Key]]:
    """The records of a statement with their keys. ``sorted_by``: the name of the sorted column in it."""
    hydrated = tables.hydrated(rows.model, found)
    if order.column in rows.model._meta.fields_db_projection:
        return [(row, order.key(row)) for row in hydrated]
    return [(row, (one[sorted_by], row.id)) for row, one in zip(hydrated, found, strict=True)]


async def pages(
    rows: QuerySet[Any],
    parent: str,
    order: SortOrder,
    *,
    after: Key | None,
    before: Key | None,
    limit: int,
    groups: Groups | None = None,
) -> dict[Any, list[tuple[Any, Key]]]:
    """The same page below each of many parents, in one statement. ``parent``: the column that refers to the parent.

    With ``groups``, there is one page for each group of parents; groups may overlap. A single group is read like a
    single page, which costs the same for any number of rows.
    """
    if groups is not None and len(groups) == 1:
        return {next(iter(groups)): await page(rows, order, after=after, before=before, limit=limit)}
    if after is not None:
        rows = rows.filter(beyond(rows, order, after))
    if before is not None:
        rows = rows.filter(beyond(rows, order.reversed(), before))
    db, statement, values = sql.compiled(rows.annotate(sort_key=_sorted_column(rows, order)))
    direction = "DESC" if order.descending else "ASC"
    with_clause, join, page_of = _grouped(parent, groups)
    _, found = await db.execute_query(
        f"""{with_clause} SELECT * FROM (
                SELECT chosen.*, {page_of} AS page_of, ROW_NUMBER() OVER (
                    PARTITION BY {page_of} ORDER BY chosen.sort_key {direction}, chosen.id {direction}
                ) AS place
                FROM ({statement}) AS chosen {join}
            ) AS placed WHERE place <= {int(limit)} ORDER BY place""",
        values,
    )
    by_parent: dict[Any, list[tuple[Any, Key]]] = {}
    for one, keyed in zip(found, _keyed(rows, order, found, "sort_key"), strict=True):
        by_parent.setdefault(one["page_of"], []).append(keyed)
    return by_parent


def _sorted_column(rows: QuerySet[Any], order: SortOrder) -> Any:
    """The sorted column. An own column is qualified, because a joined table may have one with the same name."""
    meta = rows.model._meta
    own = meta.fields_db_projection.get(order.column)
    return RawSQL(f'"{meta.db_table}"."{own}"') if own is not None else F(order.column)


def _grouped(parent: str, groups: Groups | None) -> tuple[str, str, str]:
    """The WITH clause, the JOIN and the column that put the chosen rows into groups."""
    if groups is None:
        return "", "", f"chosen.{parent}"
    pairs = [f"({int(head)}, {int(member)})" for head, members in groups.items() for member in members]
    return (
        f"WITH grouped(head, member) AS (VALUES {', '.join(pairs)})",
        f"JOIN grouped ON grouped.member = chosen.{parent}",
        "grouped.head",
    )


async def counts(rows: QuerySet[Any], parent: str, groups: Groups | None = None) -> dict[Any, int]:
    """The number of rows below each parent or each group of parents, in one statement."""
    found = await rows.annotate(row_count=Count("id")).group_by(parent).values(parent, "row_count")
    below = {one[parent]: one["row_count"] for one in found}
    if groups is None:
        return below
    return {head: sum(below.get(member, 0) for member in members) for head, members in groups.items()}
