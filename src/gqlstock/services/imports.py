"""Files taken in: a Shopify product export, and counts of levels.

A file is checked whole, without locks; a bad row refuses it. Then it is written in parts, each a transaction of its own:
orders go on meanwhile, and news flows. A row that has become wrong since the check is reported, and the others are
written. Importing the same file again finishes what was interrupted.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gqlstock.formats import csv_dialect, shopify
from gqlstock.formats.csv_dialect import Columns
from gqlstock.formats.shopify import Product
from gqlstock.rules import catalog, quantities, refusals, skus
from gqlstock.rules.network import Warehouse
from gqlstock.rules.refusals import Code, Refusal, invalid
from gqlstock.rules.scopes import Caller
from gqlstock.rules.sheet import Faults, Notes, Row
from gqlstock.services import count_levels, shopify_check
from gqlstock.services.shopify_import import ShopifyImport
from gqlstock.stock import transaction
from gqlstock.store import catalog as rows
from gqlstock.store import warehouses
from gqlstock.store.counts import Count
from gqlstock.store.db import sql
from gqlstock.store.spool import Counts, Named, Products

_CHECKED_AT_ONCE = 5_000
_WRITTEN_AT_ONCE = 1_000
_LEVELS_AT_ONCE = 20_000
_READ_AT_ONCE = 5_000
_VARIANTS_AT_ONCE = 1_000
_PRODUCTS_AT_ONCE = 200
_LEVEL_COLUMNS = Columns(("sku", "warehouse", "on_hand"), quantities=("on_hand",))

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how much of it is, and of how much where that is known."""

READ = "Read"
CHECKED = "Checked"
BEFORE_WRITING = (READ, CHECKED)
"""What is being done while nothing is written yet."""
COUNTED = "Counted"
TAKEN_IN = "Taken in"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file changed: ``counted`` is how many levels got another onHand or were made."""

    products_made: int = 0
    products_changed: int = 0
    combinations_made: int = 0
    counted: int = 0
    notes: Sequence[str] = ()
    """What a person should check, by line: quantities below 0."""
    refused: Sequence[Refusal] = ()
    """What became wrong after the file was checked, by line: that was not written, and all else was."""


def _silent(what: str, done: int, of: int | None) -> None:
    """Progress that nobody watches."""


lines_of = csv_dialect.lines
"""The lines of a file in whatever encoding, as the imports take them."""


async def levels(caller: Caller, lines: Iterable[str], progress: Progress = _silent) -> Imported:
    """Take counts from a file with the columns sku, warehouse and on_hand."""
    with Counts() as given:
        faults = Faults()
        await _read_levels(lines, given, faults, progress)
        faults.check()
        await _resolve(given, faults)
        faults.check()
        await sql.analyze("item", "inventory_level")
        items = await _items_at_once()
        await _check_levels(given, items, faults, progress)
        faults.check()
        writer, total = _Writer(caller), given.due_count
        progress(COUNTED, 0, total)
        for part in given.due(_WRITTEN_AT_ONCE, items):
            await writer.write(part)
            progress(COUNTED, writer.done, total)
        return Imported(counted=writer.counted, notes=writer.notes.told, refused=writer.faults.told)


async def _check_levels(given: Counts, items: int, faults: Faults, progress: Progress) -> None:
    """Put aside what is to be written. Nothing is locked for it, however long the file."""
    done = 0
    for part in given.known(_CHECKED_AT_ONCE, items):
        given.put_due(await count_levels.check(part, faults))
        done += len(part)
        progress(CHECKED, done, len(given))
        await _breathe()


class _Writer:
    """Writes counts, a part with each command, and keeps what came of them."""

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
    """Put aside what the file says of each SKU and warehouse. A count given twice is one, if it is the same."""
    given = (_named(row, faults) for row in csv_dialect.read(lines, _LEVEL_COLUMNS, faults))
    done = 0
    for part in _parts((one for one in given if one is not None), _READ_AT_ONCE):
        for one, known in into.put(part):
            told, before = quantities.text(one.on_hand), quantities.text(known.on_hand)
            faults.add(one.line, f"{one.sku} in {one.warehouse} has {told} here and {before} on line {known.line}.")
        done += len(part)
        progress(READ, done, None)
        await _breathe()


def _named(row: Row, faults: Faults) -> Named | None:
    with faults.at(row.line):
        for column in _LEVEL_COLUMNS.required:
            if not row[column]:
                raise invalid(f"The {column} is missing.")
        return Named(
            row.line,
            skus.normalized(row["sku"]),
            skus.normalized(row["warehouse"]),
            csv_dialect.quantity(row, "on_hand"),
        )
    return None


async def _resolve(given: Counts, faults: Faults) -> None:
    """Find the ids of what counts name: in their order items are locked without a deadlock."""
    places = {code: warehouse_id for warehouse_id, code in (await warehouses.codes_by_id()).items()}
    for part in given.named():
        ids = await rows.ids_by_sku({one.sku for one in part})
        for one in part:
            if one.sku not in ids:
                faults.add(one.line, f"There is no item {refusals.shown(one.sku)}.", Code.NOT_FOUND)
            elif one.warehouse not in places:
                faults.add(one.line, f"There is no warehouse {refusals.shown(one.warehouse)}.", Code.NOT_FOUND)
        if not faults.count:
            given.know([Count(one.line, ids[one.sku], places[one.warehouse], one.on_hand) for one in part])


async def shopify_products(
    caller: Caller, lines: Iterable[str], warehouse: str, progress: Progress = _silent
) -> Imported:
    """Take products, combinations, pictures and counts in one warehouse from Shopify's product export."""
    with Products() as given:
        await _read_products(lines, given, progress)
        place = await _warehouse(warehouse)
        await sql.analyze("item", "inventory_level")
        await _check_products(given, place, progress)
        into, writer = ShopifyImport(given), _Writer(caller)
        at_once = min(await _items_at_once(), _WRITTEN_AT_ONCE)
        done, total = 0, len(given)
        progress(TAKEN_IN, 0, total)
        for part in _with_variants(given):
            found = [
                Count(variant.line, item_id, place.id, variant.quantity)
                for variant, item_id in await into.write(part)
                if variant.quantity is not None
            ]
            for some in _parts(sorted(found, key=lambda count: count.item_id), at_once):
                await writer.write(some)
            done += len(part)
            progress(TAKEN_IN, done, total)
        writer.faults.take_up(into.faults)
        return Imported(
            into.products_made,
            into.products_changed,
            into.combinations_made,
            writer.counted,
            writer.notes.told,
            writer.faults.told,
        )


