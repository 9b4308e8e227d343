"""Checks and writes the statuses of products that a file of counts says."""

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

UNKNOWN_ITEMS = "statuses of items that are not here"
OF_COMBINATIONS = "statuses of combinations, which have that of their product"


def put(given: Iterable[ItemStatus], into: Counts, faults: Faults) -> None:
    """Add statuses to a file. Two of one item that differ are a fault."""
    for one in given:
        known = into.put_status(one)
        if known is not None:
            place = faults.files.place(known.line)
            faults.add(one.line, f"{one.item} is {one.status} here and {known.status} on {place}.")


async def check(given: Counts, context: Context, foreseen: Report, *, leave_out_unknown: bool) -> None:
    """Find the products of statuses. ``foreseen``: what an import would do."""
    async for one, item in _with_items(given):
        if item is None and leave_out_unknown:
            context.not_carried(one.line, UNKNOWN_ITEMS, str(one.item))
        elif item is None:
            # An item that is counted as well is refused there.
            if not given.counts_item(one.item):
                context.fault(one.line, f"There is no item {refusals.shown(str(one.item))}.", Code.NOT_FOUND)
        elif not item.is_product:
            context.not_carried(one.line, OF_COMBINATIONS, item.sku)
        else:
            _tally(foreseen, changed=item.inventory_status is not one.status)


async def write(given: Counts, report: Report) -> Faults:
    """Set the statuses that differ. Returns the faults of products that became wrong after the check."""
    faults = Faults(report.files)
    async for one, item in _with_items(given):
        if item is None or not item.is_product:
            continue
        with faults.at(one.line):
            if item.inventory_status is not one.status:
                await catalog.set_status(item.sku, one.status)
            _tally(report, changed=item.inventory_status is not one.status)
    return faults


def _tally(report: Report, *, changed: bool) -> None:
    report[Kind.PRODUCTS].add(Tally(changed=int(changed), unchanged=int(not changed)))


async def _with_items(given: Counts) -> AsyncIterator[tuple[ItemStatus, Item | None]]:
    for part in given.statuses():
        ids = await import_counts.item_ids({one.item for one in part})
        items = await rows.items_in_use(ids.values())
        for one in part:
            yield one, items.get(ids.get(one.item, 0))
