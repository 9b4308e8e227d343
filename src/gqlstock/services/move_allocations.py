"""Moves units of an order to another warehouse. ``rules.shipments`` decides which units are moved first."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from gqlstock.rules import canonical, events, ledger, refusals
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as rules
from gqlstock.rules.ledger import Level
from gqlstock.rules.network import Network, SalesChannel
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Refusal, Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.rules.shipments import Pick
from gqlstock.services.open_order import LineQuantity, OpenOrder, check_lines
from gqlstock.services.order_command import RowsCommand
from gqlstock.services.transfer_stock import check_ends
from gqlstock.stock.command import Changes, Result
from gqlstock.stock.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedQuantity(LineQuantity):
    """Units of a line, and the codes of the origin and destination warehouses."""

    source: str = field(metadata=canonical.called("from"))
    target: str = field(metadata=canonical.called("to"))


@dataclass(frozen=True, slots=True)
class MoveAllocationsRequest:
    number: str
    lines: tuple[MovedQuantity, ...]
    reason: str | None = None


async def move(caller: Caller, request: MoveAllocationsRequest, key: str | None = None) -> Result:
    """Move units of an order to other warehouses, all rows or none. Returns the order's id."""
    check_lines(request.lines)
    return await MoveAllocations.run(caller, request, key, request.reason)


@dataclass(frozen=True, slots=True)
class MoveAllocations(RowsCommand[MoveAllocationsRequest]):
    mutation = "moveAllocations"

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        open_order = self.open(snapshot)
        order_rules.check_open(open_order.order.status, self.request.number)
        website = snapshot.network.channel(open_order.order.website_id)
        refused: list[Refusal] = []
        for number, row in enumerate(self.request.lines):
            with refusals.collected(refused, "lines", number):
                self._move(open_order, row, snapshot.network, website)
        if refused:
            raise Refused(refused)
        left = [snapshot.network.warehouse_id(row.source) for row in self.request.lines]
        moved = events.order_moved(open_order.order.id, [one for one in left if one is not None])
        return replace(self.changes(open_order), events=[moved])

    def _move(self, open_order: OpenOrder, row: MovedQuantity, network: Network, website: SalesChannel) -> None:
        check_ends(network, self.caller, row.source, row.target)
        source, target = network.warehouse_id(row.source), network.warehouse_id(row.target)
        assert source is not None
        assert target is not None
        if target not in network.active:
            raise wrong_state(f"The warehouse {row.target} is inactive: choose an active one.", "to")
        if not website.sells_from([target]):
            message = f"The website {website.code} does not sell from {row.target}: choose one of its warehouses."
            raise wrong_state(message, "to")
        picks = open_order.pick(row, rules.cancel, f"moved from {row.source}", source)
        _check_free(open_order, picks, row, target)
        open_order.move(picks, target)


def _check_free(open_order: OpenOrder, picks: Sequence[Pick], row: MovedQuantity, target: int) -> None:
    """Refuse to move more units than the destination has available: moved units never wait."""
    wanted: dict[int, Decimal] = {}
    for pick in picks:
        item = open_order.stock_item(pick)
        if item is not None:
            wanted[item.id] = wanted.get(item.id, ZERO) + pick.quantity
    for item_id, quantity in wanted.items():
        level = open_order.level(item_id, target) or Level()
        ledger.check_free(level, quantity, row.sku, f"available in {row.target}")
