"""Objects in the bodies of webhooks: records in, JSON values out. ``payloads`` reads the records."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules import moments
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as shipment_rules
from gqlstock.rules import transfers as transfer_rules
from gqlstock.rules.catalog import Item
from gqlstock.rules.ids import global_id
from gqlstock.rules.ledger import StockMovement
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.quantities import ZERO, wire
from gqlstock.rules.shipments import Shipment
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine


def moment(value: datetime | None) -> str | None:
    return moments.wire(value) if value is not None else None


def item(found: Item, product_of_it: Item) -> dict[str, Any]:
    """An item in messages about its stock."""
    return {
        "id": _item_id(found),
        "sku": found.sku,
        "name": found.name,
        "code": found.own_code or product_of_it.sku,
    }


def product(changed: Item, product_of_it: Item) -> dict[str, Any]:
    """A changed product, or a changed combination with its product."""
    return {
        "product": {
            **_own_fields(product_of_it),
            "slug": product_of_it.slug,
            "tracking": product_of_it.tracking.value,
            "published": product_of_it.published,
            "inventoryStatus": product_of_it.inventory_status.value,
        },
        "combination": None if changed.is_product else _combination(changed),
    }


def _combination(found: Item) -> dict[str, Any]:
    options = [{"name": name, "value": value} for name, value in found.choice.items()]
    return {**_own_fields(found), "code": found.own_code, "options": options}


def _own_fields(found: Item) -> dict[str, Any]:
    """The fields that products and combinations both have."""
    return {
        "id": _item_id(found),
        "sku": found.sku,
        "name": found.name,
        "barcode": found.barcode,
        "createdAt": moments.wire(found.created_at),
        "updatedAt": moments.wire(found.updated_at),
        "deletedAt": moment(found.deleted_at),
    }


def _item_id(found: Item) -> str:
    return global_id("Product" if found.is_product else "Combination", found.id)


def movement(found: StockMovement) -> dict[str, Any]:
    return {
        "id": global_id("StockMovement", found.id),
        "kind": found.kind.value,
        "quantity": wire(found.quantity),
        "onHandAfter": wire(found.on_hand_after),
        "reason": found.reason,
        "reference": found.reference,
        "createdAt": moments.wire(found.created_at),
    }


def shipment(
    found: Shipment, order: Order, contents: Sequence[tuple[OrderLine, Decimal]], warehouse: str, website: str
) -> dict[str, Any]:
    """A shipment. ``contents``: units of lines, in line order; ``warehouse`` and ``website``: codes."""
    # Not the tracking number: it leads to the recipient.
    lines = {line.id: line for line, _ in contents}
    quantities = dict.fromkeys(lines, ZERO)
    for line, quantity in contents:
        quantities[line.id] += quantity
    return {
        "id": global_id("Shipment", found.id),
        "number": shipment_rules.number(found.id),
        "state": found.state.value,
        "warehouse": warehouse,
        "carrier": found.carrier,
        "createdAt": moments.wire(found.created_at),
        "updatedAt": moments.wire(found.updated_at),
        "shippedAt": moment(found.shipped_at),
        "order": {
            "id": global_id("Order", order.id),
            "number": order_rules.number(order.id),
            "website": website,
            "reference": order.reference,
        },
        "lines": [
            {
                "id": global_id("OrderLine", line.id),
                "sku": line.sku,
                "name": line.name,
                "quantity": wire(quantities[line.id]),
            }
            for line in lines.values()
        ],
    }


def transfer(
    found: InventoryTransfer,
    lines: Sequence[InventoryTransferLine],
    expected_at: datetime | None,
    source: str,
    target: str,
) -> dict[str, Any]:
    """A transfer. ``source`` and ``target``: the codes of its warehouses."""
    return {
        "id": global_id("InventoryTransfer", found.id),
        "number": transfer_rules.number(found.id),
        "state": found.state.value,
        "from": source,
        "to": target,
        "expectedAt": moment(expected_at),
        "reference": found.reference,
        "createdAt": moments.wire(found.created_at),
        "updatedAt": moments.wire(found.updated_at),
        "closedAt": moment(found.closed_at),
        "lines": [
            {
                "sku": line.sku,
                "quantity": wire(line.quantity),
                "received": wire(line.received),
                "returned": wire(line.returned),
                "lost": wire(line.lost),
            }
            for line in lines
        ],
    }
