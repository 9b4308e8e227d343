"""An operation as it is walked: for each selection and type its fields in order, each with its source and its shape.

A plan grows as it is walked: what no answer has reached yet is not planned. It holds nothing of a request.
"""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
)
from graphql.execution.collect_fields import FieldDetails, GroupedFieldSet, collect_fields, collect_subfields
from graphql.execution.values import get_argument_values

from gqlstock.graphql.executor.awaiting import Column, Step, together
from gqlstock.graphql.executor.faults import Marred, held
from gqlstock.graphql.executor.places import Places, Under
from gqlstock.graphql.executor.shapes import Leaf, shape
from gqlstock.graphql.executor.sources import Attribute, TypeName, source

if TYPE_CHECKING:
    from gqlstock.graphql.executor.walk import Walk


class Field:
    """One response key of objects of one type: what its source and its shape know of it."""

    __slots__ = ("below", "definition", "details", "key", "list_expected", "nodes", "null_refused", "parent", "same")

    def __init__(
        self, key: str, definition: GraphQLField, details: list[FieldDetails], parent: GraphQLObjectType
    ) -> None:
        name = details[0].node.name.value
        self.key = key
        self.definition = definition
        self.details = details
        self.nodes: list[FieldNode] = [one.node for one in details]
        self.parent = parent
        self.below: dict[GraphQLObjectType, Selection] = {}
        self.same = _same_each_time(definition, self.nodes[0])
        self.list_expected = f"Expected Iterable, but did not find one for field '{parent}.{name}'."
        self.null_refused = f"Cannot return null for non-nullable field {parent}.{name}."


class FieldPlan:
    """A field with its source and its shape. They know the field and not this: a plan has no reference cycles."""

    __slots__ = ("_placeless", "_shape", "_source", "field")

    def __init__(self, field: Field, walk: "Walk") -> None:
        self.field = field
        self._source = source(field.nodes[0].name.value, field.definition, walk.converter)
        self._shape = shape(field, field.definition.type)
        # Nobody asks where the values of such a field stand.
        self._placeless = isinstance(self._source, Attribute | TypeName) and isinstance(self._shape, Leaf)

    def column(self, objects: list[Any], places: Places, walk: "Walk") -> Step:
        """The field's values of these objects, completed."""
        field = self.field
        own = places if self._placeless else Under(places, field.key, field.parent.name)
        values = self._source.values(field, objects, own, walk)
        if isinstance(values, list):
            return self._shape.complete(values, own, walk)
        return self._awaited(values, own, walk)

    async def _awaited(self, values: Any, places: Places, walk: "Walk") -> Column:
        step = self._shape.complete(await values, places, walk)
        return step if isinstance(step, list) else await step


class Selection:
    """What is asked of objects of one type."""

    __slots__ = ("_keys", "fields")

    def __init__(self, fields: list[FieldPlan]) -> None:
        self.fields = fields
        self._keys = [one.field.key for one in fields]

    def run(self, objects: list[Any], places: Places, walk: "Walk") -> Step:
        """The objects of the response that stand for these."""
        if not self.fields:
            return [{} for _ in objects]
        return together([one.column(objects, places, walk) for one in self.fields], self.joined)

    def joined(self, columns: list[Column]) -> Column:
        keys = self._keys
        rows: Column = [dict(zip(keys, row, strict=False)) for row in zip(*columns, strict=False)]
        if Marred not in map(type, columns):
            return rows
        return Marred(held(row.items(), into=row) for row in rows)


class Plan:
    """``size`` is the number of fields that were planned so far; ``grown`` is told of more while the plan is kept."""

    def __init__(self, walk: "Walk", root: GraphQLObjectType, grown: Callable[[int], None] | None) -> None:
        executor = walk.executor
        found = collect_fields(
            executor.schema,
            executor.fragments,
            executor.variable_values,
            root,
            executor.operation,
            executor.hide_suggestions,
        )
        self.size = 0
        self.grown = grown
        self.root = self._selection(found.grouped_field_set, root, walk)

    def below(self, field: Field, kind: GraphQLObjectType, walk: "Walk") -> Selection:
        """What is asked of the objects of that type in a field."""
        selection = field.below.get(kind)
        if selection is None:
            executor = walk.executor
            found = collect_subfields(
                executor.schema,
                executor.fragments,
                executor.variable_values,
                executor.operation,
                kind,
                field.details,
                executor.hide_suggestions,
            )
            selection = field.below[kind] = self._selection(found.grouped_field_set, kind, walk)
        return selection

    def _selection(self, grouped: GroupedFieldSet, kind: GraphQLObjectType, walk: "Walk") -> Selection:
        fields = []
        for key, details in grouped.items():
            definition = walk.executor.schema.get_field(kind, details[0].node.name.value)
            if definition is not None:
                fields.append(FieldPlan(Field(key, definition, details, kind), walk))
        self.size += len(fields)
        if self.grown is not None:
            self.grown(len(fields))
        return Selection(fields)


def _same_each_time(definition: GraphQLField, node: FieldNode) -> dict[str, Any] | None:
    """A field's arguments where they are the same whatever the variables; None where not, or if they can be changed."""
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
