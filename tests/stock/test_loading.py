"""Which locks a command waits for."""

from typing import Any

import pytest

from gqlstock.rules.network import Network
from gqlstock.rules.shipments import Shipment, ShipmentState
from gqlstock.stock.command import Names
from gqlstock.stock.loading import Locks
from gqlstock.stock.snapshot import Snapshot
from gqlstock.store.db import clock


def snapshot() -> Snapshot:
    """Shipment 3, which belongs to order 7."""
    nothing: Any = None
    found = Snapshot(now=clock.now(), network=Network([], {}, frozenset()), by_sku={}, lookup=nothing, combinations={})
    values = dict.fromkeys(Shipment.__dataclass_fields__)
    found.put(Shipment(**{**values, "id": 3, "order_id": 7, "state": ShipmentState.READY}))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (Names(orders=frozenset({7})), {("order", 7)}),
        (Names(shipments=frozenset({3})), {("order", 7)}),
        (Names(shipments=frozenset({4})), set()),
        (Names(), set()),
    ],
    ids=["order", "shipment of the order", "another shipment", "nothing"],
)
def test_a_shipment_waits_for_the_lock_of_its_order(names: Names, missing: set[tuple[str, int]]) -> None:
    locks = Locks(frozenset({1}), frozenset({("order", 7)}))

    assert locks.missing([1], names, snapshot()) == missing
