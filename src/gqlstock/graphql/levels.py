"""Lists of inventory levels, wherever they hang: their filter, their order, and the levels of many parents at once."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import strawberry

from gqlstock.graphql import nodes, paging, reach
from gqlstock.graphql.context import Info
from gqlstock.graphql.enums import described
from gqlstock.graphql.errors import BadUserInput
from gqlstock.graphql.paging import After, Before, First, Last, Page, Reverse
from gqlstock.rules import skus
from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.scopes import Caller
from gqlstock.store import catalog, categories, search, warehouses
from gqlstock.store import levels as rows
from gqlstock.store.db.keyset import SortOrder

MAX_NAMES = 250
# Databases refuse to look for much longer texts; nothing that is looked in is longer.
_LONGEST_SEARCH = 1_000


class InventoryLevelSort(StrEnum):
    SKU = "item__sku"
    NAME = "item__name"
    AVAILABLE = "available"
    ON_HAND = "on_hand"
    UPDATED = "updated_at"


described(
    InventoryLevelSort,
    "What levels can be sorted by.",
    {
        "SKU": "The item's SKU.",
        "NAME": "The item's name.",
        "AVAILABLE": "What is available, least first.",
        "ON_HAND": "What is on hand, least first.",
        "UPDATED": "When it last changed, longest ago first.",
    },
)


@strawberry.input(description="Which levels to list; everything given must hold.")
class InventoryLevelFilter:
    search: str | None = strawberry.field(
        default=None, description="Looks in name, SKU, code and barcode, without case and accents."
    )
    website: str | None = strawberry.field(default=None, description="Only in warehouses that this website sells from.")
    available_at_least: Decimal | None = strawberry.field(default=None, description="Only with as much available.")
    updated_since: datetime | None = strawberry.field(default=None, description="Only changed at or after that moment.")
    skus: list[str] | None = strawberry.field(default=None, description="Only of these items.")
    warehouses: list[str] | None = strawberry.field(default=None, description="Only in these warehouses, by code.")
    product: str | None = strawberry.field(
        default=None, description="Only of the product of this SKU and its combinations."
    )
    category: str | None = strawberry.field(
        default=None, description="Only of products in this category or one below it, by slug."
    )
    available_below: Decimal | None = strawberry.field(default=None, description="Only with less available.")
    status: list[InventoryStatus] | None = strawberry.field(
        default=None, description="Only of products whose status set by hand is one of these."
    )
    include_deleted: bool | None = strawberry.field(default=None, description="Also those that were taken out of use.")


FilterArg = Annotated[InventoryLevelFilter | None, strawberry.argument(description="Which levels to list.")]
SortArg = Annotated[InventoryLevelSort, strawberry.argument(description="What to sort by.")]


async def query(chosen: InventoryLevelFilter | None, caller: Caller) -> Any:
    """The levels that a filter lets through, of those that the caller may see."""
    everything = chosen is not None and chosen.include_deleted
    found = reach.within(rows.all_levels() if everything else rows.live_levels(), caller)
    if chosen is None:
        return found
    if chosen.search:
        found = found.filter(await search.items(searched(chosen.search), "item__"))
    if chosen.skus is not None:
        found = found.filter(item__sku__in=limited(chosen.skus, "skus"), item__deleted_at=None)
    if chosen.warehouses is not None:
        found = found.filter(warehouse__code__in=limited(chosen.warehouses, "warehouses"))
    if chosen.website is not None:
        found = found.filter(warehouse_id__in=await _sold_from(chosen.website))
    if chosen.product is not None:
        found = found.filter(await catalog.of_product(chosen.product, "item_id"))
    if chosen.category is not None:
        found = found.filter(catalog.in_categories(await category_ids(chosen.category), "item__"))
    if chosen.available_at_least is not None:
        found = found.filter(available__gte=chosen.available_at_least)
    if chosen.available_below is not None:
        found = found.filter(available__lt=chosen.available_below)
    if chosen.updated_since is not None:
        found = found.filter(updated_at__gte=chosen.updated_since)
    if chosen.status is not None:
        found = found.filter(catalog.with_status(chosen.status, "item__"))
    return found


async def _sold_from(website: str) -> list[int]:
    channel = (await warehouses.network()).find(website)
    if channel is None:
        raise BadUserInput(f"There is no website {website:.80}.")
    return [one.warehouse_id for one, _ in channel.assigned]


async def category_ids(slug: str) -> list[int]:
    """A category and all below it; refused when there is none of that slug."""
    found = await categories.category(slug)
    if found is None:
        raise BadUserInput(f"There is no category {slug:.80}.")
    return await categories.subtree(found.id)


def searched(text: str) -> str:
    """A text to look for that is not too long to be found."""
    if len(text) > _LONGEST_SEARCH:
        raise BadUserInput(f"search has {len(text)} characters: at most {_LONGEST_SEARCH}.")
    return text


def limited(values: Sequence[str], name: str) -> set[str]:
    """SKUs or codes as they are stored, of a list that is not too long for one question."""
    if len(values) > MAX_NAMES:
        raise BadUserInput(f"{len(values)} {name} are too many: at most {MAX_NAMES}.")
    return {skus.normalized(value) for value in values}


def below(column: str) -> Any:
    """A batch function for the levels below each parent, by the column that names it."""

    async def inventory_levels(
        parents: Sequence[Any],
        info: Info,
        filter: FilterArg = None,
        sort: SortArg = InventoryLevelSort.SKU,
        reverse: Reverse = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> list[Any]:
        page = Page.of(first, after, last, before)
        order = SortOrder(sort.value, reverse)
        ids = [parent.row.id for parent in parents]
        found = await query(filter, info.context.caller)
        return await paging.nested(page, order, found, column, ids, nodes.show, rows.current)

    return inventory_levels
