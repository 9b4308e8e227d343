"""Try a parked order again: it is placed, or left as it is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gqlstock.rules import order_plan, order_request, orders, refusals
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.orders import OrderLine, OrderStatus
from gqlstock.rules.refusals import Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.services.place_order import allocate
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result, Written
from gqlstock.stock.snapshot import Snapshot, WholeOrder


async def retry(caller: Caller, number: str) -> Result:
    """Try a parked order again. Answers its id."""
    return await transaction.run(RetryOrder(caller, number))


@dataclass(frozen=True, slots=True)
class RetryOrder:
    caller: Caller
    number: str
    key: IdempotencyKey | None = None
    size: int = 1

    @property
    def names(self) -> Names:
        return Names(orders=orders.named(self.number))

    def items(self, found: Snapshot) -> Collection[int]:
        request, items, assortment = _request(self._order(found), found)
        selected = order_request.select(self.caller, request.lines, items, assortment)
        return order_request.stock_items(selected, assortment)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        found = self._order(snapshot)
        request, items, assortment = _request(found, snapshot)
        plan = order_plan.plan(self.caller, request, items, assortment)
        if plan.refusals:
            raise Refused(replace(refusal, path=("number",)) for refusal in plan.refusals)
        order = replace(found.order, status=OrderStatus.PLACED, updated_at=now)
        lines = _open_lines(found)
        changed = [replace(line, message=planned.message) for line, planned in zip(lines, plan.lines, strict=True)]

        def answer(written: Written) -> Result:
            return Result({"order": [order.id]}, rows=[written.record(order)])

        changes = Changes(answer, changed=[order, *changed], events=[Event(Topic.ORDER, order.id)])
        allocate(self.caller, lines, plan, snapshot, assortment, changes)
        return changes

    def _order(self, found: Snapshot) -> WholeOrder:
        order_id = orders.id_of(self.number)
        known = found.order(order_id) if order_id is not None else None
        if known is None:
            raise refusals.missing("order", self.number, "number")
        if known.order.status is not OrderStatus.BACKORDERED:
            status = known.order.status.value.lower().replace("_", " ")
            raise wrong_state(f"The order {self.number} is not parked: it is {status}.", "number")
        return known


def _request(found: WholeOrder, snapshot: Snapshot) -> tuple[OrderRequest, Mapping[str, Item], Assortment]:
    """A parked order as it is requested again, under the decrement modes that it was placed under."""
    lines = _open_lines(found)
    items = {line.id: snapshot.item(line.item_id) for line in lines}
    channel = next(one for one in snapshot.network.channels if one.id == found.order.website_id)
    requested = (_requested(line, items[line.id].sku) for line in lines)
    request = OrderRequest(tuple(requested), channel.code, ship_to=found.order.ship_to, may_park=False)
    in_use = {item.sku: item for item in items.values() if item.deleted_at is None}
    return request, in_use, snapshot.on(channel)


def _requested(line: OrderLine, sku: str) -> RequestedLine:
    return RequestedLine(sku, line.quantity - line.canceled, tuple(line.selected_options.items()), line.decrement)


def _open_lines(found: WholeOrder) -> list[OrderLine]:
    return [line for line in found.lines if line.quantity > line.canceled]
