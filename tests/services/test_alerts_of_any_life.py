"""Random lives of items beside a model of alerts in plain Python.

After each step the open alerts are those of the model, and verify agrees, also about items that nobody has counted.
"""

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from gqlstock.rules.alerts import AlertState
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import InventoryDecrement
from gqlstock.services import catalog, delete_level, reassess, verification, warehouses
from gqlstock.store.alerts import LowInventoryAlert
from support import importing
from support import shop_builders as make

STEPS = 60
PLACES = ("BERLIN", "HAMBURG")
CATEGORIES = {"cups": ("cups", "kitchen"), "garden": ("garden",), None: ()}

Shelf = tuple[str, str]
"""An item in a warehouse."""


@dataclass
class Watched:
    """An item: its product and the category of that."""

    product: str
    category: str | None = None


class Model:
    def __init__(self) -> None:
        self.items = {"MUG": Watched("MUG", "cups"), "CUP": Watched("CUP")}
        self.items |= {sku: Watched("SHIRT", "garden") for sku in ("SHIRT-S", "SHIRT-M")}
        self.on_hand: dict[Shelf, int] = {}
        self.active = {*PLACES}
        self.sold_from = {"first": {"BERLIN"}, "second": {*PLACES}}
        self.set: dict[tuple[str, Any], dict[str, Any]] = {}
        """The values of each place, such as ("product", "MUG")."""

    def levels(self, sku: str) -> dict[str, int]:
        return {place: units for (one, place), units in self.on_hand.items() if one == sku}

    def value(self, sku: str, name: str) -> Any:
        item = self.items[sku]
        counted = self.levels(sku).keys() & self.active
        home = [site for site, sold in self.sold_from.items() if sold & counted][:1]
        above = [*(("website", site) for site in home), *(("organization", "default") for _ in home), ("system", True)]
        own = [("combination", sku), ("product", item.product)]
        chain = [*own, *(("category", one) for one in CATEGORIES[item.category]), *above]
        found = (self.set.get(place, {}).get(name) for place in chain)
        return next((one for one in found if one is not None), None)

    def open_alerts(self) -> set[tuple[str, str | None]]:
        """The SKU and the warehouse of each low quantity; None for all warehouses together."""
        found: set[tuple[str, str | None]] = set()
        for sku in self.items:
            levels = self.levels(sku)
            if not levels or self.value(sku, "manage_stock") is False:
                continue
            here = {place: units for place, units in levels.items() if place in self.active}
            below = self.value(sku, "notify_below")
            if below is not None and sum(here.values()) < below:
                found.add((sku, None))
            for place, units in here.items():
                own = self.set.get(("level", (sku, place)), {}).get("notify_below")
                if own is not None and units < own:
                    found.add((sku, place))
        return found


