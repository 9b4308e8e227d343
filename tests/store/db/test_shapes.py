"""A query that is compiled once for its shape is, with any values, what Tortoise makes of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from gqlstock.rules.catalog import InventoryStatus
from gqlstock.rules.paging import SortOrder
from gqlstock.store import catalog
from gqlstock.store.catalog import Item
from gqlstock.store.db import keyset, shapes, sql
from gqlstock.store.inventory import InventoryLevel

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
IDS = st.integers(-(2**63), 2**63 - 1)
# Tortoise writes the text * into its statement, where it is as right as a parameter.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8).filter(lambda text: text != "*")


def page(query: Any, column: str, key: Any, *, limit: int = 25, descending: bool = False) -> QuerySet[Any]:
    order = SortOrder(column, descending)
    if key is not None:
        query = query.filter(keyset.beyond(query, order, key))
    found: QuerySet[Any] = query.order_by(*keyset.sort(order)).limit(limit)
    return found


def check(query: QuerySet[Any]) -> None:
    _, statement, values = shapes.compiled(query)
    assert (statement, values) == sql.compiled(query)[1:]


@given(
    categories=st.lists(IDS, max_size=4),
    name=TEXTS,
    row_id=IDS,
    products=st.sets(IDS, max_size=3) | st.none(),
    excluded=IDS | st.none(),
    descending=st.booleans(),
    column=st.sampled_from(["name", "sku", "id", "slug"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_pages_of_items(
    db: None,
    categories: list[int],
    name: str,
    row_id: int,
    products: set[int] | None,
    excluded: int | None,
    descending: bool,
    column: str,
) -> None:
    query = catalog.live_items().filter(catalog.in_categories(categories))
    if products is not None:
        query = query.filter(Q(id__in=products) | Q(product_id__gt=row_id))
    if excluded is not None:
        query = query.exclude(id=excluded)

    check(page(query, column, (name, row_id), descending=descending))
    check(page(query, column, None, descending=descending))


@pytest.mark.parametrize(
    "query",
    [
        lambda n: page(Item.filter(sku__in=[f" A{n} "]), "name", None),
        lambda n: page(Item.filter(inventory_status=InventoryStatus.IN_STOCK), "name", (f"{n}", n)),
        lambda n: page(Item.filter(published=n % 2 == 0), "name", None),
        lambda n: page(Item.filter(updated_at__gte=NOON + timedelta(n)), "updated_at", (NOON + timedelta(n), n)),
        lambda n: page(Item.filter(name__icontains=f"x{n}"), "id", ("", n)),
        lambda n: page(Item.filter(name__startswith=f"x{n}"), "id", ("", n)),
        lambda n: page(Item.filter(levels__warehouse__code=f"W{n}"), "name", None),
        lambda n: page(Item.filter(category_id=n).exclude(barcode=f"{n}"), "sku", (f" B{n}", n)),
        lambda n: page(InventoryLevel.filter(item_id__in=[n, n, 25]), "on_hand", (Decimal(n), n)),
        lambda n: page(InventoryLevel.filter(on_hand__gt=Decimal(n)), "id", ("", n), limit=n + 1),
        lambda n: page(Item.filter(id__in=[]), "id", ("", n)),
    ],
)
def test_queries_of_other_columns(db: None, query: Any) -> None:
    for number in (0, 1, 25, 26):
        check(query(number))


def test_a_shape_is_compiled_once(db: None) -> None:
    before = len(shapes._statements)

    for number in range(5):
        check(page(catalog.live_products().filter(category_id=number), "name", (f"{number}", number), limit=137))
    assert len(shapes._statements) == before + 1
    check(page(catalog.live_products().filter(category_id=1), "name", None, limit=137))
    assert len(shapes._statements) == before + 2
