"""Writes to levels, with all that follows from them in the same transaction: waiting orders filled, alerts, news."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import alerts as alert_rules
from gqlstock.rules import availability, backorders, catalog, events, ledger
from gqlstock.rules.alerts import AlertState, Step
from gqlstock.rules.availability import Source
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.scopes import SYSTEM
from gqlstock.stock.settings_lookup import Lookup
from gqlstock.store import alerts, database, inventory, orders, outbox, shipments
from gqlstock.store.alerts import LowInventoryAlert
from gqlstock.store.inventory import Claim, InventoryLevel, Journal, Posting, StockMovement
from gqlstock.store.orders import NewOrder


@dataclass(slots=True)
class Pages:
    """What was decided and is still to be written: new orders, and changes of claimed levels."""

    orders: list[NewOrder] = field(default_factory=list)
    journal: Journal = field(default_factory=Journal)

    async def write(self) -> None:
        """Write it; whoever reads what it may hold calls this first."""
        await orders.insert(self.orders)
        await outbox.add([events.order_placed(new.order.id) for new in self.orders])
        self.orders.clear()
        await self.journal.write()


async def post(claim: Claim, postings: Sequence[Posting], lookup: Lookup) -> list[StockMovement]:
    """Write changes of claimed levels, with all that follows from them."""
    pages = Pages()
    movements = await enter(pages, claim, postings, lookup)
    await pages.write()
    return movements


async def enter(
    pages: Pages, claim: Claim, postings: Sequence[Posting], lookup: Lookup, *, freed: Sequence[InventoryLevel] = ()
) -> list[StockMovement]:
    """Enter changes of claimed levels, with all that follows from them; ``freed`` levels changed besides."""
    movements = await pages.journal.enter(postings)
    await follow(claim, [*(posting.level for posting in postings), *freed], lookup, pages)
    return movements


async def follow(claim: Claim, levels: Iterable[InventoryLevel], lookup: Lookup, pages: Pages | None = None) -> None:
    """Do what follows from changes of levels: orders are filled, alerts raised and resolved, crossings told.

    ``pages`` hold what is not written yet of these changes and those before.
    """
    changed = {level.id: level for level in levels}
    for level in changed.values():
        if level.backordered:
            await _fill(level, pages or Pages())
    if changed:
        items = {level.item_id for level in changed.values()}
        await watch(items, claim, lookup)
        shops = [(channel, {site.warehouse_id for site in channel.warehouses}) for channel in lookup.network.channels]
        await outbox.add([event for item_id in sorted(items) for event in _crossings(item_id, claim, lookup, shops)])


async def _fill(level: InventoryLevel, pages: Pages) -> None:
    """Give waiting orders what the level has for them, the oldest first."""
    units = backorders.fillable(level.state)
    if not units:
        return
    await pages.write()
    waiting = await orders.waiting(level.id)
    fills = backorders.fill([(allocation.id, allocation.quantity) for allocation in waiting], units)
    order_ids = await orders.fill(waiting, fills)
    filled_ids = {one.allocation_id for one in fills}
    await shipments.restate({a.shipment_id for a in waiting if a.id in filled_ids and a.shipment_id is not None})
    filled = sum((one.quantity for one in fills), ZERO)
    await inventory.record([Posting(level, Change(backordered=-filled), caller=SYSTEM)])
    await outbox.add([Event(Topic.ORDER, order_id) for order_id in order_ids])


async def watch(item_ids: Collection[int], claim: Claim, lookup: Lookup) -> None:
    """Raise and resolve the low-inventory alerts of claimed items by what their levels have now."""
    open_alerts = await alerts.open_alerts(claim.alerted.intersection(item_ids))
    if not open_alerts and not lookup.anywhere("notify_below"):
        return
    due = alerts_due(item_ids, claim, lookup, open_alerts)
    at = database.now()
    await alerts.resolve_all(due.over, at)
    await alerts.raise_all([_raised(one, lookup, at) for one in due.falls])
    claim.alerted.update(one.item.id for one in due.falls)


def alerts_due(
    item_ids: Collection[int], claim: Claim, lookup: Lookup, open_alerts: Sequence[LowInventoryAlert]
) -> "AlertsDue":
    """The alerts of items that are to be raised and resolved by what their levels have."""
    watched = [one for item_id in sorted(item_ids) for one in _watched(claim.items[item_id], claim, lookup)]
    known = {(alert.item_id, alert.warehouse_id): alert for alert in open_alerts}
    due = AlertsDue()
    for one in watched:
        alert = known.pop((one.item.id, one.warehouse_id), None)
        step = alert_rules.step(one.left, one.notify_below, is_open=alert is not None)
        if step is Step.RAISE:
            due.falls.append(one)
        elif step is Step.RESOLVE and alert is not None:
            due.over.append(alert)
    # What is left is not watched any more.
    due.over.extend(known.values())
    return due


def _crossings(
    item_id: int, claim: Claim, lookup: Lookup, shops: Sequence[tuple[SalesChannel, set[int]]]
) -> list[Event]:
    """The news of the websites on which a claimed item has run out, or there is some of it again.

    ``shops`` are all websites with the warehouses that they sell from.
    """
    item, levels = claim.items[item_id], claim.levels(item_id)
    before = {level.id: claim.told[level.id] for level in levels}
    after = {level.id: level.state for level in levels}
    claim.told.update(after)
    moved = {level.warehouse_id for level in levels if _free(after[level.id]) != _free(before[level.id])}
    if not moved or not _has_units_of_its_own(item, lookup.product(item)):
        return []
    out = []
    for channel, selling in shops:
        if not moved.isdisjoint(selling):
            here = [level for level in levels if level.warehouse_id in selling]
            in_stock = _crossed(item, here, before, after, channel, lookup)
            if in_stock is not None:
                out.append(events.stock_crossed(item_id, channel.id, in_stock=in_stock))
    return out


def _free(level: Level) -> Decimal:
    return max(level.available, ZERO)


def _crossed(
    item: Item,
    levels: Sequence[InventoryLevel],
    before: Mapping[int, Level],
    after: Mapping[int, Level],
    channel: SalesChannel,
    lookup: Lookup,
) -> bool | None:
    found = lookup.settings(item, channel, levels)
    if not lookup.is_counted(item, found):
        return None
    modes = {level.id: lookup.level_backorders(level, found) for level in levels}
    then, now = (
        [Source(one.warehouse_id, states[one.id], modes[one.id]) for one in levels] for states in (before, after)
    )
    return availability.crossed(found, then, now)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A quantity under watch: an item's over all active warehouses, or that of one level."""

    item: Item
    warehouse_id: int | None
    left: Decimal
    notify_below: Decimal


