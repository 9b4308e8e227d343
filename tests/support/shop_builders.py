"""Builders of test data. Every argument is optional; everything goes through the services."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from gqlstock.rules import catalog as rules
from gqlstock.rules.catalog import InventoryTracking, Option, OptionValue
from gqlstock.rules.geo import Point
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import catalog, categories, count_stock, place_order, settings, tokens
from gqlstock.services import combinations as combination_services
from gqlstock.services import warehouses as places
from gqlstock.services.count_stock import CountStockRequest, StockCount
from gqlstock.services.warehouses import AssignedWarehouse

Quantity = int | float | str | Decimal


async def warehouse(
    code: str = "BERLIN", *, name: str | None = None, active: bool = True, location: tuple[float, float] | None = None
) -> int:
    given = {"code": code, "name": name or code.capitalize(), "active": active}
    return await places.create_warehouse(given | ({"location": Point(*location)} if location else {}))


async def website(
    code: str = "shop",
    *,
    name: str | None = None,
    organization: str | None = None,
    warehouses: Sequence[str | AssignedWarehouse] = (),
) -> int:
    """A website. ``warehouses``: in order of priority."""
    return await places.create_website(code, name or code.capitalize(), organization, _assigned(warehouses))


async def organization(
    code: str = "acme", *, name: str | None = None, warehouses: Sequence[str | AssignedWarehouse] = ()
) -> int:
    return await places.create_organization(code, name or code.capitalize(), _assigned(warehouses))


def _assigned(codes: Sequence[str | AssignedWarehouse]) -> list[AssignedWarehouse]:
    return [AssignedWarehouse(code) if isinstance(code, str) else code for code in codes]


async def shop() -> None:
    """The warehouse BERLIN and the website shop, which sells from it."""
    await warehouse("BERLIN")
    await website("shop", warehouses=["BERLIN"])


async def category(slug: str = "kitchen", *, name: str | None = None, parent: str | None = None) -> int:
    return await categories.create(slug, name or slug.capitalize(), parent)


async def product(
    sku: str = "MUG",
    *,
    name: str | None = None,
    options: Mapping[str, Sequence[str]] | Sequence[Option] = (),
    combinations: bool = True,
    tracking: InventoryTracking | None = None,
    **given: Any,
) -> int:
    """A product. With ``options``, such as {"Size": ["S", "M"]}, it is tracked with options and has every combination.

    ``given``: as in services.catalog.create_product: category, published, slug, barcode, description, images.
    """
    made = _options(options)
    default = InventoryTracking.TRACK_WITH_OPTIONS if made else InventoryTracking.TRACK_WITHOUT_OPTIONS
    values = {"sku": sku, "name": name or sku.capitalize(), "tracking": tracking or default, "options": made, **given}
    product_id = await catalog.create_product(values)
    if combinations and rules.inventory_options(made):
        await combination_services.generate(sku)
    return product_id


def _options(options: Mapping[str, Sequence[str]] | Sequence[Option]) -> tuple[Option, ...]:
    if isinstance(options, Mapping):
        return tuple(Option(name, tuple(OptionValue(value) for value in values)) for name, values in options.items())
    return tuple(options)


async def stock(sku: str = "MUG", warehouse: str = "BERLIN", on_hand: Quantity = 5) -> int:
    """Count stock. Returns the id of the level."""
    counted = await count_stock.count(SYSTEM, CountStockRequest((StockCount(sku, warehouse, Decimal(str(on_hand))),)))
    return counted.ids["levels"][0]


async def setting(
    *,
    system: bool = False,
    organization: str | None = None,
    website: str | None = None,
    category: str | None = None,
    product: str | None = None,
    combination: str | None = None,
    level: tuple[str, str] | None = None,
    **values: Any,
) -> None:
    """Set values at a place, by default the system: ``setting(product="MUG", notify_below=3)``."""
    owners: dict[str, Any] = {
        "organization": organization,
        "website": website,
        "category": category,
        "product": product,
        "combination": combination,
        "level": {"sku": level[0], "warehouse": level[1]} if level else None,
    }
    named = {name: owner for name, owner in owners.items() if owner is not None}
    exact = {
        name: Decimal(str(value)) if type(value) in (int, float) and name != "incoming_buffer_days" else value
        for name, value in values.items()
    }
    await settings.change(settings.target_of(named or {"system": True}), exact)


async def order(
    sku: str = "MUG",
    quantity: Quantity = 1,
    *,
    lines: Mapping[str, Quantity] | None = None,
    website: str | None = None,
    reference: str | None = None,
) -> int:
    """Place an order with one line, or with ``lines`` such as {"MUG": 2, "CUP": 1}. Returns its id."""
    wanted = {sku: quantity} if lines is None else lines
    asked = OrderRequest(
        lines=tuple(RequestedLine(sku, Decimal(str(units))) for sku, units in wanted.items()),
        website=website,
        reference=reference,
    )
    return (await place_order.place(SYSTEM, asked)).ids["order"][0]


async def token(*scopes: str, name: str = "test", warehouses: Sequence[str] = (), expires: str | None = None) -> str:
    """A token with these scopes, by default all, and optionally limited to some warehouses."""
    return await tokens.create(name, scopes or ("admin",), warehouses, expires)
