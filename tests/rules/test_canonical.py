"""The digest of an input is a promise to keys that are in use. What is pinned here changes only with ``VERSION``."""

from dataclasses import make_dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from gqlstock.rules import canonical
from gqlstock.rules.geo import Point
from gqlstock.rules.given_ids import GivenId
from gqlstock.rules.order_request import OrderRequest, RequestedLine
from gqlstock.services.adjust_stock import AdjustStockRequest, StockAdjustment
from gqlstock.services.cancel_order import CancelOrderRequest
from gqlstock.services.count_stock import CountStockRequest, StockCount
from gqlstock.services.hold_stock import HoldRequest
from gqlstock.services.move_allocations import MoveAllocationsRequest, MovedQuantity
from gqlstock.services.open_order import LineQuantity
from gqlstock.services.receive import AnnounceStockRequest, ReceivedLine, ReceiveStockRequest
from gqlstock.services.return_items import ReturnItemsRequest
from gqlstock.services.ship import CreateShipmentRequest
from gqlstock.services.stock_edits import StockLine
from gqlstock.services.transfer_stock import TransferStockRequest

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TWO = Decimal(2)

PINNED = [
    (
        OrderRequest(
            (RequestedLine("MUG", TWO, (("Size", "S"),)), RequestedLine("CUP", Decimal("1.5"))),
            "outlet",
            "anna@example.com",
            "R-1",
            Point(52.5, 13.4),
            GivenId(7, "any"),
        ),
        '{"customerEmail":"anna@example.com","hold":{"id":7},"lines":[{"options":[["Size","S"]],"quantity":"2","sku":"MUG"},{"quantity":"1.5","sku":"CUP"}],"reference":"R-1","shipTo":{"latitude":52.5,"longitude":13.4},"website":"outlet"}',
        "2:26d6bac0eba1b9d8e736b6a0ce0c2266a4f8a0ef53f87e13ac0486e8bd3e",
    ),
    (
        OrderRequest((RequestedLine("MUG", TWO),)),
        '{"lines":[{"quantity":"2","sku":"MUG"}]}',
        "2:2da808ef55ceea5b88e3a0534235b565df58e55de8d7b874f14dc013f798",
    ),
    (
        HoldRequest((RequestedLine("MUG", TWO),), "outlet", 30, GivenId(7, "any")),
        '{"lines":[{"quantity":"2","sku":"MUG"}],"minutes":30,"replaces":{"id":7},"website":"outlet"}',
        "2:5411e39fb5473bcbff6cb5acd39588d20608077bd641fad2d5387b22bce0",
    ),
    (
        CancelOrderRequest("1001", (LineQuantity("MUG", TWO, 5, "any"),), "late"),
        '{"lines":[{"line":5,"quantity":"2","sku":"MUG"}],"number":"1001","reason":"late"}',
        "2:ec90d24406d004d681522673ef4c999e706b2b016693ab04051904cf314d",
    ),
    (CancelOrderRequest("1001"), '{"number":"1001"}', "2:a919bf07d1ab808367de3fb28af5a25009fc5e7fac5f63097714d152f9e9"),
    (
        CancelOrderRequest("1001", ()),
        '{"lines":[],"number":"1001"}',
        "2:a53b2522c8765143b1dc6ca6941ee539405d3e2c077b780b5cc3c0f29ba9",
    ),
    (
        MoveAllocationsRequest("1001", (MovedQuantity("MUG", TWO, 5, "any", source="BERLIN", target="PARIS"),), "late"),
        '{"lines":[{"from":"BERLIN","line":5,"quantity":"2","sku":"MUG","to":"PARIS"}],"number":"1001","reason":"late"}',
        "2:c23f6b37d7fe8881a3d27ff21e9a8281f08292a6cd2f71793f80edd8861c",
    ),
    (
        ReturnItemsRequest("1001", (LineQuantity("MUG", TWO),), False, "broken"),
        '{"lines":[{"quantity":"2","sku":"MUG"}],"order":"1001","reason":"broken","restock":false}',
        "2:df4216d0570b31b12803ca41ca95a131a81558aad6ccccbeaf498de4db06",
    ),
    (
        CreateShipmentRequest("1001", "BERLIN", (LineQuantity("MUG", TWO),)),
        '{"lines":[{"quantity":"2","sku":"MUG"}],"order":"1001","warehouse":"BERLIN"}',
        "2:f822e1149e080a7d9482f7c311e7ee40186bd773e94bc64d320d8cf220fa",
    ),
    (
        AdjustStockRequest((StockAdjustment("MUG", "BERLIN", Decimal("-1.50")),), "lost", "R-1", True),
        '{"changes":[{"delta":"-1.5","sku":"MUG","warehouse":"BERLIN"}],"partial":true,"reason":"lost","reference":"R-1"}',
        "2:968ae28acead3cbc1570c6ff7dd27d02075fef676917b2fddae1a202d5b5",
    ),
    (
        CountStockRequest((StockCount("MUG", "BERLIN", Decimal("10.000"), Decimal(0), NOON),), "night", "R-1"),
        '{"counts":[{"countedAt":"2026-03-01T12:00:00+00:00","expectedOnHand":"0","onHand":"10","sku":"MUG","warehouse":"BERLIN"}],"reason":"night","reference":"R-1"}',
        "2:09749bfddc8cd8e515fdb3b6308dcb5ee0f5f4010a7bbd74401684b873de",
    ),
    (
        TransferStockRequest("BERLIN", "PARIS", (StockLine("MUG", TWO),), "balance", "R-1"),
        '{"from":"BERLIN","lines":[{"quantity":"2","sku":"MUG"}],"reason":"balance","reference":"R-1","to":"PARIS"}',
        "2:e80754f0c9d5291b460cfe74404cfda16ec0c8705cec5b3f0f53701b8daf",
    ),
    (
        AnnounceStockRequest("BERLIN", (StockLine("MUG", TWO),), NOON, "PO-1"),
        '{"expectedAt":"2026-03-01T12:00:00+00:00","lines":[{"quantity":"2","sku":"MUG"}],"reference":"PO-1","warehouse":"BERLIN"}',
        "2:1e47f4f7d5af69ec0bfbfd28ecca4351f199d83ca7509f1d3c2f92484669",
    ),
    (
        ReceiveStockRequest("BERLIN", (ReceivedLine("MUG", TWO, 9, "any"),), "delivery", "PO-1"),
        '{"lines":[{"announcement":9,"quantity":"2","sku":"MUG"}],"reason":"delivery","reference":"PO-1","warehouse":"BERLIN"}',
        "2:fc6a99c4ca7eb490b79c3a73865175414f89873f31d180039c4b98dd73b4",
    ),
]


