"""Taking back what was shipped."""

from dataclasses import dataclass

from gqlstock.rules import catalog, refusals
from gqlstock.rules import shipments as rules
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.ledger import Step
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.refusals import Code, Refusal, Refused
from gqlstock.rules.scopes import Caller
from gqlstock.rules.settings import Settings
from gqlstock.services.fulfilment import LineQuantity, Sheet, check_lines, sheet, too_many_units
from gqlstock.services.idempotency import Kept, once, ticket
from gqlstock.services.lookup import lookup
from gqlstock.store import catalog as catalog_rows


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
        settings = await _settings(found)
        refused: list[Refusal] = []
        for number, row in enumerate(asked.lines):
            try:
                await _take_back(found, row, settings, restock=asked.restock)
            except Refused as error:
                refused += [refusal.under("lines", number) for refusal in error.refusals]
        if refused:
            raise Refused(refused)
        await found.finish(reason)
        return Kept({"order": [int(found.order.id)]})

    check_lines(asked.lines)
    return await once(ticket(caller, "returnItems", key, asked), work)


async def _take_back(found: Sheet, row: LineQuantity, settings: dict[int, Settings], *, restock: bool | None) -> None:
    for line in found.chosen(row):
        if not settings[line.item_id].returnable:
            raise Refusal(Code.NOT_RETURNABLE, f"{refusals.shown(line.sku)} cannot be returned.", ("sku",)).only()

    picks, left = found.pick(row, rules.give_back)
    if left > 0:
        raise too_many_units(row, left, "returned").only()
    of_line = {line.id: settings[line.item_id].restock_on_return for line in found.lines}
    for pick in picks:
        (line_id,) = found.lines_of([pick])
        counts = of_line[line_id] if restock is None else restock
        await found.change([pick], Step.RETURNED, state=AllocationState.RETURNED, counts=counts)


async def _settings(found: Sheet) -> dict[int, Settings]:
    """What is in effect for the order's items on its website, deleted ones as well."""
    items = await catalog_rows.items({line.item_id for line in found.lines})
    known = await lookup(items.values(), found.lookup.network)
    channel: SalesChannel | None = next((c for c in known.network.channels if c.id == found.order.website_id), None)
    return {item.id: known.settings(item, channel) for item in items.values()}
