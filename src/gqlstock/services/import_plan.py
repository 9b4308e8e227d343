"""Compares the records of a file with the stored catalog and plans the changes. Reads only.

``import_check`` refuses invalid plans without locks. ``import_products`` plans again under its locks and writes.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gqlstock.formats import records
from gqlstock.formats.records import Counted, Identity, Product, Said, Variant
from gqlstock.rules import catalog as rules
from gqlstock.rules import combinations as combination_rules
from gqlstock.rules import fallback
from gqlstock.rules.catalog import InventoryTracking, Item
from gqlstock.rules.fallback import Key
from gqlstock.rules.network import Warehouse
from gqlstock.rules.settings import SettingScope
from gqlstock.store import catalog as rows
from gqlstock.store import settings

Changes = dict[str, Any]
Own = Mapping[int, Mapping[Key, Mapping[str, Any]]]
"""The own settings of items and of their levels, by item."""
Places = Mapping[str | None, Warehouse]
"""The warehouses by the names in the file; under None, the one from --warehouse. Those to create have placeholder ids."""

CategoryId = Callable[[tuple[str, ...]], Awaitable[int | None]]
"""Returns the id of the category with a path; None if it does not exist yet."""


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """The own settings of an item, and the changes from the file; None resets a value."""

    values: Mapping[str, Any]
    changes: Changes
    counted_in_parts: bool = False
    """Whether any level of the item allows fractional quantities."""

    @property
    def after(self) -> Changes:
        """The own settings after the import."""
        return {name: value for name, value in {**self.values, **self.changes}.items() if value is not None}


@dataclass(slots=True)
class VariantPlan:
    """A combination of a file, its stored item (None if it is new) and its changes."""

    variant: Variant
    item: Item | None
    own: OwnSettings
    changes: Changes = field(default_factory=dict)


@dataclass(slots=True)
class ProductPlan:
    """A product of a file, its stored item (None if it is new) and its changes.

    ``following``: the stored combinations that the new options keep, by the digests of their new choices. ``unfit``: those
    that the new options drop.
    """

    product: Product
    item: Item | None
    own: OwnSettings
    category_id: int | None = None
    changes: Changes = field(default_factory=dict)
    stored: Sequence[Item] = ()
    following: Mapping[str | None, Item] = field(default_factory=dict)
    unfit: Sequence[Item] = ()
    variants: list[VariantPlan] = field(default_factory=list)

    @property
    def tracking(self) -> InventoryTracking:
        """The tracking after the import."""
        return self.product.tracking or (self.item.tracking if self.item else self.product.new_tracking)

    def counts(self) -> list[tuple[VariantPlan | None, Counted]]:
        """The counts of items that hold stock after the import; the product's own counts are paired with None."""
        if self.tracking is InventoryTracking.TRACK_WITHOUT_OPTIONS:
            return [(None, count) for count in self.product.counts]
        if self.tracking is InventoryTracking.TRACK_WITH_OPTIONS:
            return [(plan, count) for plan in self.variants for count in plan.variant.counts]
        return []

    def lost_counts(self) -> list[Counted]:
        """The counts of items that hold no stock after the import."""
        if self.tracking is InventoryTracking.TRACK_WITH_OPTIONS:
            return list(self.product.counts)
        of_combinations = [count for variant in self.product.variants for count in variant.counts]
        if self.tracking is InventoryTracking.TRACK_WITHOUT_OPTIONS:
            return of_combinations
        return [*self.product.counts, *of_combinations]


async def stored_products(products: Sequence[Product]) -> dict[int, Item]:
    """The stored products that match products of a file, by position in the list."""
    slugs = await rows.product_ids_by_slug([one.slug for one in products if one.identity is Identity.SLUG and one.slug])
    skus = [sku for one in products if one.identity is Identity.SKU for sku in (one.wanted_sku, one.earlier_sku) if sku]
    by_sku = await rows.ids_by_sku(skus)
    ids = [
        slugs.get(one.slug or "")
        if one.identity is Identity.SLUG
        else by_sku.get(one.wanted_sku, by_sku.get(one.earlier_sku or ""))
        for one in products
    ]
    found = await rows.items({item_id for item_id in ids if item_id is not None})
    items = {number: found[item_id] for number, item_id in enumerate(ids) if item_id is not None}
    # A SKU that belongs to a combination does not match a product. The check refuses it as taken.
    return {number: item for number, item in items.items() if item.is_product and item.deleted_at is None}


