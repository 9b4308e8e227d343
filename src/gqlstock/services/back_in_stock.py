"""Back-in-stock subscriptions: subscribe, unsubscribe, find items that are back, and prepare the mail about them.

``rules.back_in_stock`` decides who may subscribe and when an item is back.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gqlstock.rules import back_in_stock as rules
from gqlstock.rules import refusals
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.back_in_stock import BackInStockState, BackInStockSubscription
from gqlstock.rules.catalog import Item
from gqlstock.rules.refusals import Code, Refusal
from gqlstock.services import addresses
from gqlstock.stock import present
from gqlstock.store import back_in_stock as rows
from gqlstock.store import catalog, warehouses
from gqlstock.store.back_in_stock import Pair
from gqlstock.store.db import sql, transactions

_ITEMS_PER_ASSORTMENT = 250


async def subscribe(sku: str, website: str | None, email: str) -> int:
    """Subscribe an address to an item that is out of stock on a website. Returns the subscription's id.

    For the public, an unpublished item does not exist. A repeated call returns the same answer and thus doesn't reveal
    whether an address has subscribed.
    """
    address = addresses.email(email, "email")

    async def work() -> int:
        channel = (await present.network()).find(website)
        if channel is None:
            raise refusals.missing("website", website or "", "website")
        item = (await present.by_sku([sku])).get(sku)
        found = await present.assortment([item], channel) if item is not None else None
        if item is None or found is None or not found.lookup.product(item).published:
            raise refusals.missing("item", sku, "sku")
        rules.check(sku, found.assess(item))
        return await rows.subscribe(item, channel.id, address)

    return await transactions.run(work)


async def unsubscribe(token: str) -> int:
    """Cancel the subscription of a mailed token. Returns the subscription's id."""

    async def work() -> int:
        found = await rows.by_token(token)
        if found is None:
            raise Refusal(Code.NOT_FOUND, "This token belongs to no subscription.", ("token",)).only()
        await rows.cancel_same(found)
        return found.id

    return await transactions.run(work)


async def back(pairs: Collection[Pair]) -> list[Pair]:
    """The pairs whose item can be ordered on the website now."""
    network = await present.network()
    channels = {channel.id: channel for channel in network.channels}
    items = await catalog.items_in_use({item_id for item_id, _ in pairs})
    known = sorted(
        (website_id, item_id) for item_id, website_id in pairs if item_id in items and website_id in channels
    )
    orderable: list[Pair] = []
    for part in sql.parts(known, _ITEMS_PER_ASSORTMENT):
        for website_id in sorted({website_id for website_id, _ in part}):
            here = [items[item_id] for website, item_id in part if website == website_id]
            found = await present.assortment(here, channels[website_id])
            orderable += [(item.id, website_id) for item in _back(here, found)]
    return orderable


def _back(items: Iterable[Item], found: Assortment) -> list[Item]:
    return [item for item in items if rules.is_back(found.assess(item))]


@dataclass(frozen=True, slots=True)
class LetterContent:
    """The content of a letter to a shopper."""

    item: Item
    website: str
    token: str


async def letter_content(subscription: BackInStockSubscription) -> LetterContent | None:
    """The content of a letter, with a fresh token; None if the letter is no longer wanted."""
    if subscription.state is not BackInStockState.WAITING:
        return None
    if not await back([(subscription.item_id, subscription.website_id)]):
        return None
    item = (await catalog.items([subscription.item_id]))[subscription.item_id]
    website = (await warehouses.websites([subscription.website_id]))[subscription.website_id]
    token = await transactions.run(lambda: rows.new_token(subscription.id))
    return LetterContent(item, website.name, token)
