"""Placing an order: what checkOrder shows and placeOrder carries out, in one transaction under the items' lock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gqlstock import trail
from gqlstock.rules import catalog, ledger, refusals
from gqlstock.rules import orders as order_rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.ledger import Step
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.services import addresses, drafts, holds, idempotency, together
from gqlstock.services.availability import Shelf, Stockroom
from gqlstock.services.drafts import Asked, Draft, OrderLine, PlannedLine, plan, read, stocked
from gqlstock.services.idempotency import Kept, once
from gqlstock.services.posting import Pages, enter, post, summed
from gqlstock.services.together import Stock
from gqlstock.store import catalog as catalog_rows
from gqlstock.store import database, inventory, outbox, warehouses
from gqlstock.store import orders as rows
from gqlstock.store.catalog import Item
from gqlstock.store.idempotency import Ticket
from gqlstock.store.inventory import InventoryLevel, Posting


@dataclass(frozen=True, slots=True)
class _Contact:
    email: str | None
    reference: str | None


async def check(caller: Caller, asked: Asked) -> Draft:
    """What placing this order would do now, without doing it."""
    try:
        channel, lines, found = await read(asked)
    except Refused as error:
        return _unread(asked, error)
    try:
        held = await holds.taken_up(asked.hold, "hold")
        if held is not None:
            holds.check(held, channel.id, "hold")
            found.prefer(held.warehouses)
            found.free(held.quantities)
    except Refused as error:
        return Draft(plan(caller, asked, lines, found).lines, list(error.refusals))
    return plan(caller, asked, lines, found)


def _unread(asked: Asked, error: Refused) -> Draft:
    refusals = list(error.refusals)
    return Draft([PlannedLine(number, line, refusals=refusals) for number, line in enumerate(asked.lines)], refusals)


async def place(caller: Caller, asked: Asked, key: str | None = None) -> Kept:
    """Place an order: all of it or nothing. Answers its id."""
    contact = _Contact(
        addresses.email(asked.customer_email, "customerEmail") if asked.customer_email else None,
        catalog.optional_text(asked.reference, "reference", "reference"),
    )
    placing = Placing(caller, asked, contact, idempotency.ticket(caller, "placeOrder", key, asked))
    kept = await (together.do(placing) if asked.hold is None else _place_held(placing))
    if placing.order is not None:
        trail.order_placed()
    return kept


@dataclass(slots=True)
class Placing:
    """An order that is being placed, together with others. ``order`` is what was made of it."""

    caller: Caller
    asked: Asked
    contact: _Contact
    ticket: Ticket | None
    order: rows.Order | None = None
    _channel: SalesChannel | None = None
    _lines: list[PlannedLine] = field(default_factory=list)
    _wanted: Mapping[int, Item] = field(default_factory=dict)

    @property
    def skus(self) -> set[str]:
        return {line.sku for line in self.asked.lines}

    def claims(self, items: Mapping[str, Item], room: Stockroom) -> Mapping[int, Item]:
        self._channel = drafts.check(self.asked, room.lookup.network)
        found = room.shelf(self._channel)
        self._lines = drafts.identify(self.asked, items, found)
        self._wanted = stocked(self._lines, found)
        return self._wanted

    async def decide(self, stock: Stock) -> Callable[[], Kept]:
        assert self._channel is not None
        stock.room.use(stock.claim, self._wanted)
        found = stock.room.shelf(self._channel)
        return await self.enter(self._lines, found, stock.claim, stock.pages)

    async def enter(
        self,
        lines: list[PlannedLine],
        found: Shelf,
        claim: inventory.Claim,
        pages: Pages,
        freed: Sequence[InventoryLevel] = (),
    ) -> Callable[[], Kept]:
        """Work the order out under the claim and enter it, when it can be placed; ``freed`` levels changed besides."""
        draft = plan(self.caller, self.asked, lines, found)
        if draft.refusals:
            raise Refused(draft.refusals)
        order = self.order = _order_row(self.contact, found.channel, draft)
        line_rows = [_line_row(line, found) for line in draft.lines]
        allocations, postings = take(self.caller, order, line_rows, draft, found, claim)
        pages.orders.append(rows.NewOrder(order, list(zip(line_rows, allocations, strict=True))))
        await enter(pages, claim, postings, found.lookup, freed=freed)
        return lambda: Kept({"order": [order.id]}, rows=[order])


async def _place_held(placing: Placing) -> Kept:
    """Place an order for what a hold keeps, as if that had just ended; by itself, for a hold is one cart's."""

    async def work() -> Kept:
        channel, lines, found = await read(placing.asked, to_claim=True)
        wanted = stocked(lines, found)
        held = await holds.taken_up(placing.asked.hold, "hold")
        claim = await inventory.claim(wanted.keys() | (held.item_ids if held else set()), wanted)
        found.prefer(held.warehouses if held else {})
        freed = await holds.end(placing.caller, held, channel.id, claim, StockHoldState.ORDERED, "hold")
        found.use(claim)
        pages = Pages()
        kept = await placing.enter(lines, found, claim, pages, freed)
        await pages.write()
        return kept()

    return await once(placing.ticket, work)


