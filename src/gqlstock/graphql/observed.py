"""Adds to the request's trail what each operation is, who calls, and the codes of what came of it."""

import time
from collections.abc import Iterator
from typing import Any

from graphql import FieldNode, GraphQLError, get_operation_ast
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from gqlstock import trail
from gqlstock.trail import Operation, Trail


class Observed(SchemaExtension):
    """Stands before ``MaskErrors``, so that it sees errors with their codes."""

    _trail: Trail | None = None
    _operation: Operation
    _streams = False

    def on_operation(self) -> Iterator[None]:
        self._trail = trail.current.get()
        if self._trail is None:
            yield
            return
        self._operation = self._trail.operation = Operation()
        self._trail.answering += 1
        # Not reset at the end: a stream may be closed by another task than the one that began it.
        trail.operation.set(self._operation)
        try:
            yield
        except GraphQLError:
            # Of the syntax, which comes to light before there is a result.
            self._operation.errors["BAD_USER_INPUT"] += 1
            raise
        finally:
            self._end(self._trail)

    def on_execute(self) -> Iterator[None]:
        if self._trail is not None:
            self._look(self._trail)
        yield

    def on_stream_result(self, result: Any) -> Iterator[None]:
        try:
            yield
        finally:
            self._streams = True
            if self._trail is not None:
                self._count(result)

    def _look(self, of: Trail) -> None:
        """What it is, now that it is known to be valid."""
        operation = self._operation
        operation.valid = True
        operation.name, operation.kind, operation.field = _asked(self.execution_context)
        if operation.is_subscription:
            of.answering -= 1
        self._who()
        of.began(of, operation)

    def _who(self) -> None:
        caller = self.execution_context.context.caller
        self._operation.caller, self._operation.authenticated = caller.name, caller.authenticated

    def _end(self, of: Trail) -> None:
        operation = self._operation
        operation.seconds = time.perf_counter() - operation.started
        if not operation.is_subscription:
            of.answering -= 1
        if not operation.valid:
            self._who()
        if not self._streams:
            self._count(self.execution_context.result)
        of.ended(of, operation)

    def _count(self, result: Any) -> None:
        for error in getattr(result, "errors", None) or ():
            self._operation.errors[(error.extensions or {}).get("code", "INTERNAL")] += 1


def _asked(context: ExecutionContext) -> tuple[str | None, str, str]:
    """The operation's name, its type, and the first field that it asks for."""
    assert context.graphql_document is not None
    operation = get_operation_ast(context.graphql_document, context.operation_name)
    assert operation is not None
    named = operation.name.value if operation.name is not None else None
    fields = (one.name.value for one in operation.selection_set.selections if isinstance(one, FieldNode))
    return named, operation.operation.value, next(fields, trail.UNKNOWN)
