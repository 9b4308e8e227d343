"""The schema, put together from its parts."""

import asyncio
import functools
from collections.abc import Iterable
from typing import Any

import strawberry
from graphql import GraphQLError
from graphql.execution import Executor
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from gqlstock.graphql import documents
from gqlstock.graphql.back_in_stock import BackInStockMutations, BackInStockQueries
from gqlstock.graphql.catalog import Combination, Product
from gqlstock.graphql.catalog_mutations import CatalogMutations
from gqlstock.graphql.catalog_queries import CatalogQueries
from gqlstock.graphql.changes import ChangeQueries
from gqlstock.graphql.demand_queries import DemandQueries
from gqlstock.graphql.errors import USER_ERRORS, MaskErrors, OperationNotAllowed, TooSlow, without_frames
from gqlstock.graphql.executor import BreadthFirstExecutor
from gqlstock.graphql.fulfilment_queries import FulfilmentQueries
from gqlstock.graphql.observed import Observed
from gqlstock.graphql.office_queries import OfficeQueries
from gqlstock.graphql.order_mutations import OrderMutations
from gqlstock.graphql.pushes import Push, SharesPushes
from gqlstock.graphql.receiving_mutations import ReceivingMutations
from gqlstock.graphql.report_queries import ReportQueries
from gqlstock.graphql.scalars import SCALARS
from gqlstock.graphql.shipment_mutations import ShipmentMutations
from gqlstock.graphql.stock_mutations import StockMutations
from gqlstock.graphql.subscriptions import Subscription
from gqlstock.graphql.warehouse_mutations import WarehouseMutations
from gqlstock.graphql.webhooks import WebhookMutations, WebhookQueries
from gqlstock.rules.limits import Limits
from gqlstock.rules.scopes import ANONYMOUS

_LIMITS = Limits()


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
    """Strawberry's schema, with documents that are looked up (see ``documents``), limits, and one way for each refusal."""

    limits: Limits

    async def execute(
        self, *given: Any, allowed_operation_types: Iterable[OperationType] | None = None, **named: Any
    ) -> ExecutionResult:
        """Execute what has one answer: a subscription wants a transport that carries many."""
        named["allowed_operation_types"] = set(allowed_operation_types or OperationType) - {OperationType.SUBSCRIPTION}
        return await super().execute(*given, **named)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Strawberry logs every refusal with its traceback; ``MaskErrors`` logs what nobody foresaw."""

    async def _prepare_operation_async(
        self, context: ExecutionContext, extensions_runner: SchemaExtensionsRunner
    ) -> PreExecutionError | None:
        """What is wrong before anything runs. Over every transport it is the operation's error, and no more than that."""
        errors: list[GraphQLError] = []
        authenticated = getattr(context.context, "caller", ANONYMOUS).authenticated
        try:
            document = self._prepare(context, self.limits.of(authenticated=authenticated))
        except GraphQLError as error:
            errors = [without_frames(error)]
        else:
            errors += document.errors(self._schema, context.variables, authenticated=authenticated)
        context.pre_execution_errors = errors
        return PreExecutionError(data=None, errors=errors) if errors else None

    async def _handle_execution_result(self, context: ExecutionContext, result: Any, *given: Any, **named: Any) -> Any:
        """A push is finished."""
        if isinstance(result, Push):
            context.result = result
            return result
        return await super()._handle_execution_result(context, result, *given, **named)

    def _prepare(self, context: ExecutionContext, limits: Limits) -> documents.Document:
        document = documents.known(context.query or "", limits)
        context.graphql_document = document.node
        kind = OperationType(document.operation(context._provided_operation_name).operation.value)
        if kind not in context.allowed_operations:
            raise OperationNotAllowed(f"A {kind.value} cannot be asked for in this way: {_WAYS[kind]}.")
        return document

    async def _execute_operation(self, execution_context: ExecutionContext, *given: Any, **named: Any) -> Any:
        """A mutation is not cut in half: it waits for locks and the database only so long anyway."""
        if execution_context.operation_type is OperationType.MUTATION:
            return await super()._execute_operation(execution_context, *given, **named)
        seconds = self.limits.query_seconds
        try:
            async with asyncio.timeout(seconds) as running:
                return await super()._execute_operation(execution_context, *given, **named)
        except TimeoutError:
            if not running.expired():
                raise
            raise TooSlow(f"The query was given up after {seconds:g} seconds.") from None


_WAYS = {
    OperationType.QUERY: "send it by GET or POST",
    OperationType.MUTATION: "send it by POST",
    OperationType.SUBSCRIPTION: "accept text/event-stream or use a websocket",
}


@functools.cache
def build(executor: type[Executor[Any]] = BreadthFirstExecutor, limits: Limits = _LIMITS) -> strawberry.Schema:
    """The schema, whose operations that class executes within these limits."""
    schema = _Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Product, Combination, *USER_ERRORS],
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=type(executor.__name__, (SharesPushes, executor), {}),
        extensions=[Observed, MaskErrors],
    )
    schema.limits = limits
    return schema


def text() -> str:
    """The schema in the schema language."""
    return build().as_str() + "\n"
