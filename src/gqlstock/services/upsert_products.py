"""Creates and changes products with their combinations and settings, in a fixed number of statements."""

from collections.abc import Mapping
from typing import Any

from gqlstock.rules import product_upsert as rules
from gqlstock.rules.product_upsert import CombinationRow, ProductRow, UpsertRequest
from gqlstock.rules.scopes import Caller
from gqlstock.rules.settings import camel
from gqlstock.services import catalog, edit_catalog
from gqlstock.services.edit_catalog import CatalogNames
from gqlstock.stock import idempotency
from gqlstock.stock.command import Result
from gqlstock.store.db import transactions


async def upsert(caller: Caller, request: UpsertRequest, key: str | None = None) -> Result:
    """Create the products whose SKUs do not exist, and change the others. Returns the ids of the products.

    If one product is invalid, all are refused, unless ``partial`` is set. Unchanged rows are not written.
    """
    request.check_size()
    reassessed: list[int] = []

    async def work() -> Result:
        names = _names(request)
        done, edited = await edit_catalog.run(names, lambda edits: rules.decide(edits, request))
        if edited.is_empty:
            transactions.allow_repeat()
        reassessed[:] = edited.reassessed
        return Result({"products": [edited.id_of(product) for product in done.products]}, done.refusals)

    result = await idempotency.once(idempotency.key_of(caller, "upsertProducts", key, _canonical(request)), work)
    await catalog.reassess_products(reassessed)
    return result


def _names(request: UpsertRequest) -> CatalogNames:
    names = CatalogNames(settings=request.has_settings)
    for row in request.products:
        names.add_product(row.sku, row.fields)
        for one in row.combinations:
            names.add_sku(one.sku)
    return names


def _canonical(request: UpsertRequest) -> Mapping[str, Any]:
    """The request with the API's names. A null field differs from an omitted one."""
    products = [
        {**_row(row), **({"combinations": [_row(one) for one in row.combinations]} if row.combinations else {})}
        for row in request.products
    ]
    return {"products": products, **({"partial": True} if request.partial else {})}


def _row(row: ProductRow | CombinationRow) -> Mapping[str, Any]:
    settings = {"settings": {camel(name): value for name, value in row.settings.items()}} if row.settings else {}
    options = {"options": row.options} if isinstance(row, CombinationRow) else {}
    return {"sku": row.sku, **{camel(name): value for name, value in row.fields.items()}, **options, **settings}
