"""What a document may cost: depth, aliases, fields, repetitions, tokens, and page sizes multiplied."""

import time
from pathlib import Path

import pytest
from graphql import get_introspection_query, parse

from gqlstock.graphql.errors import QueryTooComplex
from gqlstock.graphql.http import documents
from gqlstock.graphql.http.cost import Measured
from gqlstock.graphql.http.documents import DocumentCache
from gqlstock.graphql.schema.root import build
from gqlstock.rules.limits import Limits
from support.graphql_client import Client

LIMITS = Limits()
SCHEMA = build()._schema
PAGES = sorted((Path(__file__).parents[1] / "pages").glob("*.graphql"))


LIST, COUNT = 1_000, 2_500
"""What a list that passes over rows, and a count, cost besides."""


def complexity(text: str, **variables: object) -> int:
    return Measured(SCHEMA, parse(text), LIMITS).complexity(variables)


def refused(text: str, *, authenticated: bool = False, **variables: object) -> list[str]:
    """The codes of what is wrong with a document."""
    try:
        document = build().documents.find(text, authenticated=authenticated)
    except QueryTooComplex as error:
        return [error.code]
    found = document.errors(variables)
    return [(error.extensions or {}).get("code", "other") for error in found]


@pytest.mark.parametrize(
    ("text", "comes_to"),
    [
        ("{ viewer { authenticated } }", 2),
        ("{ products(first: 10) { nodes { sku } } }", LIST + 1 + 10 * 2),
        ("{ products(last: 10) { nodes { sku } } }", LIST + 1 + 10 * 2),
        ("{ products { nodes { sku } } }", LIST + 1 + 50 * 2),
        ("{ products(first: null) { nodes { sku } } }", LIST + 1 + 50 * 2),
        ("{ products(first: 0) { totalCount } }", LIST + COUNT + 1),
        ("{ warehouses { totalCount nodes { code } } }", COUNT + 1 + 50 * 3),
        (
            "{ categories(first: 10) { nodes { slug products(first: 5) { totalCount nodes { sku } } } } }",
            LIST + COUNT + 1 + 10 * (1 + 1 + 1 + 5 * 3),
        ),
        (
            '{ checkOrder(input: { lines: [{ sku: "A", quantity: 1 }, { sku: "B", quantity: 2 }] }) { orderable } }',
            2 + 2 * 10,
        ),
        ("{ products(first: 999) { nodes { sku } } }", LIST + 1 + 250 * 2),
        (
            "{ products(first: 10) { nodes { combinations(first: 20) { edges { node { sku } } } } } }",
            LIST + 1 + 10 * 62,
        ),
        ("{ products(first: 10) { nodes { options { name } } } }", LIST + 1 + 10 * (1 + 1 + 5)),
        ('{ availabilities(skus: ["A", "B", "C"]) { sku } }', 1 + 3),
        ("{ a: viewer { authenticated } b: viewer { authenticated } }", 4),
        ("{ ...F ...F } fragment F on Query { products(first: 10) { nodes { sku } } }", 2 * (LIST + 21)),
        ("query A { viewer { authenticated } } query B { products(first: 10) { nodes { sku } } }", LIST + 21),
    ],
)
def test_page_sizes_are_multiplied(text: str, comes_to: int) -> None:
    assert complexity(text) == comes_to


def test_variables_say_how_many() -> None:
    pages = "query($n: Int = 5) { products(first: $n) { nodes { sku } } }"
    listed = "query($skus: [String!]!) { availabilities(skus: $skus) { sku } }"

    assert complexity(pages) == LIST + 1 + 5 * 2
    assert complexity(pages, n=100) == LIST + 1 + 100 * 2
    assert complexity(pages, n=None) == LIST + 1 + 50 * 2
    assert complexity(pages, n=-7) == LIST + 1
    assert complexity(listed, skus=["A"] * 40) == 1 + 40


def test_the_lines_of_an_input_cost_wherever_they_are_written() -> None:
    """In the document, in a variable, in a part of an input that is one, and in a default."""
    field = "orderable"
    lines = [{"sku": "A", "quantity": 1}] * 500
    written = "{lines: [" + '{sku: "A", quantity: 1} ' * 500 + "]}"
    whole = f"query($input: CheckOrderInput!) {{ checkOrder(input: $input) {{ {field} }} }}"
    part = f"query($lines: [OrderLineInput!]!) {{ checkOrder(input: {{lines: $lines}}) {{ {field} }} }}"
    default = f"query($input: CheckOrderInput! = {written}) {{ checkOrder(input: $input) {{ {field} }} }}"
    aliases = " ".join(f"c{n}: checkOrder(input: $input) {{ {field} }}" for n in range(90))

    assert complexity(f"{{ checkOrder(input: {written}) {{ {field} }} }}") == 2 + 500 * 10
    assert complexity(whole, input={"lines": lines}) == 2 + 500 * 10
    assert complexity(part, lines=lines) == 2 + 500 * 10
    assert complexity(default) == 2 + 500 * 10
    assert complexity(default, input={"lines": lines[:1]}) == 2 + 10
    assert complexity(f"query($input: CheckOrderInput!) {{ {aliases} }}", input={"lines": lines}) == 90 * (2 + 500 * 10)


def test_a_default_of_one_operation_does_not_make_another_cheap() -> None:
    text = """query A($n: Int = 1) { products(first: $n) { nodes { sku } } }
              query B($n: Int) { products(first: $n) { nodes { sku } } }"""

    assert complexity(text) == LIST + 1 + 50 * 2


