"""Runs many clients on a few hot items and two server processes, and then checks the history.

    PYTHONPATH=tests .venv/bin/python -m support.stock_load --minutes 10 --database sqlite:////tmp/load.db

runs it manually for ten minutes.
"""

import argparse
import asyncio
import contextlib
import os
import random
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gqlstock.config import Config
from gqlstock.rules.settings import BackorderMode, InsufficientStockAction, InventoryDecrement
from gqlstock.services import verification, warehouses
from gqlstock.store.db import connection, versions
from support import shop_builders as make
from support import stock_evidence
from support.forked_servers import forked
from support.history import Group, Verdict, check
from support.plain_http import PlainClient
from support.stock_clients import Recorder, Shelf
from support.stock_records import NEVER, ON_ORDER, ON_SHIPMENT, Place, Rules
from support.stock_shoppers import Shopper

WAREHOUSES = ("BERLIN", "HAMBURG")
PROCESSES = 2
GROUPS = {
    "counted": {"MUG": Rules(ON_ORDER, threshold=1), "CUP": Rules(ON_ORDER, backorders=True)},
    "parked": {"PAN": Rules(ON_ORDER, parks=True), "POT": Rules(ON_SHIPMENT, parks=True)},
    "bounded": {"JUG": Rules(ON_SHIPMENT, backorders=True, threshold=-6)},
    "kept": {"TIN": Rules(ON_SHIPMENT, threshold=3)},
    "missing": {"CAN": Rules(ON_SHIPMENT)},
    "preordered": {
        "TUB": Rules(ON_ORDER, backorders=True, from_incoming=True),
        "LID": Rules(ON_SHIPMENT, backorders=True, threshold=-6, from_incoming=True),
    },
    "rare": {"BOX": Rules(ON_ORDER), "PEN": Rules(NEVER)},
}
_ORDERS = {"place": 24, "pack": 10, "ship": 9, "unpack": 2, "cancel": 6, "take_back": 4, "edit": 8, "move": 4}
_ORDERS |= {"look_order": 8}
_HOLDS = {"hold": 8, "place_held": 5, "release": 3}
_ARRIVALS = {"announce": 3, "receive": 4, "withdraw": 1}
_STOCK = {"adjust": 7, "transfer": 4}
_ALL = _ORDERS | _HOLDS | _ARRIVALS | _STOCK
CHANCES = {
    "counted": _ALL | {"count": 5, "look": 10, "adjust": 4, "receive": 2, "ship": 14},
    "parked": _ALL | {"count": 2, "look": 6, "retry": 6},
    "bounded": _ALL | {"count_late": 4, "move": 2, "look": 8, "adjust": 3, "receive": 2, "ship": 16, "transfer": 2},
    # No look: an expiring hold is evaluated at two times, so what a look shows would be ambiguous.
    "kept": _ALL | {"count": 2, "expire": 4, "hold": 12},
    # Counts find less than is packed.
    "missing": _ORDERS | {"pack": 16, "ship": 20, "count": 12, "receive": 4, "look": 4},
    "preordered": _ALL | {"place": 34, "announce": 9, "update": 9, "withdraw": 3, "adjust": 3, "look": 4},
    "rare": {"place": 6, "adjust": 8, "transfer": 6, "cancel": 6, "pack": 2, "ship": 2, "delete_level": 8, "look": 4},
}


@dataclass
class Result:
    calls: int
    took: float
    """How long the clients ran, in seconds."""
    verdicts: list[Verdict]

    @property
    def problems(self) -> list[str]:
        return [f"{one.group}: {problem}" for one in self.verdicts for problem in one.problems]

    def __str__(self) -> str:
        seconds = sum(one.seconds for one in self.verdicts)
        told = f"{self.calls} calls in {self.took:.0f} s, checked in {seconds:.2f} s: {self.calls / seconds:.0f} per second"
        return "\n".join([told, *self.problems])


async def run(
    env: Mapping[str, str],
    *,
    seconds: float = 60,
    calls: int | None = None,
    clients: int = 16,
    seed: int = 0,
    groups: Collection[str] = tuple(GROUPS),
    bug: str | None = None,
    chances: Mapping[str, Mapping[str, int]] = CHANCES,
    remembered: int = 12,
) -> Result:
    """Run clients for some time, on an open database of their own. ``calls``: the approximate maximum number of calls;
    ``groups``: the items to change; ``bug``: a bug to plant in the processes; ``chances``: the weights of the steps;
    ``remembered``: how many orders and shipments a client uses."""
    await shop()
    stocked = await stock({name: GROUPS[name] for name in groups})
    shelves = [Shelf(name, group) for name, group in stocked.items()]
    token = await make.token("admin", name="load")
    async with contextlib.AsyncExitStack() as stack:
        starting = [forked(env, bug) for _ in range(PROCESSES)]
        servers = await asyncio.gather(*(stack.enter_async_context(one) for one in starting))
        http = PlainClient(token)
        stack.push_async_callback(http.close)
        began = time.monotonic()
        record = Recorder(http, servers, random.Random(seed), until=began + seconds, most=calls)
        working = [Shopper(record, shelves, chances, remembered).work() for _ in range(clients)]
        await asyncio.gather(*working)
        took = time.monotonic() - began
    # The processes have ended, so calls that were cut off have ended, too.
    evidence = {name: await stock_evidence.read(group.rules) for name, group in stocked.items()}
    return Result(len(record.calls), took, check(record.calls, stocked, evidence))


async def shop() -> None:
    """Create a shop that sells from both warehouses."""
    for warehouse in WAREHOUSES:
        await make.warehouse(warehouse)
    await make.website("shop", warehouses=WAREHOUSES)


async def stock(items: Mapping[str, Mapping[str, Rules]]) -> dict[str, Group]:
    """Create the items of these groups in that shop, with some units in both warehouses."""
    groups = {}
    for name, of_group in items.items():
        at_first: dict[Place, int] = {}
        for sku, rules in of_group.items():
            await make.product(sku)
            await _set(sku, rules)
            for warehouse, on_hand in zip(WAREHOUSES, (8, 4), strict=True):
                await make.stock(sku, warehouse, on_hand)
                at_first[sku, warehouse] = on_hand
        groups[name] = Group(of_group, WAREHOUSES, at_first)
    return groups


async def _set(sku: str, rules: Rules) -> None:
    await make.setting(
        product=sku,
        decrement_inventory=InventoryDecrement(rules.mode),
        backorders=BackorderMode.ALLOW if rules.backorders else BackorderMode.NO_BACKORDERS,
        out_of_stock_threshold=rules.threshold,
        backorders_from_incoming=rules.from_incoming,
        insufficient_stock=InsufficientStockAction.HOLD_ORDER if rules.parks else InsufficientStockAction.REJECT,
    )


async def by_hand(url: str, seconds: float, clients: int) -> bool:
    """Run on a new, empty database, print the result, and return whether all is well."""
    env = {"GQLSTOCK_DATABASE_URL": url} | {k: v for k, v in os.environ.items() if k == "GQLSTOCK_REDIS_URL"}
    config = Config.from_env(env)
    await versions.migrate(config.database)
    async with connection.opened(config.database, everywhere=True):
        await warehouses.ensure_default_organization()
        result = await run(env, seconds=seconds, clients=clients, seed=random.randrange(10**6))
        differences = await verification.verify()
    print(result, *differences, sep="\n")  # noqa: T201
    return not (result.problems or differences)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True, help="an empty one, such as sqlite:////tmp/load.db")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=16)
    given = parser.parse_args()
    sys.exit(not asyncio.run(by_hand(given.database, given.minutes * 60, given.clients)))
