"""What happens in the demo's shop, and how often: its people's habits, one after another in an order that a seed decides."""

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
"""The names of those who work here, with the scopes of their tokens."""

Pause = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Habit:
    """What somebody does about every so many seconds; told is the story's time."""

    seconds: float
    act: Callable[[float], Awaitable[object]]


def habits(api: Api, shop: Shop, chance: random.Random) -> list[Habit]:
    """Everything that goes on: what sells and what fills up again keep the balance."""
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
    """Have everybody do what they do, until that moment of the story; ``pause`` waits for a number of seconds."""
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
            log.warning("Somebody in the shop got no answer: %s", error)
        heapq.heappush(due, (now + habits[number].seconds * chance.uniform(0.5, 1.5), number))
