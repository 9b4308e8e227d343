"""What a document must satisfy before it runs: GraphQL's own rules, remembered by document, and texts that can be stored."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    StringValueNode,
    ValidationRule,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension

_REMEMBERED = 512
_MESSAGE = "A text must not have a NUL character or half of a surrogate pair in it."


class StorableTexts(ValidationRule):
    """Refuses literals that no database stores as text."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        if not is_storable(node.value):
            self.report_error(GraphQLError(_MESSAGE, node, extensions={"code": "BAD_USER_INPUT"}))


RULES = (*specified_rules, StorableTexts)


@lru_cache(maxsize=_REMEMBERED)
def _validated(schema: GraphQLSchema, document: DocumentNode) -> tuple[GraphQLError, ...]:
    return tuple(validate(schema, document, RULES))


class Validate(SchemaExtension):
    """Validates each document once, and the variables each time."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        assert context.graphql_document is not None
        errors = list(_validated(context.schema._schema, context.graphql_document))
        if not errors and not _all_storable(context.variables):
            errors = [GraphQLError(_MESSAGE, extensions={"code": "BAD_USER_INPUT"})]
        context.pre_execution_errors = errors
        yield


def is_storable(text: str) -> bool:
    """Whether a database can store the text: it has no NUL and no half of a surrogate pair."""
    if text.isascii():
        return "\x00" not in text
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _all_storable(value: Any) -> bool:
    if isinstance(value, str):
        return is_storable(value)
    if isinstance(value, dict):
        return all(_all_storable(v) and is_storable(k) for k, v in value.items())
    if isinstance(value, list):
        return all(_all_storable(v) for v in value)
    return True
