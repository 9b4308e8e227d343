"""What is asked of the server and of the code by hand: the operations, and the request that each way takes for one."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import shop

PAGE = """{ products(first: 24) { nodes {
  id sku name slug images { url alt }
  availability { status orderable salableQuantity onlyLeft }
  combinations(first: 10) { nodes {
    id sku name code
    availability { status orderable salableQuantity onlyLeft visible backorder }
    inventoryLevels { nodes { onHand available warehouse { code } } }
  } }
} } }"""
LISTING = """query ($category: String!) { products(first: 24, filter: { category: $category }) { nodes {
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


@dataclass(frozen=True, slots=True)
class Question:
    """One row of the table. ``ours`` and ``by_hand`` make the requests of a token, which ask the same in the same order.

    ``clients``: how many ask at once, besides the one whose answers are timed.
    """

    name: str
    part: str
    ours: Callable[[str], list[bytes]]
    by_hand: Callable[[str], list[bytes]]
    clients: int = CLIENTS
    reads: bool = False


def _graphql(query: str, given: Sequence[dict[str, Any]]) -> Callable[[str], list[bytes]]:
    def requests(token: str) -> list[bytes]:
        return [http("POST", "/graphql", token, {"query": query, "variables": one}) for one in given]

    return requests


def _rest(method: str, path: str, given: Sequence[Any]) -> Callable[[str], list[bytes]]:
    def requests(token: str) -> list[bytes]:
        if method == "GET":
            return [http("GET", path.format(one), token) for one in given]
        return [http("POST", path, token, one) for one in given]

    return requests


def http(method: str, path: str, token: str, body: Any = None) -> bytes:
    """A request as it goes over the wire."""
    sent = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    if sent:
        head += f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n"
    return head.encode() + b"\r\n" + sent


def _orders(lines: Sequence[list[dict[str, Any]]], name: str) -> Question:
    return Question(
        name, "orders", _graphql(ORDER, [{"input": {"lines": one}} for one in lines]), _rest("POST", "/orders", lines)
    )


def _adjustments(changes: Sequence[list[dict[str, Any]]], name: str) -> Question:
    return Question(
        name,
        "stock",
        _graphql(ADJUST, [{"input": {"changes": one}} for one in changes]),
        _rest("POST", "/adjustments", changes),
    )


def _line(number: int) -> dict[str, Any]:
    return {"sku": shop.single(number), "quantity": 1}


def _change(number: int) -> dict[str, Any]:
    return {"sku": shop.single(number), "warehouse": shop.WAREHOUSE, "delta": 1}


def _counts(on_hand: int) -> list[dict[str, Any]]:
    numbers = range(1_000)
    return [{"sku": shop.single(n), "warehouse": shop.WAREHOUSE, "onHand": on_hand + n} for n in numbers]


def all_of(singles: int) -> list[Question]:
    """Every row, for a shop of so many products without options."""
    skus = [shop.single(number) for number in range(singles)]
    hundreds = [skus[start : start + 100] for start in range(0, singles, 100)]
    # The last one is the hot one; nothing else asks for it.
    distinct, hot = range(singles - 1), singles - 1
    counts = [_counts(1_000_000), _counts(2_000_000)]
    return [
        Question(
            "one item with availability",
            "reads",
            _graphql(ONE, [{"sku": sku} for sku in skus]),
            _rest("GET", "/products/{}", skus),
            reads=True,
        ),
        Question(
            "page of 24 products with availability",
            "reads",
            _graphql(LISTING, [{"category": shop.CATEGORY}]),
            _rest("GET", "/categories/{}", [shop.CATEGORY]),
            reads=True,
        ),
        Question(
            "page of 24 products × 4 combinations",
            "reads",
            _graphql(PAGE, [{}]),
            _rest("GET", "/products", [None]),
            reads=True,
        ),
        Question(
            "availability of 100 SKUs",
            "reads",
            _graphql(AVAILABILITIES, [{"skus": some} for some in hundreds]),
            _rest("POST", "/availabilities", hundreds),
            reads=True,
        ),
        _orders([[_line(n), _line(n + 1)] for n in distinct[:-1:2]], "order of 2 lines, distinct items"),
        _orders([[_line(hot)]], "order of one hot item"),
        _adjustments([[_change(n)] for n in distinct], "adjust one level, distinct"),
        _adjustments([[_change(hot)]], "adjust one hot level"),
        Question(
            "set stock of 1,000 levels",
            "bulk",
            _graphql(COUNT, [{"input": {"counts": one}} for one in counts]),
            _rest("POST", "/counts", counts),
            clients=0,
        ),
    ]


def endless(requests: Sequence[bytes]) -> Iterator[bytes]:
    return itertools.cycle(requests)
