"""Creates, changes and deletes combinations of a product's inventory options."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gqlstock.rules import catalog as rules
from gqlstock.rules import combinations, refusals, skus
from gqlstock.rules.catalog import Image, Item
from gqlstock.rules.events import items_changed
from gqlstock.rules.refusals import invalid
from gqlstock.services.catalog import Changes, check_sku, in_use, locked_product
from gqlstock.services.delete_items import retire
from gqlstock.store import catalog, outbox
from gqlstock.store.db import clock, transactions


async def create(
    product_sku: str,
    options: Sequence[tuple[str, str]],
    *,
    sku: str | None = None,
    code: str | None = None,
    barcode: str | None = None,
    images: Sequence[Image] = (),
) -> int:
    """Create the combination of a product for a complete choice. Returns its id."""

    async def work() -> int:
        product, members = await locked_product(product_sku, "product")
        choice = rules.check_choice(options, product.options, "options")
        if not rules.is_complete(choice, product.options):
            names = ", ".join(o.name for o in rules.inventory_options(product.options))
            raise invalid(f"A combination has a value for each of: {names or 'no option'}.", "options")
        chosen = rules.inventory_part(choice, product.options)
        if not chosen:
            raise invalid(f"{product.sku} has no option that makes combinations.", "options")
        if rules.digest(chosen) in {one.choice_digest for one in members}:
            raise refusals.taken("combination", " / ".join(chosen.values()), "options")
        own_sku = skus.checked(sku, "sku") if sku is not None else None
        if own_sku is not None:
            await check_sku(own_sku, None)
        new_sku = own_sku or (await _free_skus(product, [chosen]))[0]
        own = _own({"code": code, "barcode": barcode, "images": images})
        (created,) = await catalog.insert([replace(combinations.new(product, chosen, new_sku, clock.now()), **own)])
        await outbox.add(items_changed([created]))
        return created.id

    return await transactions.run(work)


async def generate(product_sku: str) -> list[int]:
    """Create every missing combination of the inventory options. Returns the ids of the new ones."""

    async def work() -> list[int]:
        product, members = await locked_product(product_sku, "product")
        known = {one.choice_digest for one in members}
        every = combinations.every_choice(product.options, "product")
        choices = [choice for choice in every if rules.digest(choice) not in known]
        free = await _free_skus(product, choices)
        at = clock.now()
        new = [combinations.new(product, choice, sku, at) for choice, sku in zip(choices, free, strict=True)]
        created = await catalog.insert(new)
        await outbox.add(items_changed(created))
        return [combination.id for combination in created]

    return await transactions.run(work)


async def update(sku: str, given: Changes) -> int:
    """Change the given fields of a combination; ``new_sku`` renames it. Returns its id."""

    async def work() -> int:
        before = await _locked(sku)
        after = replace(before, updated_at=clock.now())
        if (new_sku := given.get("new_sku")) is not None:
            after = replace(after, sku=skus.checked(new_sku, "newSku"))
            await check_sku(after.sku, after.id, "newSku")
        await catalog.update(before, replace(after, **_own(given)))
        await outbox.add(items_changed([after]))
        return after.id

    return await transactions.run(work)


async def delete(sku: str) -> int:
    """Delete a combination. Returns its id."""

    async def work() -> int:
        combination = await _locked(sku)
        await retire([combination])
        return combination.id

    return await transactions.run(work)


def _own(given: Changes) -> dict[str, Any]:
    """The given fields that a combination has of its own, checked."""
    own: dict[str, Any] = {}
    if "code" in given:
        own["own_code"] = rules.optional_text(given["code"], "code", "code")
    if "barcode" in given:
        own["barcode"] = rules.optional_text(given["barcode"], "barcode", "barcode")
    if "images" in given:
        own["own_images"] = rules.stored_images(rules.images(given["images"] or (), "images"))
    return own


async def _locked(sku: str) -> Item:
    found = (await catalog.by_sku([sku])).get(sku)
    if found is None or found.is_product:
        raise refusals.missing("combination", sku, "sku")
    return in_use((await catalog.lock([found.id]))[found.id], "combination", sku, "sku")


async def _free_skus(product: Item, choices: Sequence[rules.Choice]) -> list[str]:
    """A free SKU for each new combination, made from the product's SKU and the values."""
    taken = await catalog.skus_starting_with(combinations.sku_start(product.sku))
    free: list[str] = []
    for choice in choices:
        free.append(combinations.sku(product.sku, choice, taken))
        taken.add(free[-1])
    return free
