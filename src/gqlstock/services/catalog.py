"""Creates, changes and deletes products, and updates the fields that their combinations share with them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gqlstock.rules import catalog as rules
from gqlstock.rules import combinations, refusals, skus
from gqlstock.rules.catalog import InventoryStatus, InventoryTracking, Item, Option
from gqlstock.rules.events import items_changed
from gqlstock.rules.ids import UNSTORED
from gqlstock.rules.ledger import Level
from gqlstock.services import reassess
from gqlstock.services.categories import named
from gqlstock.services.delete_items import check_unused, levels_in_use, retire
from gqlstock.store import catalog, commands, outbox, reassessments, warehouses
from gqlstock.store.db import clock, transactions

Changes = Mapping[str, Any]
"""Requested changes by field name. A field that is left out stays; None clears it."""

_ALERT_FIELDS = frozenset(("tracking", "category"))
"""The fields of a product that its alerts depend on."""


async def create_product(given: Changes) -> int:
    """Create a product from ``sku``, ``name`` and the other given fields. Returns its id."""

    async def work() -> int:
        product = await _changed(rules.new_product("", "", clock.now()), {"slug": None, **given})
        (created,) = await catalog.insert([product])
        await outbox.add(items_changed([created]))
        return created.id

    return await transactions.run(work)


async def update_product(sku: str, given: Changes) -> int:
    """Change the given fields of a product; ``new_sku`` renames it. Returns its id."""
    product_id = await change_product(sku, given)
    if given.keys() & _ALERT_FIELDS:
        await reassess.items([product_id, *await catalog.combination_ids([product_id])])
    return product_id


async def change_product(sku: str, given: Changes, named: Mapping[str, rules.Choice] | None = None) -> int:
    """Like ``update_product``, also inside a transaction. The product's alerts are updated after it.

    ``named``: choices by SKU, which existing combinations take for new inventory options. With them ``existing`` may be
    missing, and a combination of which nothing is said is deleted where it is unused.
    """

    async def work() -> int:
        before, members = await locked_product(sku)
        changes = dict(given)
        if "new_sku" in changes:
            changes["sku"] = changes.pop("new_sku")
        product = replace(await _changed(before, changes), updated_at=clock.now())
        if product.tracking is not before.tracking:
            await check_tracking(before.tracking, product, members, await levels_in_use([product, *members]))
        if "options" in given:
            options = rules.options(given["options"] or (), "options")
            combinations.check_renames(before.options, options, "options")
            await _update_choices(product, options, members, named)
        elif "name" in given:
            await _rewrite(product, [(combination, combination.choice) for combination in members])
        await catalog.update(before, product)
        if changes.keys() & {"category", "inventory_status"}:
            await catalog.update_combinations(product)
        await outbox.add(items_changed([product]))
        if changes.keys() & _ALERT_FIELDS:
            await reassessments.add_items([product.id])
        return product.id

    return await transactions.run(work)


async def set_status(sku: str, status: InventoryStatus) -> int:
    """Set a product's status by hand. Returns its id."""
    return await update_product(sku, {"inventory_status": status})


async def delete_product(sku: str) -> int:
    """Delete a product with its combinations. Returns its id."""

    async def work() -> int:
        product, members = await locked_product(sku)
        await retire([product, *members])
        return product.id

    return await transactions.run(work)


async def locked_product(sku: str, at: str = "sku") -> tuple[Item, list[Item]]:
    """Lock a product in use and its combinations in use, and read them under the lock."""
    found = await catalog.product(sku=sku)
    if found is None:
        raise refusals.missing("product", sku, at)
    # The product is locked first: creating a combination takes the same lock.
    await commands.lock_items([found.id], waiting=True)
    members = (await catalog.combinations([found.id]))[found.id]
    items = await catalog.lock([found.id, *(combination.id for combination in members)])
    product = in_use(items[found.id], "product", sku, at)
    return product, [one for one in items.values() if one is not product and one.deleted_at is None]


