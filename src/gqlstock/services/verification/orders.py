"""Verifies orders against their lines, allocations, shipments and movements."""

from collections.abc import AsyncIterator, Iterator, Mapping
from decimal import Decimal

from gqlstock.rules import allocation as allocations
from gqlstock.rules import expected_movements, seals
from gqlstock.rules import orders as rules
from gqlstock.rules.allocation import Allocation, AllocationState
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.orders import LineTotals, OrderLine, OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.shipments import GONE
from gqlstock.services.verification import shipments
from gqlstock.services.verification.differences import Difference, Figure, content, different, is_set
from gqlstock.store import verification as rows
from gqlstock.store.verification import OrderBook

_WITHOUT_ALLOCATIONS = {OrderStatus.BACKORDERED, OrderStatus.CANCELED}


async def check() -> AsyncIterator[Difference]:
    async for part in rows.order_books():
        for book in part:
            for difference in _differences(book):
                yield difference


def _differences(book: OrderBook) -> Iterator[Difference]:
    place = f"Order {rules.number(book.order.id)}"
    yield from different(place, _order(book))
    for line in book.lines:
        yield from different(f"{place}, {line.sku}", _line(book, line))
        for allocation in book.allocations[line.id]:
            yield from different(
                f"{place}, {line.sku}, allocation {allocation.id}", _allocation(book, line, allocation)
            )
    yield from different(place, _ledger(book))
    yield from shipments.differences(book)


def _order(book: OrderBook) -> Iterator[Figure]:
    order = book.order
    totals = [LineTotals(line.quantity, line.canceled, _sum(book, line, *GONE)) for line in book.lines]
    status = rules.derived_status(totals, is_allocated=any(book.allocations.values()))
    yield "number of lines", "0" if not book.lines else "some", "some"
    yield "status", order.status, status
    yield is_set("canceledAt", order.canceled_at, when=order.status is OrderStatus.CANCELED)
    yield content(order.seal, seals.of_order(order, book.lines))
    if order.seal is not None:
        yield "canceled", order.canceled_units, sum((line.canceled for line in book.lines), ZERO)
        yield "number of shipments", order.shipment_count, len(book.shipments)


def _line(book: OrderBook, line: OrderLine) -> Iterator[Figure]:
    """All units of a line are allocated, in any state. A parked order has no allocations, not even after it is canceled.

    Units that were canceled while the order was parked never had an allocation.
    """
    found = book.allocations[line.id]
    if found or book.order.status not in _WITHOUT_ALLOCATIONS:
        canceled = _sum(book, line, AllocationState.CANCELED)
        yield "quantity", line.quantity, sum((a.quantity for a in found), ZERO) - canceled + line.canceled
        yield "canceled", line.canceled, max(line.canceled, canceled)
    if book.order.seal is not None:
        yield "returned", line.returned, _sum(book, line, AllocationState.RETURNED)
    positions = {allocation.position for allocation in found}
    yield "order of allocations", sorted(positions), list(range(len(positions)))
    split = {one.id: one.split_from for one in found if one.split_from is not None}
    yield "allocations split off", split, allocations.split_off(found)


def _allocation(book: OrderBook, line: OrderLine, allocation: Allocation) -> Iterator[Figure]:
    waits = allocation.state is AllocationState.BACKORDERED
    may_be_backordered = expected_movements.may_be_backordered(
        line.decrement, is_counted=allocation.level_id is not None
    )
    yield "state", allocation.state, AllocationState.ON_HAND if waits and not may_be_backordered else allocation.state
    if allocation.level_id is not None:
        level = book.levels[allocation.level_id]
        yield "warehouse", allocation.warehouse_id, level.warehouse_id
        fitting = (line.item_id, book.products.get(line.item_id))
        yield "item of its level", level.item_id, level.item_id if level.item_id in fitting else line.item_id


def _ledger(book: OrderBook) -> Iterator[Figure]:
    """The movements of the order, by level and kind."""
    expected: dict[int, dict[MovementKind, Decimal]] = {}
    for line in book.lines:
        for one in book.allocations[line.id]:
            if one.level_id is not None:
                units = expected_movements.of_units(one.state, line.decrement, one.quantity)
                _add(expected.setdefault(one.level_id, {}), units)
    for level_id in sorted(expected.keys() | book.moved.keys()):
        moved, wanted = book.moved.get(level_id, {}), expected.get(level_id, {})
        _add(wanted, expected_movements.moved_away(moved, wanted))
        for kind in sorted(moved.keys() | wanted.keys()):
            stored, derived = moved.get(kind, ZERO), wanted.get(kind, ZERO)
            if not expected_movements.agrees(kind, stored, derived):
                yield f"{kind} movements of level {level_id}", stored, derived


def _add(sums: dict[MovementKind, Decimal], units: Mapping[MovementKind, Decimal]) -> None:
    for kind, quantity in units.items():
        sums[kind] = sums.get(kind, ZERO) + quantity


def _sum(book: OrderBook, line: OrderLine, *states: AllocationState) -> Decimal:
    return sum((one.quantity for one in book.allocations[line.id] if one.state in states), ZERO)
