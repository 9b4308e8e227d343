"""The demo's warehouse staff: they pack and ship orders, count shelves, and handle returns and cancellations."""

import random
from typing import Any

from gqlstock.cli.demo.api import Api

_WHO = "warehouse"
_LEFT_FOR_LATER = 8
_READY_FOR_LATER = 3
_AT_ONCE = 6

_OPEN = """
    query Open {
      orders(filter: {statuses: [PLACED, PARTIALLY_SHIPPED]}, reverse: true, first: 60) {
        nodes { number lines { sku allocations { state warehouse { code } shipment { number } } } }
      }
    }
"""
_PACK = """
    mutation Pack($input: CreateShipmentInput!) {
      createShipment(input: $input) { shipment { number state } userErrors { message } }
    }
"""
_READY = """
    query Ready {
      shipments(filter: {states: [READY]}, reverse: true, first: 20) { nodes { number } }
    }
"""
_SHIP = """
    mutation Ship($input: ShipShipmentInput!) {
      shipShipment(input: $input) { shipment { state } userErrors { message } }
    }
"""
_SHELF = """
    query Shelf {
      inventoryLevels(sort: UPDATED, first: 40) { nodes { item { sku } warehouse { code } onHand available } }
    }
"""
_COUNT = """
    mutation Count($input: SetStockInput!) {
      setStock(input: $input) { movements { quantity } userErrors { message } }
    }
"""
_SHIPPED = """
    query Shipped {
      orders(filter: {statuses: [SHIPPED]}, sort: UPDATED, first: 20) {
        nodes { number lines { sku shipped returned } }
      }
    }
"""
_TAKE_BACK = """
    mutation TakeBack($input: ReturnItemsInput!) {
      returnItems(input: $input) { userErrors { message } }
    }
"""
_LATEST = """
    query Latest {
      orders(filter: {statuses: [PLACED]}, first: 5) { nodes { number } }
    }
"""
_CANCEL = """
    mutation Cancel($input: CancelOrderInput!) {
      cancelOrder(input: $input) { userErrors { message } }
    }
"""


class Staff:
    """Leaves the latest few orders open, so that there is always pending work to see."""

    def __init__(self, api: Api, chance: random.Random) -> None:
        self._api = api
        self._chance = chance

    async def pack(self, at: float) -> None:
        """Create shipments of the on-hand units of the oldest orders."""
        orders = await self._nodes(_OPEN)
        waiting = [(order["number"], _packable(order)) for order in orders]
        to_pack = [(number, places) for number, places in waiting if places]
        for number, places in to_pack[:-_LEFT_FOR_LATER][:_AT_ONCE]:
            for warehouse in places:
                await self._api.change(_PACK, {"order": number, "warehouse": warehouse}, _WHO)

    async def ship(self, at: float) -> None:
        for shipment in (await self._nodes(_READY))[:-_READY_FOR_LATER][:_AT_ONCE]:
            tracking = f"DEMO{self._chance.randrange(10**8):08}"
            given = {"number": shipment["number"], "carrier": "The demo's van", "trackingNumber": tracking}
            await self._api.change(_SHIP, given, _WHO)

    async def count(self, at: float) -> None:
        """Count a shelf. Sometimes a unit is missing or found again. A sale meanwhile makes the count stale."""
        levels = [level for level in await self._nodes(_SHELF) if float(level["available"]) >= 2]
        if not levels:
            return
        level = self._chance.choice(levels)
        on_hand = level["onHand"]
        count = {
            "sku": level["item"]["sku"],
            "warehouse": level["warehouse"]["code"],
            "onHand": on_hand + self._chance.choice((0, -1, -1, 1)),
            "expectedOnHand": on_hand,
        }
        await self._api.change(_COUNT, {"reason": "Cycle count", "counts": [count]}, _WHO)

    async def take_back(self, at: float) -> None:
        """Return one unit of a shipped order."""
        kept = [
            (order["number"], line["sku"])
            for order in await self._nodes(_SHIPPED)
            for line in order["lines"]
            if line["shipped"] - line["returned"] >= 1
        ]
        if kept:
            number, sku = self._chance.choice(kept)
            given = {"order": number, "lines": [{"sku": sku, "quantity": 1}], "reason": "Did not like it"}
            await self._api.change(_TAKE_BACK, given, _WHO)

    async def cancel(self, at: float) -> None:
        """Cancel a recent order."""
        if orders := await self._nodes(_LATEST):
            given = {"number": self._chance.choice(orders)["number"], "reason": "Ordered by mistake"}
            await self._api.change(_CANCEL, given, _WHO)

    async def _nodes(self, query: str) -> list[dict[str, Any]]:
        data = await self._api.ask(query, {}, _WHO)
        connection = next(iter(data.values()), None)
        return connection["nodes"] if connection else []


def _packable(order: dict[str, Any]) -> list[str]:
    """The warehouses with on-hand units of an order that are in no shipment."""
    return sorted(
        {
            allocation["warehouse"]["code"]
            for line in order["lines"]
            for allocation in line["allocations"]
            if allocation["state"] == "ON_HAND" and allocation["shipment"] is None
        }
    )
