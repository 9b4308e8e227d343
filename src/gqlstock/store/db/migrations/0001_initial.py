from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from decimal import Decimal
from gqlstock.rules.alerts import AlertState
from gqlstock.rules.allocation import AllocationState
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking
from gqlstock.rules.events import Topic
from gqlstock.rules.holds import StockHoldState
from gqlstock.rules.ledger import MovementKind
from gqlstock.rules.orders import OrderStatus
from gqlstock.rules.settings import InventoryDecrement, SettingScope
from gqlstock.rules.shipments import ShipmentState
from gqlstock.store.db.fields import QuantityField
from json import dumps, loads
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="ApiToken",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("name", fields.CharField(unique=True, max_length=255)),
                ("digest", fields.CharField(unique=True, max_length=64)),
                ("scopes", fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={"table": "api_token", "app": "gqlstock", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Category",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("slug", fields.CharField(unique=True, max_length=255)),
                ("name", fields.CharField(max_length=500)),
                (
                    "parent",
                    fields.ForeignKeyField(
                        "gqlstock.Category",
                        source_field="parent_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="children",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                ("updated_at", fields.DatetimeField(auto_now=True, auto_now_add=False)),
            ],
            options={"table": "category", "app": "gqlstock", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="KeptAnswer",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("owner", fields.CharField(max_length=255)),
                ("mutation", fields.CharField(max_length=50)),
                ("key", fields.CharField(max_length=255)),
                ("digest", fields.CharField(max_length=64)),
                (
                    "answer",
                    fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "kept_answer",
                "app": "gqlstock",
                "unique_together": (("owner", "mutation", "key"),),
                "indexes": [Index(fields=["created_at"])],
                "pk_attr": "id",
                "table_description": "A key belongs to one caller and one mutation. ``answer`` names the objects that the call made or touched.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Organization",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("code", fields.CharField(unique=True, max_length=255)),
                ("name", fields.CharField(max_length=500)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={"table": "organization", "app": "gqlstock", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OutboxEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("tx", fields.BigIntField()),
                (
                    "topic",
                    fields.CharEnumField(
                        description="LEVEL: LEVEL\nALERT: ALERT\nORDER: ORDER\nITEM: ITEM",
                        enum_type=Topic,
                        max_length=20,
                    ),
                ),
                ("subject", fields.BigIntField()),
                (
                    "data",
                    fields.JSONField(
                        default=dict, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "outbox",
                "app": "gqlstock",
                "indexes": [
                    Index(fields=["tx", "id"]),
                    Index(fields=["topic", "subject"]),
                    Index(fields=["created_at"]),
                ],
                "pk_attr": "id",
                "table_description": "``tx`` is the transaction that wrote the entry: PostgreSQL's own number, 0 on SQLite.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Override",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "scope",
                    fields.CharEnumField(
                        description="LEVEL: LEVEL\nCOMBINATION: COMBINATION\nPRODUCT: PRODUCT\nCATEGORY: CATEGORY\nWEBSITE: WEBSITE\nORGANIZATION: ORGANIZATION\nSYSTEM: SYSTEM\nDEFAULT: DEFAULT",
                        enum_type=SettingScope,
                        max_length=20,
                    ),
                ),
                ("owner_id", fields.BigIntField()),
                (
                    "values_set",
                    fields.JSONField(
                        default=dict, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads
                    ),
                ),
                ("updated_at", fields.DatetimeField(auto_now=True, auto_now_add=False)),
            ],
            options={
                "table": "setting_override",
                "app": "gqlstock",
                "unique_together": (("scope", "owner_id"),),
                "pk_attr": "id",
                "table_description": "The values set at one place. ``owner_id`` is the id of the level, item, category, … that the place is.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Warehouse",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("code", fields.CharField(unique=True, max_length=255)),
                ("name", fields.CharField(max_length=500)),
                (
                    "address",
                    fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads),
                ),
                ("latitude", fields.FloatField(null=True)),
                ("longitude", fields.FloatField(null=True)),
                ("active", fields.BooleanField(default=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                ("updated_at", fields.DatetimeField(auto_now=True, auto_now_add=False)),
            ],
            options={"table": "warehouse", "app": "gqlstock", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Item",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "product",
                    fields.ForeignKeyField(
                        "gqlstock.Item",
                        source_field="product_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="combinations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("sku", fields.CharField(max_length=255)),
                ("name", fields.CharField(max_length=1000)),
                ("barcode", fields.CharField(null=True, max_length=255)),
                (
                    "own_images",
                    fields.JSONField(
                        default=list, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("deleted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("slug", fields.CharField(null=True, max_length=255)),
                ("description", fields.TextField(null=True, unique=False)),
                (
                    "category",
                    fields.ForeignKeyField(
                        "gqlstock.Category",
                        source_field="category_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="products",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "tracking",
                    fields.CharEnumField(
                        default=InventoryTracking.TRACK_WITHOUT_OPTIONS,
                        description="DO_NOT_TRACK: DO_NOT_TRACK\nTRACK_WITHOUT_OPTIONS: TRACK_WITHOUT_OPTIONS\nTRACK_WITH_OPTIONS: TRACK_WITH_OPTIONS",
                        enum_type=InventoryTracking,
                        max_length=30,
                    ),
                ),
                ("published", fields.BooleanField(default=True)),
                (
                    "inventory_status",
                    fields.CharEnumField(
                        default=InventoryStatus.IN_STOCK,
                        description="IN_STOCK: IN_STOCK\nOUT_OF_STOCK: OUT_OF_STOCK\nDISCONTINUED: DISCONTINUED",
                        enum_type=InventoryStatus,
                        max_length=20,
                    ),
                ),
                (
                    "shipping_origin",
                    fields.ForeignKeyField(
                        "gqlstock.Warehouse",
                        source_field="shipping_origin_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="origin_of",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "stored_options",
                    fields.JSONField(
                        default=list, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads
                    ),
                ),
                ("own_code", fields.CharField(null=True, max_length=255)),
                (
                    "choice",
                    fields.JSONField(
                        default=dict, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads
                    ),
                ),
                ("choice_digest", fields.CharField(null=True, max_length=64)),
            ],
            options={
                "table": "item",
                "app": "gqlstock",
                "indexes": [
                    Index(fields=["product_id", "id"]),
                    Index(fields=["category_id", "id"]),
                    Index(fields=["name", "id"]),
                    Index(fields=["updated_at", "id"]),
                    Index(fields=["barcode"]),
                ],
                "pk_attr": "id",
                "table_description": "A product, or one combination of a product's inventory options: then ``product`` is that product.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InventoryLevel",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "item",
                    fields.ForeignKeyField(
                        "gqlstock.Item",
                        source_field="item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="levels",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "warehouse",
                    fields.ForeignKeyField(
                        "gqlstock.Warehouse",
                        source_field="warehouse_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="levels",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("on_hand", QuantityField(default=Decimal("0"))),
                ("reserved", QuantityField(default=Decimal("0"))),
                ("planned", QuantityField(default=Decimal("0"))),
                ("held", QuantityField(default=Decimal("0"))),
                ("backordered", QuantityField(default=Decimal("0"))),
                ("incoming", QuantityField(default=Decimal("0"))),
                ("available", QuantityField(default=Decimal("0"))),
                ("counted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("deleted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "inventory_level",
                "app": "gqlstock",
                "unique_together": (("item_id", "warehouse_id"),),
                "indexes": [
                    Index(fields=["warehouse_id", "id"]),
                    Index(fields=["available", "id"]),
                    Index(fields=["updated_at", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "One item in one warehouse. Only ``record`` writes its figures. ``available`` is theirs, kept to sort by.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LowInventoryAlert",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "item",
                    fields.ForeignKeyField(
                        "gqlstock.Item",
                        source_field="item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="alerts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "warehouse",
                    fields.ForeignKeyField(
                        "gqlstock.Warehouse",
                        source_field="warehouse_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="alerts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("sku", fields.CharField(max_length=255)),
                ("name", fields.CharField(max_length=1000)),
                ("code", fields.CharField(max_length=255)),
                ("quantity_left", QuantityField()),
                ("threshold", QuantityField()),
                (
                    "state",
                    fields.CharEnumField(
                        description="RAISED: RAISED\nRESOLVED: RESOLVED", enum_type=AlertState, max_length=20
                    ),
                ),
                ("raised_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("acknowledged_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("acknowledged_by", fields.CharField(null=True, max_length=255)),
                ("resolved_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "low_inventory_alert",
                "app": "gqlstock",
                "indexes": [Index(fields=["state", "id"]), Index(fields=["item_id", "id"])],
                "pk_attr": "id",
                "table_description": "One fall of an item below its threshold: over all active warehouses, or in the one that is named.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StockAnnouncement",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "level",
                    fields.ForeignKeyField(
                        "gqlstock.InventoryLevel",
                        source_field="level_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="announcements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("quantity", QuantityField()),
                ("received", QuantityField(default=Decimal("0"))),
                ("expected_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reference", fields.CharField(null=True, max_length=255)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("withdrawn_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "stock_announcement",
                "app": "gqlstock",
                "indexes": [Index(fields=["level_id", "id"])],
                "pk_attr": "id",
                "table_description": "So many units that are to come to a level. The level's ``incoming`` sums what is still to come.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StockMovement",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "level",
                    fields.ForeignKeyField(
                        "gqlstock.InventoryLevel",
                        source_field="level_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="movements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="ADJUSTMENT: ADJUSTMENT\nCOUNT: COUNT\nRECEIPT: RECEIPT\nSALE: SALE\nSHIPMENT: SHIPMENT\nCANCELLATION: CANCELLATION\nRETURN: RETURN\nTRANSFER_OUT: TRANSFER_OUT\nTRANSFER_IN: TRANSFER_IN\nIMPORT: IMPORT",
                        enum_type=MovementKind,
                        max_length=20,
                    ),
                ),
                ("quantity", QuantityField()),
                ("on_hand_after", QuantityField()),
                ("reason", fields.CharField(null=True, max_length=1000)),
                ("reference", fields.CharField(null=True, max_length=255)),
                ("actor", fields.CharField(max_length=255)),
                ("order_id", fields.BigIntField(null=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "stock_movement",
                "app": "gqlstock",
                "indexes": [
                    Index(fields=["level_id", "id"]),
                    Index(fields=["order_id", "id"]),
                    Index(fields=["created_at", "id"]),
                    Index(fields=["reference"]),
                ],
                "pk_attr": "id",
                "table_description": "One line of the ledger, never edited or removed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Website",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("code", fields.CharField(unique=True, max_length=255)),
                ("name", fields.CharField(max_length=500)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "gqlstock.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="websites",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={"table": "website", "app": "gqlstock", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Assignment",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "website",
                    fields.ForeignKeyField(
                        "gqlstock.Website",
                        source_field="website_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="assignments",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "gqlstock.Organization",
                        source_field="organization_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="assignments",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "warehouse",
                    fields.ForeignKeyField(
                        "gqlstock.Warehouse",
                        source_field="warehouse_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="assignments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("priority", fields.IntField()),
            ],
            options={
                "table": "assignment",
                "app": "gqlstock",
                "unique_together": (("website_id", "warehouse_id"), ("organization_id", "warehouse_id")),
                "pk_attr": "id",
                "table_description": "A warehouse that a website sells from, or that an organization's websites without any of their own do.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Order",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "website",
                    fields.ForeignKeyField(
                        "gqlstock.Website",
                        source_field="website_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="orders",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        description="PLACED: PLACED\nBACKORDERED: BACKORDERED\nPARTIALLY_SHIPPED: PARTIALLY_SHIPPED\nSHIPPED: SHIPPED\nCANCELED: CANCELED",
                        enum_type=OrderStatus,
                        max_length=20,
                    ),
                ),
                ("customer_email", fields.CharField(null=True, max_length=254)),
                ("reference", fields.CharField(null=True, max_length=255)),
                ("placed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("canceled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "customer_order",
                "app": "gqlstock",
                "indexes": [
                    Index(fields=["placed_at", "id"]),
                    Index(fields=["updated_at", "id"]),
                    Index(fields=["status", "placed_at"]),
                    Index(fields=["customer_email"]),
                    Index(fields=["reference"]),
                ],
                "pk_attr": "id",
                "table_description": "An order. People know it by a number that is made from its id.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OrderLine",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "gqlstock.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "item",
                    fields.ForeignKeyField(
                        "gqlstock.Item",
                        source_field="item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="order_lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("sku", fields.CharField(max_length=255)),
                ("name", fields.CharField(max_length=1000)),
                ("code", fields.CharField(max_length=255)),
                (
                    "selected_options",
                    fields.JSONField(
                        default=dict, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads
                    ),
                ),
                ("quantity", QuantityField()),
                ("canceled", QuantityField(default=Decimal("0"))),
                (
                    "decrement",
                    fields.CharEnumField(
                        description="ON_ORDER: ON_ORDER\nON_SHIPMENT: ON_SHIPMENT\nNEVER: NEVER",
                        enum_type=InventoryDecrement,
                        max_length=20,
                    ),
                ),
                ("message", fields.CharField(null=True, max_length=255)),
            ],
            options={
                "table": "order_line",
                "app": "gqlstock",
                "indexes": [
                    Index(fields=["order_id", "id"]),
                    Index(fields=["item_id", "order_id"]),
                    Index(fields=["sku"]),
                ],
                "pk_attr": "id",
                "table_description": "What was ordered, as it was then. ``item`` is what was asked for, be its product what has the units.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Shipment",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "gqlstock.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="shipments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "warehouse",
                    fields.ForeignKeyField(
                        "gqlstock.Warehouse",
                        source_field="warehouse_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="shipments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "state",
                    fields.CharEnumField(
                        description="PENDING: PENDING\nREADY: READY\nSHIPPED: SHIPPED\nCANCELED: CANCELED",
                        enum_type=ShipmentState,
                        max_length=20,
                    ),
                ),
                ("tracking_number", fields.CharField(null=True, max_length=255)),
                ("carrier", fields.CharField(null=True, max_length=255)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("shipped_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "shipment",
                "app": "gqlstock",
                "indexes": [
                    Index(fields=["order_id", "id"]),
                    Index(fields=["warehouse_id", "state"]),
                    Index(fields=["created_at", "id"]),
                    Index(fields=["updated_at", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "Units of one order that leave one warehouse together. People know it by a number that is made from its id.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Allocation",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "line",
                    fields.ForeignKeyField(
                        "gqlstock.OrderLine",
                        source_field="line_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="allocations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "warehouse",
                    fields.ForeignKeyField(
                        "gqlstock.Warehouse",
                        source_field="warehouse_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="allocations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "level",
                    fields.ForeignKeyField(
                        "gqlstock.InventoryLevel",
                        source_field="level_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="allocations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "shipment",
                    fields.ForeignKeyField(
                        "gqlstock.Shipment",
                        source_field="shipment_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="allocations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("position", fields.IntField(default=0)),
                ("quantity", QuantityField()),
                (
                    "state",
                    fields.CharEnumField(
                        description="ON_HAND: ON_HAND\nBACKORDERED: BACKORDERED\nSHIPPED: SHIPPED\nRETURNED: RETURNED\nCANCELED: CANCELED",
                        enum_type=AllocationState,
                        max_length=20,
                    ),
                ),
                ("changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "allocation",
                "app": "gqlstock",
                "indexes": [
                    Index(fields=["line_id", "id"]),
                    Index(fields=["level_id", "state"]),
                    Index(fields=["warehouse_id", "state"]),
                    Index(fields=["shipment_id"]),
                ],
                "pk_attr": "id",
                "table_description": "So many units of a line, from one warehouse, in one state. ``level`` is null where nothing is counted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StockHold",
            fields=[
                ("id", fields.BigIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                (
                    "website",
                    fields.ForeignKeyField(
                        "gqlstock.Website",
                        source_field="website_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="holds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "state",
                    fields.CharEnumField(
                        default=StockHoldState.ACTIVE,
                        description="ACTIVE: ACTIVE\nORDERED: ORDERED\nRELEASED: RELEASED\nEXPIRED: EXPIRED",
                        enum_type=StockHoldState,
                        max_length=20,
                    ),
                ),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "stock_hold",
                "app": "gqlstock",
                "indexes": [Index(fields=["state", "expires_at"])],
                "pk_attr": "id",
                "table_description": "Stock kept for a cart until ``expires_at``, or until it is ordered or released.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="HeldUnits",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "hold",
                    fields.ForeignKeyField(
                        "gqlstock.StockHold",
                        source_field="hold_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="units",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "level",
                    fields.ForeignKeyField(
                        "gqlstock.InventoryLevel",
                        source_field="level_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="held_units",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("quantity", QuantityField()),
            ],
            options={
                "table": "held_units",
                "app": "gqlstock",
                "indexes": [Index(fields=["hold_id", "id"]), Index(fields=["level_id"])],
                "pk_attr": "id",
                "table_description": "So many units of a level that a hold keeps, in the order of its plan.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StockHoldLine",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "hold",
                    fields.ForeignKeyField(
                        "gqlstock.StockHold",
                        source_field="hold_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "item",
                    fields.ForeignKeyField(
                        "gqlstock.Item",
                        source_field="item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="hold_lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("sku", fields.CharField(max_length=255)),
                ("quantity", QuantityField()),
                (
                    "selected_options",
                    fields.JSONField(
                        default=dict, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads
                    ),
                ),
            ],
            options={
                "table": "stock_hold_line",
                "app": "gqlstock",
                "indexes": [Index(fields=["hold_id", "id"])],
                "pk_attr": "id",
                "table_description": "What was asked for.",
            },
            bases=["Model"],
        ),
        # Unique among rows in use. These are SQL because Tortoise creates partial indexes only on PostgreSQL.
        ops.RunSQL("CREATE UNIQUE INDEX item_sku_unique ON item (sku) WHERE deleted_at IS NULL"),
        ops.RunSQL("CREATE UNIQUE INDEX item_slug_unique ON item (slug) WHERE deleted_at IS NULL"),
        ops.RunSQL(
            "CREATE UNIQUE INDEX item_choice_unique ON item (product_id, choice_digest) WHERE deleted_at IS NULL"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX alert_open_item ON low_inventory_alert (item_id) "
            "WHERE state = 'RAISED' AND warehouse_id IS NULL"
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX alert_open_level ON low_inventory_alert (item_id, warehouse_id) WHERE state = 'RAISED'"
        ),
    ]
