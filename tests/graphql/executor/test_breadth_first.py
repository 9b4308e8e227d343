"""The executor by itself: what it calls, how often, in what order, and what it keeps."""

import ast
import asyncio
import gc
import sys
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import strawberry
from graphql import DocumentNode, OperationDefinitionNode, parse
from graphql.execution import Executor
from strawberry.extensions import SchemaExtension

import gqlstock.graphql.executor as package
from gqlstock.graphql.executor import BreadthFirstExecutor, batch_field
from gqlstock.graphql.executor.plan_cache import PlanCache

Info = strawberry.Info[Any, Any]
EXECUTORS = pytest.mark.parametrize("executor", [BreadthFirstExecutor, None], ids=["breadth-first", "graphql-core"])


async def prices(parents: Sequence["Book"], info: Info, currency: str = "EUR") -> list[str | Exception]:
    info.context.append([parent.title for parent in parents])
    await asyncio.sleep(0)
    if currency == "NONE":
        raise ValueError("no such currency")
    if currency == "FEW":
        return ["1 FEW"]
    return [ValueError("not for sale") if p.title == "B" else f"{p.title} {currency}" for p in parents]


KNOWN = {"A": "A at hand", "D": "D at hand"}


@strawberry.interface
class Thing:
    title: str
    price: str | None = batch_field(prices, description="What it costs.")


@strawberry.type
class Book(Thing):
    surely: str = batch_field(prices)
    known: str | None = batch_field(prices, at_hand=lambda book: KNOWN.get(book.title))


@strawberry.type
class Record(Thing):
    pass


@strawberry.type
class Query:
    @strawberry.field
    async def books(self, titles: list[str]) -> list[Book]:
        return [Book(title=title) for title in titles]

    @strawberry.field
    async def book(self, title: str) -> Book | None:
        return Book(title=title)

    @strawberry.field
    def things(self) -> list[Thing]:
        return [Book(title="A"), Record(title="C"), Book(title="D")]

    @strawberry.field
    async def forever(self, info: Info) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            info.context.append("cancelled")
            raise
        return "never"

    @strawberry.field
    async def meet(self, info: Info) -> bool:
        """Gives an answer once two of it wait."""
        async with asyncio.timeout(5):
            await info.context.wait()
        return True


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def note(self, info: Info, number: int) -> int:
        await asyncio.sleep(0)
        info.context.append(number)
        if number < 0:
            raise ValueError("below zero")
        return number


def build(executor: type[Executor[Any]] | None = BreadthFirstExecutor, **options: Any) -> strawberry.Schema:
    return strawberry.Schema(
        query=Query, mutation=Mutation, types=[Record], execution_context_class=executor, **options
    )


async def ask(schema: strawberry.Schema, query: str, context: Any = None, **variables: Any) -> tuple[Any, Any]:
    """The data, and the message and path of each error."""
    answer = await schema.execute(query, variables, context_value=[] if context is None else context)
    return answer.data, [(error.message, error.path) for error in answer.errors or ()]


@EXECUTORS
async def test_a_batch_function_is_not_called_for_values_that_are_at_hand(executor: Any) -> None:
    context: list[Any] = []

    data, errors = await ask(build(executor), '{ books(titles: ["A", "D"]) { known } }', context)

    assert (data, errors, context) == ({"books": [{"known": "A at hand"}, {"known": "D at hand"}]}, [], [])


@EXECUTORS
async def test_a_batch_function_gives_the_values_that_are_not_at_hand(executor: Any) -> None:
    data, errors = await ask(build(executor), '{ books(titles: ["C", "B"]) { known } }')

    assert data == {"books": [{"known": "C EUR"}, {"known": None}]}
    assert errors == [("not for sale", ["books", 1, "known"])]


@EXECUTORS
async def test_a_batch_function_may_fail_for_one_parent_alone(executor: Any) -> None:
    data, errors = await ask(build(executor), '{ books(titles: ["A", "B", "C"]) { price } }')

    assert data == {"books": [{"price": "A EUR"}, {"price": None}, {"price": "C EUR"}]}
    assert errors == [("not for sale", ["books", 1, "price"])]


