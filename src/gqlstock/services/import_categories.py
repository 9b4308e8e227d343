"""Finds or creates the categories of a file, which names them by path."""

from gqlstock.rules import catalog as rules
from gqlstock.rules.categories import Category
from gqlstock.services import categories
from gqlstock.store import categories as rows

Path = tuple[str, ...]


class CategoryTree:
    """The categories of one file. A path maps to the same slug throughout, whether or not its category exists yet."""

    def __init__(self) -> None:
        self.made: set[Path] = set()
        """The paths without a stored category, including those this import has created since."""
        self._slugs: dict[Path, str] = {}
        self._paths: dict[str, Path] = {}

    async def find(self, path: Path) -> Category | None:
        """The stored category of a path: by the slug of the whole path, else by name among the parent's children."""
        category = await rows.category(self._slug(path))
        if category is None and len(path) > 1:
            parent = await self.find(path[:-1])
            siblings = (await rows.children([parent.id]))[parent.id] if parent is not None else []
            category = next((sibling for sibling in siblings if sibling.name.casefold() == path[-1].casefold()), None)
        if category is None:
            self.made.add(path)
        return category

    async def find_id(self, path: Path) -> int | None:
        """The id of the category of a path; None if it does not exist."""
        category = await self.find(path)
        return category.id if category else None

    async def nearest_id(self, path: Path) -> int | None:
        """The id of the deepest stored category on a path. New categories below it inherit its settings."""
        for length in range(len(path), 0, -1):
            category = await self.find(path[:length])
            if category is not None:
                return category.id
        return None

    async def make(self, path: Path) -> Category:
        """The category of a path. Creates it, with its parents, if it does not exist."""
        category = await self.find(path)
        if category is None:
            parent = await self.make(path[:-1]) if len(path) > 1 else None
            await categories.create(self._slug(path), path[-1], parent.slug if parent else None)
            category = await rows.category(self._slug(path))
            assert category is not None
        return category

    async def make_id(self, path: Path) -> int:
        """The id of the category of a path. Creates it if it does not exist."""
        return (await self.make(path)).id

    def _slug(self, path: Path) -> str:
        """The slug of the whole path, numbered if two paths of the file collide.

        Parents always get their slugs first, so that importing the same file again yields the same slugs.
        """
        if path not in self._slugs:
            if len(path) > 1:
                self._slug(path[:-1])
            slug = rules.free_slug(" ".join(path), self._paths)
            self._slugs[path], self._paths[slug] = slug, path
        return self._slugs[path]
