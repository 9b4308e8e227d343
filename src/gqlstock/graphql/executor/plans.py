"""The plans of an operation, by the values of its ``@skip`` and ``@include`` variables.

They are kept with the operation's node and freed with it: whoever keeps documents bounds their plans too.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from graphql import (
    DirectiveNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
)
from graphql.execution import Executor

from gqlstock.graphql.executor.plan import Plan

if TYPE_CHECKING:
    from gqlstock.graphql.executor.walk import Walk

# What graphql-core does otherwise; such operations are left to it.
_NOT_TAKEN = frozenset({"defer", "stream", "experimental_disableErrorPropagation"})
_MOST_VARIANTS = 64

Switches = tuple[bool, ...]
Grown = Callable[[int], None]


class Plans:
    """``grown`` is told by how many fields the plans grow, and with a negative number when one is dropped."""

    def __init__(self, grown: Grown | None = None) -> None:
        self._grown = grown
        self._schema: GraphQLSchema | None = None
        self._taken = False
        self._switches: list[str] = []
        self._plans: dict[Switches, Plan] = {}

    @classmethod
    def of(cls, operation: OperationDefinitionNode) -> "Plans":
        """The plans that are kept with an operation."""
        found: Plans | None = vars(operation).get(_KEPT)
        return found if found is not None else cls().keep(operation)

    def keep(self, operation: OperationDefinitionNode) -> "Plans":
        """Keep these plans with an operation."""
        # The class of nodes is frozen.
        vars(operation)[_KEPT] = self
        return self

    def find(self, walk: "Walk", root: GraphQLObjectType) -> Plan | None:
        """The operation's plan, made if it is not there; None if it is left to graphql-core."""
        executor = walk.executor
        if self._schema is not executor.schema:
            self._begin(executor)
        switches = self._values(executor) if self._taken else None
        if switches is None:
            return None
        return self._plans.get(switches) or self._add(switches, Plan(walk, root, self._grown))

    def _begin(self, executor: Executor[Any]) -> None:
        while self._plans:
            self._drop_oldest()
        definitions: list[Any] = [executor.operation, *executor.fragment_definitions.values()]
        directives = [directive for definition in definitions for directive in _directives(definition)]
        variables_of_fragments = any(one.variable_definitions for one in executor.fragment_definitions.values())
        self._schema = executor.schema
        self._taken = not variables_of_fragments and not {one.name.value for one in directives} & _NOT_TAKEN
        self._switches = sorted({name for one in directives for name in _switches(one)})

    def _values(self, executor: Executor[Any]) -> Switches | None:
        """The values of the variables that decide which fields there are; None if they are no booleans."""
        if not self._switches:
            return ()
        values = tuple(executor.variable_values.coerced.get(name) for name in self._switches)
        return values if all(type(value) is bool for value in values) else None  # type: ignore[return-value]

    def _add(self, switches: Switches, plan: Plan) -> Plan:
        if len(self._plans) == _MOST_VARIANTS:
            self._drop_oldest()
        self._plans[switches] = plan
        return plan

    def _drop_oldest(self) -> None:
        plan = self._plans.pop(next(iter(self._plans)))
        if self._grown is not None:
            self._grown(-plan.size)
        plan.grown = None


_KEPT = "plans"


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