async def retry(caller: Caller, number: str) -> Kept:
    """Try a held order again: it is placed, or left as it is. Answers its id."""

    async def work() -> Kept:
        order_id = order_rules.id_of(number)
        known = (await rows.orders([order_id])).get(order_id) if order_id is not None else None
        if known is None:
            raise refusals.missing("order", number, "number")
        _check_held(known)
        lines = [line for line in (await rows.lines_of([known.id]))[known.id] if line.quantity > line.canceled]
        items = await catalog_rows.items({line.item_id for line in lines})
        asked = Asked(
            tuple(
                OrderLine(items[line.item_id].sku, line.quantity - line.canceled, tuple(line.selected_options.items()))
                for line in lines
            ),
            (await warehouses.websites([known.website_id]))[known.website_id].code,
            firm=True,
            modes=tuple(line.decrement for line in lines),
        )
        _, planned, found = await read(asked, to_claim=True)
        wanted = stocked(planned, found)
        claim = await inventory.claim(wanted, wanted)
        found.use(claim)
        order = await rows.lock(known.id)
        _check_held(order)
        draft = plan(caller, asked, planned, found)
        if draft.refusals:
            raise Refused(replace(refusal, path=("number",)) for refusal in draft.refusals)
        order.status, order.updated_at = OrderStatus.PLACED, database.now()
        await order.save(update_fields=["status", "updated_at"])
        for row, line in zip(lines, draft.lines, strict=True):
            row.message = line.message
            await row.save(update_fields=["message"])
        allocations, postings = take(caller, order, lines, draft, found, claim)
        await rows.allocate(list(zip(lines, allocations, strict=True)))
        await post(claim, postings, found.lookup)
        await outbox.add([Event(Topic.ORDER, order.id)])
        return Kept({"order": [order.id]}, rows=[order])

    return await database.transaction(work)


def _check_held(order: rows.Order) -> None:
    if order.status is not OrderStatus.BACKORDERED:
        told = order.status.value.lower().replace("_", " ")
        raise wrong_state(f"The order {order_rules.number(order.id)} is not held: it is {told}.", "number")


def _order_row(contact: _Contact, channel: SalesChannel, draft: Draft) -> rows.Order:
    at = database.now()
    return rows.Order(
        website_id=channel.id,
        status=OrderStatus.BACKORDERED if draft.held else OrderStatus.PLACED,
        customer_email=contact.email,
        reference=contact.reference,
        placed_at=at,
        updated_at=at,
    )


def _line_row(line: PlannedLine, found: Shelf) -> rows.OrderLine:
    assert line.item is not None
    assert line.settings is not None
    return rows.OrderLine(
        item_id=line.item.id,
        sku=line.item.sku,
        name=line.item.name,
        code=line.item.own_code or found.lookup.product(line.item).sku,
        selected_options=line.selected,
        quantity=line.asked.quantity,
        decrement=line.settings.decrement_inventory,
        message=line.message,
    )


def take(
    caller: Caller,
    order: rows.Order,
    lines: Sequence[rows.OrderLine],
    draft: Draft,
    found: Shelf,
    claim: inventory.Claim,
) -> tuple[list[list[rows.Allocation]], list[Posting]]:
    """The allocations of each line of an order for what a draft has found, and what they do to the levels."""
    at = database.now()
    allocations: list[list[rows.Allocation]] = []
    postings = []
    for line, row in zip(draft.lines, lines, strict=True):
        assert line.item is not None
        allocations.append([])
        for position, part in enumerate(line.parts):
            level = claim.level(found.stock_item(line.item).id, part.warehouse_id) if line.counted else None
            allocations[-1].append(
                rows.Allocation(
                    warehouse_id=part.warehouse_id,
                    level_id=level.id if level else None,
                    position=position,
                    quantity=part.quantity,
                    state=part.state,
                    changed_at=at,
                )
            )
            if level is not None:
                waiting = part.quantity if part.state is AllocationState.BACKORDERED else ZERO
                change = ledger.effect(Step.ORDERED, row.decrement, part.quantity, waiting)
                if change != ledger.Change():
                    postings.append(Posting(level, change, caller, order=order))
    return allocations, summed(postings)
