"""The document cache: each document is parsed, measured and validated once with a token and once without.

The errors of a document are cached with it. Checks that depend on variables run for every request.
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
"""The size of the cache, including the errors of documents and the plans of their operations."""
_LARGEST_PART = 16
"""One document may take this fraction of the cache: 1/16."""

# Memory of the parts of a document, measured and rounded up.
_BYTES_PER_CHARACTER = 4
_BYTES_PER_NODE = 320
_BYTES_PER_ERROR = 1_500
_BYTES_PER_FIELD = 1_800
"""Of a field in a plan."""
_BYTES_AROUND = 3_000


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document. ``field`` is the first field that it selects."""

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
    """A parsed document, for callers with or without a token, with its errors, its cost and the plans of its operations.

    ``weight`` is an upper bound of its memory, in bytes.
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
        """The operation to run. Refuses an unknown or ambiguous name."""
        found = self._operations
        if name is not None:
            found = [one for one in found if one.name == name]
        if len(found) == 1:
            return found[0]
        if name is not None:
            raise BadUserInput(f"The document has no operation {name[:60]!r}.")
        raise BadUserInput(
            "The document has no operation."
            if not found
            else "The document has more than one operation. Set operationName."
        )

    def errors(self, variables: Mapping[str, Any] | None) -> Sequence[GraphQLError]:
        """The errors of the document with these variables, found before execution."""
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
        """Increase its weight."""
        self.weight += more
        self._cache.weigh_again(self)


class DocumentCache:
    """The most recently used documents, limited in bytes. ``limits`` are those of the public."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, most_bytes: int = _MOST_BYTES) -> None:
        self.schema = schema
        self.limits = limits
        self.documents: LRUCache[tuple[str, bool], Document] = LRUCache(most_bytes, getsizeof=_weight)

    def find(self, text: str, *, authenticated: bool) -> Document:
        """The document of a text. Raises its syntax errors."""
        try:
            return self.documents[text, authenticated]
        except KeyError:
            document = Document(text, self, authenticated=authenticated)
            self._keep(document)
            return document

    def known(self, text: str, *, authenticated: bool) -> Document | None:
        """The cached document of a text, if there is one."""
        return self.documents.get((text, authenticated))

    def weigh_again(self, document: Document) -> None:
        """Drop a document that has become too large, or others if the cache has."""
        if (document.text, document.authenticated) in self.documents:
            self._keep(document)

    def _keep(self, document: Document) -> None:
        key = document.text, document.authenticated
        # Large documents are not cached: one would evict many that are used often.
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
        raise QueryTooComplex(f"The document has {len(text)} characters; at most {limits.document_length} are allowed.")
    try:
        return parse(text, max_tokens=limits.tokens)
    except RecursionError:
        raise QueryTooComplex("The document is nested too deeply.") from None
    except GraphQLError as error:
        if "Parsing aborted" in error.message:
            raise QueryTooComplex(
                f"The document is nested too deeply, or has more than {limits.tokens} tokens or comments."
            ) from None
        raise


_Checked = tuple[tuple[GraphQLError, ...], Measured | None]


def _checked(schema: GraphQLSchema, document: DocumentNode, limits: Limits, authenticated: bool) -> _Checked:
    # Measured before GraphQL's own rules, because some of them are worse than linear in the document's length.
    try:
        measured = Measured(schema, document, limits)
    except QueryTooComplex as error:
        return (without_frames(error),), None
    rules = RULES if authenticated or limits.public_introspection else (*RULES, NoSchemaIntrospectionCustomRule)
    # Suggestions would reveal names of a hidden schema to the public.
    found = validate(schema, document, rules, hide_suggestions=not authenticated)
    return tuple(map(without_frames, found)), measured


def _too_large(complexity: int, most: int, authenticated: bool) -> GraphQLError:
    cost = complexity if complexity < 10**9 else "more than 1000000000"
    more = "" if authenticated else " without a token"
    return QueryTooComplex(
        f"The operation costs {cost}; at most {most} are allowed{more}. Use smaller pages, or fewer counts, lists and lines."
    )
