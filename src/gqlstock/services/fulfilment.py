"""An order with its lines and allocations, taken up to be shipped, canceled or returned, all under its items' lock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import canonical, ledger, quantities, refusals
from gqlstock.rules import orders as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.ledger import Step
from gqlstock.rules.orders import LineTotals, OrderStatus
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Code, InsufficientStock, Refusal, invalid
from gqlstock.rules.scopes import Caller
from gqlstock.rules.settings import InventoryDecrement
from gqlstock.rules.shipments import GONE, Pick, Unit, total
from gqlstock.services.posting import post, summed
from gqlstock.stock.settings_lookup import Lookup, lookup
from gqlstock.store import catalog, database, inventory, orders, outbox, shipments
from gqlstock.store.inventory import Claim, Posting
from gqlstock.store.orders import Allocation, Order, OrderLine
from gqlstock.store.shipments import Shipment

MAX_LINES = 500

Rule = Callable[[Sequence[Unit], Decimal | None], list[Pick]]
"""Which units of a line come first, and no more than that many; without a number all."""


@dataclass(frozen=True, slots=True)
class LineQuantity:
    """So many units of a line: the one named by id, else the lines of that SKU in their order. ``told``: the id's text."""

    sku: str
    quantity: Decimal
    line: int | None = None
    told: str | None = field(default=None, metadata=canonical.called(None))


class Sheet:
    """An order that this transaction has to itself."""

    def __init__(
        self,
        caller: Caller,
        order: Order,
        lines: Sequence[OrderLine],
        allocations: dict[int, list[Allocation]],
        shipments: Sequence[Shipment],
        claim: Claim,
        lookup: Lookup,
        skus: Mapping[int, str],
    ) -> None:
        self.caller = caller
        self.order = order
        self.lines = lines
        self.shipments = {shipment.id: shipment for shipment in shipments}
        self.claim = claim
        self.lookup = lookup
        self._skus = skus
        """The SKUs of the lines' items as they are now."""
        self._allocations = allocations
        self._postings: list[Posting] = []
        self._packed_anew: set[int] = set()
        self._items = {level.id: item_id for item_id in claim.items for level in claim.all_levels(item_id)}

    def units(self, line: OrderLine, warehouse_id: int | None = None) -> list[Unit]:
        """The units of a line as the rules know them, of one warehouse if it is named."""
        return [
            Unit(a.id, a.quantity, a.state, a.position, a.shipment_id is not None, self._shipped_at(a))
            for a in self._allocations[line.id]
            if warehouse_id is None or a.warehouse_id == warehouse_id
        ]

    def chosen(self, asked: LineQuantity) -> list[OrderLine]:
        """The lines that a caller means."""
        if asked.quantity <= 0:
            raise invalid(f"{quantities.text(asked.quantity)} is no quantity: more than 0.", "quantity")
        if asked.told is not None:
            found = self._named(asked.sku, [line for line in self.lines if line.id == asked.line])
            if not found:
                raise refusals.missing(f"line of {refusals.shown(asked.sku)} in the order", asked.told, "line")
            return found
        named = self._named(asked.sku, self.lines)
        if not named:
            raise refusals.missing(f"line of the order {rules.number(self.order.id)}", asked.sku, "sku")
        return named

    def _named(self, sku: str, lines: Sequence[OrderLine]) -> list[OrderLine]:
        """Those of the lines that a SKU names."""
        names = [(line.sku, self._skus.get(line.item_id)) for line in lines]
        return [lines[number] for number in rules.lines_named(sku, names)]

    def pick(self, asked: LineQuantity, rule: Rule, warehouse_id: int | None = None) -> tuple[list[Pick], Decimal]:
        """The units that a caller means, and how many there are too few."""
        left = asked.quantity
        picks: list[Pick] = []
        for line in self.chosen(asked):
            picked = rule(self.units(line, warehouse_id), left)
            picks += picked
            left -= total(picked)
        return picks, left

    async def change(
        self,
        picks: Sequence[Pick],
        step: Step,
        *,
        state: AllocationState | None = None,
        counts: bool = True,
        **changes: int | None,
    ) -> None:
        """Take units a step further: their allocations now, their levels with ``finish``. ``counts``: not at all."""
        by_id = {a.id: a for found in self._allocations.values() for a in found}
        lines = {line.id: line for line in self.lines}
        for pick in picks:
            allocation = by_id[pick.id]
            if not self.caller.reaches(allocation.warehouse_id):
                raise refusals.moves_elsewhere().only()
            before = allocation.state
            self._packed_anew |= {
                one for one in (allocation.shipment_id, changes.get("shipment_id")) if one is not None
            }
            new_state = {"state": state} if state is not None else {}
            part = await orders.split(allocation, pick.quantity, **new_state, **changes)
            if part is not allocation:
                self._allocations[part.line_id].append(part)
                by_id[part.id] = part
            if part.level_id is not None and counts:
                waiting = pick.quantity if before is AllocationState.BACKORDERED else ZERO
                mode = lines[part.line_id].decrement
                await self._put(part, ledger.effect(step, mode, pick.quantity, waiting if state else ZERO))

    async def _put(self, allocation: Allocation, change: ledger.Change) -> None:
        if change == ledger.Change() or allocation.level_id is None:
            return
        level = await self.claim.open(self._items[allocation.level_id], allocation.warehouse_id)
        self._postings.append(Posting(level, change, self.caller, order=self.order))

    def stock_item(self, pick: Pick) -> Item | None:
        """The item whose level picked units are of; None where nothing is counted."""
        level_id = next(a.level_id for found in self._allocations.values() for a in found if a.id == pick.id)
        return None if level_id is None else self.claim.items[self._items[level_id]]

    async def check_on_hand(self) -> None:
        """Refuse to ship what is not there. Backorders under ON_ORDER are off onHand already: they take nothing away."""
        leaving = [posting for posting in summed(self._postings) if posting.change.on_hand < 0]
        short = [posting for posting in leaving if posting.level.on_hand + posting.change.on_hand < 0]
        if not short:
            return
        waiting = await orders.waiting_units([one.level.id for one in short], InventoryDecrement.ON_ORDER)
        for posting in short:
            there = posting.level.on_hand + waiting.get(posting.level.id, ZERO)
            requested = -posting.change.on_hand
            if requested > there:
                item = self.claim.items[posting.level.item_id]
                raise InsufficientStock(
                    message=f"{item.sku} has {quantities.text(there)} on hand: "
                    f"{quantities.text(requested)} cannot leave.",
                    path=("number",),
                    sku=item.sku,
                    requested=requested,
                    salable=max(there, ZERO),
                ).only()

    async def finish(self, reason: str | None = None) -> None:
        """Write what happened to the levels, and bring the order and its open shipments in line with their units."""
        for posting in self._postings:
            posting.reason = reason
        await post(self.claim, summed(self._postings), self.lookup)
        await shipments.restate(self._packed_anew)
        at = database.now()
        totals = [self.totals(line) for line in self.lines]
        self.order.status = rules.derived_status(totals, is_allocated=any(self._allocations.values()))
        if self.order.status is OrderStatus.CANCELED:
            self.order.canceled_at = at
        self.order.updated_at = at
        self.order.canceled_units = sum((line.canceled for line in self.lines), ZERO)
        self.order.shipment_count = len(self.shipments)
        await self.order.save(update_fields=["status", "canceled_at", "canceled_units", "shipment_count", "updated_at"])
        await outbox.add([Event(Topic.ORDER, self.order.id)])

    def totals(self, line: OrderLine) -> LineTotals:
        shipped = sum((a.quantity for a in self._allocations[line.id] if a.state in GONE), ZERO)
        return LineTotals(line.quantity, line.canceled, shipped)

    def returned(self, line: OrderLine) -> Decimal:
        return sum((a.quantity for a in self._allocations[line.id] if a.state is AllocationState.RETURNED), ZERO)

    def lines_of(self, picks: Sequence[Pick]) -> dict[int, Decimal]:
        """How many of the picked units are of which line."""
        line_of = {a.id: line_id for line_id, found in self._allocations.items() for a in found}
        sums: dict[int, Decimal] = {}
        for pick in picks:
            sums[line_of[pick.id]] = sums.get(line_of[pick.id], ZERO) + pick.quantity
        return sums

    def _shipped_at(self, allocation: Allocation) -> datetime | None:
        shipment = self.shipments.get(allocation.shipment_id) if allocation.shipment_id is not None else None
        return shipment.shipped_at if shipment else None


