"""Counts of a file brought to their levels, many with few statements. How a file is read is said elsewhere."""

from collections.abc import Sequence
from dataclasses import replace

from gqlstock.rules import ledger, quantities
from gqlstock.rules.ledger import Change, Level, MovementKind
from gqlstock.rules.network import Network
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.refusals import Code, Refusal, invalid
from gqlstock.rules.scopes import Caller
from gqlstock.rules.sheet import Faults, Notes
from gqlstock.services.bench import check_countable
from gqlstock.services.posting import follow
from gqlstock.stock.settings_lookup import Lookup, lookup
from gqlstock.store import catalog, counts, database
from gqlstock.store.counts import Count
from gqlstock.store.inventory import Claim


async def take(caller: Caller, given: Sequence[Count], network: Network, faults: Faults, notes: Notes) -> int:
    """State what was counted, as ``stock.count`` does; what is so already is left alone. Answers how many were not.

    The counts of one item come together, so that no alert is raised halfway. What is below 0 is owed to customers of
    the system that wrote the file: it counts as 0 and is noted.
    """
    known = await counts.on_hand_of({count.item_id for count in given})
    given = [count for count in given if known.get(count.key) != count.on_hand]
    owed = {count.key: -count.on_hand for count in given if count.on_hand < 0}
    if owed:
        named = await catalog.items({count.item_id for count in given if count.key in owed})
        for count in given:
            if count.key in owed:
                units = quantities.text(count.on_hand)
                notes.add(count.line, f"{named[count.item_id].sku} has {units}: counted as 0.")
        given = [replace(count, on_hand=max(count.on_hand, ZERO)) for count in given]
        given = [count for count in given if known.get(count.key) != count.on_hand]
    if not given:
        return 0
    claim = await counts.claim({count.item_id for count in given})
    found = await lookup(claim.items.values(), network)
    for count in given:
        with faults.at(count.line):
            _check(count, claim, found)
    if faults.count:
        return 0
    levels = await counts.record(claim, {count.key: _change(count, claim) for count in given}, caller)
    await follow(claim, levels, found)
    # All the news of a file at once would be in memory until its end.
    await database.write_gathered()
    return len(given)


def _check(count: Count, claim: Claim, found: Lookup) -> None:
    """Whether an item can have that count."""
    item = claim.items.get(count.item_id)
    if item is None or item.deleted_at is not None:
        raise Refusal(Code.NOT_FOUND, "The item has just been deleted.").only()
    told = quantities.text(count.on_hand)
    check_countable(item, found.product(item))
    if not quantities.is_whole(count.on_hand):
        level = claim.level(*count.key)
        channel = found.network.selling_from({count.warehouse_id})
        if not found.settings(item, channel, [level] if level else []).quantity_uses_decimals:
            raise invalid(f"{told} of {item.sku}: only whole units are counted there.")


def _change(count: Count, claim: Claim) -> Change:
    level = claim.level(*count.key)
    return ledger.counted(level.state if level else Level(), count.on_hand, kind=MovementKind.IMPORT)
