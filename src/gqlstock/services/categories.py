"""Categories: made, changed, moved and removed."""

from collections.abc import Mapping
from typing import Any

from gqlstock.rules import catalog as rules
from gqlstock.rules import refusals
from gqlstock.rules.events import ANY_SETTING
from gqlstock.rules.refusals import invalid, wrong_state
from gqlstock.store import catalog, database, outbox, reassessments
from gqlstock.store.catalog import Category

Changes = Mapping[str, Any]
"""What a caller wants changed, by name; what is left out stays, None empties."""


async def create(slug: str, name: str, parent: str | None = None) -> int:
    """Make a category, below ``parent`` if given. Answers its id."""

    async def work() -> int:
        made = Category(slug=rules.slug(slug, "slug"), name=rules.text(name, "name", "name"))
        if await catalog.category(made.slug):
            raise refusals.taken("category", made.slug, "slug")
        made.parent_id = (await named(parent, "parent")).id if parent is not None else None
        await made.save()
        return int(made.id)

    return await database.transaction(work)


async def update(slug: str, given: Changes) -> int:
    """Change what is given of a category; a parent of None moves it to the top. Answers its id."""

    async def work() -> int:
        await catalog.lock_tree()
        found = await named(slug, "slug")
        if given.get("new_slug") is not None:
            found.slug = rules.slug(given["new_slug"], "newSlug")
            other = await catalog.category(found.slug)
            if other is not None and other.id != found.id:
                raise refusals.taken("category", found.slug, "newSlug")
        if given.get("name") is not None:
            found.name = rules.text(given["name"], "name", "name")
        if "parent" in given:
            found.parent_id = await _new_parent(found, given["parent"])
            await outbox.add([ANY_SETTING])
            await reassessments.add_category(found.id)
        await found.save()
        return int(found.id)

    return await database.transaction(work)


async def delete(slug: str) -> int:
    """Remove a category that has neither children nor products. Answers its id."""

    async def work() -> int:
        await catalog.lock_tree()
        found = await named(slug, "slug")
        if await Category.exists(parent_id=found.id):
            raise wrong_state(f"{slug} has categories below it: move or delete them first.", "slug")
        if await catalog.has_products(found.id):
            raise wrong_state(f"{slug} has products: move or delete them first.", "slug")
        await catalog.leave_category(found.id)
        await found.delete()
        return int(found.id)

    return await database.transaction(work)


async def named(slug: str, at: str) -> Category:
    found = await catalog.category(slug)
    if found is None:
        raise refusals.missing("category", slug, at)
    return found


async def _new_parent(moved: Category, parent: str | None) -> int | None:
    if parent is None:
        return None
    found = await named(parent, "parent")
    if found.id in await catalog.subtree(moved.id):
        raise invalid(f"{moved.slug} cannot lie below {parent}: that lies below {moved.slug} itself.", "parent")
    return int(found.id)
