"""Creates, changes and deletes products, and updates the fields that they share with their combinations."""

import logging
from collections.abc import Callable, Collection

from gqlstock.rules import skus
from gqlstock.rules.catalog import InventoryStatus, Item
from gqlstock.rules.catalog_edits import CatalogEdits
from gqlstock.rules.catalog_rows import Changes
from gqlstock.services import edit_catalog, reassess, status
from gqlstock.services.edit_catalog import CatalogNames
from gqlstock.store import catalog
from gqlstock.store.db import transactions

log = logging.getLogger(__name__)


async def create_product(changes: Changes) -> int:
    """Create a product from ``sku``, ``name`` and the other given fields. Returns its id."""
    names = CatalogNames()
    names.add_product(changes["sku"], changes)
    return await _edit(names, lambda edits: edits.create_product(changes))


async def update_product(sku: str, changes: Changes) -> int:
    """Change the given fields of a product; ``new_sku`` renames it. Returns its id."""
    names = CatalogNames()
    names.add_product(sku, changes)
    return await _edit(names, lambda edits: edits.change_product(edits.product(sku), changes))


async def set_status(sku: str, status: InventoryStatus) -> int:
    """Set a product's status manually. Returns its id."""
    return await update_product(sku, {"inventory_status": status})


async def delete_product(sku: str) -> int:
    """Delete a product with its combinations. Returns its id."""

    def decide(edits: CatalogEdits) -> Item:
        product = edits.product(sku)
        edits.retire([product, *edits.members(product)], "sku")
        return product

    return await _edit(CatalogNames(products={skus.normalized(sku)}), decide)


async def _edit(names: CatalogNames, decide: Callable[[CatalogEdits], Item]) -> int:
    """Edit the catalog in a transaction. Returns the id of the item."""
    item, edited = await transactions.run(lambda: edit_catalog.run(names, decide))
    await reassess_products(edited.reassessed)
    return edited.id_of(item)


async def reassess_products(product_ids: Collection[int]) -> None:
    """Update the alerts of products and their combinations after a change is committed.

    Never fails: the change has queued them in its transaction, so housekeeping updates what remains.
    """
    if not product_ids:
        return
    try:
        await reassess.items([*product_ids, *await catalog.combination_ids(product_ids)])
    except Exception as error:
        status.log_failure(log, "updating alerts failed; housekeeping retries", error)
