"""Products: made, changed and taken out of use, with what their combinations share with them."""

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
"""What a caller wants changed, by name; what is left out stays, None empties."""

_ASSESSED = frozenset(("tracking", "category"))
"""Changes of a product that alerts follow."""


async def create_product(given: Changes) -> int:
    """Make a product of ``sku``, ``name`` and whatever else is given. Answers its id."""

    async def work() -> int:
        product = await _changed(rules.new_product("", "", clock.now()), {"slug": None, **given})
        (made,) = await catalog.insert([product])
        await outbox.add(items_changed([made.id]))
        return made.id

    return await transactions.run(work)


async def update_product(sku: str, given: Changes) -> int:
    """Change what is given of a product; ``new_sku`` renames it. Answers its id."""
    product_id = await change_product(sku, given)
    if given.keys() & _ASSESSED:
        await reassess.items([product_id, *await catalog.combination_ids([product_id])])
    return product_id


async def change_product(sku: str, given: Changes) -> int:
    """As ``update_product``, also within a transaction: the product's alerts follow soon after it."""

    async def work() -> int:
        before, made = await locked_product(sku)
        changes = dict(given)
        if "new_sku" in changes:
            changes["sku"] = changes.pop("new_sku")
        product = replace(await _changed(before, changes), updated_at=clock.now())
        if product.tracking is not before.tracking:
            await check_tracking(before.tracking, product, made, await levels_in_use([product, *made]))
        if "options" in given:
            rules.check_renames(before.options, given["options"] or (), "options")
            await _follow_options(product, given["options"] or (), made)
        elif "name" in given:
            await _rewrite(product, [(combination, combination.choice) for combination in made])
        await catalog.update(before, product)
        if changes.keys() & {"category", "inventory_status"}:
            await catalog.follow(product)
        await outbox.add(items_changed([product.id]))
        if changes.keys() & _ASSESSED:
            await reassessments.add_items([product.id])
        return product.id

    return await transactions.run(work)


async def set_status(sku: str, status: InventoryStatus) -> int:
    """Set a product's status by hand. Answers its id."""
    return await update_product(sku, {"inventory_status": status})


async def delete_product(sku: str) -> int:
    """Take a product and its combinations out of use. Answers its id."""

    async def work() -> int:
        product, made = await locked_product(sku)
        await retire([product, *made])
        return product.id

    return await transactions.run(work)


async def locked_product(sku: str, at: str = "sku") -> tuple[Item, list[Item]]:
    """A product in use with all its combinations in use, as they are under the lock."""
    found = await catalog.product(sku=sku)
    if found is None:
        raise refusals.missing("product", sku, at)
    # First the product alone: while it is locked nobody makes a combination of it.
    await commands.lock_items([found.id], waiting=True)
    made = (await catalog.combinations([found.id]))[found.id]
    items = await catalog.lock([found.id, *(combination.id for combination in made)])
    product = in_use(items[found.id], "product", sku, at)
    return product, [one for one in items.values() if one is not product and one.deleted_at is None]


def in_use(item: Item, kind: str, sku: str, at: str) -> Item:
    """An item that nobody deleted or renamed before it was locked."""
    if item.deleted_at is not None or item.sku != skus.normalized(sku):
        raise refusals.missing(kind, sku, at)
    return item


async def check_sku(sku: str, own_id: int | None, at: str = "sku") -> None:
    found = (await catalog.by_sku([sku])).get(sku)
    if found is not None and found.id != own_id:
        raise refusals.taken("product" if found.is_product else "combination", sku, at)


async def _changed(product: Item, given: Changes) -> Item:
    """A product with what is given, each thing checked. ``sku`` and ``name`` cannot be emptied."""
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
        wanted = given["category"]
        changes["category_id"] = (await named(wanted, "category")).id if wanted is not None else None
    if "shipping_origin" in given:
        changes["shipping_origin_id"] = await _warehouse_id(given["shipping_origin"])
    if "options" in given:
        changes["stored_options"] = rules.stored_options(rules.options(given["options"] or (), "options"))
    for name in ("tracking", "published", "inventory_status"):
        if given.get(name) is not None:
            changes[name] = given[name]
    return replace(product, **changes)


async def _slug(product: Item, wanted: str | None) -> str:
    """A slug that is given must be free; one that is not is made from the name, numbered where it is taken."""
    if wanted is None:
        taken = await catalog.slugs_starting_with(rules.free_slug(product.name, ())[:240], besides=product.id)
        return rules.free_slug(product.name, taken)
    slug = rules.slug(wanted, "slug")
    other = await catalog.product(slug=slug)
    if other is not None and other.id != product.id:
        raise refusals.taken("product with the slug", slug, "slug")
    return slug


async def _warehouse_id(code: str | None) -> int | None:
    if code is None:
        return None
    found = (await warehouses.warehouses_by_code([code])).get(code)
    if found is None:
        raise refusals.missing("warehouse", code, "shippingOrigin")
    return found.id


async def _follow_options(product: Item, options: Sequence[Option], made: Sequence[Item]) -> None:
    """Bring combinations in line with their product's new options; those that no longer fit go out of use."""
    wanted = [(combination, combinations.renamed(combination.choice, options)) for combination in made]
    # One with a new name goes before the one that had that name so far.
    wanted.sort(key=lambda one: one[1] == one[0].choice)
    kept: dict[str, tuple[Item, rules.Choice]] = {}
    gone = []
    for combination, choice in wanted:
        digest = rules.digest(choice)
        if digest in kept or not combinations.fits(choice, options):
            gone.append(combination)
        else:
            # In the order of the product's options.
            kept[digest] = combination, rules.inventory_part(choice, options)
    await retire(gone, "options")
    await _rewrite(product, list(kept.values()))


async def _rewrite(product: Item, choices: Sequence[tuple[Item, rules.Choice]]) -> None:
    """Give combinations of a product their choices, and the names that follow from them."""
    at = clock.now()
    changed = []
    for combination, choice in choices:
        name = combinations.name(product.name, choice)
        if (combination.name, list(combination.choice.items())) != (name, list(choice.items())):
            digest = rules.digest(choice)
            changed.append(replace(combination, name=name, choice=dict(choice), choice_digest=digest, updated_at=at))
    await catalog.rewrite(changed)


async def check_tracking(
    before: InventoryTracking, product: Item, made: Sequence[Item], in_use: Sequence[Level]
) -> None:
    """Changing between counted modes leaves levels behind: there must be nothing on them. To and from uncounted: always."""
    counted = {InventoryTracking.TRACK_WITHOUT_OPTIONS, InventoryTracking.TRACK_WITH_OPTIONS}
    if {before, product.tracking} != counted:
        return
    left_behind = [product] if rules.counts_combinations(product.tracking) else list(made)
    await check_unused(left_behind, in_use, "tracking")
