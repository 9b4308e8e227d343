"""Holds stock for a cart, all or nothing, until it is ordered, released or expired."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from gqlstock.rules import holds as rules
from gqlstock.rules import order_plan, order_request
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.holds import HeldUnits, StockHold, StockHoldLine, StockHoldState
from gqlstock.rules.idempotency import IdempotencyKey
from gqlstock.rules.ledger import Change, Level
from gqlstock.rules.limits import PublicHolds
from gqlstock.rules.order_plan import OrderPlan
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.rules.refusals import Refused
from gqlstock.rules.scopes import Caller
from gqlstock.services import end_hold
from gqlstock.stock import idempotency, transaction
from gqlstock.stock.command import Changes, LedgerEntry, Names, Result, new_id, summed
from gqlstock.stock.snapshot import Snapshot
from gqlstock.store import holds as rows


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """``replaces``: an earlier hold of the same cart, which ends."""

    lines: tuple[RequestedLine, ...]
    website: str | None = None
    minutes: int = 15
    replaces: GivenId | None = None


@dataclass(frozen=True, slots=True)
class Guest:
    """A caller without a token. ``address``: its IP address; None if holds per address are not limited."""

    address: str | None
    limits: PublicHolds


async def hold(caller: Caller, request: HoldRequest, key: str | None = None, guest: Guest | None = None) -> Result:
    """Hold free units. Returns the hold's id."""
    rules.check_minutes(request.minutes)
    if guest is not None:
        rules.check_public(request.minutes, len(request.lines), guest.limits)
    used_key = await idempotency.key_on_website(caller, "holdStock", key, request)
    return await transaction.run(HoldStock(caller, request, used_key, guest))


@dataclass(frozen=True, slots=True)
class HoldStock:
    caller: Caller
    request: HoldRequest
    key: IdempotencyKey | None
    guest: Guest | None = None

    @property
    def names(self) -> Names:
        skus = frozenset(line.sku for line in self.request.lines)
        addresses = frozenset() if self._address is None else frozenset({self._address})
        return Names(skus, holds=end_hold.named(self.request.replaces), addresses=addresses)

    @property
    def size(self) -> int:
        return len(self.request.lines)

    @property
    def _address(self) -> str | None:
        return self.guest.address if self.guest is not None else None

    @property
    def _order(self) -> OrderRequest:
        """The hold as an order that takes only free units."""
        return OrderRequest(self.request.lines, self.request.website, only_free=True)

    def items(self, snapshot: Snapshot) -> Collection[int]:
        assortment = snapshot.on(order_request.check(self._order, snapshot.network))
        selected = order_request.select(self.caller, self.request.lines, snapshot.by_sku, assortment)
        return order_request.stock_items(selected, assortment) | end_hold.items_of(self.request.replaces, snapshot)

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        channel = order_request.check(self._order, snapshot.network)
        assortment = snapshot.on(channel)
        replaced = self.request.replaces
        ended = end_hold.end(self.caller, replaced, snapshot, channel.id, StockHoldState.RELEASED, "replaces")
        if ended is not None:
            assortment = assortment.freeing(ended.held.quantities)
        plan = order_plan.plan(self.caller, self._order, snapshot.by_sku, assortment)
        if plan.refusals:
            raise Refused(plan.refusals)
        if self.guest is not None and self._address is not None:
            active = snapshot.active_holds(self._address, besides=ended.held.hold if ended is not None else None)
            rules.check_active_of_address(active, self.guest.limits)
        changes = self._hold(plan, channel.id, snapshot, assortment)
        if ended is not None:
            ended.add_to(changes)
        return changes

    def _hold(self, plan: OrderPlan, website_id: int, snapshot: Snapshot, assortment: Assortment) -> Changes:
        hold = StockHold(
            id=rows.new_id(),
            website_id=website_id,
            state=StockHoldState.ACTIVE,
            expires_at=snapshot.now + timedelta(minutes=self.request.minutes),
            created_at=snapshot.now,
            address=self._address,
        )
        lines = [
            StockHoldLine(new_id(), hold.id, line.item.id, line.item.sku, line.requested.quantity, dict(line.selected))
            for line in plan.lines
            if line.item is not None
        ]
        taken = _taken(plan, snapshot, assortment)
        units = [HeldUnits(new_id(), hold.id, level.id, quantity) for level, quantity in taken]
        entries = [
            LedgerEntry(level.item_id, level.warehouse_id, Change(held=quantity), self.caller)
            for level, quantity in taken
        ]
        return Changes(lambda written: Result({"hold": [hold.id]}), summed(entries), [hold, *lines, *units])


def _taken(plan: OrderPlan, snapshot: Snapshot, assortment: Assortment) -> list[tuple[Level, Decimal]]:
    """The levels that the plan takes units of, with their quantities."""
    return [
        (level, part.quantity)
        for line in plan.lines
        if line.item is not None and line.counted
        for part in line.parts
        if (level := snapshot.level(assortment.stock_item(line.item).id, part.warehouse_id)) is not None
    ]
