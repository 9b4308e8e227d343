"""Global ids, and the registry of which GraphQL type shows the rows of which table."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry

from gqlstock.graphql import access, outcomes
from gqlstock.graphql.context import Info
from gqlstock.graphql.errors import CodedError
from gqlstock.rules import ids
from gqlstock.rules.scopes import Scope

MAX_IDS = 250


@strawberry.interface(description="An object that can be fetched by its id.")
class Node:
    id: strawberry.ID = strawberry.field(description="An opaque id. It stays the same while the object exists.")


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of the schema: how to make it from rows, how to load its rows, and who may fetch it by id.

    ``scope`` is the scope of its root field. For public types, ``seen`` selects the rows that the caller may see.
    """

    name: str
    table: type
    show: Callable[[Any], Any]
    load: Callable[[Collection[int]], Awaitable[dict[int, Any]]]
    scope: Scope | None
    seen: Callable[[Info, dict[int, Any]], Awaitable[dict[int, Any]]] | None


_by_name: dict[str, Kind] = {}
_by_table: dict[type, list[Kind]] = {}


def register(
    table: type,
    name: str,
    show: Callable[[Any], Any],
    load: Callable[[Collection[int]], Awaitable[dict[int, Any]]],
    scope: Scope | None = None,
    seen: Callable[[Info, dict[int, Any]], Awaitable[dict[int, Any]]] | None = None,
) -> None:
    """Register the type that shows the rows of a table."""
    kind = Kind(name, table, show, load, scope, seen)
    _by_name[name] = kind
    _by_table.setdefault(table, []).append(kind)


def show(row: Any) -> Any:
    """The GraphQL object for a row."""
    return _by_table[type(row)][0].show(row)


def show_optional(row: Any | None) -> Any:
    return None if row is None else show(row)


def on_website(shown: Any, website: str | None) -> Any:
    """The object, seen on a website. The objects below it are seen on the same website."""
    return with_attribute(shown, "website", website)


def with_attribute(shown: Any, name: str, value: Any | None) -> Any:
    """The object, with an attribute that its parent passes down. Nothing is set for None or a missing attribute."""
    if value is not None and hasattr(shown, name):
        setattr(shown, name, value)
    return shown


def global_id(name: str, row_id: int) -> strawberry.ID:
    return strawberry.ID(ids.global_id(name, row_id))


def row_id(name: str, text: str) -> int | None:
    """The row id in a global id of that type. None for any other text."""
    found = _parse(text)
    return found[1] if found is not None and found[0] == name else None


def _parse(text: str) -> tuple[str, int] | None:
    try:
        name, _, number = base64.b64decode(text.encode(), altchars=b"-_", validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        return None
    if not (number.isascii() and number.isdigit() and len(number) < 20 and int(number) < 2**63):
        return None
    return name, int(number)


async def nodes(info: Info, ids: Sequence[str]) -> list[Any]:
    """The objects for global ids, in the same order. None for unknown ids, an error if the caller lacks the scope."""
    wanted: dict[str, set[int]] = {}
    parsed = [_parse(text) for text in ids]
    for found in parsed:
        if found is not None and found[0] in _by_name:
            wanted.setdefault(found[0], set()).add(found[1])
    loaded = {name: await _load(info, _by_name[name], row_ids) for name, row_ids in wanted.items()}
    out: list[Any] = []
    for found in parsed:
        rows = loaded.get(found[0]) if found else None
        if isinstance(rows, dict) and found is not None:
            out.append(_shown_as(found[0], rows[found[1]]) if found[1] in rows else None)
        else:
            out.append(rows)
    return out


async def _load(info: Info, kind: Kind, row_ids: set[int]) -> dict[int, Any] | CodedError:
    """The rows that the caller may see, or the error of a missing scope."""
    try:
        if kind.scope is not None:
            access.require(info.context.caller, kind.scope)
    except CodedError as error:
        return error
    rows = await kind.load(row_ids)
    return rows if kind.seen is None else await kind.seen(info, rows)


def _shown_as(name: str, row: Any) -> Any:
    shown = _by_name[name].show(row)
    return shown if type(shown).__name__ == name else None


async def loaded(name: str, row_id: int, at_hand: Iterable[object] = ()) -> Any:
    """The current state of an object that was just written. For answers to committed mutations."""
    return (await all_loaded(name, [row_id], at_hand))[0]


async def all_loaded(name: str, row_ids: Sequence[int], at_hand: Iterable[object] = ()) -> list[Any]:
    """The current state of objects that were just written. Rows ``at_hand`` are not read again."""
    kind = _by_name[name]
    found = await _found(kind, row_ids, at_hand)
    return [kind.show(found[row_id]) for row_id in row_ids]


async def all_seen(info: Info, name: str, row_ids: Sequence[int], at_hand: Iterable[object] = ()) -> list[Any]:
    """As ``all_loaded``, without objects that the caller may no longer see. For stored answers."""
    kind = _by_name[name]
    found = await _found(kind, row_ids, at_hand)
    if kind.seen is not None:
        found = await kind.seen(info, found)
    return [kind.show(found[row_id]) for row_id in row_ids if row_id in found]


async def _found(kind: Kind, row_ids: Sequence[int], at_hand: Iterable[object]) -> dict[int, Any]:
    outcomes.committed([global_id(kind.name, row_id) for row_id in row_ids])
    known: dict[int, Any] = {row.id: row for row in at_hand if isinstance(row, kind.table)}  # type: ignore[attr-defined]
    missing = [row_id for row_id in row_ids if row_id not in known]
    return known | await kind.load(missing) if missing else known


def by_id(
    load: Callable[[Collection[int]], Awaitable[dict[int, Any]]], attribute: str, hands_down: str = "website"
) -> Any:
    """A batch function for a field that shows the row that a foreign key points to, on the website of its parent.

    ``hands_down``: the attribute that the object gets from its parent, if not the website.
    """

    async def related(parents: Sequence[Any], info: Info) -> list[Any]:
        found = await load({row_id for p in parents if (row_id := getattr(p.row, attribute)) is not None})
        return [
            with_attribute(
                show_optional(found.get(getattr(p.row, attribute))), hands_down, getattr(p, hands_down, None)
            )
            for p in parents
        ]

    related.__name__ = f"by_{attribute}"
    return related
