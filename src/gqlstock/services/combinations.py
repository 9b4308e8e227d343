"""Creates, changes and deletes combinations of a product's inventory options."""

from collections.abc import Sequence

from gqlstock.rules import combinations, skus
from gqlstock.rules.catalog import Image, Item, digest
from gqlstock.rules.catalog_edits import CatalogEdits
from gqlstock.rules.catalog_rows import Changes
from gqlstock.services import edit_catalog
from gqlstock.services.edit_catalog import CatalogNames
from gqlstock.store import catalog
from gqlstock.store.db import transactions


async def create(
    product_sku: str,
    options: Sequence[tuple[str, str]],
    *,
    sku: str | None = None,
    code: str | None = None,
    barcode: str | None = None,
    images: Sequence[Image] = (),
) -> int:
    """Create the combination of a product for a complete choice of option values. Returns its id."""
    changes = {"code": code, "barcode": barcode, "images": images}
    names = CatalogNames(products={skus.normalized(product_sku)})
    if sku is None:
        names.generated.add(combinations.sku_start(skus.normalized(product_sku)))
    names.add_sku(sku)

    def decide(edits: CatalogEdits) -> Item:
        return edits.create_combination(edits.product(product_sku, "product"), options, changes, sku=sku)

    created, edited = await transactions.run(lambda: edit_catalog.run(names, decide))
    return edited.id_of(created)


async def generate(product_sku: str) -> list[int]:
    """Create every missing combination of the inventory options. Returns the ids of the new ones."""
    sku = skus.normalized(product_sku)
    names = CatalogNames(products={sku}, generated={combinations.sku_start(sku)})

    def decide(edits: CatalogEdits) -> list[Item]:
        product = edits.product(product_sku, "product")
        known = {one.choice_digest for one in edits.members(product)}
        every = combinations.every_choice(product.options, "product")
        missing = [tuple(choice.items()) for choice in every if digest(choice) not in known]
        return [edits.create_combination(product, options, {}) for options in missing]

    created, edited = await transactions.run(lambda: edit_catalog.run(names, decide))
    return [edited.id_of(one) for one in created]


async def skus_of(combination_ids: Sequence[int]) -> list[str]:
    """The SKUs of combinations, in the order of their ids."""
    found = await catalog.items(combination_ids)
    return [found[one].sku for one in sorted(combination_ids)]


async def update(sku: str, changes: Changes) -> int:
    """Change the given fields of a combination; ``new_sku`` renames it. Returns its id."""
    names = CatalogNames()
    names.add_combination(sku, changes)
    changed, _ = await transactions.run(
        lambda: edit_catalog.run(names, lambda edits: edits.change_combination(edits.combination(sku), changes))
    )
    return changed.id


async def delete(sku: str) -> int:
    """Delete a combination. Returns its id."""

    def decide(edits: CatalogEdits) -> Item:
        combination = edits.combination(sku)
        edits.retire([combination], "sku")
        return combination

    names = CatalogNames(combinations={skus.normalized(sku)})
    deleted, _ = await transactions.run(lambda: edit_catalog.run(names, decide))
    return deleted.id
