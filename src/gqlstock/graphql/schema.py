"""The schema, put together from its parts."""

import functools
from collections.abc import Iterable
from typing import Any

import strawberry
from graphql import GraphQLError
from graphql.execution import Executor
from strawberry.extensions import ParserCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.graphql import OperationType

from gqlstock.graphql.back_in_stock import BackInStockMutations, BackInStockQueries
from gqlstock.graphql.catalog import Combination, Product
from gqlstock.graphql.catalog_mutations import CatalogMutations
from gqlstock.graphql.catalog_queries import CatalogQueries
from gqlstock.graphql.changes import ChangeQueries
from gqlstock.graphql.demand_queries import DemandQueries
from gqlstock.graphql.errors import USER_ERRORS, MaskErrors
from gqlstock.graphql.executor import BreadthFirstExecutor
from gqlstock.graphql.fulfilment_queries import FulfilmentQueries
from gqlstock.graphql.observed import Observed
from gqlstock.graphql.office_queries import OfficeQueries
from gqlstock.graphql.order_mutations import OrderMutations
from gqlstock.graphql.receiving_mutations import ReceivingMutations
from gqlstock.graphql.report_queries import ReportQueries
from gqlstock.graphql.scalars import SCALARS
from gqlstock.graphql.shipment_mutations import ShipmentMutations
from gqlstock.graphql.stock_mutations import StockMutations
from gqlstock.graphql.subscriptions import Subscription
from gqlstock.graphql.validation import Validate
from gqlstock.graphql.warehouse_mutations import WarehouseMutations
from gqlstock.graphql.webhooks import WebhookMutations, WebhookQueries

_REMEMBERED = 512


@strawberry.type(
    description="What can be asked. Anonymous callers ask what is marked [public]; the rest names the scope it needs."
)
class Query(
    CatalogQueries,
    OfficeQueries,
    FulfilmentQueries,
    ReportQueries,
    DemandQueries,
    BackInStockQueries,
    WebhookQueries,
    ChangeQueries,
):
    pass


@strawberry.type(
    description=(
        "What can be done: one input each, one payload each. A mutation does all of its input or none of it: with "
        "userErrors in the answer nothing was written."
    )
)
class Mutation(
    CatalogMutations,
    WarehouseMutations,
    StockMutations,
    ReceivingMutations,
    OrderMutations,
    ShipmentMutations,
    BackInStockMutations,
    WebhookMutations,
):
    pass


class _Schema(strawberry.Schema):
    async def execute(
        self, *given: Any, allowed_operation_types: Iterable[OperationType] | None = None, **named: Any
    ) -> ExecutionResult:
        """Execute what has one answer: a subscription wants a transport that carries many."""
        named["allowed_operation_types"] = set(allowed_operation_types or OperationType) - {OperationType.SUBSCRIPTION}
        return await super().execute(*given, **named)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Strawberry logs every refusal with its traceback; ``MaskErrors`` logs what nobody foresaw."""


@functools.cache
def build(executor: type[Executor[Any]] = BreadthFirstExecutor) -> strawberry.Schema:
    """The schema, whose operations that class executes."""
    return _Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Product, Combination, *USER_ERRORS],
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=executor,
        extensions=[Observed, MaskErrors, lambda: ParserCache(maxsize=_REMEMBERED), Validate],
    )


def text() -> str:
    """The schema in the schema language."""
    return build().as_str() + "\n"