async def plan(products: Sequence[Product], places: Places, category_id: CategoryId) -> list[ProductPlan]:
    """The changes that products of a file make."""
    stored = await stored_products(products)
    combinations = await rows.combinations([item.id for item in stored.values()])
    own = await settings.own([item.id for item in _with_combinations(stored.values(), combinations)])
    slugs = await taken_slugs(products)
    category_ids = {path: await category_id(path) for path in dict.fromkeys(one.category for one in products) if path}
    plans = []
    for number, product in enumerate(products):
        item = stored.get(number)
        of_product = combinations[item.id] if item else ()
        settings_of_product = _own_settings(item, product.settings, own)
        one = ProductPlan(product, item, settings_of_product, category_ids.get(product.category), stored=of_product)
        if item is not None:
            one.changes = _product_changes(one, item, places, slugs)
            one.following, one.unfit = _following(one)
        one.variants = [_variant_plan(variant, one, own) for variant in product.variants]
        plans.append(one)
    return plans


def _with_combinations(products: Iterable[Item], combinations: Mapping[int, Sequence[Item]]) -> list[Item]:
    return [one for product in products for one in (product, *combinations[product.id])]


def _own_settings(item: Item | None, said: Said, own: Own) -> OwnSettings:
    found = own.get(item.id, {}) if item is not None else {}
    values = found.get(fallback.key_of(item), {}) if item is not None else {}
    in_parts = any(
        scope is SettingScope.LEVEL and of_level.get("quantity_uses_decimals") for (scope, _), of_level in found.items()
    )
    return OwnSettings(values, records.changed_settings(said, values), in_parts)


async def taken_slugs(products: Iterable[Product]) -> dict[str, int]:
    """The ids of stored products, by slug, whose slugs the file gives to products that are identified by SKU."""
    return await rows.product_ids_by_slug([one.slug for one in products if one.slug and one.identity is Identity.SKU])


def _product_changes(one: ProductPlan, item: Item, places: Places, slugs: Mapping[str, int]) -> Changes:
    """The changes of a stored product, as arguments of ``CatalogEdits.change_product``, with the category as a path."""
    product = one.product
    said: dict[str, tuple[Any, Any]] = {
        "name": (product.name, item.name),
        "description": (product.description, item.description),
        "barcode": (product.barcode, item.barcode),
        "published": (product.published, item.published),
        "inventory_status": (product.inventory_status, item.inventory_status),
        "images": (product.images or None, item.images),
        "tracking": (product.tracking, item.tracking),
        "new_sku": (product.sku, item.sku),
        # A slug that another product already uses is not taken over.
        "slug": (product.slug if slugs.get(product.slug or "", item.id) == item.id else None, item.slug),
    }
    changes = {name: given for name, (given, stored) in said.items() if given is not None and given != stored}
    if product.options:
        options = records.merged_options(item.options, product.options)
        changes |= {"options": options} if options != item.options else {}
    if product.category and one.category_id != item.category_id:
        changes["category"] = product.category
    if product.shipping_origin is not None and places[product.shipping_origin].id != item.shipping_origin_id:
        changes["shipping_origin"] = places[product.shipping_origin].code
    return changes


def _following(one: ProductPlan) -> tuple[dict[str | None, Item], list[Item]]:
    if "options" not in one.changes:
        return {found.choice_digest: found for found in one.stored}, []
    stay, unfit = combination_rules.following(one.stored, one.changes["options"], one.product.choices)
    return {rules.digest(choice): found for found, choice in stay}, unfit


def _variant_plan(variant: Variant, of: ProductPlan, own: Own) -> VariantPlan:
    item = of.following.get(rules.digest(dict(variant.choice)))
    one = VariantPlan(variant, item, _own_settings(item, variant.settings, own))
    if item is not None:
        one.changes = _combination_changes(variant, item)
    return one


def _combination_changes(variant: Variant, item: Item) -> Changes:
    """The changes of a stored combination, as arguments of ``CatalogEdits.change_combination``."""
    said = {
        "new_sku": (variant.sku, item.sku),
        "code": (variant.code, item.own_code),
        "barcode": (variant.barcode, item.barcode),
        "images": (variant.images or None, item.images),
    }
    return {name: given for name, (given, stored) in said.items() if given is not None and given != stored}
