"""Items whose alerts are still to be assessed again, because settings, websites or warehouses changed.

The transaction of the change writes what there is to do, so that a crash after it loses nothing.
"""

from collections.abc import Collection

from tortoise import fields
from tortoise.models import Model

from gqlstock.store import catalog, database

_ASKED_AT_ONCE = 5_000
_LIVE = "i.deleted_at IS NULL"
_ALERTED = "EXISTS (SELECT 1 FROM low_inventory_alert a WHERE a.item_id = i.id AND a.state = 'RAISED')"
_COUNTED = "EXISTS (SELECT 1 FROM inventory_level l WHERE l.item_id = i.id AND l.deleted_at IS NULL)"


class Reassessment(Model):
    """One item, or a category with everything below it, or (where both are null) every item.

    Of more than one item those with ids up to ``after`` are done.
    """

    id = fields.BigIntField(primary_key=True)
    item_id = fields.BigIntField(null=True)
    category_id = fields.BigIntField(null=True)
    after = fields.BigIntField(default=0)

    class Meta:
        table = "reassessment"


async def add_everything() -> None:
    """Have every item assessed again."""
    await Reassessment.create()


async def add_category(category_id: int) -> None:
    """Have the items of a category and of everything below it assessed again."""
    await Reassessment.create(category_id=category_id)


async def add_items(item_ids: Collection[int]) -> None:
    """Have items assessed again, and the combinations of those that are products."""
    wanted = list(item_ids)
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        part = wanted[start : start + _ASKED_AT_ONCE]
        slots = database.slots(part)
        await database.execute(
            f"""INSERT INTO reassessment (item_id, after) SELECT i.id, 0 FROM item i
                WHERE (i.id IN ({slots}) OR i.product_id IN ({slots})) AND {_LIVE} AND ({_ALERTED} OR {_COUNTED})""",
            *part,
            *part,
        )


async def add_levels(level_ids: Collection[int]) -> None:
    """Have the items of levels assessed again."""
    wanted = list(level_ids)
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        part = wanted[start : start + _ASKED_AT_ONCE]
        await database.execute(
            f"""INSERT INTO reassessment (item_id, after)
                SELECT item_id, 0 FROM inventory_level WHERE id IN ({database.slots(part)})""",
            *part,
        )


async def is_pending() -> bool:
    """Whether any item is still to be assessed again."""
    return await Reassessment.exists()


async def take(limit: int, *, watched: bool) -> list[int] | None:
    """Take the next items, at most so many, until the running transaction ends; None when there is nothing to do.

    ``watched``: whether any item is watched at all; otherwise only those with an open alert are of interest.
    """
    first = await database.execute(f"SELECT id, item_id FROM reassessment ORDER BY id LIMIT 1 {_unless_taken()}")
    if not first:
        return None
    if first[0]["item_id"] is not None:
        return await _take_items(limit)
    return await _take_range(await Reassessment.get(id=first[0]["id"]), limit, watched=watched)


async def _take_items(limit: int) -> list[int]:
    """The next of those that are named one by one."""
    rows = await database.execute(
        f"""DELETE FROM reassessment WHERE id IN (
                SELECT id FROM reassessment WHERE item_id IS NOT NULL ORDER BY id LIMIT ? {_unless_taken()}
            ) RETURNING item_id""",
        limit,
    )
    return sorted({row["item_id"] for row in rows})


async def _take_range(row: Reassessment, limit: int, *, watched: bool) -> list[int]:
    """The next items of a category or of all."""
    if row.category_id is None and not row.after:
        # Whoever assesses every item from here on has no need of what was asked for before.
        await database.execute(
            f"DELETE FROM reassessment WHERE id IN (SELECT id FROM reassessment WHERE id <> ? {_unless_taken()})",
            row.id,
        )
    categories = [] if row.category_id is None else await catalog.subtree(row.category_id)
    within = "TRUE" if row.category_id is None else f"i.category_id IN ({database.slots(categories)})"
    fitting = f"({_ALERTED} OR {_COUNTED})" if watched else _ALERTED
    found = await database.query(
        f"SELECT i.id FROM item i WHERE i.id > ? AND {_LIVE} AND {within} AND {fitting} ORDER BY i.id LIMIT ?",
        row.after,
        *categories,
        limit,
    )
    ids = [one["id"] for one in found]
    if len(ids) < limit:
        await row.delete()
    else:
        row.after = ids[-1]
        await row.save(update_fields=["after"])
    return ids


def _unless_taken() -> str:
    """Passes over what another process is working on; SQLite has one writer anyway."""
    return "FOR UPDATE SKIP LOCKED" if database.is_postgres() else ""
