"""Shows items as websites sell them. Websites are given by code; None means the default one."""

from collections.abc import Iterable, Sequence

from gqlstock.rules import availability as rules
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.availability import Assessment
from gqlstock.rules.catalog import Item
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.refusals import invalid
from gqlstock.rules.scopes import Caller
from gqlstock.services import availability
from gqlstock.services.availability import Showing
from gqlstock.stock import present, reading

Wanted = tuple[Item, str | None]
"""An item and the code of the requested website."""


async def channel(website: str | None) -> SalesChannel | None:
    """The website with this code; None while no website exists. Raises ``Refused`` for an unknown code."""
    found = (await present.network()).find(website)
    if found is None and website is not None:
        raise invalid(f"There is no website {website:.80}.")
    return found


async def assortments(wanted: Iterable[Wanted]) -> dict[str | None, Assortment]:
    """The assortment of each requested website; empty while no website exists."""
    return {
        website: await present.assortment(items, found) for website, (found, items) in (await _grouped(wanted)).items()
    }


async def showings(wanted: Sequence[Wanted], caller: Caller) -> list[Showing | None]:
    """What a caller may see of each item; None for deleted items and while no website exists."""
    grouped = await _grouped(wanted)
    assessed = {website: await availability.assess(items, found) for website, (found, items) in grouped.items()}
    return [
        Showing(item, grouped[website][0].code, assessed[website][item.id].of(caller))
        if website in grouped and item.deleted_at is None
        else None
        for item, website in wanted
    ]


def shown(item: Item, assessment: Assessment, here: Assortment, caller: Caller) -> Showing:
    """An assessment as a caller may see it. It holds until the next date of the item or its combinations passes."""
    for one in (item, *here.counted_items(item)):
        reading.holds_until(rules.changes_at(here.settings(one), here.now))
    if not caller.sees_all_stock:
        assessment = rules.for_public(assessment, here.settings(item))
    return Showing(item, here.channel.code, assessment)


async def _grouped(wanted: Iterable[Wanted]) -> dict[str | None, tuple[SalesChannel, list[Item]]]:
    by_website: dict[str | None, list[Item]] = {}
    for item, website in wanted:
        by_website.setdefault(website, []).append(item)
    channels = {website: await channel(website) for website in by_website}
    return {website: (found, by_website[website]) for website, found in channels.items() if found is not None}
