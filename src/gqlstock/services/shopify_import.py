"""Writes a Shopify export to the catalog: products, combinations, categories, settings.

``shopify_check`` checks it before; ``count_levels`` writes its counts.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gqlstock.formats import shopify
from gqlstock.formats.shopify import Product, Variant
from gqlstock.rules import catalog as rules
from gqlstock.rules import combinations as combination_rules
from gqlstock.rules import refusals
from gqlstock.rules.catalog import Choice, Image, Item
from gqlstock.rules.categories import Category
from gqlstock.rules.events import items_changed
from gqlstock.rules.fallback import Key
from gqlstock.rules.import_rows import Faults
from gqlstock.rules.refusals import Code
from gqlstock.rules.settings import BackorderMode, SettingScope
from gqlstock.services import catalog, categories, combinations
from gqlstock.store import catalog as rows
from gqlstock.store import categories as category_rows
from gqlstock.store import commands, outbox, settings
from gqlstock.store.db import clock, transactions
from gqlstock.store.spool import Products

Written = list[tuple[Variant, int]]
"""Variants with the ids of their items."""


class ShopifyImport:
    """The import of an export, one transaction for each part."""

    def __init__(self, given: Products) -> None:
        self.products_made = self.products_changed = self.combinations_made = 0
        self.faults = Faults()
        """The products that became wrong after the check, which were not written."""
        self._given = given

    async def write(self, products: Sequence[Product]) -> Written:
        """Write products, combinations and their settings in one transaction.

        Where one product is refused, each gets a transaction of its own.
        """
        try:
            part, written = await transactions.run(lambda: self._write(products))
        except _Refused as refused:
            if len(products) > 1:
                return [one for product in products for one in await self.write([product])]
            self.faults.merge(refused.faults)
            return []
        self.products_made += part.products_made
        self.products_changed += part.products_changed
        self.combinations_made += part.combinations_made
        return written

    async def _write(self, products: Sequence[Product]) -> "tuple[_Part, Written]":
        part = _Part(self._given)
        written = await part.write(products)
        if part.faults.count:
            raise _Refused(part.faults)
        return part, [(variant, item.id) for variant, item in written]


class _Refused(Exception):
    """The faults of a part; its transaction is rolled back."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        super().__init__("; ".join(refusal.message for refusal in faults.reported))


