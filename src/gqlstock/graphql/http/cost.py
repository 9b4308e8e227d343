"""Computes the cost of a document before it runs: depth, aliases, fields, and the maximum number of fields in its answer,
with page sizes multiplied through nested connections. Work beyond the returned fields – counts, filtered lists, the lines of
an input – costs as many fields as take the same time.

Each fragment is measured once, no matter how often it is spread, so measuring is linear in the document's length. The result
counts fragments as if they were written out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
)
from graphql.language import InlineFragmentNode

from gqlstock.graphql.errors import QueryTooComplex
from gqlstock.graphql.relay.paging import DEFAULT_SIZE, MAX_SIZE
from gqlstock.rules.limits import INPUT_LINE_COST, Limits

_PLAIN_LIST = 5
"""The assumed length of a list without a page size, such as the lines of an order."""
_MOST_NESTED = 150
"""The maximum nesting of fields and fragments."""


class Cost(NamedTuple):
    """The cost of a selection. ``depth`` 0: nothing is selected."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    complexity: int = 0
    work: int = 0
    """Work beyond the returned fields. It counts once for all parents, because one query serves them all."""

    @property
    def total(self) -> int:
        return self.complexity + self.work

    def beside(self, other: "Cost") -> "Cost":
        return Cost(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.fields + other.fields,
            self.complexity + other.complexity,
            self.work + other.work,
        )

    def or_more(self, other: "Cost") -> "Cost":
        return Cost(*map(max, self, other))


NOTHING = Cost()
_ONE_MORE = Cost(fields=1)
"""A fragment spread costs one field, or else empty fragments could be spread without limit."""


@dataclass(slots=True)
class _Measuring:
    """One walk through a document. ``given`` are the variables. The names of those that set sizes are added to ``sized``."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    given: Mapping[str, Any]
    sized: set[str]
    known: dict[str, Cost]

    def selection(self, selections: SelectionSetNode | None, parent: Any, nested: int) -> Cost:
        if nested > _MOST_NESTED:
            raise QueryTooComplex("The document is nested too deeply.")
        total = NOTHING
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                total = total.beside(self._field(node, parent, nested))
            elif isinstance(node, InlineFragmentNode):
                inside = self.schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                total = total.beside(_ONE_MORE).beside(self.selection(node.selection_set, inside, nested + 1))
            elif isinstance(node, FragmentSpreadNode):
                total = total.beside(_ONE_MORE).beside(self.fragment(node.name.value, nested + 1))
        return total

    def fragment(self, name: str, nested: int) -> Cost:
        if name not in self.known and name in self.fragments:
            # GraphQL's own rules refuse fragments that spread themselves.
            self.known[name] = NOTHING
            fragment = self.fragments[name]
            kind = self.schema.get_type(fragment.type_condition.name.value)
            self.known[name] = self.selection(fragment.selection_set, kind, nested)
        return self.known.get(name, NOTHING)

    def _field(self, node: FieldNode, parent: Any, nested: int) -> Cost:
        definition = self.schema.get_field(parent, node.name.value) if is_composite_type(parent) else None
        kind = get_named_type(definition.type) if definition else None
        many = self._many(node, parent, definition)
        below = self.selection(node.selection_set, kind, nested + 1)
        return Cost(
            below.depth + 1,
            below.aliases + (node.alias is not None),
            below.fields + 1,
            below.complexity * many + 1,
            below.work + _work(definition) + INPUT_LINE_COST * self._lines(node),
        )

    def _lines(self, node: FieldNode) -> int:
        """The number of objects in lists in a field's arguments."""
        count, waiting = 0, [argument.value for argument in node.arguments or ()]
        while waiting:
            value = waiting.pop()
            if isinstance(value, ListValueNode):
                count += sum(isinstance(one, ObjectValueNode) for one in value.values)
                waiting += value.values
            elif isinstance(value, ObjectValueNode):
                waiting += [field.value for field in value.fields]
            else:
                count += lines(self._variable(value))
        return count

    def _many(self, node: FieldNode, parent: Any, definition: Any) -> int:
        """The maximum number of objects that a field can return."""
        if definition is None or node.selection_set is None:
            return 1
        arguments = {argument.name.value: argument.value for argument in node.arguments or ()}
        if "first" in definition.args:
            asked = [self._value(arguments[name]) for name in ("first", "last") if name in arguments]
            sizes = [size for size in asked if isinstance(size, int)]
            return min(max(*sizes, 0), MAX_SIZE) if sizes else DEFAULT_SIZE
        if not isinstance(get_nullable_type(definition.type), GraphQLList) or parent.name.endswith("Connection"):
            return 1
        lists = [name for name, one in definition.args.items() if isinstance(get_nullable_type(one.type), GraphQLList)]
        sizes = [self._length(arguments[name]) for name in lists if name in arguments]
        return max(sizes, default=_PLAIN_LIST)

    def _value(self, node: ValueNode) -> int | None:
        if isinstance(node, IntValueNode):
            return int(node.value[:9])
        value = self._variable(node)
        return _whole(value)

    def _length(self, node: ValueNode) -> int:
        if isinstance(node, ListValueNode):
            return len(node.values)
        value = self._variable(node)
        return len(value) if isinstance(value, list) else 1

    def _variable(self, node: ValueNode) -> Any:
        if not isinstance(node, VariableNode):
            return None
        self.sized.add(node.name.value)
        return self.given.get(node.name.value)


