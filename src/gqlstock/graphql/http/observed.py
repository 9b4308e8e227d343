"""Adds each operation to the request's trail: its name and kind, the caller, and the codes of its errors."""

import time
from collections.abc import Iterable
from types import TracebackType

from graphql import GraphQLError

from gqlstock import trail
from gqlstock.rules.scopes import Caller
from gqlstock.trail import Operation


class Observation:
    """Observes one operation, from the document lookup to its last answer. Does nothing outside of a request."""

    __slots__ = ("_caller", "_operation", "_trail")

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._trail = trail.current.get()
        if self._trail is not None:
            self._operation = self._trail.operation = Operation()
            self._trail.answering += 1
            # Not reset at the end, because another task than the one that started a stream may close it.
            trail.operation.set(self._operation)

    def begin(self, name: str | None, kind: str, field: str) -> None:
        """The operation is valid and is about to run."""
        if self._trail is None:
            return
        operation = self._operation
        operation.valid = True
        operation.name, operation.kind, operation.field = name, kind, field
        if operation.is_subscription:
            self._trail.answering -= 1
        self._add_caller()
        self._trail.began(self._trail, operation)

    def count(self, errors: Iterable[GraphQLError] | None) -> None:
        """Count the errors of an answer by code."""
        if self._trail is not None and errors:
            for error in errors:
                self._operation.errors[(error.extensions or {}).get("code", "INTERNAL")] += 1

    def __enter__(self) -> "Observation":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._trail is None:
            return
        operation = self._operation
        operation.seconds = time.perf_counter() - operation.started
        if not operation.is_subscription:
            self._trail.answering -= 1
        if not operation.valid:
            self._add_caller()
        self._trail.ended(self._trail, operation)

    def _add_caller(self) -> None:
        self._operation.caller, self._operation.authenticated = self._caller.name, self._caller.authenticated


def asked() -> tuple[str | None, str, str] | None:
    """The name, the kind and the first field of the running operation. None if it is not observed."""
    operation = trail.operation.get()
    return (operation.name, operation.kind, operation.field) if operation is not None else None


def answered_again(known: tuple[str | None, str, str] | None, caller: Caller) -> None:
    """Add to the request's trail an operation that was answered from the cache."""
    if known is not None:
        with Observation(caller) as observation:
            observation.begin(*known)
