"""Writes products of a file to the catalog: products, combinations, categories, settings.

``import_check`` checks them before; ``import_counts`` writes their counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gqlstock.formats.records import Counted, Identity, Product, Variant
from gqlstock.rules.catalog import Item
from gqlstock.rules.catalog_edits import CatalogEdits
from gqlstock.rules.catalog_rows import Changes
from gqlstock.rules.import_report import Kind, Remark, RemarkKind, Report, Tally
from gqlstock.rules.import_rows import Faults, Files
from gqlstock.services import edit_catalog, import_plan, import_skus
from gqlstock.services.edit_catalog import CatalogNames, Edited
from gqlstock.services.import_categories import CategoryTree
from gqlstock.services.import_plan import OwnSettings, Places, ProductPlan
from gqlstock.services.import_skus import WantedSku
from gqlstock.store import catalog as rows
from gqlstock.store import commands
from gqlstock.store.db import transactions
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
        """The products that became invalid after the check and were not written."""
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
        part = _Part(self._file, self._places, self.categories, self._report.files)
        await part.write(products)
        return part


class _Refused(Exception):
    """The faults of a part; its transaction is rolled back."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        super().__init__("; ".join(refusal.message for refusal in faults.reported))


@dataclass(slots=True)
class _Part:
    """One attempt to write some products in one transaction. Nothing is written where any has a fault."""

    file: Products
    places: Places
    categories: CategoryTree
    files: Files
    tallies: dict[Kind, Tally] = field(default_factory=lambda: {Kind.PRODUCTS: Tally(), Kind.COMBINATIONS: Tally()})
    remarks: list[Remark] = field(default_factory=list)
    counts: list[ItemCount] = field(default_factory=list)

    async def write(self, given: Sequence[Product]) -> None:
        """Write products, combinations and their settings."""
        await _lock(given)
        plans = await import_plan.plan(given, self.places, self.categories.make_id)
        rows = [await self._row(one) for one in plans]
        await self._make_skus(rows)
        _, edited = await edit_catalog.run(_names(rows), lambda edits: self._decide(rows, edits))
        for row in rows:
            self._collect(row, edited)

    async def _row(self, one: ProductPlan) -> "_Row":
        """A planned product with its changes, which name its category by the slug."""
        category = one.product.category if one.item is None else one.changes.get("category")
        slug = (await self.categories.make(category)).slug if category else None
        if one.item is not None:
            return _Row(one, {**one.changes, **({"category": slug} if category else {})})
        return _Row(one, self._new_product(one.product, slug))

    def _new_product(self, product: Product, category: str | None) -> Changes:
        origin = self.places[product.shipping_origin].code if product.shipping_origin is not None else None
        return {
            "name": product.name,
            # The slug of a product that is found by its SKU steps aside for other products.
            "slug": product.slug if product.identity is Identity.SLUG else None,
            "description": product.description,
            "barcode": product.barcode,
            "images": product.images,
            "category": category,
            "tracking": product.new_tracking,
            "published": product.published,
            "inventory_status": product.inventory_status,
            "shipping_origin": origin,
            "options": product.options,
        }

    async def _make_skus(self, rows: Sequence["_Row"]) -> None:
        """Give new items the SKUs that the file does not give them."""
        products = [row for row in rows if row.plan.item is None]
        variants = [(row, number) for row in rows for number, one in enumerate(row.plan.variants) if one.item is None]
        wanted = [WantedSku(p.line, p.sku_stem, {}, p.sku) for p in (row.plan.product for row in products)]
        for row, number in variants:
            variant = row.plan.variants[number].variant
            wanted.append(WantedSku(variant.line, row.plan.product.sku_stem, dict(variant.choice), variant.sku))
        made = await import_skus.free(wanted, self.file)
        for row, sku in zip(products, made[: len(products)], strict=True):
            row.changes = {**row.changes, "sku": sku, "name": row.changes["name"] or sku}
        for (row, number), sku in zip(variants, made[len(products) :], strict=True):
            row.skus[number] = sku

    def _decide(self, rows: Sequence["_Row"], edits: CatalogEdits) -> None:
        """Decide the edits of all products: stored items first, because new ones may take SKUs that they had."""
        faults = Faults(self.files)
        for row in sorted(rows, key=lambda row: row.plan.item is None):
            with faults.at(row.plan.product.line):
                row.product = row.decide(edits)
        members = [(row, number) for row in rows for number in range(len(row.plan.variants))]
        for row, number in sorted(members, key=lambda one: one[1] in one[0].skus):
            with faults.at(row.plan.variants[number].variant.line):
                row.combinations[number] = row.decide_combination(edits, number)
        for row in rows:
            for line, item, own in row.settings():
                with faults.at(line):
                    edits.change_settings(item, own.changes)
        if faults.count:
            raise _Refused(faults)

    def _collect(self, row: "_Row", edited: Edited) -> None:
        """Report what was done with a product, and keep the counts of what was written."""
        one = row.plan
        assert row.product is not None
        self._tally(Kind.PRODUCTS, one.item, row.product, one.product, changed=bool(one.changes or one.own.changes))
        if one.item is None and one.product.slug not in (None, row.product.slug):
            self.remarks.append(made_slug(one.product))
        for number, plan in enumerate(one.variants):
            changed = bool(plan.changes or plan.own.changes)
            self._tally(Kind.COMBINATIONS, plan.item, row.combinations[number], plan.variant, changed=changed)
        ids = {id(plan): edited.id_of(row.combinations[number]) for number, plan in enumerate(one.variants)}
        product_id = edited.id_of(row.product)
        self.counts += [(ids[id(plan)] if plan is not None else product_id, count) for plan, count in one.counts()]
        self.remarks += lost_counts(one)

    def _tally(self, kind: Kind, before: Item | None, after: Item, of: Product | Variant, *, changed: bool) -> None:
        if before is not None:
            self.tallies[kind].add(Tally(changed=int(changed), unchanged=int(not changed)))
            return
        self.tallies[kind].made += 1
        if of.sku is None:
            self.remarks.append(Remark(RemarkKind.MADE_UP, MADE_SKUS, of.line, after.sku))


