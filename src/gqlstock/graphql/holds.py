"""Holds for carts in the schema. Who knows a hold's id may order or release it: it cannot be guessed."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import strawberry

from gqlstock.graphql import batch, nodes
from gqlstock.graphql.context import Info
from gqlstock.graphql.items import InventoryItem
from gqlstock.graphql.nodes import Node
from gqlstock.graphql.options import SelectedOption
from gqlstock.graphql.warehouses import Website
from gqlstock.rules import holds as rules
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.scopes import Scope
from gqlstock.store import catalog, warehouses
from gqlstock.store import holds as rows
from gqlstock.store.db import clock


@strawberry.type(description="What a hold was asked for.")
class StockHoldLine:
    row: strawberry.Private[rules.StockHoldLine]
    sku: str = strawberry.field(description="The item's SKU when it was held.")
    quantity: Decimal = strawberry.field(description="How many units are held.")
    selected_options: list[SelectedOption] = strawberry.field(description="What the shopper chose.")
    item: InventoryItem | None = batch.field(
        nodes.by_id(catalog.items_in_use, "item_id"), description="The item; null once it is deleted."
    )

    @classmethod
    def of(cls, row: rules.StockHoldLine) -> "StockHoldLine":
        return cls(
            row=row, sku=row.sku, quantity=row.quantity, selected_options=SelectedOption.listed(row.selected_options)
        )


async def _lines(parents: Sequence["StockHold"], info: Info) -> list[list[StockHoldLine]]:
    found = await rows.lines_of([parent.row.id for parent in parents])
    return [[StockHoldLine.of(row) for row in found[parent.row.id]] for parent in parents]


@strawberry.type(description="Stock kept for a cart until expiresAt, or until it is ordered or released.")
class StockHold(Node):
    row: strawberry.Private[rules.StockHold]
    website: Website = batch.field(nodes.by_id(warehouses.websites, "website_id"), description="Where it was made.")
    lines: list[StockHoldLine] = batch.field(_lines, description="What is held, in the order in which it was given.")
    expires_at: datetime = strawberry.field(description="When it ends by itself.")
    state: StockHoldState = strawberry.field(description="Whether it still holds anything.")

    @classmethod
    def of(cls, row: rules.StockHold) -> "StockHold":
        return cls(
            row=row,
            id=nodes.global_id("StockHold", row.id),
            expires_at=row.expires_at,
            state=rules.state(row.state, row.expires_at, clock.now()),
        )


nodes.register(rules.StockHold, "StockHold", StockHold.of, rows.holds, Scope.ORDERS_READ)
