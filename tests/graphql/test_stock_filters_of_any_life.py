"""Whatever happened to a shop: the filters by stock pass what a plain evaluation over all of its rows passes.

GQLSTOCK_TEST_LIVES lives are led, 25 unless it says otherwise.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import NewDatabase
from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.rules import orders as order_rules
from gqlstock.store.db import clock
from support.graphql_client import Client
from support.shop_history import STEPS, ShopHistory, Time
from support.shop_questions import PLACES
from support.stock_filter_model import StockFilterModel

pytestmark = pytest.mark.long

LIVES = int(os.environ.get("GQLSTOCK_TEST_LIVES", "25"))
FILTERS = ("low", "outOfStock", "backordered", "incoming")
SORTS = ("SKU", "NAME", "AVAILABLE", "UPDATED")
_OF_STOCK = (
    *(
        "place",
        "place",
        "place",
        "count",
        "adjust",
        "announce",
        "send_on_the_way",
        "take_in_or_call_off",
        "hold",
        "wait",
    ),
    *("set_settings", "set_settings", "count_and_hold", "update_warehouse", "update_product", "park_and_retry"),
    *("ship", "pack", "cancel", "transfer", "widen_shirt", "empty_and_delete", "expire", "set_unmanaged", "back_order"),
    *("hold_everything", "wait"),
)


class Shop(ShopHistory):
    """With more of what the filters are about."""

    async def begin(self) -> None:
        """Some items pass each filter, some do not; one order is to be shipped, one is not."""
        await super().begin()
        await self._do("setInventorySettings", scope={"product": "CUP"}, settings={"backorders": "ALLOW"})
        await self._do("setStock", counts=[{"sku": "SHIRT-S", "warehouse": place, "onHand": 1} for place in PLACES[:2]])
        await self._do("announceStock", warehouse="PARIS", lines=[{"sku": "SHIRT-M", "quantity": 4}])
        for sku, quantity in (("CUP", 12), ("CUP", 3), ("MUG", 1)):
            await self._do("placeOrder", lines=[{"sku": sku, "quantity": quantity}])

    async def step(self, name: str, number: int) -> None:
        if name in STEPS:
            await super().step(name, number)
        else:
            self.chance = random.Random(number)
            await getattr(self, name)()

    async def set_unmanaged(self) -> None:
        scope: dict[str, Any] = self._some(
            {"system": True},
            {"organization": "acme"},
            {"website": self._some("shop", "outlet")},
            {"category": self._some("kitchen", "cups", "garden")},
            {"product": self._sku()},
            {"combination": self._some("SHIRT-S", "SHIRT-M")},
        )
        await self._do("setInventorySettings", scope=scope, settings={"manageStock": self._some(True, False, None)})

    async def hold_everything(self) -> None:
        """Until the hold ends, nothing is left of one."""
        sku = self._counted()
        counts = [{"sku": sku, "warehouse": place, "onHand": 2} for place in PLACES]
        await self._do("setStock", counts=counts, partial=True)
        lines = [{"sku": sku, "quantity": self.chance.randint(2, 6)}]
        await self._do("holdStock", lines=lines, minutes=self._some(2, 30, 600))

    async def back_order(self) -> None:
        await self._do("setInventorySettings", scope={"system": True}, settings={"backorders": "ALLOW"})
        await self._do("placeOrder", lines=self._lines(30))


class Asker:
    def __init__(self, client: Client, within: Sequence[str] | None, counted: Counter[str]) -> None:
        self._client = client if within is None else client.within(*within)
        self._within = within
        self._counted = counted

    async def _walk(self, root: str, field: str, size: int, **given: Any) -> tuple[list[str], int]:
        """The field of all rows, page by page, and the total."""
        types = {"items": ("InventoryItemFilter", "InventoryItemSort"), "orders": ("OrderFilter", "OrderSort")}
        of_filter, of_sort = types["orders" if root == "orders" else "items"]
        query = f"""query ($filter: {of_filter}, $sort: {of_sort}!, $reverse: Boolean!, $size: Int!, $after: String) {{
            {root}(filter: $filter, sort: $sort, reverse: $reverse, first: $size, after: $after) {{
                totalCount nodes {{ {field} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
        found: list[str] = []
        after = None
        while True:
            page = (await self._client.admin(query, size=size, after=after, **given))[root]
            found += [node[field] for node in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found, page["totalCount"]
            after = page["pageInfo"]["endCursor"]

    async def compare_items(self, model: StockFilterModel, chance: random.Random) -> None:
        chosen = {name: chance.choice((True, False, None)) for name in chance.sample(FILTERS, chance.randint(1, 2))}
        order = {"sort": chance.choice(SORTS), "reverse": chance.random() < 0.5}
        everything, _ = await self._walk("inventoryItems", "sku", 250, filter={}, **order)
        expected = model.items(chosen, self._within)

        found, total = await self._walk("inventoryItems", "sku", chance.randint(1, 6), filter=chosen, **order)

        assert found == [sku for sku in everything if sku in expected], (chosen, order, self._within)
        assert total == len(expected)
        for name, value in chosen.items():
            self._counted[f"{name} {value}"] += bool(expected) and len(expected) < len(everything)

    async def compare_orders(self, model: StockFilterModel, chance: random.Random) -> None:
        to_ship = chance.random() < 0.5
        order = {"sort": chance.choice(("PLACED", "UPDATED", "NUMBER")), "reverse": chance.random() < 0.5}
        everything, _ = await self._walk("orders", "number", 250, filter={"toShip": None}, **order)
        expected = {order_rules.number(one) for one in model.orders(to_ship, self._within)}

        found, total = await self._walk("orders", "number", chance.randint(1, 4), filter={"toShip": to_ship}, **order)

        assert found == [number for number in everything if number in expected], (to_ship, order, self._within)
        assert total == len(expected)
        self._counted[f"toShip {to_ship}"] += bool(expected) and len(expected) < len(everything)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Config.from_env(os.environ))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as found:
        yield found


async def test_filters_pass_what_a_plain_evaluation_of_all_rows_passes(
    new_database: NewDatabase, http: httpx.AsyncClient
) -> None:
    counted = Counter[str]()
    loop = asyncio.get_running_loop()

    async def life(steps: Sequence[tuple[str, int]], number: int) -> None:
        chance, time = random.Random(number), Time()
        async with new_database():
            with clock.replaced(time):
                client = Client(http)
                shop = Shop(client, time)
                await shop.begin()
                for name, of_step in steps:
                    await shop.step(name, of_step)
                    model = await StockFilterModel.read(time.moment)
                    asker = Asker(client, chance.choice((None, None, ["BERLIN"], ["PARIS", "OSLO"])), counted)
                    await asker.compare_items(model, chance)
                    if chance.random() < 0.3:
                        await asker.compare_orders(model, chance)

    @settings(max_examples=LIVES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.tuples(st.sampled_from([*STEPS, *_OF_STOCK, *_OF_STOCK]), st.integers(0, 2**32 - 1)),
            min_size=5,
            max_size=25,
        ),
        st.integers(0, 2**32 - 1),
    )
    def live(steps: Sequence[tuple[str, int]], number: int) -> None:
        asyncio.run_coroutine_threadsafe(life(steps, number), loop).result()

    await asyncio.to_thread(live)

    seen = {name for name, times in counted.items() if times}
    assert seen >= {f"{name} {value}" for name in (*FILTERS, "toShip") for value in (True, False)}, counted
