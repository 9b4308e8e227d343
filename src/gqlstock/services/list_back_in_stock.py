"""Finds back-in-stock subscriptions."""

from collections.abc import Collection

from gqlstock.rules.back_in_stock import BackInStockState, BackInStockSubscription
from gqlstock.stock.lists import QueryRows, Rows
from gqlstock.store import back_in_stock as rows


async def by_id(ids: Collection[int]) -> dict[int, BackInStockSubscription]:
    return await rows.subscriptions(ids)


async def matching(sku: str | None, state: BackInStockState | None) -> Rows[BackInStockSubscription]:
    """Subscriptions to one item, by its SKU then or now, or to all; in one state or any."""
    return QueryRows(await rows.matching(sku, state))
