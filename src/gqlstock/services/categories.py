"""Creates, changes, moves and deletes categories."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gqlstock.rules import catalog as rules
from gqlstock.rules import refusals
from gqlstock.rules.categories import Category
from gqlstock.rules.events import ANY_SETTING, ItemChange, items_with_products_changed
from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.refusals import invalid, wrong_state
from gqlstock.stock import categories
from gqlstock.stock.lists import QueryRows, Rows
from gqlstock.store import catalog, outbox, reassessments
from gqlstock.store import categories as rows
from gqlstock.store.db import clock, transactions

Changes = Mapping[str, Any]
"""Requested changes by field name. Omitted fields stay unchanged; None clears a field."""


async def create(slug: str, name: str, parent: str | None = None) -> int:
    """Create a category, below ``parent`` if given. Returns its id."""

    async def work() -> int:
        now = clock.now()
        new = Category(UNSTORED, rules.slug(slug, "slug"), rules.text(name, "name", "name"), None, now, now)
        if await rows.category(new.slug):
            raise refusals.taken("category", new.slug, "slug")
        parent_id = (await named(parent, "parent")).id if parent is not None else None
        await outbox.add([ANY_SETTING])
        return await rows.insert(replace(new, parent_id=parent_id))

    return await transactions.run(work)


async def update(slug: str, changes: Changes) -> int:
    """Change the given fields of a category. A parent of None moves it to the top. Returns its id."""

    async def work() -> int:
        await rows.lock_tree()
        before = await named(slug, "slug")
        after = replace(before, updated_at=clock.now())
        if changes.get("new_slug") is not None:
            after = replace(after, slug=rules.slug(changes["new_slug"], "newSlug"))
            other = await rows.category(after.slug)
            if other is not None and other.id != after.id:
                raise refusals.taken("category", after.slug, "newSlug")
        if changes.get("name") is not None:
            after = replace(after, name=rules.text(changes["name"], "name", "name"))
        if "parent" in changes:
            after = replace(after, parent_id=await _new_parent(after, changes["parent"]))
            await reassessments.add_category(after.id)
        await rows.update(before, after)
        await outbox.add([ANY_SETTING])
        return after.id

    return await transactions.run(work)


async def delete(slug: str) -> int:
    """Delete a category that has neither children nor products. Returns its id."""

    async def work() -> int:
        await rows.lock_tree()
        found = await named(slug, "slug")
        if await rows.has_children(found.id):
            raise wrong_state(f"{slug} has subcategories: move or delete them first.", "slug")
        if await catalog.has_products(found.id):
            raise wrong_state(f"{slug} has products: move or delete them first.", "slug")
        left = await catalog.leave_category(found.id)
        await rows.delete(found.id)
        # These products are already deleted, so readers need not learn that they lost their category.
        unfiled = items_with_products_changed([(product_id, None) for product_id in left], ItemChange.NONE)
        await outbox.add([ANY_SETTING, *unfiled])
        return found.id

    return await transactions.run(work)


async def named(slug: str, at: str) -> Category:
    found = await rows.category(slug)
    if found is None:
        raise refusals.missing("category", slug, at)
    return found


async def _new_parent(moved: Category, parent: str | None) -> int | None:
    if parent is None:
        return None
    found = await named(parent, "parent")
    if found.id in await rows.subtree(moved.id):
        raise invalid(f"{moved.slug} cannot be moved below {parent}, which is itself below {moved.slug}.", "parent")
    return found.id


async def ids_below(slug: str) -> list[int]:
    """The ids of a category and its descendants. Raises ``Refused`` for an unknown slug."""
    found = await categories.category(slug)
    if found is None:
        raise invalid(f"There is no category {slug:.80}.")
    return (await categories.subtrees([found.id]))[found.id]


def every() -> Rows[Category]:
    """The list of all categories."""
    return QueryRows(rows.every_category())
