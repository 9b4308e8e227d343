"""The table of items: products and combinations. One table makes SKUs unique across both, and gives levels and order lines
one type of row to refer to."""

import dataclasses
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.expressions import Q, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

from gqlstock.rules import catalog as rules
from gqlstock.rules import skus as spelling
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking
from gqlstock.store.categories import Category
from gqlstock.store.db import sql, writing
from gqlstock.store.db.fields import FoldedField, SkuField
from gqlstock.store.db.records import by_id, records, where

# PostgreSQL accepts at most 32,767 parameters per statement.
_IDS_PER_STATEMENT = 5_000
# SQLite nests at most 1,000 conditions.
_STARTS_PER_STATEMENT = 500


class Item(Model):
    """A product, or one combination of a product's inventory options: then ``product`` is that product.

    A combination also has its product's category and status, so one index finds both. SKUs, slugs and a product's
    choices are unique among items in use. If PostgreSQL has pg_trgm, searches use an index. Migrations create these
    indexes, because Tortoise cannot declare them.
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

    # Fields of a product; its combinations share category and status.
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

    # Fields of a combination.
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


async def items_in_use(ids: Collection[int]) -> dict[int, rules.Item]:
    """Items in use by id."""
    return {item_id: item for item_id, item in (await items(ids)).items() if item.deleted_at is None}


async def items(ids: Collection[int]) -> dict[int, rules.Item]:
    """Items by id, including deleted ones. Any number of ids."""
    found: dict[int, rules.Item] = {}
    for part in sql.parts(ids, _IDS_PER_STATEMENT):
        found |= await by_id(rules.Item, part)
    return found


async def by_sku(skus: Collection[str]) -> dict[str, rules.Item]:
    """Items in use, products and combinations, by the requested SKUs. The lookup normalizes them."""
    if not skus:
        return {}
    normalized_skus = {sku: spelling.normalized(sku) for sku in skus}
    stored_skus = set(normalized_skus.values())
    rows = await where(rules.Item, f"sku IN ({sql.slots(stored_skus)}) AND deleted_at IS NULL", *stored_skus)
    found = {item.sku: item for item in rows}
    return {sku: found[stored] for sku, stored in normalized_skus.items() if stored in found}


async def product(*, sku: str | None = None, slug: str | None = None) -> rules.Item | None:
    """A product in use by SKU or by slug."""
    column, value = ("sku", spelling.normalized(sku)) if sku is not None else ("slug", slug)
    found = await where(rules.Item, f"{column} = ? AND product_id IS NULL AND deleted_at IS NULL", value)
    return found[0] if found else None


async def combinations(product_ids: Collection[int]) -> dict[int, list[rules.Item]]:
    """The combinations in use of each product, oldest first."""
    found: dict[int, list[rules.Item]] = {product_id: [] for product_id in product_ids}
    if found:
        below = f"product_id IN ({sql.slots(found)}) AND deleted_at IS NULL ORDER BY id"
        for item in await where(rules.Item, below, *found):
            assert item.product_id is not None
            found[item.product_id].append(item)
    return found


async def counted_combinations(items: Iterable[rules.Item]) -> dict[int, list[rules.Item]]:
    """The combinations in use of the products tracked with options among these items, oldest first."""
    return await combinations(
        [item.id for item in items if item.is_product and rules.counts_combinations(item.tracking)]
    )


async def with_products(found: Iterable[rules.Item]) -> dict[int, rules.Item]:
    """These items and the products of the combinations among them, by id."""
    known = {item.id: item for item in found}
    return known | await items({i.product_id for i in known.values() if i.product_id is not None} - known.keys())


def live_products() -> QuerySet[Item]:
    return Item.filter(product_id=None, deleted_at=None)


def live_items() -> QuerySet[Item]:
    return Item.filter(deleted_at=None)


async def lock(ids: Collection[int]) -> dict[int, rules.Item]:
    """Lock items in id order and read them under the lock. Any number of ids."""
    locked: dict[int, rules.Item] = {}
    for part in sql.parts(sorted(ids), _IDS_PER_STATEMENT):
        rows = Item.filter(id__in=part).order_by("id").select_for_update(no_key=True)
        locked |= {item.id: item for item in await records(rules.Item, rows)}
    return locked


async def insert(new: Sequence[rules.Item]) -> list[rules.Item]:
    """Insert new items. Returns them with their ids."""
    ids = await writing.insert(Item, new)
    return [dataclasses.replace(item, id=item_id) for item, item_id in zip(new, ids, strict=True)]


async def update(pairs: Sequence[tuple[rules.Item, rules.Item]]) -> None:
    """Write the changed fields of locked items, given before and after. Usually with one statement.

    Combinations may swap their choices. An item may take the SKU or the slug that an earlier one of the list had.
    """
    swapped = [after.id for before, after in pairs if before.choice_digest != after.choice_digest]
    # Clear the digests first: they must be unique after each statement.
    for part in sql.parts(swapped, _IDS_PER_STATEMENT):
        await Item.filter(id__in=part).update(choice_digest=None)
    for independent in _without_successors(pairs):
        await writing.update_together(Item, independent)


def _without_successors(pairs: Sequence[tuple[rules.Item, rules.Item]]) -> list[list[tuple[rules.Item, rules.Item]]]:
    """The pairs in parts: no item takes a SKU or a slug that another one of its part had before."""
    parts: list[list[tuple[rules.Item, rules.Item]]] = [[]]
    freed: set[tuple[str, str | None]] = set()
    for before, after in pairs:
        had = {("sku", before.sku), ("slug", before.slug)}
        takes = {("sku", after.sku), ("slug", after.slug)} - had - {("slug", None)}
        if not freed.isdisjoint(takes):
            parts.append([])
            freed = set()
        parts[-1].append((before, after))
        freed |= had
    return parts


async def skus_starting_with(starts: Collection[str]) -> set[str]:
    """The SKUs in use with one of these prefixes."""
    return set(await _starting_with("sku", starts, "deleted_at IS NULL"))


async def slugs_starting_with(starts: Collection[str]) -> dict[str, int]:
    """The products in use with one of these prefixes in their slugs, by slug."""
    return await _starting_with("slug", starts, "deleted_at IS NULL AND product_id IS NULL")


async def _starting_with(column: str, starts: Collection[str], condition: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in sql.parts(starts, _STARTS_PER_STATEMENT):
        matching = " OR ".join([f"{column} LIKE ? ESCAPE '!'"] * len(part))
        rows = await sql.query(
            f"SELECT id, {column} FROM item WHERE ({matching}) AND {condition}", *(f"{_escaped(one)}%" for one in part)
        )
        found |= {row[column]: row["id"] for row in rows}
    return found


def _escaped(text: str) -> str:
    """A text for LIKE with its wildcards escaped."""
    return re.sub("[!%_]", r"!\g<0>", text)


async def retire(items: Collection[rules.Item], at: datetime) -> None:
    """Mark items as deleted. Any number of items."""
    for part in sql.parts((item.id for item in items), _IDS_PER_STATEMENT):
        await Item.filter(id__in=part).update(deleted_at=at, updated_at=at)


async def update_combinations(product_ids: Collection[int]) -> None:
    """Write the categories and statuses of products to their combinations, including deleted ones."""
    own = "(SELECT p.{0} FROM item p WHERE p.id = item.product_id)"
    assigned = ", ".join(f"{name} = {own.format(name)}" for name in ("category_id", "inventory_status"))
    for part in sql.parts(product_ids, _IDS_PER_STATEMENT):
        await sql.execute(f"UPDATE item SET {assigned} WHERE product_id IN ({sql.slots(part)})", *part)


async def of_product(sku: str, column: str) -> Q:
    """A filter for rows of a product and its combinations, by the product's SKU. ``column``: the foreign key to the item."""
    found = await product(sku=sku)
    if found is None:
        return _is(f"{column}__in", [])
    both = Item.filter(Q(id=found.id) | Q(product_id=found.id))
    return _is(f"{column}__in", Subquery(both.values("id")))