class _Part:
    """One attempt to write some products in one transaction."""

    def __init__(self, given: Products) -> None:
        self.products_made = self.products_changed = self.combinations_made = 0
        self.faults = Faults()
        self._skus = given
        """Contains the SKUs of the file."""
        self._categories: dict[str, Category] = {}

    async def write(self, given: Sequence[Product]) -> list[tuple[Variant, Item]]:
        """Write products, combinations and their settings. Returns the item of each variant.

        Stops writing after the first fault.
        """
        await _lock(given)
        products = await self._products(given)
        items = await self._items(products) if not self.faults.count else []
        if self.faults.count:
            return []
        await _set_settings(items)
        return items

    async def _products(self, given: Sequence[Product]) -> list[tuple[Product, Item]]:
        ids = await rows.product_ids_by_slug([product.handle for product in given])
        known = await rows.items(ids.values())
        for product in given:
            if product.handle in ids:
                with self.faults.at(product.line):
                    await self._update_product(product, known[ids[product.handle]])
        created = await self._create_products([product for product in given if product.handle not in ids])
        if self.faults.count:
            return []
        known = await rows.items(known)
        return [(product, created.get(product.handle) or known[ids[product.handle]]) for product in given]

    async def _update_product(self, given: Product, item: Item) -> None:
        values: dict[str, Any] = {
            "name": given.title,
            "description": given.description or item.description,
            "published": given.published,
            "images": given.images or item.images,
            "tracking": given.tracking,
        }
        if given.options:
            values["options"] = shopify.merged_options(item.options, given.options)
        else:
            values["barcode"] = given.variants[0].barcode or item.barcode
            values["sku"] = given.variants[0].sku or item.sku
        changes = {name: value for name, value in values.items() if getattr(item, name) != value}
        category = await self._category(given.type)
        if category is not None and category.id != item.category_id:
            changes["category"] = category.slug
        if "sku" in changes:
            changes["new_sku"] = changes.pop("sku")
        if changes:
            await catalog.change_product(item.sku, changes)
            self.products_changed += 1

    async def _create_products(self, given: Sequence[Product]) -> dict[str, Item]:
        at = clock.now()
        skus = await self._free_skus(
            [(p.handle, {}, None if p.options else p.variants[0].sku, p.variants[0].line) for p in given]
        )
        new = []
        for product, sku in zip(given, skus, strict=True):
            category = await self._category(product.type)
            new.append(
                replace(
                    rules.new_product(sku, product.title, at),
                    slug=product.handle,
                    description=product.description,
                    barcode=None if product.options else product.variants[0].barcode,
                    own_images=rules.stored_images(product.images),
                    category_id=category.id if category else None,
                    tracking=product.tracking,
                    published=product.published,
                    stored_options=rules.stored_options(product.options),
                )
            )
        created = await self._insert(new)
        self.products_made += len(created)
        return {product.handle: item for product, item in zip(given, created, strict=False)}

    async def _insert(self, new: Sequence[Item]) -> list[Item]:
        """Write new items; none after a fault."""
        if self.faults.count:
            return []
        created = await rows.insert(new)
        await outbox.add(items_changed([item.id for item in created]))
        return created

    async def _items(self, products: Sequence[tuple[Product, Item]]) -> list[tuple[Variant, Item]]:
        """The item of each variant. Creates missing combinations."""
        found: list[tuple[Variant, Item]] = []
        missing: list[tuple[Variant, Item]] = []
        known = await rows.combinations([item.id for product, item in products if product.options])
        for product, item in products:
            members = {combination.choice_digest: combination for combination in known.get(item.id, ())}
            for variant in product.variants:
                combination = members.get(rules.digest(dict(variant.choice)))
                if not variant.choice:
                    found.append((variant, item))
                elif combination is None:
                    missing.append((variant, item))
                else:
                    with self.faults.at(variant.line):
                        await self._update_combination(variant, combination)
                    found.append((variant, combination))
        return sorted([*found, *await self._create_combinations(missing)], key=lambda pair: pair[0].line)

    async def _update_combination(self, variant: Variant, item: Item) -> None:
        values = {
            "sku": variant.sku or item.sku,
            "barcode": variant.barcode or item.barcode,
            "images": _pictures(variant) or item.images,
        }
        changes = {name: value for name, value in values.items() if getattr(item, name) != value}
        if "sku" in changes:
            changes["new_sku"] = changes.pop("sku")
        if changes:
            await combinations.update(item.sku, changes)

    async def _create_combinations(self, missing: Sequence[tuple[Variant, Item]]) -> list[tuple[Variant, Item]]:
        at = clock.now()
        skus = await self._free_skus([(p.slug or p.sku, dict(v.choice), v.sku, v.line) for v, p in missing])
        new = [
            replace(
                combination_rules.new(product, dict(variant.choice), sku, at),
                barcode=variant.barcode,
                own_images=rules.stored_images(_pictures(variant)),
            )
            for (variant, product), sku in zip(missing, skus, strict=True)
        ]
        created = await self._insert(new)
        self.combinations_made += len(created)
        return [(variant, item) for (variant, _), item in zip(missing, created, strict=False)]

    async def _free_skus(self, wanted: Sequence[tuple[str, Choice, str | None, int]]) -> list[str]:
        """A SKU for each new item of (handle, choice, given SKU, line). A given SKU must be free."""
        given = {sku for _, _, sku, _ in wanted if sku is not None}
        taken = await rows.ids_by_sku(given)
        for _, _, sku, line in wanted:
            if sku in taken:
                self.faults.add(line, f"There is an item {refusals.shown(sku or '')} already.", Code.ALREADY_EXISTS)
        used: set[str] = set()
        while True:
            made = self._made_skus(wanted, used)
            clashing = await rows.ids_by_sku(set(made) - given)
            if not clashing:
                return made
            used |= clashing.keys()

    def _made_skus(self, wanted: Sequence[tuple[str, Choice, str | None, int]], used: Collection[str]) -> list[str]:
        taken = _Taken(set(used), self._skus)
        made = []
        for handle, choice, sku, _ in wanted:
            made.append(sku or shopify.made_sku(handle, choice, taken))
            taken.here.add(made[-1])
        return made

    async def _category(self, type_: str | None) -> Category | None:
        """The category of a Type, created if it is missing."""
        if type_ is None:
            return None
        slug = rules.slug_from(type_)
        if slug not in self._categories:
            if await category_rows.category(slug) is None:
                await categories.create(slug, type_)
            found = await category_rows.category(slug)
            assert found is not None
            self._categories[slug] = found
        return self._categories[slug]


@dataclass(frozen=True, slots=True)
class _Taken:
    """The SKUs of the file and those generated so far. Stored SKUs are checked afterwards, together."""

    here: set[str]
    given: Products

    def __contains__(self, sku: object) -> bool:
        return sku in self.here or sku in self.given


async def _lock(given: Sequence[Product]) -> None:
    """Lock stored products in the order of ids, because they are changed in the order of the file."""
    ids = (await rows.product_ids_by_slug([product.handle for product in given])).values()
    await commands.lock_items([*ids, *await rows.combination_ids(ids)], waiting=True)


async def _set_settings(items: Sequence[tuple[Variant, Item]]) -> None:
    """Set manageStock and backorders at items where they differ from the file."""
    own = await settings.own_values([_place(item) for _, item in items])
    changes = {_place(item): _settings(variant, own.get(_place(item), {})) for variant, item in items}
    await settings.change_many({key: values for key, values in changes.items() if values})


def _place(item: Item) -> Key:
    return (SettingScope.PRODUCT if item.is_product else SettingScope.COMBINATION), item.id


def _settings(variant: Variant, own: dict[str, Any]) -> dict[str, Any]:
    """The settings of an item that change: by an empty tracker and ``continue``, or None where the file resets them."""
    changes: dict[str, Any] = {}
    if variant.counted and own.get("manage_stock") is False:
        changes["manage_stock"] = None
    if not variant.counted and own.get("manage_stock") is not False:
        changes["manage_stock"] = False
    takes = own.get("backorders") not in (None, BackorderMode.NO_BACKORDERS)
    if variant.takes_backorders is not None and variant.takes_backorders != takes:
        changes["backorders"] = BackorderMode.ALLOW if variant.takes_backorders else None
    return changes


def _pictures(variant: Variant) -> tuple[Image, ...]:
    return (variant.image,) if variant.image else ()