@dataclass(slots=True)
class _Row:
    """A planned product, its changes by the names of ``CatalogEdits``, and what the edits made of it."""

    plan: ProductPlan
    changes: Changes
    skus: dict[int, str] = field(default_factory=dict)
    """The SKUs of new combinations by their place in the plan."""
    product: Item | None = None
    combinations: dict[int, Item] = field(default_factory=dict)

    @property
    def slug_from(self) -> str:
        """What the slug of a new product is made from."""
        product = self.plan.product
        return product.slug or product.name or product.wanted_sku

    def decide(self, edits: CatalogEdits) -> Item:
        """Change or create the product."""
        if self.plan.item is None:
            return edits.create_product(self.changes, self.slug_from)
        before = edits.item(self.plan.item.id)
        return edits.change_product(before, self.changes, self.plan.product.choices) if self.changes else before

    def decide_combination(self, edits: CatalogEdits, number: int) -> Item:
        """Change or create a combination of the product."""
        plan = self.plan.variants[number]
        if plan.item is not None:
            return edits.change_combination(edits.item(plan.item.id), plan.changes)
        variant = plan.variant
        own = {"code": variant.code, "barcode": variant.barcode, "images": variant.images}
        assert self.product is not None
        return edits.create_combination(self.product, variant.choice, own, sku=self.skus[number])

    def settings(self) -> Iterator[tuple[int, Item, OwnSettings]]:
        """The items whose settings change, with their lines."""
        if self.product is not None and self.plan.own.changes:
            yield self.plan.product.line, self.product, self.plan.own
        for number, plan in enumerate(self.plan.variants):
            if number in self.combinations and plan.own.changes:
                yield plan.variant.line, self.combinations[number], plan.own


def _names(rows: Sequence[_Row]) -> CatalogNames:
    names = CatalogNames()
    for row in rows:
        item = row.plan.item
        names.add_product(row.changes["sku"] if item is None else item.sku, row.changes, row.slug_from)
        for number, plan in enumerate(row.plan.variants):
            names.add_sku(row.skus.get(number, plan.changes.get("new_sku")))
            names.settings |= bool(plan.own.changes)
        names.settings |= bool(row.plan.own.changes)
    return names


def made_slug(product: Product) -> Remark:
    """The remark about a product whose slug is already in use."""
    return Remark(RemarkKind.MADE_UP, MADE_SLUGS, product.line, product.wanted_sku)


def lost_counts(one: ProductPlan) -> list[Remark]:
    """The remarks about counts of items that hold no stock."""
    sku = one.item.sku if one.item else one.product.wanted_sku
    lost = one.lost_counts()
    return [Remark(RemarkKind.NOT_CARRIED, LOST_COUNTS, c.line, sku, c.on_hand) for c in lost if c.on_hand]


async def _lock(given: Sequence[Product]) -> None:
    """Lock stored products in id order, because they are then changed in file order."""
    ids = [item.id for item in (await import_plan.stored_products(given)).values()]
    await commands.lock_items([*ids, *await rows.combination_ids(ids)], waiting=True)
