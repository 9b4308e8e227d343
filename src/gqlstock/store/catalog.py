"""Products and combinations. A product and a combination are both items: one table, so that SKUs are unique
over both and everything that is counted or ordered points at one kind of thing."""

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from tortoise import fields
from tortoise.expressions import Q, RawSQL, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import catalog as rules
from gqlstock.rules import skus as spelling
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking
from gqlstock.store.categories import Category
from gqlstock.store.db import sql, writing
from gqlstock.store.db.fields import FoldedField, SkuField, to_units
from gqlstock.store.db.records import records

# A statement takes 32,767 values on PostgreSQL.
_READ_AT_ONCE = 5_000


class Item(Model):
    """A product, or one combination of a product's inventory options: then ``product`` is that product.

    A combination has its product's category and status too, so that one index finds both (see ``follow``). Among the
    items in use a SKU, a slug and a product's choice are unique, and items are searched by an index where PostgreSQL
    has pg_trgm (in the migrations: Tortoise has no such indexes).
    """

    id = fields.BigIntField(primary_key=True)
    product: fields.ForeignKeyNullableRelation["Item"] = fields.ForeignKeyField(
        "gqlstock.Item", related_name="combinations", null=True, on_delete=fields.RESTRICT
    )
    product_id: int | None
    sku = SkuField(max_length=255)
    name = fields.CharField(max_length=1000)
    barcode = fields.CharField(max_length=255, null=True)
    own_images: fields.Field[list[dict[str, Any]]] = fields.JSONField(default=list)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)

    # Of a product; category and status of its combinations too.
    slug = fields.CharField(max_length=255, null=True)
    description: fields.Field[str | None] = fields.TextField(null=True)  # type: ignore[assignment]
    category: fields.ForeignKeyNullableRelation[Category] = fields.ForeignKeyField(
        "gqlstock.Category", related_name="products", null=True, on_delete=fields.RESTRICT
    )
    category_id: int | None
    tracking = fields.CharEnumField(InventoryTracking, max_length=30, default=InventoryTracking.TRACK_WITHOUT_OPTIONS)
    published = fields.BooleanField(default=True)
    inventory_status = fields.CharEnumField(InventoryStatus, max_length=20, default=InventoryStatus.IN_STOCK)
    shipping_origin: fields.ForeignKeyNullableRelation[Any] = fields.ForeignKeyField(
        "gqlstock.Warehouse", related_name="origin_of", null=True, on_delete=fields.RESTRICT
    )
    shipping_origin_id: int | None
    stored_options: fields.Field[list[dict[str, Any]]] = fields.JSONField(default=list)

    # Of a combination.
    own_code = fields.CharField(max_length=255, null=True)
    choice: fields.Field[dict[str, str]] = fields.JSONField(default=dict)
    choice_digest = fields.CharField(max_length=64, null=True)

    folded_sku = FoldedField(of=("sku",))
    folded = FoldedField(of=("name", "own_code", "barcode"))

    class Meta:
        table = "item"
        indexes = (
            ("product_id", "id"),
            ("category_id", "id"),
            ("name", "id"),
            ("sku", "id"),
            ("updated_at", "id"),
            ("barcode",),
            ("inventory_status", "id"),
            ("published", "id"),
        )


async def _items_where(condition: str, *values: Any) -> list[rules.Item]:
    return await records(rules.Item, f"SELECT {{columns}} FROM item WHERE {condition}", *values)


async def items_in_use(ids: Collection[int]) -> dict[int, rules.Item]:
    """Items by id without those that were deleted."""
    return {item_id: item for item_id, item in (await items(ids)).items() if item.deleted_at is None}


async def items(ids: Collection[int]) -> dict[int, rules.Item]:
    """Items by id, deleted ones as well, however many they are."""
    wanted = list(ids)
    found: dict[int, rules.Item] = {}
    for start in range(0, len(wanted), _READ_AT_ONCE):
        part = wanted[start : start + _READ_AT_ONCE]
        found |= {item.id: item for item in await _items_where(f"id IN ({sql.slots(part)})", *part)}
    return found


