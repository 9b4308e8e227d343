"""Access tokens of orders: creates them, finds their orders, and invalidates all of them."""

import secrets
from collections.abc import Iterable

from gqlstock.rules import order_tokens as rules
from gqlstock.rules.cache_keys import TOKENS
from gqlstock.rules.events import ANY_TOKEN
from gqlstock.rules.feed import Cursor
from gqlstock.rules.order_tokens import NamedOrder
from gqlstock.rules.orders import Order
from gqlstock.stock import present
from gqlstock.stock.cache import Found
from gqlstock.store import order_keys, orders, outbox
from gqlstock.store.db import transactions

_BYTES_PER_KEY = 100


async def tokens(of: Iterable[Order]) -> list[str]:
    """The access token of each order."""
    key = await _key()
    return [rules.token(key, NamedOrder(order.id, order.placed_at)) for order in of]


async def find(token: str) -> Order | None:
    """The order of an access token; None for any other text, without querying orders."""
    named = rules.named(await _key(), token)
    if named is None:
        return None
    order = (await orders.orders([named.id])).get(named.id)
    return order if order is not None and order.placed_at == named.placed_at else None


async def sealed(order: Order, cursor: Cursor) -> str:
    """A sealed cursor for the shopper of an order."""
    return rules.sealed(await _key(), order.id, cursor)


async def opened(order: Order, cursor: str) -> Cursor | None:
    """The feed position of a cursor sealed for this order; None for any other text."""
    return rules.opened(await _key(), order.id, cursor)


async def ensure_key() -> None:
    """Create the key of this database, unless it has one."""

    async def work() -> None:
        if await order_keys.find() is None:
            await order_keys.insert(_new_key())
            await outbox.add([ANY_TOKEN])

    await transactions.run(work)


async def renew() -> None:
    """Invalidate every access token. Each order gets a new one."""

    async def work() -> None:
        await order_keys.replace(_new_key())
        await outbox.add([ANY_TOKEN])

    await transactions.run(work)


def _new_key() -> bytes:
    return secrets.token_bytes(rules.KEY_BYTES)


async def _key() -> bytes:
    """The key of this database, from the cache if current."""
    return (await present.records("order key", [0], _load_key))[0]


async def _load_key(_: list[int]) -> dict[int, Found[bytes]]:
    key = await order_keys.find()
    if key is None:
        raise RuntimeError("The database has no key for access tokens of orders: run gqlstock migrate to create one.")
    return {0: Found(key, (TOKENS,), _BYTES_PER_KEY)}
