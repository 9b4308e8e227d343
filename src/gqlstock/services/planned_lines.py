"""Order lines and allocations as planned by ``rules.order_plan``: when an order is placed, retried or edited."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from gqlstock.rules import allocation, ledger
from gqlstock.rules.allocation import Allocation
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.catalog import Item
from gqlstock.rules.order_plan import OrderPlan, PlannedLine
from gqlstock.rules.order_request import RequestedLine
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import Caller
from gqlstock.stock.command import Changes, LedgerEntry, new_id, summed
from gqlstock.stock.snapshot import Snapshot

_NO_CHANGE = ledger.Change()


def requested(line: OrderLine, item: Item, quantity: Decimal) -> RequestedLine:
    """Units of an existing line, with its decrement mode. ``item``: its current item.

    A combination is named by its SKU alone, because its options may differ by now from those chosen.
    """
    options = tuple(line.selected_options.items()) if item.is_product else ()
    return RequestedLine(item.sku, quantity, options, line.decrement)


def order_line(order: Order, line: PlannedLine, assortment: Assortment) -> OrderLine:
    """A new order line with the item's current data."""
    assert line.item is not None
    return OrderLine(
        id=new_id(),
        order_id=order.id,
        item_id=line.item.id,
        sku=line.item.sku,
        name=line.item.name,
        code=line.item.own_code or assortment.lookup.product(line.item).sku,
        selected_options=dict(line.selected),
        quantity=line.requested.quantity,
        canceled=ZERO,
        decrement=line.decrement,
        message=line.message,
        promised_at=line.expected_at,
        buffer_days=assortment.buffer_days(line.item),
    )


def allocate(
    caller: Caller,
    lines: Sequence[OrderLine],
    plan: OrderPlan,
    snapshot: Snapshot,
    assortment: Assortment,
    changes: Changes,
    *,
    positions: Mapping[int, int] = MappingProxyType({}),
    reason: str | None = None,
) -> None:
    """Add the planned allocations of lines, and the ledger entries of their levels.

    ``positions``: the first position for lines that already have allocations. A backorder of an item that was never
    counted creates its level.
    """
    entries = []
    for planned, line in zip(plan.lines, lines, strict=True):
        assert planned.item is not None
        item_id = assortment.stock_item(planned.item).id
        for position, part in enumerate(planned.parts, positions.get(line.id, 0)):
            level_id = changes.level_id(snapshot, (item_id, part.warehouse_id)) if planned.counted else None
            changes.added.append(
                Allocation(
                    id=new_id(),
                    line_id=line.id,
                    warehouse_id=part.warehouse_id,
                    level_id=level_id,
                    shipment_id=None,
                    position=position,
                    quantity=part.quantity,
                    state=part.state,
                    changed_at=snapshot.now,
                )
            )
            change = allocation.effect(part, line.decrement)
            if level_id is not None and change != _NO_CHANGE:
                entry = LedgerEntry(item_id, part.warehouse_id, change, caller, reason, order_id=line.order_id)
                entries.append(entry)
    changes.entries += summed(entries)
