"""The plans that are kept: by document and the values of its ``@skip`` and ``@include`` variables, and only so many."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from graphql import DirectiveNode, FragmentDefinitionNode, GraphQLObjectType, VariableNode
from graphql.execution import Executor
from graphql.language import visit
from graphql.language.visitor import Visitor

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
        found = _Directives()
        for node in (executor.operation, *executor.fragment_definitions.values()):
            visit(node, found)
        self.taken = not found.names & _NOT_TAKEN and not found.fragment_variables
        self._switches = sorted(found.switches)

    def switches(self, executor: Executor[Any]) -> Switches | None:
        """The values of the variables that decide which fields there are; None if they are no booleans."""
        if not self._switches:
            return ()
        values = tuple(executor.variable_values.coerced.get(name) for name in self._switches)
        return values if all(type(value) is bool for value in values) else None  # type: ignore[return-value]

    @property
    def size(self) -> int:
        return sum(plan.size for plan in self.plans.values())


class _Directives(Visitor):
    """The directives of a document, and the variables that ``@skip`` and ``@include`` go by."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.switches: set[str] = set()
        self.fragment_variables = False

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self.names.add(node.name.value)
        if node.name.value in ("skip", "include"):
            values = [argument.value for argument in node.arguments or ()]
            self.switches |= {value.name.value for value in values if isinstance(value, VariableNode)}

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self.fragment_variables = self.fragment_variables or bool(node.variable_definitions)


class Plans:
    """The plans of at most ``most`` operations, of at most ``most_fields`` fields in all; the longest unused go first."""

    def __init__(self, most: int = 512, most_fields: int = 100_000, most_variants: int = 64) -> None:
        self._most = most
        self._most_fields = most_fields
        self._most_variants = most_variants
        self._known: OrderedDict[tuple[int, int], _Known] = OrderedDict()

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
        return known.plans.get(switches) or self._add(known, switches, Plan(walk, root))

    def _add(self, known: _Known, switches: Switches, plan: Plan) -> Plan:
        if len(known.plans) == self._most_variants:
            known.plans.pop(next(iter(known.plans)))
        known.plans[switches] = plan
        return plan

    def _make_room(self) -> None:
        # Counted when an operation is added: the plans of the others may have grown meanwhile.
        fields = sum(one.size for one in self._known.values())
        while len(self._known) > 1 and (len(self._known) > self._most or fields > self._most_fields):
            fields -= self._known.popitem(last=False)[1].size
