"""The demo shop as data: products, warehouses, websites, categories and settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gqlstock.rules.geo import Point
from gqlstock.rules.settings import BackorderMode, InventoryDecrement, LowStockActivity, SettingScope, SourceSelection

HOME = "shop"
TRADE = "trade"
DEFAULT_ORGANIZATION = "default"

# By code: name and location.
WAREHOUSES: Mapping[str, tuple[str, Point]] = {
    "BERLIN": ("Berlin", Point(52.52, 13.405)),
    "LYON": ("Lyon", Point(45.764, 4.8357)),
    "POZNAN": ("Poznań", Point(52.4064, 16.9252)),
}

# By code: name and the warehouses it sells from. The first website is the default.
WEBSITES: Mapping[str, tuple[str, Sequence[str]]] = {
    HOME: ("The demo shop", ("BERLIN", "LYON")),
    TRADE: ("The demo shop for the trade", ("POZNAN", "BERLIN")),
}

# By slug: parent and name.
CATEGORIES: Mapping[str, tuple[str | None, str]] = {
    "home": (None, "Home"),
    "kitchen": ("home", "Kitchen"),
    "tableware": ("kitchen", "Tableware"),
    "garden": ("home", "Garden"),
    "fabrics": ("home", "Fabrics"),
    "clothing": (None, "Clothing"),
    "stationery": (None, "Stationery"),
    "gifts": (None, "Gifts"),
}

COLORS = {
    "Black": "#3a4043",
    "Blue": "#4a7a9c",
    "Green": "#5d8a57",
    "Red": "#b5564b",
    "White": "#e3dccd",
    "Zinc": "#93a0a6",
}
_SIZES = ("S", "M", "L", "XL")


@dataclass(frozen=True, slots=True)
class Ware:
    """A product. ``name`` determines the SKU and the drawing. ``units``: the target stock of each item per warehouse.

    ``liked``: its relative sales; ``at_first``: its initial stock as a fraction of ``units``.
    """

    name: str
    category: str
    units: int
    description: str
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    liked: int = 2
    at_first: Decimal = Decimal(1)
    counted: bool = True

    @property
    def sku(self) -> str:
        return self.name.upper().replace(" ", "-")

    @property
    def drawing(self) -> str:
        return self.name.lower().replace(" ", "-")

    @property
    def preorder(self) -> bool:
        """Whether it is sold before delivery, up to the last announced unit."""
        return bool(self.settings.get("backorders_from_incoming"))

    @property
    def by_the_metre(self) -> bool:
        return bool(self.settings.get("quantity_uses_decimals"))


_HALF = Decimal("0.5")
_LITTLE = Decimal("0.3")

WARES: Sequence[Ware] = (
    Ware("Mug", "tableware", 16, "Stoneware, 0.3 l.", {"Color": ("Blue", "Green", "White")}, liked=6, at_first=_HALF),
    Ware("Teapot", "tableware", 8, "For four cups.", at_first=_HALF, liked=3),
    Ware("Carafe", "tableware", 9, "Glass, one litre."),
    Ware("Bread knife", "kitchen", 10, "Serrated, 20 cm."),
    Ware("Cutting board", "kitchen", 10, "Beech, oiled."),
    Ware("Enamel pan", "kitchen", 8, "24 cm, with a lid.", settings={"only_x_left_threshold": Decimal(8)}),
    # Only units announced with a date can be ordered. They ship a day after arrival.
    Ware(
        "Kettle",
        "kitchen",
        24,
        "Copper, new edition. Available for preorder.",
        settings={
            "backorders": BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,
            "backorders_from_incoming": True,
            "incoming_buffer_days": 1,
            "notify_below": Decimal(0),
        },
        liked=1,
        at_first=Decimal(0),
    ),
    Ware("Pepper mill", "kitchen", 12, "Beech, ceramic grinder.", at_first=_HALF),
    Ware("Tea towel", "kitchen", 14, "Half linen.", {"Color": ("Blue", "Green", "White")}, liked=3),
    Ware("Watering can", "garden", 10, "Ten litres.", {"Color": ("Green", "Zinc")}, liked=3),
    Ware("Garden fork", "garden", 8, "Four tines, ash handle."),
    Ware("Pruning shears", "garden", 10, "For branches of up to 20 mm."),
    Ware("Flower pot", "garden", 12, "Terracotta.", {"Size": _SIZES}, liked=3),
    # Safety stock: the last two units are never sold.
    Ware("Bird house", "garden", 7, "For tits.", settings={"out_of_stock_threshold": Decimal(2)}),
    # Up to 24 units can be backordered.
    Ware(
        "Hammock",
        "garden",
        6,
        "Cotton, made to order when out of stock.",
        settings={
            "backorders": BackorderMode.ALLOW_AND_NOTIFY_CUSTOMER,
            "out_of_stock_threshold": Decimal(-24),
            "availability_range": "2-3 weeks",
        },
        liked=5,
        at_first=_LITTLE,
    ),
    Ware("Seed box", "garden", 9, "Herbs and salads.", settings={"returnable": False}),
    Ware(
        "Linen",
        "fabrics",
        60,
        "By the metre, 140 cm wide.",
        settings={
            "quantity_uses_decimals": True,
            "quantity_increment": Decimal("0.25"),
            "minimum_order_quantity": Decimal("0.5"),
            "notify_below": Decimal(30),
        },
        liked=4,
        at_first=_HALF,
    ),
    Ware("T-shirt", "clothing", 7, "Organic cotton.", {"Size": _SIZES, "Color": ("Blue", "Red")}, liked=6),
    Ware("Rain jacket", "clothing", 6, "Waxed cotton.", {"Size": _SIZES}, at_first=_HALF),
    Ware("Wool socks", "clothing", 16, "Merino.", {"Size": ("36-40", "41-46")}, liked=3),
    Ware("Beanie", "clothing", 10, "Lambswool."),
    Ware("Apron", "clothing", 9, "With a pocket.", {"Color": ("Blue", "Green", "White")}),
    Ware("Notebook", "stationery", 14, "Dotted, 120 pages.", {"Size": ("A5", "A4")}, liked=4),
    # The buy button is disabled when stock is low, until the next delivery.
    Ware(
        "Fountain pen",
        "stationery",
        8,
        "Steel nib.",
        settings={"minimum_stock_quantity": Decimal(3), "low_stock_activity": LowStockActivity.DISABLE_BUY_BUTTON},
        at_first=_LITTLE,
    ),
    Ware("Ink", "stationery", 12, "30 ml.", {"Color": ("Black", "Blue")}),
    Ware("Desk lamp", "stationery", 6, "Steel, with a cable of two metres."),
    Ware("Gift wrap", "gifts", 14, "Ten sheets.", {"Color": ("Blue", "Green", "Red")}),
    Ware("Gift voucher", "gifts", 0, "By email, immediately.", counted=False),
    # Not in stock yet, without low-inventory alerts.
    Ware(
        "Wall calendar",
        "gifts",
        0,
        "Next year's, in print.",
        settings={"upcoming": True, "notify_below": Decimal(0)},
        liked=1,
    ),
)

# Settings at the scopes other than products, to demonstrate each step of the fallback.
SETTINGS: Sequence[tuple[SettingScope, str | None, str | None, Mapping[str, Any]]] = (
    (SettingScope.SYSTEM, None, None, {"only_x_left_threshold": Decimal(3)}),
    (SettingScope.ORGANIZATION, DEFAULT_ORGANIZATION, None, {"notify_below": Decimal(10)}),
    (
        SettingScope.WEBSITE,
        HOME,
        None,
        {"display_stock_quantity": True, "source_selection": SourceSelection.DISTANCE},
    ),
    (
        SettingScope.WEBSITE,
        TRADE,
        None,
        {"decrement_inventory": InventoryDecrement.ON_SHIPMENT, "minimum_order_quantity": Decimal(4)},
    ),
    (
        SettingScope.CATEGORY,
        "clothing",
        None,
        {"highlight_low_inventory": True, "low_inventory_threshold": Decimal(6)},
    ),
    (SettingScope.CATEGORY, "tableware", None, {"notify_below": Decimal(14)}),
    (SettingScope.COMBINATION, "MUG-BLUE", None, {"notify_below": Decimal(20)}),
    (SettingScope.LEVEL, "TEAPOT", "BERLIN", {"notify_below": Decimal(3)}),
)
