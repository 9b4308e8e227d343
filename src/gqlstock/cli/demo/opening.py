"""Sets up the demo shop: writes its products, warehouses, websites and settings to an empty database."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from gqlstock.cli.demo import wares as told
from gqlstock.cli.demo.pictures import image
from gqlstock.cli.demo.wares import COLORS, WAREHOUSES, Ware
from gqlstock.rules.catalog import Image, InventoryTracking, Option, OptionValue
from gqlstock.rules.scopes import SYSTEM
from gqlstock.rules.settings import SettingScope
from gqlstock.services import catalog, categories, combinations, count_stock, databases, settings, warehouses
from gqlstock.services.count_stock import CountStockRequest, StockCount
from gqlstock.services.settings import SettingTarget
from gqlstock.services.warehouses import AssignedWarehouse

_DAYS_UNTIL_PRINTED = 21

Choice = Sequence[tuple[str, str]]
"""Names of options, each with a value."""


@dataclass(frozen=True, slots=True)
class Shop:
    """The orderable items: SKUs and their products. ``wanted`` is the target stock of each warehouse."""

    wares: Mapping[str, Ware]

    def wanted(self, sku: str) -> Decimal:
        return Decimal(self.wares[sku].units)


async def stock_up(site: str) -> Shop:
    """Fill an empty database. ``site`` is the URL that serves the images."""
    await _places()
    for slug, (parent, name) in told.CATEGORIES.items():
        await categories.create(slug, name, parent)
    wares = {sku: ware for ware in told.WARES for sku in await _put(ware, site)}
    await _set(lambda scope: scope is not SettingScope.LEVEL)
    counts = tuple(
        StockCount(sku, code, (ware.units * ware.at_first).to_integral_value(ROUND_CEILING))
        for sku, ware in wares.items()
        if ware.counted
        for code in WAREHOUSES
    )
    await count_stock.count(SYSTEM, CountStockRequest(counts, reason="Opening count"))
    await _set(lambda scope: scope is SettingScope.LEVEL)
    return Shop(wares)


async def _set(wanted: Callable[[SettingScope], bool]) -> None:
    for scope, owner, warehouse, values in told.SETTINGS:
        if wanted(scope):
            await settings.change(SettingTarget(scope, owner, warehouse), values)


async def _places() -> None:
    for code, (name, point) in WAREHOUSES.items():
        await warehouses.create_warehouse({"code": code, "name": name, "location": point})
    for code, (name, sources) in told.WEBSITES.items():
        await warehouses.create_website(code, name, warehouses=[AssignedWarehouse(source) for source in sources])
    named = {"name": "The demo company", "warehouses": [AssignedWarehouse(code) for code in WAREHOUSES]}
    await warehouses.update_organization(told.DEFAULT_ORGANIZATION, named)


async def _put(ware: Ware, site: str) -> list[str]:
    """Create a product with its combinations and settings. Returns the SKUs that can be ordered."""
    options = _options(ware, site)
    given: dict[str, Any] = {
        "sku": ware.sku,
        "name": ware.name,
        "description": ware.description,
        "category": ware.category,
        "images": [image(site, ware.drawing, of=ware.name)],
        "options": options,
        "tracking": _tracking(ware),
    }
    made = [await catalog.create_product(given)]
    if options:
        made = [
            await combinations.create(ware.sku, choice, images=_images(ware, choice, site)) for choice in _choices(ware)
        ]
    values = dict(ware.settings)
    if values.get("upcoming"):
        values["availability_date"] = databases.now() + timedelta(days=_DAYS_UNTIL_PRINTED)
    if values:
        await settings.change(SettingTarget(SettingScope.PRODUCT, ware.sku), values)
    return await combinations.skus_of(made) if options else [ware.sku]


def _options(ware: Ware, site: str) -> tuple[Option, ...]:
    def value(option: str, name: str) -> OptionValue:
        return OptionValue(name, _images(ware, [(option, name)], site))

    return tuple(Option(name, tuple(value(name, one) for one in values)) for name, values in ware.options.items())


def _choices(ware: Ware) -> list[Choice]:
    return [list(zip(ware.options, values, strict=True)) for values in itertools.product(*ware.options.values())]


def _images(ware: Ware, choice: Choice, site: str) -> tuple[Image, ...]:
    """The drawing in the color that is chosen, if any."""
    colors = [value for _, value in choice if value in COLORS]
    return tuple(image(site, ware.drawing, color, of=f"{ware.name}, {color.lower()}") for color in colors)


def _tracking(ware: Ware) -> InventoryTracking:
    if not ware.counted:
        return InventoryTracking.DO_NOT_TRACK
    return InventoryTracking.TRACK_WITH_OPTIONS if ware.options else InventoryTracking.TRACK_WITHOUT_OPTIONS
