"""Categories and their tree, as cached records."""

from collections.abc import Collection, Iterable

from gqlstock.rules.categories import Category
from gqlstock.stock import present
from gqlstock.store import categories as rows


async def categories(ids: Iterable[int]) -> dict[int, Category]:
    return await present.under_settings("category", ids, rows.categories)


async def category(slug: str) -> Category | None:
    async def load(slugs: Collection[str]) -> dict[str, Category]:
        found = {slug: await rows.category(slug) for slug in slugs}
        return {slug: one for slug, one in found.items() if one is not None}

    return (await present.under_settings("category slug", [slug], load)).get(slug)


async def children(ids: Iterable[int]) -> dict[int, list[Category]]:
    """The direct children of each category, sorted by name."""
    return await present.under_settings("children of category", ids, rows.children)


async def subtrees(ids: Iterable[int]) -> dict[int, list[int]]:
    """The ids of each category and of all categories below it."""
    return await present.under_settings("category subtree", ids, rows.subtrees)
