"""Low-inventory alerts beside changes of stock: taking one on, and resolving those of deleted items."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from gqlstock.rules import events, refusals
from gqlstock.rules.alerts import AlertState, LowInventoryAlert
from gqlstock.rules.scopes import Caller
from gqlstock.store import alerts, commands, outbox
from gqlstock.store.db import clock, tables, transactions


async def acknowledge(caller: Caller, alert_id: int | None, told: str) -> int:
    """Say who takes an alert on; whoever says it first stays. ``told`` is the id as the caller knows it."""

    async def work() -> int:
        alert = (await alerts.alerts([alert_id])).get(alert_id) if alert_id is not None else None
        if alert is None or not caller.reaches(alert.warehouse_id):
            raise refusals.missing("alert", told, "id")
        if alert.acknowledged_at is None:
            taken_on = replace(alert, acknowledged_by=caller.name, acknowledged_at=clock.now())
            await _write([(alert, taken_on)])
        return alert.id

    return await transactions.run(work)


async def resolve(item_ids: Collection[int], now: datetime) -> None:
    """Resolve the open alerts of locked items, with the running transaction."""
    over = await commands.open_alerts(item_ids)
    await _write([(alert, replace(alert, state=AlertState.RESOLVED, resolved_at=now)) for alert in over])


async def _write(changed: Sequence[tuple[LowInventoryAlert, LowInventoryAlert]]) -> None:
    """Write alerts as they are now beside how they were, with the news of it."""
    await tables.update(LowInventoryAlert, changed)
    await outbox.add([events.alert_changed(after) for _, after in changed])
