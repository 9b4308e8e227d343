"""Whether a Shopify export goes with what is there now. Nothing is locked or written for it; what becomes wrong
meanwhile is found again when it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gqlstock.formats import shopify
from gqlstock.formats.shopify import Product, Variant
from gqlstock.rules import catalog as rules
from gqlstock.rules import combinations as combination_rules
from gqlstock.rules import counting, quantities, refusals
from gqlstock.rules.catalog import Item
from gqlstock.rules.fallback import Lookup
from gqlstock.rules.refusals import Code
from gqlstock.rules.sheet import Faults
from gqlstock.services import catalog, delete_items
from gqlstock.store import catalog as rows
from gqlstock.store import categories as category_rows
from gqlstock.store import levels, settings, warehouses
from gqlstock.store.db import clock
from gqlstock.store.spool import Products


async def check(given: Sequence[Product], file: Products, warehouse_id: int, faults: Faults) -> None:
    """Check some products of a file against the catalog. SKUs that other items have are put aside in ``file``."""
    ids = await rows.product_ids_by_slug([product.handle for product in given])
    known = await rows.items(ids.values())
    combinations = await rows.combinations(ids.values())
    taken = await rows.ids_by_sku({one.sku for product in given for one in product.variants if one.sku is not None})
    found = []
    for product in given:
        item = known.get(ids.get(product.handle, 0))
        one = _Stored(product, item, combinations[item.id] if item is not None else [])
        found.append(one)
        with faults.at(product.line):
            await _check_change(one, file)
        _check_skus(one, taken, file)
    await _check_quantities(found, warehouse_id, faults)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A product of the file with what is there of it: its item, and its combinations in use."""

    product: Product
    item: Item | None
    combinations: Sequence[Item]

    def item_of(self, variant: Variant) -> Item | None:
        """The item that a variant is already."""
        if not variant.choice:
            return self.item
        digest = rules.digest(dict(variant.choice))
        return next((one for one in self.combinations if one.choice_digest == digest), None)


def sku_taken(line: int, sku: str, faults: Faults) -> None:
    """A SKU that the file gives is another item's."""
    faults.add(line, f"There is an item {refusals.shown(sku)} already.", Code.ALREADY_EXISTS)


async def _check_change(one: _Stored, file: Products) -> None:
    """Whether a product can get these options and this tracking; combinations that no longer fit go out of use."""
    product, item = one.product, one.item
    if item is None:
        return
    rules.images(product.images)
    gone: list[Item] = []
    if product.options:
        options = rules.options(shopify.merged_options(item.options, product.options))
        gone = [
            combination for combination in one.combinations if not combination_rules.fits(combination.choice, options)
        ]
    file.free(combination.id for combination in gone)
    if not gone and product.tracking is item.tracking:
        return
    stored, _ = await levels.of_items({item.id, *(found.id for found in one.combinations)}, clock.now())
    in_use = [level for level in stored if level.deleted_at is None]
    changed = replace(item, tracking=product.tracking)
    await delete_items.check_unused(gone, in_use)
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
    """Whether parts of a unit are counted, where the file has any."""
    parted = [(one, variant) for one in given for variant in one.product.variants if _is_parted(variant.quantity)]
    if not parted:
        return
    categories = {
        type_: await category_rows.category(rules.slug_from(type_))
        for type_ in {one.product.type for one, _ in parted}
        if type_
    }
    moved = {type_: category.id for type_, category in categories.items() if category is not None}
    # As the file is going to leave them.
    items = {
        one.item.id: replace(one.item, category_id=moved.get(one.product.type or "", one.item.category_id))
        for one, _ in parted
        if one.item is not None
    }
    items |= {combination.id: combination for one, _ in parted for combination in one.combinations}
    network, fallback = await warehouses.network(), await settings.fallback(items.values(), moved.values())
    found, channel = Lookup(items, network, fallback), network.selling_from({warehouse_id})
    stored, _ = await levels.of_items(items, clock.now())
    for one, variant in parted:
        own = one.item_of(variant)
        if own is not None:
            here = [level for level in stored if (level.item_id, level.warehouse_id) == (own.id, warehouse_id)]
            effective = found.settings(items[own.id], channel, here)
        else:
            product = items[one.item.id] if one.item is not None else None
            effective = fallback.settings(product, channel, category_id=moved.get(one.product.type or ""))
        assert variant.quantity is not None
        sku = variant.sku or (own.sku if own else shopify.made_sku(one.product.handle, dict(variant.choice), ()))
        with faults.at(variant.line):
            counting.check_parts(variant.quantity, sku, effective)


def _is_parted(quantity: Decimal | None) -> bool:
    return quantity is not None and not quantities.is_whole(counting.counted_of(quantity))