@pytest.mark.parametrize(("asked", "text", "digest"), PINNED)
def test_the_digest_of_each_input_stays_what_it_was(asked: object, text: str, digest: str) -> None:
    assert (canonical.text(asked), canonical.digest(asked)) == (text, digest)


def test_a_digest_fits_its_column_and_says_its_version() -> None:
    digest = canonical.digest(CancelOrderRequest("1001"))

    assert len(digest) <= 64
    assert canonical.is_comparable(digest)
    assert not canonical.is_comparable("a" * 64)


def test_a_field_that_is_added_later_with_a_default_changes_no_digest() -> None:
    before = make_dataclass("Before", [("sku", str)], frozen=True)
    after = make_dataclass("After", [("sku", str), ("gift_wrap", bool, False), ("note", str, None)], frozen=True)

    assert canonical.text(before("MUG")) == canonical.text(after("MUG")) == '{"sku":"MUG"}'
    assert canonical.text(after("MUG", gift_wrap=True)) == '{"giftWrap":true,"sku":"MUG"}'


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (StockLine("MUG", Decimal("2.0000")), StockLine("MUG", Decimal("2E+0"))),
        (StockLine("MUG", TWO), StockLine(" MUG\u200b", TWO)),
        (StockLine("CAFÉ", TWO), StockLine("CAFE\u0301", TWO)),
        (
            AnnounceStockRequest("BERLIN", (), NOON),
            AnnounceStockRequest("BERLIN", (), NOON.astimezone(timezone(timedelta(hours=2)))),
        ),
        (HoldRequest(()), HoldRequest((), minutes=15)),
        (Point(52.0, 0.0), Point(52.0, -0.0)),
        (GivenId(7, "one"), GivenId(7, "other")),
    ],
)
def test_what_only_looks_different_is_the_same_input(one: object, other: object) -> None:
    assert canonical.text(one) == canonical.text(other)


def test_what_is_missing_is_not_what_is_empty() -> None:
    assert canonical.text(CancelOrderRequest("1001")) != canonical.text(CancelOrderRequest("1001", ()))
