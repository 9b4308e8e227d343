"""Makes plans: collects the fields of a selection, and finds the source, the shape and the arguments of each.

Planning is lazy: ``selection`` adds the selection of a field when its first value of an object type is resolved.
"""

from collections.abc import Callable, Hashable
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLObjectType, ListValueNode, ObjectValueNode, ValueNode, VariableNode
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails, GroupedFieldSet, collect_fields, collect_subfields
from graphql.execution.values import get_argument_values

from gqlstock.graphql.executor.plan import (
    Arguments,
    AttributeSource,
    FieldPlan,
    LeafShape,
    OperationPlan,
    SelectionPlan,
    TypeNameSource,
)
from gqlstock.graphql.executor.shapes import shape_of
from gqlstock.graphql.executor.sources import source_of


def operation(
    executor: Executor[Any], converter: Any, root: GraphQLObjectType, on_growth: Callable[[int], None] | None
) -> OperationPlan:
    """The plan of the executor's operation. Raises the errors of collecting its fields."""
    found = collect_fields(
        executor.schema,
        executor.fragments,
        executor.variable_values,
        root,
        executor.operation,
        executor.hide_suggestions,
    )
    plan = OperationPlan(SelectionPlan([], []), 0, on_growth)
    plan.root = _selection(plan, found.grouped_field_set, root, executor, converter)
    return plan


def selection(
    plan: OperationPlan, field: FieldPlan, type_: GraphQLObjectType, executor: Executor[Any], converter: Any
) -> SelectionPlan:
    """The selection for a field's values of that type. It is added to the plan."""
    found = collect_subfields(
        executor.schema,
        executor.fragments,
        executor.variable_values,
        executor.operation,
        type_,
        field.details,
        executor.hide_suggestions,
    )
    made = field.selections[type_] = _selection(plan, found.grouped_field_set, type_, executor, converter)
    return made


def _selection(
    plan: OperationPlan, grouped: GroupedFieldSet, type_: GraphQLObjectType, executor: Executor[Any], converter: Any
) -> SelectionPlan:
    fields = []
    for key, details in grouped.items():
        definition = executor.schema.get_field(type_, details[0].node.name.value)
        if definition is not None:
            fields.append(_field(key, details, type_, definition, converter))
    plan.size += len(fields)
    if plan.on_growth is not None:
        plan.on_growth(len(fields))
    return SelectionPlan(fields, [field.key for field in fields])


def _field(
    key: str, details: list[FieldDetails], parent: GraphQLObjectType, definition: GraphQLField, converter: Any
) -> FieldPlan:
    node = details[0].node
    name = node.name.value
    source = source_of(name, definition, converter)
    shape = shape_of(definition.type)
    return FieldPlan(
        key,
        name,
        parent,
        definition,
        details,
        [one.node for one in details],
        source,
        shape,
        constant_arguments=_constant_arguments(definition, node),
        needs_paths=not (isinstance(source, AttributeSource | TypeNameSource) and isinstance(shape, LeafShape)),
    )


def _constant_arguments(definition: GraphQLField, node: FieldNode) -> Arguments | None:
    """A field's arguments, if they do not depend on variables and are immutable; else None."""
    if not definition.args and not node.arguments:
        return {}
    if any(_names_a_variable(argument.value) for argument in node.arguments or ()):
        return None
    try:
        values = get_argument_values(definition, node)
    except Exception:
        return None
    return values if all(isinstance(value, Hashable) for value in values.values()) else None


def _names_a_variable(node: ValueNode) -> bool:
    if isinstance(node, ListValueNode):
        return any(map(_names_a_variable, node.values))
    if isinstance(node, ObjectValueNode):
        return any(_names_a_variable(field.value) for field in node.fields)
    return isinstance(node, VariableNode)
