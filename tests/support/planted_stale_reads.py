"""Planted bugs for a checker of cached reads to find: each keeps stale entries. All of them are reverted."""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from gqlstock.graphql.http import answers
from gqlstock.rules import availability, cache_keys
from gqlstock.rules.cache_keys import ITEMS, Key
from gqlstock.store import holds
from gqlstock.store.db import reads


@contextlib.contextmanager
def _replaced(module: Any, name: str, bug: Callable[..., Any]) -> Iterator[None]:
    right = getattr(module, name)
    setattr(module, name, bug)
    try:
        yield
    finally:
        setattr(module, name, right)


def _drops(topic: str, wrong: Callable[[int], Collection[Key]]) -> contextlib.AbstractContextManager[None]:
    """Make entries of a topic drop other keys."""
    right = cache_keys.dropped

    def dropped(entries: Iterable[tuple[str, int | None]]) -> set[Key]:
        given = list(entries)
        found = right([one for one in given if one[0] != topic])
        return found.union(*(wrong(item_id or 0) for name, item_id in given if name == topic))

    return _replaced(cache_keys, "dropped", dropped)


def holds_never_end() -> contextlib.AbstractContextManager[None]:
    right = holds.expiring_units

    async def expiring_units(level_ids: Collection[int], now: datetime) -> dict[int, holds.ExpiringUnits]:
        return {level: replace(found, until=None) for level, found in (await right(level_ids, now)).items()}

    return _replaced(holds, "expiring_units", expiring_units)


def dates_never_come() -> contextlib.AbstractContextManager[None]:
    return _replaced(availability, "changes_at", lambda settings, now: None)


def what_is_not_there_is_no_dependency() -> contextlib.AbstractContextManager[None]:
    right = reads.depend_on

    def depend_on(keys: Iterable[Key], until: datetime | None = None) -> None:
        right([key for key in keys if key != ITEMS], until)

    return _replaced(reads, "depend_on", depend_on)


def tokens_share_answers() -> contextlib.AbstractContextManager[None]:
    right = answers.name
    return _replaced(answers, "name", lambda *given: (*right(*given)[:-1], given[-1].authenticated))


BUGS: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "tokens share answers": tokens_share_answers,
    "settings drop nothing": lambda: _drops("SETTINGS", lambda _: ()),
    "levels drop nothing": lambda: _drops("LEVEL", lambda _: ()),
    "levels drop no lists": lambda: _drops("LEVEL", lambda item: [cache_keys.levels(item)]),
    "rows of levels drop nothing": lambda: _drops("LEVEL_ROW", lambda _: ()),
    "alerts drop nothing": lambda: _drops("ALERT", lambda _: ()),
    "items drop only lists": lambda: _drops("ITEM", lambda _: [ITEMS]),
    "items drop no lists": lambda: _drops("ITEM", lambda item: [cache_keys.item(item)]),
    "holds never end": holds_never_end,
    "dates never come": dates_never_come,
    "what is not there is no dependency": what_is_not_there_is_no_dependency,
}
