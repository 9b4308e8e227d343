"""Executes operations: looks up the document, applies the limits, and gives every error a code.

It replaces Strawberry's own ``execute`` and ``stream``, whose extensions take longer than a small query.
"""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import ExecutionResult as CoreResult
from graphql import GraphQLError, subscribe
from strawberry.execution import optimized_is_awaitable
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from gqlstock import trail
from gqlstock.graphql import outcomes
from gqlstock.graphql.errors import OperationNotAllowed, TooSlow, masked, of_an_outage, unexpected, without_frames
from gqlstock.graphql.http.documents import DocumentCache, Operation
from gqlstock.graphql.http.observed import Observation
from gqlstock.graphql.http.pushes import Push
from gqlstock.rules.limits import Limits
from gqlstock.rules.scopes import ANONYMOUS, Caller
from gqlstock.stock import reading

_ALL_KINDS = frozenset(OperationType)
_ONE_ANSWER = _ALL_KINDS - {OperationType.SUBSCRIPTION}
_WAYS = {
    OperationType.QUERY: "send it by GET or POST",
    OperationType.MUTATION: "send it by POST",
    OperationType.SUBSCRIPTION: "accept text/event-stream or use a websocket",
}


@dataclass(frozen=True, slots=True)
class _Call:
    """A request to execute an operation, from any transport."""

    text: str
    variables: dict[str, Any] | None
    context: Any
    root: Any
    operation_name: str | None
    extensions: dict[str, Any] | None

    @property
    def caller(self) -> Caller:
        return getattr(self.context, "caller", ANONYMOUS)


class Schema(strawberry.Schema):
    """A Strawberry schema with a document cache, limits, and coded errors."""

    limits: Limits
    documents: DocumentCache

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """Execute a query or a mutation. Subscriptions need ``stream``."""
        call = _Call(query or "", variable_values, context_value, root_value, operation_name, operation_extensions)
        outcomes.begin()
        with Observation(call.caller) as observation:
            kinds = _ONE_ANSWER if allowed_operation_types is None else _ONE_ANSWER & set(allowed_operation_types)
            operation = self._prepare(call, kinds, observation)
            if isinstance(operation, PreExecutionError):
                return operation
            result = await self._answer(operation, call)
            observation.count(result.errors)
            return result

    def is_known_query(self, text: str, operation_name: str | None, caller: Caller) -> bool:
        """Whether an operation is certainly a query. False for documents that are not cached or have errors."""
        document = self.documents.known(text, authenticated=caller.authenticated)
        try:
            return document is not None and document.operation(operation_name).kind is OperationType.QUERY
        except GraphQLError:
            return False

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Execute any operation. Yields all events of a subscription, or the one result of a query or mutation."""
        call = _Call(query or "", variable_values, context_value, root_value, operation_name, operation_extensions)
        return self._answers(call, frozenset(allowed_operation_types or _ALL_KINDS))

    async def _answers(self, call: _Call, kinds: Collection[OperationType]) -> AsyncGenerator[ExecutionResult, None]:
        outcomes.begin()
        with Observation(call.caller) as observation:
            operation = self._prepare(call, kinds, observation)
            if isinstance(operation, PreExecutionError):
                yield operation
            elif operation.kind is not OperationType.SUBSCRIPTION:
                result = await self._answer(operation, call)
                observation.count(result.errors)
                yield result
            else:
                async with aclosing(self._events(operation, call)) as results:
                    async for result in results:
                        observation.count(result.errors)
                        yield result

    def _prepare(
        self, call: _Call, kinds: Collection[OperationType], observation: Observation
    ) -> Operation | PreExecutionError:
        """The operation, or its errors before execution, which every transport sends as one error result."""
        try:
            document = self.documents.find(call.text, authenticated=call.caller.authenticated)
            operation = document.operation(call.operation_name)
            if operation.kind not in kinds:
                kind = operation.kind
                raise OperationNotAllowed(f"A {kind.value} cannot be sent this way: {_WAYS[kind]}.")
            errors = document.errors(call.variables)
        except GraphQLError as error:
            errors = (without_frames(error),)
        except Exception as error:
            errors = (unexpected(error),)
        if errors:
            refused = PreExecutionError(None, masked(errors))
            observation.count(refused.errors)
            return refused
        observation.begin(operation.name, operation.kind.value, operation.field or trail.UNKNOWN)
        return operation

    async def _answer(self, operation: Operation, call: _Call) -> ExecutionResult:
        try:
            if operation.kind is OperationType.MUTATION:
                result = await self._execute_mutation(operation, call)
            else:
                result = await self._execute_in_time(operation, call)
        except Exception as error:
            return PreExecutionError(None, masked([unexpected(error)]))
        return _finished(result)

    async def _execute_in_time(self, operation: Operation, call: _Call) -> CoreResult:
        seconds = self.limits.query_seconds
        try:
            async with asyncio.timeout(seconds) as running:
                return await reading.run(lambda: self._execute(operation, call))
        except TimeoutError:
            if not running.expired():
                raise
            raise TooSlow(f"The query was canceled after {seconds:g} seconds.") from None

    async def _execute_mutation(self, operation: Operation, call: _Call) -> CoreResult:
        """Execute a mutation without a time limit; waits for locks and the database have limits of their own.

        A mutation runs outside of a read. Its payload is read at one instant after the commit.
        """
        if reading.running() is not None:
            return await self._execute(operation, call)
        async with reading.opened(begun=False):
            return await self._execute(operation, call)

    async def _execute(self, operation: Operation, call: _Call) -> CoreResult:
        executor = self.execution_context_class.build(
            self._schema,
            operation.document,
            call.root,
            call.context,
            call.variables,
            call.operation_name,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
            operation_extensions=call.extensions,
        )
        if isinstance(executor, list):
            return CoreResult(None, executor)
        result: Any = executor.execute_operation()
        if not isinstance(result, CoreResult):
            result = await result
        return result  # type: ignore[no-any-return]

    async def _events(self, operation: Operation, call: _Call) -> AsyncGenerator[ExecutionResult, None]:
        """The events of a subscription. If an error ends it, the last event has the error.

        An outage ends it at the first event that could not be read, so that the client resumes from its last cursor and
        gets that event again.
        """
        try:
            results: Any = subscribe(
                self._schema,
                operation.document,
                call.root,
                call.context,
                call.variables,
                call.operation_name,
                executor_class=self.execution_context_class,
                operation_extensions=call.extensions,
            )
            if inspect.isawaitable(results):
                results = await results
            if isinstance(results, CoreResult):
                yield PreExecutionError(None, masked(results.errors or ()))
                return
            async with aclosing(results):
                async for result in results:
                    event = result if isinstance(result, Push) else _finished(result)
                    if missed := of_an_outage(event.errors):
                        yield ExecutionResult(None, missed)
                        return
                    yield event
        except Exception as error:
            yield ExecutionResult(None, masked([unexpected(error)]))


def _finished(result: CoreResult) -> ExecutionResult:
    return ExecutionResult(result.data, masked(result.errors) if result.errors else None)
