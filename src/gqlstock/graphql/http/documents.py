"""Documents: parsed, measured and validated once for the public and once for callers with a token.

The errors of a document are kept with it. What depends on the variables is checked each time.
"""

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
)
from strawberry.types.graphql import OperationType

from gqlstock.graphql.errors import BadUserInput, QueryTooComplex, without_frames
from gqlstock.graphql.executor import PlanCache
from gqlstock.graphql.http.cost import Measured
from gqlstock.graphql.http.parsing import parse
from gqlstock.graphql.http.validation import RULES, not_storable, validate
from gqlstock.rules.limits import Limits
from gqlstock.rules.texts import all_storable

_MOST_BYTES = 16 * 1024 * 1024
"""Of all documents together, with what was found of them and the plans of their operations."""
_LARGEST_PART = 16
"""The part of them that one document may take."""

# What things take in memory, measured and rounded up.
_BYTES_PER_CHARACTER = 4
_BYTES_PER_NODE = 320
_BYTES_PER_ERROR = 1_500
_BYTES_PER_FIELD = 1_800
"""Of a plan."""
_BYTES_AROUND = 3_000


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document. ``field`` is the first one that it selects."""

    document: DocumentNode
    node: OperationDefinitionNode
    name: str | None
    kind: OperationType
    field: str | None

    @classmethod
    def of(cls, document: DocumentNode, node: OperationDefinitionNode) -> "Operation":
        fields = (one.name.value for one in node.selection_set.selections if isinstance(one, FieldNode))
        name = node.name.value if node.name is not None else None
        return cls(document, node, name, OperationType(node.operation.value), next(fields, None))


class Document:
    """A parsed document, for callers with a token or without, with its errors, its cost and the plans of its operations.

    ``weight`` is how many bytes of memory it takes, at most.
    """

    def __init__(self, text: str, cache: "DocumentCache", *, authenticated: bool) -> None:
        self.text = text
        self.authenticated = authenticated
        self.limits = cache.limits.of(authenticated=authenticated)
        self.node, nodes = _parsed(text, self.limits)
        self.weight = _BYTES_AROUND + len(text) * _BYTES_PER_CHARACTER + nodes * _BYTES_PER_NODE
        self._cache = cache
        self._checked: _Checked | None = None
        self._operations = [
            Operation.of(self.node, one) for one in self.node.definitions if isinstance(one, OperationDefinitionNode)
        ]
        itself = weakref.ref(self)
        for one in self._operations:
            PlanCache(lambda fields: _grown(itself, fields)).attach(one.node)

    def operation(self, name: str | None) -> Operation:
        """The operation that is to run; refused where it is not clear which."""
        found = self._operations
        if name is not None:
            found = [one for one in found if one.name == name]
        if len(found) == 1:
            return found[0]
        if name is not None:
            raise BadUserInput(f"The document has no operation {name[:60]!r}.")
        raise BadUserInput(
            "The document has no operation." if not found else "The document has more than one operation: say which."
        )

    def errors(self, variables: Mapping[str, Any] | None) -> Sequence[GraphQLError]:
        """What is wrong with it for these variables, before anything of it runs."""
        found, measured = self._checked or self._check()
        if found or measured is None:
            return found
        if variables and not all_storable(variables):
            return (not_storable(),)
        complexity = measured.complexity(variables)
        if complexity > self.limits.complexity:
            return (_too_large(complexity, self.limits.complexity, self.authenticated),)
        return ()

    def _check(self) -> "_Checked":
        found, measured = self._checked = _checked(self._cache.schema, self.node, self.limits, self.authenticated)
        self.grow(_BYTES_AROUND + sum(_BYTES_PER_ERROR + len(one.message) * _BYTES_PER_CHARACTER for one in found))
        return found, measured

    def grow(self, more: int) -> None:
        """Add to its weight."""
        self.weight += more
        self._cache.weigh_again(self)


class DocumentCache:
    """The documents that were used last, within a bound of bytes. ``limits`` are the public's."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, most_bytes: int = _MOST_BYTES) -> None:
        self.schema = schema
        self.limits = limits
        self.documents: LRUCache[tuple[str, bool], Document] = LRUCache(most_bytes, getsizeof=_weight)

    def find(self, text: str, *, authenticated: bool) -> Document:
        """The document of a text; raises what is wrong with it."""
        try:
            return self.documents[text, authenticated]
        except KeyError:
            document = Document(text, self, authenticated=authenticated)
            self._keep(document)
            return document

    def known(self, text: str, *, authenticated: bool) -> Document | None:
        """The document of a text that was used lately."""
        return self.documents.get((text, authenticated))

    def weigh_again(self, document: Document) -> None:
        """Keep a document no longer if it has become too heavy, others no longer if all of them have."""
        if (document.text, document.authenticated) in self.documents:
            self._keep(document)

    def _keep(self, document: Document) -> None:
        key = document.text, document.authenticated
        # A large one is compiled each time, so that it does not push out many that are used often.
        if document.weight <= self.documents.maxsize / _LARGEST_PART:
            self.documents[key] = document
        else:
            self.documents.pop(key, None)


def _weight(document: Document) -> int:
    return document.weight


def _grown(document: "weakref.ref[Document]", fields: int) -> None:
    """A plan of one of its operations has grown by so many fields."""
    itself = document()
    if itself is not None:
        itself.grow(fields * _BYTES_PER_FIELD)


def _parsed(text: str, limits: Limits) -> tuple[DocumentNode, int]:
    if len(text) > limits.document_length:
        raise QueryTooComplex(f"The document has {len(text)} characters; it may have {limits.document_length}.")
    try:
        return parse(text, max_tokens=limits.tokens)
    except RecursionError:
        raise QueryTooComplex("The document is nested too deep.") from None
    except GraphQLError as error:
        if "Parsing aborted" in error.message:
            raise QueryTooComplex(
                f"The document is nested too deep, or has more than {limits.tokens} words and signs or comments."
            ) from None
        raise


_Checked = tuple[tuple[GraphQLError, ...], Measured | None]


def _checked(schema: GraphQLSchema, document: DocumentNode, limits: Limits, authenticated: bool) -> _Checked:
    # Before GraphQL's own rules: some of them take longer than a document is.
    try:
        measured = Measured(schema, document, limits)
    except QueryTooComplex as error:
        return (without_frames(error),), None
    rules = RULES if authenticated or limits.public_introspection else (*RULES, NoSchemaIntrospectionCustomRule)
    # The public learns no names that it did not know.
    found = validate(schema, document, rules, hide_suggestions=not authenticated)
    return tuple(map(without_frames, found)), measured


def _too_large(complexity: int, most: int, authenticated: bool) -> GraphQLError:
    cost = complexity if complexity < 10**9 else "more than 1000000000"
    more = "" if authenticated else " without a token"
    return QueryTooComplex(
        f"The operation costs {cost}; one may cost {most}{more}: take smaller pages, or fewer counts, lists and lines."
    )
