"""Compiled documents: what is kept of them, how much memory that takes, and that nothing is left of those that are not."""

import gc
import tracemalloc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import graphql
import pytest
from graphql import GraphQLError

from gqlstock.graphql.context import Context, Deployment
from gqlstock.graphql.errors import QueryTooComplex
from gqlstock.graphql.http.documents import Document
from gqlstock.graphql.http.parsing import parse
from gqlstock.graphql.http.validation import RULES, validate
from gqlstock.graphql.schema.root import build

CACHE = build().documents
KEPT = CACHE.documents
SCHEMA = CACHE.schema
PAGES = {page.stem: page.read_text() for page in sorted((Path(__file__).parents[1] / "pages").glob("*.graphql"))}

WRONG = {
    "unknown fields": "{ " + " ".join(f"unknown{n}" for n in range(5)) + " viewer { nothing { deeper } } }",
    "more errors than are told": "{ " + " ".join(f"unknown{n}" for n in range(150)) + " }",
    "unknown arguments": '{ product(sku: "A", colour: 1) { sku(x: 2) } products(first: "many") { totalCount } }',
    "variables": "query A($a: Int, $a: Int, $b: Nothing, $c: [Product!] = 3) { products(first: $d) { totalCount } }",
    "variables in fragments": """query A($n: String) { ...F } query B { ...F @include(if: $it) }
        fragment F on Query { products(first: $n) { totalCount nodes { ...G } } }
        fragment G on Product { combinations(first: $m) { totalCount } }""",
    "rings of fragments": "{ ...F ...Nobody } fragment F on Query { ...G } fragment G on Query { ...F } "
    "fragment H on Int { x }",
    "fields that do not fit together": "{ viewer { authenticated } viewer: product(sku: \"A\") { sku sku: name } }",
    "directives": "{ viewer @skip @skip(if: true) @skip(if: 1) { authenticated @unknown } }",
    "values": """{ products(filter: { search: 1, nothing: 2, inStock: "x", search: "y" }, sort: WORST) { totalCount }
        availabilities(skus: [1, { a: b }, $x]) { sku } }""",
    "spreads that cannot be": "{ viewer { ...F } node(id: 1) { ... on Viewer { authenticated } } } "
    "fragment F on Product { sku }",
    "operations": "{ viewer { authenticated } } query A { viewer } query A { viewer { authenticated } } "
    "subscription S { a: availabilityChanges(skus: []) { sku } inventoryChanges { cursor } } type T { a: Int }",
    "texts that cannot be stored": '{ product(sku: "\\u0000") { sku } }',
    "a leaf with fields": "{ viewer { authenticated { x } } products }",
    "in several lines": "query {\r\n  viewer {\n\t\tauthenticated\r    nothing\n  }\n}\n",
}  # fmt: skip
UNREADABLE = [
    "{ viewer { authenticated }",
    "{ viewer { 'x' } }",
    "query (",
    '{ a(b: "unterminated) }',
    "",
    "{ a b c(x:) }",
]


@contextmanager
def uncollected() -> Iterator[list[object]]:
    """Nothing is collected in the block; after it the list has what only the collector could have freed."""
    found: list[object] = []
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def compiled(text: str, *, authenticated: bool = False) -> Document | None:
    try:
        document = CACHE.find(text, authenticated=authenticated)
    except GraphQLError:
        return None
    document.errors({})
    return document


def weighed(text: str, *, authenticated: bool = True) -> Document:
    document = Document(text, CACHE, authenticated=authenticated)
    document.errors({})
    return document


def plain(errors: list[GraphQLError]) -> list[tuple[object, ...]]:
    return [(error.message, error.locations, error.path) for error in errors]


def test_a_compiled_document_has_no_reference_cycle() -> None:
    texts = [*PAGES.values(), *WRONG.values(), *UNREADABLE, "{ a" * 500 + " }" * 500]
    for text in texts:
        compiled(text)
    KEPT.clear()

    with uncollected() as left:
        gone = [weakref.ref(document) for text in texts if (document := compiled(text)) is not None]
        del document
        assert len(gone) == len(PAGES) + len(WRONG)
        KEPT.clear()
        assert [one for one in gone if one() is not None] == []

    # graphql-core's printer of values makes buffers that name themselves, and nothing else.
    assert {type(one).__name__ for one in left} <= {"PrintBuffer"}


