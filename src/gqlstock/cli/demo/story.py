"""The demo's simulation: the habits of its people and their frequency, in an order determined by a seed."""

import heapq
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx

from gqlstock.cli.demo.api import Api
from gqlstock.cli.demo.opening import Shop
from gqlstock.cli.demo.preorder import Preorder
from gqlstock.cli.demo.purchasing import Purchasing
from gqlstock.cli.demo.shoppers import HOUSEHOLDS, RETAILERS, Shoppers
from gqlstock.cli.demo.staff import Staff

log = logging.getLogger(__name__)

WHO_WORKS_HERE = {
    "warehouse": ("catalog:read", "inventory:read", "inventory:write", "orders:read", "orders:write"),
    "purchasing": ("catalog:read", "inventory:read", "inventory:write"),
}
"""The staff, with the scopes of their tokens."""

Pause = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Habit:
    """An action repeated about every ``seconds``. ``act`` receives the time of the simulation, in seconds."""

    seconds: float
    act: Callable[[float], Awaitable[object]]


def habits(api: Api, shop: Shop, chance: random.Random) -> list[Habit]:
    """All habits. Their frequencies keep sales and deliveries in balance."""
    households = Shoppers(api, shop, chance, HOUSEHOLDS)
    retailers = Shoppers(api, shop, chance, RETAILERS)
    staff = Staff(api, chance)
    purchasing = Purchasing(api, shop, chance)
    preorders = [Preorder(api, sku, ware.units) for sku, ware in shop.wares.items() if ware.preorder]
    return [
        *(Habit(2, preorder.go_on) for preorder in preorders),
        Habit(4, households.preorder),
        Habit(1.2, households.buy),
        Habit(9, households.fill_a_cart),
        Habit(5, households.go_on_with_a_cart),
        Habit(11, retailers.buy),
        Habit(3, staff.pack),
        Habit(2, staff.ship),
        Habit(23, staff.count),
        Habit(31, staff.take_back),
        Habit(47, staff.cancel),
        Habit(5, purchasing.order),
        Habit(3, purchasing.unload),
        Habit(53, purchasing.move),
    ]


async def tell(habits: Sequence[Habit], chance: random.Random, pause: Pause, until: float = float("inf")) -> None:
    """Run the habits until the time ``until`` of the simulation. ``pause`` waits for a number of seconds."""
    now = 0.0
    due = [(chance.uniform(0, habit.seconds), number) for number, habit in enumerate(habits)]
    heapq.heapify(due)
    while due[0][0] < until:
        at, number = heapq.heappop(due)
        await pause(at - now)
        now = at
        try:
            await habits[number].act(now)
        except httpx.HTTPError as error:
            log.warning("A simulated request failed: %s", error)
        heapq.heappush(due, (now + habits[number].seconds * chance.uniform(0.5, 1.5), number))
