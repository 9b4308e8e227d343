"""The memory of a server at rest and after many different requests."""

import math
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass

import client
import databases
import questions
import reads
import serving
import shop
from databases import Place
from questions import AVAILABILITIES, CLIENTS

MOST_AT_REST = 100
"""In MB; a goal."""
_MOST_BESIDE_CACHE = 40
_CACHE_MB = "GQLSTOCK_CACHE_MB"
_DEFAULT_CACHE_MB = 64

_LIST = 10
_DOCUMENT_EVERY = 10
_DOCUMENT = """query Q{number} {{ product(sku: "{sku}") {{ id sku name description images {{ url alt }}
  availability {{ status orderable salableQuantity onlyLeft lowInventory message }}
}} }}"""


@dataclass(frozen=True, slots=True)
class Memory:
    """In MB. ``cache``: the size of the cache according to the server; None if it has no such metric."""

    requests: int
    at_rest: float
    after: float
    cache: float | None
    cache_limit: int

    @property
    def allowed(self) -> float:
        """The limit at the end."""
        return self.at_rest + self.cache_limit + _MOST_BESIDE_CACHE


def measure(place: Place, requests: int) -> Memory:
    """One worker on a copy of the shop."""
    with databases.copied(place, "shop", "ours") as url, serving.ours(url) as server:
        at_rest = server.memory()
        client.ask(server.port, _different(requests), CLIENTS, math.inf)
        after, cache = server.memory(), server.cache()
    limit = int(os.environ.get(_CACHE_MB, _DEFAULT_CACHE_MB))
    return Memory(requests, at_rest, after, cache.size / 2**20 if cache else None, limit)


def _different(count: int) -> Iterator[bytes]:
    """Public requests: one in ten has a different document, the others have different variables."""
    drawn = random.Random(count)
    for number in range(count):
        if number % _DOCUMENT_EVERY == 0:
            query, variables = _DOCUMENT.format(number=number, sku=shop.single(number % reads.ITEMS)), {}
        else:
            skus = [shop.single(one) for one in drawn.sample(range(reads.ITEMS), _LIST)]
            query, variables = AVAILABILITIES, {"skus": skus}
        yield questions.http("POST", "/graphql", None, {"query": query, "variables": variables})
