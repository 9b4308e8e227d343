"""Holds for carts in the schema. Whoever knows a hold's id may order or release it, because ids cannot be guessed."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import strawberry

from gqlstock.graphql.context import Info
from gqlstock.graphql.relay import batch, nodes
from gqlstock.graphql.relay.nodes import Node
from gqlstock.graphql.schema.catalog.items import InventoryItem
from gqlstock.graphql.schema.catalog.options import SelectedOption
from gqlstock.graphql.schema.network.warehouses import Website
from gqlstock.rules import holds as rules
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.scopes import Scope
from gqlstock.services import list_holds
from gqlstock.stock import network, present, reading


@strawberry.type(description="One line of a hold.")
class StockHoldLine:
    row: strawberry.Private[rules.StockHoldLine]
    sku: str = strawberry.field(description="The item's SKU when it was held.")
    quantity: Decimal = strawberry.field(description="The held quantity.")
    selected_options: list[SelectedOption] = strawberry.field(description="The options that the shopper selected.")
    item: InventoryItem | None = batch.field(
        nodes.by_id(present.items_in_use, "item_id"), description="The item. Null if it is deleted."
    )

    @classmethod
    def of(cls, row: rules.StockHoldLine) -> "StockHoldLine":
        return cls(
            row=row, sku=row.sku, quantity=row.quantity, selected_options=SelectedOption.listed(row.selected_options)
        )


async def _lines(parents: Sequence["StockHold"], info: Info) -> list[list[StockHoldLine]]:
    found = await list_holds.lines_of([parent.row.id for parent in parents])
    return [[StockHoldLine.of(row) for row in found[parent.row.id]] for parent in parents]


@strawberry.type(description="Stock held for a cart until expiresAt, or until it is ordered or released.")
class StockHold(Node):
    row: strawberry.Private[rules.StockHold]
    website: Website = batch.field(
        nodes.by_id(network.websites, "website_id"), description="The website where it was created."
    )
    lines: list[StockHoldLine] = batch.field(_lines, description="The held lines, in the given order.")
    created_at: datetime = strawberry.field(description="When it was created.")
    expires_at: datetime = strawberry.field(description="When it expires.")
    state: StockHoldState = strawberry.field(description="The state of the hold.")

    @classmethod
    def of(cls, row: rules.StockHold) -> "StockHold":
        return cls(
            row=row,
            id=nodes.global_id("StockHold", row.id),
            created_at=row.created_at,
            expires_at=row.expires_at,
            state=rules.state(row.state, row.expires_at, reading.now()),
        )


nodes.register(rules.StockHold, "StockHold", StockHold.of, list_holds.by_id, Scope.ORDERS_READ)
