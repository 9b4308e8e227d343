"""Shipments: packed, sent, unpacked."""

from collections.abc import Sequence
from dataclasses import dataclass

from gqlstock.rules import catalog, refusals
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.ledger import Step
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.refusals import Refusal, Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.rules.shipments import Pick, ShipmentState
from gqlstock.services.fulfilment import LineQuantity, Sheet, check_lines, sheet, too_many_units
from gqlstock.services.idempotency import Kept, once, ticket
from gqlstock.store import database, warehouses
from gqlstock.store import shipments as rows
from gqlstock.store.shipments import Shipment


@dataclass(frozen=True, slots=True)
class Packing:
    """Without lines: all of the order's units in that warehouse that are in no shipment."""

    order: str
    warehouse: str
    lines: tuple[LineQuantity, ...] | None = None


async def create(caller: Caller, asked: Packing, key: str | None = None) -> Kept:
    """Put units of an order in one warehouse into a shipment. Answers its id."""

    async def work() -> Kept:
        place = (await warehouses.warehouses_by_code([asked.warehouse])).get(asked.warehouse)
        if place is None:
            raise refusals.missing("warehouse", asked.warehouse, "warehouse")
        if not caller.reaches(place.id):
            raise refusals.out_of_reach(asked.warehouse, "warehouse")
        found = await sheet(caller, asked.order, "order")
        if found.order.status in (OrderStatus.BACKORDERED, OrderStatus.CANCELED):
            held = "held for want of stock" if found.order.status is OrderStatus.BACKORDERED else "canceled"
            raise wrong_state(f"The order {asked.order} is {held}.", "order")
        at = database.now()
        made = Shipment(
            order_id=found.order.id,
            warehouse_id=place.id,
            state=ShipmentState.READY,
            created_at=at,
            updated_at=at,
        )
        made.seal = made.sealed()
        await made.save()
        found.shipments[made.id] = made
        await _pack(found, asked, made)
        await found.finish()
        return Kept({"shipment": [int(made.id)]})

    check_lines(asked.lines)
    return await once(ticket(caller, "createShipment", key, asked), work)


async def _pack(found: Sheet, asked: Packing, made: Shipment) -> None:
    """Pack row by row, so that two rows of one line do not both take the same units."""
    packed = False
    refused: list[Refusal] = []
    for number, row in enumerate(asked.lines or ()):
        try:
            picks, left = found.pick(row, rules.pack, made.warehouse_id)
            if left > 0:
                raise too_many_units(row, left, f"packed in {asked.warehouse}").only()
        except Refused as error:
            refused += [refusal.under("lines", number) for refusal in error.refusals]
            continue
        await found.change(picks, Step.PACKED, shipment_id=made.id)
        packed = True
    if refused:
        raise Refused(refused)
    if asked.lines is None:
        for line in found.lines:
            picks = rules.pack(found.units(line, made.warehouse_id))
            await found.change(picks, Step.PACKED, shipment_id=made.id)
            packed = packed or bool(picks)
    if not packed:
        raise wrong_state(f"Nothing of the order {asked.order} is left to ship from {asked.warehouse}.", "order")


async def ship(caller: Caller, number: str, tracking_number: str | None, carrier: str | None) -> int:
    """Send a shipment off. Answers its id."""
    tracking = catalog.optional_text(tracking_number, "trackingNumber", "trackingNumber")
    carried_by = catalog.optional_text(carrier, "carrier", "carrier")

    async def work() -> int:
        found, shipment = await _open(caller, number)
        if shipment.state is ShipmentState.PENDING:
            raise wrong_state(f"The shipment {number} waits for backordered units.", "number")
        picks = await _contents(found, shipment)
        await found.change(picks, Step.SHIPPED, state=AllocationState.SHIPPED)
        await found.check_on_hand()
        shipment.state, shipment.shipped_at = ShipmentState.SHIPPED, database.now()
        shipment.updated_at = shipment.shipped_at
        shipment.tracking_number, shipment.carrier = tracking, carried_by
        await shipment.save()
        await found.finish()
        return int(shipment.id)

    return await database.transaction(work)


async def cancel(caller: Caller, number: str) -> int:
    """Put a shipment's units back into no shipment. Answers its id."""

    async def work() -> int:
        found, shipment = await _open(caller, number)
        picks = await _contents(found, shipment)
        await found.change(picks, Step.UNPACKED, shipment_id=None)
        await found.finish()
        return int(shipment.id)

    return await database.transaction(work)


async def _open(caller: Caller, number: str) -> tuple[Sheet, Shipment]:
    """A shipment that has not left, with its order taken up."""
    shipment_id = rules.id_of(number)
    known = await rows.shipments([shipment_id]) if shipment_id is not None else {}
    if shipment_id is None or shipment_id not in known or not caller.reaches(known[shipment_id].warehouse_id):
        raise refusals.missing("shipment", number, "number")
    found = await sheet(caller, order_rules.number(known[shipment_id].order_id), "number")
    shipment = found.shipments[shipment_id]
    if shipment.state not in rules.OPEN_STATES:
        raise wrong_state(f"The shipment {number} is {shipment.state.value.lower()} already.", "number")
    return found, shipment


async def _contents(found: Sheet, shipment: Shipment) -> Sequence[Pick]:
    inside = (await rows.contents([shipment.id]))[shipment.id]
    return [Pick(allocation.id, allocation.quantity) for allocation in inside]