def test_a_document_weighs_no_less_than_it_takes() -> None:
    texts = {
        **PAGES,
        **WRONG,
        "aliases": "{" + " ".join(f"a{n}: viewer {{ authenticated }}" for n in range(100)) + "}",
        "variables": "query(" + " ".join(f"$v{n}: Int = {n}" for n in range(100)) + ") { viewer { authenticated } }",
        "values": "{ nodes(ids: [" + '"a" ' * 500 + "]) { id } }",
        "operations": "".join(f"query q{n} {{ viewer {{ authenticated }} }}" for n in range(50)),
        "a nested value": "{ products(filter: " + "{ a: " * 90 + "1" + "}" * 90 + ") { totalCount } }",
    }
    for name, text in texts.items():
        weighed(text)
        tracemalloc.start()
        try:
            made = [weighed(f"{text} # {n}") for n in range(5)]
            taken = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert taken <= sum(one.weight for one in made) <= 3 * taken, name


async def test_the_plan_of_an_operation_is_weighed_with_its_document(db: None) -> None:
    query = "{ products { nodes { sku name slug availability { sku status } } } }"
    KEPT.clear()
    document = CACHE.find(query, authenticated=False)
    document.errors({})
    before = document.weight

    weights = []
    for _ in range(2):
        answer = await build().execute(query, context_value=Context(Deployment(None, None)))  # type: ignore[arg-type]
        assert answer.errors is None
        weights.append(document.weight)

    planned, again = weights
    assert planned == again >= before + 3 * 1_000
    assert KEPT.currsize == document.weight == planned


def test_documents_that_are_all_different_take_no_more_than_their_limit() -> None:
    KEPT.clear()
    page = PAGES["product-page"]
    most = 0
    for n in range(600):
        compiled(f"{page} # {n}")
        compiled(page)
        most = max(most, sum(one.weight for one in KEPT.values()))

    assert KEPT.maxsize / 2 < most <= KEPT.maxsize == 16 * 1024 * 1024
    assert KEPT.currsize == sum(one.weight for one in KEPT.values())
    assert 100 < len(KEPT) < 600
    # What is asked for all the time is kept all the time.
    assert (page, False) in KEPT


def test_a_document_that_would_take_much_of_the_memory_is_not_kept() -> None:
    KEPT.clear()
    rows = "".join(f'{{ sku: "SKU-{n}", warehouse: "main", onHand: {n} }} ' for n in range(1_000))

    large = CACHE.find(
        f"mutation {{ setStock(input: {{ counts: [{rows}] }}) {{ userErrors {{ code }} }} }}", authenticated=True
    )

    assert large.weight > KEPT.maxsize / 16
    assert list(KEPT.values()) == []


@pytest.mark.parametrize("hide", [True, False])
@pytest.mark.parametrize("text", [*PAGES.values(), *WRONG.values()], ids=[*PAGES, *WRONG])
def test_what_is_wrong_with_a_document_is_told_in_the_words_and_at_the_places_of_graphql_core(
    text: str, hide: bool
) -> None:
    rules = (*RULES, graphql.NoSchemaIntrospectionCustomRule)
    theirs = graphql.validate(SCHEMA, graphql.parse(text), rules, max_errors=100, hide_suggestions=hide)

    ours = validate(SCHEMA, parse(text, max_tokens=4_000)[0], rules, hide_suggestions=hide)

    assert plain(ours) == plain(theirs)
    assert bool(ours) == (text in WRONG.values())


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read_is_told_in_the_words_and_at_the_place_of_graphql_core(text: str) -> None:
    told = []
    for read in (graphql.parse, lambda text: parse(text, max_tokens=4_000)):
        with pytest.raises(graphql.GraphQLSyntaxError) as error:
            read(text)  # type: ignore[operator]
        told.append(plain([error.value]))

    assert told[0] == told[1]


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)
def test_every_node_stands_where_graphql_core_says(text: str) -> None:
    ours, nodes = parse(text, max_tokens=4_000)
    theirs = graphql.parse(text)

    assert ours.to_dict(locations=True) == theirs.to_dict(locations=True)
    assert ours == theirs
    assert nodes == str(theirs.to_dict()).count("'kind':")


def test_a_document_that_is_refused_keeps_no_frames() -> None:
    document = compiled("{ products(first: 250) { nodes { combinations(first: 250) { nodes { sku } } } } }")
    deep = compiled("{ category { parent" + " { parent" * 40 + " { slug }" + " }" * 42)
    assert document is not None
    assert deep is not None

    for one in (document, deep):
        (error,) = one.errors({})
        assert isinstance(error, QueryTooComplex)
        assert error.__traceback__ is None
        assert error.__context__ is None
