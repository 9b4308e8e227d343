"""How rows become objects and objects rows: as Tortoise has it, by the shortest way there is. Most of what a page or an
order costs is this."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tortoise import fields
from tortoise.fields.data import CharEnumFieldInstance
from tortoise.models import Model


def quicken(models: Iterable[type[Model]]) -> None:
    """Have the objects of these tables made by the functions below: those read, and those begun to be written."""
    for model in models:
        if "_init_from_db" not in vars(model):
            model._init_from_db = _maker(model)  # type: ignore[method-assign]
            model.__init__ = _beginner(model)  # type: ignore[method-assign]


def _maker(model: Any) -> Callable[..., Any]:
    """What makes an object of a row by name. A row of which only some columns were read is left to Tortoise."""
    partly, read = model._init_from_db, read_by(model)

    def make(**row: Any) -> Any:
        try:
            return read.make([row[column] for column in read.columns])
        except KeyError:
            return partly(**row)

    return make


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows of a table are read: its columns, and what makes an object of their values in that order."""

    columns: tuple[str, ...]
    make: Callable[[Iterable[Any]], Any]


@cache
def read_by(model: Any) -> Reading:
    meta = model._meta
    fields_of = [(column, name, meta.fields_map[name]) for name, column in meta.fields_db_projection.items()]
    names = tuple(name for _, name, _ in fields_of)
    read = [(name, of) for _, name, field in fields_of if (of := _reader(field)) is not None]
    own_key = meta.db_pk_column not in meta.generated_db_fields
    state = {"_partial": False, "_saved_in_db": True, "_custom_generated_pk": own_key}

    def make(row: Iterable[Any]) -> Any:
        values = dict(zip(names, row, strict=True))
        for name, of in read:
            stored = values[name]
            if stored is not None:
                values[name] = of(stored)
        values |= state
        values["_await_when_save"] = {}
        made = object.__new__(model)
        object.__setattr__(made, "__dict__", values)
        return made

    return Reading(tuple(column for column, _, _ in fields_of), make)


def _reader(field: Any) -> Callable[[Any], Any] | None:
    """What makes a value of what is stored, if anything is; None where that is the value."""
    if isinstance(field, fields.DatetimeField):
        return _moment
    if isinstance(field, CharEnumFieldInstance):
        return _member(field.enum_type)
    if isinstance(field, fields.BooleanField):
        return bool  # SQLite has none.
    if isinstance(field, fields.JSONField):
        return _json(field)
    same = type(field).to_python_value is fields.Field.to_python_value
    return None if same and field.field_type in (int, str, float) else field.to_python_value


def _moment(value: Any) -> Any:
    """A moment in UTC: SQLite has it as a text, PostgreSQL as what it is."""
    if type(value) is str:
        value = datetime.fromisoformat(value)
    if value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _member(enum: Any) -> Callable[[Any], Any]:
    """A member of an enum, by its value; where there is none the enum says so."""
    members = {member.value: member for member in enum}
    return lambda value: members.get(value) or enum(value)


def _json(field: Any) -> Callable[[Any], Any]:
    """A list or an object; most are empty."""

    def read(value: Any) -> Any:
        if value == "[]":
            return []
        return {} if value == "{}" else field.to_python_value(value)

    return read


def _beginner(model: Any) -> Callable[..., None]:
    """What begins an object that is not stored yet, from values of its columns. One given by objects is left to Tortoise."""
    meta, otherwise = model._meta, model.__init__
    columns = set(meta.fields_db_projection) - ({meta.pk_attr} if meta.pk.generated else set())
    defaults = {name: meta.fields_map[name].default for name in meta.fields_db_projection}
    made = {name: default for name, default in defaults.items() if callable(default)}
    begun = {"_partial": False, "_saved_in_db": False, "_custom_generated_pk": False, **defaults}

    def begin(self: Any, **given: Any) -> None:
        if not given.keys() <= columns:
            otherwise(self, **given)
            return
        values = {**begun, "_await_when_save": {}, **given}
        for name, make in made.items():
            if name not in given:
                values[name] = make()
        object.__setattr__(self, "__dict__", values)

    return begin


@cache
def columns(table: type[Model]) -> tuple[str, ...]:
    """The columns that are written when rows of a table are inserted: all but an id that the database gives."""
    return tuple(column for column, _ in _writers(table))


def values(rows: Sequence[Model]) -> list[list[Any]]:
    """What is written to these columns for each of some rows of one table."""
    writers = [write for _, write in _writers(type(rows[0]))]
    return [[write(row) for write in writers] for row in rows]


@cache
def _writers(table: type[Model]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    meta = table._meta
    written = ((name, column, meta.fields_map[name]) for name, column in meta.fields_db_projection.items())
    return tuple((column, _writer(name, field)) for name, column, field in written if not field.generated)


def _writer(name: str, field: Any) -> Callable[[Any], Any]:
    """What gives the stored value of an object's column."""
    if isinstance(field, CharEnumFieldInstance):
        # A member of these enums is equal to its text.
        stored = {None: None} | {member.value: member.value for member in field.enum_type}
        return lambda row: stored[row.__dict__[name]]
    same = type(field).to_db_value is fields.Field.to_db_value
    if same or (isinstance(field, fields.DatetimeField) and not (field.auto_now or field.auto_now_add)):
        return lambda row: row.__dict__[name]
    return lambda row: field.to_db_value(row.__dict__[name], row)
