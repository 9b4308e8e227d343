"""Short helpers for the steps of an order's life, and for the resulting state in the database."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tortoise import Tortoise

from gqlstock.rules import orders as order_rules
from gqlstock.rules import seals
from gqlstock.rules import shipments as shipment_rules
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.order_plan import OrderPlan
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.refusals import Refusal, Refused
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.shipments import ShipmentState
from gqlstock.services import (
    cancel_order,
    check_order,
    clear_cache,
    edit_order,
    hold_stock,
    move_allocations,
    place_order,
    release_hold,
    retry_order,
    return_items,
)
from gqlstock.services import ship as shipments
from gqlstock.services.cancel_order import CancelOrderRequest
from gqlstock.services.edit_order import EditOrderRequest
from gqlstock.services.hold_stock import HoldRequest
from gqlstock.services.move_allocations import MoveAllocationsRequest, MovedQuantity
from gqlstock.services.open_order import LineQuantity
from gqlstock.services.return_items import ReturnItemsRequest
from gqlstock.services.ship import CreateShipmentRequest
from gqlstock.store import holds as hold_rows
from gqlstock.store.db import clock, sql
from gqlstock.store.holds import StockHold
from gqlstock.store.inventory import InventoryLevel, StockMovement
from gqlstock.store.orders import Allocation, Order
from gqlstock.store.orders import OrderLine as OrderLineRow
from gqlstock.store.shipments import Shipment
from support import shop_builders as make

Row = tuple[Any, ...]
"""A SKU, a quantity, and optionally the id of a line."""


async def shop() -> None:
    """The warehouses BERLIN and HAMBURG, in this order, the website shop for both, and MUG and CUP without stock."""
    await make.warehouse("BERLIN")
    await make.warehouse("HAMBURG")
    await make.website("shop", warehouses=["BERLIN", "HAMBURG"])
    await make.product("MUG")
    await make.product("CUP")


# ── steps


async def place(*rows: Row, held: int | None = None, website: str | None = None) -> int:
    return (await place_order.place(SYSTEM, asked(*rows, held=held, website=website))).ids["order"][0]


async def check(*rows: Row, held: int | None = None, website: str | None = None) -> OrderPlan:
    return await check_order.check(SYSTEM, asked(*rows, held=held, website=website))


def asked(*rows: Row, held: int | None = None, website: str | None = None) -> OrderRequest:
    return OrderRequest(wanted(*rows), website, hold=handle(held) if held is not None else None)


def wanted(*rows: Row) -> tuple[RequestedLine, ...]:
    return tuple(RequestedLine(sku, Decimal(str(quantity))) for sku, quantity in rows)


def handle(hold_id: int) -> GivenId:
    return GivenId(hold_id, str(hold_id))


async def pack(order_id: int, warehouse: str = "BERLIN", *rows: Row) -> str:
    """Pack these rows, or everything without any, in a new shipment. Returns its number."""
    packing = CreateShipmentRequest(order_rules.number(order_id), warehouse, quantities(rows) or None)
    kept = await shipments.create(SYSTEM, packing)
    return shipment_rules.number(kept.ids["shipment"][0])


async def ship(number: str, *, allow_negative: bool = False) -> None:
    await shipments.ship(SYSTEM, number, None, None, allow_negative=allow_negative)


async def ship_all(order_id: int, warehouse: str = "BERLIN", *rows: Row) -> str:
    number = await pack(order_id, warehouse, *rows)
    await ship(number)
    return number


async def unpack(number: str) -> None:
    await shipments.cancel(SYSTEM, number)


async def cancel(order_id: int, *rows: Row, reason: str | None = None, restock: bool = True) -> None:
    """Cancel these rows, or without any, everything that was not shipped."""
    number = order_rules.number(order_id)
    await cancel_order.cancel(SYSTEM, CancelOrderRequest(number, quantities(rows) or None, reason, restock))


async def move(order_id: int, *rows: Row, reason: str | None = None) -> None:
    """Move units. A row: a SKU, a quantity, the source and target warehouses, and optionally the id of a line."""
    request = MoveAllocationsRequest(order_rules.number(order_id), moved(rows), reason)
    await move_allocations.move(SYSTEM, request)


def moved(rows: tuple[Row, ...]) -> tuple[MovedQuantity, ...]:
    return tuple(
        MovedQuantity(
            sku, Decimal(str(quantity)), *((line[0], f"line {line[0]}") if line else ()), source=source, target=target
        )
        for sku, quantity, source, target, *line in rows
    )


async def edit(
    order_id: int, *, add: Sequence[Row] = (), change: Sequence[Row] = (), reason: str | None = None
) -> None:
    """Add lines, and change the quantities of others."""
    number = order_rules.number(order_id)
    await edit_order.edit(SYSTEM, EditOrderRequest(number, wanted(*add), quantities(tuple(change)), reason))


async def take_back(order_id: int, *rows: Row, restock: bool | None = None, reason: str | None = None) -> None:
    await return_items.take_back(
        SYSTEM, ReturnItemsRequest(order_rules.number(order_id), quantities(rows), restock, reason)
    )


async def retry(order_id: int) -> None:
    await retry_order.retry(SYSTEM, order_rules.number(order_id))


async def hold(*rows: Row, minutes: int = 15, website: str | None = None, replaces: int | None = None) -> int:
    replaced = handle(replaces) if replaces is not None else None
    return (await hold_stock.hold(SYSTEM, HoldRequest(wanted(*rows), website, minutes, replaced))).ids["hold"][0]


async def release(hold_id: int) -> None:
    await release_hold.release(SYSTEM, handle(hold_id))


async def expire(hold_id: int, seconds: float = -1) -> None:
    """Make a hold expire now or in some seconds, without sweeping it."""
    hold = await StockHold.get(id=hold_id)
    lines, units = (await hold_rows.lines_of([hold_id]))[hold_id], (await hold_rows.units_of([hold_id]))[hold_id]
    hold.expires_at = clock.now() + timedelta(seconds=seconds)
    hold.seal = seals.of_hold(hold, lines, units)
    await hold.save(update_fields=["expires_at", "seal"])
    await clear_cache.clear()


def quantities(rows: tuple[Row, ...]) -> tuple[LineQuantity, ...]:
    return tuple(
        LineQuantity(sku, Decimal(str(quantity)), *((line[0], f"line {line[0]}") if line else ()))
        for sku, quantity, *line in rows
    )


# ── state in the database


@dataclass
class Figures:
    """The figures of a level, 0 by default."""

    on_hand: Any = 0
    reserved: Any = 0
    planned: Any = 0
    backordered: Any = 0
    held: Any = 0


async def figures(sku: str = "MUG", warehouse: str = "BERLIN") -> Figures:
    """The stored figures. Checks that the stored available is their difference."""
    one = await InventoryLevel.get(item__sku=sku, warehouse__code=warehouse)
    assert one.available == one.on_hand - one.reserved - one.planned - one.held
    return Figures(one.on_hand, one.reserved, one.planned, one.backordered, one.held)


async def units(order_id: int) -> list[tuple[str, Decimal, str]]:
    """The warehouse, quantity and state of each allocation, ordered by line and source."""
    return [(warehouse, quantity, state) for warehouse, quantity, state, _ in await packed(order_id)]


async def packed(order_id: int) -> list[tuple[str, Decimal, str, str | None]]:
    """Like ``units``, with the number of the shipment."""
    found = Allocation.filter(line__order_id=order_id).order_by("line_id", "position", "id")
    return [
        (
            one.warehouse.code,
            one.quantity,
            one.state.value,
            shipment_rules.number(one.shipment_id) if one.shipment_id else None,
        )
        for one in await found.select_related("warehouse")
    ]


async def lines(order_id: int) -> list[int]:
    return [line.id for line in await OrderLineRow.filter(order_id=order_id).order_by("id")]


async def canceled(order_id: int) -> list[Decimal]:
    return [line.canceled for line in await OrderLineRow.filter(order_id=order_id).order_by("id")]


async def ledger(order_id: int) -> list[tuple[str, str, Decimal]]:
    """The movements of an order: warehouse, kind, quantity."""
    found = StockMovement.filter(order_id=order_id).order_by("id").select_related("level__warehouse")
    return [(one.level.warehouse.code, one.kind.value, one.quantity) for one in await found]


async def status(order_id: int) -> OrderStatus:
    return (await Order.get(id=order_id)).status


async def state(number: str) -> ShipmentState:
    return (await Shipment.get(id=shipment_rules.id_of(number))).state


async def refusal(step: Awaitable[Any]) -> Refusal:
    """The single refusal of a step, which must write nothing to any table."""
    before = await everything()
    with pytest.raises(Refused) as error:
        await step
    assert await everything() == before
    (only,) = error.value.refusals
    return only


async def refused(step: Awaitable[Any]) -> tuple[str, tuple[str | int, ...]]:
    """The code and path of the single refusal of a step."""
    only = await refusal(step)
    return only.code.value, only.path


async def everything() -> dict[str, list[str]]:
    """Every row of every table."""
    tables = {model._meta.db_table for model in Tortoise.apps["gqlstock"].values()}
    return {name: sorted(map(repr, await sql.query(f'SELECT * FROM "{name}"'))) for name in sorted(tables)}
