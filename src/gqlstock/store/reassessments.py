"""The queue of items whose alerts and dates must be checked again after a change of settings, websites or warehouses.

The transaction of the change writes to the queue, so a later crash loses nothing.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from tortoise import fields
from tortoise.models import Model

from gqlstock.store import categories
from gqlstock.store.db import sql, transactions

_IDS_PER_STATEMENT = 5_000
_LIVE = "i.deleted_at IS NULL"
_ALERTED = "EXISTS (SELECT 1 FROM low_inventory_alert a WHERE a.item_id = i.id AND a.state = 'RAISED')"
_DATED = """EXISTS (SELECT 1 FROM inventory_level l
    WHERE l.item_id = i.id AND l.deleted_at IS NULL AND l.backordered > 0 AND l.incoming > 0)"""
_COUNTED = "EXISTS (SELECT 1 FROM inventory_level l WHERE l.item_id = i.id AND l.deleted_at IS NULL)"


class Reassessment(Model):
    """One item, or a category with everything below it, or (where both are null) every item.

    For a category or all items, the items with ids up to ``after`` are done.
    """

    id = fields.BigIntField(primary_key=True)
    item_id = fields.BigIntField(null=True)
    category_id = fields.BigIntField(null=True)
    after = fields.BigIntField(default=0)

    class Meta:
        table = "reassessment"


async def add_everything() -> None:
    """Queue all items."""
    await Reassessment.create()


async def add_category(category_id: int) -> None:
    """Queue the items of a category and its descendants."""
    await Reassessment.create(category_id=category_id)


async def add_items(item_ids: Collection[int]) -> None:
    """Queue items, and the combinations of products among them."""
    for part in sql.parts(item_ids, _IDS_PER_STATEMENT):
        slots = sql.slots(part)
        await sql.execute(
            f"""INSERT INTO reassessment (item_id, after) SELECT i.id, 0 FROM item i
                WHERE (i.id IN ({slots}) OR i.product_id IN ({slots})) AND {_LIVE} AND ({_ALERTED} OR {_COUNTED})""",
            *part,
            *part,
        )


async def add_levels(level_ids: Collection[int]) -> None:
    """Queue the items of levels."""
    for part in sql.parts(level_ids, _IDS_PER_STATEMENT):
        await sql.execute(
            f"""INSERT INTO reassessment (item_id, after)
                SELECT item_id, 0 FROM inventory_level WHERE id IN ({sql.slots(part)})""",
            *part,
        )


async def is_pending() -> bool:
    """Whether the queue has any entries."""
    return await Reassessment.exists()


@dataclass(frozen=True, slots=True)
class DueItems:
    """Items to check together, and their rows in the queue."""

    item_ids: list[int]
    rows: list[int]
    """The rows of these single items, or the row of a range."""
    superseded: int | None = None
    """Rows up to this one are covered by a check of all items that starts now."""
    after: int | None = None
    """The last item of the range in this part; None if the range is finished."""


async def next_due(limit: int, watched: Callable[[], Awaitable[bool]]) -> DueItems | None:
    """The next items, at most ``limit``; None if the queue is empty.

    ``watched``: whether any item has an alert threshold. If not, returns only items with an open alert, or with
    backorders that wait for an announcement.
    """
    first = await Reassessment.all().order_by("id").first()
    if first is None:
        return None
    if first.item_id is not None:
        named = await Reassessment.filter(item_id__isnull=False).order_by("id").limit(limit)
        return DueItems(sorted({row.item_id for row in named if row.item_id is not None}), [row.id for row in named])
    return await _of_range(first, limit, watched)


async def _of_range(row: Reassessment, limit: int, watched: Callable[[], Awaitable[bool]]) -> DueItems:
    """The next items of a category or of all items."""
    superseded = None
    if row.category_id is None and not row.after:
        last = await Reassessment.all().order_by("-id").first()
        superseded = last.id if last is not None else None
    below = [] if row.category_id is None else await categories.subtree(row.category_id)
    within = "TRUE" if row.category_id is None else f"i.category_id IN ({sql.slots(below)})"
    # Call ``watched`` after reading the row, which was committed together with the changed setting.
    relevant = f"({_ALERTED} OR {_COUNTED if await watched() else _DATED})"
    found = await sql.query(
        f"SELECT i.id FROM item i WHERE i.id > ? AND {_LIVE} AND {within} AND {relevant} ORDER BY i.id LIMIT ?",
        row.after,
        *below,
        limit,
    )
    ids = [item["id"] for item in found]
    return DueItems(ids, [row.id], superseded, ids[-1] if len(ids) == limit else None)


async def finish(part: DueItems) -> None:
    """Mark a part as done."""

    async def work() -> None:
        if part.superseded is not None:
            await Reassessment.filter(id__lte=part.superseded).exclude(id__in=part.rows).delete()
        if part.after is not None:
            await Reassessment.filter(id__in=part.rows, after__lt=part.after).update(after=part.after)
        else:
            await Reassessment.filter(id__in=part.rows).delete()

    await transactions.run(work)
