"""Helpers to ship, receive and cancel transfers, and to locate their units."""

from datetime import datetime
from decimal import Decimal

from gqlstock.rules import transfers as rules
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine
from gqlstock.services import cancel_transfer, receive_transfer, ship_transfer
from gqlstock.services.receive_transfer import ReceiveTransferRequest
from gqlstock.services.ship_transfer import ShipTransferRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.store import transfers as store
from gqlstock.store.db import sql
from gqlstock.store.db.fields import from_units

Row = tuple[str, int | float | str]


def rows(*given: Row) -> tuple[StockLine, ...]:
    return tuple(StockLine(sku, Decimal(str(quantity))) for sku, quantity in given)


async def ship(
    *given: Row,
    source: str = "BERLIN",
    target: str = "HAMBURG",
    expected_at: datetime | None = None,
    caller: Caller = SYSTEM,
    key: str | None = None,
    reference: str | None = None,
) -> str:
    """Ship a transfer. Returns its number."""
    request = ShipTransferRequest(source, target, rows(*given), expected_at, reference)
    return rules.number((await ship_transfer.ship(caller, request, key)).ids["transfer"][0])


async def receive(
    number: str,
    *given: Row,
    close: bool = False,
    everything: bool = False,
    caller: Caller = SYSTEM,
    key: str | None = None,
) -> None:
    """Receive these rows. ``everything``: receive all units in transit."""
    request = ReceiveTransferRequest(number, None if everything else rows(*given), close)
    await receive_transfer.receive(caller, request, key)


async def cancel(number: str, *, caller: Caller = SYSTEM) -> None:
    await cancel_transfer.cancel(caller, number)


async def found(number: str) -> InventoryTransfer:
    transfer_id = rules.id_of(number)
    assert transfer_id is not None
    return (await store.transfers([transfer_id]))[transfer_id]


async def lines(number: str) -> list[InventoryTransferLine]:
    transfer_id = rules.id_of(number)
    assert transfer_id is not None
    return (await store.lines_of([transfer_id]))[transfer_id]


async def counts(number: str) -> list[tuple[str, Decimal, Decimal, Decimal, Decimal]]:
    """For each line: the SKU, and the shipped, received, returned and lost units."""
    return [(one.sku, one.quantity, one.received, one.returned, one.lost) for one in await lines(number)]


async def units() -> Decimal:
    """The sum of all units on hand, in transit and lost, which transfers do not change."""
    on_hand = await sql.query("SELECT COALESCE(SUM(on_hand), 0) AS units FROM inventory_level")
    away = await sql.query(
        "SELECT COALESCE(SUM(quantity - received - returned), 0) AS units FROM inventory_transfer_line"
    )
    return from_units(int(on_hand[0]["units"] + away[0]["units"]))
