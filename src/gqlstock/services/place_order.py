"""Places an order, all or nothing. ``rules.order_plan`` decides what it takes from which warehouse."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gqlstock import trail
from gqlstock.rules import catalog, events, order_plan, order_request
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.order_plan import OrderPlan
from gqlstock.rules.order_request import OrderRequest
from gqlstock.rules.orders import Order, OrderStatus
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import Caller
from gqlstock.services import end_hold, planned_lines
from gqlstock.stock import idempotency, transaction
from gqlstock.stock.command import Changes, Names, Result, Written, new_id
from gqlstock.stock.snapshot import Snapshot


async def place(caller: Caller, request: OrderRequest, key: str | None = None) -> Result:
    """Place an order. Returns its id."""
    command = PlaceOrder(
        caller,
        request,
        catalog.email(request.customer_email, "customerEmail") if request.customer_email else None,
        catalog.optional_text(request.reference, "reference", "reference"),
        await idempotency.key_on_website(caller, "placeOrder", key, request),
    )
    result = await transaction.run(command)
    if result.rows:
        trail.order_placed()
    return result


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    caller: Caller
    request: OrderRequest
    customer_email: str | None
    reference: str | None
    key: IdempotencyKey | None

    @property
    def names(self) -> Names:
        skus = frozenset(line.sku for line in self.request.lines)
        return Names(skus, holds=end_hold.named(self.request.hold))

    @property
    def size(self) -> int:
        return len(self.request.lines)

    def items(self, snapshot: Snapshot) -> Collection[int]:
        assortment = snapshot.on(order_request.check(self.request, snapshot.network))
        selected = order_request.select(self.caller, self.request.lines, snapshot.by_sku, assortment)
        return order_request.stock_items(selected, assortment) | end_hold.items_of(self.request.hold, snapshot)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        channel = order_request.check(self.request, snapshot.network)
        assortment = snapshot.on(channel)
        ended = end_hold.end(self.caller, self.request.hold, snapshot, channel.id, StockHoldState.ORDERED, "hold")
        if ended is not None:
            assortment = assortment.freeing(ended.held.quantities, first=ended.held.warehouses)
        plan = order_plan.plan(self.caller, self.request, snapshot.by_sku, assortment)
        if plan.refusals:
            raise Refused(plan.refusals)
        changes = self._place(plan, channel, snapshot, assortment)
        if ended is not None:
            ended.add_to(changes)
        return changes

    def _place(self, plan: OrderPlan, channel: SalesChannel, snapshot: Snapshot, assortment: Assortment) -> Changes:
        ship_to = self.request.ship_to
        order = Order(
            id=new_id(),
            website_id=channel.id,
            status=OrderStatus.BACKORDERED if plan.parked else OrderStatus.PLACED,
            customer_email=self.customer_email,
            reference=self.reference,
            ship_latitude=ship_to.latitude if ship_to else None,
            ship_longitude=ship_to.longitude if ship_to else None,
            placed_at=snapshot.now,
            updated_at=snapshot.now,
            promised_at=plan.expected_at,
        )
        lines = [planned_lines.order_line(order, line, assortment) for line in plan.lines]

        def answer(written: Written) -> Result:
            stored = written.record(order)
            return Result({"order": [stored.id]}, rows=[stored, *map(written.record, lines)])

        changes = Changes(answer, added=[order, *lines], events=[events.order_placed(order.id)])
        planned_lines.allocate(self.caller, lines, plan, snapshot, assortment, changes)
        return changes
