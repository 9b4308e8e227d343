"""Rows of stock mutations, worked out one after the other on claimed items before anything is written."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from gqlstock.rules import catalog, ledger, quantities, refusals
from gqlstock.rules.catalog import InventoryTracking, Item
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.network import Network
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Code, Refusal, Refused, invalid
from gqlstock.rules.scopes import Caller
from gqlstock.services.availability import Stockroom
from gqlstock.services.idempotency import Kept
from gqlstock.services.posting import Pages, enter
from gqlstock.services.together import Stock
from gqlstock.stock.settings_lookup import Lookup, lookup
from gqlstock.store import catalog as catalog_rows
from gqlstock.store import database, inventory
from gqlstock.store.idempotency import Ticket
from gqlstock.store.inventory import Claim, Posting
from gqlstock.store.ledger import moved_after_each

MAX_ROWS = 1_000


def check_countable(item: Item, product: Item) -> None:
    """Refuse stock of an item that has none of its own. (CS-Cart)"""
    if product.tracking is InventoryTracking.DO_NOT_TRACK:
        message = f"{item.sku} is not tracked: its stock is not counted."
    elif item.is_product and catalog.counts_combinations(product.tracking):
        message = f"{item.sku} is tracked with options: its combinations have the quantities."
    elif not item.is_product and not catalog.counts_combinations(product.tracking):
        message = (
            f"{item.sku} is a combination of {product.sku}, which is tracked without options and has the quantity."
        )
    else:
        return
    raise Refusal(Code.NOT_TRACKED, message, ("sku",)).only()


def check_rows(rows: Sequence[Any], name: str) -> None:
    if not rows:
        raise invalid(f"There is nothing in {name}: name at least one.", name)
    if len(rows) > MAX_ROWS:
        raise refusals.too_many(name, len(rows), MAX_ROWS, name)


@dataclass(slots=True)
class Rows:
    """Rows of one stock mutation, done together with others. ``work`` works one of them out, named ``name`` in an error."""

    caller: Caller
    ticket: Ticket | None
    name: str
    rows: Sequence[Any]
    skus: Collection[str]
    work: Callable[["Bench", Any], Awaitable[None]]
    reason: str | None = None
    reference: str | None = None
    partial: bool = False
    check: Callable[[Network], None] = lambda network: None
    """Refuses what is wrong with the mutation as a whole."""
    read: Callable[["Bench"], Awaitable[None]] | None = None
    """Reads what the rows need besides, for all of them at once."""

    def claims(self, items: Mapping[str, Item], room: Stockroom) -> Mapping[int, Item]:
        self.check(room.lookup.network)
        return {item.id: item for sku in self.skus if (item := items.get(sku)) is not None}

    async def decide(self, stock: Stock) -> Callable[[], Kept]:
        bench = Bench(self.caller, stock.items, stock.room.lookup, stock.claim, self.reason, self.reference)
        if self.read is not None:
            await stock.pages.write()
            await self.read(bench)
        refused = await bench.run(self.name, self.rows, self.work, partial=self.partial)
        return await bench.enter(stock.pages, refused)


async def bench_of(caller: Caller, skus: Collection[str], reason: str | None, reference: str | None) -> "Bench":
    """Read and claim what rows name."""
    items = await catalog_rows.by_sku(set(skus))
    found = await lookup(items.values())
    read = {item.id: item for item in items.values()}
    return Bench(caller, items, found, await inventory.claim(read, read), reason, reference)


class Bench:
    """Claimed items on which rows are worked out one after the other before anything is written."""

    def __init__(
        self,
        caller: Caller,
        items: Mapping[str, Item],
        lookup: Lookup,
        claim: Claim,
        reason: str | None,
        reference: str | None,
    ) -> None:
        self.now = database.now()
        self._caller = caller
        self._items = items
        self._lookup = lookup
        self._claim = claim
        self._reason = catalog.optional_text(reason, "reason", "reason")
        self._reference = catalog.optional_text(reference, "reference", "reference")
        self._states: dict[tuple[int, int], Level] = {}
        self._counted: dict[tuple[int, int], datetime] = {}
        self._put: list[tuple[tuple[int, int], Change, datetime | None]] = []
        self._before: list[tuple[tuple[int, int], Level, datetime | None]] = []
        """What the row at hand has changed, as it was before."""
        self._moved: dict[tuple[int, datetime], Decimal] = {}
        self._named: set[tuple[int, int]] = set()

    async def run(
        self, name: str, rows: Sequence[Any], work: Callable[["Bench", Any], Awaitable[None]], *, partial: bool = False
    ) -> list[Refusal]:
        """Work out every row. Refused when one is; with ``partial`` the good ones are left, and what the others are."""
        refused: list[Refusal] = []
        for number, row in enumerate(rows):
            done = len(self._put)
            self._before.clear()
            try:
                await work(self, row)
            except Refused as error:
                refused += [refusal.under(name, number) for refusal in error.refusals]
                del self._put[done:]
                self._take_back()
        if refused and not partial:
            raise Refused(refused)
        return refused

    def _take_back(self) -> None:
        """Leave nothing of a row that was refused after it had put something."""
        for key, state, counted_at in reversed(self._before):
            self._states[key] = state
            if counted_at is not None:
                self._counted[key] = counted_at
            else:
                self._counted.pop(key, None)

    async def enter(self, pages: Pages, refused: Sequence[Refusal] = ()) -> Callable[[], Kept]:
        """Enter what was worked out; gives what tells the ids of levels and movements once they are written."""
        await self._claim.open_all(key for key, _, _ in self._put)
        postings = []
        for key, change, counted_at in self._put:
            level = self._claim.level(*key)
            assert level is not None
            postings.append(Posting(level, change, self._caller, self._reason, self._reference, counted_at=counted_at))
        movements = await enter(pages, self._claim, postings, self._lookup)
        levels = {posting.level.id: posting.level for posting in postings}
        return lambda: Kept(
            {"levels": list(levels), "movements": [m.id for m in movements]},
            list(refused),
            [*levels.values(), *movements],
        )

    async def write(self) -> Kept:
        """Write what was worked out. Answers the ids of levels and movements."""
        pages = Pages()
        kept = await self.enter(pages)
        await pages.write()
        return kept()

    def level(self, sku: str, warehouse: str) -> Level:
        """The figures of a level as the rows before this one leave them; an empty one where there is none yet."""
        return self._state(self._key(sku, warehouse))

    def name_once(self, sku: str, warehouse: str) -> None:
        """Refuse a level that a row before has named, however it spelled the SKU."""
        key = self._key(sku, warehouse)
        if key in self._named:
            raise invalid(f"{sku} in {warehouse} stands there twice: state one count of it.", "sku")
        self._named.add(key)

    def known_level_id(self, sku: str, warehouse: str) -> int | None:
        """The id of a level that was there before; None where a row is to make it."""
        level = self._claim.level(*self._key(sku, warehouse))
        return level.id if level else None

    def level_ids(self) -> list[int]:
        """The ids of all levels of the claimed items that were there before."""
        return [level.id for item_id in self._claim.items for level in self._claim.all_levels(item_id)]

    def level_id(self, sku: str, warehouse: str) -> int:
        """The id of a level once its rows are written."""
        found = self.known_level_id(sku, warehouse)
        assert found is not None
        return found

    def put(self, sku: str, warehouse: str, change: Change, counted_at: datetime | None = None) -> None:
        key = self._key(sku, warehouse)
        state = self._state(key)
        after = ledger.apply(state, change)
        self._before.append((key, state, self._counted.get(key)))
        self._states[key] = after
        if counted_at is not None:
            self._counted[key] = counted_at
        self._put.append((key, change, counted_at))

    def check_decimals(self, quantity: Decimal, sku: str, warehouse: str, *path: str) -> None:
        item = self._items[sku]
        _, place_id = self._key(sku, warehouse)
        channel = self._lookup.network.selling_from({place_id})
        level = self._claim.level(item.id, place_id)
        levels = [level] if level is not None else []
        if quantities.is_whole(quantity) or self._lookup.settings(item, channel, levels).quantity_uses_decimals:
            return
        raise invalid(f"{quantities.text(quantity)} of {sku}: only whole units are counted there.", *path)

    async def read_moved(self, counted: Iterable[tuple[str, str, datetime]]) -> None:
        """Read what the ledger has after the moments of counts, for ``moved_since``."""
        asked: dict[tuple[int, datetime], None] = {}
        for sku, warehouse, moment in counted:
            item, place_id = self._items.get(sku), self._lookup.network.warehouse_id(warehouse)
            level = self._claim.level(item.id, place_id) if item and place_id is not None else None
            if level is not None:
                asked[level.id, moment] = None
        self._moved = await moved_after_each(list(asked))

    def moved_since(self, sku: str, warehouse: str, moment: datetime) -> Decimal:
        """What came and went after the moment of a count. Refused for a moment to come, or before the latest count."""
        if moment > self.now:
            raise invalid(f"{moment.isoformat()} is in the future.", "countedAt")
        key = self._key(sku, warehouse)
        level = self._claim.level(*key)
        latest = self._counted.get(key) or (level.counted_at if level else None)
        if latest is not None and latest > self.now:
            latest = None  # written down before the clock was set back
        if latest is not None and moment < latest:
            raise Refusal(
                Code.STALE_QUANTITY,
                f"{sku} in {warehouse} was counted after that, at {latest.isoformat()}.",
                ("countedAt",),
            ).only()
        return self._moved[level.id, moment] if level else ZERO

    def _key(self, sku: str, warehouse: str) -> tuple[int, int]:
        item = self._items.get(sku)
        if item is None or item.id not in self._claim.items or self._claim.items[item.id].deleted_at is not None:
            raise refusals.missing("item", sku, "sku")
        check_countable(item, self._lookup.product(item))
        place_id = self._lookup.network.warehouse_id(warehouse)
        if place_id is None:
            raise refusals.missing("warehouse", warehouse, "warehouse")
        if not self._caller.reaches(place_id):
            raise refusals.out_of_reach(warehouse, "warehouse")
        return item.id, place_id

    def _state(self, key: tuple[int, int]) -> Level:
        if key not in self._states:
            level = self._claim.level(*key)
            self._states[key] = level.state if level else Level()
        return self._states[key]
