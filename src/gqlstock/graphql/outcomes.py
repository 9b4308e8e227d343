"""What the mutations of an operation have committed, so that an error in an answer does not hide it.

A field that fails takes away what it is a part of, up to the next field that may be null: such as an order that was placed.
The error then says that it was, and which one it is.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class _Operation:
    current: str | None = None
    """The mutation that runs, by its name in the answer; they run one after the other."""
    committed: dict[str, Sequence[str]] = field(default_factory=dict)
    """The ids of what each has written."""


_operation: ContextVar[_Operation | None] = ContextVar("outcomes", default=None)


def begin() -> None:
    """A new operation."""
    _operation.set(_Operation())


@contextmanager
def mutation(name: str) -> Iterator[None]:
    """The block runs the mutation of that name in the answer."""
    of = _operation.get()
    if of is not None:
        of.current = name
    try:
        yield
    finally:
        if of is not None:
            of.current = None


def committed(ids: Sequence[str] = ()) -> None:
    """The mutation that runs is committed. ``ids``: those of what it has written, as far as they are known."""
    of = _operation.get()
    if of is not None and of.current is not None:
        of.committed[of.current] = [*of.committed.get(of.current, ()), *ids]


def extensions(path: Sequence[Any] | None) -> dict[str, Any]:
    """What the extensions of an error at that path say of the mutation that it is a part of."""
    of = _operation.get()
    if of is None or not path or path[0] not in of.committed:
        return {}
    ids = of.committed[path[0]]
    return {"committed": True, **({"id": ids[0]} if len(ids) == 1 else {})}
