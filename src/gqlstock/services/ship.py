"""Creates, ships and cancels shipments. ``rules.shipments`` decides which units go into a shipment."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from gqlstock.rules import canonical, catalog, refusals
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.ledger import FulfilmentStep
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.refusals import Refusal, Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.rules.shipments import Pick, Shipment, ShipmentState
from gqlstock.services.open_order import LineQuantity, OpenOrder, check_lines
from gqlstock.services.order_command import RowsCommand
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result, new_id
from gqlstock.stock.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class CreateShipmentRequest:
    """``lines`` None: all units of the order in the warehouse that are not in a shipment yet."""

    number: str = field(metadata=canonical.called("order"))
    warehouse: str
    lines: tuple[LineQuantity, ...] | None = None


async def create(caller: Caller, request: CreateShipmentRequest, key: str | None = None) -> Result:
    """Put units of an order in one warehouse into a shipment. Returns its id."""
    check_lines(request.lines)
    return await CreateShipment.run(caller, request, key)


@dataclass(frozen=True, slots=True)
class CreateShipment(RowsCommand[CreateShipmentRequest]):
    mutation = "createShipment"
    named_at = "order"

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        warehouse_id = snapshot.network.warehouse_id(self.request.warehouse)
        if warehouse_id is None:
            raise refusals.missing("warehouse", self.request.warehouse, "warehouse")
        if not self.caller.reaches(warehouse_id):
            raise refusals.out_of_reach(self.request.warehouse, "warehouse")
        open_order = self.open(snapshot)
        if open_order.order.status in (OrderStatus.BACKORDERED, OrderStatus.CANCELED):
            why = "parked for lack of stock" if open_order.order.status is OrderStatus.BACKORDERED else "canceled"
            raise wrong_state(f"The order {self.request.number} is {why}.", "order")
        shipment = Shipment(
            id=new_id(),
            order_id=open_order.order.id,
            warehouse_id=warehouse_id,
            state=ShipmentState.READY,
            tracking_number=None,
            carrier=None,
            created_at=now,
            updated_at=now,
        )
        open_order.add(shipment)
        _pack(open_order, self.request, shipment)
        return open_order.changes(lambda written: Result({"shipment": [written.id_of(shipment.id)]}))


def _pack(open_order: OpenOrder, request: CreateShipmentRequest, shipment: Shipment) -> None:
    """Pack row by row, so that two rows of one line do not take the same units."""
    packed = False
    refused: list[Refusal] = []
    for number, row in enumerate(request.lines or ()):
        picks: list[Pick] = []
        with refusals.collected(refused, "lines", number):
            picks = open_order.pick(row, rules.pack, f"packed in {request.warehouse}", shipment.warehouse_id)
        open_order.advance(picks, FulfilmentStep.PACKED, shipment_id=shipment.id)
        packed = packed or bool(picks)
    if refused:
        raise Refused(refused)
    if request.lines is None:
        for line in open_order.lines:
            picks = rules.pack(open_order.units(line, shipment.warehouse_id))
            open_order.advance(picks, FulfilmentStep.PACKED, shipment_id=shipment.id)
            packed = packed or bool(picks)
    if not packed:
        raise wrong_state(f"Nothing of the order {request.number} is left to pack in {request.warehouse}.", "order")


async def ship(
    caller: Caller, number: str, tracking_number: str | None, carrier: str | None, *, allow_negative: bool = False
) -> int:
    """Ship a shipment. Returns its id. ``allow_negative``: ship even if onHand becomes negative."""
    tracking = catalog.optional_text(tracking_number, "trackingNumber", "trackingNumber")
    carrier_name = catalog.optional_text(carrier, "carrier", "carrier")
    command = ShipShipment(caller, number, tracking, carrier_name, allow_negative)
    return (await transaction.run(command)).ids["shipment"][0]


async def cancel(caller: Caller, number: str) -> int:
    """Cancel a shipment; its units can be packed again. Returns its id."""
    return (await transaction.run(CancelShipment(caller, number))).ids["shipment"][0]


@dataclass(frozen=True, slots=True)
class _OfShipment:
    """A command on an open shipment."""

    caller: Caller
    number: str

    @property
    def key(self) -> IdempotencyKey | None:
        return None

    @property
    def size(self) -> int:
        return 1

    @property
    def names(self) -> Names:
        shipment_id = rules.id_of(self.number)
        return Names(shipments=frozenset() if shipment_id is None else frozenset({shipment_id}))

    def items(self, snapshot: Snapshot) -> Collection[int]:
        return snapshot.items_of_order(order_rules.number(self._shipment(snapshot).order_id))

    def _shipment(self, snapshot: Snapshot) -> Shipment:
        shipment_id = rules.id_of(self.number)
        shipment = snapshot.get(Shipment, shipment_id) if shipment_id is not None else None
        if shipment is None or not self.caller.reaches(shipment.warehouse_id):
            raise refusals.missing("shipment", self.number, "number")
        return shipment

    def _open(self, snapshot: Snapshot) -> tuple[OpenOrder, Shipment]:
        shipment = self._shipment(snapshot)
        if shipment.state not in rules.OPEN_STATES:
            raise wrong_state(f"The shipment {self.number} is {shipment.state.value.lower()} already.", "number")
        return OpenOrder(self.caller, order_rules.number(shipment.order_id), snapshot, "number"), shipment


@dataclass(frozen=True, slots=True)
class ShipShipment(_OfShipment):
    tracking_number: str | None
    carrier: str | None
    allow_negative: bool

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        open_order, shipment = self._open(snapshot)
        if shipment.state is ShipmentState.PENDING:
            raise wrong_state(f"The shipment {self.number} waits for backordered units.", "number")
        open_order.advance(open_order.contents(shipment), FulfilmentStep.SHIPPED, state=AllocationState.SHIPPED)
        if not self.allow_negative:
            open_order.check_on_hand()
        shipped = replace(
            shipment,
            state=ShipmentState.SHIPPED,
            shipped_at=now,
            updated_at=now,
            tracking_number=self.tracking_number,
            carrier=self.carrier,
        )
        open_order.put(shipped)
        return open_order.changes(lambda written: Result({"shipment": [shipment.id]}))


@dataclass(frozen=True, slots=True)
class CancelShipment(_OfShipment):
    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        open_order, shipment = self._open(snapshot)
        open_order.advance(open_order.contents(shipment), FulfilmentStep.UNPACKED, shipment_id=None)
        return open_order.changes(lambda written: Result({"shipment": [shipment.id]}))
