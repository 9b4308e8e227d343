"""Documents with everything that clients of a shop can query: each root field with all fields below it."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import build_schema, get_named_type, is_composite_type, is_required_argument

from gqlstock.graphql.schema.root import text
from gqlstock.rules import ids

SCHEMA = build_schema(text())

SKUS = ("MUG", "CUP", "JAR", "POSTER", "SHIRT", "SHIRT-S", "SHIRT-M", "SHIRT-L", "NEW")
PLACES = ("BERLIN", "PARIS", "OSLO")
WEBSITES = ("shop", "outlet")
CATEGORIES = ("kitchen", "cups", "garden")

PUBLIC, CATALOG, STOCK, ADMIN, BERLIN = "public", "catalog", "stock", "admin", "berlin"
SCOPES: Mapping[str, tuple[str, ...]] = {
    CATALOG: ("catalog:read",),
    STOCK: ("inventory:read",),
    ADMIN: ("admin",),
    BERLIN: ("catalog:read", "inventory:read", "orders:read"),
}
"""The scopes of each caller with a token. BERLIN is limited to that warehouse."""

# Answers with orders, holds or reports are never cached.
_PERSONAL = {
    *("Order", "OrderLine", "Allocation", "Shipment", "StockHold", "BackInStockSubscription"),
    *("InventoryTransfer", "InventoryTransferLine", "InventoryTransferConnection"),
    *("OrderConnection", "AllocationConnection", "ShipmentConnection", "StockHoldLine"),
}
# These change over time, or are errors for most products.
_LEFT_OUT = {"stockoutDate", "daysOfCover", "selection"}
_NEEDS_A_SCOPE = {
    *("inventoryLevel", "inventoryLevels", "inventoryTotals", "inventorySettings", "settingOrigins", "shippingOrigin")
}
"""Fields of public types that the public may not read."""
_ARGUMENTS = {
    "warehouse": '"BERLIN"',
    "options": '[{ name: "Size", value: "S" }]',
    "time": '"2030-01-01T06:00:00Z"',
    "first": "3",
}


def inside(kind: Any, depth: int, without: Collection[str] = frozenset()) -> str:
    """All fields of a type and of the types below it. ``without``: fields and types to leave out."""
    kind = get_named_type(kind)
    asked = ["__typename"]
    for name, field in getattr(kind, "fields", {}).items():
        below = get_named_type(field.type)
        if name in _LEFT_OUT or {name, below.name} & {*without} or (is_composite_type(below) and not depth):
            continue
        wanted = {arg for arg, one in field.args.items() if is_required_argument(one)} | ({"first"} & set(field.args))
        given = f"({', '.join(f'{arg}: {_ARGUMENTS[arg]}' for arg in sorted(wanted))})" if wanted else ""
        selected = f" {{ {inside(below, depth - 1, without)} }}" if is_composite_type(below) else ""
        asked.append(f"{name}{given}{selected}")
    return " ".join(asked)


@dataclass(frozen=True, slots=True)
class Question:
    caller: str
    query: str
    variables: Mapping[str, Any]
    keeps: bool
    """Whether an answer without errors is cached."""

    @property
    def body(self) -> bytes:
        return json.dumps({"query": self.query, "variables": self.variables}).encode()


def _ask(root: str, given: str = "", *, keeps: bool = True, public: bool = False) -> str:
    assert SCHEMA.query_type is not None
    kind = SCHEMA.query_type.fields[root].type
    without = (_PERSONAL if keeps else set()) | (_NEEDS_A_SCOPE if public else set())
    return f"query {{ {root}{f'({given})' if given else ''} {{ {inside(kind, 2, without)} }} }}"


def _lists() -> Iterator[tuple[str, str]]:
    """Root fields and arguments of lists, for callers with the needed scopes."""
    for sort in ("NAME", "UPDATED"):
        yield "products", f"sort: {sort}, first: 2"
    yield "products", "sort: NEWEST, reverse: true, last: 2"
    for chosen in ("inStock: true", "inStock: false", "published: true", 'category: "kitchen"', 'search: "u"'):
        yield "products", f"filter: {{ {chosen} }}, first: 10"
    yield "products", 'website: "outlet", filter: { skus: ["MUG", "SHIRT"] }'
    yield "products", 'filter: { updatedSince: "2030-01-02T00:00:00Z", tracking: TRACK_WITH_OPTIONS }'
    yield "inventoryItems", "sort: SKU, first: 4"
    for chosen in ('category: "kitchen"', 'updatedSince: "2030-01-02T00:00:00Z"'):
        yield "inventoryItems", f"filter: {{ {chosen} }}"
    yield "category", 'slug: "kitchen"'
    yield "category", 'slug: "cups", website: "outlet"'
    yield "categories", ""


def _office() -> Iterator[tuple[str, str]]:
    yield "inventoryItems", "sort: AVAILABLE, first: 4"
    of_stock = ("low", "outOfStock", "backordered", "incoming")
    by_stock = [f"{name}: {value}" for name in of_stock for value in ("true", "false")]
    for chosen in ("availableBelow: 3", 'warehouse: "PARIS"', *by_stock):
        yield "inventoryItems", f"filter: {{ {chosen} }}"
    for sort in ("SKU", "AVAILABLE", "ON_HAND", "UPDATED"):
        yield "inventoryLevels", f"sort: {sort}, first: 4"
    for chosen in (
        "availableBelow: 4",
        "availableAtLeast: 2",
        "includeDeleted: true",
        'website: "outlet"',
        'warehouses: ["PARIS"], product: "SHIRT"',
        'category: "kitchen", status: [IN_STOCK]',
        'updatedSince: "2030-01-02T00:00:00Z"',
    ):
        yield "inventoryLevels", f"filter: {{ {chosen} }}, first: 10"
    for sku, place in (("MUG", "BERLIN"), ("MUG", "PARIS"), ("SHIRT-S", "BERLIN"), ("NEW", "BERLIN")):
        yield "inventoryLevel", f'sku: "{sku}", warehouse: "{place}"'
    yield "stockMovements", "first: 5"
    yield "stockMovements", 'filter: { skus: ["MUG"], kinds: [COUNT, TRANSFER_OUT, RECEIPT] }'
    yield "stockMovements", 'filter: { since: "2030-01-01T06:00:00Z", until: "2030-01-03T00:00:00Z" }'
    yield "stockAnnouncements", "first: 5"
    for chosen in (
        "open: true",
        "overdue: true",
        "overdue: false",
        'skus: ["MUG"], warehouses: ["BERLIN"], reference: "PO-1"',
        'expectedFrom: "2030-01-01T06:00:00Z", expectedUntil: "2030-01-03T00:00:00Z"',
    ):
        yield "stockAnnouncements", f"filter: {{ {chosen} }}, reverse: true, first: 10"
    for place in PLACES:
        yield "warehouse", f'code: "{place}"'
    yield "warehouses", "first: 3"
    yield "website", 'code: "shop"'
    yield "websites", "first: 3"
    yield "organization", 'code: "acme"'
    yield "organizations", "first: 3"
    for scope in (
        "system: true",
        'website: "shop"',
        'organization: "acme"',
        'category: "cups"',
        'product: "MUG"',
        'combination: "SHIRT-S"',
        'level: { sku: "MUG", warehouse: "BERLIN" }',
    ):
        yield "inventorySettings", f"scope: {{ {scope} }}"
    for sku in ("MUG", "SHIRT", "POSTER"):
        yield "explainAvailability", f'sku: "{sku}"'
    yield "lowInventoryAlerts", "first: 5"
    yield "lowInventoryAlerts", 'filter: { acknowledged: false, category: "kitchen" }, first: 5'
    yield "lowStockReport", ""
    yield "lowStockReport", 'warehouse: "BERLIN", category: "kitchen"'


def _never_kept() -> Iterator[tuple[str, str]]:
    yield "orders", "first: 4"
    for value in ("true", "false"):
        yield "orders", f"filter: {{ toShip: {value} }}, first: 4"
    yield "shipments", "first: 3"
    yield "inventoryTransfers", "first: 3"
    yield "inventoryTransfer", 'number: "T100001"'
    yield "backInStockSubscriptions", "first: 3"
    yield "checkOrder", 'input: { lines: [{ sku: "MUG", quantity: 2 }, { sku: "SHIRT-S", quantity: 1 }] }'
    yield "order", 'number: "100001"'
    yield "orderByToken", 'token: "x"'
    yield "shipment", 'number: "S100001"'
    yield "stockHolds", "first: 3"
    yield "stockHold", f'id: "{ids.global_id("StockHold", 1)}"'
    yield "demandReport", "sort: ORDERED, first: 5"
    yield "webhookEndpoints", "first: 3"
    yield "webhookDeliveries", "first: 3"
    yield "inventoryChanges", "first: 3"
    yield "categoryDemandReport", ""
    yield "inventoryLevels", "first: 3"


_KINDS = (
    *("Product", "Combination", "InventoryLevel", "StockMovement", "StockAnnouncement"),
    *("Category", "Warehouse", "Website"),
)


def all_questions() -> list[Question]:
    """One document for each caller and query."""
    found: list[Question] = []

    def add(query: str, *callers: str, keeps: bool = True, **variables: Any) -> None:
        found.extend(Question(caller, query, variables, keeps) for caller in callers)

    def show(root: str, given: str, *callers: str) -> None:
        for caller in callers:
            add(_ask(root, given, public=caller in (PUBLIC, CATALOG)), caller)

    shown = "__typename sku name availability { salableQuantity orderable onlyLeft backorder lowInventory }"
    for sku in SKUS:
        show("inventoryItem", f'sku: "{sku}"', PUBLIC, ADMIN)
    for sku in ("MUG", "JAR", "POSTER", "SHIRT", "NEW"):
        show("product", f'sku: "{sku}"', PUBLIC, CATALOG, BERLIN, ADMIN)
        add(f"query ($sku: String) {{ product(sku: $sku) {{ {shown} }} }}", PUBLIC, STOCK, sku=sku)
    show("product", 'slug: "mug", website: "outlet"', PUBLIC, ADMIN)
    show("combination", 'sku: "SHIRT-M"', PUBLIC, ADMIN)
    below = "complete code combination { sku } choices { values { name exists orderable } }"
    for size in ("S", "L"):
        choice = f'options: [{{ name: "Size", value: "{size}" }}]'
        selection = f"selection({choice}) {{ {below} availability {{ orderable salableQuantity }} }}"
        add(f'{{ product(sku: "SHIRT") {{ {selection} }} }}', PUBLIC, ADMIN)
    for website in WEBSITES:
        skus = json.dumps(SKUS)
        show("availabilities", f'skus: {skus}, website: "{website}"', PUBLIC, STOCK, BERLIN)
    for root, given in _lists():
        show(root, given, PUBLIC, ADMIN)
    for root, given in _office():
        add(_ask(root, given), BERLIN, ADMIN)
    for root, given in _never_kept():
        add(_ask(root, given, keeps=False), ADMIN, keeps=False)
    in_category = 'category(slug: "kitchen") { products { totalCount } }'
    add(f"{{ products {{ totalCount }} inventoryItems {{ totalCount }} {in_category} }}", PUBLIC, ADMIN)
    add("{ inventoryLevels { totalCount } stockMovements { totalCount } warehouses { totalCount } }", BERLIN, ADMIN)
    add("{ viewer { name authenticated scopes warehouses } }", PUBLIC, CATALOG, BERLIN)
    for kind in ("Product", "Warehouse"):
        add(f'{{ node(id: "{ids.global_id(kind, 1)}") {{ __typename id ... on {kind} {{ name }} }} }}', PUBLIC, ADMIN)
    for kind in _KINDS:
        wanted = [ids.global_id(kind, number) for number in range(1, 13)]
        selected = inside(SCHEMA.type_map[kind], 1, _PERSONAL)
        query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind} {{ {selected} }} }} }}"
        add(query, ADMIN, ids=wanted)
    public = [ids.global_id(kind, number) for kind in ("Product", "Category") for number in range(1, 8)]
    add("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Product { name } } }", PUBLIC, ids=public)
    return found
