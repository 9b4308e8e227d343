"""Changes of levels in the schema: as they are pushed, and as a list of the same feed with the same cursors."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry

from gqlstock.graphql import access, feeds
from gqlstock.graphql.context import Info, Part
from gqlstock.graphql.errors import InvalidCursor
from gqlstock.graphql.inventory import InventoryLevel, StockMovement
from gqlstock.graphql.levels import limited
from gqlstock.graphql.paging import After, Before, Connection, First, Last, Page
from gqlstock.rules.events import Topic
from gqlstock.rules.scopes import Caller, Scope
from gqlstock.store import ledger, named_levels, outbox
from gqlstock.store import levels as level_rows
from gqlstock.store.outbox import START, Cursor, Entry, OutOfReach

TOPICS = [Topic.LEVEL]

SkusArg = Annotated[
    list[str] | None,
    strawberry.argument(description="Only of items of these SKUs, deleted ones as well. At most 250."),
]
WarehousesArg = Annotated[
    list[str] | None, strawberry.argument(description="Only in these warehouses, by code. At most 250.")
]


@strawberry.type(description="A change of a level.")
class InventoryChange:
    cursor: str = strawberry.field(description="Where this change stands in the feed, to go on from here.")
    level: InventoryLevel = strawberry.field(
        description="The level as it is when this is read, which may be after later changes."
    )
    movement: StockMovement | None = strawberry.field(
        description="The line of the ledger that this change wrote; null where onHand stayed as it was."
    )
    changed_at: datetime = strawberry.field(description="When it changed.")


async def of(entries: Sequence[Entry]) -> list[InventoryChange]:
    """The changes that entries tell of, in their order."""
    levels = await level_rows.levels({entry.subject for entry in entries})
    movements = await ledger.movements({entry.data["movement"] for entry in entries if "movement" in entry.data})
    shown = {level_id: InventoryLevel.of(level) for level_id, level in levels.items()}
    return [
        InventoryChange(
            cursor=feeds.cursor(entry.cursor),
            level=shown[entry.subject],
            movement=StockMovement.of(movements[entry.data["movement"]]) if "movement" in entry.data else None,
            changed_at=entry.created_at,
        )
        for entry in entries
    ]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which levels somebody wants to hear of, None for all; of those that the caller may see."""

    caller: Caller
    skus: Collection[str] | None
    warehouses: Collection[str] | None

    @classmethod
    def of(cls, caller: Caller, skus: list[str] | None, warehouses: list[str] | None) -> "Chosen":
        return cls(
            caller,
            limited(skus, "skus") if skus is not None else None,
            limited(warehouses, "warehouses") if warehouses is not None else None,
        )

    @property
    def among(self) -> outbox.Among | None:
        if self.skus is None and self.warehouses is None and self.caller.warehouses is None:
            return None
        return named_levels.among(self.skus, self.warehouses, self.caller.warehouses)

    async def changes(self, part: Part) -> list[InventoryChange]:
        """Those of a part of the feed that are wanted."""
        changes = await part.once("changes", partial(of, part.entries))
        mine = [change for change in changes if self.caller.reaches(change.level.row.warehouse_id)]
        if self.skus is None and self.warehouses is None:
            return mine
        ids = {entry.subject for entry in part.entries}
        names = await part.once("names", partial(named_levels.names, ids))
        return [change for change in mine if self._has(*names[change.level.row.id])]

    def _has(self, sku: str, warehouse: str) -> bool:
        return (self.skus is None or sku in self.skus) and (self.warehouses is None or warehouse in self.warehouses)


@strawberry.type
class ChangeQueries:
    @access.field(
        description=(
            "Changes of levels as they were committed, oldest first, for as long as news is kept: the feed that "
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
        return await _page(Page.of(first, after, last, before), Chosen.of(info.context.caller, skus, warehouses).among)


async def _page(page: Page, among: outbox.Among | None) -> Connection[InventoryChange]:
    after, before = feeds.place(page.after), feeds.place(page.before)
    # Before the entries: what is not among them then comes behind it.
    end = before or await outbox.latest()
    if page.backwards:
        found = await outbox.before(before, page.size + 1, TOPICS, since=after or START, among=among)
    else:
        found = await outbox.after(after or START, page.size + 1, TOPICS, before=before, among=among)
    await _check(after, before)
    more, kept = len(found) > page.size, found[: page.size]
    if page.backwards:
        kept.reverse()
    changes = await of(kept)
    return Connection(
        nodes=changes,
        cursors=lambda index: changes[index].cursor,
        more=page.more(more=more),
        end=page.after if found or not page.size else feeds.cursor(end),
        count=lambda once: once(("changes", repr(among)), lambda: outbox.count(TOPICS, among)),
    )


async def _check(*places: Cursor | None) -> None:
    for place in places:
        if place is not None:
            try:
                await outbox.check(place)
            except OutOfReach as error:
                raise InvalidCursor(str(error)) from None
