"""The plans of an operation, by the values of its ``@skip`` and ``@include`` variables.

Plans are kept on the operation's node and freed with it, so a limit on documents limits plans as well.
"""

from collections.abc import Callable, Iterator
from typing import Any

from graphql import (
    DirectiveNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
)
from graphql.execution import Executor

from gqlstock.graphql.executor import planner
from gqlstock.graphql.executor.plan import OperationPlan

# graphql-core executes operations with these directives.
_NOT_PLANNED = frozenset({"defer", "stream", "experimental_disableErrorPropagation"})
_MOST_VARIANTS = 64

Switches = tuple[bool, ...]
OnGrowth = Callable[[int], None]


class PlanCache:
    """Calls ``on_growth`` with the number of fields that are added, negative when a plan is dropped."""

    def __init__(self, on_growth: OnGrowth | None = None) -> None:
        self._on_growth = on_growth
        self._schema: GraphQLSchema | None = None
        self._is_planned = False
        self._switches: list[str] = []
        self._plans: dict[Switches, OperationPlan] = {}

    @classmethod
    def of(cls, operation: OperationDefinitionNode) -> "PlanCache":
        """The plans of an operation."""
        found: PlanCache | None = vars(operation).get(_ATTRIBUTE)
        return found if found is not None else cls().attach(operation)

    def attach(self, operation: OperationDefinitionNode) -> "PlanCache":
        """Keep these plans on an operation's node."""
        # The node class is frozen.
        vars(operation)[_ATTRIBUTE] = self
        return self

    def plan(self, executor: Executor[Any], converter: Any, root: GraphQLObjectType) -> OperationPlan | None:
        """The operation's plan, made if missing. None if graphql-core has to execute the operation."""
        if self._schema is not executor.schema:
            self._begin(executor)
        switches = self._values(executor) if self._is_planned else None
        if switches is None:
            return None
        return self._plans.get(switches) or self._add(
            switches, planner.operation(executor, converter, root, self._on_growth)
        )

    def _begin(self, executor: Executor[Any]) -> None:
        while self._plans:
            self._drop_oldest()
        definitions: list[Any] = [executor.operation, *executor.fragment_definitions.values()]
        directives = [directive for definition in definitions for directive in _directives(definition)]
        variables_of_fragments = any(one.variable_definitions for one in executor.fragment_definitions.values())
        self._schema = executor.schema
        self._is_planned = not variables_of_fragments and not {one.name.value for one in directives} & _NOT_PLANNED
        self._switches = sorted({name for one in directives for name in _switches(one)})

    def _values(self, executor: Executor[Any]) -> Switches | None:
        """The values of the ``@skip`` and ``@include`` variables. None if one is not a boolean."""
        if not self._switches:
            return ()
        values = tuple(executor.variable_values.coerced.get(name) for name in self._switches)
        return values if all(type(value) is bool for value in values) else None  # type: ignore[return-value]

    def _add(self, switches: Switches, plan: OperationPlan) -> OperationPlan:
        if len(self._plans) == _MOST_VARIANTS:
            self._drop_oldest()
        self._plans[switches] = plan
        return plan

    def _drop_oldest(self) -> None:
        plan = self._plans.pop(next(iter(self._plans)))
        if self._on_growth is not None:
            self._on_growth(-plan.size)
        plan.on_growth = None


_ATTRIBUTE = "plans"


def _directives(definition: OperationDefinitionNode | FragmentDefinitionNode) -> Iterator[DirectiveNode]:
    """The directives of an operation or a fragment, and of everything selected in it."""
    nodes: list[Any] = [definition]
    while nodes:
        node = nodes.pop()
        yield from node.directives or ()
        inside = getattr(node, "selection_set", None)
        if inside is not None:
            nodes += inside.selections


def _switches(directive: DirectiveNode) -> Iterator[str]:
    """The variable of ``@skip`` or ``@include``."""
    if directive.name.value in ("skip", "include"):
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode):
                yield argument.value.name.value
