"""What the mutations of an operation have committed, so that errors in the answer do not hide it.

A failing field nulls its parents up to the next nullable field, for example an order that was placed. The error's extensions
then say that the mutation was committed, and with which id.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class _Operation:
    current: str | None = None
    """The response key of the running mutation. Mutations run one after the other."""
    committed: dict[str, Sequence[str]] = field(default_factory=dict)
    """The ids that each committed mutation has written, by response key."""


_operation: ContextVar[_Operation | None] = ContextVar("outcomes", default=None)


def begin() -> None:
    """Start recording for a new operation."""
    _operation.set(_Operation())


@contextmanager
def mutation(name: str) -> Iterator[None]:
    """Run the block as the mutation with that response key."""
    of = _operation.get()
    if of is not None:
        of.current = name
    try:
        yield
    finally:
        if of is not None:
            of.current = None


def committed(ids: Sequence[str] = ()) -> None:
    """Record that the running mutation is committed. ``ids``: the written objects, as far as they are known."""
    of = _operation.get()
    if of is not None and of.current is not None:
        of.committed[of.current] = [*of.committed.get(of.current, ()), *ids]


def extensions(path: Sequence[Any] | None) -> dict[str, Any]:
    """The outcome of the mutation at that path, for the extensions of an error."""
    of = _operation.get()
    if of is None or not path or path[0] not in of.committed:
        return {}
    ids = of.committed[path[0]]
    return {"committed": True, **({"id": ids[0]} if len(ids) == 1 else {})}