@EXECUTORS
async def test_a_batch_function_that_fails_fails_for_all_its_parents(executor: Any) -> None:
    query = '{ books(titles: ["A", "C"]) { price(currency: "NONE") } }'

    data, errors = await ask(build(executor), query)

    assert data == {"books": [{"price": None}, {"price": None}]}
    assert sorted(errors) == [
        ("no such currency", ["books", 0, "price"]),
        ("no such currency", ["books", 1, "price"]),
    ]


@EXECUTORS
async def test_a_batch_function_must_give_one_value_for_each_parent(executor: Any) -> None:
    data, errors = await ask(build(executor), '{ books(titles: ["A", "C"]) { title surely(currency: "FEW") } }')

    assert data is None
    assert errors == [("prices returned 1 values for 2 parents.", ["books", 0, "surely"])]


@EXECUTORS
@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ('{ books(titles: ["A", "C"]) { price } }', [["A", "C"]]),
        ('{ a: book(title: "A") { price } c: book(title: "C") { price other: price } }', [["A", "C", "C"]]),
        ('{ book(title: "A") { price other: price(currency: "USD") } }', [["A"], ["A"]]),
        ("{ things { price } }", [["A", "C", "D"]]),
    ],
)
async def test_all_that_ask_a_batch_function_the_same_are_given_to_it_together(
    executor: Any, query: str, calls: list[list[str]]
) -> None:
    context: list[list[str]] = []

    await ask(build(executor), query, context)

    assert [sorted(call) for call in context] == calls


async def test_two_operations_never_share_a_call() -> None:
    schema, first, second = build(), [], []  # type: ignore[var-annotated]

    await asyncio.gather(
        ask(schema, '{ book(title: "A") { price } }', first), ask(schema, '{ book(title: "C") { price } }', second)
    )

    assert (first, second) == ([["A"]], [["C"]])


@EXECUTORS
async def test_mutations_behind_one_that_leaves_nothing_of_the_answer_are_not_done(executor: Any) -> None:
    done: list[int] = []

    data, errors = await ask(
        build(executor), "mutation { a: note(number: 1) b: note(number: -2) c: note(number: 3) }", done
    )

    assert (data, done) == (None, [1, -2])
    assert errors == [("below zero", ["b"])]


@EXECUTORS
async def test_a_mutation_of_which_nothing_is_included_gives_an_empty_object(executor: Any) -> None:
    query = "mutation ($it: Boolean!) { note(number: 1) @include(if: $it) }"

    assert await ask(build(executor), query, it=False) == ({}, [])


@EXECUTORS
async def test_fields_that_wait_wait_side_by_side(executor: Any) -> None:
    assert await ask(build(executor), "{ a: meet b: meet }", asyncio.Barrier(2)) == ({"a": True, "b": True}, [])


@EXECUTORS
async def test_a_request_that_is_cancelled_cancels_its_resolvers(executor: Any) -> None:
    done: list[str] = []
    asking = asyncio.create_task(ask(build(executor), "{ a: forever b: forever }", done))
    await asyncio.sleep(0.01)

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.sleep(0)

    assert done == ["cancelled", "cancelled"]


async def test_a_request_that_is_cancelled_cancels_its_batch_functions() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(parents: Sequence[Any], info: Info) -> list[str]:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return []

    Waiting = strawberry.type(type("Waiting", (), {"__annotations__": {"it": str}, "it": batch_field(wait)}))
    Root = strawberry.type(
        type("Query", (), {"__annotations__": {"waiting": Waiting}, "waiting": strawberry.field(lambda: Waiting())})
    )
    schema = strawberry.Schema(query=Root, execution_context_class=BreadthFirstExecutor)
    asking = asyncio.create_task(schema.execute("{ waiting { it } }"))
    await asyncio.wait_for(begun.wait(), 5)

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    await asyncio.wait_for(ended.wait(), 5)


