"""Finds transfers from and to the warehouses that the caller has access to."""

from collections.abc import Collection, Sequence
from datetime import datetime

from gqlstock.rules import transfers as rules
from gqlstock.rules.filters import TransferFilter
from gqlstock.rules.scopes import Caller
from gqlstock.rules.transfers import InventoryTransfer, InventoryTransferLine
from gqlstock.stock.lists import QueryRows, Rows
from gqlstock.store import transfers as rows


async def by_id(ids: Collection[int]) -> dict[int, InventoryTransfer]:
    return await rows.transfers(ids)


def seen(found: InventoryTransfer, caller: Caller) -> bool:
    """Whether the caller has access to either warehouse of a transfer."""
    return caller.reaches(found.source_id) or caller.reaches(found.target_id)


async def by_number(number: str, caller: Caller) -> InventoryTransfer | None:
    transfer_id = rules.id_of(number)
    found = None if transfer_id is None else (await rows.transfers([transfer_id])).get(transfer_id)
    return found if found is not None and seen(found, caller) else None


async def matching(chosen: TransferFilter, caller: Caller) -> Rows[InventoryTransfer]:
    """The transfers that match a filter."""
    return QueryRows(await rows.matching(chosen, caller.warehouses))


async def lines_of(ids: Collection[int]) -> dict[int, list[InventoryTransferLine]]:
    """The lines of each transfer, in order."""
    return await rows.lines_of(ids)


async def expected_at(ids: Sequence[int]) -> list[datetime | None]:
    """When each transfer is expected."""
    found = await rows.announcements_of(ids)
    return [rules.expected_at(found[transfer_id]) for transfer_id in ids]
