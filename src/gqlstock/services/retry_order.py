"""Retries a parked order, which is then placed or stays parked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gqlstock.rules import order_plan, order_request, orders, refusals, seals
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.order_plan import PlannedLine
from gqlstock.rules.order_request import OrderRequest
from gqlstock.rules.orders import OrderLine, OrderStatus
from gqlstock.rules.refusals import Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.services import planned_lines
from gqlstock.stock import transaction
from gqlstock.stock.command import Changes, Names, Result, Written
from gqlstock.stock.snapshot import Snapshot, WholeOrder


async def retry(caller: Caller, number: str) -> Result:
    """Retry a parked order. Returns its id."""
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

    def items(self, snapshot: Snapshot) -> Collection[int]:
        request, items, assortment = _request(self._order(snapshot), snapshot)
        selected = order_request.select(self.caller, request.lines, items, assortment)
        return order_request.stock_items(selected, assortment)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        parked = self._order(snapshot)
        request, items, assortment = _request(parked, snapshot)
        plan = order_plan.plan(self.caller, request, items, assortment)
        if plan.refusals:
            raise Refused(replace(refusal, path=("number",)) for refusal in plan.refusals)
        changed = [
            _placed(line, planned, assortment) for line, planned in zip(_open_lines(parked), plan.lines, strict=True)
        ]
        placed = {line.id: line for line in changed}
        order = replace(
            seals.resealed(parked.order, parked.lines, [placed.get(line.id, line) for line in parked.lines]),
            status=OrderStatus.PLACED,
            updated_at=now,
            promised_at=plan.expected_at,
        )

        def answer(written: Written) -> Result:
            return Result({"order": [order.id]}, rows=[written.record(order)])

        changes = Changes(answer, changed=[order, *changed], events=[Event(Topic.ORDER, order.id)])
        planned_lines.allocate(self.caller, changed, plan, snapshot, assortment, changes)
        return changes

    def _order(self, snapshot: Snapshot) -> WholeOrder:
        order_id = orders.id_of(self.number)
        found = snapshot.order(order_id) if order_id is not None else None
        if found is None:
            raise refusals.missing("order", self.number, "number")
        if found.order.status is not OrderStatus.BACKORDERED:
            status = found.order.status.value.lower().replace("_", " ")
            raise wrong_state(f"The order {self.number} is not parked: it is {status}.", "number")
        return found


def _placed(line: OrderLine, planned: PlannedLine, assortment: Assortment) -> OrderLine:
    """The line as placed. If a combination has since been created for its options, that one has the units."""
    assert planned.item is not None
    return replace(
        line,
        item_id=planned.item.id,
        message=planned.message,
        promised_at=planned.expected_at,
        buffer_days=assortment.buffer_days(planned.item),
    )


def _request(parked: WholeOrder, snapshot: Snapshot) -> tuple[OrderRequest, Mapping[str, Item], Assortment]:
    """The request of a parked order, with its original decrement modes."""
    lines = _open_lines(parked)
    items = {line.id: snapshot.item(line.item_id) for line in lines}
    channel = snapshot.network.channel(parked.order.website_id)
    wanted = (planned_lines.requested(line, items[line.id], line.quantity - line.canceled) for line in lines)
    request = OrderRequest(tuple(wanted), channel.code, ship_to=parked.order.ship_to, may_park=False)
    in_use = {item.sku: item for item in items.values() if item.deleted_at is None}
    return request, in_use, snapshot.on(channel)


def _open_lines(parked: WholeOrder) -> list[OrderLine]:
    return [line for line in parked.lines if line.quantity > line.canceled]
