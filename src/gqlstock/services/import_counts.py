"""Checks and writes the counts of a file, in batches. ``count_levels`` holds the command."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from gqlstock.formats.format import Context, CountFormat
from gqlstock.rules import catalog as rules
from gqlstock.rules import counting, quantities, refusals
from gqlstock.rules.import_report import Kind, Remark, RemarkKind, Report, Tally
from gqlstock.rules.import_rows import Faults, ItemName, LevelCount
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Code
from gqlstock.rules.scopes import Caller
from gqlstock.services import count_levels
from gqlstock.services.import_plan import Places
from gqlstock.services.import_progress import CHECKED, COUNTED, Progress
from gqlstock.stock import transaction
from gqlstock.store import catalog as rows
from gqlstock.store import counts, warehouses
from gqlstock.store.counts import Count
from gqlstock.store.db import sql
from gqlstock.store.spool import Counts

OWED = "units owed to the old shop's customers (negative counts): counted as 0"
UNKNOWN_ITEMS = "counts of unknown items"
TWICE = (
    "units that a products import counted in a warehouse for which this file has no count of the item: "
    "if they are the same units, set them to 0 there, or they count twice"
)
NOT_COUNTED = "counts of items that hold no stock under their product's tracking"

OF_COUNTS = "Import of counts"
OF_PRODUCTS = "Import of products"
"""The reasons of movements, which tell the kinds of imports apart."""

COUNTS_PER_COMMAND = 1_000
_COUNTS_PER_CHECK = 5_000
_LEVELS_PER_SNAPSHOT = 20_000
"""A command loads all levels of its items, in every warehouse."""


async def check(
    spool: Counts, of: CountFormat, places: Places, context: Context, foreseen: Report, progress: Progress
) -> None:
    """Check all counts of a file and keep those that differ from their levels. ``foreseen`` gets what an import would do."""
    await _resolve(spool, places, context, leave_out_unknown=of.leaves_out_unknown_items)
    context.faults.check()
    await sql.analyze("item", "inventory_level")
    await _check(spool, of, context, foreseen, progress)
    context.faults.check()


async def write(caller: Caller, spool: Counts, made: Mapping[int, int], report: Report, progress: Progress) -> Faults:
    """Write the counts that change a level. Returns the faults of counts that became invalid after the check.

    ``made`` maps the placeholder ids that warehouses had during the check to their stored ids.
    """
    writer, total = CountWriter(caller, report, OF_COUNTS), spool.due_count
    report[Kind.LEVELS].unchanged += len(spool) - total
    for batch in spool.due(COUNTS_PER_COMMAND, await items_per_command()):
        await writer.write([replace(one, warehouse_id=made.get(one.warehouse_id, one.warehouse_id)) for one in batch])
        progress(COUNTED, writer.done, total)
    return writer.faults


async def items_per_command() -> int:
    """The most items that one command counts."""
    return max(_LEVELS_PER_SNAPSHOT // max(len(await warehouses.codes_by_id()), 1), 1)


def owed(report: Report, found: count_levels.Owed) -> None:
    """Report a negative count."""
    report.notes.add(found.line, f"{found.sku} has {quantities.text(found.on_hand)}; counted as 0.")
    report.add(Remark(RemarkKind.NOT_CARRIED, OWED, found.line, found.sku, -found.on_hand))


class CountWriter:
    """Writes counts, one command for each batch, and reports the results. ``reason`` is that of the movements."""

    def __init__(self, caller: Caller, report: Report, reason: str) -> None:
        self.done = 0
        self.faults = Faults(report.files)
        self._caller = caller
        self._report = report
        self._reason = reason

    async def write(self, batch: Sequence[Count]) -> None:
        result = await transaction.run(count_levels.CountLevels(self._caller, batch, self._reason))
        self.done += len(batch)
        changed = len(result.ids["levels"])
        self._report[Kind.LEVELS].add(Tally(changed=changed, unchanged=len(batch) - changed - len(result.refusals)))
        for refusal in result.refusals:
            self.faults.add(int(refusal.path[1]), refusal.message, refusal.code)
        for found in result.rows:
            assert isinstance(found, count_levels.Owed)
            owed(self._report, found)


async def _check(spool: Counts, of: CountFormat, context: Context, report: Report, progress: Progress) -> None:
    """Check all counts and keep those that differ from their levels. Takes no locks."""
    done = 0
    for batch in spool.resolved(_COUNTS_PER_CHECK, await items_per_command()):
        checked = await count_levels.check(batch, context.faults)
        if of.makes_warehouses:
            await _warn_of_units_counted_twice(batch, context)
        spool.put_due(checked.due)
        report[Kind.LEVELS].add(Tally(changed=checked.changed, unchanged=len(batch) - checked.changed))
        for found in checked.owed:
            owed(report, found)
        done += len(batch)
        progress(CHECKED, done, len(spool))
        await asyncio.sleep(0)


async def _warn_of_units_counted_twice(batch: Sequence[Count], context: Context) -> None:
    """Report items with units that a products import counted in a warehouse for which this file does not count them.

    A file by location comes from the same system as the products file. ``batch`` has all counts of its items.
    """
    counted = {count.key for count in batch}
    lines = {count.item_id: count.line for count in reversed(batch) if count.on_hand > 0}
    before = await counts.of_one_reason(lines, OF_PRODUCTS)
    elsewhere = {key: units for key, units in before.items() if key not in counted}
    items = await rows.items({item_id for item_id, _ in elsewhere})
    for item_id in sorted(items, key=lambda item_id: lines[item_id]):
        units = sum((units for key, units in elsewhere.items() if key[0] == item_id), ZERO)
        context.to_check(lines[item_id], TWICE, items[item_id].sku, units)


async def _resolve(spool: Counts, places: Places, context: Context, *, leave_out_unknown: bool) -> None:
    """Find the item ids of counts. Commands lock items in id order, which prevents deadlocks."""
    faults = context.faults
    for batch in spool.named():
        ids = await item_ids({one.item for one in batch})
        found = []
        for one in batch:
            if one.item in ids:
                found.append(one)
            elif leave_out_unknown:
                units = counting.counted_of(one.on_hand)
                context.not_carried(one.line, UNKNOWN_ITEMS, str(one.item), units)
            else:
                faults.add(one.line, f"There is no item {refusals.shown(str(one.item))}.", Code.NOT_FOUND)
        if faults.count:
            continue
        if leave_out_unknown:
            found = await _counted(found, ids, context)
        counts = [Count(one.line, ids[one.item], places[one.warehouse].id, one.on_hand) for one in found]
        names = dict(zip(map(id, counts), found, strict=True))
        for count, known in spool.put_resolved(counts):
            if count.on_hand != known.on_hand:
                contradiction(names[id(count)], known.on_hand, known.line, faults)


async def _counted(counts: Sequence[LevelCount], ids: Mapping[ItemName, int], context: Context) -> list[LevelCount]:
    """The counts of items that hold stock themselves. Reports the others unless they are 0."""
    items = await rows.items({ids[one.item] for one in counts})
    products = items | await rows.items({item.product_id for item in items.values() if item.product_id is not None})
    found = []
    for one in counts:
        item = items[ids[one.item]]
        if counting.is_stocked(item, products[item.product_id or item.id]):
            found.append(one)
        elif one.on_hand:
            context.not_carried(one.line, NOT_COUNTED, item.sku, counting.counted_of(one.on_hand))
    return found


def contradiction(one: LevelCount, known: Decimal, line: int, faults: Faults, hint: str = "") -> None:
    """Report a count that contradicts an earlier count of the same level."""
    new, earlier = quantities.text(one.on_hand), quantities.text(known)
    message = f"{one.item} in {one.warehouse} has {new} here but {earlier} on {faults.files.place(line)}."
    faults.add(one.line, f"{message} {hint}".strip())


async def item_ids(names: set[ItemName]) -> dict[ItemName, int]:
    """The ids of items, by slug and choice, else by SKU."""
    found = await _by_slug([name for name in names if name.slug])
    ids = await rows.ids_by_sku({name.sku for name in names - found.keys() if name.sku})
    return found | {name: ids[name.sku] for name in names - found.keys() if name.sku in ids}


async def _by_slug(names: Sequence[ItemName]) -> dict[ItemName, int]:
    products = await rows.product_ids_by_slug({name.slug for name in names})
    combinations = await rows.combinations(
        {products[name.slug] for name in names if name.choice and name.slug in products}
    )
    digests = {(one.product_id, one.choice_digest): one.id for found in combinations.values() for one in found}
    return dict(_matches(names, products, digests))


def _matches(
    names: Sequence[ItemName], products: dict[str, int], digests: dict[tuple[int | None, str | None], int]
) -> Iterator[tuple[ItemName, int]]:
    for name in names:
        product = products.get(name.slug)
        item = digests.get((product, rules.digest(dict(name.choice)))) if name.choice else product
        if product is not None and item is not None:
            yield name, item
