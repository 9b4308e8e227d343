"""The demo's preorder: sold out before delivery. Then the delivery is postponed, and arrives in two parts."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from gqlstock.cli.demo.api import Api
from gqlstock.cli.demo.wares import HOME
from gqlstock.services import databases

_WHO = "purchasing"
_WAREHOUSE = "BERLIN"
_MADE_WITHIN = timedelta(days=7)
_SLIPS_BY = timedelta(days=7)
_UNTIL_IT_ARRIVES = 15.0
_UNTIL_THE_REST = 15.0
_UNTIL_THE_NEXT = 20.0

_LOOK = """
    query LookAtPreorder($sku: String!, $website: String!) {
      availabilities(skus: [$sku], website: $website) { orderable }
    }
"""
_ANNOUNCE = """
    mutation AnnouncePreorder($input: AnnounceStockInput!) {
      announceStock(input: $input) {
        inventoryLevels { announcements(last: 1) { nodes { id expectedAt } } }
        userErrors { message }
      }
    }
"""
_POSTPONE = """
    mutation Postpone($input: UpdateStockAnnouncementInput!) {
      updateStockAnnouncement(input: $input) { userErrors { message } }
    }
"""
_RECEIVE = """
    mutation ReceivePreorder($input: ReceiveStockInput!) {
      receiveStock(input: $input) { userErrors { message } }
    }
"""


class Preorder:
    """The editions of a preorder, one after another. A minute of the simulation is about a week of delivery time."""

    def __init__(self, api: Api, sku: str, units: int) -> None:
        self._api = api
        self._sku = sku
        self._units = units
        self._next: Callable[[], Awaitable[float]] = self._announce
        self._due = 0.0
        self._edition = 0
        self._announcement = ""
        self._expected_at = datetime.min

    async def go_on(self, at: float) -> None:
        """Take the next step when it is due."""
        if at >= self._due:
            self._due = at + await self._next()

    async def _announce(self) -> float:
        if await self._is_sold():
            self._edition += 1
            self._expected_at = databases.now() + _MADE_WITHIN
            given = {
                "warehouse": _WAREHOUSE,
                "reference": f"{self._sku}-{self._edition}",
                "expectedAt": self._expected_at.isoformat(),
                "lines": [{"sku": self._sku, "quantity": self._units}],
            }
            announced = await self._api.change(_ANNOUNCE, given, _WHO)
            if levels := announced.get("inventoryLevels"):
                self._announcement = levels[0]["announcements"]["nodes"][0]["id"]
                self._next = self._postpone
        return 0

    async def _postpone(self) -> float:
        if not await self._is_sold():
            return 0
        later = (self._expected_at + _SLIPS_BY).isoformat()
        await self._api.change(_POSTPONE, {"id": self._announcement, "expectedAt": later}, _WHO)
        self._next = self._receive_a_part
        return _UNTIL_IT_ARRIVES

    async def _receive_a_part(self) -> float:
        await self._receive(self._units // 2)
        self._next = self._receive_the_rest
        return _UNTIL_THE_REST

    async def _receive_the_rest(self) -> float:
        await self._receive(self._units - self._units // 2)
        self._next = self._announce
        return _UNTIL_THE_NEXT

    async def _receive(self, units: int) -> None:
        line = {"sku": self._sku, "quantity": units, "announcement": self._announcement}
        given = {"warehouse": _WAREHOUSE, "reason": "Delivery", "lines": [line]}
        await self._api.change(_RECEIVE, given, _WHO)

    async def _is_sold(self) -> bool:
        """Whether the preorder is sold out."""
        data = await self._api.ask(_LOOK, {"sku": self._sku, "website": HOME})
        return not any(one["orderable"] for one in data.get("availabilities") or ())
