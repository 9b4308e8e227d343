"""Check an order: what placing it would do now."""

from gqlstock.rules import holds, order_plan, order_request, refusals
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.handles import Handle
from gqlstock.rules.order_plan import OrderPlan
from gqlstock.rules.order_request import OrderRequest
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import Caller
from gqlstock.services import availability, end_hold
from gqlstock.stock import loading
from gqlstock.stock.command import Names
from gqlstock.stock.snapshot import OpenHold
from gqlstock.store import catalog, warehouses


async def check(caller: Caller, request: OrderRequest) -> OrderPlan:
    """The plan of an order that is not placed."""
    network = await warehouses.network()
    try:
        channel = order_request.check(request, network)
    except Refused as error:
        return order_plan.refused(request.lines, error.refusals)
    items = await catalog.by_sku({line.sku for line in request.lines})
    assortment = await availability.assortment(items.values(), channel, network)
    try:
        planned_in = await _without_hold(request.hold, assortment)
    except Refused as error:
        plan = order_plan.plan(caller, request, items, assortment)
        return OrderPlan(plan.lines, tuple(error.refusals))
    return order_plan.plan(caller, request, items, planned_in)


async def _without_hold(handle: Handle | None, assortment: Assortment) -> Assortment:
    """The assortment as if the hold that the order takes up had just ended."""
    if handle is None:
        return assortment
    held = await _open_hold(handle)
    holds.check(held.hold, assortment.channel.id, assortment.now, "hold")
    return assortment.freeing(held.quantities, first=held.warehouses)


async def _open_hold(handle: Handle) -> OpenHold:
    snapshot = await loading.resolve([Names(holds=end_hold.named(handle))])
    await loading.load(snapshot, loading.Locks(None), set(snapshot.level_items.values()))
    held = snapshot.hold(handle.row_id)
    if held is None:
        raise refusals.missing("hold", handle.text, "hold")
    return held
