"""Checks the products of a file against the catalog, without locks or writes, and reports what an import would do.

``import_products`` repeats the checks when it writes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gqlstock.formats import records
from gqlstock.formats.records import Counted, Identity, Product
from gqlstock.rules import counting, fallback, item_use, quantities
from gqlstock.rules.catalog import Item
from gqlstock.rules.fallback import Fallback, Place
from gqlstock.rules.import_report import Kind, Remark, RemarkKind, Report, Tally
from gqlstock.rules.import_rows import Faults
from gqlstock.rules.network import SalesChannel
from gqlstock.rules.settings import SettingScope
from gqlstock.services import delete_items, import_plan, import_products, import_skus
from gqlstock.services.count_levels import Owed
from gqlstock.services.import_categories import CategoryTree
from gqlstock.services.import_counts import owed
from gqlstock.services.import_plan import Places, ProductPlan, VariantPlan
from gqlstock.services.import_products import MADE_SKUS
from gqlstock.services.import_skus import WantedSku
from gqlstock.stock import present
from gqlstock.store import catalog as rows
from gqlstock.store import counts as count_rows
from gqlstock.store.spool import Products


class ProductCheck:
    """The check of one file's products. ``report``, if given, receives what an import would do."""

    def __init__(self, file: Products, places: Places, faults: Faults, report: Report | None) -> None:
        self.categories = CategoryTree()
        self._file = file
        self._places = places
        self._faults = faults
        self._report = report

    async def check(self, products: Sequence[Product]) -> None:
        """Check products of the file against the catalog. Records SKUs that belong to other items in the spool."""
        plans = await import_plan.plan(products, self._places, self.categories.find_id)
        taken = await rows.ids_by_sku({sku for product in products for sku, _ in product.given_skus()})
        for one in plans:
            with self._faults.at(one.product.line):
                await _check_change(one, self._file)
            self._check_skus(one, taken)
        await self._check_settings(plans)
        if self._report is not None:
            await self._foresee(products, plans, self._report)

    def _check_skus(self, one: ProductPlan, taken: Mapping[str, int]) -> None:
        of_product = (one.item, one.product.sku, one.product.line)
        for item, sku, line in [of_product, *((p.item, p.variant.sku, p.variant.line) for p in one.variants)]:
            if sku is None:
                continue
            owner = taken.get(sku)
            if owner is not None and (item is None or owner != item.id):
                self._file.clash([(line, sku, owner)])
            if item is not None and item.sku != sku:
                self._file.free([item.id])

    async def _check_settings(self, plans: Sequence[ProductPlan]) -> None:
        """Refuse settings that are invalid, alone or combined with inherited ones, and fractions of whole-unit items."""
        due = [one for one in plans if _says_settings(one) or any(_is_fractional(count) for _, count in one.counts())]
        if not due:
            return
        network = await present.network()
        above: dict[tuple[str, ...], Fallback] = {}
        for one in due:
            path = one.product.category
            category_id = await self._category_id(one)
            if path not in above or not path:
                above[path] = (await present.settings_of_categories([category_id]))[category_id]
            self._check_own(one, above[path], network.find(None))
            for plan, count in one.counts():
                if _is_fractional(count):
                    channel = network.selling_from({self._places[count.warehouse].id})
                    self._check_parts(one, plan, count, above[path].places(None, channel))

    async def _category_id(self, one: ProductPlan) -> int | None:
        """The category whose settings apply to the product after the import."""
        if one.product.category:
            return await self.categories.nearest_id(one.product.category)
        return one.item.category_id if one.item else None

    def _check_own(self, one: ProductPlan, above: Fallback, channel: SalesChannel | None) -> None:
        weaker = above.places(None, channel)
        for plan, own in [(None, one.own), *((plan, plan.own) for plan in one.variants)]:
            if not own.changes:
                continue
            place = Place(SettingScope.COMBINATION if plan else SettingScope.PRODUCT, None, own.values)
            of_product = [Place(SettingScope.PRODUCT, None, one.own.after), *weaker]
            with self._faults.at(plan.variant.line if plan else one.product.line):
                others = of_product if plan else weaker
                fallback.changed(place, own.changes, others, counted_in_parts=own.counted_in_parts)

    def _check_parts(self, one: ProductPlan, plan: VariantPlan | None, count: Counted, weaker: list[Place]) -> None:
        """Refuse fractional quantities of items that are counted in whole units."""
        own = plan.own if plan else one.own
        if own.counted_in_parts:
            return
        with self._faults.at(count.line):
            on_hand = counting.counted_of(count.on_hand)
            counting.check_parts(on_hand, _sku(one, plan), fallback.resolve(_places(one, plan, weaker)))

    async def _foresee(self, products: Sequence[Product], plans: Sequence[ProductPlan], report: Report) -> None:
        """Report what an import would do."""
        for one in plans:
            report[Kind.PRODUCTS].add(_tally(one.item, changed=bool(one.changes or one.own.changes)))
            for plan in one.variants:
                report[Kind.COMBINATIONS].add(_tally(plan.item, changed=bool(plan.changes or plan.own.changes)))
            for remark in import_products.lost_counts(one):
                report.add(remark)
        for wanted in (list(_new_products(plans)), list(_new_combinations(plans))):
            for one_wanted, sku in zip(wanted, await import_skus.free(wanted, self._file), strict=True):
                if one_wanted.given is None:
                    self._file.put_made(sku)
                    report.add(Remark(RemarkKind.MADE_UP, MADE_SKUS, one_wanted.line, sku))
        slugs = await import_plan.taken_slugs(products)
        for one in plans:
            product = one.product
            is_taken = product.slug in slugs or not self._file.is_first_with_slug(product.slug or "", product.line)
            if one.item is None and product.slug and product.identity is Identity.SKU and is_taken:
                report.add(import_products.made_slug(product))
        await self._foresee_counts(plans, report)

    async def _foresee_counts(self, plans: Sequence[ProductPlan], report: Report) -> None:
        items = {item.id for one in plans for item in (one.item, *(plan.item for plan in one.variants)) if item}
        known = await count_rows.on_hand_of(items) if items else {}
        for one in plans:
            for plan, count in one.counts():
                item = plan.item if plan else one.item
                level = known.get((item.id, self._places[count.warehouse].id)) if item else None
                is_current = level in (count.on_hand, counting.counted_of(count.on_hand))
                report[Kind.LEVELS].add(Tally(changed=int(not is_current), unchanged=int(is_current)))
                if count.on_hand < 0 and level != count.on_hand:
                    owed(report, Owed(count.line, _sku(one, plan), count.on_hand))


