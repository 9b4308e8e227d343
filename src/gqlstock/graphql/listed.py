"""Lists that were worked out in memory, paged by key like those of the database."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Generic, TypeVar

from gqlstock.store.db.keyset import Key, SortOrder

Row = TypeVar("Row")


class Listed(Generic[Row]):
    """Rows that were worked out, to be cut into pages by key: a quantity of each, and its item's id."""

    def __init__(self, rows: Sequence[Row], key: Callable[[Row], Key]) -> None:
        self._rows = [(row, key(row)) for row in rows]

    async def fetch(
        self, order: SortOrder, after: Key | None, before: Key | None, limit: int
    ) -> Sequence[tuple[Row, Key]]:
        sign = -1 if order.descending else 1
        return [
            (row, key)
            for row, key in sorted(self._rows, key=lambda one: _at(one[1], sign))
            if (after is None or _at(key, sign) > _at(after, sign))
            and (before is None or _at(key, sign) < _at(before, sign))
        ][:limit]

    async def count(self, _: object = None) -> int:
        return len(self._rows)


def _at(key: Key, sign: int) -> tuple[Decimal, int]:
    return sign * key[0], sign * key[1]
