"""Reads the rows that edits of the catalog need, under locks, and writes the edits.

The number of statements doesn't depend on the number of items. ``rules.catalog_edits`` decides. Mutations of products and
combinations and imports of files write through this module.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gqlstock.rules import catalog as rules
from gqlstock.rules import fallback, skus
from gqlstock.rules.catalog import Item
from gqlstock.rules.catalog_edits import CatalogEdits
from gqlstock.rules.catalog_rows import CatalogRows, Changes
from gqlstock.rules.events import ItemChange, items_changed
from gqlstock.rules.refusals import Refused
from gqlstock.rules.settings import SettingScope
from gqlstock.services import delete_items
from gqlstock.stock import present
from gqlstock.store import catalog, categories, outbox, reassessments, settings, warehouses
from gqlstock.store.db import clock, connection, transactions

T = TypeVar("T")


@dataclass(slots=True)
class CatalogNames:
    """The rows that edits name. They are read and locked before the edits are decided."""

    products: set[str] = field(default_factory=set)
    """The normalized SKUs of products that are created or, with their combinations, changed."""
    combinations: set[str] = field(default_factory=set)
    """The normalized SKUs of combinations that are changed without their products."""
    others: set[str] = field(default_factory=set)
    """Further normalized SKUs that items will get."""
    generated: set[str] = field(default_factory=set)
    """The prefixes of generated SKUs."""
    slugs: set[str] = field(default_factory=set)
    slugs_from: dict[str, str | None] = field(default_factory=dict)
    """The SKUs of products that get a generated slug, with the name it is derived from; None: the stored name."""
    new_slugs_from: dict[str, str | None] = field(default_factory=dict)
    """As ``slugs_from``, but only for new products."""
    categories: set[str] = field(default_factory=set)
    warehouses: set[str] = field(default_factory=set)
    settings: bool = False
    """Whether settings are changed."""

    def add_product(self, sku: str, changes: Changes, slug_from: str | None = None) -> None:
        """Add a product and the rows that its changes name. A generated slug derives from ``slug_from``, else the name."""
        self.products.add(skus.normalized(sku))
        self.add_sku(changes.get("new_sku"))
        if changes.get("slug") is not None:
            self.slugs.add(changes["slug"].strip())
        else:
            generated = self.slugs_from if "slug" in changes else self.new_slugs_from
            generated[skus.normalized(sku)] = slug_from or changes.get("name")
        self.categories |= {changes["category"]} if changes.get("category") is not None else set()
        self.warehouses |= {changes["shipping_origin"]} if changes.get("shipping_origin") is not None else set()

    def add_combination(self, sku: str, changes: Changes) -> None:
        """Add a combination that is changed without its product."""
        self.combinations.add(skus.normalized(sku))
        self.add_sku(changes.get("new_sku"))

    def add_sku(self, sku: str | None) -> None:
        """Add a SKU that an item will get."""
        if sku is not None:
            self.others.add(skus.normalized(sku))


@dataclass(frozen=True, slots=True)
class Edited:
    """Written edits. ``reassessed``: the products whose alerts may change; reassess them after the commit."""

    ids: Mapping[int, int]
    reassessed: list[int]
    is_empty: bool

    def id_of(self, item: Item) -> int:
        """The stored id of an item, which may be new."""
        return self.ids.get(item.id, item.id)


async def run(names: CatalogNames, decide: Callable[[CatalogEdits], T]) -> tuple[T, Edited]:
    """Decide edits under locks and write them, in the running transaction. If ``decide`` refuses, nothing is written.

    ``decide`` may be called more than once and must have no effects other than its edits.
    """
    rows = await _read(names)
    while True:
        edits, decided = CatalogEdits(rows, clock.now()), None
        try:
            decided = decide(edits)
        except Refused:
            if not edits.missing_use:
                raise
        if not edits.missing_use:
            return decided, await _write(edits)  # type: ignore[return-value]
        rows.use_read_of = {*rows.use_read_of, *edits.missing_use}
        rows.use = await delete_items.use(rows.use_read_of)


async def _read(names: CatalogNames) -> CatalogRows:
    rows = CatalogRows()
    await _lock(names, rows)
    if names.generated:
        rows.taken_skus = await catalog.skus_starting_with(names.generated)
    rows.slugs = await _slugs(names, rows)
    rows.categories = (
        {one.slug: one.id for one in await categories.by_slug(names.categories)} if names.categories else {}
    )
    rows.warehouses = {code: one.id for code, one in (await warehouses.warehouses_by_code(names.warehouses)).items()}
    if names.settings:
        await _read_settings(rows)
    return rows


async def _lock(names: CatalogNames, rows: CatalogRows) -> None:
    """Lock the named products with their combinations, and the named combinations, and read them under the locks.

    One statement locks all of them in the order of their ids. Creating a combination also locks its product.
    """
    wanted = names.products | names.combinations | names.others
    found = await catalog.by_sku(wanted)
    ids = await _ids(names, found)
    locked = await catalog.lock(ids) if ids else {}
    if ids and connection.is_postgres():
        # Others may have changed the items before they were locked.
        found = await catalog.by_sku(wanted)
        ids = await _ids(names, found)
        if not locked.keys() >= ids:
            raise transactions.Outdated("an item was created or renamed meanwhile")
    rows.items = {one: locked[one] for one in sorted(ids)}
    rows.by_sku = {item.sku: locked.get(item.id, item) for item in found.values()}


async def _ids(names: CatalogNames, found: Mapping[str, Item]) -> set[int]:
    products = {found[sku].id for sku in names.products if sku in found and found[sku].is_product}
    alone = {found[sku].id for sku in names.combinations if sku in found and not found[sku].is_product}
    return products | alone | set(await catalog.combination_ids(products) if products else ())


async def _slugs(names: CatalogNames, rows: CatalogRows) -> dict[str, int]:
    """The stored products by the slugs that edits name or may generate."""
    stems: list[str] = []
    new = {sku: name for sku, name in names.new_slugs_from.items() if sku not in rows.by_sku}
    for sku, name in {**names.slugs_from, **new}.items():
        item = rows.by_sku.get(sku)
        source = name or (item.name if item is not None else None)
        stems += [rules.free_slug(source, ())] if source is not None else []
    wanted = {*names.slugs, *stems}
    if not wanted:
        return {}
    known = await catalog.product_ids_by_slug(wanted)
    # Only a slug that is taken needs a number, and only then are the free ones read.
    numbered = {stem for stem in stems if stem in known or stem in names.slugs or stems.count(stem) > 1}
    starts = {stem[: rules.MAX_GENERATED] for stem in numbered}
    return {**known, **(await catalog.slugs_starting_with(starts) if starts else {})}


async def _read_settings(rows: CatalogRows) -> None:
    own = await settings.own(list(rows.items)) if rows.items else {}
    rows.settings = {one: found.get(fallback.key_of(rows.items[one]), {}) for one, found in own.items()}
    rows.counted_in_parts = {one for one, found in own.items() if _in_parts(found)}
    category_ids = {None, *rows.categories.values(), *(item.category_id for item in rows.items.values())}
    channel = (await present.network()).find(None)
    above = await present.settings_of_categories(category_ids)
    rows.above = {category_id: found.places(None, channel) for category_id, found in above.items()}


def _in_parts(found: Mapping[tuple[SettingScope, int], Mapping[str, object]]) -> bool:
    return any(scope is SettingScope.LEVEL and own.get("quantity_uses_decimals") for (scope, _), own in found.items())


async def _write(edits: CatalogEdits) -> Edited:
    """Write edits. Only this function records changes of products and combinations for readers."""
    changed = edits.changed
    await delete_items.retire(edits.retired)
    await catalog.update(changed)
    shared = [after.id for before, after in changed if after.is_product and _shared(before) != _shared(after)]
    await catalog.update_combinations(shared)
    created = await _insert(edits.created)
    ids = {new.id: item.id for new, item in created}
    await outbox.add(items_changed([after for _, after in changed]))
    await outbox.add(items_changed([item for _, item in created], ItemChange.CREATED))
    reassessed = [after.id for before, after in changed if after.is_product and _decides(before) != _decides(after)]
    await reassessments.add_items(reassessed)
    by_place = {}
    for item_id, values in edits.changed_settings.items():
        scope, _ = fallback.key_of(edits.item(item_id))
        by_place[scope, ids.get(item_id, item_id)] = values
    await settings.change_many(by_place)
    return Edited(ids, reassessed, not (changed or created or edits.retired or by_place))


def _shared(product: Item) -> tuple[object, ...]:
    """What combinations share with their product."""
    return product.category_id, product.inventory_status


def _decides(product: Item) -> tuple[object, ...]:
    """The fields of a product that its alerts depend on."""
    return product.tracking, product.category_id


async def _insert(new: Iterable[Item]) -> list[tuple[Item, Item]]:
    """Insert new items. Returns each with the stored one."""
    # Ordered by SKU, so that two transactions that create the same products cannot deadlock.
    products = sorted((item for item in new if item.is_product), key=lambda item: item.sku)
    stored = list(zip(products, await catalog.insert(products), strict=True))
    ids = {made.id: item.id for made, item in stored}
    members = [item for item in new if not item.is_product]
    placed = [replace(item, product_id=ids.get(item.product_id or 0, item.product_id)) for item in members]
    return [*stored, *zip(members, await catalog.insert(placed), strict=True)]
