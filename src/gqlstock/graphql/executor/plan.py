"""The plan of an operation, as data: for each selection and object type, the fields in order, each with source and shape.

``planner`` makes it, and adds selections when a response first reaches them. It holds no request data and no reference
cycles.
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
    """Read from each object."""

    read: Callable[[Any], Any]


@dataclass(slots=True, eq=False)
class BatchSource:
    """A batch function, called once for all objects."""

    field: StrawberryField
    function: Callable[..., Any]
    convert: Callable[[Mapping[str, Any]], Arguments]
    at_hand: Callable[[Any], Any] | None = None
    """Returns the value of an object that already has it, else None."""
    constant_arguments: Arguments | None = None
    """The converted arguments, if they are the same for every request."""


@dataclass(slots=True, eq=False)
class MethodSource:
    """A plain Strawberry resolver, called once per object as Strawberry would call it."""

    field: StrawberryField
    convert: Callable[[Mapping[str, Any]], Arguments]
    takes_self: bool
    parent_names: list[str]
    """The parameters that receive the object."""
    info_name: str | None
    constant_arguments: Arguments | None = None


@dataclass(slots=True, eq=False)
class ResolverSource:
    """Any other graphql-core resolver, called once per object. None: the executor's default resolver."""

    resolve: Callable[..., Any] | None


Source = TypeNameSource | AttributeSource | BatchSource | MethodSource | ResolverSource


@dataclass(slots=True, eq=False)
class LeafShape:
    """A scalar or an enum."""

    graphql_type: GraphQLLeafType
    nullable: bool
    serialize: Callable[[Any], Any]
    unchanged: frozenset[type]
    """The classes of values that need no serialization."""


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
    """The only possible type of a value, if no check is needed."""
    type_of_class: dict[type, GraphQLObjectType]
    """The types that are known by the class of a value, filled as values are met."""


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
    """The arguments, if they do not depend on variables; else None."""
    needs_paths: bool
    """False if no resolver can need the path of a value, and the values have no selections."""
    selections: "dict[GraphQLObjectType, SelectionPlan]" = field(default_factory=dict)
    """The selections by object type, filled as a response reaches them."""


@dataclass(slots=True, eq=False)
class SelectionPlan:
    """The selected fields of one object type."""

    fields: list[FieldPlan]
    keys: list[str]


@dataclass(slots=True, eq=False)
class OperationPlan:
    root: SelectionPlan
    size: int
    """The number of fields planned so far."""
    on_growth: Callable[[int], None] | None
    """Called with the number of added fields. None: not counted."""
