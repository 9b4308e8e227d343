"""Loads values by id once per read, for all of its fields. Nothing is cached beyond the read."""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import TypeVar

from gqlstock.stock import reading

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


async def once(kind: str, ids: Iterable[K], load: Callable[[list[K]], Awaitable[Mapping[K, V]]]) -> dict[K, V]:
    """The values by id. The running read loads each value once; without a read, every call loads."""
    read = reading.running()
    if read is None:
        return dict(await load(list(dict.fromkeys(ids))))
    known, missing = read.get_found(kind, ids)
    if missing and kind in read.loads.running:
        await read.loads.wait(kind)
        found, missing = read.get_found(kind, missing)
        known |= found
    if not missing:
        return known
    read.loads.begin(kind)
    try:
        loaded = await load(missing)
    finally:
        read.loads.finish(kind)
    for one, value in loaded.items():
        read.remember(kind, one, value)
    return known | dict(loaded)
