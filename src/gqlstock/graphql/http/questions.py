"""Limits how often an address may ask whether a quantity of an item can be ordered, because probing reveals hidden stock.

checkOrder, placeOrder and holdStock count. Each process counts by itself, in fixed windows.
"""

import math
import time
from collections.abc import Callable, Collection, Sequence

from cachetools import LRUCache

from gqlstock.graphql.context import Info
from gqlstock.rules import catalog as rules
from gqlstock.rules import refusals
from gqlstock.rules.catalog import Item
from gqlstock.rules.limits import Rate
from gqlstock.rules.order_request import RequestedLine
from gqlstock.rules.refusals import Code, Refusal, Refused
from gqlstock.stock import idempotency, present, reading

_REMEMBERED = 50_000


class Questions:
    """The counts of this process. ``clock`` returns seconds."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._asked: LRUCache[tuple[str, int, int], int] = LRUCache(_REMEMBERED)

    def ask(self, address: str, item_ids: Collection[int]) -> set[int]:
        """Count one question about each item. Returns the items that were asked about too often."""
        window = int(self._clock() // self._rate.seconds)
        over = set()
        for item_id in item_ids:
            key = (address, item_id, window)
            asked = self._asked.get(key, 0) + 1
            self._asked[key] = asked
            if asked > self._rate.most:
                over.add(item_id)
        return over

    @property
    def remembered(self) -> int:
        """The number of counters. The least recently used ones are dropped first."""
        return len(self._asked)

    @property
    def wait(self) -> int:
        """The seconds until the next window."""
        return math.ceil(self._rate.seconds - self._clock() % self._rate.seconds)


async def check(
    info: Info, lines: Sequence[RequestedLine], mutation: str | None = None, key: str | None = None
) -> None:
    """Refuse lines of items that this address has asked about too often. Callers with a token are never refused.

    A mutation that is repeated under its key does not count, because it gets its stored answer.
    """
    # Each question must count, so its answer must not be cached.
    reading.never_keep()
    context = info.context
    questions = context.deployment.questions
    if context.caller.authenticated or context.address is None or questions is None:
        return
    if mutation is not None and key is not None and await idempotency.is_used(context.caller, mutation, key):
        return
    items = await present.by_sku({line.sku for line in lines})
    products = await present.with_products(items.values())
    # Unpublished items are refused as unknown, no matter how often they are asked about.
    stock = {sku: item_id for sku, item in items.items() if (item_id := _stock_item(item, products)) is not None}
    address, asked = context.address, set(stock.values())
    field = ("question", *info.path.as_list())
    over = reading.count_once(field, lambda: questions.ask(address, asked))
    if over:
        wait = questions.wait
        raise Refused(
            Refusal(
                Code.TOO_MANY,
                f"Too many requests about {refusals.shown(line.sku)} from this address. Try again in {wait} seconds.",
                ("lines", number, "sku"),
            )
            for number, line in enumerate(lines)
            if stock.get(line.sku) in over
        )


def _stock_item(item: Item, products: dict[int, Item]) -> int | None:
    """The item whose stock is counted. None for an unpublished product."""
    product = products[item.product_id] if item.product_id is not None else item
    if not product.published:
        return None
    return int(item.id if rules.counts_combinations(product.tracking) else product.id)
