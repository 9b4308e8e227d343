"""What a document must satisfy before it runs: GraphQL's own rules, and texts that can be stored."""

from typing import Any

from graphql import (
    GraphQLError,
    StringValueNode,
    ValidationRule,
    specified_rules,
)

_MESSAGE = "A text must not have a NUL character or half of a surrogate pair in it."


class StorableTexts(ValidationRule):
    """Refuses literals that no database stores as text."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        if not is_storable(node.value):
            self.report_error(GraphQLError(_MESSAGE, node, extensions={"code": "BAD_USER_INPUT"}))


RULES = (*specified_rules, StorableTexts)


def not_storable() -> GraphQLError:
    return GraphQLError(_MESSAGE, extensions={"code": "BAD_USER_INPUT"})


def is_storable(text: str) -> bool:
    """Whether a database can store the text: it has no NUL and no half of a surrogate pair."""
    if text.isascii():
        return "\x00" not in text
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def all_storable(value: Any) -> bool:
    """Whether a database can store every text in a value of JSON."""
    if isinstance(value, str):
        return is_storable(value)
    if isinstance(value, dict):
        return all(all_storable(v) and is_storable(k) for k, v in value.items())
    if isinstance(value, list):
        return all(all_storable(v) for v in value)
    return True
