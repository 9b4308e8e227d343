"""Variables are coerced as graphql-core coerces them, or are left to it."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse
from graphql.execution.values import VariableValues, get_variable_values
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.graphql.executor.variables import Variables

SCHEMA = build_schema("""
    enum Color { RED GREEN }
    input Point { x: Int!, y: Int! = 2, color: Color = GREEN, label: String }
    input Line { points: [Point!]!, name: String, weights: [[Float]] }
    input Choice @oneOf { number: Int, point: Point }
    input Tree { value: Int, below: [Tree!] }
    type Query { of(line: Line, choice: Choice, tree: Tree, number: Int!, ids: [ID!]): Int }
""")
DEFINITIONS = {
    "line": "Line",
    "needed": "Line!",
    "lines": "[Line!]",
    "choice": "Choice",
    "number": "Int!",
    "ids": "[ID!] = [1, 2]",
    "color": "Color = RED",
    "flag": "Boolean! = true",
}


def definitions(**types: str) -> Any:
    """The definitions of these variables."""
    named = ", ".join(f"${name}: {type_}" for name, type_ in types.items())
    (operation,) = parse(f"query ({named}) {{ __typename }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation.variable_definitions


def compared(values: dict[str, Any], **types: str) -> tuple[VariableValues | None, Any]:
    """What is made of the values here, and what graphql-core makes of them."""
    nodes = definitions(**types)
    return Variables(SCHEMA, nodes).values(values), get_variable_values(SCHEMA, nodes, values)


def told(values: Any) -> Any:
    """Coerced values in their order, and for each variable its type and what was given for it."""
    sources = {name: (str(one.signature.type), one.value) for name, one in values.sources.items()}
    return list(values.coerced.items()), sources


POINT = {"x": 1, "label": None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("line", None),
        ("line", {"points": [POINT, {"x": 2, "y": 3, "color": "RED"}], "weights": [[1, 2.5, None], None]}),
        ("needed", {"points": []}),
        ("lines", [{"points": [POINT], "name": "a"}]),
        ("choice", {"number": 4}),
        ("choice", {"point": POINT}),
        ("number", 7),
        ("ids", ["a", 3]),
        ("ids", None),
        ("color", "GREEN"),
        ("flag", False),
    ],
)
def test_values_that_are_right_become_the_same(name: str, value: Any) -> None:
    ours, expected = compared({name: value}, **{name: DEFINITIONS[name]})

    assert told(ours) == told(expected)


@pytest.mark.parametrize("name", ["line", "ids", "color", "flag"])
def test_what_is_left_out_is_its_default_or_left_out(name: str) -> None:
    ours, expected = compared({}, **{name: DEFINITIONS[name]})

    assert told(ours) == told(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("line", {"points": [{"y": 1}]}),
        ("line", {"points": [{"x": 1, "y": None}]}),
        ("line", {"points": [{"x": 1, "z": 1}]}),
        ("line", {"points": [None]}),
        ("line", {"points": [{"x": "1"}]}),
        ("line", {"points": [{"x": 1, "color": "BLUE"}]}),
        ("line", {}),
        ("line", "text"),
        ("needed", None),
        ("choice", {}),
        ("choice", {"number": 1, "point": POINT}),
        ("choice", {"number": None}),
        ("number", None),
        ("number", 1.5),
        ("flag", None),
    ],
)
def test_values_that_are_wrong_are_left_to_graphql_core(name: str, value: Any) -> None:
    ours, errors = compared({name: value}, **{name: DEFINITIONS[name]})

    assert ours is None
    assert isinstance(errors, list)


def test_a_value_that_stands_for_a_list_of_one_is_left_to_graphql_core() -> None:
    ours, expected = compared({"ids": "a"}, ids="[ID!]")

    assert ours is None
    assert expected.coerced == {"ids": ["a"]}


@pytest.mark.parametrize("type_", ["Tree", "Query", "Nothing"])
def test_types_that_contain_themselves_or_are_no_inputs_are_left_to_graphql_core(type_: str) -> None:
    assert Variables(SCHEMA, definitions(it=type_)).values({"it": {"value": 1}}) is None


KEYS = st.sampled_from(["x", "y", "color", "label", "points", "number", "point", "weights"])
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["RED", "a", "1"]), st.just(2.5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(sorted(DEFINITIONS)), JSON))
def test_no_value_becomes_something_else(values: dict[str, Any]) -> None:
    ours, expected = compared(values, **DEFINITIONS)

    assert ours is None or told(ours) == told(expected)
