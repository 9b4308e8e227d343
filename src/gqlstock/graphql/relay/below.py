"""Lists below an object, such as a level's movements, as batch functions for many objects."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import nodes, paging
from gqlstock.graphql.relay.paging import After, Before, First, Last, Page
from gqlstock.rules.paging import SortOrder
from gqlstock.rules.scopes import Caller
from gqlstock.stock.lists import RowsBelow

Find = Callable[[Sequence[int], Caller], Awaitable[RowsBelow[Any]]]
"""Finds the rows below parents, given by id, that a caller may see."""


def rows(find: Find, order: SortOrder) -> Any:
    """A batch function for the rows below each parent, in that order."""

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
        found = await find(ids, info.context.caller)
        return await paging.connections(page, order, found, ids, nodes.show)

    return listed