class Recorded(SchemaExtension):
    """An extension that has ``resolve``, which only graphql-core calls."""

    seen: list[str] = []

    async def resolve(self, next_: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
        self.seen.append(info.field_name)
        value = next_(root, info, *args, **kwargs)
        return await value if hasattr(value, "__await__") else value


async def test_an_extension_that_has_resolve_is_called_for_each_field() -> None:
    Recorded.seen.clear()

    data, _ = await ask(build(extensions=[Recorded]), '{ book(title: "A") { price } }')

    assert data == {"book": {"price": "A EUR"}}
    assert Recorded.seen == ["book", "price"]


class Growth(list[int]):
    """By how many fields the plans of a document's operation grew, each time."""

    def __init__(self, document: DocumentNode) -> None:
        (operation,) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        PlanCache(self.append).attach(operation)


async def execute(schema: Any, document: DocumentNode, **variables: Any) -> Any:
    executor = BreadthFirstExecutor.build(schema, document, raw_variable_values=variables, context_value=[])
    answer = executor.execute_operation()
    return (await answer if hasattr(answer, "__await__") else answer).data


async def test_an_operation_is_planned_once_for_each_set_of_switches() -> None:
    document = parse('query ($it: Boolean!) { book(title: "A") @include(if: $it) { title } }')
    growth, schema = Growth(document), build()._schema

    found = [await execute(schema, document, it=it) for it in (True, False, True, False)]

    assert found == [{"book": {"title": "A"}}, {}, {"book": {"title": "A"}}, {}]
    # One field at the root and one below it, then a plan with nothing in it.
    assert growth == [1, 1, 0]


async def test_plans_are_kept_for_a_bounded_number_of_switches() -> None:
    names = "abcdefg"
    variables = " ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: title @skip(if: ${name})" for name in names)
    document = parse(f'query ({variables}) {{ book(title: "A") {{ title {fields} }} }}')
    growth, schema = Growth(document), build()._schema

    for number in range(2 ** len(names)):
        switches = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        await execute(schema, document, **switches)

    # Of 128 plans the last 64 are left: for those the last name is skipped. Half of the other six are in each.
    assert sum(growth) == 64 * (1 + 1 + 6 // 2)
    assert len([fields for fields in growth if fields < 0]) == 64


async def test_the_plans_of_an_operation_are_freed_with_it() -> None:
    document = parse('{ books(titles: ["A"]) { title price } }')
    schema = build()._schema
    await execute(schema, document)
    (operation,) = document.definitions
    gone = weakref.ref(PlanCache.of(operation))  # type: ignore[arg-type]

    gc.disable()
    try:
        operation.__dict__.clear()
        assert gone() is None
    finally:
        gc.enable()


async def test_a_plan_keeps_nothing_of_a_request() -> None:
    class Context(list[Any]):
        pass

    context, schema = Context(), build()._schema
    document = parse("query ($titles: [String!]!) { books(titles: $titles) { title price } }")
    growth = Growth(document)

    executor = BreadthFirstExecutor.build(
        schema, document, raw_variable_values={"titles": ["A", "C"]}, context_value=context
    )
    answer = await executor.execute_operation()
    gone = weakref.ref(context)
    del answer, context, executor
    gc.collect()

    assert gone() is None
    assert sum(growth) == 3


@EXECUTORS
async def test_what_cannot_be_planned_is_refused_in_the_same_words(executor: Any) -> None:
    query = 'query ($it: Boolean = true) { book(title: "A") @include(if: $it) { title } }'

    data, errors = await ask(build(executor), query, it=None)

    assert data is None
    assert errors == [
        (
            "Argument 'if' has invalid value: Expected variable '$it' provided to non-null type 'Boolean!' "
            "not to be None.",
            None,
        )
    ]


def test_the_executor_knows_nothing_of_the_project_around_it() -> None:
    allowed = ("graphql", "strawberry", package.__name__)

    for file in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "."]
            for name in names:
                assert name.startswith(allowed) or is_standard(name), f"{file.name} imports {name}"


def is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names
