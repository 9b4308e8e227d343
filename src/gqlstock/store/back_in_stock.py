"""Shoppers who wait for an item on a website, and for which pairs of them anybody does."""

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
"""An item and a website, by their ids."""


class BackInStockSubscription(Model):
    """An address that is written to once, when the item is back. At most one of an item, website and address waits.

    The public is told the id: it is drawn by lot, so that it does not say which came first. ``created_at`` is when it
    was last asked for, so that asking again looks like asking. Of the token only a digest is kept.
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


def all_subscriptions() -> QuerySet[BackInStockSubscription]:
    """What a list of subscriptions filters; ``keyset`` reads it as records."""
    return BackInStockSubscription.all()


async def subscriptions(ids: Collection[int]) -> dict[int, rules.BackInStockSubscription]:
    return await records.by_id(rules.BackInStockSubscription, ids)


async def with_sku(sku: str) -> Q:
    """Those for the item of that SKU, as it was when they asked or as it is now."""
    item = (await catalog.by_sku([sku])).get(sku)
    return Q(Q(sku=sku), Q(item_id=item.id if item else 0), join_type=Q.OR)


async def ask(item: Item, website_id: int, email: str) -> int:
    """Let an address wait, if it does not wait already; gives the id of what waits."""
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


async def cancel_same(found: rules.BackInStockSubscription) -> None:
    """End a subscription, and one of the same address for the same item that was made since."""
    same: Any = Q(
        item_id=found.item_id,
        website_id=found.website_id,
        email_key=found.email_key,
        state=BackInStockState.WAITING,
    )
    await BackInStockSubscription.filter(Q(id=found.id) | same).update(state=BackInStockState.CANCELED)


async def new_token(subscription_id: int) -> str:
    """Make the token that goes out with the next letter; that of one before it is void."""
    token = secrets.token_urlsafe(32)
    await BackInStockSubscription.filter(id=subscription_id).update(token_digest=_digest(token))
    return token


async def end(subscription_id: int, state: BackInStockState, at: datetime | None = None) -> None:
    """Say that an address waits no more."""
    waiting = BackInStockSubscription.filter(id=subscription_id, state=BackInStockState.WAITING)
    await waiting.update(state=state, notified_at=at)


_ABOUT = """SELECT DISTINCT s.item_id AS item_id, s.website_id AS website_id
    FROM back_in_stock_subscription s JOIN item i ON i.id = s.item_id WHERE s.state = 'WAITING'"""
_TOUCHED = """ AND (s.item_id IN ({slots}) OR i.product_id IN ({slots})
    OR s.item_id IN (SELECT product_id FROM item WHERE id IN ({slots}) AND product_id IS NOT NULL))"""


async def pairs(item_ids: Collection[int] | None = None) -> set[Pair]:
    """What anybody waits for: all of it, or what the stock of these items decides.

    That is the item itself, the product it is a combination of, and the combinations of a product that has the units.
    """
    if item_ids is None:
        rows = await sql.query(_ABOUT)
    else:
        wanted = sorted(item_ids)
        slots = ", ".join("?" * len(wanted))
        rows = await sql.query(_ABOUT + _TOUCHED.format(slots=slots), *wanted, *wanted, *wanted)
    return {(row["item_id"], row["website_id"]) for row in rows}


async def waiting(pair: Pair, limit: int) -> list[rules.BackInStockSubscription]:
    """Those who wait for an item on a website and have no letter on its way, the longest first."""
    return await records.where(
        rules.BackInStockSubscription,
        """item_id = ? AND website_id = ? AND state = 'WAITING' AND NOT EXISTS (
               SELECT 1 FROM mail m WHERE m.subscription_id = back_in_stock_subscription.id AND m.state = 'PENDING')
           ORDER BY created_at, id LIMIT ?""",
        *pair,
        limit,
    )


async def end_for_deleted() -> None:
    """Let nobody wait for an item that was deleted."""
    gone = catalog.Item.filter(deleted_at__isnull=False)
    await BackInStockSubscription.filter(
        state=BackInStockState.WAITING, item_id__in=Subquery(gone.values("id"))
    ).update(state=BackInStockState.CANCELED)
