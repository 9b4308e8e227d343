"""Low-inventory alerts, from the back office's side: taking one on."""

from gqlstock.rules import refusals
from gqlstock.rules.scopes import Caller
from gqlstock.store import alerts, database


async def acknowledge(caller: Caller, alert_id: int | None, told: str) -> int:
    """Say who takes an alert on; whoever says it first stays. ``told`` is the id as the caller knows it."""

    async def work() -> int:
        alert = (await alerts.alerts([alert_id])).get(alert_id) if alert_id is not None else None
        if alert is None or not caller.reaches(alert.warehouse_id):
            raise refusals.missing("alert", told, "id")
        if alert.acknowledged_at is None:
            await alerts.acknowledge(alert, caller.name, database.now())
        return int(alert.id)

    return await database.transaction(work)
