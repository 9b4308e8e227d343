"""Random valid documents for a schema, with their variables, drawn by Hypothesis."""

import json
import zlib
from collections.abc import Container, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
    parse,
    validate,
)
from hypothesis import assume
from hypothesis import strategies as st

Pools = Mapping[str, st.SearchStrategy[Any]]
"""Values of arguments and input fields, as JSON: by ``Type.field``, by argument name or by scalar name."""


class Writer:
    """Writes one operation. Draws decide everything, so Hypothesis can shrink it."""

    def __init__(
        self, draw: st.DrawFn, schema: GraphQLSchema, pools: Pools, *, slow: bool, depth: int, without: Container[str]
    ) -> None:
        self.draw = draw
        self.schema = schema
        self.pools = pools
        self.slow = slow
        self.depth = depth
        self.without = without
        self.fragments: dict[str, str] = {}
        self.variables: dict[str, Any] = {}
        self.declared: list[str] = []

    def operation(self, kind: str) -> str:
        root = {
            "query": self.schema.query_type,
            "mutation": self.schema.mutation_type,
            "subscription": self.schema.subscription_type,
        }[kind]
        assert root is not None
        selection = self.field(root, 0) if kind == "subscription" else self.inside(root, 0)
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        return "\n".join([f"{kind}{declared} {{ {selection} }}", *self.fragments.values()])

    def inside(self, kind: Any, depth: int) -> str:
        """The content of a selection set."""
        count = self.draw(st.integers(1, 4))
        return " ".join(self.selection(kind, depth) for _ in range(count))

    def selection(self, kind: Any, depth: int) -> str:
        choice = self.draw(st.integers(0, 9))
        if choice == 0:
            return "__typename"
        if choice in (1, 2) and depth < self.depth:
            on = self.narrowed(kind)
            return f"... on {on.name}{self.switch()} {{ {self.inside(on, depth + 1)} }}"
        if choice == 3 and depth < self.depth:
            return f"...{self.fragment(kind, depth)}{self.switch()}"
        return self.field(kind, depth)

    def narrowed(self, kind: Any) -> Any:
        """A type that some of the objects can have."""
        if is_abstract_type(kind):
            return self.draw(st.sampled_from([kind, *self.schema.get_possible_types(kind)]))
        return self.draw(st.sampled_from([kind, *kind.interfaces]))

    def fragment(self, kind: Any, depth: int) -> str:
        on = self.narrowed(kind)
        known = [name for name in self.fragments if name.startswith(f"{on.name}_")]
        if known and self.draw(st.booleans()):
            return self.draw(st.sampled_from(known))
        inside = self.inside(on, depth + 1)
        name = f"{on.name}_{len(self.fragments)}"
        self.fragments[name] = f"fragment {name} on {on.name} {{ {inside} }}"
        return name

    def field(self, kind: Any, depth: int) -> str:
        fields = getattr(kind, "fields", {})
        names = [name for name, field in fields.items() if self.can_ask(name, field, depth)]
        if not names:
            return "__typename"
        name = self.draw(st.sampled_from(names))
        field = fields[name]
        arguments = self.arguments(kind, name, field)
        # Fields that could not be merged get another response key.
        alias = f"{name}_{zlib.crc32(f'{arguments}{field.type}'.encode()) % 1000}: " if arguments else ""
        below = get_named_type(field.type)
        inside = f" {{ {self.inside(below, depth + 1)} }}" if is_composite_type(below) else ""
        return f"{alias}{name}{arguments}{self.switch()}{inside}"

    def can_ask(self, name: str, field: GraphQLField, depth: int) -> bool:
        if name in self.without or (name.startswith("slow") and not self.slow):
            return False
        return is_leaf_type(get_named_type(field.type)) or depth < self.depth

    def arguments(self, kind: Any, name: str, field: GraphQLField) -> str:
        given = []
        for key, argument in field.args.items():
            if is_required_argument(argument) or self.draw(st.integers(0, 2)) == 0:
                given.append(f"{key}: {self.value(argument.type, f'{kind.name}.{key}')}")
        return f"({', '.join(given)})" if given else ""

    def value(self, kind: Any, where: str) -> str:
        """A literal, or a variable."""
        value = self.json(kind, where)
        if self.draw(st.integers(0, 2)):
            return self.literal(kind, value)
        name = f"v{len(self.declared)}"
        self.variables[name] = value
        default = ""
        if not is_non_null_type(kind) and self.draw(st.booleans()):
            default = f" = {self.literal(kind, self.json(kind, where))}"
            if self.draw(st.booleans()):
                del self.variables[name]
        self.declared.append(f"${name}: {kind}{default}")
        return f"${name}"

    def switch(self) -> str:
        """Usually nothing, else @skip or @include, with a literal or a variable."""
        choice = self.draw(st.integers(0, 15))
        if choice > 1:
            return ""
        name, value = ("skip", self.draw(st.booleans())) if choice else ("include", self.draw(st.booleans()))
        if self.draw(st.booleans()):
            return f" @{name}(if: {json.dumps(value)})"
        variable = f"s{len(self.declared)}"
        self.declared.append(f"${variable}: Boolean!")
        self.variables[variable] = value
        return f" @{name}(if: ${variable})"

    def json(self, kind: Any, where: str) -> Any:
        """A value of an input type, as JSON for the variables."""
        if not is_non_null_type(kind) and self.draw(st.integers(0, 9)) == 0:
            return None
        return self.json_of(kind, where)

    def json_of(self, kind: Any, where: str) -> Any:
        if is_non_null_type(kind):
            kind = kind.of_type
        named = next((name for name in (where, where.rpartition(".")[2]) if name in self.pools), None)
        if is_list_type(kind):
            return [self.json_of(kind.of_type, where) for _ in range(self.draw(st.integers(0, 3)))]
        if isinstance(kind, GraphQLEnumType):
            return self.draw(st.sampled_from(list(kind.values)))
        if isinstance(kind, GraphQLInputObjectType):
            return self.object(kind)
        return self.draw(self.pools[named or kind.name])

    def object(self, kind: GraphQLInputObjectType) -> dict[str, Any]:
        if kind.is_one_of:
            name = self.draw(st.sampled_from(list(kind.fields)))
            return {name: self.json_of(kind.fields[name].type, f"{kind.name}.{name}")}
        return {
            name: (self.json_of if is_required_input_field(field) else self.json)(field.type, f"{kind.name}.{name}")
            for name, field in kind.fields.items()
            if is_required_input_field(field) or self.draw(st.integers(0, 2)) == 0
        }

    def literal(self, kind: Any, value: Any) -> str:
        if is_non_null_type(kind):
            kind = kind.of_type
        if value is None:
            return "null"
        if is_list_type(kind):
            return f"[{', '.join(self.literal(kind.of_type, one) for one in value)}]"
        if isinstance(kind, GraphQLEnumType):
            return str(value)
        if isinstance(kind, GraphQLInputObjectType):
            parts = [f"{name}: {self.literal(kind.fields[name].type, one)}" for name, one in value.items()]
            return f"{{{', '.join(parts)}}}"
        return json.dumps(value)


@st.composite
def documents(
    draw: st.DrawFn,
    schema: GraphQLSchema,
    pools: Pools,
    *,
    kind: str = "query",
    slow: bool = True,
    depth: int = 4,
    without: Container[str] = (),
) -> tuple[str, dict[str, Any]]:
    """A valid document with one operation, and its variables."""
    writer = Writer(draw, schema, pools, slow=slow, depth=depth, without=without)
    document = writer.operation(kind)
    assume(not validate(schema, parse(document)))
    return document, writer.variables
