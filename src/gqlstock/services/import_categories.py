"""Finds and makes the categories of a file, which names them by their paths."""

from gqlstock.rules import catalog as rules
from gqlstock.rules.categories import Category
from gqlstock.services import categories
from gqlstock.store import categories as rows

Path = tuple[str, ...]


class CategoryTree:
    """The categories of one file. A path has the same slug throughout, whether its category was made or not."""

    def __init__(self) -> None:
        self.made: set[Path] = set()
        """The paths that have no category yet, or whose categories this import made."""
        self._slugs: dict[Path, str] = {}
        self._paths: dict[str, Path] = {}

    async def find(self, path: Path) -> Category | None:
        """The stored category of a path: of the slug of the whole path, else of the name below the parent's category."""
        found = await rows.category(self._slug(path))
        if found is None and len(path) > 1:
            parent = await self.find(path[:-1])
            siblings = (await rows.children([parent.id]))[parent.id] if parent is not None else []
            found = next((one for one in siblings if one.name.casefold() == path[-1].casefold()), None)
        if found is None:
            self.made.add(path)
        return found

    async def find_id(self, path: Path) -> int | None:
        """The id of the category of a path; None where there is none."""
        found = await self.find(path)
        return found.id if found else None

    async def nearest_id(self, path: Path) -> int | None:
        """The id of the deepest stored category on a path: new ones below it take its settings."""
        for length in range(len(path), 0, -1):
            found = await self.find(path[:length])
            if found is not None:
                return found.id
        return None

    async def make(self, path: Path) -> Category:
        """The category of a path, made with its parents where it is missing."""
        found = await self.find(path)
        if found is None:
            parent = await self.make(path[:-1]) if len(path) > 1 else None
            await categories.create(self._slug(path), path[-1], parent.slug if parent else None)
            found = await rows.category(self._slug(path))
            assert found is not None
        return found

    async def make_id(self, path: Path) -> int:
        """The id of the category of a path, made where it is missing."""
        return (await self.make(path)).id

    def _slug(self, path: Path) -> str:
        """The slug of the whole path; numbered where two paths of the file would have the same.

        Parents get theirs first, whether they are looked for or not: the same file again gives the same slugs.
        """
        if path not in self._slugs:
            if len(path) > 1:
                self._slug(path[:-1])
            slug = rules.free_slug(" ".join(path), self._paths)
            self._slugs[path], self._paths[slug] = slug, path
        return self._slugs[path]
