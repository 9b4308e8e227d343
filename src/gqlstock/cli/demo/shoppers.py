"""The demo's shoppers: they browse, buy what is in stock, sometimes through a cart, and subscribe to what is not."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gqlstock.cli.demo.api import Api
from gqlstock.cli.demo.opening import Shop
from gqlstock.cli.demo.wares import HOME, TRADE

_LOOK = """
    query Look($skus: [String!]!, $website: String!) {
      availabilities(skus: $skus, website: $website) { sku orderable canSubscribeBackInStock }
    }
"""
_LOOK_AT_PREORDERS = """
    query LookAtPreorders($skus: [String!]!, $website: String!) {
      availabilities(skus: $skus, website: $website) { sku orderable salableQuantity }
    }
"""
_PLACE = """
    mutation Place($input: PlaceOrderInput!) {
      placeOrder(input: $input) { order { number } userErrors { message } }
    }
"""
_HOLD = """
    mutation Hold($input: HoldStockInput!) {
      holdStock(input: $input) { hold { id } userErrors { message } }
    }
"""
_RELEASE = """
    mutation Release($input: ReleaseStockHoldInput!) {
      releaseStockHold(input: $input) { userErrors { message } }
    }
"""
_TELL_ME = """
    mutation TellMe($input: SubscribeToBackInStockInput!) {
      subscribeToBackInStock(input: $input) { userErrors { message } }
    }
"""

_FIRST_NAMES = ("anna", "ben", "chloe", "dawid", "emma", "felix", "giulia", "hugo", "ines", "jan", "klara", "luc")
_LEAVES_AN_ADDRESS = 0.3
_GIVES_UP_A_CART = 0.4


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of shopper on a website: locations, numbers of different items per order, and quantities."""

    website: str
    towns: Sequence[tuple[float, float]]
    different: Sequence[int]
    units: Sequence[int]
    metres: Sequence[str]


HOUSEHOLDS = Kind(
    website=HOME,
    towns=((53.55, 9.99), (52.52, 13.4), (48.14, 11.58), (48.86, 2.35), (45.76, 4.84), (43.3, 5.37), (50.85, 4.35)),
    different=(1, 1, 1, 2, 2, 3),
    units=(1, 1, 1, 2, 2, 3),
    metres=("0.5", "1.25", "2", "2.5", "3.75"),
)
RETAILERS = Kind(
    website=TRADE,
    towns=((52.23, 21.01), (52.41, 16.93), (50.06, 19.94), (50.08, 14.44)),
    different=(1, 2, 3),
    units=(4, 4, 5, 6),
    metres=("5", "7.5", "12"),
)


class Shoppers:
    """The shoppers of one kind."""

    def __init__(self, api: Api, shop: Shop, chance: random.Random, kind: Kind) -> None:
        self._api = api
        self._chance = chance
        self._kind = kind
        self._wares = shop.wares
        self._skus = list(shop.wares)
        # A product with many combinations should not sell proportionally more.
        combinations = {ware.sku: sum(one is ware for one in shop.wares.values()) for ware in shop.wares.values()}
        self._preorders = [sku for sku, ware in shop.wares.items() if ware.preorder]
        self._liked = [ware.liked / combinations[ware.sku] ** 0.5 for ware in shop.wares.values()]
        self._carts: list[tuple[str, list[dict[str, Any]]]] = []

    async def buy(self, at: float) -> None:
        """Order those of the wanted items that are in stock."""
        if lines := await self._found():
            await self._order(lines)

    async def preorder(self, at: float) -> None:
        """Order preorder items, up to the last unit."""
        data = await self._api.ask(_LOOK_AT_PREORDERS, {"skus": self._preorders, "website": self._kind.website})
        for one in data.get("availabilities") or ():
            if one["orderable"]:
                units = min(self._chance.choice(self._kind.units), int(one["salableQuantity"]))
                await self._order([{"sku": one["sku"], "quantity": units}])

    async def fill_a_cart(self, at: float) -> None:
        """Hold stock for a cart."""
        if lines := await self._found():
            given = {"website": self._kind.website, "minutes": 2, "lines": lines}
            if (kept := (await self._api.change(_HOLD, given)).get("hold")) is not None:
                self._carts.append((kept["id"], lines))

    async def go_on_with_a_cart(self, at: float) -> None:
        """Order a held cart, release it, or abandon it so that the hold expires."""
        if len(self._carts) < self._chance.randint(1, 3):
            return
        hold, lines = self._carts.pop(0)
        if self._chance.random() > _GIVES_UP_A_CART:
            await self._order(lines, hold=hold)
        elif self._chance.random() > _GIVES_UP_A_CART:
            await self._api.change(_RELEASE, {"id": hold})

    async def _found(self) -> list[dict[str, Any]]:
        """Lines of the wanted items that can be ordered. Some shoppers subscribe to the others."""
        wanted = self._wanted()
        data = await self._api.ask(_LOOK, {"skus": wanted, "website": self._kind.website})
        seen = [one for one in data.get("availabilities") or () if one is not None]
        for one in seen:
            if one["canSubscribeBackInStock"] and self._chance.random() < _LEAVES_AN_ADDRESS:
                given = {"sku": one["sku"], "website": self._kind.website, "email": self._address()}
                await self._api.change(_TELL_ME, given)
        return [{"sku": one["sku"], "quantity": self._quantity(one["sku"])} for one in seen if one["orderable"]]

    async def _order(self, lines: list[dict[str, Any]], **more: Any) -> None:
        latitude, longitude = self._chance.choice(self._kind.towns)
        given = {
            "idempotencyKey": f"{self._kind.website}-{self._chance.getrandbits(64):016x}",
            "website": self._kind.website,
            "lines": lines,
            "customerEmail": self._address(),
            "shipTo": {"latitude": latitude, "longitude": longitude},
            **more,
        }
        await self._api.change(_PLACE, given)

    def _wanted(self) -> list[str]:
        many = self._chance.choice(self._kind.different)
        return list(dict.fromkeys(self._chance.choices(self._skus, self._liked, k=many)))

    def _quantity(self, sku: str) -> int | str:
        if self._wares[sku].by_the_metre:
            return str(Decimal(self._chance.choice(self._kind.metres)))
        return self._chance.choice(self._kind.units)

    def _address(self) -> str:
        return f"{self._chance.choice(_FIRST_NAMES)}@shoppers.example"
