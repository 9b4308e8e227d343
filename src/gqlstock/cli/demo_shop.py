"""The demo's shop: what it sells, where it keeps it, and when it wants to be told that it runs low."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gqlstock.rules.catalog import InventoryTracking, Option, OptionValue
from gqlstock.rules.geo import Point
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import BackorderMode, SettingScope
from gqlstock.services import catalog, categories, settings, stock, warehouses
from gqlstock.services.settings import Spot
from gqlstock.services.stock import Counting, StockCount
from gqlstock.services.warehouses import Assigned
from gqlstock.store import catalog as rows


@dataclass(frozen=True, slots=True)
class Shop:
    """What can be ordered, by SKU, and where it is delivered to."""

    skus: tuple[str, ...]
    warehouses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Ware:
    """``name`` gives the SKU; ``units`` are there at first of every item of it, in each warehouse that sells."""

    name: str
    units: int
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notify_below: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sku(self) -> str:
        return self.name.upper().replace(" ", "-")


_WAREHOUSES = (
    ("BERLIN", "Berlin", Point(52.52, 13.405), True),
    ("LYON", "Lyon", Point(45.764, 4.8357), True),
    ("POZNAN", "Poznań, being moved into", Point(52.4064, 16.9252), False),
)
_SELLING = tuple(code for code, _, _, active in _WAREHOUSES if active)

_COLORS = ("Blue", "Green", "White")
_SIZES = ("S", "M", "L", "XL")

# Category: its parent, its name, and what lies in it.
_SHELVES: Mapping[str, tuple[str | None, str, Sequence[_Ware]]] = {
    "home": (None, "Home", ()),
    "kitchen": (
        "home",
        "Kitchen",
        (
            _Ware("Mug", 12, {"Color": _COLORS}, notify_below=10),
            _Ware("Teapot", 8, notify_below=14),
            _Ware("Bread knife", 15),
            _Ware("Cutting board", 10, notify_below=5),
            _Ware("Enamel pan", 6, settings={"only_x_left_threshold": Decimal(3)}),
            _Ware("Salt mill", 20),
            _Ware("Pepper mill", 20, notify_below=12),
            _Ware("Tea towel", 30, {"Color": _COLORS}),
            _Ware("Carafe", 9),
        ),
    ),
    "garden": (
        "home",
        "Garden",
        (
            _Ware("Watering can", 10, {"Color": ("Green", "Zinc")}, notify_below=6),
            _Ware("Garden fork", 7),
            _Ware("Pruning shears", 14, notify_below=8),
            _Ware("Flower pot", 25, {"Size": _SIZES}),
            _Ware("Bird house", 5, settings={"out_of_stock_threshold": Decimal(1)}),
            _Ware("Hammock", 4, settings={"backorders": BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER}),
            _Ware("Seed box", 18),
        ),
    ),
    "clothing": (
        None,
        "Clothing",
        (
            _Ware("T-shirt", 8, {"Size": _SIZES, "Color": ("Blue", "White")}, notify_below=5),
            _Ware("Hoodie", 6, {"Size": _SIZES}),
            _Ware("Rain jacket", 4, {"Size": _SIZES}, notify_below=7),
            _Ware("Wool socks", 40, {"Size": ("36-40", "41-46")}),
            _Ware("Beanie", 16, notify_below=10),
            _Ware("Scarf", 11),
            _Ware("Apron", 13, {"Color": _COLORS}),
        ),
    ),
    "stationery": (
        None,
        "Stationery",
        (
            _Ware("Notebook", 35, {"Size": ("A5", "A4")}),
            _Ware("Fountain pen", 3, notify_below=8),
            _Ware("Ink", 22, {"Color": ("Black", "Blue")}),
            _Ware("Desk lamp", 5, settings={"highlight_low_inventory": True, "low_inventory_threshold": Decimal(4)}),
            _Ware("Wall calendar", 17),
            _Ware("Letter opener", 12),
            _Ware("Gift wrap", 28, {"Color": _COLORS}),
        ),
    ),
}


async def stock_up() -> Shop:
    """Fill an empty database."""
    for code, name, location, active in _WAREHOUSES:
        await warehouses.create_warehouse({"code": code, "name": name, "location": location, "active": active})
    await warehouses.create_website("shop", "The demo shop", warehouses=[Assigned(code) for code, *_ in _WAREHOUSES])
    await settings.change(Spot(SettingScope.WEBSITE, "shop"), {"display_stock_quantity": True})
    skus: list[str] = []
    for slug, (parent, name, wares) in _SHELVES.items():
        await categories.create(slug, name, parent)
        for ware in wares:
            skus += await _put(ware, slug)
    return Shop(tuple(skus), _SELLING)


async def _put(ware: _Ware, category: str) -> list[str]:
    """Make a product with its combinations, its settings and its stock; gives the SKUs that can be ordered."""
    options = tuple(Option(name, tuple(OptionValue(v) for v in values)) for name, values in ware.options.items())
    tracking = InventoryTracking.TRACK_WITH_OPTIONS if options else InventoryTracking.TRACK_WITHOUT_OPTIONS
    given = {"sku": ware.sku, "name": ware.name, "category": category, "options": options, "tracking": tracking}
    made = [await catalog.create_product(given)]
    if options:
        made = await catalog.generate_combinations(ware.sku)
    below = {"notify_below": Decimal(ware.notify_below)} if ware.notify_below is not None else {}
    if below or ware.settings:
        await settings.change(Spot(SettingScope.PRODUCT, ware.sku), {**ware.settings, **below})
    skus = [item.sku for item in (await rows.items(made)).values()]
    counts = tuple(StockCount(sku, code, Decimal(ware.units)) for sku in skus for code in _SELLING)
    await stock.count(SYSTEM, Counting(counts, reason="Opening count"))
    return skus