async def _check_products(given: Products, place: Warehouse, progress: Progress) -> None:
    """Refuse a file that does not go with what is there now. Nothing is locked for it, however long the file."""
    faults, done = Faults(), 0
    for part in _with_variants(given):
        await shopify_check.check(part, given, place.id, faults)
        done += len(part)
        progress(CHECKED, done, len(given))
        await _breathe()
    for line, sku in given.clashes():
        shopify_check.sku_taken(line, sku, faults)
    faults.check()


async def _read_products(lines: Iterable[str], into: Products, progress: Progress) -> None:
    """Put the rows aside and look at every product once: what is wrong with the file itself is refused here."""
    faults, done = Faults(), 0
    for part in _parts(shopify.read(lines, faults), _READ_AT_ONCE):
        into.put(part)
        done += len(part)
        progress(READ, done, None)
        await _breathe()
    for found in into.products():
        product = shopify.product(found, faults)
        if product is not None:
            into.take((one.sku, one.line) for one in product.variants if one.sku is not None)
    for sku, line, before in into.twice():
        shopify.sku_twice(sku, line, before, faults)
    faults.check()


def _with_variants(given: Products) -> Iterator[list[Product]]:
    """The products, as many at a time as are written in one transaction."""
    part: list[Product] = []
    variants = 0
    for found in given.products():
        product = shopify.product(found, Faults())
        assert product is not None
        part.append(product)
        variants += len(product.variants)
        if variants >= _VARIANTS_AT_ONCE or len(part) >= _PRODUCTS_AT_ONCE:
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


async def _items_at_once() -> int:
    """How many items are counted together: all their levels are looked at, in whatever warehouse."""
    return max(_LEVELS_AT_ONCE // max(len(await warehouses.codes_by_id()), 1), 1)


async def _breathe() -> None:
    """Let in whoever wants this stopped."""
    await asyncio.sleep(0)


def _parts(given: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of that size, the last one shorter."""
    rest = iter(given)
    while part := list(itertools.islice(rest, size)):
        yield part
