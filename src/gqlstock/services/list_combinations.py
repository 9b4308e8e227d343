"""Lists the combinations of products."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gqlstock.rules import combinations
from gqlstock.rules.catalog import Item
from gqlstock.rules.paging import Key, SortOrder, Span
from gqlstock.stock import lists, present
from gqlstock.stock.lists import QueryRowsBelow, RowsBelow
from gqlstock.store import catalog


def of_products(products: Sequence[Item]) -> RowsBelow[Item]:
    """The combinations in use of each product, by id."""
    # Products without options have none: combinations that don't fit a product's options are deleted.
    with_options = [product for product in products if combinations.possible(product)]
    return _Combinations(with_options, _rows([product.id for product in with_options]))


def _rows(product_ids: Sequence[int]) -> QueryRowsBelow[Item]:
    return QueryRowsBelow(catalog.live_items(), "product_id", product_ids)


@dataclass(slots=True)
class _Combinations:
    """Availability loads all combinations of a product. A page large enough for all of them reuses these."""

    products: Sequence[Item]
    rows: QueryRowsBelow[Item]
    found: Mapping[int, Sequence[Item]] = field(default_factory=dict, init=False)
    """The products with few combinations."""

    @property
    def name(self) -> str:
        return self.rows.name

    def kind(self, order: SortOrder) -> type:
        return self.rows.kind(order)

    async def pages(self, span: Span) -> Mapping[int, Sequence[tuple[Item, Key]]]:
        few = {product.id for product in self.products if combinations.possible(product) < span.limit}
        many = [product.id for product in self.products if product.id not in few]
        pages = dict(await _rows(many).pages(span)) if many else {}
        self.found = await present.combinations(few) if few else {}
        for product_id, found in self.found.items():
            pages[product_id] = lists.between([(one, (one.id, one.id)) for one in found], span)
        return pages

    async def counts(self) -> Mapping[int, int]:
        if self.found.keys() >= {product.id for product in self.products}:
            return {product_id: len(found) for product_id, found in self.found.items()}
        return await self.rows.counts()
