"""The documents that are known: parsed once, measured and validated once for the public and once for callers with a token.

What is wrong with a document is remembered with it. What depends on the variables is asked each time.
"""

from collections.abc import Mapping
from typing import Any

from cachetools import LRUCache, cached
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    validate,
)

from gqlstock.graphql.cost import Measured
from gqlstock.graphql.errors import BadUserInput, QueryTooComplex
from gqlstock.graphql.validation import RULES, all_storable, not_storable
from gqlstock.rules.limits import Limits

_MOST_ERRORS = 100
_REMEMBERED_CHARACTERS = 250_000
"""Of all documents together. Parsed, a character takes some 50 bytes, and 700 where it is meant to hurt."""


class Document:
    """A document as it was parsed, for callers of these limits; what is found of it is kept with it."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.node = _parsed(text, limits)
        self.limits = limits
        self.length = len(text)
        self._checked: dict[tuple[GraphQLSchema, bool], _Checked] = {}

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
            self._checked[key] = _checked(schema, self.node, self.limits, authenticated)
        found, measured = self._checked[key]
        if found or measured is None:
            return found
        if variables and not all_storable(variables):
            return (not_storable(),)
        complexity = measured.complexity(variables)
        if complexity > self.limits.complexity:
            return (_too_large(complexity, self.limits.complexity, authenticated),)
        return ()


REMEMBERED: LRUCache[Any, Document] = LRUCache(_REMEMBERED_CHARACTERS, getsizeof=lambda document: document.length)


@cached(REMEMBERED)
def known(text: str, limits: Limits) -> Document:
    """The document of a text; raises what is wrong with it."""
    return Document(text, limits)


def _parsed(text: str, limits: Limits) -> DocumentNode:
    if len(text) > limits.document_length:
        raise QueryTooComplex(f"The document has {len(text)} characters; it may have {limits.document_length}.")
    try:
        return parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.tokens)
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
        return (error,), None
    rules = RULES if authenticated or limits.public_introspection else (*RULES, NoSchemaIntrospectionCustomRule)
    # To the public no names are told that it did not know.
    found = validate(schema, document, rules, max_errors=_MOST_ERRORS, hide_suggestions=not authenticated)
    return tuple(found), measured


def _too_large(complexity: int, most: int, authenticated: bool) -> GraphQLError:
    told = complexity if complexity < 10**9 else "more than 1000000000"
    more = "" if authenticated else " without a token"
    return QueryTooComplex(
        f"The answer can come to {told} fields; {most} may be asked for at once{more}: take smaller pages."
    )
