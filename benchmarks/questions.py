"""The benchmarked operations, with the requests to gqlstock and to the hand-written code."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import shop

PAGE = """query ($category: String!) { products(first: 24, filter: { category: $category }) { nodes {
  id sku name slug images { url alt }
  availability { status orderable salableQuantity onlyLeft }
  combinations(first: 10) { nodes {
    id sku name code
    availability { status orderable salableQuantity onlyLeft visible backorder }
    inventoryLevels { nodes { onHand available warehouse { code } } }
  } }
} } }"""
LISTING = """query ($category: String!, $after: String) {
products(first: 24, after: $after, filter: { category: $category }) { nodes {
  sku name slug images { url alt } availability { status orderable salableQuantity onlyLeft }
} } }"""
ONE = """query ($sku: String!) { product(sku: $sku) {
  id sku name availability { status orderable salableQuantity onlyLeft }
} }"""
AVAILABILITIES = """query ($skus: [String!]!) { availabilities(skus: $skus) {
  sku status orderable salableQuantity onlyLeft
} }"""
ORDER = """mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) {
  order { number status lines { sku quantity } } userErrors { code message }
} }"""
ADJUST = """mutation ($input: AdjustStockInput!) { adjustStock(input: $input) {
  inventoryLevels { onHand available } userErrors { code message }
} }"""
COUNT = """mutation ($input: SetStockInput!) { setStock(input: $input) {
  inventoryLevels { item { sku } warehouse { code } onHand } userErrors { code message }
} }"""

CLIENTS = 16


Requests = Callable[[str], list[bytes]]
"""Makes the requests for a token, which are sent in order and then repeated."""


@dataclass(frozen=True, slots=True)
class Question:
    """One row of the table. ``ours`` and ``by_hand`` request the same in the same order.

    ``clients``: the number of concurrent clients. A single client is measured as well.
    """

    key: str
    name: str
    part: str
    ours: Requests
    by_hand: Requests
    clients: int = CLIENTS


def graphql(query: str, given: Sequence[dict[str, Any]]) -> Requests:
    return lambda token: [http("POST", "/graphql", token, {"query": query, "variables": one}) for one in given]


def get(path: str, given: Sequence[str] = ("",)) -> Requests:
    return lambda token: [http("GET", f"{path}{one}", token) for one in given]


def post(path: str, given: Sequence[Any]) -> Requests:
    return lambda token: [http("POST", path, token, one) for one in given]


def http(method: str, path: str, token: str | None, body: Any = None) -> bytes:
    """A raw HTTP request."""
    sent = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if sent:
        lines += ["Content-Type: application/json", f"Content-Length: {len(sent)}"]
    return "\r\n".join([*lines, "", ""]).encode() + sent


def _order(*numbers: int) -> list[dict[str, Any]]:
    return [{"sku": shop.single(number), "quantity": 1} for number in numbers]


def _change(number: int) -> list[dict[str, Any]]:
    return [{"sku": shop.single(number), "warehouse": shop.WAREHOUSE, "delta": 1}]


def _counts(on_hand: int) -> list[dict[str, Any]]:
    numbers = range(1_000)
    return [{"sku": shop.single(n), "warehouse": shop.WAREHOUSE, "onHand": on_hand + n} for n in numbers]


def _orders(key: str, name: str, orders: Sequence[Any]) -> Question:
    ours = graphql(ORDER, [{"input": {"lines": lines}} for lines in orders])
    return Question(key, name, "orders", ours, post("/orders", orders))


def _adjustments(key: str, name: str, adjustments: Sequence[Any]) -> Question:
    ours = graphql(ADJUST, [{"input": {"changes": changes}} for changes in adjustments])
    return Question(key, name, "stock", ours, post("/adjustments", adjustments))


def writes(singles: int) -> list[Question]:
    """The rows with writes, for a shop of at least this many products without options."""
    # No other row writes the hot item.
    distinct, hot = range(singles - 2), singles - 1
    counts = [_counts(1_000_000), _counts(2_000_000)]
    counted = graphql(COUNT, [{"input": {"counts": one}} for one in counts])
    return [
        _orders("order", "order of 2 lines, distinct items", [_order(n, n + 1) for n in distinct[::2]]),
        _orders("hot-order", "order of one hot item", [_order(hot)]),
        _adjustments("adjust", "adjust one level, distinct", [_change(n) for n in distinct]),
        _adjustments("hot-adjust", "adjust one hot level", [_change(hot)]),
        Question("count", "set stock of 1,000 levels", "bulk", counted, post("/counts", counts), clients=0),
    ]
