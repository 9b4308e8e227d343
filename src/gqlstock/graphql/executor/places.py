"""Where the values of a column stand in the response: worked out only when a resolver could ask for it."""

from itertools import chain

from graphql.pyutils import Path

Paths = list[Path]


class Places:
    """The places of a column's values. An item's ``field`` is the path of the field that its list is the value of."""

    __slots__ = ("_paths",)

    def __init__(self) -> None:
        self._paths: Paths | None = None

    @property
    def paths(self) -> Paths:
        if self._paths is None:
            self._paths = self._find()
        return self._paths

    @property
    def fields(self) -> Paths:
        return self.paths

    def at(self, index: int) -> Path:
        """The path of one value, for who needs no other."""
        return self.paths[index]

    def _find(self) -> Paths:
        raise NotImplementedError


class Root(Places):
    """The place of the one object that an operation starts from."""

    __slots__ = ()

    def _find(self) -> Paths:
        return [None]  # type: ignore[list-item]


ROOT = Root()


class Under(Places):
    """The values of one field of objects."""

    __slots__ = ("_key", "_objects", "_type")

    def __init__(self, objects: Places, key: str, type_name: str) -> None:
        super().__init__()
        self._objects = objects
        self._key = key
        self._type = type_name

    def at(self, index: int) -> Path:
        return Path(self._objects.at(index), self._key, self._type)

    def _find(self) -> Paths:
        return [Path(path, self._key, self._type) for path in self._objects.paths]


class Items(Places):
    """The items of lists, one list behind the other."""

    __slots__ = ("_lists", "_sizes")

    def __init__(self, lists: Places, sizes: list[int]) -> None:
        super().__init__()
        self._lists = lists
        self._sizes = sizes

    def at(self, index: int) -> Path:
        for position, size in enumerate(self._sizes):
            if index < size:
                return self._lists.at(position).add_key(index, None)
            index -= size
        raise IndexError(index)

    def _find(self) -> Paths:
        sized = zip(self._lists.paths, self._sizes, strict=True)
        return [path.add_key(index, None) for path, size in sized for index in range(size)]

    @property
    def fields(self) -> Paths:
        sized = zip(self._lists.fields, self._sizes, strict=True)
        return list(chain.from_iterable([path] * size for path, size in sized))


class Chosen(Places):
    """Some of the values of a column."""

    __slots__ = ("_all", "_chosen")

    def __init__(self, all_places: Places, chosen: list[int]) -> None:
        super().__init__()
        self._all = all_places
        self._chosen = chosen

    def at(self, index: int) -> Path:
        return self._all.at(self._chosen[index])

    def _find(self) -> Paths:
        paths = self._all.paths
        return [paths[index] for index in self._chosen]

    @property
    def fields(self) -> Paths:
        paths = self._all.fields
        return [paths[index] for index in self._chosen]
