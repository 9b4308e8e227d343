"""Sums the stock of items over warehouses."""

from collections.abc import Collection, Sequence

from gqlstock.rules import ledger
from gqlstock.rules.catalog import Item, counts_combinations
from gqlstock.rules.ledger import Level
from gqlstock.rules.scopes import Caller
from gqlstock.services import assortments
from gqlstock.stock import present


async def of_items(
    items: Sequence[Item], caller: Caller, *, warehouses: Collection[str] | None = None, website: str | None = None
) -> list[Level]:
    """The figures of each item over the active warehouses that the caller has access to.

    A product tracked with options has the sum of its combinations. ``warehouses``: only these, by code. ``website``: only
    those it sells from. Raises ``Refused`` for an unknown one.
    """
    places = await _places(caller, warehouses, website)
    made = await present.combinations([one.id for one in items if one.is_product and counts_combinations(one.tracking)])
    members = {one.id: [c.id for c in made[one.id]] if one.id in made else [one.id] for one in items}
    levels = await present.levels_of({member for ids in members.values() for member in ids})
    return [
        ledger.total(level for member in members[one.id] for level in levels[member] if level.warehouse_id in places)
        for one in items
    ]


async def _places(caller: Caller, codes: Collection[str] | None, website: str | None) -> set[int]:
    network = await present.network()
    places = {warehouse_id for warehouse_id in network.active if caller.reaches(warehouse_id)}
    if codes is not None:
        places &= {warehouse_id for code in codes if (warehouse_id := network.warehouse_id(code)) is not None}
    if website is not None:
        channel = await assortments.channel(website)
        places &= {one.warehouse_id for one in channel.warehouses} if channel else set()
    return places
