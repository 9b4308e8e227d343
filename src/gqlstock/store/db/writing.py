"""Inserts and updates the records of a table."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from tortoise.models import Model

from gqlstock.rules import folding
from gqlstock.store.db import records, sql
from gqlstock.store.db.fields import FoldedField


async def insert(table: type[Model], rows: Sequence[Any]) -> list[int]:
    """Insert records of one kind. Returns their ids, in order."""
    if not rows:
        return []
    key = table._meta.pk
    names = [field.name for field in dataclasses.fields(rows[0]) if field.name != "id" or not key.generated]
    columns = [*names, *_folded(table)]
    ids = await sql.insert(table, columns, stored(table, rows, columns))
    return ids if key.generated else [row.id for row in rows]


async def update(table: type[Model], pairs: Sequence[tuple[Any, Any]]) -> None:
    """Write the fields that differ between two versions of a record. The caller has locked the rows."""
    by_names: dict[tuple[str, ...], list[Any]] = {}
    for before, after in pairs:
        names = tuple(
            field.name
            for field in dataclasses.fields(after)
            if getattr(before, field.name) != getattr(after, field.name)
        )
        if names:
            by_names.setdefault(names, []).append(after)
    for names, rows in by_names.items():
        columns = [*names, *(name for name, of in _folded(table).items() if not {*of}.isdisjoint(names))]
        await sql.update(table, columns, stored(table, rows, [*columns, "id"]))


def stored(table: type[Model], rows: Sequence[Any], columns: Sequence[str]) -> list[list[Any]]:
    """The stored values of these columns for records of one kind."""
    kind: Any = type(rows[0])
    readers = _readers(table, kind, tuple(columns))
    return [[read(row) for read in readers] for row in rows]


@cache
def _readers(table: type[Model], kind: Any, columns: tuple[str, ...]) -> list[Callable[[Any], Any]]:
    """Functions that return the stored value of each column of a record."""
    folded = _folded(table)
    return [_folded_text(folded[column]) if column in folded else records.stored(kind, column) for column in columns]


@cache
def _folded(table: type[Model]) -> dict[str, tuple[str, ...]]:
    """The folded columns, each with the fields that it is made of."""
    return {name: field.of for name, field in table._meta.fields_map.items() if isinstance(field, FoldedField)}


def _folded_text(names: tuple[str, ...]) -> Callable[[Any], str]:
    return lambda row: folding.folded(*(getattr(row, name) for name in names))
