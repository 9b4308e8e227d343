"""Whether those alerts are open that should be, and all are as they were raised."""

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
        found = await _due(set(item_ids))
        # What settings have changed is followed within seconds: until then alerts are as the settings of before want them.
        if found and await reassessments.is_pending():
            return
        for difference in found:
            yield difference


def _figures(alert: LowInventoryAlert) -> Iterator[Figure]:
    yield is_set("resolvedAt", alert.resolved_at, when=alert.state is AlertState.RESOLVED)
    yield is_set("acknowledgedAt", alert.acknowledged_at, when=alert.acknowledged_by is not None)
    is_fall = rules.step(alert.quantity_left, alert.threshold, is_open=False) is AlertStep.RAISE
    yield "quantityLeft", "below its threshold" if is_fall else "not below its threshold", "below its threshold"
    yield content(alert.seal, seals.of_alert(alert))


async def _due(item_ids: set[int]) -> list[Difference]:
    current = await loading.of_items(item_ids)
    # Holds that have expired count nowhere: the last change may have gone by that before the sweep has written it.
    stored = current.copy()
    for level in await levels.stored_of_items(item_ids):
        stored.put_level(level)
    return [
        one
        for item_id in sorted(item_ids)
        for one in _told(alerts_due(stored, item_id), alerts_due(current, item_id), current)
    ]


def _told(one: AlertsDue, other: AlertsDue, found: Snapshot) -> Iterator[Difference]:
    """What is due by both."""
    places = {warehouse_id: code for code, warehouse_id in found.network.codes.items()}
    falls = {(fall.item.id, fall.warehouse_id) for fall in other.falls}
    over = {alert.id for alert in other.over}
    for fall in one.falls:
        if (fall.item.id, fall.warehouse_id) in falls:
            where = places[fall.warehouse_id] if fall.warehouse_id is not None else "all warehouses"
            yield Difference(f"{fall.item.sku} in {where}", "its low-inventory alert", "missing", "open")
    for alert in one.over:
        if alert.id in over:
            yield Difference(f"Alert {alert.id} of {alert.sku}", "state", AlertState.RAISED, AlertState.RESOLVED)
