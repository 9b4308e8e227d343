"""Finds shipments from the warehouses that the caller has access to."""

from collections.abc import Collection

from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import Allocation
from gqlstock.rules.filters import ShipmentFilter
from gqlstock.rules.scopes import Caller
from gqlstock.rules.shipments import Shipment
from gqlstock.stock import reading
from gqlstock.stock.lists import QueryRows, Rows
from gqlstock.store import shipments as rows


async def by_id(ids: Collection[int]) -> dict[int, Shipment]:
    return await rows.shipments(ids)


async def by_number(number: str, caller: Caller) -> Shipment | None:
    shipment_id = rules.id_of(number)
    found = None if shipment_id is None else (await rows.shipments([shipment_id])).get(shipment_id)
    return found if found is not None and caller.reaches(found.warehouse_id) else None


def matching(chosen: ShipmentFilter, caller: Caller) -> Rows[Shipment]:
    """The shipments that match a filter."""
    return QueryRows(rows.matching(chosen, caller.warehouses))


async def of_orders(order_ids: Collection[int]) -> dict[int, list[Shipment]]:
    """All shipments of each order, oldest first."""
    return await rows.shipments_of(order_ids)


async def contents(ids: Collection[int]) -> dict[int, list[Allocation]]:
    """The units in each shipment, in line order; for a shipped one, the units it left with.

    Read once for all fields of these shipments.
    """
    return await reading.once(("contents", *ids), lambda: rows.contents(ids))
