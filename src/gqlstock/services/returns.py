"""Taking back what was shipped."""

from collections.abc import Mapping
from dataclasses import dataclass

from gqlstock.rules import catalog, refusals
from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.catalog import InventoryTracking
from gqlstock.rules.ledger import Step
from gqlstock.rules.refusals import Code, Refusal, Refused, wrong_state
from gqlstock.rules.scopes import Caller
from gqlstock.rules.settings import Settings
from gqlstock.services.fulfilment import LineQuantity, Sheet, check_lines, sheet, too_many_units
from gqlstock.services.idempotency import Kept, once, ticket
from gqlstock.services.lookup import Lookup, lookup
from gqlstock.store import catalog as catalog_rows
from gqlstock.store.catalog import Item
from gqlstock.store.warehouses import Channel


@dataclass(frozen=True, slots=True)
class Return:
    """``restock`` None: as restockOnReturn says."""

    order: str
    lines: tuple[LineQuantity, ...]
    restock: bool | None = None
    reason: str | None = None


async def take_back(caller: Caller, asked: Return, key: str | None = None) -> Kept:
    """Take shipped units back, each to the warehouse that it left. Answers the order's id."""
    reason = catalog.optional_text(asked.reason, "reason", "reason")

    async def work() -> Kept:
        found = await sheet(caller, asked.order, "order")
        items = await _items(found)
        settings = await _settings(found, items)
        refused: list[Refusal] = []
        for number, row in enumerate(asked.lines):
            try:
                await _take_back(found, row, items, settings, restock=asked.restock)
            except Refused as error:
                refused += [refusal.under("lines", number) for refusal in error.refusals]
        if refused:
            raise Refused(refused)
        for line in found.lines:
            returned = found.returned(line)
            if returned != line.returned:
                line.returned = returned
                await line.save(update_fields=["returned"])
        await found.finish(reason)
        return Kept({"order": [int(found.order.id)]})

    check_lines(asked.lines)
    return await once(ticket(caller, "returnItems", key, asked), work)


async def _take_back(
    found: Sheet,
    row: LineQuantity,
    items: Mapping[int, Item],
    settings: Mapping[int, Settings],
    *,
    restock: bool | None,
) -> None:
    for line in found.chosen(row):
        if not settings[line.item_id].returnable:
            raise Refusal(Code.NOT_RETURNABLE, f"{refusals.shown(line.sku)} cannot be returned.", ("sku",)).only()

    picks, left = found.pick(row, rules.give_back)
    if left > 0:
        raise too_many_units(row, left, "returned").only()
    item_of = {line.id: line.item_id for line in found.lines}
    for pick in picks:
        (line_id,) = found.lines_of([pick])
        counts = settings[item_of[line_id]].restock_on_return if restock is None else restock
        if not _can_restock(found.stock_item(pick), items[item_of[line_id]], found.lookup):
            if restock:
                raise wrong_state(f"{refusals.shown(row.sku)} has no stock any more: nothing can be restocked.", "sku")
            counts = False
        await found.change([pick], Step.RETURNED, state=AllocationState.RETURNED, counts=counts)


def _can_restock(stock_item: Item | None, ordered: Item, known: Lookup) -> bool:
    """Whether units may count again: not of a deleted item, nor on a level that a change of tracking left behind.

    ``stock_item`` has the level that they left; without one nothing was counted. Levels stay in use without counting.
    """
    if stock_item is None:
        return ordered.deleted_at is None
    tracking = known.product(stock_item).tracking
    left_behind = tracking is not InventoryTracking.DO_NOT_TRACK and (
        stock_item.is_product is catalog.counts_combinations(tracking)
    )
    return stock_item.deleted_at is None and not left_behind


async def _items(found: Sheet) -> dict[int, Item]:
    """The items of the order's lines, deleted ones as well."""
    return await catalog_rows.items({line.item_id for line in found.lines})


async def _settings(found: Sheet, items: Mapping[int, Item]) -> dict[int, Settings]:
    """What is in effect for these items on the order's website."""
    known = await lookup(items.values(), found.lookup.network)
    channel: Channel | None = next((c for c in known.network.channels if c.id == found.order.website_id), None)
    return {item.id: known.settings(item, channel) for item in items.values()}
