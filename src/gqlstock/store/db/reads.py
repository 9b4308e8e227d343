"""Gives the statements of a read one snapshot of the database, and collects what its answer depends on.

A store function that reads rows by id declares their keys with ``only``. Every other statement depends on the keys of the
tables that it names. A statement that names a table without a key makes the answer one that is never kept.
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
    """A client that reads."""

    async def begin_read(self) -> Transaction: ...

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """The rows of a statement by itself."""


class Read(Protocol):
    """A read in progress; ``stock.reading`` has the only one."""

    @property
    def now(self) -> datetime:
        """The instant of the read."""

    async def fetch(self, reader: Reader, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        """The rows of a statement, as of the instant of the read."""

    def depend_on(self, keys: Iterable[Key], until: datetime | None = None) -> None:
        """The answer holds as long as none of the keys is dropped, and only before ``until``."""

    def never_keep(self) -> None:
        """The answer depends on something that has no key."""


current: ContextVar[Read | None] = ContextVar("read", default=None)
declared: ContextVar[bool] = ContextVar("declared", default=False)
"""Whether the keys of statements are declared already."""


async def fetch(reader: Reader, statement: str, values: Sequence[Any]) -> Sequence[Any]:
    """The rows of a statement: as of the instant of the running read, or by itself where there is none."""
    read = current.get()
    return await (reader.fetch(statement, values) if read is None else read.fetch(reader, statement, values))


class only:
    """Statements in the block depend on these keys alone."""

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
    """Declare keys of the running read, if there is one."""
    read = current.get()
    if read is not None:
        read.depend_on(keys, until)


def never_keep() -> None:
    """Declare that the answer of the running read depends on something that has no key, such as the time."""
    read = current.get()
    if read is not None:
        read.never_keep()


def now() -> datetime:
    """The instant of the running read; without one, the clock's. What depends on it declares until when it holds."""
    read = current.get()
    return clock.now() if read is None else read.now


def declare(read: Read, statement: str) -> None:
    """Declare what a statement depends on, unless the store function did."""
    if declared.get():
        return
    keys = _keys_of(statement)
    if keys is None:
        read.never_keep()
    else:
        read.depend_on(keys)


@lru_cache(maxsize=1024)
def _keys_of(statement: str) -> frozenset[Key] | None:
    """The keys of all tables that a statement names; None where one of them has none."""
    tables = _tables().intersection(_WORDS.findall(statement))
    if not tables or not tables <= _KEYS_OF_TABLES.keys():
        return None
    return frozenset[Key]().union(*(_KEYS_OF_TABLES[table] for table in tables))


@lru_cache(maxsize=1)
def _tables() -> frozenset[str]:
    return frozenset(model._meta.db_table for models in (Tortoise.apps or {}).values() for model in models.values())