def in_use(item: Item, kind: str, sku: str, at: str) -> Item:
    """The item, unless it was deleted or renamed before it was locked."""
    if item.deleted_at is not None or item.sku != skus.normalized(sku):
        raise refusals.missing(kind, sku, at)
    return item


async def check_sku(sku: str, own_id: int | None, at: str = "sku") -> None:
    found = (await catalog.by_sku([sku])).get(sku)
    if found is not None and found.id != own_id:
        raise refusals.taken("product" if found.is_product else "combination", sku, at)


async def _changed(product: Item, given: Changes) -> Item:
    """A product with the given fields, checked. ``sku`` and ``name`` cannot be cleared."""
    if given.get("sku") is not None:
        at = "sku" if product.id == UNSTORED else "newSku"
        product = replace(product, sku=skus.checked(given["sku"], at))
        await check_sku(product.sku, product.id, at)
    if given.get("name") is not None:
        product = replace(product, name=rules.text(given["name"], "name", "name"))
    if "slug" in given:
        product = replace(product, slug=await _slug(product, given["slug"]))
    changes: dict[str, Any] = {}
    for name in ("barcode", "description"):
        if name in given:
            changes[name] = rules.optional_text(given[name], name, name)
    if "images" in given:
        changes["own_images"] = rules.stored_images(rules.images(given["images"] or (), "images"))
    if "category" in given:
        slug = given["category"]
        changes["category_id"] = (await named(slug, "category")).id if slug is not None else None
    if "shipping_origin" in given:
        changes["shipping_origin_id"] = await _warehouse_id(given["shipping_origin"])
    if "options" in given:
        changes["stored_options"] = rules.stored_options(rules.options(given["options"] or (), "options"))
    for name in ("tracking", "published", "inventory_status"):
        if given.get(name) is not None:
            changes[name] = given[name]
    return replace(product, **changes)


async def _slug(product: Item, wanted: str | None) -> str:
    """The requested slug, which must be free; without one, a free slug made from the name."""
    if wanted is None:
        taken = await catalog.slugs_starting_with(rules.free_slug(product.name, ())[:240], besides=product.id)
        return rules.free_slug(product.name, taken)
    slug = rules.slug(wanted, "slug")
    other = await catalog.product(slug=slug)
    if other is not None and other.id != product.id:
        raise refusals.taken("product slug", slug, "slug")
    return slug


async def _warehouse_id(code: str | None) -> int | None:
    if code is None:
        return None
    found = (await warehouses.warehouses_by_code([code])).get(code)
    if found is None:
        raise refusals.missing("warehouse", code, "shippingOrigin")
    return found.id


async def _update_choices(
    product: Item, options: Sequence[Option], members: Sequence[Item], named: Mapping[str, rules.Choice] | None
) -> None:
    """Update the choices of combinations for their product's new options. Combinations that no longer fit are deleted."""
    if named is None:
        combinations.check_existing(members, options, "options")
    stay, unfit = combinations.following(members, options, named)
    await retire(unfit, "options")
    await _rewrite(product, stay)


async def _rewrite(product: Item, choices: Sequence[tuple[Item, rules.Choice]]) -> None:
    """Write the choices of combinations, and their names, which are made from them."""
    now = clock.now()
    changed = []
    for combination, choice in choices:
        name = combinations.name(product.name, choice)
        if (combination.name, list(combination.choice.items())) != (name, list(choice.items())):
            digest = rules.digest(choice)
            changed.append(replace(combination, name=name, choice=dict(choice), choice_digest=digest, updated_at=now))
    await catalog.rewrite(changed)


async def check_tracking(
    before: InventoryTracking, product: Item, members: Sequence[Item], in_use: Sequence[Level]
) -> None:
    """Refuse a change between the counted modes while the levels that lose their use have units. Others are allowed."""
    counted = {InventoryTracking.TRACK_WITHOUT_OPTIONS, InventoryTracking.TRACK_WITH_OPTIONS}
    if {before, product.tracking} != counted:
        return
    losing_stock = [product] if rules.counts_combinations(product.tracking) else list(members)
    await check_unused(losing_stock, in_use, "tracking")
