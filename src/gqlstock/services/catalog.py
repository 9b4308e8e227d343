"""Products and combinations: made, changed and taken out of use."""

from collections.abc import Mapping, Sequence
from typing import Any

from gqlstock.rules import catalog as rules
from gqlstock.rules import orders as order_rules
from gqlstock.rules import refusals, skus
from gqlstock.rules.catalog import Image, InventoryStatus, InventoryTracking, Option
from gqlstock.rules.events import Event, Topic
from gqlstock.rules.ledger import Level
from gqlstock.rules.refusals import invalid, wrong_state
from gqlstock.services import alerts, reassess
from gqlstock.services.categories import named
from gqlstock.stock import ledger
from gqlstock.store import catalog, commands, database, levels, orders, outbox, reassessments, warehouses
from gqlstock.store.catalog import Item

Changes = Mapping[str, Any]
"""What a caller wants changed, by name; what is left out stays, None empties."""

_ASSESSED = frozenset(("tracking", "category"))
"""Changes of a product that alerts follow."""


async def create_product(given: Changes) -> int:
    """Make a product of ``sku``, ``name`` and whatever else is given. Answers its id."""

    async def work() -> int:
        at = database.now()
        product = Item(created_at=at, updated_at=at, tracking=InventoryTracking.TRACK_WITHOUT_OPTIONS)
        await _apply(product, {"slug": None, **given})
        await database.insert_many([product])
        await tell([product.id])
        return int(product.id)

    return await database.transaction(work)


async def update_product(sku: str, given: Changes) -> int:
    """Change what is given of a product; ``new_sku`` renames it. Answers its id."""
    product_id = await change_product(sku, given)
    if given.keys() & _ASSESSED:
        await reassess.items([product_id, *await catalog.combination_ids([product_id])])
    return product_id


async def change_product(sku: str, given: Changes) -> int:
    """As ``update_product``, also within a transaction: the product's alerts follow soon after it."""

    async def work() -> int:
        product, made = await _locked(sku)
        before, options = product.tracking, product.options
        changes = dict(given)
        if "new_sku" in changes:
            changes["sku"] = changes.pop("new_sku")
        await _apply(product, changes)
        if product.tracking is not before:
            await check_tracking(before, product, made, await _levels_in_use([product, *made]))
        if "options" in given:
            rules.check_renames(options, given["options"] or (), "options")
            made = await _follow_options(product, given["options"] or (), made)
        elif "name" in given:
            await _rewrite(product, [(combination, combination.choice) for combination in made])
        product.updated_at = database.now()
        await product.save()
        if changes.keys() & {"category", "inventory_status"}:
            await catalog.follow(product)
        await tell([product.id])
        if changes.keys() & _ASSESSED:
            await reassessments.add_items([product.id])
        return int(product.id)

    return await database.transaction(work)


async def set_status(sku: str, status: InventoryStatus) -> int:
    """Set a product's status by hand. Answers its id."""
    return await update_product(sku, {"inventory_status": status})


async def delete_product(sku: str) -> int:
    """Take a product and its combinations out of use. Answers its id."""

    async def work() -> int:
        product, made = await _locked(sku)
        await _retire([product, *made])
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
        product, made = await _locked(product_sku, "product")
        choice = rules.check_choice(options, product.options, "options")
        if not rules.is_complete(choice, product.options):
            names = ", ".join(o.name for o in rules.inventory_options(product.options))
            raise invalid(f"A combination has a value for each of: {names or 'no option'}.", "options")
        chosen = rules.inventory_part(choice, product.options)
        if not chosen:
            raise invalid(f"{product.sku} has no option that makes combinations.", "options")
        if rules.digest(chosen) in {one.choice_digest for one in made}:
            raise refusals.taken("combination", " / ".join(chosen.values()), "options")
        wanted = skus.checked(sku, "sku") if sku is not None else None
        if wanted is not None:
            await _check_sku(wanted, None)
        combination = _combination(product, chosen, wanted or (await _free_skus(product, [chosen]))[0])
        combination.own_code = rules.optional_text(code, "code", "code")
        combination.barcode = rules.optional_text(barcode, "barcode", "barcode")
        combination.own_images = catalog.stored_images(rules.images(images, "images"))
        await database.insert_many([combination])
        await tell([combination.id])
        return int(combination.id)

    return await database.transaction(work)