class Life:
    """Does each step to the model and to the shop."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.model = Model()
        self.ordered: set[Shelf] = set()
        self.made = 0

    async def step(self) -> None:
        usual = (self.threshold, self.threshold, self.count, self.count, self.order, self.delete_level, self.manage)
        rare = (self.close, self.sell, self.create, self.delete, self.move, self.take_in)
        await self.chance.choice((*usual, *usual, *rare))()

    def _item(self) -> str:
        return self.chance.choice(list(self.model.items))

    def _place(self) -> tuple[str, Any]:
        """Any place that settings of alerts are looked up at."""
        sku = self._item()
        product = self.model.items[sku].product
        levels: list[tuple[str, Any]] = [("level", shelf) for shelf in self.model.on_hand]
        own = ("product", product) if sku == product else ("combination", sku)
        above = [("website", "first"), ("website", "second"), ("organization", "default"), ("system", True)]
        categories = [("category", one) for one in ("cups", "kitchen", "garden")]
        return self.chance.choice(
            [own, ("product", product), *categories, *above, *self.chance.sample(levels, min(2, len(levels)))]
        )

    async def _set(self, place: tuple[str, Any], **values: Any) -> None:
        scope, owner = place
        await make.setting(**{scope: owner}, **values)
        self.model.set.setdefault(place, {}).update(values)

    async def threshold(self) -> None:
        await self._set(self._place(), notify_below=self.chance.choice((None, 0, 2, 5, 8)))

    async def manage(self) -> None:
        place = self._place()
        # Off for a whole website, most lives would have no alert.
        if place[0] in ("product", "combination", "category"):
            await self._set(place, manage_stock=self.chance.choice((None, True, True, False)))

    async def count(self) -> None:
        sku, place, units = self._item(), self.chance.choice(PLACES), self.chance.choice((0, 0, 1, 4, 9))
        await make.stock(sku, place, units)
        self.model.on_hand[sku, place] = units

    async def order(self) -> None:
        """An order of one unit of BERLIN, whose mode takes it off the level or leaves the level as it is."""
        found = [shelf for shelf, units in self.model.on_hand.items() if units and shelf[1] == "BERLIN"]
        if not found or "BERLIN" not in self.model.active or "BERLIN" not in self.model.sold_from["first"]:
            return
        sku, place = self.chance.choice(found)
        if self.model.value(sku, "manage_stock") is False:
            return
        mode = self.chance.choice((InventoryDecrement.ON_ORDER, InventoryDecrement.NEVER))
        await make.setting(website="first", decrement_inventory=mode)
        await make.order(sku, 1, website="first")
        self.ordered.add((sku, place))
        if mode is InventoryDecrement.ON_ORDER:
            self.model.on_hand[sku, place] -= 1

    async def delete_level(self) -> None:
        unused = [shelf for shelf, units in self.model.on_hand.items() if not units and shelf not in self.ordered]
        if unused:
            sku, place = self.chance.choice(unused)
            await delete_level.delete(SYSTEM, sku, place)
            del self.model.on_hand[sku, place]

    async def close(self) -> None:
        place = self.chance.choice(PLACES)
        self.model.active ^= {place}
        await warehouses.update_warehouse(place, {"active": place in self.model.active})

    async def sell(self) -> None:
        site, places = self.chance.choice(("first", "second")), self.chance.choice((PLACES[:1], PLACES[1:], PLACES))
        self.model.sold_from[site] = {*places}
        assigned = [warehouses.AssignedWarehouse(place) for place in places]
        await warehouses.update_website(site, {"warehouses": assigned})

    async def create(self) -> None:
        """A new product finds the settings of its category and of what is above."""
        self.made += 1
        sku, category = f"NEW-{self.made}", self.chance.choice(list(CATEGORIES))
        await make.product(sku, category=category)
        self.model.items[sku] = Watched(sku, category)

    async def delete(self) -> None:
        uncounted = [sku for sku in self.model.items if sku.startswith("NEW") and not self.model.levels(sku)]
        if uncounted:
            sku = self.chance.choice(uncounted)
            await catalog.delete_product(sku)
            del self.model.items[sku]

    async def move(self) -> None:
        sku, category = self.chance.choice(("MUG", "CUP")), self.chance.choice(list(CATEGORIES))
        await catalog.update_product(sku, {"category": category})
        self.model.items[sku].category = category

    async def take_in(self) -> None:
        """A file with a threshold for a product, and with or without its units."""
        self.made += 1
        sku, low, units = f"NEW-{self.made}", self.chance.choice((0, 2, 5)), self.chance.choice((None, 0, 4, 9))
        stock = "" if units is None else str(units)
        lines = [
            "ID,Type,SKU,Name,Published,In stock?,Stock,Low stock amount,Backorders allowed?\n",
            f"{self.made},simple,{sku},Thing,1,1,{stock},{low},0\n",
        ]
        await importing.run("woocommerce", lines, warehouse="BERLIN")
        self.model.items[sku] = Watched(sku)
        if units is None:
            # WooCommerce leaves the cell empty for what it does not count.
            self.model.set["product", sku] = {"manage_stock": False}
        else:
            self.model.set["product", sku] = {"notify_below": Decimal(low + 1), "manage_stock": None}
            self.model.on_hand[sku, "BERLIN"] = units

    async def check(self) -> None:
        await reassess.run()
        rows = await LowInventoryAlert.filter(state=AlertState.RAISED).select_related("warehouse")
        assert {(row.sku, row.warehouse.code if row.warehouse else None) for row in rows} == self.model.open_alerts()
        assert [str(one) for one in await verification.verify()] == []


@pytest.mark.parametrize("seed", range(4))
async def test_open_alerts_are_those_of_the_levels_and_settings_of_any_life(db: None, seed: int) -> None:
    for code in PLACES:
        await make.warehouse(code)
    await make.website("first", warehouses=["BERLIN"])
    await make.website("second", warehouses=list(PLACES))
    await make.category("kitchen")
    await make.category("cups", parent="kitchen")
    await make.category("garden")
    await make.product("MUG", category="cups")
    await make.product("CUP")
    await make.product("SHIRT", category="garden", options={"Size": ["S", "M"]})
    life, seen = Life(seed), 0

    for _ in range(STEPS):
        await life.step()
        await life.check()
        seen += len(life.model.open_alerts())

    assert seen > 10
