"""Returns shipped items. ``rules.shipments`` decides which units come back first."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from gqlstock.rules import canonical, counting, refusals
from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.catalog import InventoryTracking, Item
from gqlstock.rules.fallback import SettingsLookup
from gqlstock.rules.ledger import FulfilmentStep
from gqlstock.rules.refusals import Code, Refusal, Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.rules.settings import Settings
from gqlstock.services.open_order import LineQuantity, OpenOrder, check_lines
from gqlstock.services.order_command import RowsCommand
from gqlstock.stock.command import Changes, Result
from gqlstock.stock.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ReturnItemsRequest:
    """``restock`` None: by the setting restockOnReturn."""

    number: str = field(metadata=canonical.called("order"))
    lines: tuple[LineQuantity, ...]
    restock: bool | None = None
    reason: str | None = None


async def take_back(caller: Caller, request: ReturnItemsRequest, key: str | None = None) -> Result:
    """Return shipped units to the warehouses that shipped them. Returns the order's id."""
    check_lines(request.lines)
    return await ReturnItems.run(caller, request, key, request.reason)


@dataclass(frozen=True, slots=True)
class ReturnItems(RowsCommand[ReturnItemsRequest]):
    mutation = "returnItems"
    named_at = "order"

    def decide(self, snapshot: Snapshot, now: datetime) -> Changes:
        open_order = self.open(snapshot)
        settings = _settings(open_order, snapshot)
        refused: list[Refusal] = []
        for number, row in enumerate(self.request.lines):
            with refusals.collected(refused, "lines", number):
                _take_back(open_order, row, snapshot, settings, restock=self.request.restock)
        if refused:
            raise Refused(refused)
        for line in open_order.lines:
            open_order.put(replace(line, returned=open_order.returned(line)))
        return self.changes(open_order)


def _take_back(
    open_order: OpenOrder,
    row: LineQuantity,
    snapshot: Snapshot,
    settings: Mapping[int, Settings],
    *,
    restock: bool | None,
) -> None:
    for line in open_order.chosen(row):
        if not settings[line.item_id].returnable:
            raise Refusal(Code.NOT_RETURNABLE, f"{refusals.shown(line.sku)} cannot be returned.", ("sku",)).only()
    picks = open_order.pick(row, rules.give_back, "returned")
    item_of = {line.id: line.item_id for line in open_order.lines}
    for pick in picks:
        (line_id,) = open_order.lines_of([pick])
        counts = settings[item_of[line_id]].restock_on_return if restock is None else restock
        if not _can_restock(open_order.stock_item(pick), snapshot.item(item_of[line_id]), snapshot.lookup):
            if restock:
                raise wrong_state(f"{refusals.shown(row.sku)} no longer has stock, so nothing can be restocked.", "sku")
            counts = False
        open_order.advance([pick], FulfilmentStep.RETURNED, state=AllocationState.RETURNED, counts=counts)


def _can_restock(stock_item: Item | None, ordered: Item, lookup: SettingsLookup) -> bool:
    """Whether units may become stock again: not for a deleted item, nor on a level that changed tracking made unused.

    ``stock_item`` is the item that counted the units; None if nothing was counted.
    """
    if stock_item is None:
        return ordered.deleted_at is None
    product = lookup.product(stock_item)
    left_behind = product.tracking is not InventoryTracking.DO_NOT_TRACK and not counting.has_units(stock_item, product)
    return stock_item.deleted_at is None and not left_behind


def _settings(open_order: OpenOrder, snapshot: Snapshot) -> dict[int, Settings]:
    """The effective settings of the order's items on its website, including deleted items."""
    channel = next((one for one in snapshot.network.channels if one.id == open_order.order.website_id), None)
    items = {line.item_id: snapshot.item(line.item_id) for line in open_order.lines}
    return {item_id: snapshot.lookup.settings(item, channel) for item_id, item in items.items()}
