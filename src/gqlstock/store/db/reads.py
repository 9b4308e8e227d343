"""Runs the statements of a read on one snapshot of the database, and collects the cache keys that its answer depends on.

Store functions that read rows by id declare their keys with ``only``. Any other statement depends on the keys of the tables
that it names. A statement that names a table without a key makes the answer uncacheable.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from tortoise import Tortoise

from gqlstock.rules.cache_keys import ITEMS, LEVELS, SETTINGS, TOKENS, Key
from gqlstock.store.db import clock

_KEYS_OF_TABLES: Mapping[str, frozenset[Key]] = {
    "item": frozenset({ITEMS}),
    "inventory_level": frozenset({LEVELS}),
    "stock_movement": frozenset({LEVELS}),
    "stock_announcement": frozenset({LEVELS}),
    "low_inventory_alert": frozenset({LEVELS}),
    "setting_override": frozenset({ITEMS, SETTINGS}),
    "category": frozenset({SETTINGS}),
    "organization": frozenset({SETTINGS}),
    "website": frozenset({SETTINGS}),
    "warehouse": frozenset({SETTINGS}),
    "assignment": frozenset({SETTINGS}),
    "api_token": frozenset({TOKENS}),
    "order_key": frozenset({TOKENS}),
}
_WORDS = re.compile(r"\w+")


class Transaction(Protocol):
    """A read transaction: all its statements see the database as of the first one."""

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]: ...

    async def end(self) -> None: ...


class Reader(Protocol):
    """A read client."""

    async def begin_read(self) -> Transaction: ...

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """The rows of a single statement."""


class Read(Protocol):
    """A read in progress. ``stock.reading`` implements it."""

    @property
    def now(self) -> datetime:
        """The instant of the read."""

    async def fetch(self, reader: Reader, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """The rows of a statement, as of the instant of the read."""

    def depend_on(self, keys: Iterable[Key], until: datetime | None = None) -> None:
        """The answer is valid until one of the keys is dropped, and only before ``until``."""

    def never_keep(self) -> None:
        """The answer depends on something without a key, and must not be cached."""


current: ContextVar[Read | None] = ContextVar("read", default=None)
declared: ContextVar[bool] = ContextVar("declared", default=False)
"""Whether the store function has declared the keys of its statements with ``only``."""


async def fetch(reader: Reader, statement: str, values: Sequence[Any]) -> Sequence[Any]:
    """The rows of a statement, as of the instant of the running read. Without a read, it runs on its own."""
    read = current.get()
    return await (reader.fetch(statement, values) if read is None else read.fetch(reader, statement, values))


class only:
    """Statements in the block depend on these keys only."""

    __slots__ = ("_keys", "_token", "_until")

    def __init__(self, keys: Iterable[Key], until: datetime | None = None) -> None:
        self._keys = keys
        self._until = until

    def __enter__(self) -> None:
        depend_on(self._keys, self._until)
        self._token = declared.set(True)

    def __exit__(self, *raised: object) -> None:
        declared.reset(self._token)


def depend_on(keys: Iterable[Key], until: datetime | None = None) -> None:
    """Declare that the answer of the running read, if any, depends on these keys."""
    read = current.get()
    if read is not None:
        read.depend_on(keys, until)


def never_keep() -> None:
    """Declare that the answer of the running read depends on something without a key, such as the time."""
    read = current.get()
    if read is not None:
        read.never_keep()


def now() -> datetime:
    """The instant of the running read, or the current time. Answers that depend on it declare until when they are valid."""
    read = current.get()
    return clock.now() if read is None else read.now


def declare(read: Read, statement: str) -> None:
    """Declare what a statement depends on, unless the store function has done so."""
    if declared.get():
        return
    keys = _keys_of(statement)
    if keys is None:
        read.never_keep()
    else:
        read.depend_on(keys)


@lru_cache(maxsize=1024)
def _keys_of(statement: str) -> frozenset[Key] | None:
    """The keys of the tables that a statement names; None if it names none or one without a key."""
    tables = _tables().intersection(_WORDS.findall(statement))
    if not tables or not tables <= _KEYS_OF_TABLES.keys():
        return None
    return frozenset[Key]().union(*(_KEYS_OF_TABLES[table] for table in tables))


@lru_cache(maxsize=1)
def _tables() -> frozenset[str]:
    return frozenset(model._meta.db_table for models in (Tortoise.apps or {}).values() for model in models.values())
