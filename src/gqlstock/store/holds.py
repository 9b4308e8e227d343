"""Stock kept for carts: holds, what they were asked for, and which levels keep it."""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules import seals
from gqlstock.rules.holds import StockHoldState
from gqlstock.store import database
from gqlstock.store.catalog import Item
from gqlstock.store.fields import QuantityField, SkuField
from gqlstock.store.inventory import InventoryLevel
from gqlstock.store.warehouses import Website


class StockHold(Model):
    """Stock kept for a cart until ``expires_at``, or until it is ordered or released.

    Carts are anonymous: whoever knows the ``id`` may order or release what is held, so that it cannot be guessed.
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
    """Where a hold without a token was asked for, as long as it is active."""
    seal = fields.BigIntField(null=True)

    class Meta:
        table = "stock_hold"
        indexes = (("state", "expires_at"), ("address",))

    def sealed(self, lines: "Sequence[StockHoldLine]", units: "Sequence[HeldUnits]") -> int:
        """Its seal, which has what was asked for and what is kept as well."""
        return seals.of_hold(self, lines, units)


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
        indexes = (("hold_id", "id"),)


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


def new_id() -> int:
    return secrets.randbits(62)


async def holds(ids: Collection[int]) -> dict[int, StockHold]:
    return {hold.id: hold for hold in await StockHold.filter(id__in=set(ids))} if ids else {}


async def lock(hold_id: int) -> StockHold:
    """The hold, which this transaction has to itself; claim its items first."""
    return await StockHold.filter(id=hold_id).select_for_update(no_key=True).get()


async def lines_of(hold_ids: Collection[int]) -> dict[int, list[StockHoldLine]]:
    """What each hold was asked for, in the order in which it was given."""
    found: dict[int, list[StockHoldLine]] = {hold_id: [] for hold_id in hold_ids}
    for line in await StockHoldLine.filter(hold_id__in=set(found)).order_by("id"):
        found[line.hold_id].append(line)
    return found


async def units_of(hold_id: int) -> list[HeldUnits]:
    """What a hold keeps where, in the order of its plan."""
    return (await all_units_of([hold_id]))[hold_id]


async def all_units_of(hold_ids: Collection[int]) -> dict[int, list[HeldUnits]]:
    """What each hold keeps where, in the order of its plan."""
    found: dict[int, list[HeldUnits]] = {hold_id: [] for hold_id in hold_ids}
    for units in await HeldUnits.filter(hold_id__in=set(found)).order_by("id"):
        found[units.hold_id].append(units)
    return found


async def lock_address(address: str) -> None:
    """Have the holds of an address to this transaction; claim its items first. SQLite's one writer has them anyway."""
    if database.is_postgres():
        await database.execute("SELECT pg_advisory_xact_lock(hashtext(?))", address)


async def active_of(address: str, now: datetime) -> int:
    """How many holds an address has that hold something now."""
    return await StockHold.filter(address=address, state=StockHoldState.ACTIVE, expires_at__gt=now).count()


async def close(hold_id: int, state: StockHoldState) -> None:
    await StockHold.filter(id=hold_id).update(state=state, address=None)


async def expired(now: datetime, limit: int) -> list[int]:
    """Holds that have expired and still stand in the figures of their levels."""
    found = StockHold.filter(state=StockHoldState.ACTIVE, expires_at__lte=now).order_by("expires_at", "id").limit(limit)
    return [hold.id for hold in await found]
