"""Acknowledges low-inventory alerts, and resolves those of deleted items. ``stock.consequences`` raises them."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from gqlstock.rules import events, refusals
from gqlstock.rules.alerts import AlertState, LowInventoryAlert
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.scopes import Caller
from gqlstock.store import alerts, commands, outbox
from gqlstock.store.db import clock, tables, transactions


async def acknowledge(caller: Caller, alert_id: GivenId) -> int:
    """Record the caller as the one who acknowledged an alert; the first caller stays recorded. Returns the alert's id."""

    async def work() -> int:
        row_id = alert_id.row_id
        alert = (await alerts.alerts([row_id])).get(row_id) if row_id is not None else None
        if alert is None or not caller.reaches(alert.warehouse_id):
            raise refusals.missing("alert", alert_id.text, "id")
        if alert.acknowledged_at is None:
            acknowledged = replace(alert, acknowledged_by=caller.name, acknowledged_at=clock.now())
            await tables.update(LowInventoryAlert, [(alert, acknowledged)])
            await outbox.add([events.alert_acknowledged(acknowledged)])
        return alert.id

    return await transactions.run(work)


async def resolve(item_ids: Collection[int], now: datetime) -> None:
    """Resolve the open alerts of locked items, in the running transaction."""
    open_alerts = await commands.open_alerts(item_ids)
    changed = [(alert, replace(alert, state=AlertState.RESOLVED, resolved_at=now)) for alert in open_alerts]
    await tables.update(LowInventoryAlert, changed)
    await outbox.add([events.alert_changed(after) for _, after in changed])
