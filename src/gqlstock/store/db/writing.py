"""Inserts and updates the records of a table."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from tortoise.models import Model

from gqlstock.rules import folding
from gqlstock.store.db import records, sql
from gqlstock.store.db.fields import FoldedField

_NONE: Mapping[str, Sequence[Any]] = MappingProxyType({})


async def insert(table: type[Model], rows: Sequence[Any], overrides: Mapping[str, Sequence[Any]] = _NONE) -> list[int]:
    """Insert records of one kind. Returns their ids, in order. ``overrides``: stored values that replace the records'."""
    if not rows:
        return []
    key = table._meta.pk
    kind: Any = type(rows[0])
    columns = _columns(table, kind)
    ids = await sql.insert(table, columns, stored(table, rows, columns, overrides))
    return ids if key.generated else [row.id for row in rows]


@cache
def _columns(table: type[Model], kind: Any) -> tuple[str, ...]:
    """The columns that are written for a new record."""
    names = (field.name for field in dataclasses.fields(kind))
    return *(name for name in names if name != "id" or not table._meta.pk.generated), *_folded(table)


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
        await _write(table, names, rows)


async def update_together(table: type[Model], pairs: Sequence[tuple[Any, Any]]) -> None:
    """Like ``update`` with one statement: it writes each field that differs in any pair."""
    if not pairs:
        return
    names = [
        field.name
        for field in dataclasses.fields(pairs[0][1])
        if any(getattr(before, field.name) != getattr(after, field.name) for before, after in pairs)
    ]
    if names:
        await _write(table, names, [after for _, after in pairs])


async def _write(table: type[Model], names: Sequence[str], rows: Sequence[Any]) -> None:
    columns = [*names, *(name for name, of in _folded(table).items() if not {*of}.isdisjoint(names))]
    await sql.update(table, columns, stored(table, rows, [*columns, "id"]))


def stored(
    table: type[Model], rows: Sequence[Any], columns: Sequence[str], overrides: Mapping[str, Sequence[Any]] = _NONE
) -> list[tuple[Any, ...]]:
    """The stored values of these columns for records of one kind. ``overrides`` as in ``insert``."""
    kind: Any = type(rows[0])
    return _conversion(table, kind, tuple(columns), tuple(overrides))(rows, *overrides.values())


@cache
def _conversion(
    table: type[Model], kind: Any, columns: tuple[str, ...], overrides: tuple[str, ...]
) -> Callable[..., list[tuple[Any, ...]]]:
    """A function that converts records to stored rows. It is generated code, because it runs for every record."""
    scope: dict[str, Any] = {"folded": folding.folded}
    values = []
    for column in columns:
        if column in overrides:
            values.append(f"override_{column}")
        elif column in _folded(table):
            values.append(f"folded({', '.join(f'row.{name}' for name in _folded(table)[column])})")
        else:
            write = scope[f"write_{column}"] = records.writer(kind, column)
            converted = f"None if row.{column} is None else write_{column}(row.{column})"
            values.append(converted if write is not None else f"row.{column}")
    names = [f"override_{name}" for name in overrides]
    each, lists = ", ".join(["row", *names]), ", ".join(["rows", *names])
    source = f"[({', '.join(values)},) for {each}, in zip({lists}, strict=True)]"
    exec(f"def conversion({lists}):\n    return {source}", scope)
    return scope["conversion"]  # type: ignore[no-any-return]


@cache
def _folded(table: type[Model]) -> dict[str, tuple[str, ...]]:
    """The folded columns, each with its source fields."""
    return {name: field.of for name, field in table._meta.fields_map.items() if isinstance(field, FoldedField)}
