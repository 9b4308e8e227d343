"""The tables of transfers and their lines."""

from collections.abc import Collection
from decimal import Decimal

from tortoise import fields
from tortoise.expressions import Q, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import transfers as rules
from gqlstock.rules.filters import TransferFilter
from gqlstock.rules.quantities import ZERO
from gqlstock.rules.receiving import StockAnnouncement
from gqlstock.rules.transfers import InventoryTransferState
from gqlstock.store import catalog
from gqlstock.store.catalog import Item
from gqlstock.store.db import records
from gqlstock.store.db.fields import QuantityField, SkuField
from gqlstock.store.warehouses import Warehouse


class InventoryTransfer(Model):
    """Units that leave one warehouse for another. People know it by a number that is made from its id."""

    id = fields.BigIntField(primary_key=True)
    source: fields.ForeignKeyRelation[Warehouse] = fields.ForeignKeyField(
        "gqlstock.Warehouse", related_name="transfers_out", on_delete=fields.RESTRICT
    )
    source_id: int
    target: fields.ForeignKeyRelation[Warehouse] = fields.ForeignKeyField(
        "gqlstock.Warehouse", related_name="transfers_in", on_delete=fields.RESTRICT
    )
    target_id: int
    state = fields.CharEnumField(InventoryTransferState, max_length=20)
    reference = fields.CharField(max_length=255, null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)
    seal = fields.BigIntField(null=True)

    class Meta:
        table = "inventory_transfer"
        indexes = (
            ("source_id", "id"),
            ("target_id", "id"),
            ("state", "id"),
            ("reference",),
            ("updated_at", "id"),
        )


class InventoryTransferLine(Model):
    """So many units of one item in a transfer. A line has one announcement, which knows its transfer."""

    id = fields.BigIntField(primary_key=True)
    transfer: fields.ForeignKeyRelation[InventoryTransfer] = fields.ForeignKeyField(
        "gqlstock.InventoryTransfer", related_name="lines", on_delete=fields.RESTRICT
    )
    transfer_id: int
    item: fields.ForeignKeyRelation[Item] = fields.ForeignKeyField(
        "gqlstock.Item", related_name="transfer_lines", on_delete=fields.RESTRICT
    )
    item_id: int
    sku = SkuField(max_length=255)
    quantity: fields.Field[Decimal] = QuantityField()
    received: fields.Field[Decimal] = QuantityField(default=ZERO)
    returned: fields.Field[Decimal] = QuantityField(default=ZERO)
    lost: fields.Field[Decimal] = QuantityField(default=ZERO)

    class Meta:
        table = "inventory_transfer_line"
        indexes = (("transfer_id", "id"), ("item_id", "transfer_id"), ("sku",))


async def matching(criteria: TransferFilter, within: Collection[int] | None) -> QuerySet[InventoryTransfer]:
    """The transfers that match a filter. ``within``: only from or to these warehouses."""
    rows = InventoryTransfer.all()
    if within is not None:
        rows = rows.filter(Q(source_id__in=within) | Q(target_id__in=within))
    if criteria.states is not None:
        rows = rows.filter(state__in=criteria.states)
    if criteria.warehouse is not None:
        rows = rows.filter(Q(source__code=criteria.warehouse) | Q(target__code=criteria.warehouse))
    if criteria.skus is not None:
        lines = InventoryTransferLine.filter(await catalog.with_skus(criteria.skus))
        rows = rows.filter(id__in=Subquery(lines.values("transfer_id")))
    if criteria.reference is not None:
        rows = rows.filter(reference=criteria.reference)
    if criteria.updated_since is not None:
        rows = rows.filter(updated_at__gte=criteria.updated_since)
    return rows


async def transfers(ids: Collection[int]) -> dict[int, rules.InventoryTransfer]:
    return await records.by_id(rules.InventoryTransfer, ids)


async def lines_of(transfer_ids: Collection[int]) -> dict[int, list[rules.InventoryTransferLine]]:
    """The lines of each transfer, in order."""
    return await records.below(rules.InventoryTransferLine, "transfer_id", transfer_ids)


async def announcements_of(transfer_ids: Collection[int]) -> dict[int, list[StockAnnouncement]]:
    """The announcements of each transfer, in the order of its lines."""
    return await records.below(StockAnnouncement, "transfer_id", transfer_ids)
