"""Placing an order: what checkOrder shows and placeOrder carries out, in one transaction under the items' lock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gqlstock import trail
from gqlstock.rules import catalog, events, ledger, refusals
from gqlstock.rules import orders as order_rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.ledger import Step
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.services import addresses, holds
from gqlstock.services.availability import Shelf
from gqlstock.services.drafts import Asked, Draft, OrderLine, PlannedLine, plan, read, stocked
from gqlstock.services.idempotency import Kept, once
from gqlstock.services.posting import follow, summed
from gqlstock.store import catalog as catalog_rows
from gqlstock.store import database, inventory, outbox, warehouses
from gqlstock.store import orders as rows
from gqlstock.store.inventory import InventoryLevel, Posting
from gqlstock.store.warehouses import Channel


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

    async def work() -> Kept:
        channel, lines, found = await read(asked, levels={})
        wanted = stocked(lines, found)
        held = await holds.taken_up(asked.hold, "hold")
        claim = await inventory.claim(wanted.keys() | (held.item_ids if held else set()), wanted)
        found.prefer(held.warehouses if held else {})
        freed = await holds.end(caller, held, channel.id, claim, StockHoldState.ORDERED, "hold")
        found.use(claim)
        draft = plan(caller, asked, lines, found)
        if draft.refusals:
            raise Refused(draft.refusals)
        order_id, order_lines = await _write(contact, channel, draft, found)
        await take(caller, order_lines, draft, found, claim, freed)
        await outbox.add([events.order_placed(order_id)])
        database.on_commit(trail.order_placed)
        return Kept({"order": [order_id]})

    return await once(caller, "placeOrder", key, asked, work)


async def retry(caller: Caller, number: str) -> int:
    """Try a held order again: it is placed, or left as it is. Answers its id."""

    async def work() -> int:
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
        _, planned, found = await read(asked, levels={})
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
        await take(caller, lines, draft, found, claim)
        await outbox.add([Event(Topic.ORDER, order.id)])
        return int(order.id)

    return await database.transaction(work)


def _check_held(order: rows.Order) -> None:
    if order.status is not OrderStatus.BACKORDERED:
        told = order.status.value.lower().replace("_", " ")
        raise wrong_state(f"The order {order_rules.number(order.id)} is not held: it is {told}.", "number")


async def _write(contact: _Contact, channel: Channel, draft: Draft, found: Shelf) -> tuple[int, list[rows.OrderLine]]:
    """Write the order with its lines; gives its id, and them."""
    at = database.now()
    order = await rows.Order.create(
        website_id=channel.id,
        status=OrderStatus.BACKORDERED if draft.held else OrderStatus.PLACED,
        customer_email=contact.email,
        reference=contact.reference,
        placed_at=at,
        updated_at=at,
    )
    lines = [_line_row(order.id, line, found) for line in draft.lines]
    await database.insert_many(lines)
    return int(order.id), lines


def _line_row(order_id: int, line: PlannedLine, found: Shelf) -> rows.OrderLine:
    assert line.item is not None
    assert line.settings is not None
    return rows.OrderLine(
        order_id=order_id,
        item_id=line.item.id,
        sku=line.item.sku,
        name=line.item.name,
        code=line.item.own_code or found.lookup.product(line.item).sku,
        selected_options=line.selected,
        quantity=line.asked.quantity,
        decrement=line.settings.decrement_inventory,
        message=line.message,
    )


async def take(
    caller: Caller,
    lines: Sequence[rows.OrderLine],
    draft: Draft,
    found: Shelf,
    claim: inventory.Claim,
    freed: Sequence[InventoryLevel] = (),
) -> None:
    """Allocate what a draft has found for the lines of an order, and take it; ``freed`` levels changed besides."""
    at = database.now()
    allocations, postings = [], []
    for line, row in zip(draft.lines, lines, strict=True):
        assert line.item is not None
        for position, part in enumerate(line.parts):
            level = found.level(line.item, part.warehouse_id) if line.counted else None
            allocations.append(
                rows.Allocation(
                    line_id=row.id,
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
                    postings.append(Posting(level, change, caller, order_id=row.order_id))
    await database.insert_many(allocations)
    taken = summed(postings)
    await inventory.record(taken)
    await follow(claim, [*(posting.level for posting in taken), *freed], found.lookup)
