"""Decides changes of products, combinations and their settings, in turn, against the catalog as it was read.

Each change sees those before it. Nothing is written here: ``services.edit_catalog`` reads the rows and writes the edits.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from gqlstock.rules import catalog, combinations, fallback, item_use, refusals, skus
from gqlstock.rules.catalog import Choice, Item, Option
from gqlstock.rules.catalog_rows import CatalogRows, Changes
from gqlstock.rules.refusals import Refused, invalid


@dataclass(slots=True)
class _State:
    items: dict[int, Item]
    skus: dict[str, int]
    slugs: dict[str, int]
    members: dict[int, tuple[int, ...]] = field(default_factory=dict)
    choices: dict[tuple[int, str | None], int] = field(default_factory=dict)
    """The id of each combination, by product id and choice digest."""
    touched: dict[int, None] = field(default_factory=dict)
    """The ids of changed stored items, in the order of their first change."""
    retired: dict[int, Item] = field(default_factory=dict)
    settings: dict[int, dict[str, Any]] = field(default_factory=dict)

    def copy(self) -> "_State":
        return _State(*({**getattr(self, name)} for name in self.__slots__))

    def add(self, item: Item) -> None:
        self.items[item.id] = item
        self.skus[item.sku] = item.id
        if item.product_id is not None:
            self.members[item.product_id] = (*self.members.get(item.product_id, ()), item.id)
            self.choices[item.product_id, item.choice_digest] = item.id
        elif item.slug is not None:
            self.slugs[item.slug] = item.id


class CatalogEdits:
    """The edits so far. New items have ids below 0."""

    def __init__(self, rows: CatalogRows, now: datetime) -> None:
        self.missing_use: set[int] = set()
        """Items whose use must be read before deciding again."""
        self._rows = rows
        self._now = now
        self._state = _State({}, {}, dict(rows.slugs))
        for item in {**{one.id: one for one in rows.by_sku.values()}, **rows.items}.values():
            self._state.add(item)
        self._before = dict(self._state.items)
        self._options: dict[int, tuple[object, tuple[Option, ...]]] = {}
        self._new_ids = 0

    @contextmanager
    def undone_if_refused(self) -> Iterator[Self]:
        """Undo the edits of the block if it is refused."""
        before = self._state.copy()
        try:
            yield self
        except Refused:
            self._state = before
            raise

    def by_sku(self, sku: str) -> Item | None:
        """The item in use with a SKU, in any spelling."""
        item_id = self._state.skus.get(skus.normalized(sku))
        return self._state.items[item_id] if item_id is not None else None

    def item(self, item_id: int) -> Item:
        """The current version of an edited or read item."""
        return self._state.items[item_id]

    def product(self, sku: str, at: str = "sku") -> Item:
        """The product with a SKU. Raises ``Refused`` if there is none."""
        found = self.by_sku(sku)
        if found is None or not found.is_product:
            raise refusals.missing("product", sku, at)
        return found

    def combination(self, sku: str) -> Item:
        """The combination with a SKU. Raises ``Refused`` if there is none."""
        found = self.by_sku(sku)
        if found is None or found.is_product:
            raise refusals.missing("combination", sku, "sku")
        return found

    def members(self, product: Item) -> list[Item]:
        """The combinations of a product in use, oldest first."""
        return [self._state.items[one] for one in self._state.members.get(product.id, ())]

    def options(self, product: Item) -> tuple[Option, ...]:
        """The options of a product, converted once: a call may make thousands of combinations of it."""
        stored, options = self._options.get(product.id, (None, ()))
        if stored is not product.stored_options:
            options = product.options
            self._options[product.id] = product.stored_options, options
        return options

    def create_product(self, given: Changes, slug_from: str | None = None) -> Item:
        """Create a product with ``sku``, ``name`` and the other given fields.

        Without a slug, one is made from ``slug_from``, else from the name.
        """
        new = replace(catalog.new_product("", "", self._now), id=self._new_id())
        product = self._changed(new, {"slug": None, **given}, slug_from)
        self._state.add(product)
        return product

    def change_product(self, before: Item, given: Changes, named: Mapping[str, Choice] | None = None) -> Item:
        """Change the given fields of a product; ``new_sku`` renames it.

        ``named``: choices by SKU, which existing combinations take for new inventory options. With ``named``, ``existing``
        may be missing, and unused combinations without a choice are deleted.
        """
        changes = dict(given)
        if "new_sku" in changes:
            changes["sku"] = changes.pop("new_sku")
        product = self._changed(before, changes)
        members = self.members(before)
        self._check_unused(item_use.losing_stock(before.tracking, product, members), "tracking")
        if "options" in given:
            options = catalog.options(given["options"] or (), "options")
            combinations.check_renames(before.options, options, "options")
            if named is None:
                combinations.check_existing(members, options, "options")
            stay, unfit = combinations.following(members, options, named)
            self.retire(unfit, "options")
            self._rewrite(product, stay)
        elif product.name != before.name:
            options = product.options
            # PostgreSQL does not preserve the order of a choice.
            self._rewrite(product, [(one, catalog.inventory_part(one.choice, options)) for one in members])
        return self._put(before, product)

    def create_combination(
        self, product: Item, selected: Sequence[tuple[str, str]], given: Changes, *, sku: str | None = None
    ) -> Item:
        """Create a combination of a product for a complete choice. Without a SKU, one is made from the values."""
        options = self.options(product)
        choice = catalog.check_choice(selected, options, "options")
        if not catalog.is_complete(choice, options):
            names = ", ".join(o.name for o in catalog.inventory_options(options))
            raise invalid(f"A combination needs a value for each of: {names or 'no option'}.", "options")
        chosen = catalog.inventory_part(choice, options)
        if not chosen:
            raise invalid(f"{product.sku} has no inventory option.", "options")
        if (product.id, catalog.digest(chosen)) in self._state.choices:
            raise refusals.taken("combination", " / ".join(chosen.values()), "options")
        if sku is not None:
            sku = skus.checked(sku, "sku")
            self._check_sku(sku, None, "sku")
        else:
            sku = combinations.sku(product.sku, chosen, _EitherOf(self._rows.taken_skus, self._state.skus))
        new = combinations.new(product, chosen, sku, self._now)
        created = replace(new, id=self._new_id(), **_own_fields(given))
        self._state.add(created)
        return created

    def change_combination(self, before: Item, given: Changes) -> Item:
        """Change the given fields of a combination; ``new_sku`` renames it."""
        after = before
        if (new_sku := given.get("new_sku")) is not None:
            after = replace(after, sku=skus.checked(new_sku, "newSku"))
            self._check_sku(after.sku, after.id, "newSku")
        return self._put(before, replace(after, **_own_fields(given)))

    def change_settings(self, item: Item, values: Changes) -> None:
        """Set settings of an item. None removes a value, so that the next place applies."""
        product = item if item.product_id is None else self._state.items[item.product_id]
        above = list(self._rows.above[product.category_id])
        if item is not product:
            above.insert(0, fallback.of_item(product, self._own_settings(product)))
        own = self._own_settings(item)
        place, in_parts = fallback.of_item(item, own), item.id in self._rows.counted_in_parts
        settings_after = fallback.changed(place, values, above, counted_in_parts=in_parts)
        changes = {name: value for name, value in values.items() if own.get(name) != settings_after.get(name)}
        if changes:
            self._state.settings[item.id] = {**self._state.settings.get(item.id, {}), **changes}

    def retire(self, items: Sequence[Item], at: str) -> None:
        """Delete items. Raises ``Refused`` while they have stock, claims or open orders."""
        self._check_unused(items, at)
        for item in items:
            self._state.retired[item.id] = item
            del self._state.skus[item.sku]
            if item.product_id is not None:
                left = tuple(one for one in self._state.members[item.product_id] if one != item.id)
                self._state.members[item.product_id] = left
                del self._state.choices[item.product_id, item.choice_digest]

    @property
    def created(self) -> list[Item]:
        """The new items, products before their combinations."""
        found = (item for item in self._state.items.values() if item.id < 0)
        return sorted(found, key=lambda item: not item.is_product)

    @property
    def retired(self) -> list[Item]:
        return list(self._state.retired.values())

    @property
    def changed(self) -> list[tuple[Item, Item]]:
        """The stored items before and after the edits, in the order of their first change."""
        touched = [one for one in self._state.touched if one in self._before and one not in self._state.retired]
        pairs = [(self._before[one], self._state.items[one]) for one in touched]
        return [(before, after) for before, after in pairs if before != after]

    @property
    def changed_settings(self) -> Mapping[int, Mapping[str, Any]]:
        """The changed settings by item; None resets a value."""
        return self._state.settings

    def _new_id(self) -> int:
        self._new_ids -= 1
        return self._new_ids

    def _own_settings(self, item: Item) -> dict[str, Any]:
        changed = self._state.settings.get(item.id, {})
        values = {**self._rows.settings.get(item.id, {}), **changed}
        return {name: value for name, value in values.items() if value is not None}

    def _changed(self, product: Item, given: Changes, slug_from: str | None = None) -> Item:
        """A product with the given fields, which are checked. ``sku`` and ``name`` cannot be cleared."""
        if given.get("sku") is not None:
            at = "sku" if product.id < 0 else "newSku"
            product = replace(product, sku=skus.checked(given["sku"], at))
            self._check_sku(product.sku, product.id, at)
        if given.get("name") is not None:
            product = replace(product, name=catalog.text(given["name"], "name", "name"))
        if "slug" in given:
            product = replace(product, slug=self._slug(product, given["slug"], slug_from or product.name))
        changes: dict[str, Any] = {}
        for name in ("barcode", "description"):
            if name in given:
                changes[name] = catalog.optional_text(given[name], name, name)
        if "images" in given:
            changes["own_images"] = catalog.stored_images(catalog.images(given["images"] or (), "images"))
        if "category" in given:
            changes["category_id"] = _named(self._rows.categories, "category", given["category"], "category")
        if "shipping_origin" in given:
            origin = given["shipping_origin"]
            changes["shipping_origin_id"] = _named(self._rows.warehouses, "warehouse", origin, "shippingOrigin")
        if "options" in given:
            changes["stored_options"] = catalog.stored_options(catalog.options(given["options"] or (), "options"))
        for name in ("tracking", "published", "inventory_status"):
            if given.get(name) is not None:
                changes[name] = given[name]
        return replace(product, **changes)

    def _slug(self, product: Item, wanted: str | None, slug_from: str) -> str:
        """The requested slug, which must be free; without one, a free slug."""
        if wanted is None:
            return catalog.free_slug(slug_from, {s for s, one in self._state.slugs.items() if one != product.id})
        slug = catalog.slug(wanted, "slug")
        if self._state.slugs.get(slug, product.id) != product.id:
            raise refusals.taken("product slug", slug, "slug")
        return slug

    def _check_sku(self, sku: str, own_id: int | None, at: str) -> None:
        found = self.by_sku(sku)
        if found is not None and found.id != own_id:
            raise refusals.taken("product" if found.is_product else "combination", sku, at)

    def _check_unused(self, items: Sequence[Item], at: str) -> None:
        self.missing_use |= {item.id for item in items if item.id > 0} - {*self._rows.use_read_of}
        self._rows.use.check_unused(items, at)

    def _rewrite(self, product: Item, choices: Sequence[tuple[Item, Choice]]) -> None:
        """Change the choices of combinations, and the names derived from them."""
        for one, choice in choices:
            name = combinations.name(product.name, choice)
            if (one.name, one.choice) != (name, choice):
                del self._state.choices[product.id, one.choice_digest]
                digest = catalog.digest(choice)
                after = replace(one, name=name, choice=dict(choice), choice_digest=digest, updated_at=self._now)
                self._state.items[one.id] = after
                self._state.touched[one.id] = None
        self._state.choices |= {(product.id, one.choice_digest): one.id for one in self.members(product)}

    def _put(self, before: Item, after: Item) -> Item:
        """Store a changed version of an item, if it differs."""
        if after == before:
            return before
        after = replace(after, updated_at=self._now)
        state = self._state
        del state.skus[before.sku]
        if before.slug is not None and before.is_product:
            state.slugs.pop(before.slug, None)
        state.items[after.id] = after
        state.skus[after.sku] = after.id
        if after.slug is not None:
            state.slugs[after.slug] = after.id
        state.touched[after.id] = None
        return after


@dataclass(frozen=True, slots=True)
class _EitherOf:
    """The SKUs in either of two collections."""

    read: Collection[str]
    edited: Collection[str]

    def __contains__(self, sku: object) -> bool:
        return sku in self.read or sku in self.edited


def _own_fields(given: Changes) -> dict[str, Any]:
    """The given fields of a combination, checked."""
    own: dict[str, Any] = {}
    if "code" in given:
        own["own_code"] = catalog.optional_text(given["code"], "code", "code")
    if "barcode" in given:
        own["barcode"] = catalog.optional_text(given["barcode"], "barcode", "barcode")
    if "images" in given:
        own["own_images"] = catalog.stored_images(catalog.images(given["images"] or (), "images"))
    return own


def _named(known: Mapping[str, int], kind: str, name: str | None, at: str) -> int | None:
    """The id of a named category or warehouse."""
    if name is None:
        return None
    if name not in known:
        raise refusals.missing(kind, name, at)
    return known[name]
