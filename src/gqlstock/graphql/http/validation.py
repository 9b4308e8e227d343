"""Validates documents before they run: GraphQL's own rules, and that texts can be stored.

The rules and their errors are graphql-core's. Its own ``validate`` calls every rule at every node, and leaves thousands of
objects in reference cycles that keep the document alive. This one calls rules only at the kinds of nodes that they handle,
and leaves no cycles.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from graphql import (
    BREAK,
    SKIP,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    StringValueNode,
    TypeInfo,
    ValidationContext,
    ValidationRule,
    Visitor,
    specified_rules,
    visit,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.language.visitor import EnterLeaveVisitor
from graphql.validation.validate import FragmentNestingVisitor, ValidationAbortedError
from graphql.validation.validation_context import NodeWithSelectionSet, VariableUsage, VariableUsageVisitor

from gqlstock.rules.texts import is_storable

_MESSAGE = "Texts must not contain NUL characters or lone surrogates."


class StorableTexts(ValidationRule):
    """Refuses string literals that the databases cannot store."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        if not is_storable(node.value):
            self.report_error(GraphQLError(_MESSAGE, node, extensions={"code": "BAD_USER_INPUT"}))


RULES = (*specified_rules, StorableTexts)

_MOST_ERRORS = 100
_TOO_MANY = "Too many validation errors, error limit reached. Validation aborted."


def validate(
    schema: GraphQLSchema, document: DocumentNode, rules: Sequence[type[ValidationRule]], *, hide_suggestions: bool
) -> list[GraphQLError]:
    """The errors of a document, equal to those of graphql-core's function of the same name, in the same order."""
    errors: list[GraphQLError] = []

    def report(error: GraphQLError) -> None:
        if len(errors) >= _MOST_ERRORS:
            raise ValidationAbortedError(_TOO_MANY)
        errors.append(error)

    context = _Context(schema, document, TypeInfo(schema), report, hide_suggestions)
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    visitors: list[Visitor] = [FragmentNestingVisitor(fragments)] if fragments else []
    visitors += [rule(context) for rule in rules]
    try:
        _walk(document, context.type_info, visitors)
    except ValidationAbortedError as error:
        errors.append(ValidationAbortedError(error.message))
    except RecursionError:
        errors.append(ValidationAbortedError("Validation aborted."))
    return errors


class _Context(ValidationContext):
    @property
    def type_info(self) -> TypeInfo:
        return self._type_info

    def get_variable_usages(self, node: NodeWithSelectionSet) -> list[VariableUsage]:
        usages = self._variable_usages.get(node)
        if usages is None:
            within = node if isinstance(node, FragmentDefinitionNode) else None
            visitor = VariableUsageVisitor(self._type_info, within)
            _walk(node, self._type_info, [visitor])
            usages = self._variable_usages[node] = visitor.usages
        return usages


def _walk(root: Node, type_info: TypeInfo, visitors: Sequence[Visitor]) -> None:
    """Walk the tree with all visitors at once. They may skip or break, but not change the tree."""
    walker = _Walker(type_info, visitors)
    try:
        visit(root, walker, _KEYS)
    finally:
        walker.release()


# No rule visits names and descriptions.
_KEYS = {
    kind: tuple(key for key in keys if key not in ("name", "alias", "description"))
    for kind, keys in QUERY_DOCUMENT_KEYS.items()
}

_Calls = Sequence[tuple[int, Callable[..., Any]]]


class _Listeners(dict[str, tuple[_Calls, _Calls]]):
    """The visitors, by index, that are called on entering and on leaving each kind of node."""

    def __init__(self, classes: Sequence[type[Visitor]]) -> None:
        super().__init__()
        self._classes = classes

    def __missing__(self, kind: str) -> tuple[_Calls, _Calls]:
        found = self[kind] = self._find("enter", kind), self._find("leave", kind)
        return found

    def _find(self, way: str, kind: str) -> _Calls:
        named = ((i, getattr(c, f"{way}_{kind}", getattr(c, way, None))) for i, c in enumerate(self._classes))
        return [(index, call) for index, call in named if call is not None]


@lru_cache(maxsize=16)
def _listeners(classes: tuple[type[Visitor], ...]) -> _Listeners:
    return _Listeners(classes)


class _Walker(Visitor):
    def __init__(self, type_info: TypeInfo, visitors: Sequence[Visitor]) -> None:
        super().__init__()
        self._type_info = type_info
        self._visitors = visitors
        self._listeners = _listeners(tuple(map(type, visitors)))
        self._skipping: list[Any] = [None] * len(visitors)
        self._skipped = 0
        self._pair: EnterLeaveVisitor | None = EnterLeaveVisitor(self._enter, self._leave)

    def release(self) -> None:
        """Break the reference cycle with itself."""
        self._pair = None

    def get_enter_leave_for_kind(self, kind: str) -> EnterLeaveVisitor:
        assert self._pair is not None
        return self._pair

    def _enter(self, node: Node, *place: Any) -> None:
        self._type_info.enter(node)
        for index, call in self._listeners[node.kind][0]:
            if self._skipping[index] is None:
                told = call(self._visitors[index], node, *place)
                if told is SKIP or told is False:
                    self._skipping[index] = node
                    self._skipped += 1
                elif told is BREAK or told is True:
                    self._skipping[index] = BREAK

    def _leave(self, node: Node, *place: Any) -> None:
        for index, call in self._listeners[node.kind][1]:
            if self._skipping[index] is None and call(self._visitors[index], node, *place) in (BREAK, True):
                self._skipping[index] = BREAK
        if self._skipped:
            for index, until in enumerate(self._skipping):
                if until is node:
                    self._skipping[index] = None
                    self._skipped -= 1
        self._type_info.leave(node)


def not_storable() -> GraphQLError:
    return GraphQLError(_MESSAGE, extensions={"code": "BAD_USER_INPUT"})
