"""Waiting for an item: who begins and ceases to, whose item is back, and what is told to whom."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gqlstock.rules import back_in_stock as rules
from gqlstock.rules import refusals
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.back_in_stock import BackInStockState, BackInStockSubscription
from gqlstock.rules.catalog import Item
from gqlstock.rules.refusals import Code, Refusal
from gqlstock.services import addresses
from gqlstock.services.availability import assortment
from gqlstock.store import back_in_stock as rows
from gqlstock.store import catalog, warehouses
from gqlstock.store.back_in_stock import Pair
from gqlstock.store.db import transactions

_SHELVED_AT_ONCE = 250


async def subscribe(sku: str, website: str | None, email: str) -> int:
    """Leave an address for an item that is out of stock on a website; answers the id of what waits.

    To the public an unpublished item is as one that does not exist, and asking again as asking.
    """
    address = addresses.email(email, "email")

    async def work() -> int:
        channel = (await warehouses.network()).find(website)
        if channel is None:
            raise refusals.missing("website", website or "", "website")
        item = (await catalog.by_sku([sku])).get(sku)
        found = await assortment([item], channel) if item is not None else None
        if item is None or found is None or not found.lookup.product(item).published:
            raise refusals.missing("item", sku, "sku")
        rules.check(sku, found.assess(item))
        return await rows.ask(item, channel.id, address)

    return await transactions.run(work)


async def unsubscribe(token: str) -> int:
    """Write no more to whoever has this token; answers the id of the subscription that it came for."""

    async def work() -> int:
        found = await rows.by_token(token)
        if found is None:
            raise Refusal(Code.NOT_FOUND, "No subscription has this token.", ("token",)).only()
        await rows.cancel_same(found)
        return found.id

    return await transactions.run(work)


async def back(pairs: Collection[Pair]) -> list[Pair]:
    """Those of these items that can be ordered on their website now."""
    network = await warehouses.network()
    channels = {channel.id: channel for channel in network.channels}
    items = await catalog.items_in_use({item_id for item_id, _ in pairs})
    known = sorted(
        (website_id, item_id) for item_id, website_id in pairs if item_id in items and website_id in channels
    )
    out: list[Pair] = []
    for start in range(0, len(known), _SHELVED_AT_ONCE):
        part = known[start : start + _SHELVED_AT_ONCE]
        for website_id in sorted({website_id for website_id, _ in part}):
            here = [items[item_id] for website, item_id in part if website == website_id]
            found = await assortment(here, channels[website_id], network)
            out += [(item.id, website_id) for item in _back(here, found)]
    return out


def _back(items: Iterable[Item], found: Assortment) -> list[Item]:
    return [item for item in items if rules.is_back(found.assess(item))]


@dataclass(frozen=True, slots=True)
class Told:
    """What a letter to a shopper says."""

    item: Item
    website: str
    token: str


async def tell(subscription: BackInStockSubscription) -> Told | None:
    """What to write to somebody who waits, with a fresh token; None when it is not to be written any more."""
    if subscription.state is not BackInStockState.WAITING:
        return None
    if not await back([(subscription.item_id, subscription.website_id)]):
        return None
    item = (await catalog.items([subscription.item_id]))[subscription.item_id]
    website = (await warehouses.websites([subscription.website_id]))[subscription.website_id]
    token = await transactions.run(lambda: rows.new_token(subscription.id))
    return Told(item, website.name, token)
