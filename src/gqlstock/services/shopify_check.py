"""Checks a Shopify export against the catalog, without locks and writes.

``shopify_import`` checks again what it writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gqlstock.formats import shopify
from gqlstock.formats.shopify import Product, Variant
from gqlstock.rules import catalog as rules
from gqlstock.rules import combinations as combination_rules
from gqlstock.rules import counting, quantities, refusals
from gqlstock.rules.catalog import Item
from gqlstock.rules.fallback import SettingsLookup
from gqlstock.rules.import_rows import Faults
from gqlstock.rules.refusals import Code
from gqlstock.services import catalog, delete_items
from gqlstock.store import catalog as rows
from gqlstock.store import categories as category_rows
from gqlstock.store import levels, settings, warehouses
from gqlstock.store.db import clock
from gqlstock.store.spool import Products


async def check(given: Sequence[Product], file: Products, warehouse_id: int, faults: Faults) -> None:
    """Check products of a file against the catalog. SKUs of other items are noted in ``file``."""
    ids = await rows.product_ids_by_slug([product.handle for product in given])
    known = await rows.items(ids.values())
    combinations = await rows.combinations(ids.values())
    taken = await rows.ids_by_sku({one.sku for product in given for one in product.variants if one.sku is not None})
    checked = []
    for product in given:
        item = known.get(ids.get(product.handle, 0))
        one = _Stored(product, item, combinations[item.id] if item is not None else [])
        checked.append(one)
        with faults.at(product.line):
            await _check_change(one, file)
        _check_skus(one, taken, file)
    await _check_quantities(checked, warehouse_id, faults)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A product of the file with its stored item and its combinations in use."""

    product: Product
    item: Item | None
    combinations: Sequence[Item]

    def item_of(self, variant: Variant) -> Item | None:
        """The stored item of a variant."""
        if not variant.choice:
            return self.item
        digest = rules.digest(dict(variant.choice))
        return next((one for one in self.combinations if one.choice_digest == digest), None)


def sku_taken(line: int, sku: str, faults: Faults) -> None:
    """Report a SKU of the file that another item has."""
    faults.add(line, f"There is an item {refusals.shown(sku)} already.", Code.ALREADY_EXISTS)


async def _check_change(one: _Stored, file: Products) -> None:
    """Refuse options and tracking that the product cannot get: combinations with stock would be deleted."""
    product, item = one.product, one.item
    if item is None:
        return
    rules.images(product.images)
    unfit: list[Item] = []
    if product.options:
        options = rules.options(shopify.merged_options(item.options, product.options))
        unfit = [
            combination for combination in one.combinations if not combination_rules.fits(combination.choice, options)
        ]
    file.free(combination.id for combination in unfit)
    if not unfit and product.tracking is item.tracking:
        return
    stored, _ = await levels.of_items({item.id, *(found.id for found in one.combinations)}, clock.now())
    in_use = [level for level in stored if level.deleted_at is None]
    changed = replace(item, tracking=product.tracking)
    await delete_items.check_unused(unfit, in_use)
    await catalog.check_tracking(item.tracking, changed, one.combinations, in_use)


def _check_skus(one: _Stored, taken: Mapping[str, int], file: Products) -> None:
    for variant in one.product.variants:
        if variant.sku is None:
            continue
        own, owner = one.item_of(variant), taken.get(variant.sku)
        if owner is not None and (own is None or owner != own.id):
            file.clash([(variant.line, variant.sku, owner)])
        if own is not None and own.sku != variant.sku:
            file.free([own.id])


async def _check_quantities(given: Sequence["_Stored"], warehouse_id: int, faults: Faults) -> None:
    """Refuse parts of a unit for items that count only whole units."""
    fractional = [
        (one, variant) for one in given for variant in one.product.variants if _is_fractional(variant.quantity)
    ]
    if not fractional:
        return
    categories = {
        type_: await category_rows.category(rules.slug_from(type_))
        for type_ in {one.product.type for one, _ in fractional}
        if type_
    }
    category_ids = {type_: category.id for type_, category in categories.items() if category is not None}
    # The items with the categories that the file gives them.
    items = {
        one.item.id: replace(one.item, category_id=category_ids.get(one.product.type or "", one.item.category_id))
        for one, _ in fractional
        if one.item is not None
    }
    items |= {combination.id: combination for one, _ in fractional for combination in one.combinations}
    network, fallback = await warehouses.network(), await settings.fallback(items.values(), category_ids.values())
    lookup, channel = SettingsLookup(items, network, fallback), network.selling_from({warehouse_id})
    stored, _ = await levels.of_items(items, clock.now())
    for one, variant in fractional:
        own = one.item_of(variant)
        if own is not None:
            here = [level for level in stored if (level.item_id, level.warehouse_id) == (own.id, warehouse_id)]
            effective = lookup.settings(items[own.id], channel, here)
        else:
            product = items[one.item.id] if one.item is not None else None
            effective = fallback.settings(product, channel, category_id=category_ids.get(one.product.type or ""))
        assert variant.quantity is not None
        sku = variant.sku or (own.sku if own else shopify.made_sku(one.product.handle, dict(variant.choice), ()))
        with faults.at(variant.line):
            counting.check_parts(variant.quantity, sku, effective)


def _is_fractional(quantity: Decimal | None) -> bool:
    return quantity is not None and not quantities.is_whole(counting.counted_of(quantity))
