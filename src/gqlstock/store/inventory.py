"""The tables of levels and movements. ``levels`` and ``ledger`` read and write their records."""

from decimal import Decimal

from tortoise import fields
from tortoise.models import Model

from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.quantities import ZERO
from gqlstock.store.catalog import Item
from gqlstock.store.db.fields import QuantityField
from gqlstock.store.warehouses import Warehouse


class InventoryLevel(Model):
    """One item in one warehouse. ``available`` is derived from the figures and stored for sorting."""

    id = fields.BigIntField(primary_key=True)
    item: fields.ForeignKeyRelation[Item] = fields.ForeignKeyField(
        "gqlstock.Item", related_name="levels", on_delete=fields.RESTRICT
    )
    item_id: int
    warehouse: fields.ForeignKeyRelation[Warehouse] = fields.ForeignKeyField(
        "gqlstock.Warehouse", related_name="levels", on_delete=fields.RESTRICT
    )
    warehouse_id: int
    on_hand: fields.Field[Decimal] = QuantityField(default=ZERO)
    reserved: fields.Field[Decimal] = QuantityField(default=ZERO)
    planned: fields.Field[Decimal] = QuantityField(default=ZERO)
    held: fields.Field[Decimal] = QuantityField(default=ZERO)
    backordered: fields.Field[Decimal] = QuantityField(default=ZERO)
    incoming: fields.Field[Decimal] = QuantityField(default=ZERO)
    available: fields.Field[Decimal] = QuantityField(default=ZERO)
    counted_at = fields.DatetimeField(null=True)
    updated_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)

    class Meta:
        table = "inventory_level"
        # The table comment of the first version. Changing it would need a migration.
        table_description = (
            "One item in one warehouse. Only ``record`` writes its figures. ``available`` is theirs, kept to sort by."
        )
        unique_together = (("item_id", "warehouse_id"),)
        indexes = (("warehouse_id", "id"), ("available", "id"), ("on_hand", "id"), ("updated_at", "id"))


class StockMovement(Model):
    """One line of the ledger, never edited or removed."""

    id = fields.BigIntField(primary_key=True)
    level: fields.ForeignKeyRelation[InventoryLevel] = fields.ForeignKeyField(
        "gqlstock.InventoryLevel", related_name="movements", on_delete=fields.RESTRICT
    )
    level_id: int
    kind = fields.CharEnumField(MovementKind, max_length=20)
    quantity: fields.Field[Decimal] = QuantityField()
    on_hand_after: fields.Field[Decimal] = QuantityField()
    reason = fields.CharField(max_length=1000, null=True)
    reference = fields.CharField(max_length=255, null=True)
    actor = fields.CharField(max_length=255)
    order_id = fields.BigIntField(null=True)
    created_at = fields.DatetimeField()
    seal = fields.BigIntField(null=True)

    class Meta:
        table = "stock_movement"
        indexes = (("level_id", "id"), ("order_id", "id"), ("created_at", "id"), ("kind", "id"), ("reference",))
