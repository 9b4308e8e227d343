"""Files taken in whole: a Shopify product export, and counts of levels. One file is one transaction; a bad row refuses it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from gqlstock.rules import ledger, quantities, refusals, sheet, shopify
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.refusals import Code, Refusal, invalid
from gqlstock.rules.scopes import Caller
from gqlstock.rules.sheet import Faults
from gqlstock.services import intake
from gqlstock.services.bench import check_countable
from gqlstock.services.lookup import Lookup, lookup
from gqlstock.services.posting import post
from gqlstock.store import catalog as rows
from gqlstock.store import database, inventory, warehouses
from gqlstock.store.inventory import Claim, Posting
from gqlstock.store.warehouses import Network, Warehouse

_COUNTED_AT_ONCE = 500
_PRODUCTS_AT_ONCE = 200
_LEVEL_COLUMNS = ("sku", "warehouse", "on_hand")

Progress = Callable[[int, int], None]
"""Told how many rows or products of how many are done."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file changed: ``counted`` is how many levels got another onHand or were made."""

    products_made: int = 0
    products_changed: int = 0
    combinations_made: int = 0
    counted: int = 0


@dataclass(frozen=True, slots=True)
class _Count:
    """What one line says of one level."""

    line: int
    item_id: int
    warehouse_id: int
    on_hand: Decimal

    @property
    def key(self) -> tuple[int, int]:
        return self.item_id, self.warehouse_id


@dataclass(frozen=True, slots=True)
class _LevelRow:
    line: int
    on_hand: Decimal


def _silent(done: int, of: int) -> None:
    """Progress that nobody watches."""


async def levels(caller: Caller, lines: Iterable[str], progress: Progress = _silent) -> Imported:
    """Take counts from a file with the columns sku, warehouse and on_hand."""
    given = _level_rows(lines)

    async def work() -> Imported:
        faults = Faults()
        counts = await _resolve(given, faults)
        network, counted = await warehouses.network(), 0
        for done, part in _parts(counts, _COUNTED_AT_ONCE):
            counted += await _count(caller, part, network, faults)
            progress(done, len(counts))
        faults.check()
        return Imported(counted=counted)

    return await database.transaction(work)


def _level_rows(lines: Iterable[str]) -> dict[tuple[str, str], _LevelRow]:
    """What the file says of each SKU and warehouse. A count given twice is one, if it is the same."""
    faults = Faults()
    found: dict[tuple[str, str], _LevelRow] = {}
    for row in sheet.read(lines, _LEVEL_COLUMNS, faults):
        with faults.at(row.line):
            for column in _LEVEL_COLUMNS:
                if not row[column]:
                    raise invalid(f"The {column} is missing.")
            given = _LevelRow(row.line, sheet.quantity(row, "on_hand"))
            known = found.setdefault((row["sku"], row["warehouse"]), given)
            if known.on_hand != given.on_hand:
                raise invalid(
                    f"{row['sku']} in {row['warehouse']} has {quantities.text(given.on_hand)} here "
                    f"and {quantities.text(known.on_hand)} on line {known.line}."
                )
    faults.check()
    return found


async def _resolve(given: dict[tuple[str, str], _LevelRow], faults: Faults) -> list[_Count]:
    """The counts by the ids of what they name: in their order items are locked without a deadlock."""
    ids = await rows.ids_by_sku({sku for sku, _ in given})
    places = await warehouses.warehouses_by_code({code for _, code in given})
    counts = []
    for (sku, code), row in given.items():
        with faults.at(row.line):
            if sku not in ids:
                raise refusals.missing("item", sku)
            if code not in places:
                raise refusals.missing("warehouse", code)
            counts.append(_Count(row.line, ids[sku], places[code].id, row.on_hand))
    return sorted(counts, key=lambda count: count.key)


async def _count(caller: Caller, counts: Sequence[_Count], network: Network, faults: Faults) -> int:
    """State what was counted, as ``stock.count`` does; what is so already is left alone. Answers how many were not."""
    known = await inventory.on_hand_of({count.item_id for count in counts})
    counts = [count for count in counts if known.get(count.key) != count.on_hand]
    if not counts:
        return 0
    claim = await inventory.claim({count.item_id for count in counts})
    found = await lookup(claim.items.values(), network)
    for count in counts:
        with faults.at(count.line):
            _check(count, claim, found)
    if faults.count:
        return 0
    levels = await inventory.open_many(claim, [count.key for count in counts])
    at = database.now()
    postings = []
    for count in counts:
        level = levels[count.key]
        change = ledger.counted(level.state, count.on_hand, kind=MovementKind.IMPORT)
        if change.on_hand:
            postings.append(Posting(level, change, caller, counted_at=at))
    await post(claim, postings, found)
    return len(counts)


def _check(count: _Count, claim: Claim, found: Lookup) -> None:
    """Whether an item can have that count."""
    item = claim.items.get(count.item_id)
    if item is None or item.deleted_at is not None:
        raise Refusal(Code.NOT_FOUND, "The item has just been deleted.").only()
    told = quantities.text(count.on_hand)
    if count.on_hand < 0:
        raise invalid(f"A count of {item.sku} cannot be {told}: 0 or more.")
    check_countable(item, found.product(item))
    if not quantities.is_whole(count.on_hand):
        level = claim.level(*count.key)
        channel = found.network.selling_from({count.warehouse_id})
        if not found.settings(item, channel, [level] if level else []).quantity_uses_decimals:
            raise invalid(f"{told} of {item.sku}: only whole units are counted there.")


async def shopify_products(
    caller: Caller, lines: Iterable[str], warehouse: str, progress: Progress = _silent
) -> Imported:
    """Take products, combinations, pictures and counts in one warehouse from Shopify's product export."""
    given = shopify.parse(lines)

    async def work() -> Imported:
        faults = Faults()
        place = await _warehouse(warehouse)
        network, counted = await warehouses.network(), 0
        into = await intake.begin(given, faults)
        for done, part in _parts(given, _PRODUCTS_AT_ONCE):
            counts = [
                _Count(variant.line, item.id, place.id, variant.quantity)
                for variant, item in await into.take(part)
                if variant.quantity is not None
            ]
            for _, some in _parts(counts, _COUNTED_AT_ONCE):
                counted += await _count(caller, some, network, faults)
            progress(done, len(given))
        faults.check()
        return Imported(into.products_made, into.products_changed, into.combinations_made, counted)

    return await database.transaction(work)


async def _warehouse(code: str) -> Warehouse:
    place = (await warehouses.warehouses_by_code([code])).get(code)
    if place is None:
        known = ", ".join((await warehouses.codes_by_id()).values()) or "none yet"
        message = f"There is no warehouse {refusals.shown(code)}; there are: {known}."
        raise Refusal(Code.NOT_FOUND, message, ("warehouse",)).only()
    return place


def _parts(given: Sequence[T], size: int) -> Iterable[tuple[int, Sequence[T]]]:
    """Slices of that size, each with how much is done behind it."""
    for start in range(0, len(given), size):
        part = given[start : start + size]
        yield start + len(part), part