async def by_sku(skus: Collection[str]) -> dict[str, rules.Item]:
    """Items in use by SKU as it was asked for, in whatever spelling; products and combinations alike."""
    if not skus:
        return {}
    spelled = {sku: spelling.normalized(sku) for sku in skus}
    wanted = set(spelled.values())
    rows = await _items_where(f"sku IN ({sql.slots(wanted)}) AND deleted_at IS NULL", *wanted)
    found = {item.sku: item for item in rows}
    return {sku: found[stored] for sku, stored in spelled.items() if stored in found}


async def product(*, sku: str | None = None, slug: str | None = None) -> rules.Item | None:
    """A product in use by SKU or by slug."""
    column, value = ("sku", spelling.normalized(sku)) if sku is not None else ("slug", slug)
    found = await _items_where(f"{column} = ? AND product_id IS NULL AND deleted_at IS NULL", value)
    return found[0] if found else None


async def combinations(product_ids: Collection[int]) -> dict[int, list[rules.Item]]:
    """The combinations in use of each product, oldest first."""
    found: dict[int, list[rules.Item]] = {product_id: [] for product_id in product_ids}
    if found:
        below = f"product_id IN ({sql.slots(found)}) AND deleted_at IS NULL ORDER BY id"
        for item in await _items_where(below, *found):
            assert item.product_id is not None
            found[item.product_id].append(item)
    return found


async def with_products(found: Iterable[rules.Item]) -> dict[int, rules.Item]:
    """The given items and the products of those that are combinations, by id."""
    known = {item.id: item for item in found}
    return known | await items({i.product_id for i in known.values() if i.product_id is not None} - known.keys())


def live_products() -> QuerySet[Item]:
    return Item.filter(product_id=None, deleted_at=None)


def live_items() -> QuerySet[Item]:
    return Item.filter(deleted_at=None)


async def lock(ids: Collection[int]) -> dict[int, rules.Item]:
    """Lock items against every other transaction that changes them or their stock, in the order of their ids.

    Gives them as they are under the lock.
    """
    locked = Item.filter(id__in=sorted(ids)).order_by("id").select_for_update(no_key=True)
    return {item.id: item for item in await records(rules.Item, locked)}


async def insert(made: Sequence[rules.Item]) -> list[rules.Item]:
    """Write new items and give them as they are stored."""
    ids = await writing.insert(Item, made)
    return [dataclasses.replace(item, id=item_id) for item, item_id in zip(made, ids, strict=True)]


async def update(before: rules.Item, after: rules.Item) -> None:
    """Write what changed of an item that is locked."""
    await writing.update(Item, [(before, after)])


async def skus_starting_with(start: str) -> set[str]:
    """The SKUs in use that begin like that."""
    return set(await live_items().filter(sku__startswith=start).values_list("sku", flat=True))  # type: ignore[arg-type]


async def slugs_starting_with(start: str, besides: int | None) -> set[str]:
    """The slugs of other products in use that begin like that."""
    found = await live_products().filter(slug__startswith=start).values_list("id", "slug")
    return {slug for item_id, slug in found if item_id != besides and slug is not None}


async def retire(items: Collection[rules.Item], at: datetime) -> None:
    """Take items out of use."""
    if items:
        await Item.filter(id__in=[item.id for item in items]).update(deleted_at=at, updated_at=at)


async def follow(product: rules.Item) -> None:
    """Write a product's category and status to its combinations, those out of use as well."""
    await Item.filter(product_id=product.id).update(
        category_id=product.category_id, inventory_status=product.inventory_status
    )


async def rewrite(combinations: Sequence[rules.Item]) -> None:
    """Write the names and choices of combinations, which may change places with each other."""
    if not combinations:
        return
    # First none has a choice any more: two of them never have the same one in between.
    await Item.filter(id__in=[combination.id for combination in combinations]).update(choice_digest=None)
    columns = ("name", "folded", "choice", "choice_digest", "updated_at")
    await sql.update(Item, columns, writing.stored(Item, combinations, [*columns, "id"]))


async def of_product(sku: str, column: str) -> Q:
    """Rows of the product of that SKU and of its combinations; ``column`` names their item."""
    found = await product(sku=sku)
    if found is None:
        return _is(f"{column}__in", [])
    both = Item.filter(Q(id=found.id) | Q(product_id=found.id))
    return _is(f"{column}__in", Subquery(both.values("id")))