async def with_skus(skus: Collection[str]) -> Q:
    """A filter for rows with one of these SKUs, either stored in the row or now on its item."""
    found = await by_sku(skus)
    return Q(_is("sku__in", list(skus)), _is("item_id__in", [item.id for item in found.values()]), join_type=Q.OR)


def in_categories(ids: Collection[int], prefix: str = "") -> Q:
    """A filter for rows of products in these categories, and of their combinations."""
    return _is(f"{prefix}category_id__in", list(ids))


def with_status(statuses: Collection[InventoryStatus], prefix: str = "") -> Q:
    """A filter for rows of products with one of these manually set statuses, and of their combinations."""
    return _is(f"{prefix}inventory_status__in", list(statuses))


def _is(lookup: str, value: Any) -> Q:
    return Q(**{lookup: value})


async def has_products(category_id: int) -> bool:
    """Whether a category itself has products in use."""
    return await Item.exists(category_id=category_id, deleted_at=None)


async def leave_category(category_id: int) -> list[int]:
    """Remove the remaining products, which are all deleted, from a category. Returns their ids."""
    rows = await sql.execute(
        "UPDATE item SET category_id = NULL WHERE category_id = ? RETURNING COALESCE(product_id, id) AS product",
        category_id,
    )
    return sorted({row["product"] for row in rows})


async def ids_by_sku(skus: Collection[str]) -> dict[str, int]:
    """The ids of items in use by normalized SKU. Any number of SKUs."""
    return await _ids("sku", skus, "deleted_at IS NULL")


async def product_ids_by_slug(slugs: Collection[str]) -> dict[str, int]:
    """The ids of products in use by slug. Any number of slugs."""
    return await _ids("slug", slugs, "deleted_at IS NULL AND product_id IS NULL")


async def _ids(column: str, values: Collection[str], condition: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in sql.parts(values, _IDS_PER_STATEMENT):
        matching = f"{column} IN ({sql.slots(part)}) AND {condition}"
        rows = await sql.query(f"SELECT id, {column} FROM item WHERE {matching}", *part)
        found |= {row[column]: row["id"] for row in rows}
    return found


async def combination_ids(product_ids: Collection[int]) -> list[int]:
    """The ids of the combinations in use of these products. Any number of products."""
    found: list[int] = []
    for part in sql.parts(product_ids, _IDS_PER_STATEMENT):
        matching = f"product_id IN ({sql.slots(part)}) AND deleted_at IS NULL"
        rows = await sql.query(f"SELECT id FROM item WHERE {matching}", *part)
        found += [row["id"] for row in rows]
    return found


async def skus_after(sku: str, limit: int) -> list[tuple[int, str]]:
    """The next items in use by SKU, as (id, sku)."""
    rows = await sql.query(
        "SELECT id, sku FROM item WHERE sku > ? AND deleted_at IS NULL ORDER BY sku LIMIT ?", sku, limit
    )
    return [(row["id"], row["sku"]) for row in rows]
