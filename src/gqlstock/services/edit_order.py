"""Edits an order: adds lines and changes the quantities of existing ones, all or nothing.

``rules.order_edit`` decides what can be edited, ``rules.order_plan`` where added units come from.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import order_edit, order_plan, order_request, orders, refusals, seals, shipments
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.catalog import Item
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.order_edit import LineEdit
from gqlstock.rules.order_plan import OrderPlan
from gqlstock.rules.order_request import OrderRequest, RequestedLine, SelectedItem
from gqlstock.rules.orders import Order, OrderLine
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Code, Path, Refusal, Refused, invalid
from gqlstock.rules.scopes import Caller
from gqlstock.services import planned_lines
from gqlstock.services.open_order import LineQuantity, OpenOrder
from gqlstock.services.order_command import OrderCommand
from gqlstock.stock.command import Changes, Names, Result
from gqlstock.stock.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class EditOrderRequest:
    """``add``: new lines; ``change``: the new quantities of lines."""

    number: str
    add: tuple[RequestedLine, ...] = ()
    change: tuple[LineQuantity, ...] = ()
    reason: str | None = None


async def edit(caller: Caller, request: EditOrderRequest, key: str | None = None) -> Result:
    """Edit an order. Returns its id."""
    order_edit.check_input(len(request.add), len(request.change))
    return await EditOrder.run(caller, request, key, request.reason)


@dataclass(frozen=True, slots=True)
class EditOrder(OrderCommand[EditOrderRequest]):
    mutation = "editOrder"

    @property
    def names(self) -> Names:
        return Names(frozenset(line.sku for line in self.request.add), orders=orders.named(self.request.number))

    @property
    def size(self) -> int:
        return len(self.request.add) + len(self.request.change)

    def items(self, snapshot: Snapshot) -> Collection[int]:
        open_order = self.open(snapshot)
        assortment = snapshot.on(snapshot.network.channel(open_order.order.website_id))
        changed: set[int] = set()
        for row in self.request.change:
            # A row that names no line is refused in decide().
            with refusals.collected([]):
                changed |= {assortment.stock_item(snapshot.item(line.item_id)).id for line in open_order.named(row)}
        added = order_request.select(self.caller, self.request.add, snapshot.by_sku, assortment)
        allocated = snapshot.items_of_order(self.request.number)
        return allocated | changed | order_request.stock_items(added, assortment)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        open_order = self.open(snapshot)
        order, lines = open_order.order, list(open_order.lines)
        order_edit.check_order(order.status, self.request.number, len(lines) + len(self.request.add))
        edits = self._edits(open_order, snapshot)
        _lower(open_order, [edit for edit in edits if edit.more < ZERO])
        channel = snapshot.network.channel(order.website_id)
        assortment = snapshot.on(channel).after(open_order.level_changes())
        more = _More.of(self.request, order, channel, [edit for edit in edits if edit.more > ZERO], snapshot)
        plan = self._plan(more, lines, edits, snapshot, assortment)
        positions = {edit.line.id: open_order.next_position(edit.line.id) for edit in more.raised}
        allocated = _put_lines(open_order, more, plan, assortment)
        open_order.put(seals.resealed(order, lines, open_order.lines))
        changes = self.changes(open_order)
        changes.promised = frozenset({order.id})
        planned_lines.allocate(
            self.caller, allocated, plan, snapshot, assortment, changes, positions=positions, reason=self.reason
        )
        return changes

    def _edits(self, open_order: OpenOrder, snapshot: Snapshot) -> list[LineEdit]:
        """The edits of lines, in line order."""
        refused: list[Refusal] = []
        edits: dict[int, LineEdit] = {}
        for number, row in enumerate(self.request.change):
            with refusals.collected(refused, "change", number):
                order_edit.check_quantity(row.quantity)
                line = order_edit.only_line(row.sku, open_order.named(row))
                edit = LineEdit(number, line, row.quantity)
                order_edit.check(edit, open_order.totals(line).shipped)
                if line.id in edits:
                    raise invalid(
                        f"The line of {refusals.shown(row.sku)} is given twice.", "line" if row.named else "sku"
                    )
                if edit.more > ZERO and snapshot.item(line.item_id).deleted_at is not None:
                    raise refusals.missing("item", row.sku, "sku")
                edits[line.id] = edit
        if refused:
            raise Refused(refused)
        return [edits[line.id] for line in open_order.lines if line.id in edits]

    def _plan(
        self,
        more: "_More",
        lines: Sequence[OrderLine],
        edits: Sequence[LineEdit],
        snapshot: Snapshot,
        assortment: Assortment,
    ) -> OrderPlan:
        """Plan the added units. Raises ``Refused`` if the edit is not possible."""
        selected = order_request.select(self.caller, more.request.lines, more.items, assortment)
        more.check_items(selected)
        stock_items = {line.item_id: assortment.stock_item(snapshot.item(line.item_id)).id for line in lines}
        new = zip(self.request.add, selected[len(more.raised) :], strict=True)
        added = [
            (assortment.stock_item(one.item).id, line.quantity) for line, one in new if isinstance(one, SelectedItem)
        ]
        totals = order_edit.totals(lines, edits, added, stock_items)
        plan = order_plan.plan(self.caller, more.request, more.items, assortment, totals)
        refused = [order_edit.at(refusal, more.rows) for refusal in plan.refusals]
        planned = order_request.stock_items(selected, assortment)
        lowered = [edit for edit in edits if edit.more < ZERO and stock_items[edit.line.item_id] not in planned]
        refused += _check_lowered(lowered, totals, stock_items, snapshot, assortment)
        if refused:
            raise Refused(refused)
        return plan


@dataclass(frozen=True, slots=True)
class _More:
    """The units that an edit adds to an order: those of raised lines, then those of new lines.

    ``items``: the existing items by SKU; ``rows``: for each line of the request, the path of its input row.
    """

    raised: Sequence[LineEdit]
    request: OrderRequest
    items: Mapping[str, Item]
    rows: list[Path]

    @classmethod
    def of(
        cls,
        request: EditOrderRequest,
        order: Order,
        channel: SalesChannel,
        raised: Sequence[LineEdit],
        snapshot: Snapshot,
    ) -> "_More":
        ordered = [snapshot.item(edit.line.item_id) for edit in raised]
        more = [planned_lines.requested(edit.line, item, edit.more) for edit, item in zip(raised, ordered, strict=True)]
        rows: list[Path] = [("change", edit.row) for edit in raised]
        rows += [("add", number) for number in range(len(request.add))]
        wanted = OrderRequest((*more, *request.add), channel.code, ship_to=order.ship_to, may_park=False)
        return cls(raised, wanted, {**snapshot.by_sku, **{item.sku: item for item in ordered}}, rows)

    def check_items(self, selected: Sequence[SelectedItem | Refused]) -> None:
        """Refuse more units of a product if a combination has since been created for its options: that is another item."""
        refused = []
        for edit, one in zip(self.raised, selected, strict=False):
            if isinstance(one, SelectedItem) and one.item.id != edit.line.item_id:
                message = f"{refusals.shown(edit.line.sku)} with these options is now {one.item.sku}: add that item."
                refused.append(Refusal(Code.INVALID_STATE, message, ("change", edit.row, "sku")))
        if refused:
            raise Refused(refused)


def _lower(open_order: OpenOrder, edits: Sequence[LineEdit]) -> None:
    refused: list[Refusal] = []
    for edit in edits:
        with refusals.collected(refused, "change", edit.row):
            open_order.cancel(shipments.cancel(open_order.units(edit.line), -edit.more))
    if refused:
        raise Refused(refused)


def _check_lowered(
    edits: Sequence[LineEdit],
    totals: Mapping[int, Sequence[Decimal]],
    stock_items: Mapping[int, int],
    snapshot: Snapshot,
    assortment: Assortment,
) -> list[Refusal]:
    """Check the quantity rules of items that only lose units. Deleted items and items without remaining units are skipped."""
    of_item: dict[int, list[Refusal]] = {}
    for edit in edits:
        item, stock_item_id = snapshot.item(edit.line.item_id), stock_items[edit.line.item_id]
        left = totals[stock_item_id]
        if item.deleted_at is None and stock_item_id not in of_item and any(left):
            rules = assortment.settings(item).quantity_rules
            broken = orders.check_quantity(sum(left, ZERO), left, rules, item.sku)
            of_item[stock_item_id] = [refusal.under("change", edit.row, "quantity") for refusal in broken]
    return [refusal for broken in of_item.values() for refusal in broken]


def _put_lines(open_order: OpenOrder, more: _More, plan: OrderPlan, assortment: Assortment) -> list[OrderLine]:
    """Raise lines and add new ones. Returns the line of each line of the plan."""
    count = len(more.raised)
    raised = [
        replace(edit.raised, message=planned.message or edit.line.message)
        for edit, planned in zip(more.raised, plan.lines[:count], strict=True)
    ]
    added = [planned_lines.order_line(open_order.order, planned, assortment) for planned in plan.lines[count:]]
    for line in raised:
        open_order.put(line)
    for line in added:
        open_order.add(line)
    return [*raised, *added]
