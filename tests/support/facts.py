"""Facts by key, with a digest of all of them, that can be rolled back to a mark."""

from collections.abc import Hashable
from typing import Any


class Facts:
    """Equal facts have equal digests, whatever the order in which they were added. Values must be hashable.

    Different facts have different digests, but for -1 and -2, whose hashes are equal in Python. Of the stock model's figures
    only onHand may be negative, and the calls done so far determine it, because each of its values is in the ledger.
    """

    def __init__(self) -> None:
        self._values: dict[Hashable, Any] = {}
        self._before: list[tuple[Hashable, Any]] = []
        self.digest = 0

    def get(self, key: Hashable, default: Any = None) -> Any:
        return self._values.get(key, default)

    def put(self, key: Hashable, value: Any) -> None:
        before = self._values.get(key)
        if value != before:
            self._before.append((key, before))
            self._set(key, before, value)

    def mark(self) -> int:
        return len(self._before)

    def undo(self, mark: int) -> None:
        """Roll back to the mark."""
        while len(self._before) > mark:
            key, before = self._before.pop()
            self._set(key, self._values.get(key), before)

    def items(self) -> list[tuple[Any, Any]]:
        return list(self._values.items())

    def _set(self, key: Hashable, old: Any, new: Any) -> None:
        if old is not None:
            self.digest ^= hash((key, old))
        if new is None:
            del self._values[key]
        else:
            self.digest ^= hash((key, new))
            self._values[key] = new
