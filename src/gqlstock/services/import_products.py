"""Writes products of a file to the catalog: products, combinations, categories, settings.

``import_check`` checks them before; ``import_counts`` writes their counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from gqlstock.formats.records import Counted, Identity, Product
from gqlstock.rules import catalog as rules
from gqlstock.rules import combinations as combination_rules
from gqlstock.rules.catalog import Item
from gqlstock.rules.events import items_changed
from gqlstock.rules.import_report import Kind, Remark, RemarkKind, Report, Tally
from gqlstock.rules.import_rows import Faults
from gqlstock.services import catalog, combinations, import_plan, import_skus
from gqlstock.services.import_categories import CategoryTree
from gqlstock.services.import_plan import Places, ProductPlan, VariantPlan
from gqlstock.services.import_skus import WantedSku
from gqlstock.store import catalog as rows
from gqlstock.store import commands, outbox, settings
from gqlstock.store.db import clock, transactions
from gqlstock.store.spool import Products

MADE_SKUS = "SKUs missing from the file"
MADE_SLUGS = "slugs, because another product already uses the one in the file"
LOST_COUNTS = "units of items that hold no stock under their product's tracking"

ItemCount = tuple[int, Counted]
"""The id of an item, and a count of it."""


class ProductWriter:
    """Writes the products of one file, one transaction for each part."""

    def __init__(self, file: Products, places: Places, report: Report) -> None:
        self.faults = Faults(report.files)
        """The products that became wrong after the check, which were not written."""
        self.categories = CategoryTree()
        self._file = file
        self._places = places
        self._report = report

    async def write(self, products: Sequence[Product]) -> list[ItemCount]:
        """Write products, combinations and their settings in one transaction. Returns their counts.

        Where one product is refused, each gets a transaction of its own.
        """
        try:
            written = await transactions.run(lambda: self._write(products))
        except _Refused as refused:
            if len(products) > 1:
                return [one for product in products for one in await self.write([product])]
            self.faults.merge(refused.faults)
            return []
        for kind, tally in written.tallies.items():
            self._report[kind].add(tally)
        for remark in written.remarks:
            self._report.add(remark)
        return written.counts

    async def _write(self, products: Sequence[Product]) -> "_Part":
        part = _Part(self._file, self._places, self.categories, Faults(self._report.files))
        await part.write(products)
        if part.faults.count:
            raise _Refused(part.faults)
        return part


class _Refused(Exception):
    """The faults of a part; its transaction is rolled back."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        super().__init__("; ".join(refusal.message for refusal in faults.reported))