@dataclass(frozen=True, slots=True)
class AlertsDue:
    """Falls without an alert, and alerts whose fall is over."""

    falls: list[_Watched] = field(default_factory=list)
    over: list[LowInventoryAlert] = field(default_factory=list)


def _watched(item: Item, claim: Claim, lookup: Lookup) -> list[_Watched]:
    if item.deleted_at is not None:
        return []
    levels = claim.levels(item.id)
    found = lookup.settings(item, lookup.home(levels))
    if not (lookup.is_counted(item, found) and _has_units_of_its_own(item, lookup.product(item))):
        return []
    active = [level for level in levels if level.warehouse_id in lookup.network.active]
    own = [(level, lookup.own_level_value(level, "notify_below")) for level in active]
    watched = [
        _Watched(item, one.warehouse_id, max(one.available, ZERO), below) for one, below in own if below is not None
    ]
    if found.notify_below is not None:
        left = sum((max(level.available, ZERO) for level in active), ZERO)
        watched.insert(0, _Watched(item, None, left, found.notify_below))
    return watched


def _has_units_of_its_own(item: Item, product: Item) -> bool:
    """Whether a product has the quantity itself, or its combinations have it. (CS-Cart)"""
    return item.is_product is not catalog.counts_combinations(product.tracking)


def _raised(one: _Watched, lookup: Lookup, at: datetime) -> LowInventoryAlert:
    return LowInventoryAlert(
        item_id=one.item.id,
        warehouse_id=one.warehouse_id,
        sku=one.item.sku,
        name=one.item.name,
        code=one.item.own_code or lookup.product(one.item).sku,
        quantity_left=one.left,
        threshold=one.notify_below,
        state=AlertState.RAISED,
        raised_at=at,
    )


def summed(postings: Sequence[Posting]) -> list[Posting]:
    """One posting for each level: what an order does moves a level once, however many units of it are concerned."""
    sums: dict[int, Posting] = {}
    for posting in postings:
        known = sums.get(posting.level.id)
        change = ledger.together(known.change, posting.change) if known else posting.change
        sums[posting.level.id] = replace(posting, change=change)
    return list(sums.values())
