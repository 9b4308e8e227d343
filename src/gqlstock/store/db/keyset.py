"""Paging by key: a page costs the same wherever it is, and rows that come or go elsewhere do not shift it."""

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
"""A row's place in an order: the value of the sorted column, and the id."""
Groups = Mapping[int, Collection[int]]
"""The parents in each group."""


@dataclass(frozen=True, slots=True)
class SortOrder:
    """What rows are sorted by: a column that is never null, then the id. ``descending`` turns both."""

    column: str
    descending: bool = False

    @property
    def relation(self) -> str:
        """The related row that the column is of; empty where it is the row's own."""
        return self.column.rpartition("__")[0]

    def reversed(self) -> "SortOrder":
        return SortOrder(self.column, not self.descending)

    def key(self, row: Any) -> Key:
        """A row's place in an order by a column of its own."""
        return getattr(row, self.column), row.id


def identity(rows: QuerySet[Any]) -> Hashable:
    """The key of a query: equal for queries that ask for the same rows."""
    _, statement, values = sql.compiled(rows.all())
    return statement, tuple(map(repr, values))


def kind(rows: QuerySet[Any], order: SortOrder) -> type:
    """What the values of the sorted column are; those of an annotated one are stored units."""
    model: Any = rows.model
    *relations, column = order.column.split("__")
    for relation in relations:
        model = model._meta.fields_map[relation].related_model
    field = model._meta.fields_map.get(column)
    return field.field_type if field is not None else int


class _Behind(Q):
    """Rows whose own column and id, as one value, are behind a key: an index goes on there, however many are equal."""

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
    """Rows behind a key. Where the column is of a related row, the first condition lets an index begin at the key."""
    side = "lt" if order.descending else "gt"
    if order.column == "id":
        return _is(f"id__{side}", key[1])
    if order.column in rows.model._meta.fields_db_projection:
        return _Behind(order, key)
    behind = _is(f"{order.column}__{side}", key[0]) | _is(f"id__{side}", key[1])
    return _is(f"{order.column}__{side}e", key[0]) & behind


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
        # Every row has one: said so, PostgreSQL may begin with that table, in the order of an index.
        there = sorted_rows.filter(**{f"{order.column}__isnull": False})
        sorted_rows, sorted_by = there.annotate(sort_key=F(order.column)), "sort_key"
    db, statement, values = sql.compiled(sorted_rows)
    return _keyed(rows, order, (await db.execute_query(statement, values))[1], sorted_by)


def _keyed(rows: QuerySet[Any], order: SortOrder, found: Sequence[Any], sorted_by: str) -> list[tuple[Any, Key]]:
    """The rows of a statement with their keys; ``sorted_by`` names the sorted column there."""
    made = tables.made(rows.model, found)
    if order.column in rows.model._meta.fields_db_projection:
        return [(row, order.key(row)) for row in made]
    return [(row, (one[sorted_by], row.id)) for row, one in zip(made, found, strict=True)]


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
    """The same page below each of many parents, in one statement; ``parent`` is the column that names a row's.

    With ``groups`` a page is that of all parents in a group, which may have some in common. One group alone is read as
    a page is: it costs the same however many rows are behind it.
    """
    if groups is not None and len(groups) == 1:
        return {next(iter(groups)): await page(rows, order, after=after, before=before, limit=limit)}
    if after is not None:
        rows = rows.filter(beyond(rows, order, after))
    if before is not None:
        rows = rows.filter(beyond(rows, order.reversed(), before))
    db, statement, values = sql.compiled(rows.annotate(sort_key=_sorted_column(rows, order)))
    way = "DESC" if order.descending else "ASC"
    told, joined, page_of = _grouped(parent, groups)
    _, found = await db.execute_query(
        f"""{told} SELECT * FROM (
                SELECT chosen.*, {page_of} AS page_of, ROW_NUMBER() OVER (
                    PARTITION BY {page_of} ORDER BY chosen.sort_key {way}, chosen.id {way}
                ) AS place
                FROM ({statement}) AS chosen {joined}
            ) AS placed WHERE place <= {int(limit)} ORDER BY place""",
        values,
    )
    out: dict[Any, list[tuple[Any, Key]]] = {}
    for one, keyed in zip(found, _keyed(rows, order, found, "sort_key"), strict=True):
        out.setdefault(one["page_of"], []).append(keyed)
    return out


def _sorted_column(rows: QuerySet[Any], order: SortOrder) -> Any:
    """The column of an order. One of the rows' own is named with its table: a joined one may have another of that name."""
    meta = rows.model._meta
    own = meta.fields_db_projection.get(order.column)
    return RawSQL(f'"{meta.db_table}"."{own}"') if own is not None else F(order.column)


def _grouped(parent: str, groups: Groups | None) -> tuple[str, str, str]:
    """What a statement says before, of, and behind the chosen rows to put them into groups."""
    if groups is None:
        return "", "", f"chosen.{parent}"
    pairs = [f"({int(head)}, {int(member)})" for head, members in groups.items() for member in members]
    return (
        f"WITH grouped(head, member) AS (VALUES {', '.join(pairs)})",
        f"JOIN grouped ON grouped.member = chosen.{parent}",
        "grouped.head",
    )


async def counts(rows: QuerySet[Any], parent: str, groups: Groups | None = None) -> dict[Any, int]:
    """How many rows there are below each parent, or in each group of them, in one statement."""
    found = await rows.annotate(rows_there=Count("id")).group_by(parent).values(parent, "rows_there")
    below = {one[parent]: one["rows_there"] for one in found}
    if groups is None:
        return below
    return {head: sum(below.get(member, 0) for member in members) for head, members in groups.items()}
