"""The executor as graphql-core and Strawberry call it: for a query, a mutation, and each event of a subscription."""

from collections.abc import Awaitable
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationType

from gqlstock.graphql.executor.awaiting import Column
from gqlstock.graphql.executor.faults import UP, Fault
from gqlstock.graphql.executor.ordinary import OrdinaryExecutor
from gqlstock.graphql.executor.places import ROOT
from gqlstock.graphql.executor.plan import Plan
from gqlstock.graphql.executor.plans import Plans
from gqlstock.graphql.executor.walk import Walk


class BreadthFirstExecutor(OrdinaryExecutor):
    """Walks what it takes, and leaves to graphql-core what it does not: ``@defer`` and ``@stream``, variables of
    fragments, extensions that have ``resolve``, abort signals and hooks, schemas that are not Strawberry's.
    """

    def execute_operation(self, serially: bool | None = None) -> Any:
        root = self.schema.get_root_type(self.operation.operation)
        strawberry_schema = getattr(self.schema, "_strawberry_schema", None)
        middleware = self.middleware_manager is not None and self.middleware_manager.middlewares
        if root is None or strawberry_schema is None or middleware or self.abort_signal or self.hooks:
            return super().execute_operation(serially)
        walk = Walk(self, strawberry_schema.schema_converter)
        try:
            plan = Plans.of(self.operation).find(walk, root)
        except (GraphQLError, RecursionError):
            # What cannot be planned is refused by graphql-core in its own words.
            plan = None
        if plan is None:
            return super().execute_operation(serially)
        walk.plan = plan
        if serially is None:
            serially = self.operation.operation is OperationType.MUTATION
        if serially and plan.root.fields:
            return self._one_after_the_other(plan, walk)
        step = plan.root.run([self.root_value], ROOT, walk)
        return self._answer(step) if isinstance(step, list) else self._answered(step)

    async def _answered(self, step: Awaitable[Column]) -> ExecutionResult:
        return self._answer(await step)

    def _one_after_the_other(self, plan: Plan, walk: Walk) -> Any:
        """Each root field when the one before it is done; none behind one that leaves nothing of the answer."""
        columns: list[Column] = []
        for field in plan.root.fields:
            step = field.column([self.root_value], ROOT, walk)
            if not isinstance(step, list):
                return self._rest_in_turn(step, columns, plan, walk)
            columns.append(step)
            if _nothing_is_left(step):
                break
        return self._answer(plan.root.joined(columns))

    async def _rest_in_turn(
        self, step: Awaitable[Column], columns: list[Column], plan: Plan, walk: Walk
    ) -> ExecutionResult:
        columns.append(await step)
        for field in plan.root.fields[len(columns) :]:
            if _nothing_is_left(columns[-1]):
                break
            following = field.column([self.root_value], ROOT, walk)
            columns.append(following if isinstance(following, list) else await following)
        return self._answer(plan.root.joined(columns))

    def _answer(self, column: Column) -> ExecutionResult:
        (data,) = column
        if type(data) is not Fault:
            return ExecutionResult(data, None)
        return ExecutionResult(None if data.value is UP else data.value, [f.located() for f in data.failures])


def _nothing_is_left(column: Column) -> bool:
    (value,) = column
    return type(value) is Fault and value.value is UP
