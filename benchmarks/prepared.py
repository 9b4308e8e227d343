"""A page of products with the availability of each combination, over objects in memory: measures only the execution."""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any

import strawberry
from graphql import execute, parse

from gqlstock.graphql.executor import BreadthFirstExecutor, batch_field

EXECUTORS = {"graphql-core": None, "breadth-first": BreadthFirstExecutor}
QUERY = """query ($products: Int!) { products(count: $products) {
  id sku name slug combinations {
    id sku name availability { status orderable salableQuantity onlyLeft visible backorder }
  }
} }"""


@strawberry.type
class Availability:
    status: str
    orderable: bool
    salable_quantity: float | None
    only_left: float | None
    visible: bool
    backorder: bool


async def _availability(parents: Sequence["Combination"], info: strawberry.Info[Any, Any]) -> list[Availability]:
    return [parent.known for parent in parents]


@strawberry.type
class Combination:
    id: strawberry.ID
    sku: str
    name: str
    known: strawberry.Private[Availability]
    availability: Availability | None = batch_field(_availability)


async def _combinations(parents: Sequence["Product"], info: strawberry.Info[Any, Any]) -> list[list[Combination]]:
    return [parent.known for parent in parents]


@strawberry.type
class Product:
    id: strawberry.ID
    sku: str
    name: str
    slug: str
    known: strawberry.Private[list[Combination]]
    combinations: list[Combination] = batch_field(_combinations)


@strawberry.type
class Query:
    @strawberry.field
    async def products(self, info: strawberry.Info[Any, Any], count: int) -> list[Product]:
        return info.context[:count]  # type: ignore[no-any-return]


SCHEMAS = {made: strawberry.Schema(query=Query, execution_context_class=made) for made in EXECUTORS.values()}


def asking(executor: Any, products: int, combinations: int) -> Callable[[], Awaitable[Any]]:
    shelf = [_product(number, combinations) for number in range(products)]
    graphql = SCHEMAS[executor]._schema
    document = parse(QUERY)

    async def ask() -> Any:
        answer: Any = execute(
            graphql,
            document,
            context_value=shelf,
            variable_values={"products": products},
            executor_class=executor,
        )
        return (await answer).data

    return ask


def _product(number: int, combinations: int) -> Product:
    made = [_combination(f"P{number}-{index}") for index in range(combinations)]
    return Product(id=strawberry.ID(str(number)), sku=f"P{number}", name="Product", slug=f"p{number}", known=made)


def _combination(sku: str) -> Combination:
    known = Availability(
        status="IN_STOCK",
        orderable=True,
        salable_quantity=float(Decimal(5)),
        only_left=None,
        visible=True,
        backorder=False,
    )
    return Combination(id=strawberry.ID(sku), sku=sku, name=sku, known=known)
