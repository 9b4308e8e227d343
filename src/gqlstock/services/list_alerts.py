"""Finds low-inventory alerts for a caller. Alerts over all warehouses need access to all of them."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from gqlstock.rules.alerts import LowInventoryAlert
from gqlstock.rules.filters import AlertFilter
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.services import categories
from gqlstock.stock import present
from gqlstock.stock.lists import QueryRows, Rows
from gqlstock.store import alerts as rows


async def by_id(ids: Collection[int]) -> dict[int, LowInventoryAlert]:
    return await rows.alerts(ids)


async def matching(chosen: AlertFilter, caller: Caller) -> Rows[LowInventoryAlert]:
    """The alerts that match a filter. Raises ``Refused`` for an unknown category."""
    return QueryRows(await _query(chosen, caller))


def lasting(chosen: AlertFilter) -> AlertFilter:
    """The part of a filter that never changes for an alert. ``passes`` is the other part."""
    return replace(chosen, state=None, acknowledged=None)


async def passing(ids: Collection[int], chosen: AlertFilter) -> Collection[int]:
    """The ids of those alerts that match a filter."""
    return ids if chosen == AlertFilter() else await rows.ids_among(await _query(chosen, SYSTEM), ids)


def passes(alert: LowInventoryAlert, chosen: AlertFilter) -> bool:
    """Whether the state of an alert matches."""
    if chosen.state is not None and alert.state is not chosen.state:
        return False
    return chosen.acknowledged is None or (alert.acknowledged_at is not None) == chosen.acknowledged


async def _query(chosen: AlertFilter, caller: Caller) -> Any:
    warehouse_ids = None if chosen.warehouses is None else await _warehouse_ids(chosen.warehouses)
    in_categories = None if chosen.category is None else await categories.ids_below(chosen.category)
    return await rows.matching(chosen, caller.warehouses, warehouse_ids=warehouse_ids, in_categories=in_categories)


async def _warehouse_ids(codes: Collection[str]) -> list[int]:
    network = await present.network()
    return [warehouse_id for code in codes if (warehouse_id := network.warehouse_id(code)) is not None]
