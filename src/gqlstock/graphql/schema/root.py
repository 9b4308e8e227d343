"""The root types, and the schema built from them."""

import functools
from typing import Any

import strawberry
from graphql.execution import Executor
from strawberry.schema.config import StrawberryConfig

from gqlstock.graphql.executor import BreadthFirstExecutor
from gqlstock.graphql.http.documents import DocumentCache
from gqlstock.graphql.http.execution import Schema
from gqlstock.graphql.http.pushes import SharesPushes
from gqlstock.graphql.relay.queries import NodeQueries
from gqlstock.graphql.schema.alerts.mutations import AlertMutations
from gqlstock.graphql.schema.alerts.queries import AlertQueries
from gqlstock.graphql.schema.back_in_stock import BackInStockMutations, BackInStockQueries
from gqlstock.graphql.schema.catalog.mutations import CatalogMutations
from gqlstock.graphql.schema.catalog.products import Combination, Product
from gqlstock.graphql.schema.catalog.queries import CatalogQueries
from gqlstock.graphql.schema.catalog.upserts import UpsertMutations
from gqlstock.graphql.schema.changes.inventory import ChangeQueries
from gqlstock.graphql.schema.holds.mutations import HoldMutations
from gqlstock.graphql.schema.holds.queries import HoldQueries
from gqlstock.graphql.schema.network.mutations import NetworkMutations
from gqlstock.graphql.schema.network.queries import NetworkQueries
from gqlstock.graphql.schema.orders.mutations import OrderMutations
from gqlstock.graphql.schema.orders.queries import OrderCheckQueries, OrderQueries
from gqlstock.graphql.schema.reports.demand import DemandQueries
from gqlstock.graphql.schema.reports.queries import ReportQueries
from gqlstock.graphql.schema.scalars import SCALARS
from gqlstock.graphql.schema.settings.mutations import SettingsMutations
from gqlstock.graphql.schema.settings.queries import SettingsQueries
from gqlstock.graphql.schema.shipments.mutations import ShipmentMutations
from gqlstock.graphql.schema.shipments.queries import ShipmentQueries
from gqlstock.graphql.schema.stock.mutations import StockMutations
from gqlstock.graphql.schema.stock.queries import StockQueries
from gqlstock.graphql.schema.stock.receiving import ReceivingMutations
from gqlstock.graphql.schema.subscriptions import Subscription
from gqlstock.graphql.schema.transfers.mutations import TransferMutations
from gqlstock.graphql.schema.transfers.queries import TransferQueries
from gqlstock.graphql.schema.user_errors import USER_ERRORS
from gqlstock.graphql.schema.viewer import ViewerQueries
from gqlstock.graphql.schema.webhooks import WebhookMutations, WebhookQueries
from gqlstock.rules.limits import Limits

_LIMITS = Limits()


@strawberry.type(
    description="All queries. Fields marked [public] need no token; the others name the scope that they need."
)
class Query(
    CatalogQueries,
    OrderCheckQueries,
    NodeQueries,
    ViewerQueries,
    NetworkQueries,
    StockQueries,
    SettingsQueries,
    OrderQueries,
    AlertQueries,
    ShipmentQueries,
    TransferQueries,
    HoldQueries,
    ReportQueries,
    DemandQueries,
    BackInStockQueries,
    WebhookQueries,
    ChangeQueries,
):
    pass


@strawberry.type(
    description=(
        "All mutations. Each has one input and one payload, and is applied completely or not at all: with "
        "userErrors in the answer, nothing was written."
    )
)
class Mutation(
    CatalogMutations,
    UpsertMutations,
    NetworkMutations,
    SettingsMutations,
    StockMutations,
    AlertMutations,
    ReceivingMutations,
    TransferMutations,
    OrderMutations,
    ShipmentMutations,
    HoldMutations,
    BackInStockMutations,
    WebhookMutations,
):
    pass


def build(executor: type[Executor[Any]] = BreadthFirstExecutor, limits: Limits = _LIMITS) -> Schema:
    """The schema with this executor and these limits. Equal arguments return the same object."""
    return _build(executor, limits)  # type: ignore[arg-type]


@functools.cache
def _build(executor: type[Executor[Any]], limits: Limits) -> Schema:
    schema = Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Product, Combination, *USER_ERRORS],
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=type(executor.__name__, (SharesPushes, executor), {}),
    )
    schema.limits = limits
    schema.documents = DocumentCache(schema._schema, limits)
    return schema


def text() -> str:
    """The schema in the schema language."""
    return build().as_str() + "\n"
