"""Latency and memory of a server if every request has a different document, and if documents are hostile.

    .venv/bin/python benchmarks/distinct_documents.py [--documents 40000] [--hostile 8900] [--connections 4]

One server on SQLite. In the first part, all requests are the same product page. In the second, each document contains a
different SKU. In the third, each is one of the largest documents that a caller without a token may send. Compare only
latencies of the same run. Memory is that of the server at the end of a part, and its difference from the first part.
"""

import argparse
import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import client
import questions
import serving
import shop
from client import Turn, WrongAnswer
from gqlstock.store.db.connection import SqliteFile
from serving import Server

_SINGLES = 200
_SECONDS = 1_800.0
_FIELDS = """id sku name description tracking images { url alt } options { name inventory values { name images { url } } }
selection(options: []) { complete code images { url } combination { id sku }
  choices { name values { name selected exists orderable } } availability { ...Stock } }"""
_STOCK = """fragment Stock on Availability { sku status visible orderable unavailableReason onlyLeft lowInventory backorder
message upcoming availabilityDate availabilityRange canSubscribeBackInStock salableQuantity
quantityRules { minimum maximum increment allowed decimals } }"""


def page(number: int) -> bytes:
    """A product page with the SKU in the document. The number makes each document different."""
    sku = shop.single(number % _SINGLES)
    return _request(f'query P{number} {{ product(sku: "{sku}") {{ {_FIELDS} }} }} {_STOCK}')


def hostile(number: int) -> bytes:
    """A document that is expensive to parse, validate and cache, within the limits of the public."""
    return _request(_HOSTILE[number % len(_HOSTILE)].replace("NUMBER", str(number)))


_HOSTILE = [
    # Many aliases.
    "query NUMBER { " + " ".join(f"a{i}: viewer {{ authenticated }}" for i in range(100)) + " }",
    # Many fragments.
    "query NUMBER { " + " ".join(f"...f{i}" for i in range(60)) + " } "
    + " ".join(f"fragment f{i} on Query {{ viewer {{ authenticated }} }}" for i in range(60)),
    # Deep: fragments within fragments, and fields within fields.
    "query NUMBER { ...f0 } " + " ".join(f"fragment f{i} on Query {{ ...f{i + 1} }}" for i in range(100))
    + " fragment f100 on Query { category(slug: \"x\") { " + "parent { " * 16 + "slug" + " }" * 16 + " } }",
    # Many errors.
    "query NUMBER { " + " ".join(f"unknown{i}" for i in range(900)) + " }",
    # Many values.
    "query NUMBER { nodes(ids: [" + '"a" ' * 3_900 + "]) { id } }",
    # Many variables.
    "query NUMBER(" + " ".join(f"$v{i}: Int = {i}" for i in range(600)) + ") { viewer { authenticated } }",
    # A syntax error at the end.
    "query NUMBER { " + "viewer { authenticated } " * 900 + " ",
]  # fmt: skip


def _request(query: str) -> bytes:
    return questions.http("POST", "/graphql", None, {"query": query.replace("query ", "query Q", 1), "variables": {}})


def _answered(answer: bytes, request: bytes) -> None:
    """Check that the server is well, whatever is wrong with the document."""
    if not answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 400 ")) or b'"INTERNAL"' in answer:
        raise WrongAnswer(f"{request[:500]!r} got the answer {answer[:1_000]!r}")


class _Part:
    def __init__(self, name: str, turn: Turn, server: Server, busy: float) -> None:
        self.name = name
        self._each = sorted(turn.each)
        self.memory = server.memory()
        self._busy = server.busy() - busy

    def at(self, share: float) -> float:
        return self._each[min(len(self._each) - 1, int(len(self._each) * share))] * 1_000

    def text(self, first: "_Part") -> str:
        count = len(self._each)
        return (
            f"{self.name:24} {count:7}   {self._busy / count * 1_000:6.1f}   {self.at(0.5):7.1f}  {self.at(0.99):7.1f}  "
            f"{self.at(0.999):7.1f} ({self.at(0.999) / first.at(0.999):4.1f} x)   {self._each[-1] * 1_000:8.1f}   "
            f"{self.memory:6.0f} ({self.memory - first.memory:+.0f})"
        )


def _part(name: str, server: Server, requests: Iterator[bytes], connections: int, *, refused: bool = False) -> _Part:
    busy = server.busy()
    check = _answered if refused else client.check
    return _Part(name, client.ask(server.port, requests, connections, _SECONDS, check), server, busy)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=40_000)
    parser.add_argument("--hostile", type=int, default=8_900)
    parser.add_argument("--connections", type=int, default=4)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        url = SqliteFile(str(Path(directory) / "gqlstock.db"))
        asyncio.run(shop.make(url, 2, 4, _SINGLES))
        with serving.ours(f"sqlite:///{url.path}") as server:
            parts = [
                _part(
                    "same document",
                    server,
                    itertools.repeat(page(0), max(args.documents // 4, 1_000)),
                    args.connections,
                ),
                _part("different documents", server, map(page, range(args.documents)), args.connections),
                _part("hostile documents", server, map(hostile, range(args.hostile)), args.connections, refused=True),
            ]
    print(f"{'':24} {'answers':>7}   CPU ms   {'p50 ms':>7}  {'p99':>7}  {'p99.9':>7} {'':8}   {'longest':>8}   MB")
    for part in parts:
        print(part.text(parts[0]))


if __name__ == "__main__":
    main()
