"""The demo's purchasing: reorders low stock, up to each warehouse's target, and receives deliveries later."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from gqlstock.cli.demo.api import Api
from gqlstock.cli.demo.opening import Shop
from gqlstock.services import databases

_WHO = "purchasing"
_RUNS_LOW = Decimal("0.35")
_LINES = 8
_SECONDS_UNDER_WAY = (15.0, 50.0)
_COMES_IN_PARTS = 0.25
_PART_LATER = 12.0
_WORTH_A_WAY = 3
_PARTS = 3

_LEVELS = """
    query Levels($after: String) {
      inventoryLevels(first: 250, after: $after) {
        nodes { item { sku } warehouse { code } available incoming }
        pageInfo { hasNextPage endCursor }
      }
    }
"""
_ANNOUNCE = """
    mutation Announce($input: AnnounceStockInput!) {
      announceStock(input: $input) { userErrors { message } }
    }
"""
_RECEIVE = """
    mutation Receive($input: ReceiveStockInput!) {
      receiveStock(input: $input) { userErrors { message } }
    }
"""
_SHIP = """
    mutation Move($input: ShipTransferInput!) {
      shipTransfer(input: $input) { transfer { number } userErrors { message } }
    }
"""
_TAKE_IN = """
    mutation TakeIn($input: ReceiveTransferInput!) {
      receiveTransfer(input: $input) { userErrors { message } }
    }
"""


@dataclass(frozen=True, slots=True)
class _Lorry:
    """A delivery to a warehouse. ``due`` is in seconds of the simulation."""

    due: float
    warehouse: str
    lines: Mapping[str, Decimal]
    reference: str


@dataclass(frozen=True, slots=True)
class _Van:
    """A transfer. ``due`` is when it arrives, in seconds of the simulation."""

    due: float
    number: str


class Purchasing:
    def __init__(self, api: Api, shop: Shop, chance: random.Random) -> None:
        self._api = api
        self._shop = shop
        self._chance = chance
        self._numbers = count(1001)
        self._lorries: list[_Lorry] = []
        self._vans: list[_Van] = []

    async def order(self, at: float) -> None:
        """Reorder for the warehouse with the most low items, up to their target stock."""
        low: dict[str, dict[str, Decimal]] = {}
        for level in await self._levels():
            sku, warehouse = level["item"]["sku"], level["warehouse"]["code"]
            wanted = self._shop.wanted(sku)
            lack = wanted - _to_come(level)
            if lack > 0 and lack >= wanted * (1 - _RUNS_LOW):
                low.setdefault(warehouse, {})[sku] = lack
        if low:
            warehouse = max(low, key=lambda code: len(low[code]))
            await self._announce(at, warehouse, dict(list(low[warehouse].items())[:_LINES]))

    async def unload(self, at: float) -> None:
        """Receive what has arrived. Some deliveries come in two parts."""
        arrived = [lorry for lorry in self._lorries if lorry.due <= at]
        self._lorries = [lorry for lorry in self._lorries if lorry.due > at]
        for lorry in arrived:
            lines = lorry.lines
            if len(lines) > 1 and self._chance.random() < _COMES_IN_PARTS:
                half = len(lines) // 2
                rest = dict(list(lines.items())[half:])
                lines = dict(list(lines.items())[:half])
                self._lorries.append(_Lorry(at + _PART_LATER, lorry.warehouse, rest, lorry.reference))
            given = {"warehouse": lorry.warehouse, "reference": lorry.reference, "lines": _told(lines)}
            await self._api.change(_RECEIVE, {**given, "reason": "Delivery"}, _WHO)
        for van in [van for van in self._vans if van.due <= at]:
            self._vans.remove(van)
            await self._api.change(_TAKE_IN, {"number": van.number}, _WHO)

    async def move(self, at: float) -> None:
        """Transfer some units of the most unevenly stocked item to the warehouse with the fewest."""
        moves: list[tuple[Decimal, str, str, str]] = []
        by_sku: dict[str, list[dict[str, Any]]] = {}
        for level in await self._levels():
            by_sku.setdefault(level["item"]["sku"], []).append(level)
        for sku, levels in by_sku.items():
            most = max(levels, key=_available)
            least = min(levels, key=_to_come)
            moves.append(
                (_available(most) - _to_come(least), sku, most["warehouse"]["code"], least["warehouse"]["code"])
            )
        gap, sku, of, to = max(moves, default=(Decimal(0), "", "", ""))
        if gap >= _WORTH_A_WAY:
            under_way, expected = self._under_way()
            lines = _told({sku: gap // _PARTS})
            given = {"from": of, "to": to, "expectedAt": expected, "reason": "Evening out", "lines": lines}
            if transfer := (await self._api.change(_SHIP, given, _WHO)).get("transfer"):
                self._vans.append(_Van(at + under_way, transfer["number"]))

    async def _announce(self, at: float, warehouse: str, lines: Mapping[str, Decimal]) -> None:
        under_way, expected = self._under_way()
        reference = f"PO-{next(self._numbers)}"
        given = {"warehouse": warehouse, "reference": reference, "expectedAt": expected, "lines": _told(lines)}
        announced = await self._api.change(_ANNOUNCE, given, _WHO)
        if announced and not announced["userErrors"]:
            self._lorries.append(_Lorry(at + under_way, warehouse, lines, reference))

    def _under_way(self) -> tuple[float, str]:
        """A random transport time in seconds, and the expected arrival as a timestamp."""
        seconds = self._chance.uniform(*_SECONDS_UNDER_WAY)
        return seconds, (databases.now() + timedelta(seconds=seconds)).isoformat()

    async def _levels(self) -> list[dict[str, Any]]:
        """The levels of all items but preorders."""
        return [level for level in await self._all_levels() if not self._shop.wares[level["item"]["sku"]].preorder]

    async def _all_levels(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = None
        while True:
            data = await self._api.ask(_LEVELS, {"after": after}, _WHO)
            page = data.get("inventoryLevels")
            if page is None:
                return found
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


def _available(level: Mapping[str, Any]) -> Decimal:
    return Decimal(str(level["available"]))


def _to_come(level: Mapping[str, Any]) -> Decimal:
    """Available plus incoming units."""
    return _available(level) + Decimal(str(level["incoming"]))


def _told(lines: Mapping[str, Decimal]) -> list[dict[str, str]]:
    return [{"sku": sku, "quantity": str(quantity)} for sku, quantity in lines.items()]