def in_categories(ids: Collection[int], prefix: str = "") -> Q:
    """Rows of products in these categories, and of their combinations."""
    return _is(f"{prefix}category_id__in", list(ids))


def with_status(statuses: Collection[InventoryStatus], prefix: str = "") -> Q:
    """Rows of products whose status set by hand is one of these, and of their combinations."""
    return _is(f"{prefix}inventory_status__in", list(statuses))


def _is(lookup: str, value: Any) -> Q:
    return Q(**{lookup: value})


async def has_products(category_id: int) -> bool:
    """Whether a category has products in use of its own."""
    return await Item.exists(category_id=category_id, deleted_at=None)


async def leave_category(category_id: int) -> None:
    """Take what is left in a category out of it."""
    await Item.filter(category_id=category_id).update(category_id=None)


def _total_available(within: Collection[int] | None) -> str:
    of_these = "" if within is None else f"AND w.id IN ({', '.join(map(str, sorted(within))) or 'NULL'})"
    total = f"""SELECT CAST(SUM(l.available) AS BIGINT) FROM inventory_level l
        JOIN warehouse w ON w.id = l.warehouse_id AND w.active {of_these} JOIN item c ON c.id = l.item_id
        WHERE l.deleted_at IS NULL AND"""
    # What a product tracked with options has is what its combinations have.
    return f"""COALESCE(CASE
        WHEN "item"."product_id" IS NULL AND "item"."tracking" = '{InventoryTracking.TRACK_WITH_OPTIONS}'
        THEN ({total} c.product_id = "item"."id" AND c.deleted_at IS NULL)
        ELSE ({total} c.id = "item"."id")
    END, 0)"""


def with_total_available(items: QuerySet[Item], within: Collection[int] | None = None) -> QuerySet[Item]:
    """The items with ``total_available``: what they and their combinations have, in stored units.

    That is in active warehouses; ``within``: among these alone.
    """
    return items.annotate(total_available=RawSQL(_total_available(within)))


def available_below(items: QuerySet[Item], quantity: Decimal) -> QuerySet[Item]:
    """Those of ``with_total_available`` that have less."""
    return items.filter(total_available__lt=to_units(quantity))


async def ids_by_sku(skus: Collection[str]) -> dict[str, int]:
    """The ids of the items in use that have these SKUs, which are normalized, however many they are."""
    return await _ids("sku", skus, "deleted_at IS NULL")


async def product_ids_by_slug(slugs: Collection[str]) -> dict[str, int]:
    """The ids of the products in use that have these slugs, however many they are."""
    return await _ids("slug", slugs, "deleted_at IS NULL AND product_id IS NULL")


async def _ids(column: str, values: Collection[str], condition: str) -> dict[str, int]:
    wanted = list(values)
    found: dict[str, int] = {}
    for start in range(0, len(wanted), _READ_AT_ONCE):
        part = wanted[start : start + _READ_AT_ONCE]
        slots = ", ".join("?" * len(part))
        rows = await sql.query(f"SELECT id, {column} FROM item WHERE {column} IN ({slots}) AND {condition}", *part)
        found |= {row[column]: row["id"] for row in rows}
    return found


async def combination_ids(product_ids: Collection[int]) -> list[int]:
    """The ids of the combinations in use of these products, however many they are."""
    wanted, found = list(product_ids), []
    for start in range(0, len(wanted), _READ_AT_ONCE):
        part = wanted[start : start + _READ_AT_ONCE]
        slots = ", ".join("?" * len(part))
        rows = await sql.query(f"SELECT id FROM item WHERE product_id IN ({slots}) AND deleted_at IS NULL", *part)
        found += [row["id"] for row in rows]
    return found


async def skus_after(sku: str, limit: int) -> list[tuple[int, str]]:
    """The next items in use by SKU, as (id, sku)."""
    rows = await sql.query(
        "SELECT id, sku FROM item WHERE sku > ? AND deleted_at IS NULL ORDER BY sku LIMIT ?", sku, limit
    )
    return [(row["id"], row["sku"]) for row in rows]