@dataclass(slots=True)
class _Part:
    """One attempt to write some products in one transaction. Stops writing after the first fault."""

    file: Products
    places: Places
    categories: CategoryTree
    faults: Faults
    tallies: dict[Kind, Tally] = field(default_factory=lambda: {Kind.PRODUCTS: Tally(), Kind.COMBINATIONS: Tally()})
    remarks: list[Remark] = field(default_factory=list)
    counts: list[ItemCount] = field(default_factory=list)

    async def write(self, given: Sequence[Product]) -> None:
        """Write products, combinations and their settings."""
        await _lock(given)
        plans = await import_plan.plan(given, self.places, self.categories.make_id)
        await self._update_products([one for one in plans if one.item is not None])
        await self._create_products([one for one in plans if one.item is None])
        if self.faults.count:
            return
        variants = [(one, variant) for one in plans for variant in one.variants]
        await self._update_combinations([variant for _, variant in variants if variant.item is not None])
        await self._create_combinations([(one, variant) for one, variant in variants if variant.item is None])
        if self.faults.count:
            return
        await _set_settings(plans)
        self._collect(plans)

    async def _update_products(self, plans: Iterable[ProductPlan]) -> None:
        for one in plans:
            assert one.item is not None
            with self.faults.at(one.product.line):
                if one.changes:
                    await catalog.change_product(one.item.sku, await self._named(one), one.product.choices)
            self._tally(Kind.PRODUCTS, changed=bool(one.changes or one.own.changes))

    async def _named(self, one: ProductPlan) -> dict[str, object]:
        """The changes of a product, with the category's slug."""
        changes = dict(one.changes)
        if "category" in changes:
            changes["category"] = (await self.categories.make(changes["category"])).slug
        return changes

    async def _create_products(self, plans: Sequence[ProductPlan]) -> None:
        at = clock.now()
        wanted = [WantedSku(p.line, p.sku_stem, {}, p.sku) for p in (one.product for one in plans)]
        await import_skus.check_given(wanted, self.faults)
        new = []
        used: set[str] = set()
        for one, sku in zip(plans, await import_skus.free(wanted, self.file), strict=True):
            with self.faults.at(one.product.line):
                slug = await self._slug(one.product, used)
                used.add(slug)
                new.append(self._new_product(one, rules.new_product(sku, one.product.name or sku, at), slug))
        for one, item in zip(plans, await self._insert(new), strict=False):
            one.item = item
            self._made(Kind.PRODUCTS, one.product.line, item, one.product.sku)

    def _new_product(self, one: ProductPlan, new: Item, slug: str) -> Item:
        product = one.product
        origin = self.places[product.shipping_origin].id if product.shipping_origin is not None else None
        return replace(
            new,
            slug=slug,
            description=product.description,
            barcode=product.barcode,
            own_images=rules.stored_images(product.images),
            category_id=one.category_id,
            tracking=product.new_tracking,
            published=new.published if product.published is None else product.published,
            inventory_status=product.inventory_status or new.inventory_status,
            shipping_origin_id=origin,
            stored_options=rules.stored_options(product.options),
        )

    async def _slug(self, product: Product, used: set[str]) -> str:
        """The slug of a new product. Of one that is found by its SKU it steps aside for other products."""
        if product.identity is Identity.SLUG and product.slug:
            return product.slug
        wanted = product.slug or product.name or product.wanted_sku
        stored = await rows.slugs_starting_with(rules.free_slug(wanted, ())[: rules.MAX_GENERATED], besides=None)
        slug = rules.free_slug(wanted, stored | used)
        if product.slug and slug != product.slug:
            self.remarks.append(made_slug(product))
        return slug

    async def _insert(self, new: Sequence[Item]) -> list[Item]:
        """Write new items; none after a fault."""
        if self.faults.count:
            return []
        created = await rows.insert(new)
        await outbox.add(items_changed(created))
        return created

    async def _update_combinations(self, plans: Iterable[VariantPlan]) -> None:
        for one in plans:
            assert one.item is not None
            with self.faults.at(one.variant.line):
                if one.changes:
                    await combinations.update(one.item.sku, one.changes)
            self._tally(Kind.COMBINATIONS, changed=bool(one.changes or one.own.changes))

    async def _create_combinations(self, missing: Sequence[tuple[ProductPlan, VariantPlan]]) -> None:
        at = clock.now()
        found = await rows.items({one.item.id for one, _ in missing if one.item is not None})
        wanted = [
            WantedSku(plan.variant.line, one.product.sku_stem, dict(plan.variant.choice), plan.variant.sku)
            for one, plan in missing
        ]
        await import_skus.check_given(wanted, self.faults)
        new = []
        for (one, plan), sku in zip(missing, await import_skus.free(wanted, self.file), strict=True):
            assert one.item is not None
            variant = plan.variant
            made = combination_rules.new(found[one.item.id], dict(variant.choice), sku, at)
            images = rules.stored_images(variant.images)
            new.append(replace(made, own_code=variant.code, barcode=variant.barcode, own_images=images))
        for (_, plan), item in zip(missing, await self._insert(new), strict=False):
            plan.item = item
            self._made(Kind.COMBINATIONS, plan.variant.line, item, plan.variant.sku)

    def _made(self, kind: Kind, line: int, item: Item, given: str | None) -> None:
        self.tallies[kind].made += 1
        if given is None:
            self.remarks.append(Remark(RemarkKind.MADE_UP, MADE_SKUS, line, item.sku))

    def _tally(self, kind: Kind, *, changed: bool) -> None:
        self.tallies[kind].add(Tally(changed=int(changed), unchanged=int(not changed)))

    def _collect(self, plans: Sequence[ProductPlan]) -> None:
        """Keep the counts of what was written, in the order of items, and report those that have no level."""
        for one in plans:
            for plan, count in one.counts():
                item = plan.item if plan is not None else one.item
                assert item is not None
                self.counts.append((item.id, count))
            assert one.item is not None
            self.remarks += lost_counts(one)


def made_slug(product: Product) -> Remark:
    """The remark about a product that does not get its slug."""
    return Remark(RemarkKind.MADE_UP, MADE_SLUGS, product.line, product.wanted_sku)


def lost_counts(one: ProductPlan) -> list[Remark]:
    """The remarks about counts of a product that it has no levels for."""
    sku = one.item.sku if one.item else one.product.wanted_sku
    lost = one.lost_counts()
    return [Remark(RemarkKind.NOT_CARRIED, LOST_COUNTS, c.line, sku, c.on_hand) for c in lost if c.on_hand]


async def _lock(given: Sequence[Product]) -> None:
    """Lock stored products in the order of ids, because they are changed in the order of the file."""
    ids = [item.id for item in (await import_plan.stored_products(given)).values()]
    await commands.lock_items([*ids, *await rows.combination_ids(ids)], waiting=True)


async def _set_settings(plans: Iterable[ProductPlan]) -> None:
    """Set the settings of products and combinations where they differ from the file."""
    changes = {}
    for one in plans:
        for item, own in [(one.item, one.own), *((plan.item, plan.own) for plan in one.variants)]:
            if item is not None and own.changes:
                changes[import_plan.place_of(item)] = own.changes
    await settings.change_many(changes)
