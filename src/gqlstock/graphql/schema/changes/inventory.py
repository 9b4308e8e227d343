"""Changes of levels in the schema: as pushes, and as a list of the same feed with the same cursors."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry

from gqlstock.graphql import access
from gqlstock.graphql.context import Info, Part
from gqlstock.graphql.errors import InvalidCursor
from gqlstock.graphql.relay.paging import After, Before, Connection, First, Last, Page
from gqlstock.graphql.schema.changes import feeds
from gqlstock.graphql.schema.filters import limited
from gqlstock.graphql.schema.stock.levels import InventoryLevel
from gqlstock.graphql.schema.stock.movements import StockMovement
from gqlstock.rules.feed import Entry, OutOfReach
from gqlstock.rules.filters import ChangeFilter
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.services import list_changes

SkusArg = Annotated[
    list[str] | None,
    strawberry.argument(description="Only items with these SKUs, including deleted ones. At most 250."),
]
WarehousesArg = Annotated[
    list[str] | None, strawberry.argument(description="Only these warehouses, by code. At most 250.")
]


@strawberry.type(description="A change of a level.")
class InventoryChange:
    cursor: str = strawberry.field(description="The position of this change in the feed, for `after`.")
    level: InventoryLevel = strawberry.field(
        description="The current state of the level, which may include later changes."
    )
    movement: StockMovement | None = strawberry.field(
        description="The movement that this change wrote to the ledger. Null if onHand did not change."
    )
    changed_at: datetime = strawberry.field(description="When the change was committed.")


async def of(entries: Sequence[Entry]) -> list[InventoryChange]:
    """The changes for feed entries, in their order."""
    changes = await list_changes.changes(entries)
    shown = {change.level.id: InventoryLevel.of(change.level) for change in changes}
    return [
        InventoryChange(
            cursor=change.entry.cursor.text,
            level=shown[change.level.id],
            movement=None if change.movement is None else StockMovement.of(change.movement),
            changed_at=change.entry.created_at,
        )
        for change in changes
    ]


def chosen(skus: list[str] | None, warehouses: list[str] | None) -> ChangeFilter:
    """The filter of the levels to watch."""
    return ChangeFilter(
        skus=limited(skus, "skus") if skus is not None else None,
        warehouses=limited(warehouses, "warehouses") if warehouses is not None else None,
    )


async def passing(part: Part, wanted: ChangeFilter, caller: Caller) -> list[InventoryChange]:
    """The changes in a part of the feed that match a filter, of levels that the caller may see."""
    changes = await part.once("changes", partial(of, part.entries))
    mine = [change for change in changes if caller.reaches(change.level.row.warehouse_id)]
    if wanted == ChangeFilter():
        return mine
    names = await part.once("names", partial(list_changes.names, {entry.subject for entry in part.entries}))
    return [change for change in mine if _has(wanted, *names[change.level.row.id])]


def _has(wanted: ChangeFilter, sku: str, warehouse: str) -> bool:
    return (wanted.skus is None or sku in wanted.skus) and (wanted.warehouses is None or warehouse in wanted.warehouses)


@strawberry.type
class ChangeQueries:
    @access.field(
        description=(
            "Committed changes of levels, oldest first, as far back as changes are retained: the same feed that "
            "subscriptions push, with the same cursors. Needs inventory:read."
        ),
        scope=Scope.INVENTORY_READ,
    )
    async def inventory_changes(
        self,
        info: Info,
        skus: SkusArg = None,
        warehouses: WarehousesArg = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[InventoryChange] | None:
        page = Page.of(first, after, last, before)
        return await _page(page, chosen(skus, warehouses), info.context.caller)


async def _page(page: Page, wanted: ChangeFilter, caller: Caller) -> Connection[InventoryChange]:
    after, before = feeds.place(page.after), feeds.place(page.before)
    try:
        part = await list_changes.between(wanted, caller, after, before, page.size + 1, latest_first=page.backwards)
    except OutOfReach as error:
        raise InvalidCursor(str(error)) from None
    more, kept = len(part.entries) > page.size, list(part.entries[: page.size])
    if page.backwards:
        kept.reverse()
    changes = await of(kept)
    return Connection(
        nodes=changes,
        cursors=lambda index: changes[index].cursor,
        more=page.more(more=more),
        end=page.after if part.entries or not page.size else part.end.text,
        count=lambda: list_changes.count(wanted, caller),
    )
