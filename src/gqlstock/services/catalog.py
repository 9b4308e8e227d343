"""Products, combinations and categories: made, changed and taken out of use."""

from collections.abc import Mapping, Sequence
from typing import Any

from gqlstock.rules import catalog as rules
from gqlstock.rules import orders as order_rules
from gqlstock.rules import refusals
from gqlstock.rules.catalog import Image, InventoryStatus, InventoryTracking, Option
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.refusals import Refused, invalid, wrong_state
from gqlstock.services.lookup import lookup
from gqlstock.services.posting import watch
from gqlstock.store import catalog, database, inventory, orders, outbox, warehouses
from gqlstock.store.catalog import Category, Item
from gqlstock.store.inventory import Claim

Changes = Mapping[str, Any]
"""What a caller wants changed, by name; what is left out stays, None empties."""


async def create_product(given: Changes) -> int:
    """Make a product of ``sku``, ``name`` and whatever else is given. Answers its id."""

    async def work() -> int:
        at = database.now()
        product = Item(created_at=at, updated_at=at, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
        await _apply(product, {"slug": None, **given})
        await database.insert_many([product])
        return int(product.id)

    return await database.transaction(work)


async def update_product(sku: str, given: Changes) -> int:
    """Change what is given of a product; ``new_sku`` renames it. Answers its id."""

    async def work() -> int:
        product = await _product(sku)
        claim = await _claim_product(product)
        product = claim.items[product.id]
        before = product.tracking
        changes = dict(given)
        if "new_sku" in changes:
            changes["sku"] = changes.pop("new_sku")
        await _apply(product, changes)
        made = (await catalog.combinations([product.id]))[product.id]
        if product.tracking is not before:
            await _check_tracking(before, product, made, claim)
        if "options" in given or "name" in given:
            await _follow_options(product, given.get("options"), made, claim)
        product.updated_at = database.now()
        await product.save()
        if product.tracking is not before:
            await watch([product.id], claim, await lookup([product]))
        return int(product.id)

    return await database.transaction(work)


async def set_status(sku: str, status: InventoryStatus) -> int:
    """Set a product's status by hand. Answers its id."""
    return await update_product(sku, {"inventory_status": status})


async def delete_product(sku: str) -> int:
    """Take a product and its combinations out of use. Answers its id."""

    async def work() -> int:
        product = await _product(sku)
        claim = await _claim_product(product)
        made = (await catalog.combinations([product.id]))[product.id]
        await _check_unused([product, *made], claim)
        await _retire([claim.items[product.id], *made], claim)
        return int(product.id)

    return await database.transaction(work)


async def create_combination(
    product_sku: str,
    options: Sequence[tuple[str, str]],
    *,
    sku: str | None = None,
    code: str | None = None,
    barcode: str | None = None,
    images: Sequence[Image] = (),
) -> int:
    """Make the combination of a product that a complete choice stands for. Answers its id."""

    async def work() -> int:
        product = await _product(product_sku, "product")
        await _claim_product(product)
        choice = rules.check_choice(options, product.options, "options")
        if not rules.is_complete(choice, product.options):
            names = ", ".join(o.name for o in rules.inventory_options(product.options))
            raise invalid(f"A combination has a value for each of: {names or 'no option'}.", "options")
        chosen = rules.inventory_part(choice, product.options)
        if not chosen:
            raise invalid(f"{product.sku} has no option that makes combinations.", "options")
        if await Item.exists(product_id=product.id, choice_digest=rules.digest(chosen), deleted_at=None):
            raise refusals.taken("combination", " / ".join(chosen.values()), "options")
        wanted = rules.text(sku, "sku", "sku") if sku is not None else None
        if wanted is not None:
            await _check_sku(wanted, None)
        combination = _combination(product, chosen, wanted or (await _free_skus(product, [chosen]))[0])
        combination.own_code = rules.optional_text(code, "code", "code")
        combination.barcode = rules.optional_text(barcode, "barcode", "barcode")
        combination.own_images = catalog.stored_images(_images(images))
        await database.insert_many([combination])
        return int(combination.id)

    return await database.transaction(work)


async def generate_combinations(product_sku: str) -> list[int]:
    """Make every combination of the inventory options that does not exist yet. Answers the new ones' ids."""

    async def work() -> list[int]:
        product = await _product(product_sku, "product")
        await _claim_product(product)
        known = {c.choice_digest for c in (await catalog.combinations([product.id]))[product.id]}
        every = rules.every_choice(product.options, "product")
        choices = [choice for choice in every if rules.digest(choice) not in known]
        skus = await _free_skus(product, choices)
        made = [_combination(product, choice, sku) for choice, sku in zip(choices, skus, strict=True)]
        await database.insert_many(made)
        return [int(combination.id) for combination in made]

    return await database.transaction(work)


async def update_combination(sku: str, given: Changes) -> int:
    """Change what is given of a combination; ``new_sku`` renames it. Answers its id."""

    async def work() -> int:
        combination = await _combination_of(sku)
        if (new_sku := given.get("new_sku")) is not None:
            combination.sku = rules.text(new_sku, "sku", "newSku")
            await _check_sku(combination.sku, combination.id, "newSku")
        if "code" in given:
            combination.own_code = rules.optional_text(given["code"], "code", "code")
        if "barcode" in given:
            combination.barcode = rules.optional_text(given["barcode"], "barcode", "barcode")
        if "images" in given:
            combination.own_images = catalog.stored_images(_images(given["images"] or ()))
        combination.updated_at = database.now()
        await combination.save()
        return int(combination.id)

    return await database.transaction(work)


async def delete_combination(sku: str) -> int:
    """Take a combination out of use. Answers its id."""

    async def work() -> int:
        combination = await _combination_of(sku)
        claim = await inventory.claim([combination.id])
        await _check_unused([combination], claim)
        await _retire([claim.items[combination.id]], claim)
        return int(combination.id)

    return await database.transaction(work)


async def create_category(slug: str, name: str, parent: str | None = None) -> int:
    """Make a category, below ``parent`` if given. Answers its id."""

    async def work() -> int:
        made = Category(slug=rules.slug(slug, "slug"), name=rules.text(name, "name", "name"))
        if await catalog.category(made.slug):
            raise refusals.taken("category", made.slug, "slug")
        made.parent_id = (await _category(parent, "parent")).id if parent is not None else None
        await made.save()
        return int(made.id)

    return await database.transaction(work)


async def update_category(slug: str, given: Changes) -> int:
    """Change what is given of a category; a parent of None moves it to the top. Answers its id."""

    async def work() -> int:
        await catalog.lock_tree()
        found = await _category(slug, "slug")
        if given.get("new_slug") is not None:
            found.slug = rules.slug(given["new_slug"], "newSlug")
            other = await catalog.category(found.slug)
            if other is not None and other.id != found.id:
                raise refusals.taken("category", found.slug, "newSlug")
        if given.get("name") is not None:
            found.name = rules.text(given["name"], "name", "name")
        if "parent" in given:
            found.parent_id = await _new_parent(found, given["parent"])
        await found.save()
        return int(found.id)

    return await database.transaction(work)


async def delete_category(slug: str) -> int:
    """Remove a category that has neither children nor products. Answers its id."""

    async def work() -> int:
        await catalog.lock_tree()
        found = await _category(slug, "slug")
        if await Category.exists(parent_id=found.id):
            raise wrong_state(f"{slug} has categories below it: move or delete them first.", "slug")
        if await Item.exists(category_id=found.id, deleted_at=None):
            raise wrong_state(f"{slug} has products: move or delete them first.", "slug")
        await Item.filter(category_id=found.id).update(category_id=None)
        await found.delete()
        return int(found.id)

    return await database.transaction(work)


async def _product(sku: str, at: str = "sku") -> Item:
    found = await catalog.product(sku=sku)
    if found is None:
        raise refusals.missing("product", sku, at)
    return found


async def _combination_of(sku: str) -> Item:
    found = (await catalog.by_sku([sku])).get(sku)
    if found is None or found.is_product:
        raise refusals.missing("combination", sku, "sku")
    return found


async def _category(slug: str, at: str) -> Category:
    found = await catalog.category(slug)
    if found is None:
        raise refusals.missing("category", slug, at)
    return found


async def _new_parent(moved: Category, parent: str | None) -> int | None:
    if parent is None:
        return None
    found = await _category(parent, "parent")
    if found.id in await catalog.subtree(moved.id):
        raise invalid(f"{moved.slug} cannot lie below {parent}: that lies below {moved.slug} itself.", "parent")
    return int(found.id)


async def _claim_product(product: Item) -> Claim:
    """Lock a product with all its combinations."""
    made = (await catalog.combinations([product.id]))[product.id]
    return await inventory.claim([product.id, *(c.id for c in made)])


async def _check_sku(sku: str, own_id: int | None, at: str = "sku") -> None:
    found = (await catalog.by_sku([sku])).get(sku)
    if found is not None and found.id != own_id:
        raise refusals.taken("product" if found.is_product else "combination", sku, at)


async def _free_skus(product: Item, choices: Sequence[rules.Choice]) -> list[str]:
    """A SKU for each new combination, made from the product's and the values, that nothing in use has."""
    taken = await catalog.skus_starting_with(f"{product.sku}-")
    skus: list[str] = []
    for choice in choices:
        skus.append(rules.combination_sku(product.sku, choice, taken))
        taken.add(skus[-1])
    return skus


def _combination(product: Item, choice: rules.Choice, sku: str) -> Item:
    at = database.now()
    return Item(
        product_id=product.id,
        sku=sku,
        name=rules.combination_name(product.name, choice),
        choice=dict(choice),
        choice_digest=rules.digest(choice),
        created_at=at,
        updated_at=at,
    )


def _images(images: Sequence[Image]) -> list[Image]:
    return [
        Image(rules.text(image.url, "url", "images", number, "url"), rules.optional_text(image.alt, "alt"))
        for number, image in enumerate(images)
    ]


async def _apply(product: Item, given: Changes) -> None:
    """Put what is given into a product, each thing checked. ``sku`` and ``name`` cannot be emptied."""
    if given.get("sku") is not None:
        at = "sku" if product.pk is None else "newSku"
        product.sku = rules.text(given["sku"], "sku", at)
        await _check_sku(product.sku, product.pk, at)
    if given.get("name") is not None:
        product.name = rules.text(given["name"], "name", "name")
    if "slug" in given:
        await _apply_slug(product, given["slug"])
    if "barcode" in given:
        product.barcode = rules.optional_text(given["barcode"], "barcode", "barcode")
    if "description" in given:
        product.description = rules.optional_text(given["description"], "description", "description")
    if "images" in given:
        product.own_images = catalog.stored_images(_images(given["images"] or ()))
    if "category" in given:
        wanted = given["category"]
        product.category_id = (await _category(wanted, "category")).id if wanted is not None else None
    if "shipping_origin" in given:
        product.shipping_origin_id = await _warehouse_id(given["shipping_origin"])
    if "options" in given:
        product.stored_options = catalog.stored_options(rules.options(given["options"] or (), "options"))
    for name in ("tracking", "published", "inventory_status"):
        if given.get(name) is not None:
            setattr(product, name, given[name])


async def _apply_slug(product: Item, wanted: str | None) -> None:
    """A slug that is given must be free; one that is not is made from the name, numbered where it is taken."""
    made = rules.slug(wanted, "slug") if wanted is not None else rules.slug_from(product.name) or "product"
    taken = await catalog.product(slug=made)
    number = 1
    while taken is not None and taken.id != product.pk:
        if wanted is not None:
            raise refusals.taken("product with the slug", made, "slug")
        number += 1
        made = f"{rules.slug_from(product.name) or 'product'}-{number}"
        taken = await catalog.product(slug=made)
    product.slug = made


async def _warehouse_id(code: str | None) -> int | None:
    if code is None:
        return None
    found = (await warehouses.warehouses_by_code([code])).get(code)
    if found is None:
        raise refusals.missing("warehouse", code, "shippingOrigin")
    return int(found.id)


async def _follow_options(product: Item, options: Sequence[Option] | None, made: Sequence[Item], claim: Claim) -> None:
    """Bring combinations in line with their product's new options and name; those that no longer fit go out of use."""
    gone = []
    for combination in made:
        if options is not None:
            combination.choice = rules.renamed(combination.choice, options)
            if not rules.fits(combination.choice, options):
                gone.append(combination)
                continue
            # In the order of the product's options.
            combination.choice = rules.inventory_part(combination.choice, options)
            combination.choice_digest = rules.digest(combination.choice)
        combination.name = rules.combination_name(product.name, combination.choice)
        await combination.save(update_fields=["choice", "choice_digest", "name"])
    if gone:
        try:
            await _check_unused(gone, claim)
        except Refused as error:
            raise Refused([r.under("options") for r in error.refusals]) from None
        await _retire(gone, claim)


async def _check_tracking(before: InventoryTracking, product: Item, made: Sequence[Item], claim: Claim) -> None:
    """Changing between counted modes leaves levels behind: there must be nothing on them. To and from uncounted: always."""
    counted = {InventoryTracking.TRACK_WITHOUT_OPTIONS, InventoryTracking.TRACK_WITH_OPTIONS}
    if {before, product.tracking} != counted:
        return
    left_behind = [product] if rules.counts_combinations(product.tracking) else list(made)
    try:
        await _check_unused(left_behind, claim)
    except Refused as error:
        raise Refused([refusals.Refusal(r.code, r.message, ("tracking",)) for r in error.refusals]) from None


async def _check_unused(items: Sequence[Item], claim: Claim) -> None:
    """Refuse while a level of one of the items has units or claims, or an open order has one of them."""
    for item in items:
        for level in claim.levels(item.id):
            if any((level.on_hand, level.reserved, level.planned, level.held, level.backordered, level.incoming)):
                raise wrong_state(f"{item.sku} still has stock or claims in a warehouse.", "sku")
    order_id = await orders.open_order_of([item.id for item in items])
    if order_id is not None:
        raise wrong_state(f"Order {order_rules.number(order_id)} still waits for {items[0].sku}.", "sku")


async def _retire(items: Sequence[Item], claim: Claim) -> None:
    at = database.now()
    for item in items:
        item.deleted_at = item.updated_at = at
        await item.save(update_fields=["deleted_at", "updated_at"])
        for level in claim.levels(item.id):
            await inventory.retire(level)
    await outbox.add([Event(Topic.ITEM, item.id) for item in items])