async def sheet(caller: Caller, number: str, *path: str) -> Sheet:
    """Take up the order of that number. Its items are claimed first, then the order itself."""
    order_id = rules.id_of(number)
    known = await orders.orders([order_id]) if order_id is not None else {}
    if order_id is None or order_id not in known:
        raise refusals.missing("order", number, *path)
    lines = (await orders.lines_of([order_id]))[order_id]
    before = await orders.allocations_of([line.id for line in lines])
    levels = await inventory.levels({a.level_id for found in before.values() for a in found if a.level_id is not None})
    claim = await inventory.claim({level.item_id for level in levels.values()})
    order = await orders.lock(order_id)
    lines = (await orders.lines_of([order_id]))[order_id]
    allocations = await orders.allocations_of([line.id for line in lines])
    if {a.level_id for found in allocations.values() for a in found if a.level_id is not None} - levels.keys():
        raise database.Outdated(f"the order {number} was tried again meanwhile, and has units of items not claimed")
    made = (await shipments.shipments_of([order_id]))[order_id]
    items = claim.items | await catalog.items({line.item_id for line in lines} - claim.items.keys())
    skus = {item.id: item.sku for item in items.values()}
    return Sheet(caller, order, lines, allocations, made, claim, await lookup(claim.items.values()), skus)


def check_lines(asked: Sequence[LineQuantity] | None) -> None:
    if asked is not None and not asked:
        raise invalid("There are no lines: name at least one.", "lines")
    if asked is not None and len(asked) > MAX_LINES:
        raise refusals.too_many("lines", len(asked), MAX_LINES, "lines")


def too_many_units(asked: LineQuantity, left: Decimal, what: str) -> Refusal:
    """More was asked for than there is to do it with."""
    there = quantities.text(asked.quantity - left)
    return Refusal(
        Code.INVALID_STATE,
        f"{quantities.text(asked.quantity)} of {refusals.shown(asked.sku)} cannot be {what}: only {there} can.",
        ("quantity",),
    )
