"""Explains the salable quantity of an item on a website. ``rules.explanation`` computes the terms."""

from dataclasses import dataclass

from gqlstock.rules import explanation, fallback
from gqlstock.rules.assortment import Assortment
from gqlstock.rules.catalog import Item, counts_combinations
from gqlstock.rules.explanation import Term
from gqlstock.rules.fallback import Origin
from gqlstock.rules.network import Warehouse
from gqlstock.rules.scopes import SYSTEM, Caller
from gqlstock.services import assortments
from gqlstock.services.availability import Showing
from gqlstock.stock import network, present


@dataclass(frozen=True, slots=True)
class ExplainedTerm:
    """A term with its warehouse and, for a threshold, the place that its value comes from."""

    term: Term
    warehouse: str | None
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a website shows of an item, with the terms behind its salable quantity."""

    showing: Showing
    terms: list[ExplainedTerm]


async def of_sku(sku: str, website: str | None, caller: Caller) -> Explanation | None:
    """The explanation of an item, by SKU; None for an unknown SKU and while no website exists."""
    item = (await present.by_sku([sku])).get(sku)
    channel = await assortments.channel(website)
    if item is None or channel is None:
        return None
    here = await present.assortment([item], channel)
    return Explanation(assortments.shown(item, here.assess(item), here, caller), await explain(item, here, caller))


async def explain(item: Item, assortment: Assortment, caller: Caller = SYSTEM) -> list[ExplainedTerm]:
    """The terms that add up to an item's salable quantity; empty for uncounted items.

    A product tracked with options has the terms of its orderable combinations. A caller limited to some warehouses gets
    only their terms.
    """
    known = await network.warehouses({one.warehouse_id for one, _ in assortment.channel.assigned})
    product = assortment.lookup.product(item)
    if item.is_product and counts_combinations(product.tracking):
        members = [c for c in assortment.combinations(item) if assortment.assess(c).orderable]
    else:
        members = [item]
    return [term for member in members for term in _explain(member, assortment, known, caller)]


def _explain(item: Item, assortment: Assortment, known: dict[int, Warehouse], caller: Caller) -> list[ExplainedTerm]:
    sellable = assortment.sellable(item)
    if not sellable.counted:
        return []
    sources = [source for source in sellable.sources if caller.reaches(source.warehouse_id)]
    if not sources and caller.warehouses is not None:
        # This caller must not see whether another warehouse has counted the item.
        sources = [source for source in assortment.uncounted_source(item) if caller.reaches(source.warehouse_id)]
    terms = explanation.explain(sellable.settings, sources, lambda place: known[place].name)
    terms += [
        explanation.inactive(one.warehouse_id, known[one.warehouse_id].name)
        for one, active in assortment.channel.assigned
        if not active and caller.reaches(one.warehouse_id)
    ]
    threshold = fallback.origin("out_of_stock_threshold", assortment.lookup.places(item, assortment.channel))
    return [
        ExplainedTerm(
            term,
            known[term.warehouse_id].code if term.warehouse_id is not None else None,
            threshold if term.of_threshold else None,
        )
        for term in terms
    ]
