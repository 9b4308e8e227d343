"""The documents that are known: parsed once, measured and validated once for the public and once for callers with a token.

What is wrong with a document is remembered with it. What depends on the variables is asked each time.
"""

import weakref
from collections.abc import Mapping
from typing import Any

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
)

from gqlstock.graphql.cost import Measured
from gqlstock.graphql.errors import BadUserInput, QueryTooComplex, without_frames
from gqlstock.graphql.executor.plans import Plans
from gqlstock.graphql.parsing import parse
from gqlstock.graphql.validation import RULES, all_storable, not_storable, validate
from gqlstock.rules.limits import Limits

_KEPT_BYTES = 16 * 1024 * 1024
"""Of all documents together, with what was found of them and the plans of their operations."""
_LARGEST_BYTES = _KEPT_BYTES // 16
"""Of one document: a larger one is compiled each time, so that it does not push out many that are asked for often."""

# What things take in memory, measured and rounded up.
_BYTES_PER_CHARACTER = 4
_BYTES_PER_NODE = 320
_BYTES_PER_ERROR = 1_500
_BYTES_PER_FIELD = 1_800
"""Of a plan."""
_BYTES_AROUND = 3_000


class Document:
    """A document as it was parsed, for callers of these limits; what is found of it is kept with it.

    ``weight`` is how many bytes of memory it takes, at most.
    """

    def __init__(self, text: str, limits: Limits) -> None:
        self.text = text
        self.node, nodes = _parsed(text, limits)
        self.limits = limits
        self.weight = _BYTES_AROUND + len(text) * _BYTES_PER_CHARACTER + nodes * _BYTES_PER_NODE
        self._checked: dict[tuple[GraphQLSchema, bool], _Checked] = {}
        itself = weakref.ref(self)
        for one in self.node.definitions:
            if isinstance(one, OperationDefinitionNode):
                Plans(lambda fields: _grown(itself, fields)).keep(one)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation that is to run; refused where it is not clear which."""
        found = [one for one in self.node.definitions if isinstance(one, OperationDefinitionNode)]
        if name is not None:
            found = [one for one in found if one.name and one.name.value == name]
        if len(found) == 1:
            return found[0]
        if name is not None:
            raise BadUserInput(f"The document has no operation {name[:60]!r}.")
        raise BadUserInput(
            "The document has no operation." if not found else "The document has more than one operation: say which."
        )

    def errors(
        self, schema: GraphQLSchema, variables: Mapping[str, Any] | None, *, authenticated: bool
    ) -> tuple[GraphQLError, ...]:
        """What is wrong with it for these variables, before anything of it runs."""
        key = schema, authenticated
        if key not in self._checked:
            found, measured = self._checked[key] = _checked(schema, self.node, self.limits, authenticated)
            self.grow(_BYTES_AROUND + sum(_BYTES_PER_ERROR + len(one.message) * _BYTES_PER_CHARACTER for one in found))
        found, measured = self._checked[key]
        if found or measured is None:
            return found
        if variables and not all_storable(variables):
            return (not_storable(),)
        complexity = measured.complexity(variables)
        if complexity > self.limits.complexity:
            return (_too_large(complexity, self.limits.complexity, authenticated),)
        return ()

    def grow(self, more: int) -> None:
        """Note that it takes that many bytes more."""
        self.weight += more
        if self._key in KEPT:
            self.keep()

    def keep(self) -> None:
        """Have it found again by its text, unless it is too large."""
        if self.weight <= _LARGEST_BYTES:
            KEPT[self._key] = self
        else:
            KEPT.pop(self._key, None)

    @property
    def _key(self) -> tuple[str, Limits]:
        return self.text, self.limits


KEPT: LRUCache[tuple[str, Limits], Document] = LRUCache(_KEPT_BYTES, getsizeof=lambda document: document.weight)
"""The documents that were asked for last."""


def known(text: str, limits: Limits) -> Document:
    """The document of a text; raises what is wrong with it."""
    document = KEPT.get((text, limits))
    if document is None:
        document = Document(text, limits)
        document.keep()
    return document


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
    # To the public no names are told that it did not know.
    found = validate(schema, document, rules, hide_suggestions=not authenticated)
    return tuple(map(without_frames, found)), measured


def _too_large(complexity: int, most: int, authenticated: bool) -> GraphQLError:
    told = complexity if complexity < 10**9 else "more than 1000000000"
    more = "" if authenticated else " without a token"
    return QueryTooComplex(
        f"The operation costs {told}; one may cost {most}{more}: take smaller pages, or fewer counts, lists and lines."
    )
