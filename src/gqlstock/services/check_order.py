"""Checks an order without placing it. ``rules.order_plan`` makes the plan."""

from gqlstock.rules import holds, order_plan, order_request, refusals
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.order_plan import OrderPlan
from gqlstock.rules.order_request import OrderRequest
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import Caller
from gqlstock.services import end_hold
from gqlstock.stock import loading, present
from gqlstock.stock.command import Names
from gqlstock.stock.snapshot import OpenHold


async def check(caller: Caller, request: OrderRequest) -> OrderPlan:
    """The plan that placing the order now would follow."""
    network = await present.network()
    try:
        channel = order_request.check(request, network)
    except Refused as error:
        return order_plan.refused(request.lines, error.refusals)
    items = await present.by_sku({line.sku for line in request.lines})
    assortment = await present.assortment(items.values(), channel)
    try:
        freed = await _without_hold(request.hold, assortment)
    except Refused as error:
        plan = order_plan.plan(caller, request, items, assortment)
        return OrderPlan(plan.lines, tuple(error.refusals))
    return order_plan.plan(caller, request, items, freed)


async def _without_hold(given_id: GivenId | None, assortment: Assortment) -> Assortment:
    """The assortment as if the order's hold were released."""
    if given_id is None:
        return assortment
    held = await _open_hold(given_id)
    holds.check(held.hold, assortment.channel.id, assortment.now, "hold")
    return assortment.freeing(held.quantities, first=held.warehouses)


async def _open_hold(given_id: GivenId) -> OpenHold:
    snapshot = await loading.resolve([Names(holds=end_hold.named(given_id))])
    await loading.load(snapshot, loading.Locks(None), set(snapshot.level_items.values()))
    held = snapshot.hold(given_id.row_id)
    if held is None:
        raise refusals.missing("hold", given_id.text, "hold")
    return held
