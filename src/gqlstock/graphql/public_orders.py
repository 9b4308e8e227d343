"""What the public sees of an order that it has placed: nothing that says how many units there are where that is hidden."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from gqlstock.graphql.context import Info
from gqlstock.rules import availability
from gqlstock.rules import orders as rules
from gqlstock.rules.allocation import Allocation, AllocationState
from gqlstock.rules.quantities import ZERO
from gqlstock.store import catalog
from gqlstock.store import orders as rows


async def waiting(info: Info, lines: Collection[rules.OrderLine]) -> dict[int, Decimal]:
    """How many units of each line wait for stock, by the line's id; where that is hidden, all of an item's or none."""
    shown: dict[int, Decimal] = {}
    groups = await _groups(info, lines)
    found = await rows.allocations_of([line.id for group, _ in groups for line in group])
    for group, hidden in groups:
        units = [_backordered(found[line.id]) for line in group]
        told = rules.shown_waiting([line.quantity - line.canceled for line in group], units, hidden=hidden)
        shown |= {line.id: quantity for line, quantity in zip(group, told, strict=True)}
    return shown


async def messages(info: Info, lines: Collection[rules.OrderLine]) -> dict[int, str | None]:
    """What was said of each line, by its id; where quantities are hidden, one thing of all lines of an item."""
    shown: dict[int, str | None] = {}
    for group, hidden in await _groups(info, lines):
        said = next((line.message for line in group if line.message), None)
        shown |= {line.id: said if hidden else line.message for line in group}
    return shown


def _backordered(allocations: Sequence[Allocation]) -> Decimal:
    return sum((one.quantity for one in allocations if one.state is AllocationState.BACKORDERED), ZERO)


async def _groups(info: Info, lines: Collection[rules.OrderLine]) -> list[tuple[Sequence[rules.OrderLine], bool]]:
    """All lines of these orders by the item that has the units, and whether the public may not see how many there are."""
    orders = await rows.orders({line.order_id for line in lines})
    all_lines = await rows.lines_of(orders)
    items = await catalog.items({line.item_id for found in all_lines.values() for line in found})
    channels = {channel.id: channel for channel in (await info.context.network()).channels}
    groups: list[tuple[Sequence[rules.OrderLine], bool]] = []
    for order_id, found in all_lines.items():
        assortment = await info.context.assortment(
            [items[line.item_id] for line in found], channels[orders[order_id].website_id]
        )
        by_stock: dict[int, list[rules.OrderLine]] = {}
        for line in found:
            by_stock.setdefault(assortment.stock_item(items[line.item_id]).id, []).append(line)
        groups += [
            (group, not all(availability.may_see_quantity(assortment.settings(items[line.item_id])) for line in group))
            for group in by_stock.values()
        ]
    return groups