def _tally(item: Item | None, *, changed: bool) -> Tally:
    if item is None:
        return Tally(made=1)
    return Tally(changed=int(changed), unchanged=int(not changed))


def _new_products(plans: Sequence[ProductPlan]) -> Iterator[WantedSku]:
    for one in plans:
        if one.item is None:
            yield WantedSku(one.product.line, one.product.sku_stem, {}, one.product.sku)


def _new_combinations(plans: Sequence[ProductPlan]) -> Iterator[WantedSku]:
    for one in plans:
        for plan in one.variants:
            if plan.item is None:
                yield WantedSku(plan.variant.line, one.product.sku_stem, dict(plan.variant.choice), plan.variant.sku)


async def _check_change(one: ProductPlan, file: Products) -> None:
    """Refuse options and tracking that would delete combinations with stock."""
    item = one.item
    file.free(combination.id for combination in one.unfit)
    if item is None or (not one.unfit and one.tracking is item.tracking):
        return
    losing = item_use.losing_stock(item.tracking, replace(item, tracking=one.tracking), one.stored)
    used = await delete_items.use({found.id for found in (*one.unfit, *losing)})
    used.check_unused(one.unfit)
    used.check_unused(losing, "tracking")


def _says_settings(one: ProductPlan) -> bool:
    return bool(one.own.changes or any(plan.own.changes for plan in one.variants))


def _places(one: ProductPlan, plan: VariantPlan | None, weaker: list[Place]) -> list[Place]:
    """The settings scopes of an item after the import, highest precedence first."""
    of_product = [Place(SettingScope.PRODUCT, None, one.own.after), *weaker]
    return [Place(SettingScope.COMBINATION, None, plan.own.after), *of_product] if plan else of_product


def _sku(one: ProductPlan, plan: VariantPlan | None) -> str:
    """The SKU of an item, for messages."""
    item, given = (plan.item, plan.variant.sku) if plan else (one.item, one.product.sku)
    if given or item:
        return given or (item.sku if item else "")
    return records.made_sku(one.product.sku_stem, dict(plan.variant.choice) if plan else {}, ())


def _is_fractional(count: Counted) -> bool:
    return not quantities.is_whole(counting.counted_of(count.on_hand))
