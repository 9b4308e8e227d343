"""Placing an order: what checkOrder shows and placeOrder carries out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gqlstock import trail
from gqlstock.rules import allocation, catalog, events, ledger, refusals
from gqlstock.rules import orders as rules
from gqlstock.rules.allocation import Allocation
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.orders import Order, OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.services import drafts, holds, idempotency
from gqlstock.services.drafts import Asked, Draft, OrderLine, PlannedLine, plan, read, stocked
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, LedgerEntry, Names, Result, Written, new_id, summed
from gqlstock.stock.shelf import Shelf
from gqlstock.stock.snapshot import Snapshot, WholeOrder


async def check(caller: Caller, asked: Asked) -> Draft:
    """What placing this order would do now, without doing it."""
    try:
        channel, lines, found = await read(caller, asked)
    except Refused as error:
        return _unread(asked, error)
    try:
        held = await holds.taken_up(asked.hold, "hold")
        if held is not None:
            holds.check(held.hold, channel.id, found.now, "hold")
            found.prefer(held.warehouses)
            found.free(held.quantities)
    except Refused as error:
        return Draft(plan(caller, asked, lines, found).lines, list(error.refusals))
    return plan(caller, asked, lines, found)


def _unread(asked: Asked, error: Refused) -> Draft:
    found = list(error.refusals)
    return Draft([PlannedLine(number, line, refusals=found) for number, line in enumerate(asked.lines)], found)


async def place(caller: Caller, asked: Asked, key: str | None = None) -> Result:
    """Place an order: all of it or nothing. Answers its id."""
    placing = PlaceOrder(
        caller,
        asked,
        catalog.email(asked.customer_email, "customerEmail") if asked.customer_email else None,
        catalog.optional_text(asked.reference, "reference", "reference"),
        await idempotency.ticket_on_website(caller, "placeOrder", key, asked),
    )
    result = await transaction.run(placing)
    if result.rows:
        trail.order_placed()
    return result


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    caller: Caller
    asked: Asked
    customer_email: str | None
    reference: str | None
    key: IdempotencyKey | None

    @property
    def names(self) -> Names:
        hold = self.asked.hold.row_id if self.asked.hold is not None else None
        return Names(frozenset(line.sku for line in self.asked.lines), holds=holds.named(hold))

    @property
    def size(self) -> int:
        return len(self.asked.lines)

    def items(self, found: Snapshot) -> Collection[int]:
        _, lines, shelf = _identified(self.caller, self.asked, found)
        return stocked(lines, shelf).keys() | holds.items_of(self.asked.hold, found)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        channel, lines, shelf = _identified(self.caller, self.asked, snapshot)
        ended = holds.end(self.caller, self.asked.hold, snapshot, channel.id, StockHoldState.ORDERED, "hold")
        if ended is not None:
            shelf.prefer(ended.held.warehouses)
            shelf.free(ended.held.quantities)
        draft = plan(self.caller, self.asked, lines, shelf)
        if draft.refusals:
            raise Refused(draft.refusals)
        ship_to = self.asked.ship_to
        order = Order(
            id=new_id(),
            website_id=channel.id,
            status=OrderStatus.BACKORDERED if draft.held else OrderStatus.PLACED,
            customer_email=self.customer_email,
            reference=self.reference,
            ship_latitude=ship_to.latitude if ship_to else None,
            ship_longitude=ship_to.longitude if ship_to else None,
            placed_at=now,
            updated_at=now,
        )
        order_lines = [_order_line(order, line, shelf) for line in draft.lines]

        def answer(written: Written) -> Result:
            stored = written.record(order)
            return Result({"order": [stored.id]}, rows=[stored])

        changes = Changes(answer, added=[order, *order_lines])
        allocate(self.caller, order_lines, draft, snapshot, shelf, changes)
        changes.events.append(events.order_placed(order.id))
        if ended is not None:
            ended.add_to(changes)
        return changes


def _identified(caller: Caller, asked: Asked, found: Snapshot) -> tuple[SalesChannel, list[PlannedLine], Shelf]:
    channel = drafts.check(asked, found.network)
    shelf = found.on(channel)
    return channel, drafts.identify(caller, asked, found.by_sku, shelf), shelf


def _order_line(order: Order, line: PlannedLine, shelf: Shelf) -> rules.OrderLine:
    assert line.item is not None
    assert line.settings is not None
    return rules.OrderLine(
        id=new_id(),
        order_id=order.id,
        item_id=line.item.id,
        sku=line.item.sku,
        name=line.item.name,
        code=line.item.own_code or shelf.lookup.product(line.item).sku,
        selected_options=line.selected,
        quantity=line.asked.quantity,
        canceled=ZERO,
        decrement=line.settings.decrement_inventory,
        message=line.message,
    )


def allocate(
    caller: Caller, lines: Sequence[rules.OrderLine], draft: Draft, snapshot: Snapshot, shelf: Shelf, changes: Changes
) -> None:
    """Add the allocations of lines for what a draft has found, and what they do to the levels.

    Backorders may be the first to need the level of an item that nobody has counted yet: it is made.
    """
    entries = []
    for planned, line in zip(draft.lines, lines, strict=True):
        assert planned.item is not None
        item_id = shelf.stock_item(planned.item).id
        for position, part in enumerate(planned.parts):
            level_id = changes.level_id(snapshot, (item_id, part.warehouse_id)) if planned.counted else None
            changes.added.append(
                Allocation(
                    id=new_id(),
                    line_id=line.id,
                    warehouse_id=part.warehouse_id,
                    level_id=level_id,
                    shipment_id=None,
                    position=position,
                    quantity=part.quantity,
                    state=part.state,
                    changed_at=snapshot.now,
                )
            )
            change = allocation.effect(part, line.decrement)
            if level_id is not None and change != ledger.Change():
                entries.append(LedgerEntry(item_id, part.warehouse_id, change, caller, order_id=line.order_id))
    changes.entries += summed(entries)


async def retry(caller: Caller, number: str) -> Result:
    """Try a parked order again: it is placed, or left as it is. Answers its id."""
    return await transaction.run(RetryOrder(caller, number))


@dataclass(frozen=True, slots=True)
class RetryOrder:
    caller: Caller
    number: str
    key: IdempotencyKey | None = None
    size: int = 1

    @property
    def names(self) -> Names:
        return Names(orders=rules.named(self.number))

    def items(self, found: Snapshot) -> Collection[int]:
        _, lines, shelf = self._identified(self._order(found), found)
        return stocked(lines, shelf).keys()

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        found = self._order(snapshot)
        asked, planned, shelf = self._identified(found, snapshot)
        draft = plan(self.caller, asked, planned, shelf)
        if draft.refusals:
            raise Refused(replace(refusal, path=("number",)) for refusal in draft.refusals)
        order = replace(found.order, status=OrderStatus.PLACED, updated_at=now)
        open_lines = _open_lines(found)
        changed = [replace(row, message=line.message) for row, line in zip(open_lines, draft.lines, strict=True)]

        def answer(written: Written) -> Result:
            return Result({"order": [order.id]}, rows=[written.record(order)])

        changes = Changes(answer, changed=[order, *changed], events=[Event(Topic.ORDER, order.id)])
        allocate(self.caller, open_lines, draft, snapshot, shelf, changes)
        return changes

    def _order(self, found: Snapshot) -> WholeOrder:
        order_id = rules.id_of(self.number)
        known = found.order(order_id) if order_id is not None else None
        if known is None:
            raise refusals.missing("order", self.number, "number")
        if known.order.status is not OrderStatus.BACKORDERED:
            told = known.order.status.value.lower().replace("_", " ")
            raise wrong_state(f"The order {self.number} is not held: it is {told}.", "number")
        return known

    def _identified(self, found: WholeOrder, snapshot: Snapshot) -> tuple[Asked, list[PlannedLine], Shelf]:
        lines = _open_lines(found)
        items = {line.id: snapshot.item(line.item_id) for line in lines}
        channel = next(one for one in snapshot.network.channels if one.id == found.order.website_id)
        asked = Asked(
            tuple(
                OrderLine(items[one.id].sku, one.quantity - one.canceled, tuple(one.selected_options.items()))
                for one in lines
            ),
            channel.code,
            ship_to=found.order.ship_to,
            firm=True,
            modes=tuple(line.decrement for line in lines),
        )
        shelf = snapshot.on(channel)
        in_use = {item.sku: item for item in items.values() if item.deleted_at is None}
        return asked, drafts.identify(self.caller, asked, in_use, shelf), shelf


def _open_lines(found: WholeOrder) -> list[rules.OrderLine]:
    return [line for line in found.lines if line.quantity > line.canceled]