def lines(given: Any) -> int:
    """The number of objects in lists in a JSON value."""
    count, waiting = 0, [given]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            count += sum(isinstance(one, dict) for one in value)
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
    return count


def _work(definition: Any) -> int:
    field = definition.extensions.get("strawberry-definition") if definition is not None else None
    found: int = field.metadata.get("work", 0) if field is not None else 0
    return found


class Measured:
    """A measured document. Its complexity is computed for each set of values of the variables that set sizes."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> None:
        self._schema = schema
        self._document = document
        self._complexities: dict[tuple[Any, ...], int] = {}
        sized: set[str] = set()
        cost = self._measure({}, sized)
        self._sized = sorted(sized)
        self._defaults = _defaults(document)
        self._fixed = None if sized else cost.total
        for most, found, what in (
            (limits.depth, cost.depth, "levels of fields"),
            (limits.aliases, cost.aliases, "aliases"),
            (limits.fields, cost.fields, "fields with its fragments written out"),
            (limits.repetitions, repetitions(document, limits), "pairs of fields that are merged into one"),
        ):
            if found > most:
                raise QueryTooComplex(f"The document has {_told(found)} {what}; at most {most} are allowed.")

    def complexity(self, variables: Mapping[str, Any] | None) -> int:
        """The maximum number of fields in an answer with these variables, other work included."""
        if self._fixed is not None:
            return self._fixed
        given = {**self._defaults, **(variables or {})}
        values = {name: _size(given.get(name)) for name in self._sized}
        key = tuple(map(_key, values.values()))
        if key not in self._complexities:
            if len(self._complexities) >= _REMEMBERED_SIZES:
                self._complexities.clear()
            self._complexities[key] = self._measure(values, set()).total
        return self._complexities[key]

    def _measure(self, given: Mapping[str, Any], sized: set[str]) -> Cost:
        definitions = self._document.definitions
        fragments = {one.name.value: one for one in definitions if isinstance(one, FragmentDefinitionNode)}
        measuring = _Measuring(self._schema, fragments, given, sized, {})
        most = NOTHING
        for definition in definitions:
            if isinstance(definition, OperationDefinitionNode):
                root = self._schema.get_root_type(definition.operation)
                most = most.or_more(measuring.selection(definition.selection_set, root, 0))
        for name in fragments:
            measuring.fragment(name, 1)
        return most


_REMEMBERED_SIZES = 64


def repetitions(document: DocumentNode, limits: Limits) -> int:
    """The number of pairs of fields with the same response key at the same place. Validation compares each pair.

    Counts fragments as if they were written out. Stops counting beyond the limit.
    """
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    pairs = steps = 0
    waiting: list[list[SelectionSetNode | None]] = [
        [one.selection_set] for one in document.definitions if isinstance(one, _DEFINITIONS)
    ]
    while waiting and pairs <= limits.repetitions and steps <= _MOST_STEPS:
        named: dict[str, list[SelectionSetNode | None]] = {}
        sets, spread = waiting.pop(), set[str]()
        while sets and steps <= _MOST_STEPS:
            selected = sets.pop()
            for node in selected.selections if selected else ():
                steps += 1
                if isinstance(node, FieldNode):
                    named.setdefault((node.alias or node.name).value, []).append(node.selection_set)
                elif isinstance(node, InlineFragmentNode):
                    sets.append(node.selection_set)
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                    spread.add(node.name.value)
                    fragment = fragments.get(node.name.value)
                    sets.append(fragment.selection_set if fragment else None)
        pairs += sum(len(same) * (len(same) - 1) // 2 for same in named.values())
        waiting += [same for same in named.values() if any(same)]
    return pairs if steps <= _MOST_STEPS else limits.repetitions + 1


_DEFINITIONS = (OperationDefinitionNode, FragmentDefinitionNode)
_MOST_STEPS = 20_000


def _size(value: Any) -> Any:
    """The part of a variable that affects the cost: a number, a list or an object; None for anything else."""
    return value if isinstance(value, list | dict) else _whole(value)


def _whole(value: Any) -> int | None:
    """A number of items, as GraphQL coerces it: 250.0 is 250."""
    if isinstance(value, float) and value.is_integer():
        return int(min(value, float(MAX_SIZE)))
    return value if type(value) is int else None


def _key(size: Any) -> Any:
    """The cache key of a value: equal for values of equal cost."""
    return (len(size), lines(size)) if isinstance(size, list | dict) else size


def _defaults(document: DocumentNode) -> dict[str, Any]:
    """The defaults of variables that set sizes. If operations differ, the most expensive default counts."""
    found: dict[str, list[Any]] = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            for variable in definition.variable_definitions or ():
                found.setdefault(variable.variable.name.value, []).append(_literal(variable.default_value))
    return {name: max(values, key=_size_of_default) for name, values in found.items()}


def _size_of_default(value: Any) -> int:
    if isinstance(value, list | dict):
        return len(value) + INPUT_LINE_COST * lines(value)
    return DEFAULT_SIZE if value is None else int(value)


def _literal(node: ValueNode | None) -> Any:
    if isinstance(node, IntValueNode):
        return int(node.value[:9])
    if isinstance(node, ListValueNode):
        return [_literal(one) for one in node.values]
    return (
        {field.name.value: _literal(field.value) for field in node.fields}
        if isinstance(node, ObjectValueNode)
        else None
    )


def _told(number: int) -> str:
    return str(number) if number < 1_000_000 else "more than a million"
