"""Global ids, and how each kind of row is shown: the one place that knows which type stands for which table."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info
from gqlstock.rules.scopes import Scope

MAX_IDS = 250


@strawberry.interface(description="Anything that can be asked for again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(description="An opaque id, the same for as long as the object exists.")


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of the schema: how it is made from rows, how its rows are loaded, and what scope its root field needs."""

    name: str
    show: Callable[[Any], Any]
    load: Callable[[Collection[int]], Awaitable[dict[int, Any]]]
    scope: Scope | None


_by_name: dict[str, Kind] = {}
_by_table: dict[type, list[Kind]] = {}


def register(
    table: type,
    name: str,
    show: Callable[[Any], Any],
    load: Callable[[Collection[int]], Awaitable[dict[int, Any]]],
    scope: Scope | None = None,
) -> None:
    """Say which type shows the rows of a table."""
    kind = Kind(name, show, load, scope)
    _by_name[name] = kind
    _by_table.setdefault(table, []).append(kind)


def show(row: Any) -> Any:
    """A row as the schema shows it."""
    return _by_table[type(row)][0].show(row)


def show_optional(row: Any | None) -> Any:
    return None if row is None else show(row)


def global_id(name: str, row_id: int) -> strawberry.ID:
    return strawberry.ID(base64.urlsafe_b64encode(f"{name}:{row_id}".encode()).decode())


def row_id(name: str, told: str) -> int | None:
    """The row behind a global id of that type; None for any other text."""
    found = _parse(told)
    return found[1] if found is not None and found[0] == name else None


def _parse(told: str) -> tuple[str, int] | None:
    try:
        name, _, number = base64.b64decode(told.encode(), altchars=b"-_", validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        return None
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return name, int(number)


async def nodes(info: Info, ids: Sequence[str]) -> list[Any]:
    """The objects behind global ids, in their order; None for what does not exist, an error for what is not allowed."""
    wanted: dict[str, set[int]] = {}
    parsed = [_parse(told) for told in ids]
    for found in parsed:
        if found is not None and found[0] in _by_name:
            wanted.setdefault(found[0], set()).add(found[1])
    for name in wanted:
        scope = _by_name[name].scope
        if scope is not None:
            access.require(info.context.caller, scope)
    loaded = {name: await _by_name[name].load(row_ids) for name, row_ids in wanted.items()}
    out = []
    for found in parsed:
        row = loaded.get(found[0], {}).get(found[1]) if found else None
        out.append(None if row is None or found is None else _shown_as(found[0], row))
    return out


def _shown_as(name: str, row: Any) -> Any:
    shown = _by_name[name].show(row)
    return shown if type(shown).__name__ == name else None


async def loaded(name: str, row_id: int) -> Any:
    """An object that was just made or touched, as it is now."""
    return (await all_loaded(name, [row_id]))[0]


async def all_loaded(name: str, row_ids: Sequence[int]) -> list[Any]:
    kind = _by_name[name]
    found = await kind.load(row_ids)
    return [kind.show(found[row_id]) for row_id in row_ids]


def by_id(load: Callable[[Collection[int]], Awaitable[dict[int, Any]]], attribute: str) -> Any:
    """A batch function for a field that shows the row another column points at."""

    async def related(parents: Sequence[Any], info: Info) -> list[Any]:
        found = await load({row_id for p in parents if (row_id := getattr(p.row, attribute)) is not None})
        return [show_optional(found.get(getattr(parent.row, attribute))) for parent in parents]

    related.__name__ = f"by_{attribute}"
    return related
