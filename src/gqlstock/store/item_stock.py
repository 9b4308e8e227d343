"""Filters of items by their stock."""

from collections.abc import Collection
from dataclasses import dataclass

from tortoise.expressions import Q

from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.counting import ManagedStock
from gqlstock.rules.filters import ItemFilter
from gqlstock.rules.settings import SettingScope
from gqlstock.store import settings
from gqlstock.store.db import conditions, sql
from gqlstock.store.db.conditions import Condition, exists, listed

_HAS_COMBINATIONS = f'"item".product_id IS NULL AND "item".tracking = \'{InventoryTracking.TRACK_WITH_OPTIONS}\''
_OF_COMBINATION = f"""(SELECT p.tracking FROM item p WHERE p.id = "item".product_id)
    = '{InventoryTracking.TRACK_WITH_OPTIONS}'"""
_HAS_ALERT = exists("low_inventory_alert a WHERE a.item_id = \"item\".id AND a.state = 'RAISED' {there}")
_ALERTED = "SELECT a.item_id AS id FROM low_inventory_alert a WHERE a.state = 'RAISED' {there}"
_OWN_UNITS = exists('inventory_level l WHERE l.item_id = "item".id AND l.{figure} > 0 {there}')
_UNITS_OF_COMBINATIONS = exists("""item c JOIN inventory_level l ON l.item_id = c.id
    WHERE c.product_id = "item".id AND c.deleted_at IS NULL AND l.{figure} > 0 {there}""")
_HAS_UNITS = f"(CASE WHEN {_HAS_COMBINATIONS} THEN {_UNITS_OF_COMBINATIONS} ELSE {_OWN_UNITS} END)"
_WITH_UNITS = "SELECT l.item_id AS id FROM inventory_level l WHERE l.{figure} > 0 {there}"
_PRODUCTS = "SELECT product_id AS id FROM item WHERE id IN ({slots}) AND product_id IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Supply:
    """The data that decides whether items are out of stock."""

    warehouses: Collection[int]
    """The ids of the active warehouses that count."""
    freed: Collection[int]
    """The ids of items that have units available there only because holds have expired."""
    managed: ManagedStock


async def filters(chosen: ItemFilter, within: Collection[int] | None, supply: Supply | None) -> list[Q]:
    """What a filter says about the stock of items. ``within``: only the stock of these warehouses counts.

    ``supply`` is needed for ``out_of_stock``.
    """
    found: list[Q] = []
    if chosen.low is not None:
        there = _there("a", within)
        found += await _either(_HAS_ALERT.format(there=there), _ALERTED, passing=chosen.low, there=there)
    for figure, passing in (("backordered", chosen.backordered), ("incoming", chosen.incoming)):
        if passing is not None:
            there = _there("l", within)
            having = _HAS_UNITS.format(figure=figure, there=there)
            found += await _either(having, _WITH_UNITS, passing=passing, figure=figure, there=there)
    if chosen.out_of_stock is not None:
        assert supply is not None
        out = _out_of_stock(supply)
        found.append(Condition(out if chosen.out_of_stock else f"NOT {out}"))
    return found


async def _either(condition: str, some: str, *, passing: bool, **names: str) -> list[Q]:
    """A condition or its opposite. ``some``: a statement for the items that meet it, or whose products do."""
    if not passing:
        return [Condition(f"NOT {condition}")]
    found = await conditions.few(some.format(**names))
    if found is None:
        return [Condition(condition)]
    products = await sql.query(_PRODUCTS.format(slots=sql.slots(found)), *found)
    return [Q(id__in=sorted(found | {row["id"] for row in products})), Condition(condition)]


def _out_of_stock(supply: Supply) -> str:
    """Whether an item is counted and has nothing available; a product with counted combinations, whether all are."""
    here, member = '"item"', "c"
    members_in_stock = f"""item c WHERE c.product_id = "item".id AND c.deleted_at IS NULL
        AND ({_is_available(member, supply)} OR NOT {_is_managed(member, supply.managed)})"""
    return f"""(CASE
        WHEN {_HAS_COMBINATIONS} THEN NOT {exists(members_in_stock)}
        WHEN "item".product_id IS NULL AND "item".tracking = '{InventoryTracking.DO_NOT_TRACK}' THEN FALSE
        WHEN "item".product_id IS NOT NULL AND NOT {_OF_COMBINATION} THEN FALSE
        ELSE NOT {_is_available(here, supply)} AND {_is_managed(here, supply.managed)} END)"""


def _is_available(item: str, supply: Supply) -> str:
    freed = f"OR {item}.id IN ({listed(supply.freed)})" if supply.freed else ""
    available = f"""inventory_level l WHERE l.item_id = {item}.id AND l.available > 0
        AND l.deleted_at IS NULL AND l.warehouse_id IN ({listed(supply.warehouses)})"""
    return f"({exists(available)} {freed})"


def _is_managed(item: str, managed: ManagedStock) -> str:
    """``manageStock`` of an item: its own value, else its product's, else what ``managed`` says."""
    own = [
        f"(SELECT {settings.is_on('manage_stock', 'o')} FROM setting_override o"
        f" WHERE o.scope = '{scope}' AND o.owner_id = {owner})"
        for scope, owner in (
            (SettingScope.COMBINATION, f"{item}.id"),
            (SettingScope.PRODUCT, f"COALESCE({item}.product_id, {item}.id)"),
        )
    ]
    cases = [
        f"WHEN {item}.category_id IN ({listed(ids)}) THEN {_boolean(value)}"
        for value in (True, False)
        if (ids := [category_id for category_id, one in managed.categories.items() if one is value])
    ]
    for warehouses, value in managed.websites:
        having = f"inventory_level l WHERE l.item_id = {item}.id AND l.deleted_at IS NULL"
        having += f" AND l.warehouse_id IN ({listed(warehouses)})"
        cases.append(f"WHEN {exists(having)} THEN {_boolean(value)}")
    otherwise = _boolean(managed.otherwise)
    above = f"CASE {' '.join(cases)} ELSE {otherwise} END" if cases else otherwise
    return f"COALESCE({', '.join(own)}, {above})"


def _there(alias: str, within: Collection[int] | None) -> str:
    return "" if within is None else f"AND {alias}.warehouse_id IN ({listed(within)})"


def _boolean(value: bool) -> str:  # noqa: FBT001
    return "TRUE" if value else "FALSE"
