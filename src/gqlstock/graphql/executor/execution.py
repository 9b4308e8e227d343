"""One execution of an operation: its plan, and what the plan needs from the request."""

from typing import Any

from graphql import GraphQLObjectType, GraphQLResolveInfo
from graphql.execution import Executor
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path

from gqlstock.graphql.executor import planner
from gqlstock.graphql.executor.plan import Arguments, FieldPlan, OperationPlan, SelectionPlan


class Execution:
    """``executor`` is graphql-core's view of the request, ``converter`` the Strawberry schema's converter."""

    __slots__ = ("_arguments", "converter", "executor", "plan")

    def __init__(self, executor: Executor[Any], converter: Any, plan: OperationPlan) -> None:
        self.executor = executor
        self.converter = converter
        self.plan = plan
        self._arguments: dict[FieldPlan, Arguments] = {}

    def selection(self, field: FieldPlan, type_: GraphQLObjectType) -> SelectionPlan:
        """The selection for a field's values of that type."""
        found = field.selections.get(type_)
        return found or planner.selection(self.plan, field, type_, self.executor, self.converter)

    def arguments(self, field: FieldPlan) -> Arguments:
        """The values of a field's arguments. Raises an error if they are invalid."""
        if field.constant_arguments is not None:
            return field.constant_arguments
        found = self._arguments.get(field)
        if found is None:
            executor = self.executor
            found = self._arguments[field] = get_argument_values(
                field.definition, field.nodes[0], executor.variable_values, hide_suggestions=executor.hide_suggestions
            )
        return found

    def info(self, field: FieldPlan, path: Path) -> GraphQLResolveInfo[Any]:
        return self.executor.build_resolve_info(field.definition, field.nodes, field.parent, path)
