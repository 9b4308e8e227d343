"""Verifies that the right alerts are open, and that no alert was changed."""

from collections.abc import AsyncIterator, Iterator

from gqlstock.rules import alerts as rules
from gqlstock.rules import seals
from gqlstock.rules.alerts import AlertState, AlertStep, LowInventoryAlert
from gqlstock.services.verification.differences import Difference, Figure, content, different, is_set
from gqlstock.stock import loading
from gqlstock.stock.consequences import AlertsDue, alerts_due
from gqlstock.stock.snapshot import Snapshot
from gqlstock.store import levels, reassessments
from gqlstock.store import verification as rows


async def check() -> AsyncIterator[Difference]:
    async for part in rows.parts(LowInventoryAlert):
        for alert in part:
            for difference in different(f"Alert {alert.id} of {alert.sku}", _figures(alert)):
                yield difference
    async for item_ids in rows.item_ids():
        differences = await _due(set(item_ids))
        # Alerts follow changed settings within seconds; until then they match the old settings.
        if differences and await reassessments.is_pending():
            return
        for difference in differences:
            yield difference


def _figures(alert: LowInventoryAlert) -> Iterator[Figure]:
    yield is_set("resolvedAt", alert.resolved_at, when=alert.state is AlertState.RESOLVED)
    yield is_set("acknowledgedAt", alert.acknowledged_at, when=alert.acknowledged_by is not None)
    is_low = rules.step(alert.quantity_left, alert.threshold, is_open=False) is AlertStep.RAISE
    yield "quantityLeft", "below its threshold" if is_low else "not below its threshold", "below its threshold"
    yield content(alert.seal, seals.of_alert(alert))


async def _due(item_ids: set[int]) -> list[Difference]:
    current = await loading.of_items(item_ids)
    # The last change may have counted an expired hold that is not swept yet. Report only differences with and without it.
    stored = current.copy()
    for level in await levels.stored_of_items(item_ids):
        stored.put_level(level)
    return [
        one
        for item_id in sorted(item_ids)
        for one in _common(alerts_due(stored, item_id), alerts_due(current, item_id), current)
    ]


def _common(one: AlertsDue, other: AlertsDue, snapshot: Snapshot) -> Iterator[Difference]:
    """The differences that both find."""
    codes = {warehouse_id: code for code, warehouse_id in snapshot.network.codes.items()}
    to_raise = {(low.item.id, low.warehouse_id) for low in other.to_raise}
    to_resolve = {alert.id for alert in other.to_resolve}
    for low in one.to_raise:
        if (low.item.id, low.warehouse_id) in to_raise:
            where = codes[low.warehouse_id] if low.warehouse_id is not None else "all warehouses"
            yield Difference(f"{low.item.sku} in {where}", "its low-inventory alert", "missing", "open")
    for alert in one.to_resolve:
        if alert.id in to_resolve:
            yield Difference(f"Alert {alert.id} of {alert.sku}", "state", AlertState.RAISED, AlertState.RESOLVED)