def test_a_document_is_measured_again_for_other_variables_only() -> None:
    measured = Measured(SCHEMA, parse("query($n: Int) { products(first: $n) { nodes { sku } } }"), LIMITS)

    assert [measured.complexity({"n": n}) for n in (3, 4, 3)] == [LIST + 7, LIST + 9, LIST + 7]


def test_whoever_has_a_token_may_ask_for_more() -> None:
    text = "{ products(first: 250) { nodes { combinations(first: 100) { nodes { sku name } } } } }"

    assert complexity(text) == LIST + 75_501
    assert refused(text) == ["QUERY_TOO_COMPLEX"]
    assert refused(text, authenticated=True) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_first_clients_pages_take_less_than_a_third_of_anything(page: Path) -> None:
    text = page.read_text()
    third = Limits(depth=9, aliases=33, fields=333, repetitions=1_333, tokens=1_333, complexity=16_666)

    Measured(SCHEMA, parse(text), third)

    assert complexity(text) <= third.complexity
    DocumentCache(SCHEMA, third).find(text, authenticated=False)


def test_graphiql_may_ask_for_the_schema() -> None:
    asked = get_introspection_query(
        descriptions=True, specified_by_url=True, directive_is_repeatable=True, schema_description=True
    )

    assert refused(asked) == []


def fragments(count: int, each: str) -> str:
    """A document whose fragments spread each other."""
    told = "".join(f"fragment f{i} on Query {{ {each.format(next=i + 1)} }} " for i in range(count))
    return f"{{ ...f0 }} {told} fragment f{count} on Query {{ viewer {{ authenticated }} }}"


HOSTILE = {
    "deep": "{ a" * 500 + " }" * 500,
    "deep enough to be read": "{ category { parent" + " { parent" * 40 + " { slug }" + " }" * 42,
    "aliases": "{" + "".join(f"a{i}: viewer {{ authenticated }} " for i in range(10_000)) + "}",
    "a few aliases too many": "{" + "".join(f"a{i}: viewer {{ authenticated }} " for i in range(101)) + "}",
    "one field again and again": "{" + "viewer { authenticated } " * 900 + "}",
    "one field with its argument": "{" + 'product(sku: "A") { sku } ' * 400 + "}",
    "one leaf": "{ viewer {" + "authenticated " * 3_900 + "} }",
    "fragments that double": fragments(100, "...f{next} ...f{next}"),
    "fragments that double and are empty": fragments(100, "...f{next} ...f{next} ... on Query {{ }}"),
    "a chain of fragments": fragments(400, "...f{next}"),
    "a ring of fragments": "{ ...f0 }"
    + "".join(f"fragment f{i} on Query {{ ...f{(i + 1) % 300} }}" for i in range(300)),
    "fragments that spread all behind them": "{ ...f0 }"
    + "".join(
        f"fragment f{i} on Query {{ viewer {{ authenticated }} {' '.join(f'...f{j}' for j in range(i + 1, 40))} }}"
        for i in range(40)
    ),
    "comments": "#\n" * 50_000 + "{ viewer { authenticated } }",
    "a long text": "{ viewer { authenticated } }" + " " * 200_000,
    "many operations": "".join(f"query q{i} {{ viewer {{ authenticated }} }}" for i in range(2_000)),
    "pages of pages": "{ products(first: 250) { nodes { combinations(first: 250) { nodes { sku } } } } }",
    "a hundred counts": "{" + "".join(f"c{i}: products(first: 0) {{ totalCount }} " for i in range(100)) + "}",
    "a nested value": "{ products(filter: " + "{ a: " * 400 + "1" + "}" * 400 + ") { totalCount } }",
    "a list of values": "{ nodes(ids: [" + '"a" ' * 10_000 + "]) { id } }",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_meant_to_hurt_is_refused_in_no_time(kind: str) -> None:
    taken = []
    for _ in range(3):
        build().documents.documents.clear()
        began = time.process_time()
        assert refused(HOSTILE[kind]) == ["QUERY_TOO_COMPLEX"]
        taken.append(time.process_time() - began)

    # The quickest of three: the collector of garbage may have come in between.
    assert min(taken) < 0.2


async def test_a_query_that_is_too_complex_is_told_so(client: Client) -> None:
    answer = await client.ask(HOSTILE["pages of pages"])

    assert answer == {
        "errors": [
            {
                "message": "The operation costs 126501; at most 50000 are allowed without a token. Use smaller pages, or "
                "fewer counts, lists and lines.",
                "extensions": {"code": "QUERY_TOO_COMPLEX"},
            }
        ]
    }


async def test_a_known_document_is_neither_parsed_nor_validated_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "query($n: Int) { products(first: $n) { totalCount } }"
    await client.public(query, n=1)
    monkeypatch.setattr(documents, "parse", None)
    monkeypatch.setattr(documents, "validate", None)

    for n in range(20):
        assert (await client.public(query, n=n))["products"]["totalCount"] == 0


def test_what_an_integrator_writes_out_in_the_document_is_taken_with_a_token_only() -> None:
    rows = "".join(f'{{ sku: "SKU-{n}", warehouse: "main", onHand: {n} }} ' for n in range(1_000))
    text = f"mutation {{ setStock(input: {{ counts: [{rows}] }}) {{ userErrors {{ code }} }} }}"

    assert refused(text) == ["QUERY_TOO_COMPLEX"]
    assert refused(text, authenticated=True) == []
