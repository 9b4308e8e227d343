"""Upserts products by SKU: decides each row of a call in turn, and creates or changes its product."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gqlstock.rules import catalog, refusals, skus
from gqlstock.rules.catalog import Item
from gqlstock.rules.catalog_edits import CatalogEdits
from gqlstock.rules.catalog_rows import Changes
from gqlstock.rules.refusals import Refusal, Refused, collected, invalid, shown, too_many

MAX_PRODUCTS = 250
MAX_COMBINATIONS = 2_000


@dataclass(frozen=True, slots=True)
class CombinationRow:
    """One combination. ``fields``: barcode, code and images, if given."""

    sku: str
    options: tuple[tuple[str, str], ...]
    fields: Changes = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product. ``fields``: all given fields except the SKU, by the names of ``CatalogEdits.change_product``."""

    sku: str
    fields: Changes = field(default_factory=dict)
    combinations: tuple[CombinationRow, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UpsertRequest:
    products: tuple[ProductRow, ...]
    partial: bool = False

    def check_size(self) -> None:
        """Refuse a call without products, or with too many."""
        if not self.products:
            raise invalid("products is empty; name at least one.", "products")
        if len(self.products) > MAX_PRODUCTS:
            raise too_many("products", len(self.products), MAX_PRODUCTS, "products")
        count = sum(len(row.combinations) for row in self.products)
        if count > MAX_COMBINATIONS:
            raise too_many("combinations", count, MAX_COMBINATIONS, "products")

    @property
    def has_settings(self) -> bool:
        return any(row.settings or any(one.settings for one in row.combinations) for row in self.products)


@dataclass(frozen=True, slots=True)
class Upserted:
    """The products of the accepted rows, in order, and the refusals of the others."""

    products: list[Item]
    refusals: list[Refusal]


def decide(edits: CatalogEdits, request: UpsertRequest) -> Upserted:
    """Edit the catalog by the rows. A refused row refuses the whole call; with ``partial``, only itself."""
    products: list[Item] = []
    refused: list[Refusal] = []
    for number, (row, repeated) in enumerate(zip(request.products, _repeated(request.products), strict=True)):
        with collected(refused, "products", number), edits.undone_if_refused():
            if repeated:
                raise Refused(repeated)
            products.append(_upsert(edits, row))
    if refused and not request.partial:
        raise Refused(refused)
    return Upserted(products, refused)


def _repeated(rows: Sequence[ProductRow]) -> list[list[Refusal]]:
    """For each row, the refusals of SKUs that occurred before, in any spelling."""
    seen: set[str] = set()
    found: list[list[Refusal]] = []
    for row in rows:
        found.append([])
        of_combinations = [(one.sku, ("combinations", number, "sku")) for number, one in enumerate(row.combinations)]
        named: list[tuple[str, refusals.Path]] = [(row.sku, ("sku",)), *of_combinations]
        for given, path in named:
            sku = skus.normalized(given)
            if sku in seen:
                error = invalid(f"The SKU {shown(sku)} occurs twice; name each SKU once.", *path)
                found[-1] += error.refusals
            seen.add(sku)
    return found


def _upsert(edits: CatalogEdits, row: ProductRow) -> Item:
    product = _upsert_product(edits, row)
    refused: list[Refusal] = []
    if row.settings:
        with collected(refused):
            edits.change_settings(product, row.settings)
    for number, one in enumerate(row.combinations):
        with collected(refused, "combinations", number):
            combination = _upsert_combination(edits, product, one)
            if one.settings:
                edits.change_settings(combination, one.settings)
    if refused:
        raise Refused(refused)
    return product


def _upsert_product(edits: CatalogEdits, row: ProductRow) -> Item:
    found = edits.by_sku(row.sku)
    if found is not None and not found.is_product:
        raise refusals.taken("combination", row.sku, "sku")
    if found is not None:
        return edits.change_product(found, row.fields)
    if row.fields.get("name") is None:
        raise invalid("A new product needs a name.", "name")
    if row.combinations and row.fields.get("tracking") is None:
        raise invalid("A new product with combinations needs tracking.", "tracking")
    return edits.create_product({"sku": row.sku, **row.fields})


def _upsert_combination(edits: CatalogEdits, product: Item, row: CombinationRow) -> Item:
    found = edits.by_sku(row.sku)
    if found is None:
        return edits.create_combination(product, row.options, row.fields, sku=row.sku)
    if found.product_id != product.id:
        raise refusals.taken("product" if found.is_product else "combination", row.sku, "sku")
    options = edits.options(product)
    choice = catalog.check_choice(row.options, options, "options")
    if catalog.inventory_part(choice, options) != found.choice:
        values = shown(" / ".join(found.choice.values()))
        raise invalid(
            f"{found.sku} is the combination {values}. The options of a combination cannot change.", "options"
        )
    return edits.change_combination(found, row.fields)
