"""The tables of holds, their lines and their held units. ``rules.holds`` decides their state."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tortoise import fields
from tortoise.expressions import Q, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import holds as rules
from gqlstock.rules.cache_keys import LEVELS
from gqlstock.rules.filters import HoldFilter
from gqlstock.rules.holds import StockHoldState
from gqlstock.store import catalog
from gqlstock.store.catalog import Item
from gqlstock.store.db import connection, reads, records, sql
from gqlstock.store.db.fields import QuantityField, SkuField, from_units
from gqlstock.store.inventory import InventoryLevel
from gqlstock.store.warehouses import Website


class StockHold(Model):
    """Stock kept for a cart until ``expires_at``, or until it is ordered or released.

    Carts are anonymous: anyone who knows the ``id`` may order or release the hold, so it is random.
    """

    id = fields.BigIntField(primary_key=True, generated=False)
    website: fields.ForeignKeyRelation[Website] = fields.ForeignKeyField(
        "gqlstock.Website", related_name="holds", on_delete=fields.RESTRICT
    )
    website_id: int
    state = fields.CharEnumField(StockHoldState, max_length=20, default=StockHoldState.ACTIVE)
    expires_at = fields.DatetimeField()
    created_at = fields.DatetimeField()
    address = fields.CharField(max_length=45, null=True)
    """The network address of a guest while the hold is active."""
    seal = fields.BigIntField(null=True)

    class Meta:
        table = "stock_hold"
        indexes = (("state", "expires_at"), ("state", "created_at", "id"), ("created_at", "id"), ("address",))


class StockHoldLine(Model):
    """What was asked for."""

    id = fields.BigIntField(primary_key=True)
    hold: fields.ForeignKeyRelation[StockHold] = fields.ForeignKeyField(
        "gqlstock.StockHold", related_name="lines", on_delete=fields.RESTRICT
    )
    hold_id: int
    item: fields.ForeignKeyRelation[Item] = fields.ForeignKeyField(
        "gqlstock.Item", related_name="hold_lines", on_delete=fields.RESTRICT
    )
    item_id: int
    sku = SkuField(max_length=255)
    quantity: fields.Field[Decimal] = QuantityField()
    selected_options: fields.Field[dict[str, str]] = fields.JSONField(default=dict)

    class Meta:
        table = "stock_hold_line"
        indexes = (("hold_id", "id"), ("item_id", "hold_id"), ("sku",))


class HeldUnits(Model):
    """So many units of a level that a hold keeps, in the order of its plan."""

    id = fields.BigIntField(primary_key=True)
    hold: fields.ForeignKeyRelation[StockHold] = fields.ForeignKeyField(
        "gqlstock.StockHold", related_name="units", on_delete=fields.RESTRICT
    )
    hold_id: int
    level: fields.ForeignKeyRelation[InventoryLevel] = fields.ForeignKeyField(
        "gqlstock.InventoryLevel", related_name="held_units", on_delete=fields.RESTRICT
    )
    level_id: int
    quantity: fields.Field[Decimal] = QuantityField()

    class Meta:
        table = "held_units"
        indexes = (("hold_id", "id"), ("level_id",))


EXPIRED = "h.state = 'ACTIVE' AND h.expires_at <= ?"
"""``rules.holds.is_expired`` in SQL, for a table named h."""
_EXPIRING_UNITS = f"""SELECT u.level_id AS level_id,
        CAST(COALESCE(SUM(u.quantity) FILTER (WHERE {EXPIRED}), 0) AS BIGINT) AS expired,
        MIN(h.expires_at) FILTER (WHERE NOT ({EXPIRED})) AS until
    FROM held_units u JOIN stock_hold h ON h.id = u.hold_id
    WHERE h.state = 'ACTIVE' AND u.level_id IN ({{slots}}) GROUP BY u.level_id"""
_EXPIRED_HOLDS = f"SELECT h.id AS id FROM stock_hold h WHERE {EXPIRED} ORDER BY h.expires_at, h.id LIMIT ?"
_COUNT_ACTIVE = (
    f"SELECT COUNT(*) AS holds FROM stock_hold h WHERE h.address = ? AND h.state = 'ACTIVE' AND NOT ({EXPIRED})"
)


_FREED = f"""SELECT l.item_id AS item_id FROM stock_hold h
    JOIN held_units u ON u.hold_id = h.id JOIN inventory_level l ON l.id = u.level_id
    WHERE {EXPIRED} AND l.available <= 0 AND l.deleted_at IS NULL AND l.warehouse_id IN ({{places}})
    GROUP BY l.id, l.item_id, l.available HAVING l.available + SUM(u.quantity) > 0"""
_NEXT_EXPIRY = f"SELECT MIN(h.expires_at) AS until FROM stock_hold h WHERE h.state = 'ACTIVE' AND NOT ({EXPIRED})"


def new_id() -> int:
    return secrets.randbits(62)


def in_states(states: Collection[StockHoldState], now: datetime) -> Q:
    """``rules.holds.state`` as a filter: holds that are in one of these states now, even if not swept yet."""
    active, expired = Q(state=StockHoldState.ACTIVE), Q(state=StockHoldState.EXPIRED)
    current: dict[StockHoldState, Q] = {
        StockHoldState.ACTIVE: active & Q(expires_at__gt=now),
        StockHoldState.EXPIRED: expired | (active & Q(expires_at__lte=now)),
    }
    any_of = [current.get(state, Q(state=state)) for state in states]
    return Q(*any_of, join_type=Q.OR) if any_of else Q(id__in=[])


async def matching(criteria: HoldFilter, now: datetime) -> QuerySet[StockHold]:
    """The holds that match a filter."""
    rows = StockHold.all()
    if criteria.states is not None:
        rows = rows.filter(in_states(criteria.states, now))
    if criteria.website is not None:
        rows = rows.filter(website__code=criteria.website)
    if criteria.sku is not None:
        lines = StockHoldLine.filter(await catalog.with_skus([criteria.sku]))
        rows = rows.filter(id__in=Subquery(lines.values("hold_id")))
    return rows


async def holds(ids: Collection[int]) -> dict[int, rules.StockHold]:
    return await records.by_id(rules.StockHold, ids)


async def lines_of(hold_ids: Collection[int]) -> dict[int, list[rules.StockHoldLine]]:
    """The lines of each hold, in order."""
    return await records.below(rules.StockHoldLine, "hold_id", hold_ids)


async def units_of(hold_ids: Collection[int]) -> dict[int, list[rules.HeldUnits]]:
    """The held units of each hold, in the order of its plan."""
    return await records.below(rules.HeldUnits, "hold_id", hold_ids)


async def lock_address(address: str, *, waiting: bool = False) -> bool:
    """Lock the holds of an address until the transaction ends. Without ``waiting``, returns whether the lock was free.

    Lock items first. SQLite has only one writer anyway.
    """
    if not connection.is_postgres():
        return True
    if waiting:
        await sql.execute("SELECT pg_advisory_xact_lock(hashtext(?))", address)
        return True
    return bool((await sql.execute("SELECT pg_try_advisory_xact_lock(hashtext(?)) AS is_free", address))[0]["is_free"])


async def active_of(address: str, now: datetime) -> int:
    """The number of active holds of an address."""
    return int((await sql.query(_COUNT_ACTIVE, address, now))[0]["holds"])


async def expired(now: datetime, limit: int) -> list[int]:
    """The ids of expired holds whose units the figures of levels still include."""
    return [row["id"] for row in await sql.query(_EXPIRED_HOLDS, now, limit)]


async def freed(warehouse_ids: Collection[int], now: datetime) -> tuple[set[int], datetime | None]:
    """The items that have units available in these warehouses only because holds have expired; and until when that holds."""
    with reads.only((LEVELS,)):
        rows = await sql.query(_FREED.format(places=sql.slots(warehouse_ids)), now, *warehouse_ids)
        until = (await sql.query(_NEXT_EXPIRY, now))[0]["until"]
    return {row["item_id"] for row in rows}, None if until is None else records.moment(until)


@dataclass(frozen=True, slots=True)
class ExpiringUnits:
    """The units of expired holds that a level's stored figures still include. ``until``: when its next hold expires."""

    expired: Decimal
    until: datetime | None


async def expiring_units(level_ids: Collection[int], now: datetime) -> dict[int, ExpiringUnits]:
    """The expiring units of levels with active holds, by level."""
    if not level_ids:
        return {}
    found = await sql.fetch_raw(_EXPIRING_UNITS.format(slots=sql.slots(level_ids)), now, now, *level_ids)
    return {
        row["level_id"]: ExpiringUnits(
            from_units(row["expired"]), None if row["until"] is None else records.moment(row["until"])
        )
        for row in found
    }
