"""The schema as the manual that it is: everything in it is described, and the file of it is current."""

from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    is_specified_scalar_type,
)

from gqlstock.graphql.schema import root

FILE = Path(__file__).parents[3] / "schema.graphql"


def undescribed():
    """Everything without a description, as Type.field(argument)."""
    for name, kind in build_schema(root.text()).type_map.items():
        if name.startswith("__") or is_specified_scalar_type(kind):
            continue
        if not kind.description:
            yield name
        if isinstance(kind, GraphQLEnumType):
            yield from (f"{name}.{value}" for value, one in kind.values.items() if not one.description)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            yield from (f"{name}.{field}" for field, one in kind.fields.items() if not one.description)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field, one in kind.fields.items():
                yield from (f"{name}.{field}({arg})" for arg, told in one.args.items() if not told.description)


def test_everything_in_the_schema_has_a_description():
    assert set(undescribed()) == set()


def test_the_file_of_the_schema_is_current():
    assert FILE.read_text(encoding="utf-8") == root.text(), "run: gqlstock schema > schema.graphql"
