"""The executor's entry point for graphql-core and Strawberry: queries, mutations, and each event of a subscription."""

from collections.abc import Awaitable
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    assert_valid_schema,
    default_field_resolver,
    default_type_resolver,
)

from gqlstock.graphql.executor import prepared
from gqlstock.graphql.executor.columns import Column
from gqlstock.graphql.executor.completion import execute_field, execute_selection, join
from gqlstock.graphql.executor.execution import Execution
from gqlstock.graphql.executor.failures import PROPAGATE, FailedValue
from gqlstock.graphql.executor.ordinary import OrdinaryExecutor
from gqlstock.graphql.executor.paths import ROOT
from gqlstock.graphql.executor.plan_cache import PlanCache
from gqlstock.graphql.executor.prepared import Prepared

_BUILT_HERE = {"is_awaitable", "operation_extensions"}
"""The options of ``build`` that do not need graphql-core's own ``build``."""


class BreadthFirstExecutor(OrdinaryExecutor):
    """Executes operations that can be planned. graphql-core executes the rest: ``@defer`` and ``@stream``, fragment
    variables, extensions with ``resolve``, abort signals, hooks, and schemas that are not Strawberry's.
    """

    @classmethod
    def build(
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        root_value: Any = None,
        context_value: Any = None,
        raw_variable_values: dict[str, Any] | None = None,
        operation_name: str | None = None,
        *more: Any,
        **named: Any,
    ) -> Any:
        operation = prepared.operation(document, operation_name)
        if operation is not None and not more and named.keys() <= _BUILT_HERE:
            kept = Prepared.of(schema, document, operation)
            values = kept.variables.values(raw_variable_values or {})
            if values is not None and not kept.has_variables_of_fragments:
                assert_valid_schema(schema)
                fragments = kept.fragment_definitions, kept.fragments
                given = root_value, context_value, operation, values
                resolvers = default_field_resolver, default_type_resolver, default_field_resolver
                return cls(schema, *fragments, *given, *resolvers, hide_suggestions=True, **named)
        return super().build(
            schema, document, root_value, context_value, raw_variable_values, operation_name, *more, **named
        )

    def execute_operation(self, serially: bool | None = None) -> Any:
        root = self.schema.get_root_type(self.operation.operation)
        strawberry_schema = getattr(self.schema, "_strawberry_schema", None)
        middleware = self.middleware_manager is not None and self.middleware_manager.middlewares
        if root is None or strawberry_schema is None or middleware or self.abort_signal or self.hooks:
            return super().execute_operation(serially)
        converter = strawberry_schema.schema_converter
        try:
            plan = PlanCache.of(self.operation).plan(self, converter, root)
        except (GraphQLError, RecursionError):
            # graphql-core reports the error.
            plan = None
        if plan is None:
            return super().execute_operation(serially)
        execution = Execution(self, converter, plan)
        if serially is None:
            serially = self.operation.operation is OperationType.MUTATION
        if serially and plan.root.fields:
            return self._execute_serially(execution)
        column = execute_selection(plan.root, [self.root_value], ROOT, execution)
        return _result(column) if isinstance(column, list) else _result_later(column)

    def _execute_serially(self, execution: Execution) -> Any:
        """Execute the root fields one after another. Stop after one whose null propagates to the whole response."""
        root = execution.plan.root
        columns: list[Column] = []
        for field in root.fields:
            column = execute_field(field, [self.root_value], ROOT, execution)
            if not isinstance(column, list):
                return self._execute_rest(column, columns, execution)
            columns.append(column)
            if _propagates(column):
                break
        return _result(join(root.keys, columns))

    async def _execute_rest(
        self, column: Awaitable[Column], columns: list[Column], execution: Execution
    ) -> ExecutionResult:
        root = execution.plan.root
        columns.append(await column)
        for field in root.fields[len(columns) :]:
            if _propagates(columns[-1]):
                break
            following = execute_field(field, [self.root_value], ROOT, execution)
            columns.append(following if isinstance(following, list) else await following)
        return _result(join(root.keys, columns))


def _propagates(column: Column) -> bool:
    (value,) = column
    return type(value) is FailedValue and value.value is PROPAGATE


async def _result_later(column: Awaitable[Column]) -> ExecutionResult:
    return _result(await column)


def _result(column: Column) -> ExecutionResult:
    """The result for a column with one value, the root object."""
    (data,) = column
    if type(data) is not FailedValue:
        return ExecutionResult(data, None)
    errors = [failure.located() for failure in data.failures]
    return ExecutionResult(None if data.value is PROPAGATE else data.value, errors)
