"""Keyset paging: every page costs the same, and rows added or removed elsewhere do not shift pages."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pypika_tortoise.terms import Tuple
from tortoise.expressions import F, Q, RawSQL, ResolveContext
from tortoise.functions import Count
from tortoise.query_utils import QueryModifier
from tortoise.queryset import QuerySet

from gqlstock.rules.paging import Key, SortOrder
from gqlstock.store.db import shapes, sql, tables
from gqlstock.store.db.shapes import ShapedQ

Groups = Mapping[int, Collection[int]]
"""The parents in each group."""


def identity(rows: QuerySet[Any]) -> Hashable:
    """The identity of a query. Queries for the same rows have equal identities."""
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


class _After(ShapedQ):
    """Rows whose (column, id) comes after a key. Compares row values: an index finds the start among equal values too.

    ``key`` holds the stored value.
    """

    def __init__(self, order: SortOrder, key: Key) -> None:
        super().__init__((order, type(key[0])), list(key))
        self._order = order

    def with_values(self, values: list[Any]) -> "_After":
        value, row_id = values
        return _After(self._order, (value, row_id))

    def resolve(self, resolve_context: ResolveContext) -> QueryModifier:
        meta, table = resolve_context.model._meta, resolve_context.table
        own = Tuple(table[meta.fields_db_projection[self._order.column]], table[meta.db_pk_column])
        end = Tuple(*self.values)
        return QueryModifier(where_criterion=own < end if self._order.descending else own > end)


def beyond(rows: QuerySet[Any], order: SortOrder, key: Key) -> Q:
    """A filter for rows after a key. For a column of a related row, the first condition lets an index start at the key."""
    side = "lt" if order.descending else "gt"
    if order.column == "id":
        return _is(f"id__{side}", key[1])
    if order.column in rows.model._meta.fields_db_projection:
        value, row_id = key
        return _After(order, (rows.model._meta.fields_map[order.column].to_db_value(value, rows.model), row_id))
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
    if order.nullable:
        return await _page_with_nulls(rows, order, after, before, limit)
    if after is not None:
        rows = rows.filter(beyond(rows, order, after))
    if before is not None:
        rows = rows.filter(beyond(rows, order.reversed(), before))
    sorted_rows, sorted_by = rows.order_by(*sort(order)).limit(limit), order.column
    if order.relation:
        # Always true, but lets PostgreSQL start with the related table, in the order of an index.
        not_null = sorted_rows.filter(**{f"{order.column}__isnull": False})
        sorted_rows, sorted_by = not_null.annotate(sort_key=F(order.column)), "sort_key"
    db, statement, values = shapes.compiled(sorted_rows)
    return _keyed(rows, order, (await db.execute_query(statement, values))[1], sorted_by)


async def _page_with_nulls(
    rows: QuerySet[Any], order: SortOrder, after: Key | None, before: Key | None, limit: int
) -> list[tuple[Any, Key]]:
    """A page sorted by a nullable column of the table: reads the rows with a value and the rows without one separately.

    Databases sort nulls differently, and none can use an index to find a position across both.
    """
    found: list[tuple[Any, Key]] = []
    for nulls in (True, False) if order.descending else (False, True):
        if not any(_is_behind(key, sides, nulls=nulls) for key, sides in ((after, order), (before, order.reversed()))):
            limited = _part(rows, order, after, before, nulls=nulls).limit(limit - len(found))
            db, statement, values = shapes.compiled(limited)
            found += _keyed(rows, order, (await db.execute_query(statement, values))[1], order.column)
        if len(found) == limit:
            break
    return found


def _is_behind(key: Key | None, order: SortOrder, *, nulls: bool) -> bool:
    """Whether all rows with a null, or all without one, come before a key."""
    return key is not None and (key[0] is None) != nulls and nulls == order.descending


def _part(
    rows: QuerySet[Any], order: SortOrder, after: Key | None, before: Key | None, *, nulls: bool
) -> QuerySet[Any]:
    """The rows between two keys that have a null, or those that have none."""
    after, before = (key if key is not None and (key[0] is None) == nulls else None for key in (after, before))
    if nulls:
        # Only the id orders rows with a null.
        placed, part = SortOrder("id", order.descending), rows.filter(**{order.column: None})
    else:
        placed, part = SortOrder(order.column, order.descending), rows
        if (before if order.descending else after) is None:
            # Without a lower bound SQLite reads all nulls in the index before the first value.
            least = _LEAST[kind(rows, order)], 0
            part = part.filter(beyond(rows, SortOrder(order.column), least))
    if after is not None:
        part = part.filter(beyond(rows, placed, after))
    if before is not None:
        part = part.filter(beyond(rows, placed.reversed(), before))
    # Sort by the column even if it is always null: it is the first column of the index.
    return part.order_by(*sort(order))


_LEAST: Mapping[type, Any] = {datetime: datetime.min.replace(tzinfo=UTC)}
"""The least value of each type of nullable column."""


def _keyed(rows: QuerySet[Any], order: SortOrder, found: Sequence[Any], sorted_by: str) -> list[tuple[Any, Key]]:
    """The records of a statement with their keys. ``sorted_by``: the result column with the sort value."""
    hydrated = tables.hydrated(rows.model, found)
    if order.column in rows.model._meta.fields_db_projection:
        return [(row, order.key(row)) for row in hydrated]
    return [(record, (row[sorted_by], record.id)) for record, row in zip(hydrated, found, strict=True)]


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
    single page, which costs the same for any number of rows. Does not support nullable orders.
    """
    if groups is not None and len(groups) == 1:
        return {next(iter(groups)): await page(rows, order, after=after, before=before, limit=limit)}
    assert not order.nullable
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
    for row, keyed in zip(found, _keyed(rows, order, found, "sort_key"), strict=True):
        by_parent.setdefault(row["page_of"], []).append(keyed)
    return by_parent


def _sorted_column(rows: QuerySet[Any], order: SortOrder) -> Any:
    """The sorted column. A column of the table itself is qualified, because a joined table may have one of the same name."""
    meta = rows.model._meta
    own = meta.fields_db_projection.get(order.column)
    return RawSQL(f'"{meta.db_table}"."{own}"') if own is not None else F(order.column)


def _grouped(parent: str, groups: Groups | None) -> tuple[str, str, str]:
    """The WITH clause, the JOIN and the column that group the selected rows."""
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
    below = {row[parent]: row["row_count"] for row in found}
    if groups is None:
        return below
    return {head: sum(below.get(member, 0) for member in members) for head, members in groups.items()}