async def generate_combinations(product_sku: str) -> list[int]:
    """Make every combination of the inventory options that does not exist yet. Answers the new ones' ids."""

    async def work() -> list[int]:
        product, existing = await _locked(product_sku, "product")
        known = {one.choice_digest for one in existing}
        every = rules.every_choice(product.options, "product")
        choices = [choice for choice in every if rules.digest(choice) not in known]
        free = await _free_skus(product, choices)
        made = [_combination(product, choice, sku) for choice, sku in zip(choices, free, strict=True)]
        await database.insert_many(made)
        made_ids = [int(combination.id) for combination in made]
        await tell(made_ids)
        return made_ids

    return await database.transaction(work)


async def update_combination(sku: str, given: Changes) -> int:
    """Change what is given of a combination; ``new_sku`` renames it. Answers its id."""

    async def work() -> int:
        combination = await _locked_combination(sku)
        if (new_sku := given.get("new_sku")) is not None:
            combination.sku = skus.checked(new_sku, "newSku")
            await _check_sku(combination.sku, combination.id, "newSku")
        if "code" in given:
            combination.own_code = rules.optional_text(given["code"], "code", "code")
        if "barcode" in given:
            combination.barcode = rules.optional_text(given["barcode"], "barcode", "barcode")
        if "images" in given:
            combination.own_images = catalog.stored_images(rules.images(given["images"] or (), "images"))
        combination.updated_at = database.now()
        await combination.save()
        await tell([combination.id])
        return int(combination.id)

    return await database.transaction(work)


async def delete_combination(sku: str) -> int:
    """Take a combination out of use. Answers its id."""

    async def work() -> int:
        combination = await _locked_combination(sku)
        await _retire([combination])
        return int(combination.id)

    return await database.transaction(work)


async def _locked(sku: str, at: str = "sku") -> tuple[Item, list[Item]]:
    """A product in use with all its combinations in use, as they are under the lock."""
    found = await catalog.product(sku=sku)
    if found is None:
        raise refusals.missing("product", sku, at)
    # First the product alone: while it is locked nobody makes a combination of it.
    await commands.lock_items([found.id], waiting=True)
    made = (await catalog.combinations([found.id]))[found.id]
    items = await catalog.lock([found.id, *(combination.id for combination in made)])
    product = _in_use(items[found.id], "product", sku, at)
    return product, [one for one in items.values() if one is not product and one.deleted_at is None]


async def _locked_combination(sku: str) -> Item:
    found = (await catalog.by_sku([sku])).get(sku)
    if found is None or found.is_product:
        raise refusals.missing("combination", sku, "sku")
    return _in_use((await catalog.lock([found.id]))[found.id], "combination", sku, "sku")


def _in_use(item: Item, kind: str, sku: str, at: str) -> Item:
    """An item that nobody deleted or renamed before it was locked."""
    if item.deleted_at is not None or item.sku != skus.normalized(sku):
        raise refusals.missing(kind, sku, at)
    return item


async def _check_sku(sku: str, own_id: int | None, at: str = "sku") -> None:
    found = (await catalog.by_sku([sku])).get(sku)
    if found is not None and found.id != own_id:
        raise refusals.taken("product" if found.is_product else "combination", sku, at)


async def _free_skus(product: Item, choices: Sequence[rules.Choice]) -> list[str]:
    """A SKU for each new combination, made from the product's and the values, that nothing in use has."""
    taken = await catalog.skus_starting_with(rules.combination_sku_start(product.sku))
    free: list[str] = []
    for choice in choices:
        free.append(rules.combination_sku(product.sku, choice, taken))
        taken.add(free[-1])
    return free


def _combination(product: Item, choice: rules.Choice, sku: str) -> Item:
    at = database.now()
    return Item(
        product_id=product.id,
        category_id=product.category_id,
        inventory_status=product.inventory_status,
        sku=sku,
        name=rules.combination_name(product.name, choice),
        choice=dict(choice),
        choice_digest=rules.digest(choice),
        created_at=at,
        updated_at=at,
    )


async def _apply(product: Item, given: Changes) -> None:
    """Put what is given into a product, each thing checked. ``sku`` and ``name`` cannot be emptied."""
    if given.get("sku") is not None:
        at = "sku" if product.pk is None else "newSku"
        product.sku = skus.checked(given["sku"], at)
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
        product.own_images = catalog.stored_images(rules.images(given["images"] or (), "images"))
    if "category" in given:
        wanted = given["category"]
        product.category_id = (await named(wanted, "category")).id if wanted is not None else None
    if "shipping_origin" in given:
        product.shipping_origin_id = await _warehouse_id(given["shipping_origin"])
    if "options" in given:
        product.stored_options = catalog.stored_options(rules.options(given["options"] or (), "options"))
    for name in ("tracking", "published", "inventory_status"):
        if given.get(name) is not None:
            setattr(product, name, given[name])


