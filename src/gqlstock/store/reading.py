"""How stored values are read: as Tortoise reads them, by the shortest way there is. Most of what a page costs is this."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from tortoise import fields
from tortoise.fields.data import CharEnumFieldInstance
from tortoise.models import Model


def quicken(models: Iterable[type[Model]]) -> None:
    """Have the rows of these tables made by the functions below."""
    for model in models:
        if "_init_from_db" not in vars(model):
            model._init_from_db = _maker(model)  # type: ignore[method-assign]


def _maker(model: Any) -> Callable[..., Any]:
    """What makes an object of a row. A row of which only some columns were read is left to Tortoise."""
    meta, partly = model._meta, model._init_from_db
    unchanged = [(key, name) for key, name, _ in meta.db_native_fields]
    changed = [(key, name, field.field_type) for key, name, field in meta.db_default_fields]
    read = [(key, name, _reader(field)) for key, name, field in meta.db_complex_fields]
    own_key = meta.db_pk_column not in meta.generated_db_fields

    def make(**row: Any) -> Any:
        try:
            values = {name: row[key] for key, name in unchanged}
            for key, name, kind in changed:
                values[name] = None if (value := row[key]) is None else kind(value)
            for key, name, of in read:
                values[name] = of(row[key])
        except KeyError:
            return partly(**row)
        values |= {"_partial": False, "_saved_in_db": True, "_custom_generated_pk": own_key, "_await_when_save": {}}
        made = object.__new__(model)
        object.__setattr__(made, "__dict__", values)
        return made

    return make


def _reader(field: Any) -> Callable[[Any], Any]:
    if isinstance(field, fields.DatetimeField):
        return _moment
    return _member(field.enum_type) if isinstance(field, CharEnumFieldInstance) else field.to_python_value


def _moment(value: Any) -> Any:
    """A moment in UTC: SQLite has it as a text, PostgreSQL as what it is."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is None or value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _member(enum: Any) -> Callable[[Any], Any]:
    """A member of an enum, by its value; where there is none the enum says so."""
    members = {member.value: member for member in enum}

    def read(value: Any) -> Any:
        found = members.get(value)
        return found if found is not None or value is None else enum(value)

    return read
