"""Imports files: a Shopify product export, and counts of levels.

A file is checked completely, without locks; a bad row refuses it. Then it is written in parts, one transaction each,
while orders go on. A row that became wrong since the check is reported, and the others are written. Importing the same
file again finishes an interrupted import.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gqlstock.formats import csv_dialect, shopify
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.shopify import Product
from gqlstock.rules import catalog, quantities, refusals, skus
from gqlstock.rules.import_rows import Faults, Notes, Row
from gqlstock.rules.network import Warehouse
from gqlstock.rules.refusals import Code, Refusal, invalid
from gqlstock.rules.scopes import Caller
from gqlstock.services import count_levels, shopify_check
from gqlstock.services.shopify_import import ShopifyImport
from gqlstock.stock import transaction
from gqlstock.store import catalog as rows
from gqlstock.store import warehouses
from gqlstock.store.counts import Count
from gqlstock.store.db import sql
from gqlstock.store.spool import Counts, NamedCount, Products

_ROWS_PER_READ = 5_000
_COUNTS_PER_CHECK = 5_000
_COUNTS_PER_COMMAND = 1_000
_LEVELS_PER_SNAPSHOT = 20_000
"""A command loads all levels of its items, in every warehouse."""
_VARIANTS_PER_TRANSACTION = 1_000
_PRODUCTS_PER_TRANSACTION = 200
_LEVEL_COLUMNS = Columns(("sku", "warehouse", "on_hand"), quantities=("on_hand",))

Progress = Callable[[str, int, int | None], None]
"""Called with the current step, how much of it is done, and the total where it is known."""

READ = "Read"
CHECKED = "Checked"
BEFORE_WRITING = (READ, CHECKED)
"""The steps in which nothing is written yet."""
COUNTED = "Counted"
TAKEN_IN = "Taken in"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import changed. ``counted``: the levels that were created or got another onHand."""

    products_made: int = 0
    products_changed: int = 0
    combinations_made: int = 0
    counted: int = 0
    notes: Sequence[str] = ()
    """Rows that a person should check, by line: quantities below 0."""
    refused: Sequence[Refusal] = ()
    """Rows that became wrong after the check, by line. They were not written; all others were."""


def _silent(what: str, done: int, of: int | None) -> None:
    """Ignore progress."""


lines_of = csv_dialect.lines
"""The lines of a file in any encoding, as the imports take them."""


async def levels(caller: Caller, lines: Iterable[str], progress: Progress = _silent) -> ImportResult:
    """Import counts from a file with the columns sku, warehouse and on_hand."""
    with Counts() as given:
        faults = Faults()
        await _read_levels(lines, given, faults, progress)
        faults.check()
        await _resolve(given, faults)
        faults.check()
        await sql.analyze("item", "inventory_level")
        items = await _items_per_command()
        await _check_levels(given, items, faults, progress)
        faults.check()
        writer, total = _Writer(caller), given.due_count
        progress(COUNTED, 0, total)
        for part in given.due(_COUNTS_PER_COMMAND, items):
            await writer.write(part)
            progress(COUNTED, writer.done, total)
        return ImportResult(counted=writer.counted, notes=writer.notes.reported, refused=writer.faults.reported)


async def _check_levels(given: Counts, items: int, faults: Faults, progress: Progress) -> None:
    """Check all counts and keep those that change a level. Takes no locks."""
    done = 0
    for part in given.resolved(_COUNTS_PER_CHECK, items):
        given.put_due(await count_levels.check(part, faults))
        done += len(part)
        progress(CHECKED, done, len(given))
        await asyncio.sleep(0)


class _Writer:
    """Writes counts, one command for each part, and collects the results."""

    def __init__(self, caller: Caller) -> None:
        self.done = self.counted = 0
        self.faults = Faults()
        self.notes = Notes()
        self._caller = caller

    async def write(self, part: Sequence[Count]) -> None:
        result = await transaction.run(count_levels.CountLevels(self._caller, part))
        self.done += len(part)
        self.counted += len(result.ids["levels"])
        for refusal in result.refusals:
            self.faults.add(int(refusal.path[1]), refusal.message, refusal.code)
        for note in result.rows:
            assert isinstance(note, count_levels.Note)
            self.notes.add(note.line, note.message)


async def _read_levels(lines: Iterable[str], into: Counts, faults: Faults, progress: Progress) -> None:
    """Keep the count of each SKU and warehouse. Equal counts of one level are one; different ones are a fault."""
    counts = (_named(row, faults) for row in csv_dialect.read(lines, _LEVEL_COLUMNS, faults))
    done = 0
    for part in sql.parts((one for one in counts if one is not None), _ROWS_PER_READ):
        for one, known in into.put(part):
            here, before = quantities.text(one.on_hand), quantities.text(known.on_hand)
            faults.add(one.line, f"{one.sku} in {one.warehouse} has {here} here and {before} on line {known.line}.")
        done += len(part)
        progress(READ, done, None)
        await asyncio.sleep(0)


