"""Loads the snapshot of a batch: resolves named objects, locks them, and reads the rest under the locks."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gqlstock.rules.allocation import Allocation
from gqlstock.rules.catalog import Item
from gqlstock.rules.holds import HeldUnits, StockHold
from gqlstock.rules.ledger import Level
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.shipments import Shipment
from gqlstock.rules.transfers import InventoryTransfer
from gqlstock.stock import cache, present, reading, validating
from gqlstock.stock.batcher import Lock
from gqlstock.stock.command import Names
from gqlstock.stock.snapshot import NotLoaded, Snapshot
from gqlstock.store import commands as rows
from gqlstock.store import holds, levels
from gqlstock.store import ledger as ledger_rows
from gqlstock.store.db import clock, connection, transactions
from gqlstock.store.db.records import by_id

ITEM = "item"
ADDRESS = "address"
_LOCKED_KINDS: tuple[tuple[str, type[Any]], ...] = (
    ("order", Order),
    ("hold", StockHold),
    ("announcement", StockAnnouncement),
    ("shipment", Shipment),
    ("transfer", InventoryTransfer),
)


async def wait(wait_for: frozenset[Lock]) -> None:
    """Wait for locks that other transactions hold: items by id, then the rest by kind and id, and last addresses.

    Call it before taking any other lock: a transaction that waits while holding locks can deadlock.
    """
    by_kind: dict[str, list[Any]] = {}
    for kind, found in sorted(wait_for):
        by_kind.setdefault(kind, []).append(found)
    await rows.lock_items(by_kind.get(ITEM, []), waiting=True)
    for kind, record in _LOCKED_KINDS:
        await rows.lock(record, by_kind.get(kind, []), waiting=True)
    for address in by_kind.get(ADDRESS, []):
        await holds.lock_address(address, waiting=True)


async def prefetch(names: Sequence[Names]) -> None:
    """Cache the catalog records that commands name, because write transactions read missing records but never cache them."""
    skus = {sku for one in names for sku in one.skus}
    if cache.current().is_off or present.may_be_kept(skus):
        await validating.catch_up()
    else:
        await reading.run(lambda: _prefetch(skus))


async def _prefetch(skus: Collection[str]) -> None:
    known = await present.with_products((await present.by_sku(skus)).values())
    members = await present.counted_combinations(known.values())
    await present.settings([*known.values(), *(one for of_product in members.values() for one in of_product)])


async def resolve(names: Sequence[Names]) -> Snapshot:
    """Read what commands name (catalog, orders, holds, announcements, transfers), without locks and without levels."""
    snapshot = Snapshot(
        now=clock.now(),
        network=await present.network(),
        by_sku={},
        lookup=None,  # type: ignore[arg-type]
        combinations={},
    )
    await _read_named(snapshot, names)
    snapshot.by_sku = await present.by_sku({sku for one in names for sku in one.skus})
    named = list({item.id: item for item in snapshot.by_sku.values()}.values())
    snapshot.level_items = await rows.items_of_levels(_level_ids(snapshot))
    others = {item for one in names for item in one.items} | set(snapshot.level_items.values())
    others |= {line.item_id for line in snapshot.all(OrderLine)}
    items = {item.id: item for item in named}
    items |= await present.items(others - items.keys())
    await _read_catalog(snapshot, items)
    return snapshot


async def _read_named(snapshot: Snapshot, names: Sequence[Names]) -> None:
    shipments = await by_id(Shipment, _all(names, "shipments"))
    snapshot.put_all(shipments.values())
    orders = _all(names, "orders") | {one.order_id for one in shipments.values()}
    if orders:
        snapshot.put_all(await rows.whole_orders(orders))
    held = _all(names, "holds")
    if held:
        snapshot.put_all(await rows.whole_holds(held))
    announced = await by_id(StockAnnouncement, _all(names, "announcements"))
    snapshot.put_all(announced.values())
    transfers = _all(names, "transfers") | {
        one.transfer_id for one in announced.values() if one.transfer_id is not None
    }
    if transfers:
        snapshot.put_all(await rows.whole_transfers(transfers))
    for address in {address for one in names for address in one.addresses}:
        snapshot.counted_holds[address] = await holds.active_of(address, snapshot.now)


def _all(names: Sequence[Names], kind: str) -> set[int]:
    return {named_id for one in names for named_id in getattr(one, kind)}


def _level_ids(snapshot: Snapshot) -> set[int]:
    allocated = {one.level_id for one in snapshot.all(Allocation) if one.level_id is not None}
    held = {one.level_id for one in snapshot.all(HeldUnits)}
    return allocated | held | {one.level_id for one in snapshot.all(StockAnnouncement)}


async def _read_catalog(snapshot: Snapshot, items: dict[int, Item]) -> None:
    """Read the products of combinations, the combinations of products, and the settings of all of them."""
    known = await present.with_products(items.values())
    snapshot.combinations = await present.counted_combinations(known.values())
    known |= {one.id: one for members in snapshot.combinations.values() for one in members}
    snapshot.lookup = await present.settings(known.values(), snapshot.network)


@dataclass(frozen=True, slots=True)
class Locks:
    """The locks of this transaction. ``items`` is None on SQLite, where a write transaction locks the whole database."""

    items: frozenset[int] | None
    others: frozenset[Lock] = frozenset()
    """The orders, holds, announcements, shipments, transfers and addresses that other transactions have locked."""
    changed: tuple[int, ...] = ()
    """The items that changed between reading and locking them."""

    def check_unchanged(self) -> None:
        """Raise ``Outdated`` if an item has changed since it was read."""
        if self.changed:
            raise transactions.Outdated(f"items {list(self.changed)} have changed")

    def missing(self, items: Collection[int], names: Names, snapshot: Snapshot) -> set[Lock]:
        """The locks that a command needs and other transactions hold.

        A shipment also needs the lock of its order, and the announcement of a transfer that of its transfer.
        """
        if self.items is None:
            return set()
        shipped = {one.order_id for one in snapshot.all(Shipment) if one.id in names.shipments}
        announced = [one for one in snapshot.all(StockAnnouncement) if one.id in names.announcements]
        transferred = {one.transfer_id for one in announced if one.transfer_id is not None}
        named = {"order": names.orders | shipped, "hold": names.holds}
        named |= {"announcement": names.announcements, "shipment": names.shipments}
        named |= {"transfer": names.transfers | transferred}
        wanted: set[Lock] = {(kind, one) for kind, ids in named.items() for one in ids}
        wanted |= {(ADDRESS, one) for one in names.addresses}
        return {(ITEM, one) for one in items if one not in self.items} | (wanted & self.others)


async def lock(found: Snapshot, item_ids: Collection[int]) -> Locks:
    """Lock items by id, then the rest by kind and id, and last addresses, skipping what is locked elsewhere."""
    if not connection.is_postgres():
        return Locks(None)
    locked = await rows.lock_items(item_ids)
    known = found.lookup.items
    changed = tuple(one.id for one in locked if one.id in known and one.updated_at != known[one.id].updated_at)
    others: set[Lock] = set()
    for kind, record in _LOCKED_KINDS:
        ids = {one.id for one in found.all(record)}
        others |= {(kind, one) for one in ids.difference(await rows.lock(record, ids))}
    others |= {(ADDRESS, one) for one in found.counted_holds if not await holds.lock_address(one)}
    return Locks(frozenset(one.id for one in locked), frozenset(others), changed)


async def load(found: Snapshot, locked: Locks, item_ids: Collection[int]) -> Snapshot:
    """Read, under the locks, the rest of what the commands are decided against."""
    if locked.items is not None:
        await _read_again(found)
    stored = await levels.of_items(item_ids, found.now)
    for item_id in item_ids:
        found.levels[item_id] = {}
    for level in stored.levels:
        found.put_level(level)
    found.arrivals |= stored.arrivals
    if stored.alerted:
        found.put_all(await rows.open_alerts(stored.alerted))
    return found


async def _read_again(found: Snapshot) -> None:
    """Reread the named objects under their locks. Raises ``Outdated`` if they now need further items."""
    names = Names(
        orders=frozenset(one.id for one in found.all(Order)),
        shipments=frozenset(one.id for one in found.all(Shipment)),
        holds=frozenset(one.id for one in found.all(StockHold)),
        announcements=frozenset(one.id for one in found.all(StockAnnouncement)),
        transfers=frozenset(one.id for one in found.all(InventoryTransfer)),
        addresses=frozenset(found.counted_holds),
    )
    if names == Names():
        return
    found.records.clear()
    await _read_named(found, [names])
    if _level_ids(found) - found.level_items.keys():
        raise transactions.Outdated("an order now has units of further items")


async def of_items(item_ids: Collection[int]) -> Snapshot:
    """A snapshot of items, read without locks."""
    return await load(await resolve([Names(items=frozenset(item_ids))]), Locks(None), item_ids)


async def load_more(snapshot: Snapshot, more: NotLoaded) -> None:
    """Add to the snapshot what a decision needs in addition."""
    if more.queues:
        for level_id in more.queues:
            snapshot.queues[level_id] = []
        waiting, orders, lines, shipments = await rows.queues(more.queues)
        _put_missing(snapshot, [*orders, *lines, *shipments, *waiting])
        for allocation in waiting:
            assert allocation.level_id is not None
            snapshot.queues[allocation.level_id].append(allocation)
        packed = {one.id for one in shipments}
        _put_missing(snapshot, await rows.contents(packed))
    if more.arriving:
        snapshot.loaded_arriving |= more.arriving
        _put_missing(snapshot, await rows.arriving(more.arriving))
    if more.allocated:
        snapshot.loaded_allocated |= more.allocated
        _put_missing(snapshot, await rows.open_allocations(more.allocated))
    if more.orders:
        await _load_dates_of(snapshot, more.orders)
    if more.moved:
        snapshot.moved |= await ledger_rows.moved_after(sorted(more.moved))


async def _load_dates_of(snapshot: Snapshot, order_ids: Collection[int]) -> None:
    """Load what the dates of orders depend on: their waiting units, the queues of those levels, and the dated supply.

    Items that the commands do not name are not locked for this. Their dates are as of now.
    """
    snapshot.loaded_orders.update(order_ids)
    waiting, lines = await rows.waiting_of(order_ids)
    _put_missing(snapshot, [*lines, *waiting])
    at = {one.level_id for one in waiting if one.level_id is not None}
    beside = await by_id(Level, at - snapshot.by_level_id().keys())
    snapshot.levels_beside |= {one.id: one for one in await levels.without_expired([*beside.values()], snapshot.now)}
    known = snapshot.by_level_id()
    supplied = {level_id for level_id in at if known[level_id].incoming}
    queues, arriving = supplied - snapshot.queues.keys(), supplied - snapshot.loaded_arriving
    if queues or arriving:
        await load_more(snapshot, NotLoaded(queues=queues, arriving=arriving))


def _put_missing(snapshot: Snapshot, found: Iterable[Any]) -> None:
    for record in found:
        if snapshot.get(type(record), record.id) is None:
            snapshot.put(record)
