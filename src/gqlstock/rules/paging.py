"""Pages of lists: sort orders, the keys of rows, and the rows between two keys. ``store.db.keyset`` reads them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Key = tuple[Any, int]
"""The sort key of a row: the value of the sorted column, and the id. The value may be None in a nullable order."""


@dataclass(frozen=True, slots=True)
class SortOrder:
    """A sort order by a column, then by the id. ``descending`` reverses both.

    ``nullable``: the column may be null. These rows come last, and first in a descending order.
    """

    column: str
    descending: bool = False
    nullable: bool = False

    @property
    def relation(self) -> str:
        """The relation that the column belongs to; empty for an own column."""
        return self.column.rpartition("__")[0]

    def reversed(self) -> "SortOrder":
        return SortOrder(self.column, not self.descending, self.nullable)

    def key(self, row: Any) -> Key:
        """The key of a row in an order by an own column."""
        return getattr(row, self.column), row.id


NEWEST_FIRST = SortOrder("id", descending=True)
OLDEST_FIRST = SortOrder("id")


@dataclass(frozen=True, slots=True)
class Span:
    """Up to ``limit`` rows in an order, between two keys. None: from the first row on, up to the last one."""

    order: SortOrder
    after: Key | None
    before: Key | None
    limit: int


class Figure(Decimal):
    """The type of a computed number that rows are sorted by. It need not be a quantity."""
