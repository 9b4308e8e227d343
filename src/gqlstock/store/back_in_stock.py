"""The table of back-in-stock subscriptions, and the pairs of item and website that have some."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.expressions import Q, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import back_in_stock as rules
from gqlstock.rules.back_in_stock import BackInStockState
from gqlstock.rules.catalog import Item
from gqlstock.store import catalog
from gqlstock.store.db import clock, records, sql
from gqlstock.store.db.fields import SkuField
from gqlstock.store.warehouses import Website

Pair = tuple[int, int]
"""The ids of an item and a website."""


class BackInStockSubscription(Model):
    """An address that is written to once, when the item is back. At most one of an item, website and address waits.

    The id is public. It is random, so it does not reveal the order of subscriptions. ``created_at`` is the time of the
    latest request, so a repeated request looks like a first one. Only a digest of the token is stored.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    item: fields.ForeignKeyRelation[catalog.Item] = fields.ForeignKeyField(
        "gqlstock.Item", related_name="back_in_stock_subscriptions", on_delete=fields.RESTRICT
    )
    item_id: int
    website: fields.ForeignKeyRelation[Website] = fields.ForeignKeyField(
        "gqlstock.Website", related_name="back_in_stock_subscriptions", on_delete=fields.RESTRICT
    )
    website_id: int
    sku = SkuField(max_length=255)
    email = fields.CharField(max_length=254)
    email_key = fields.CharField(max_length=300)
    state = fields.CharEnumField(BackInStockState, max_length=20, default=BackInStockState.WAITING)
    token_digest = fields.CharField(max_length=64, null=True)
    created_at = fields.DatetimeField()
    notified_at = fields.DatetimeField(null=True)

    class Meta:
        table = "back_in_stock_subscription"
        indexes = (
            ("state", "item_id", "website_id"),
            ("created_at", "id"),
            ("item_id", "id"),
            ("sku",),
            ("token_digest",),
        )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def matching(sku: str | None, state: BackInStockState | None) -> QuerySet[BackInStockSubscription]:
    """Subscriptions by the item's SKU, either then or now, and by state. None matches all."""
    found = BackInStockSubscription.all()
    if sku is not None:
        found = found.filter(await catalog.with_skus([sku]))
    return found if state is None else found.filter(state=state)


async def subscriptions(ids: Collection[int]) -> dict[int, rules.BackInStockSubscription]:
    return await records.by_id(rules.BackInStockSubscription, ids)


async def subscribe(item: Item, website_id: int, email: str) -> int:
    """Subscribe an address, unless it is subscribed already. Returns the subscription's id."""
    rows = await sql.execute(
        """INSERT INTO back_in_stock_subscription (id, item_id, website_id, sku, email, email_key, state, created_at)
           VALUES (?, ?, ?, ?, ?, ?, 'WAITING', ?)
           ON CONFLICT (item_id, website_id, email_key) WHERE state = 'WAITING'
           DO UPDATE SET created_at = excluded.created_at, email = excluded.email RETURNING id""",
        secrets.randbits(62),
        item.id,
        website_id,
        item.sku,
        email,
        rules.key(email),
        clock.now(),
    )
    return int(rows[0]["id"])


async def by_token(token: str) -> rules.BackInStockSubscription | None:
    of_token = BackInStockSubscription.filter(token_digest=_digest(token))
    return next(iter(await records.records(rules.BackInStockSubscription, of_token)), None)


async def cancel_same(subscription: rules.BackInStockSubscription) -> None:
    """Cancel a subscription and a newer one of the same address for the same item."""
    same: Any = Q(
        item_id=subscription.item_id,
        website_id=subscription.website_id,
        email_key=subscription.email_key,
        state=BackInStockState.WAITING,
    )
    await BackInStockSubscription.filter(Q(id=subscription.id) | same).update(state=BackInStockState.CANCELED)


async def new_token(subscription_id: int) -> str:
    """Create the token for the next email. Tokens in earlier emails become invalid."""
    token = secrets.token_urlsafe(32)
    await BackInStockSubscription.filter(id=subscription_id).update(token_digest=_digest(token))
    return token


async def end(subscription_id: int, state: BackInStockState, at: datetime | None = None) -> None:
    """End a waiting subscription."""
    waiting = BackInStockSubscription.filter(id=subscription_id, state=BackInStockState.WAITING)
    await waiting.update(state=state, notified_at=at)


_PAIRS = """SELECT DISTINCT s.item_id AS item_id, s.website_id AS website_id
    FROM back_in_stock_subscription s JOIN item i ON i.id = s.item_id WHERE s.state = 'WAITING'"""
_AFFECTED = """ AND (s.item_id IN ({slots}) OR i.product_id IN ({slots})
    OR s.item_id IN (SELECT product_id FROM item WHERE id IN ({slots}) AND product_id IS NOT NULL))"""


async def pairs(item_ids: Collection[int] | None = None) -> set[Pair]:
    """The pairs with waiting subscriptions: all, or those that the stock of these items affects.

    The stock of an item affects the item, the product of a combination, and the combinations of a product.
    """
    if item_ids is None:
        rows = await sql.query(_PAIRS)
    else:
        ids = sorted(item_ids)
        slots = sql.slots(ids)
        rows = await sql.query(_PAIRS + _AFFECTED.format(slots=slots), *ids, *ids, *ids)
    return {(row["item_id"], row["website_id"]) for row in rows}


async def waiting(pair: Pair, limit: int) -> list[rules.BackInStockSubscription]:
    """The waiting subscriptions of a pair without a pending email, oldest first."""
    return await records.where(
        rules.BackInStockSubscription,
        """item_id = ? AND website_id = ? AND state = 'WAITING' AND NOT EXISTS (
               SELECT 1 FROM mail m WHERE m.subscription_id = back_in_stock_subscription.id AND m.state = 'PENDING')
           ORDER BY created_at, id LIMIT ?""",
        *pair,
        limit,
    )


async def end_for_deleted() -> None:
    """Cancel the waiting subscriptions to deleted items."""
    deleted = catalog.Item.filter(deleted_at__isnull=False)
    await BackInStockSubscription.filter(
        state=BackInStockState.WAITING, item_id__in=Subquery(deleted.values("id"))
    ).update(state=BackInStockState.CANCELED)
