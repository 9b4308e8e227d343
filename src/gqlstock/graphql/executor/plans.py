"""The plans that are kept: by document and the values of its ``@skip`` and ``@include`` variables, and only so many."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from graphql import (
    DirectiveNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    VariableNode,
)
from graphql.execution import Executor

from gqlstock.graphql.executor.plan import Plan

if TYPE_CHECKING:
    from gqlstock.graphql.executor.walk import Walk

# What graphql-core does otherwise; such operations are left to it.
_NOT_TAKEN = frozenset({"defer", "stream", "experimental_disableErrorPropagation"})

Switches = tuple[bool, ...]


class _Known:
    """An operation that was seen, and its plans. Keeps alive by whose ids it is found."""

    def __init__(self, executor: Executor[Any]) -> None:
        self.schema = executor.schema
        self.operation = executor.operation
        self.plans: dict[Switches, Plan] = {}
        definitions: list[Any] = [executor.operation, *executor.fragment_definitions.values()]
        directives = [directive for definition in definitions for directive in _directives(definition)]
        variables_of_fragments = any(one.variable_definitions for one in executor.fragment_definitions.values())
        self.taken = not variables_of_fragments and not {one.name.value for one in directives} & _NOT_TAKEN
        self._switches = sorted({name for one in directives for name in _switches(one)})

    def switches(self, executor: Executor[Any]) -> Switches | None:
        """The values of the variables that decide which fields there are; None if they are no booleans."""
        if not self._switches:
            return ()
        values = tuple(executor.variable_values.coerced.get(name) for name in self._switches)
        return values if all(type(value) is bool for value in values) else None  # type: ignore[return-value]


def _directives(definition: OperationDefinitionNode | FragmentDefinitionNode) -> Iterator[DirectiveNode]:
    """The directives of an operation or a fragment, and of all that is selected in it."""
    nodes: list[Any] = [definition]
    while nodes:
        node = nodes.pop()
        yield from node.directives or ()
        inside = getattr(node, "selection_set", None)
        if inside is not None:
            nodes += inside.selections


def _switches(directive: DirectiveNode) -> Iterator[str]:
    """The variable that ``@skip`` or ``@include`` goes by."""
    if directive.name.value in ("skip", "include"):
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode):
                yield argument.value.name.value


class Plans:
    """The plans of at most ``most`` operations, of at most ``most_fields`` fields in all; the longest unused go first."""

    def __init__(self, most: int = 512, most_fields: int = 100_000, most_variants: int = 64) -> None:
        self._most = most
        self._most_fields = most_fields
        self._most_variants = most_variants
        self._known: OrderedDict[tuple[int, int], _Known] = OrderedDict()
        self._fields = 0

    def find(self, walk: "Walk", root: GraphQLObjectType) -> Plan | None:
        """The plan of an operation, made if it is not there; None for one that is left to graphql-core."""
        executor = walk.executor
        key = (id(executor.schema), id(executor.operation))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Known(executor)
            self._make_room()
        else:
            self._known.move_to_end(key)
        switches = known.switches(executor) if known.taken else None
        if switches is None:
            return None
        return known.plans.get(switches) or self._add(known, switches, Plan(walk, root, self._grown))

    def _grown(self, plan: Plan, fields: int) -> None:
        if plan.kept:
            self._fields += fields

    def _add(self, known: _Known, switches: Switches, plan: Plan) -> Plan:
        if len(known.plans) == self._most_variants:
            self._drop(known.plans.pop(next(iter(known.plans))))
        known.plans[switches] = plan
        return plan

    def _make_room(self) -> None:
        while len(self._known) > 1 and (len(self._known) > self._most or self._fields > self._most_fields):
            _, known = self._known.popitem(last=False)
            for plan in known.plans.values():
                self._drop(plan)

    def _drop(self, plan: Plan) -> None:
        plan.kept = False
        self._fields -= plan.size
