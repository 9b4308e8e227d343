"""The paths of a column's values in the response, computed only when a resolver may need them."""

from itertools import chain

from graphql.pyutils import Path


class Paths:
    """The paths of a column's values."""

    __slots__ = ("_all",)

    def __init__(self) -> None:
        self._all: list[Path] | None = None

    @property
    def all(self) -> list[Path]:
        if self._all is None:
            self._all = self._compute()
        return self._all

    @property
    def fields(self) -> list[Path]:
        """The path of each value's field, without list indexes."""
        return self.all

    def at(self, index: int) -> Path:
        """The path of one value, without computing all."""
        return self.all[index]

    def _compute(self) -> list[Path]:
        raise NotImplementedError


class RootPath(Paths):
    """The path of the root object."""

    __slots__ = ()

    def _compute(self) -> list[Path]:
        return [None]  # type: ignore[list-item]


ROOT = RootPath()


class FieldPaths(Paths):
    """The paths of one field of objects."""

    __slots__ = ("_key", "_objects", "_type")

    def __init__(self, objects: Paths, key: str, type_name: str) -> None:
        super().__init__()
        self._objects = objects
        self._key = key
        self._type = type_name

    def at(self, index: int) -> Path:
        return Path(self._objects.at(index), self._key, self._type)

    def _compute(self) -> list[Path]:
        return [Path(path, self._key, self._type) for path in self._objects.all]


class ItemPaths(Paths):
    """The paths of the items of lists, one list after another."""

    __slots__ = ("_lists", "_sizes")

    def __init__(self, lists: Paths, sizes: list[int]) -> None:
        super().__init__()
        self._lists = lists
        self._sizes = sizes

    def at(self, index: int) -> Path:
        for position, size in enumerate(self._sizes):
            if index < size:
                return self._lists.at(position).add_key(index, None)
            index -= size
        raise IndexError(index)

    def _compute(self) -> list[Path]:
        sized = zip(self._lists.all, self._sizes, strict=True)
        return [path.add_key(index, None) for path, size in sized for index in range(size)]

    @property
    def fields(self) -> list[Path]:
        sized = zip(self._lists.fields, self._sizes, strict=True)
        return list(chain.from_iterable([path] * size for path, size in sized))


class SubsetPaths(Paths):
    """The paths of some values of a column."""

    __slots__ = ("_chosen", "_column")

    def __init__(self, column: Paths, chosen: list[int]) -> None:
        super().__init__()
        self._column = column
        self._chosen = chosen

    def at(self, index: int) -> Path:
        return self._column.at(self._chosen[index])

    def _compute(self) -> list[Path]:
        paths = self._column.all
        return [paths[index] for index in self._chosen]

    @property
    def fields(self) -> list[Path]:
        paths = self._column.fields
        return [paths[index] for index in self._chosen]
