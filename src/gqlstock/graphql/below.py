"""Lists of rows that hang below an object, such as a level's movements: written once, read for many objects at a time."""

from collections.abc import Callable, Sequence
from typing import Any

from gqlstock.graphql import nodes, paging, reach
from gqlstock.graphql.context import Info
from gqlstock.graphql.paging import After, Before, First, Last, Page
from gqlstock.store.db.keyset import SortOrder

NEWEST_FIRST = SortOrder("id", descending=True)
OLDEST_FIRST = SortOrder("id")


def rows(query: Callable[[], Any], column: str, order: SortOrder, warehouse: str | None = None) -> Any:
    """A batch function for the rows whose ``column`` names the parent, in that order.

    ``warehouse`` is the column that says whose stock they are of, where the parent is not of one warehouse itself.
    """

    async def listed(
        parents: Sequence[Any],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> list[Any]:
        page = Page.of(first, after, last, before)
        ids = [parent.row.id for parent in parents]
        found = query() if warehouse is None else reach.within(query(), info.context.caller, warehouse)
        return await paging.nested(page, order, found, column, ids, nodes.show)

    return listed