def _named(row: Row, faults: Faults) -> NamedCount | None:
    with faults.at(row.line):
        for column in _LEVEL_COLUMNS.required:
            if not row[column]:
                raise invalid(f"The {column} is missing.")
        return NamedCount(
            row.line,
            skus.normalized(row["sku"]),
            skus.normalized(row["warehouse"]),
            csv_dialect.quantity(row, "on_hand"),
        )
    return None


async def _resolve(given: Counts, faults: Faults) -> None:
    """Find the ids of the items and warehouses of counts. Items are locked in the order of ids, so that none deadlock."""
    places = {code: warehouse_id for warehouse_id, code in (await warehouses.codes_by_id()).items()}
    for part in given.named():
        ids = await rows.ids_by_sku({one.sku for one in part})
        for one in part:
            if one.sku not in ids:
                faults.add(one.line, f"There is no item {refusals.shown(one.sku)}.", Code.NOT_FOUND)
            elif one.warehouse not in places:
                faults.add(one.line, f"There is no warehouse {refusals.shown(one.warehouse)}.", Code.NOT_FOUND)
        if not faults.count:
            given.put_resolved([Count(one.line, ids[one.sku], places[one.warehouse], one.on_hand) for one in part])


async def shopify_products(
    caller: Caller, lines: Iterable[str], warehouse: str, progress: Progress = _silent
) -> ImportResult:
    """Import products, combinations, pictures and counts in one warehouse from Shopify's product export."""
    with Products() as given:
        await _read_products(lines, given, progress)
        place = await _warehouse(warehouse)
        await sql.analyze("item", "inventory_level")
        await _check_products(given, place, progress)
        into, writer = ShopifyImport(given), _Writer(caller)
        items = min(await _items_per_command(), _COUNTS_PER_COMMAND)
        done, total = 0, len(given)
        progress(TAKEN_IN, 0, total)
        for part in _with_variants(given):
            counts = [
                Count(variant.line, item_id, place.id, variant.quantity)
                for variant, item_id in await into.write(part)
                if variant.quantity is not None
            ]
            for some in sql.parts(sorted(counts, key=lambda count: count.item_id), items):
                await writer.write(some)
            done += len(part)
            progress(TAKEN_IN, done, total)
        writer.faults.merge(into.faults)
        return ImportResult(
            into.products_made,
            into.products_changed,
            into.combinations_made,
            writer.counted,
            writer.notes.reported,
            writer.faults.reported,
        )


async def _check_products(given: Products, place: Warehouse, progress: Progress) -> None:
    """Refuse a file that contradicts the catalog. Takes no locks."""
    faults, done = Faults(), 0
    for part in _with_variants(given):
        await shopify_check.check(part, given, place.id, faults)
        done += len(part)
        progress(CHECKED, done, len(given))
        await asyncio.sleep(0)
    for line, sku in given.clashes():
        shopify_check.sku_taken(line, sku, faults)
    faults.check()


async def _read_products(lines: Iterable[str], into: Products, progress: Progress) -> None:
    """Keep the rows and refuse a file that is wrong in itself."""
    faults, done = Faults(), 0
    for part in sql.parts(shopify.read(lines, faults), _ROWS_PER_READ):
        into.put(part)
        done += len(part)
        progress(READ, done, None)
        await asyncio.sleep(0)
    for of_product in into.products():
        product = shopify.product(of_product, faults)
        if product is not None:
            into.put_skus((one.sku, one.line) for one in product.variants if one.sku is not None)
    for sku, line, before in into.repeated_skus():
        shopify.sku_twice(sku, line, before, faults)
    faults.check()


def _with_variants(given: Products) -> Iterator[list[Product]]:
    """The products, in lists for one transaction each."""
    part: list[Product] = []
    variants = 0
    for of_product in given.products():
        product = shopify.product(of_product, Faults())
        assert product is not None
        part.append(product)
        variants += len(product.variants)
        if variants >= _VARIANTS_PER_TRANSACTION or len(part) >= _PRODUCTS_PER_TRANSACTION:
            yield part
            part, variants = [], 0
    if part:
        yield part


async def _warehouse(code: str) -> Warehouse:
    code = catalog.text(code, "code", "warehouse")
    place = (await warehouses.warehouses_by_code([code])).get(code)
    if place is None:
        known = ", ".join((await warehouses.codes_by_id()).values()) or "none yet"
        message = f"There is no warehouse {refusals.shown(code)}; there are: {known}."
        raise Refusal(Code.NOT_FOUND, message, ("warehouse",)).only()
    return place


async def _items_per_command() -> int:
    """How many items one command counts at most."""
    return max(_LEVELS_PER_SNAPSHOT // max(len(await warehouses.codes_by_id()), 1), 1)
