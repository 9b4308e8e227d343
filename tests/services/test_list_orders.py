from decimal import Decimal

from gqlstock.rules.allocation import AllocationState
from gqlstock.services import list_orders
from gqlstock.stock import reading
from support import shop_builders as make
from support.statement_counter import Statements


async def test_allocations_of_the_same_lines_are_read_once_in_a_read(db: None) -> None:
    await make.shop()
    await make.product("MUG")
    await make.stock("MUG", on_hand=3)
    order_id = await make.order("MUG", 2)
    (line,) = (await list_orders.lines_of([order_id]))[order_id]

    async with reading.opened():
        with Statements().counted() as sent:
            on_hand = await list_orders.units_in([line.id], AllocationState.ON_HAND)
            shipped = await list_orders.units_in([line.id], AllocationState.SHIPPED, AllocationState.RETURNED)
            (allocation,) = (await list_orders.allocations_of([line.id]))[line.id]

    assert len(sent) == 1
    assert (on_hand, shipped, allocation.quantity) == ([Decimal(2)], [Decimal(0)], Decimal(2))
