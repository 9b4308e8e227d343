"""Checks and writes the product statuses that a file of counts contains."""

from collections.abc import AsyncIterator, Iterable

from gqlstock.formats.format import Context
from gqlstock.rules import refusals
from gqlstock.rules.catalog import Item
from gqlstock.rules.import_report import Kind, Report, Tally
from gqlstock.rules.import_rows import Faults, ItemStatus
from gqlstock.rules.refusals import Code
from gqlstock.services import catalog, import_counts
from gqlstock.store import catalog as rows
from gqlstock.store.spool import Counts

UNKNOWN_ITEMS = "statuses of unknown items"
OF_COMBINATIONS = "statuses of combinations, which share their product's status"


def put(statuses: Iterable[ItemStatus], spool: Counts, faults: Faults) -> None:
    """Add statuses to the spool. Two different statuses of one item are a fault."""
    for one in statuses:
        known = spool.put_status(one)
        if known is not None:
            place = faults.files.place(known.line)
            faults.add(one.line, f"{one.item} is {one.status} here but {known.status} on {place}.")


async def check(spool: Counts, context: Context, foreseen: Report, *, leave_out_unknown: bool) -> None:
    """Match statuses to stored products. ``foreseen`` gets what an import would do."""
    async for one, item in _with_items(spool):
        if item is None and leave_out_unknown:
            context.not_carried(one.line, UNKNOWN_ITEMS, str(one.item))
        elif item is None:
            # If the file also counts the item, the check of counts refuses it.
            if not spool.counts_item(one.item):
                context.fault(one.line, f"There is no item {refusals.shown(str(one.item))}.", Code.NOT_FOUND)
        elif not item.is_product:
            context.not_carried(one.line, OF_COMBINATIONS, item.sku)
        else:
            _tally(foreseen, changed=item.inventory_status is not one.status)


async def write(spool: Counts, report: Report) -> Faults:
    """Set the statuses that differ. Returns the faults of products that became invalid after the check."""
    faults = Faults(report.files)
    async for one, item in _with_items(spool):
        if item is None or not item.is_product:
            continue
        with faults.at(one.line):
            if item.inventory_status is not one.status:
                await catalog.set_status(item.sku, one.status)
            _tally(report, changed=item.inventory_status is not one.status)
    return faults


def _tally(report: Report, *, changed: bool) -> None:
    report[Kind.PRODUCTS].add(Tally(changed=int(changed), unchanged=int(not changed)))


async def _with_items(spool: Counts) -> AsyncIterator[tuple[ItemStatus, Item | None]]:
    for batch in spool.statuses():
        ids = await import_counts.item_ids({one.item for one in batch})
        items = await rows.items_in_use(ids.values())
        for one in batch:
            yield one, items.get(ids.get(one.item, 0))
