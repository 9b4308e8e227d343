"""One operation on its way: what its plan needs of the request."""

from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType, GraphQLResolveInfo
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path

from gqlstock.graphql.executor.plan import Field, Plan, Selection

if TYPE_CHECKING:
    from strawberry.schema.schema_converter import GraphQLCoreConverter

    from gqlstock.graphql.executor.breadth_first import BreadthFirstExecutor


class Walk:
    def __init__(self, executor: "BreadthFirstExecutor", converter: "GraphQLCoreConverter") -> None:
        self.executor = executor
        self.converter = converter
        self.plan: Plan
        self._arguments: dict[Field, dict[str, Any]] = {}

    def below(self, field: Field, kind: GraphQLObjectType) -> Selection:
        return field.below.get(kind) or self.plan.below(field, kind, self)

    def arguments(self, field: Field) -> dict[str, Any]:
        """The values of a field's arguments; raises what is wrong with them."""
        if field.same is not None:
            return field.same
        found = self._arguments.get(field)
        if found is None:
            executor = self.executor
            found = self._arguments[field] = get_argument_values(
                field.definition,
                field.nodes[0],
                executor.variable_values,
                hide_suggestions=executor.hide_suggestions,
            )
        return found

    def info(self, field: Field, path: Path) -> GraphQLResolveInfo[Any]:
        return self.executor.build_resolve_info(field.definition, field.nodes, field.parent, path)