async def _apply_slug(product: Item, wanted: str | None) -> None:
    """A slug that is given must be free; one that is not is made from the name, numbered where it is taken."""
    if wanted is None:
        taken = await catalog.slugs_starting_with(rules.free_slug(product.name, ())[:240], besides=product.pk)
        product.slug = rules.free_slug(product.name, taken)
        return
    product.slug = rules.slug(wanted, "slug")
    other = await catalog.product(slug=product.slug)
    if other is not None and other.id != product.pk:
        raise refusals.taken("product with the slug", product.slug, "slug")


async def _warehouse_id(code: str | None) -> int | None:
    if code is None:
        return None
    found = (await warehouses.warehouses_by_code([code])).get(code)
    if found is None:
        raise refusals.missing("warehouse", code, "shippingOrigin")
    return int(found.id)


async def _follow_options(product: Item, options: Sequence[Option], made: Sequence[Item]) -> list[Item]:
    """Bring combinations in line with their product's new options; those that no longer fit go out of use."""
    wanted = [(combination, rules.renamed(combination.choice, options)) for combination in made]
    # One with a new name goes before the one that had that name so far.
    wanted.sort(key=lambda one: one[1] == one[0].choice)
    kept: dict[str, tuple[Item, rules.Choice]] = {}
    gone = []
    for combination, choice in wanted:
        digest = rules.digest(choice)
        if digest in kept or not rules.fits(choice, options):
            gone.append(combination)
        else:
            # In the order of the product's options.
            kept[digest] = combination, rules.inventory_part(choice, options)
    await _retire(gone, "options")
    await _rewrite(product, list(kept.values()))
    return [combination for combination, _ in kept.values()]


async def _rewrite(product: Item, choices: Sequence[tuple[Item, rules.Choice]]) -> None:
    """Give combinations of a product their choices, and the names that follow from them."""
    at = database.now()
    changed = []
    for combination, choice in choices:
        name = rules.combination_name(product.name, choice)
        if (combination.name, list(combination.choice.items())) != (name, list(choice.items())):
            combination.name, combination.choice, combination.updated_at = name, dict(choice), at
            combination.choice_digest = rules.digest(choice)
            changed.append(combination)
    await catalog.rewrite(changed)


async def check_tracking(
    before: InventoryTracking, product: rules.Item | Item, made: Sequence[rules.Item | Item], in_use: Sequence[Level]
) -> None:
    """Changing between counted modes leaves levels behind: there must be nothing on them. To and from uncounted: always."""
    counted = {InventoryTracking.TRACK_WITHOUT_OPTIONS, InventoryTracking.TRACK_WITH_OPTIONS}
    if {before, product.tracking} != counted:
        return
    left_behind = [product] if rules.counts_combinations(product.tracking) else list(made)
    await check_unused(left_behind, in_use, "tracking")


async def check_unused(items: Sequence[rules.Item | Item], in_use: Sequence[Level], at: str = "sku") -> None:
    """Refuse while a level of one of the items has units or claims, or an open order has one of them.

    ``in_use`` are levels in use, those of the items among them.
    """
    if not items:
        return
    by_id = {item.id: item for item in items}
    for level in in_use:
        if level.item_id in by_id and any(level.figures):
            raise wrong_state(f"{by_id[level.item_id].sku} still has stock or claims in a warehouse.", at)
    order_id = await orders.open_order_of([item.id for item in items])
    if order_id is not None:
        told = refusals.shown(", ".join(item.sku for item in items))
        raise wrong_state(f"Order {order_rules.number(order_id)} still waits for one of: {told}.", at)


async def _levels_in_use(items: Sequence[Item]) -> list[Level]:
    """The levels in use of locked items, without what expired holds keep."""
    found, _ = await levels.of_items({item.id for item in items}, database.now())
    return [level for level in found if level.deleted_at is None]


async def _retire(items: Sequence[Item], at: str = "sku") -> None:
    """Take locked items out of use, with their levels; nobody is told any more that they are low."""
    now = database.now()
    unused = await _levels_in_use(items)
    await check_unused(items, unused, at)
    await catalog.retire(items, now)
    await ledger.retire(unused, now)
    await alerts.resolve([item.id for item in items], now)
    await tell([item.id for item in items])


async def tell(item_ids: Sequence[int]) -> None:
    """Let it be known that something about these items has changed."""
    await outbox.add([Event(Topic.ITEM, item_id) for item_id in item_ids])
