"""The plan of an operation, as data: for each selection and object type its fields in order, each with a source and a shape.

``planner`` makes it and adds what an answer reaches later; it holds nothing of a request, and no reference cycles.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
)
from graphql.execution.collect_fields import FieldDetails
from strawberry.types.field import StrawberryField

Arguments = dict[str, Any]


@dataclass(slots=True, eq=False)
class TypeNameSource:
    """``__typename``."""


@dataclass(slots=True, eq=False)
class AttributeSource:
    """Read off each object."""

    read: Callable[[Any], Any]


@dataclass(slots=True, eq=False)
class BatchSource:
    """A batch function, called once for all objects."""

    field: StrawberryField
    function: Callable[..., Any]
    convert: Callable[[Mapping[str, Any]], Arguments]
    at_hand: Callable[[Any], Any] | None = None
    """Gives the value of an object that has it already, else None."""
    constant_arguments: Arguments | None = None
    """The converted arguments, once they are known to be the same each time."""


@dataclass(slots=True, eq=False)
class MethodSource:
    """A Strawberry resolver with nothing around it, called for each object as Strawberry would."""

    field: StrawberryField
    convert: Callable[[Mapping[str, Any]], Arguments]
    takes_self: bool
    parent_names: list[str]
    """The parameters that take the object."""
    info_name: str | None
    constant_arguments: Arguments | None = None


@dataclass(slots=True, eq=False)
class ResolverSource:
    """Any other resolver of graphql-core, called for each object; None: the executor's default."""

    resolve: Callable[..., Any] | None


Source = TypeNameSource | AttributeSource | BatchSource | MethodSource | ResolverSource


@dataclass(slots=True, eq=False)
class LeafShape:
    """A scalar or an enum."""

    graphql_type: GraphQLLeafType
    nullable: bool
    serialize: Callable[[Any], Any]
    unchanged: frozenset[type]
    """The classes of values that are sent as they are."""


@dataclass(slots=True, eq=False)
class ListShape:
    item: "Shape"
    nullable: bool


@dataclass(slots=True, eq=False)
class ObjectShape:
    """An object, an interface or a union."""

    graphql_type: GraphQLCompositeType
    nullable: bool
    only: GraphQLObjectType | None
    """The one type that a value can be of, where nothing is to be checked."""
    type_of_class: dict[type, GraphQLObjectType]
    """The types that the class of a value settles, as far as they were met."""


Shape = LeafShape | ListShape | ObjectShape


@dataclass(slots=True, eq=False)
class FieldPlan:
    """One response key of objects of one type."""

    key: str
    name: str
    parent: GraphQLObjectType
    definition: GraphQLField
    details: list[FieldDetails]
    nodes: list[FieldNode]
    source: Source
    shape: Shape
    constant_arguments: Arguments | None
    """The arguments where they are the same whatever the variables; None where not."""
    needs_paths: bool
    """False where nobody can ask for the path of a value, and none of the values has a selection."""
    selections: "dict[GraphQLObjectType, SelectionPlan]" = field(default_factory=dict)
    """The selections for the values of each object type, as far as they were reached."""


@dataclass(slots=True, eq=False)
class SelectionPlan:
    """The fields that are selected of objects of one type."""

    fields: list[FieldPlan]
    keys: list[str]


@dataclass(slots=True, eq=False)
class OperationPlan:
    root: SelectionPlan
    size: int
    """The fields that were planned so far."""
    on_growth: Callable[[int], None] | None
    """Called with the number of fields that are added, for as long as somebody counts them."""
