"""What the records of a file would change of the catalog as it is stored: read, compared, and not written.

``import_check`` refuses what cannot be, without locks; ``import_products`` plans again under its locks, and writes.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gqlstock.formats import records
from gqlstock.formats.records import Counted, Identity, Product, Said, Variant
from gqlstock.rules import catalog as rules
from gqlstock.rules import combinations as combination_rules
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
"""The warehouses as a file names them; with None the one that the command names. Those to be made have no id yet."""

CategoryId = Callable[[tuple[str, ...]], Awaitable[int | None]]
"""Finds the id of the category with a path; None where there is none yet."""


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """The own settings of an item, and how the file changes them; None resets a value."""

    values: Mapping[str, Any]
    changes: Changes
    counted_in_parts: bool = False
    """Whether a level of the item takes parts of a unit."""

    @property
    def after(self) -> Changes:
        """The own settings that it will have."""
        return {name: value for name, value in {**self.values, **self.changes}.items() if value is not None}


@dataclass(slots=True)
class VariantPlan:
    """A combination of a file: its stored item, None where it is new, and what changes of it."""

    variant: Variant
    item: Item | None
    own: OwnSettings
    changes: Changes = field(default_factory=dict)


@dataclass(slots=True)
class ProductPlan:
    """A product of a file: its stored item, None where it is new, and what changes of it.

    ``following``: the stored combinations that stay under its new options, by the digests of their choices then;
    ``unfit``: those that do not.
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
        """How it will be tracked."""
        return self.product.tracking or (self.item.tracking if self.item else self.product.new_tracking)

    def counts(self) -> list[tuple[VariantPlan | None, Counted]]:
        """The counts of levels that it will have; the product's own with None."""
        if self.tracking is InventoryTracking.TRACK_WITHOUT_OPTIONS:
            return [(None, count) for count in self.product.counts]
        if self.tracking is InventoryTracking.TRACK_WITH_OPTIONS:
            return [(plan, count) for plan in self.variants for count in plan.variant.counts]
        return []

    def lost_counts(self) -> list[Counted]:
        """The counts of levels that it will not have."""
        if self.tracking is InventoryTracking.TRACK_WITH_OPTIONS:
            return list(self.product.counts)
        of_combinations = [count for variant in self.product.variants for count in variant.counts]
        if self.tracking is InventoryTracking.TRACK_WITHOUT_OPTIONS:
            return of_combinations
        return [*self.product.counts, *of_combinations]


async def stored_products(given: Sequence[Product]) -> dict[int, Item]:
    """The stored product of each product of a file, by its place in the list."""
    slugs = await rows.product_ids_by_slug([one.slug for one in given if one.identity is Identity.SLUG and one.slug])
    skus = [sku for one in given if one.identity is Identity.SKU for sku in (one.wanted_sku, one.earlier_sku) if sku]
    by_sku = await rows.ids_by_sku(skus)
    ids = [
        slugs.get(one.slug or "")
        if one.identity is Identity.SLUG
        else by_sku.get(one.wanted_sku, by_sku.get(one.earlier_sku or ""))
        for one in given
    ]
    found = await rows.items({one for one in ids if one is not None})
    items = {place: found[one] for place, one in enumerate(ids) if one is not None}
    # The SKU of a combination is no product's: it is refused as taken.
    return {place: item for place, item in items.items() if item.is_product and item.deleted_at is None}


async def plan(given: Sequence[Product], places: Places, category_id: CategoryId) -> list[ProductPlan]:
    """What products of a file change."""
    stored = await stored_products(given)
    combinations = await rows.combinations([item.id for item in stored.values()])
    own = await settings.own([item.id for item in _with_combinations(stored.values(), combinations)])
    slugs = await taken_slugs(given)
    category_ids = {path: await category_id(path) for path in dict.fromkeys(one.category for one in given) if path}
    plans = []
    for number, product in enumerate(given):
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
    values = found.get(place_of(item), {}) if item is not None else {}
    in_parts = any(
        scope is SettingScope.LEVEL and of_level.get("quantity_uses_decimals") for (scope, _), of_level in found.items()
    )
    return OwnSettings(values, records.changed_settings(said, values), in_parts)


async def taken_slugs(given: Iterable[Product]) -> dict[str, int]:
    """The ids of the products that have a slug which the file gives to a product that is found by its SKU."""
    return await rows.product_ids_by_slug([one.slug for one in given if one.slug and one.identity is Identity.SKU])


def _product_changes(one: ProductPlan, item: Item, places: Places, slugs: Mapping[str, int]) -> Changes:
    """The changes of a stored product, by the names of ``catalog.change_product``; the category as its path."""
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
        # A slug that another product has stays its own.
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
    """The changes of a stored combination, by the names of ``combinations.update``."""
    said = {
        "new_sku": (variant.sku, item.sku),
        "code": (variant.code, item.own_code),
        "barcode": (variant.barcode, item.barcode),
        "images": (variant.images or None, item.images),
    }
    return {name: given for name, (given, stored) in said.items() if given is not None and given != stored}


def place_of(item: Item) -> Key:
    """The place of an item's own settings."""
    return (SettingScope.PRODUCT if item.is_product else SettingScope.COMBINATION), item.id
