"""What stays the same between executions of an operation: the types of its variables, and its fragments."""

from typing import Any

from graphql import DocumentNode, FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode
from graphql.execution.collect_fields import FragmentDetails

from gqlstock.graphql.executor.variables import Variables

_ATTRIBUTE = "prepared"
"""The attribute of an operation's node that holds it."""


class Prepared:
    """Kept on the operation's node and freed with it. It does not refer to the node, to avoid a reference cycle."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode) -> None:
        found = [one for one in document.definitions if isinstance(one, FragmentDefinitionNode)]
        self.schema = schema
        self.variables = Variables(schema, node.variable_definitions or ())
        self.fragment_definitions = {one.name.value: one for one in found}
        self.fragments = {name: FragmentDetails(one, None) for name, one in self.fragment_definitions.items()}
        self.has_variables_of_fragments = any(one.variable_definitions for one in found)

    @classmethod
    def of(cls, schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode) -> "Prepared":
        kept: dict[str, Any] = vars(node)
        prepared: Prepared | None = kept.get(_ATTRIBUTE)
        if prepared is None or prepared.schema is not schema:
            # The node class is frozen.
            prepared = kept[_ATTRIBUTE] = cls(schema, document, node)
        return prepared


def operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """The operation with that name, or the only one. None if graphql-core has to find it or report an error."""
    found = None
    for one in document.definitions:
        if isinstance(one, OperationDefinitionNode) and (name is None or (one.name and one.name.value == name)):
            if found is not None:
                return None
            found = one
    return found
