"""The requests to shops of two sizes: common storefront pages, every list with its filters and sort orders, and changes.

Each round draws new values at the same relative position in both shops, so that rows in the middle of one are compared
with rows in the middle of the other.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import grown_shop
from gqlstock.rules import orders as order_rules
from grown_shop import Size

PAGES = Path(__file__).parent.parent / "tests" / "graphql" / "pages"
_STOCKED_DAYS = 730

Variables = Mapping[str, Any]
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """The random values of one round."""

    size: Size
    chance: Random

    def place(self, most: int) -> int:
        """A number from 1 to ``most``, at the same relative position in both shops."""
        return 1 + int(self.chance.random() * most)

    def number(self) -> int:
        return self.place(self.size.items)

    def product(self) -> str:
        return grown_shop.sku(grown_shop.product(self.number()))

    def product_with_sizes(self) -> str:
        return grown_shop.sku(grown_shop.with_sizes(self.number()))

    def skus(self, count: int) -> list[str]:
        """SKUs of items that are tracked and in stock."""
        found: dict[str, None] = {}
        while len(found) < count:
            number = self.number()
            if grown_shop.is_counted(number) and not grown_shop.has_run_out(number):
                found[grown_shop.sku(number)] = None
        return list(found)

    def sku(self) -> str:
        return self.skus(1)[0]

    def order(self) -> str:
        return order_rules.number(self.place(self.size.orders))

    def shelf(self) -> str:
        return grown_shop.shelf(self.number(), self.size)

    def once(self) -> str:
        """A random time since the shops opened."""
        return _days_ago(_STOCKED_DAYS * self.chance.random())


def _days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def lately(drawn: Drawn) -> str:
    """A time since which the same number of rows has changed in both shops, at least a page in the small one."""
    return _days_ago(_STOCKED_DAYS / 10)


def a_year_ago(drawn: Drawn) -> str:
    return _days_ago(365)


@dataclass(frozen=True, slots=True)
class Ask:
    """``before`` is sent first, untimed; ``variables`` receives its answer. ``exempt``: why the request may slow down."""

    name: str
    document: str
    variables: Callable[[Drawn, Data], Variables] = field(default=lambda drawn, data: {})
    public: bool = False
    before: "Ask | None" = None
    exempt: str | None = None


def _page(name: str) -> str:
    return (PAGES / f"{name}.graphql").read_text().replace('"BER"', '"BERLIN"')


_SHOWN = "id sku name availability { status orderable salableQuantity onlyLeft }"
_LISTED = f"nodes {{ {_SHOWN} }} pageInfo {{ hasNextPage endCursor }}"


def _products(arguments: str = "", listed: str = _LISTED) -> str:
    return f"""query ($filter: ProductFilter, $after: String) {{
        products(filter: $filter, first: 24, after: $after {arguments}) {{ {listed} }} }}"""


def _levels(arguments: str = "", listed: str = "nodes { id onHand available item { sku } }") -> str:
    return f"""query ($filter: InventoryLevelFilter, $after: String) {{
        inventoryLevels(filter: $filter, first: 50, after: $after {arguments}) {{
            {listed} pageInfo {{ hasNextPage endCursor }} }} }}"""


_MOVEMENTS = """query ($filter: StockMovementFilter) { stockMovements(filter: $filter, first: 50) {
    nodes { id kind quantity onHandAfter createdAt level { item { sku } warehouse { code } } order { number } } } }"""
_ORDERS = """query ($filter: OrderFilter, $sort: OrderSort! = PLACED, $reverse: Boolean! = false) {
    orders(filter: $filter, sort: $sort, reverse: $reverse, first: 50) {
        nodes { id number status placedAt lines { sku quantity } } } }"""
_ITEMS = """query ($filter: InventoryItemFilter, $sort: InventoryItemSort! = NAME) {
    inventoryItems(filter: $filter, sort: $sort, first: 50) { nodes { id sku name } } }"""
_ALERTS = """query ($filter: LowInventoryAlertFilter) { lowInventoryAlerts(filter: $filter, first: 50) {
    nodes { id sku quantityLeft state } } }"""
_SHIPMENTS = """query ($filter: ShipmentFilter, $sort: ShipmentSort! = CREATED, $reverse: Boolean! = false) {
    shipments(filter: $filter, sort: $sort, reverse: $reverse, first: 50) { nodes { id number state } } }"""
_CHANGES = """query ($after: String, $last: Int, $first: Int, $skus: [String!], $warehouses: [String!]) {
    inventoryChanges(after: $after, first: $first, last: $last, skus: $skus, warehouses: $warehouses) {
        nodes { changedAt level { onHand } } pageInfo { endCursor } } }"""


def _mutation(name: str, answer: str) -> str:
    kind = f"{name[0].upper()}{name[1:]}Input"
    return f"""mutation ($input: {kind}!) {{ {name}(input: $input) {{
        {answer} userErrors {{ code message path }} }} }}"""


_ORDER = _mutation("placeOrder", "order { number lines { sku allocations { quantity state warehouse { code } } } }")
_PACK = _mutation("createShipment", "shipment { number }")


def _filter(**chosen: Any) -> Callable[[Drawn, Data], Variables]:
    return lambda drawn, data: {"filter": {k: v(drawn) if callable(v) else v for k, v in chosen.items()}}


def _lines(drawn: Drawn, count: int) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": 1} for sku in drawn.skus(count)]


_PLACED = Ask("", _ORDER, lambda drawn, data: {"input": {"lines": _lines(drawn, 2)}})


def _packing(data: Data) -> Variables:
    order = data["placeOrder"]["order"]
    place = order["lines"][0]["allocations"][0]["warehouse"]["code"]
    return {"input": {"order": order["number"], "warehouse": place}}


_PACKED = Ask("", _PACK, lambda drawn, data: _packing(data), before=_PLACED)
_MIDDLE_PRODUCT = Ask(
    "",
    "query ($skus: [String!]) { products(filter: { skus: $skus }) { edges { cursor } } }",
    lambda drawn, data: {"skus": [drawn.product()]},
)
_MIDDLE_LEVEL = Ask(
    "",
    "query ($skus: [String!]) { inventoryLevels(filter: { skus: $skus }, sort: AVAILABLE, first: 1) { edges { cursor } } }",
    lambda drawn, data: {"skus": [drawn.sku()]},
)

_EVERYTHING = "a report over all items"
_COUNTS = "counts all rows"
_TEXTS = "scans the text of all orders"
_SUMS = "sums the levels of all items"
_SETTINGS = "reads all settings"
_FULL = "scans until its page is full"
_PARTS = "looks up trigrams that many items have"
_TREE = "covers a thousand categories"
_FAR = "scans to the first match, far down the order"

READS = (
    Ask(
        "product by SKU",
        f"query ($sku: String!) {{ product(sku: $sku) {{ {_SHOWN} }} }}",
        lambda d, _: {"sku": d.product()},
        True,
    ),
    Ask(
        "product page by slug",
        _page("product-page"),
        lambda d, _: {
            "slug": d.product_with_sizes().lower(),
            "website": "shop",
            "chosen": [{"name": "Size", "value": "M"}],
        },
        True,
    ),
    Ask("24 products by name", _products(), public=True),
    Ask(
        "24 products by name, from the middle",
        _products(),
        lambda d, data: {"after": data["products"]["edges"][0]["cursor"]},
        True,
        _MIDDLE_PRODUCT,
    ),
    Ask("24 products by SKU", _products("sort: SKU"), public=True),
    Ask("24 products, newest", _products("sort: NEWEST"), public=True),
    Ask("24 products, last changed", _products("sort: UPDATED, reverse: true"), public=True),
    Ask("24 products that have run out", _products(), _filter(inStock=False), True, exempt=_FULL),
    Ask("24 products unpublished", _products("sort: NAME"), _filter(published=False)),
    Ask("24 products tracked with options", _products(), _filter(tracking="TRACK_WITH_OPTIONS"), True),
    Ask(
        "shelf: in stock, with totalCount",
        _page("product-listing"),
        lambda d, _: {"category": d.shelf(), "website": "shop"},
        True,
    ),
    Ask(
        "section: in stock, with totalCount",
        _page("product-listing"),
        lambda d, _: {"category": f"section-{d.place(d.size.shelves // 10)}", "website": "shop"},
        True,
    ),
    Ask(
        "department: in stock",
        _page("product-listing").replace("totalCount", ""),
        lambda d, _: {"category": f"department-{d.chance.randrange(10)}", "website": "shop"},
        True,
    ),
    Ask(
        "department: in stock, with totalCount",
        _page("product-listing"),
        lambda d, _: {"category": f"department-{d.chance.randrange(10)}", "website": "shop"},
        True,
        exempt=_COUNTS,
    ),
    Ask(
        "products of a department",
        _products(),
        lambda d, _: {"filter": {"category": f"department-{d.chance.randrange(10)}"}},
        True,
    ),
    Ask("products: search for a SKU", _products(), _filter(search=Drawn.product), True),
    Ask("products: search for a word", _products(), _filter(search="walnut"), True, exempt=_FAR),
    Ask("products: search for nothing there", _products(), _filter(search="zzzzzz"), True),
    Ask("products: totalCount", "{ products(first: 0) { totalCount } }", exempt=_COUNTS),
    Ask(
        "100 availabilities",
        "query ($skus: [String!]!) { availabilities(skus: $skus) { sku status orderable salableQuantity } }",
        lambda d, _: {"skus": d.skus(100)},
        True,
    ),
    Ask("cart of 5", _page("cart-page"), lambda d, _: {"input": {"lines": _lines(d, 5)}}, True),
    Ask(
        "explainAvailability",
        """query ($sku: String!) { explainAvailability(sku: $sku) {
            availability { salableQuantity } terms { text quantity } } }""",
        lambda d, _: {"sku": d.sku()},
    ),
    Ask(
        "settings of a product",
        "query ($sku: String!) { product(sku: $sku) { inventorySettings { notifyBelow } settingOrigins { setting scope } } }",
        lambda d, _: {"sku": d.product()},
    ),
    Ask("scan", _page("scan"), lambda d, _: {"sku": d.sku()}),
    Ask(
        "a level: its ledger, what it was",
        """query ($sku: String!, $time: DateTime!) { inventoryLevel(sku: $sku, warehouse: "LYON") {
            onHand onHandAt(time: $time)
            movements(first: 20) { nodes { quantity } } allocations(first: 20) { nodes { state } } } }""",
        lambda d, _: {"sku": d.sku(), "time": d.once()},
    ),
    Ask("grid: lowest available first", _page("adjust-grid"), exempt=_SUMS),
    Ask("grid: by name", _page("adjust-grid"), lambda d, _: {"sort": "NAME"}),
    Ask("grid: of 50 SKUs", _page("adjust-grid"), lambda d, _: {"filter": {"skus": d.skus(50)}}),
    Ask("grid: search for a SKU", _page("adjust-grid"), lambda d, _: {"filter": {"search": d.sku()}, "sort": "NAME"}),
    Ask(
        "grid: search for a barcode",
        _page("adjust-grid"),
        lambda d, _: {"filter": {"search": str(4000000000000 + d.number())}, "sort": "NAME"},
        exempt=_PARTS,
    ),
    Ask(
        "grid: search for a word",
        _page("adjust-grid"),
        lambda d, _: {"filter": {"search": "walnut"}, "sort": "NAME"},
        exempt=_FAR,
    ),
    Ask(
        "grid: of a shelf, lowest first",
        _page("adjust-grid"),
        lambda d, _: {"filter": {"category": d.shelf()}},
    ),
    Ask(
        "grid: of a department, by name",
        _page("adjust-grid"),
        lambda d, _: {"filter": {"category": f"department-{d.chance.randrange(10)}"}, "sort": "NAME"},
    ),
    Ask("items with less than 5", _ITEMS, _filter(availableBelow=5)),
    Ask("items low", _ITEMS, _filter(low=True)),
    Ask("items out of stock", _ITEMS, _filter(outOfStock=True)),
    Ask("items that are not out of stock", _ITEMS, _filter(outOfStock=False)),
    Ask("items backordered", _ITEMS, _filter(backordered=True)),
    Ask("items incoming", _ITEMS, _filter(incoming=True)),
    Ask("items out of stock of a shelf", _ITEMS, lambda d, _: {"filter": {"outOfStock": True, "category": d.shelf()}}),
    Ask("items of a warehouse", _ITEMS, _filter(warehouse="LYON")),
    Ask("items changed lately", _ITEMS, lambda d, _: {"filter": {"updatedSince": lately(d)}, "sort": "UPDATED"}),
    Ask("items changed lately, by name", _ITEMS, _filter(updatedSince=lately)),
    Ask("levels by SKU", _levels()),
    Ask("levels by name", _levels("sort: NAME")),
    Ask("levels, lowest available first", _levels("sort: AVAILABLE")),
    Ask(
        "levels, lowest first, from the middle",
        _levels("sort: AVAILABLE"),
        lambda d, data: {"after": data["inventoryLevels"]["edges"][0]["cursor"]},
        before=_MIDDLE_LEVEL,
    ),
    Ask("levels, least on hand first", _levels("sort: ON_HAND")),
    Ask("levels, last changed", _levels("sort: UPDATED, reverse: true")),
    Ask("levels of a warehouse, by SKU", _levels(), _filter(warehouses=["LYON"])),
    Ask("levels of a warehouse, lowest first", _levels("sort: AVAILABLE"), _filter(warehouses=["LYON"])),
    Ask("levels of a warehouse, last changed", _levels("sort: UPDATED, reverse: true"), _filter(warehouses=["LYON"])),
    Ask("levels of 50 SKUs", _levels(), lambda d, _: {"filter": {"skus": d.skus(50)}}),
    Ask("levels of a product", _levels(), lambda d, _: {"filter": {"product": d.product()}}),
    Ask("levels of a shelf", _levels(), lambda d, _: {"filter": {"category": d.shelf()}}),
    Ask(
        "levels of a department",
        _levels(),
        lambda d, _: {"filter": {"category": f"department-{d.chance.randrange(10)}"}},
        exempt=_TREE,
    ),
    Ask("levels with less than 5, by SKU", _levels(), _filter(availableBelow=5)),
    Ask("levels with at least 5, by SKU", _levels(), _filter(availableAtLeast=5)),
    Ask("levels changed lately", _levels("sort: UPDATED"), _filter(updatedSince=lately)),
    Ask("levels changed lately, by SKU", _levels(), _filter(updatedSince=lately)),
    Ask("levels: search for a SKU", _levels(), _filter(search=Drawn.sku), exempt=_PARTS),
    Ask("levels: search for a word", _levels(), _filter(search="walnut"), exempt=_PARTS),
    Ask("levels of discontinued products", _levels(), _filter(status=["DISCONTINUED"])),
    Ask("levels of a website, by SKU", _levels(), _filter(website="shop")),
    Ask("levels: totalCount", _levels(listed="totalCount"), exempt=_COUNTS),
    Ask("movements, newest", _MOVEMENTS),
    Ask("movements of an item", _MOVEMENTS, lambda d, _: {"filter": {"skus": [d.sku()]}}),
    Ask("movements of a warehouse", _MOVEMENTS, _filter(warehouses=["LYON"]), exempt=_FULL),
    Ask(
        "movements of an item in a warehouse",
        _MOVEMENTS,
        lambda d, _: {"filter": {"skus": [d.sku()], "warehouses": ["LYON"]}},
    ),
    Ask("movements of a kind", _MOVEMENTS, _filter(kinds=["ADJUSTMENT"])),
    Ask("movements of a kind of long ago", _MOVEMENTS, _filter(kinds=["RECEIPT"]), exempt=_FAR),
    Ask("movements of a kind that there are none of", _MOVEMENTS, _filter(kinds=["RETURN"])),
    Ask("movements of an order", _MOVEMENTS, _filter(order=Drawn.order)),
    Ask(
        "movements of a reference",
        _MOVEMENTS,
        lambda d, _: {"filter": {"reference": f"DOC-{d.chance.randrange(d.size.moves // 10)}"}},
    ),
    Ask("movements of late", _MOVEMENTS, _filter(since=lately)),
    Ask("movements until a year ago", _MOVEMENTS, _filter(until=a_year_ago)),
    Ask(
        "movements of an item until a year ago",
        _MOVEMENTS,
        lambda d, _: {"filter": {"skus": [d.sku()], "until": a_year_ago(d)}},
    ),
    Ask("orders, newest", _ORDERS),
    Ask("orders, last changed", _ORDERS, lambda d, _: {"sort": "UPDATED"}),
    Ask(
        "order by number",
        """query ($number: String!) { order(number: $number) {
            number status lines { sku allocations { state } } shipments { state }
            movements(first: 5) { nodes { quantity } } } }""",
        lambda d, _: {"number": d.order()},
    ),
    Ask("orders open", _ORDERS, _filter(statuses=["PLACED", "PARTIALLY_SHIPPED"])),
    Ask("orders to ship", _ORDERS, _filter(toShip=True)),
    Ask("orders to ship, oldest first", _ORDERS, lambda d, _: {"filter": {"toShip": True}, "reverse": True}),
    Ask("orders with nothing to ship", _ORDERS, _filter(toShip=False), exempt=_FULL),
    Ask("orders parked", _ORDERS, _filter(statuses=["BACKORDERED"])),
    Ask("orders of a SKU", _ORDERS, _filter(sku=Drawn.sku)),
    Ask(
        "orders of a customer",
        _ORDERS,
        lambda d, _: {"filter": {"customerEmail": f"shopper{d.chance.randrange(d.size.orders // 3)}@shoppers.example"}},
    ),
    Ask(
        "orders of a reference",
        _ORDERS,
        lambda d, _: {"filter": {"reference": f"cart-{d.chance.randint(1, d.size.orders)}"}},
    ),
    Ask("orders of a warehouse", _ORDERS, _filter(warehouse="LYON")),
    Ask("orders of a website", _ORDERS, _filter(website="shop")),
    Ask("orders placed lately", _ORDERS, _filter(placedSince=lately)),
    Ask("orders placed until a year ago", _ORDERS, _filter(placedUntil=a_year_ago)),
    Ask("orders: search for a number", _ORDERS, _filter(search=Drawn.order), exempt=_TEXTS),
    Ask(
        "orders: search for an address",
        _ORDERS,
        lambda d, _: {"filter": {"search": f"shopper{d.chance.randrange(d.size.orders // 3)}@"}},
        exempt=_TEXTS,
    ),
    Ask("orders: search for a SKU", _ORDERS, _filter(search=Drawn.sku), exempt=_TEXTS),
    Ask("orders: search for a word", _ORDERS, _filter(search="walnut"), exempt=_TEXTS),
    Ask("ERP: orders changed lately", _page("erp-orders"), lambda d, _: {"since": lately(d)}),
    Ask("shipments, oldest", _SHIPMENTS),
    Ask(
        "shipments of a warehouse, latest", _SHIPMENTS, lambda d, _: {"filter": {"warehouse": "LYON"}, "reverse": True}
    ),
    Ask("shipments to be sent", _SHIPMENTS, _filter(states=["READY", "PENDING"], warehouse="LYON")),
    Ask("shipments pending", _SHIPMENTS, _filter(states=["PENDING"])),
    Ask("pick list", _page("pick-list"), lambda d, _: {"warehouse": "LYON"}),
    Ask("dashboard", _page("dashboard"), lambda d, _: {"since": _days_ago(1)}, exempt=_EVERYTHING),
    Ask(
        "dashboard without its report",
        _page("dashboard").split("demandReport")[0] + "__typename }",
        lambda d, _: {"since": lately(d)},
        exempt=_COUNTS,
    ),
    Ask("alerts open", _ALERTS, _filter(state="RAISED", acknowledged=False)),
    Ask("alerts of an item", _ALERTS, lambda d, _: {"filter": {"skus": [d.sku()]}}),
    Ask("alerts of a shelf", _ALERTS, lambda d, _: {"filter": {"category": d.shelf()}}),
    Ask("alerts of a warehouse", _ALERTS, _filter(warehouses=["LYON"])),
    Ask("changes, the latest", _CHANGES, lambda d, _: {"last": 50}),
    Ask("changes of an item", _CHANGES, lambda d, _: {"skus": [d.sku()], "first": 50}),
    Ask("changes of a warehouse", _CHANGES, lambda d, _: {"warehouses": ["LYON"], "first": 50}),
    Ask(
        "ERP: changes behind a cursor",
        _page("erp-delta"),
        lambda d, data: {"after": data["inventoryChanges"]["pageInfo"]["endCursor"]},
        before=Ask("", _CHANGES, lambda d, _: {"first": d.chance.randint(1, 250)}),
    ),
    Ask(
        "low-stock report of a shelf",
        "query ($category: String!) { lowStockReport(category: $category, first: 20) { nodes { available item { sku } } } }",
        lambda d, _: {"category": d.shelf()},
        exempt=_SETTINGS,
    ),
    Ask(
        "demand report of a shelf",
        "query ($category: String!) { demandReport(category: $category, first: 20) { nodes { ordered item { sku } } } }",
        lambda d, _: {"category": d.shelf()},
        exempt="sums the orders of all items",
    ),
    Ask("low-stock report", "{ lowStockReport(first: 20) { nodes { available item { sku } } } }", exempt=_EVERYTHING),
    Ask("demand report", "{ demandReport(first: 20) { nodes { ordered item { sku } } } }", exempt=_EVERYTHING),
    Ask("demand by category", "{ categoryDemandReport { ordered category { slug } } }", exempt=_EVERYTHING),
)
CHANGES = (
    Ask(
        "order of 2 lines",
        _ORDER,
        lambda d, _: {"input": {"lines": _lines(d, 2), "idempotencyKey": str(uuid.uuid4())}},
    ),
    Ask("order of 20 lines", _ORDER, lambda d, _: {"input": {"lines": _lines(d, 20)}}),
    Ask(
        "one adjustment",
        _mutation("adjustStock", "inventoryLevels { onHand }"),
        lambda d, _: {"input": {"changes": [{"sku": d.sku(), "warehouse": "LYON", "delta": 1}]}},
    ),
    Ask(
        "count of 100",
        _page("erp-push"),
        lambda d, _: {
            "input": {
                "counts": [{"sku": sku, "warehouse": "LYON", "onHand": d.chance.randint(8, 99)} for sku in d.skus(100)]
            }
        },
    ),
    Ask(
        "delivery of 100",
        _page("erp-receive"),
        lambda d, _: {"input": {"warehouse": "BERLIN", "lines": [{"sku": sku, "quantity": 3} for sku in d.skus(100)]}},
    ),
    Ask("shipment packed", _PACK, lambda d, data: _packing(data), before=_PLACED),
    Ask(
        "shipment sent",
        _mutation("shipShipment", "shipment { state }"),
        lambda d, data: {"input": {"number": data["createShipment"]["shipment"]["number"]}},
        before=_PACKED,
    ),
    Ask(
        "order canceled",
        _mutation("cancelOrder", "order { status }"),
        lambda d, data: {"input": {"number": data["placeOrder"]["order"]["number"]}},
        before=_PLACED,
    ),
    Ask(
        "hold of 2 lines",
        _mutation("holdStock", "hold { id }"),
        lambda d, _: {"input": {"lines": _lines(d, 2)}},
    ),
    Ask(
        "transfer of 10",
        _mutation("transferStock", "inventoryLevels { onHand }"),
        lambda d, _: {"input": {"from": "BERLIN", "to": "POZNAN", "lines": _lines(d, 10)}},
    ),
    Ask(
        "a product made",
        _mutation("createProduct", "product { id }"),
        lambda d, _: {"input": {"sku": f"NEW-{uuid.uuid4()}", "name": "New", "category": d.shelf()}},
    ),
    Ask(
        "a product renamed",
        _mutation("updateProduct", "product { id }"),
        lambda d, _: {"input": {"sku": d.product(), "name": f"Renamed {uuid.uuid4()}"}},
    ),
    Ask(
        "a product's settings",
        _mutation("setInventorySettings", "settings { own }"),
        lambda d, _: {
            "input": {"scope": {"product": d.product()}, "settings": {"onlyXLeftThreshold": d.chance.randint(1, 9)}}
        },
    ),
)
ALL = READS + CHANGES
