"""Orders for exports, oldest first, with lines, allocations and shipments. The CSV form has one row for each line."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from gqlstock.formats.csv_rows import SEPARATOR
from gqlstock.rules import moments, quantities, shipments
from gqlstock.rules import orders as rules
from gqlstock.rules.allocation import Allocation, AllocationState
from gqlstock.rules.ids import global_id
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import Caller
from gqlstock.rules.shipments import Shipment
from gqlstock.services.exports.page import Row, optional
from gqlstock.store import export_pages, warehouses
from gqlstock.store import orders as rows
from gqlstock.store import shipments as shipment_rows

_OF_ORDER = (
    *("number", "status", "website", "customerEmail", "reference"),
    *("placedAt", "updatedAt", "promisedAt", "canceledAt"),
)
_OF_LINE = ("sku", "name", "code", "quantity", "backordered", "shipped", "returned", "canceled", "message")
COLUMNS = (*_OF_ORDER, "line", *_OF_LINE, "selectedOptions", "allocations", "shipments")
# An order has up to 500 lines.
_ORDERS = 100
_LEFT = (AllocationState.SHIPPED, AllocationState.RETURNED)


async def page(caller: Caller, after: int | None) -> tuple[list[Row], int | None]:
    found = await export_pages.orders(after or 0, _ORDERS)
    ids = [order.id for order in found]
    lines = await rows.lines_of(ids)
    allocations = await rows.allocations_of([line.id for of_order in lines.values() for line in of_order])
    packed = await shipment_rows.shipments_of(ids)
    websites = await warehouses.websites({order.website_id for order in found})
    codes = await warehouses.codes_by_id()

    def row(order: Order) -> Row:
        visible = [shipment for shipment in packed[order.id] if caller.reaches(shipment.warehouse_id)]
        return {
            **_order(order, websites[order.website_id].code),
            "lines": [_line(line, allocations[line.id], codes, caller) for line in lines[order.id]],
            "shipments": [_shipment(shipment, codes) for shipment in visible],
        }

    return [row(order) for order in found], ids[-1] if len(ids) == _ORDERS else None


def _order(order: Order, website: str) -> Row:
    return {
        "id": global_id("Order", order.id),
        "number": rules.number(order.id),
        "status": order.status.value,
        "website": website,
        "customerEmail": order.customer_email,
        "reference": order.reference,
        "placedAt": moments.wire(order.placed_at),
        "updatedAt": moments.wire(order.updated_at),
        "promisedAt": optional(order.promised_at),
        "canceledAt": optional(order.canceled_at),
    }


def _line(line: OrderLine, allocations: Sequence[Allocation], codes: Mapping[int, str], caller: Caller) -> Row:
    def units(*states: AllocationState) -> int | float:
        return quantities.wire(sum((one.quantity for one in allocations if one.state in states), ZERO))

    return {
        "id": global_id("OrderLine", line.id),
        "sku": line.sku,
        "name": line.name,
        "code": line.code,
        "selectedOptions": [{"name": name, "value": value} for name, value in line.selected_options.items()],
        "quantity": quantities.wire(line.quantity),
        "backordered": units(AllocationState.BACKORDERED),
        "shipped": units(*_LEFT),
        "returned": units(AllocationState.RETURNED),
        "canceled": quantities.wire(line.canceled),
        "message": line.message,
        "promisedAt": optional(line.promised_at),
        "allocations": [_allocation(one, codes) for one in allocations if caller.reaches(one.warehouse_id)],
    }


def _allocation(allocation: Allocation, codes: Mapping[int, str]) -> Row:
    packed = allocation.shipment_id
    return {
        "id": global_id("Allocation", allocation.id),
        "warehouse": codes[allocation.warehouse_id],
        "quantity": quantities.wire(allocation.quantity),
        "state": allocation.state.value,
        "shipment": None if packed is None else shipments.number(packed),
    }


def _shipment(shipment: Shipment, codes: Mapping[int, str]) -> Row:
    return {
        "id": global_id("Shipment", shipment.id),
        "number": shipments.number(shipment.id),
        "warehouse": codes[shipment.warehouse_id],
        "state": shipment.state.value,
        "trackingNumber": shipment.tracking_number,
        "carrier": shipment.carrier,
        "createdAt": moments.wire(shipment.created_at),
        "updatedAt": moments.wire(shipment.updated_at),
        "shippedAt": optional(shipment.shipped_at),
    }


def cells(row: Row) -> list[tuple[Any, ...]]:
    """One row for each line. The cells of the order repeat in each row."""
    of_order = [row[column] for column in _OF_ORDER]
    sent = {one["number"]: one for one in row["shipments"]}
    return [
        (
            *of_order,
            line["id"],
            *(line[column] for column in _OF_LINE),
            SEPARATOR.join(f"{one['name']}={one['value']}" for one in line["selectedOptions"]),
            SEPARATOR.join(
                f"{quantities.text(Decimal(str(one['quantity'])))} {one['state']} {one['warehouse']}"
                for one in line["allocations"]
            ),
            SEPARATOR.join(
                f"{number} {sent[number]['state']}"
                for number in sorted({one["shipment"] for one in line["allocations"]} & sent.keys())
            ),
        )
        for line in row["lines"]
    ]
