"""Verifies shipments against the units in them."""

from collections.abc import Iterator, Sequence

from gqlstock.rules import seals
from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import Allocation
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.shipments import Shipment, ShipmentState
from gqlstock.services.verification.differences import Difference, Figure, content, different, is_set
from gqlstock.store.verification import OrderBook


def differences(book: OrderBook) -> Iterator[Difference]:
    inside: dict[int, list[Allocation]] = {shipment.id: [] for shipment in book.shipments}
    outside = []
    for found in book.allocations.values():
        for allocation in found:
            if allocation.shipment_id is None:
                outside.append(allocation)
            elif allocation.shipment_id in inside:
                inside[allocation.shipment_id].append(allocation)
            else:
                number = rules.number(allocation.shipment_id)
                yield Difference(f"Shipment {number}", f"order of allocation {allocation.id}", "another", "its own")
    for shipment in book.shipments:
        yield from different(f"Shipment {rules.number(shipment.id)}", _shipment(shipment, inside[shipment.id]))
    for allocation in outside:
        if allocation.state in rules.GONE:
            yield Difference(f"Allocation {allocation.id}", "shipment", "none", "the one that it left in")


def _shipment(shipment: Shipment, inside: Sequence[Allocation]) -> Iterator[Figure]:
    state = rules.derived_state([allocation.state for allocation in inside])
    yield "state", shipment.state, state
    yield is_set("shippedAt", shipment.shipped_at, when=shipment.state is ShipmentState.SHIPPED)
    if shipment.seal is not None:
        yield "quantity", shipment.quantity, sum((allocation.quantity for allocation in inside), ZERO)
    for allocation in inside:
        yield f"warehouse of allocation {allocation.id}", allocation.warehouse_id, shipment.warehouse_id
        if state is ShipmentState.SHIPPED:
            gone = "left" if allocation.state in rules.GONE else "still here"
            yield f"allocation {allocation.id}", gone, "left"
    yield content(shipment.seal, seals.of_shipment(shipment))
