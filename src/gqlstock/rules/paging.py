"""Paging through lists: sort orders, sort keys, and spans between two keys. ``store.db.keyset`` reads the rows."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Key = tuple[Any, int]
"""The sort key of a row: the value of the sort column, and the id. In a nullable order the value may be None."""


@dataclass(frozen=True, slots=True)
class SortOrder:
    """A sort order by a column, then by the id. ``descending`` reverses both.

    ``nullable``: the column may be null. Rows with null come last, or first in descending order.
    """

    column: str
    descending: bool = False
    nullable: bool = False

    @property
    def relation(self) -> str:
        """The relation that the column belongs to; empty for a column of the table itself."""
        return self.column.rpartition("__")[0]

    def reversed(self) -> "SortOrder":
        return SortOrder(self.column, not self.descending, self.nullable)

    def key(self, row: Any) -> Key:
        """The sort key of a row, for an order by a column of the table itself."""
        return getattr(row, self.column), row.id


NEWEST_FIRST = SortOrder("id", descending=True)
OLDEST_FIRST = SortOrder("id")


@dataclass(frozen=True, slots=True)
class Span:
    """Up to ``limit`` rows between two keys, both exclusive. None: from the first row, or up to the last one."""

    order: SortOrder
    after: Key | None
    before: Key | None
    limit: int


class Figure(Decimal):
    """The type of a computed number to sort by. It need not be a quantity."""
