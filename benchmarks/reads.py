"""The benchmarked reads, each with many subjects, and how they are requested: cold, mixed and hot.

A subject is what one request is about: an item, a page or a list of SKUs. Popularity follows Zipf's law (s = 1), for reads
and for orders.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from random import Random
from typing import Any
from urllib.parse import quote

import questions
import shop
from questions import AVAILABILITIES, LISTING, ONE, ORDER, PAGE, Question
from shop import PAGE_SIZE

ITEMS = 10_000
"""The items that are asked for one by one, on pages of 24 and in lists of 100."""
_LIST = 100
_COMBINATION_PAGES = 100

# Each read has one more subject, with items that no other subject contains.
SINGLES = ITEMS + _LIST
COMBINATIONS = 4
PRODUCTS = (_COMBINATION_PAGES + 1) * PAGE_SIZE

ORDERS_PER_SECOND = 100.0
_DRAWS = 20_000
_SEED = 16


class Temperature(StrEnum):
    """In the order of measurement: mixed requests find what cold ones left in the cache."""

    COLD = "cold"
    """Each subject for the first time."""
    MIXED = "mixed"
    """Subjects by their popularity, while orders change their stock."""
    HOT = "hot"
    """The most popular subject, repeatedly."""


@dataclass(frozen=True, slots=True)
class Read:
    """A read with its goals: the share of the hand-written code's rate that gqlstock should reach.

    Each request is about one subject, the most popular first. The last one is not used in measurements. ``sold``: the
    SKUs of each subject that are ordered in mixed turns.
    """

    question: Question
    sold: Sequence[Sequence[str]]
    goals: Mapping[Temperature, float]

    def popular(self) -> list[int]:
        """The subjects requested in mixed turns. Always the same sequence."""
        return self._drawn(Random(_SEED), _DRAWS)

    def ours_ordered(self, token: str) -> list[bytes]:
        return questions.graphql(ORDER, [{"input": {"lines": lines}} for lines in self._orders()])(token)

    def by_hand_ordered(self, token: str) -> list[bytes]:
        return questions.post("/orders", self._orders())(token)

    def _orders(self) -> list[list[dict[str, Any]]]:
        """Orders of two lines. Always the same sequence."""
        random = Random(_SEED + 1)
        skus = [random.choice(self.sold[subject]) for subject in self._drawn(random, _DRAWS)]
        pairs = zip(skus[::2], skus[1::2], strict=True)
        return [[{"sku": sku, "quantity": 1} for sku in pair] for pair in pairs if pair[0] != pair[1]]

    def _drawn(self, random: Random, count: int) -> list[int]:
        weights = list(accumulate(1 / rank for rank in range(1, len(self.sold))))
        return random.choices(range(len(weights)), cum_weights=weights, k=count)


def _goals(hot: float, mixed: float, cold: float) -> dict[Temperature, float]:
    return {Temperature.HOT: hot, Temperature.MIXED: mixed, Temperature.COLD: cold}


def _one() -> Read:
    skus = [shop.single(number) for number in range(ITEMS + 1)]
    ours = questions.graphql(ONE, [{"sku": sku} for sku in skus])
    question = Question("one", "one product with availability", "reads", ours, questions.get("/products/", skus))
    return Read(question, [[sku] for sku in skus], _goals(0.8, 0.6, 0.25))


def _listing() -> Read:
    # The first pages of all categories, then the second ones, and so on.
    starts = [*range(0, ITEMS - PAGE_SIZE + 1, PAGE_SIZE), SINGLES // PAGE_SIZE * PAGE_SIZE - PAGE_SIZE]
    ours = questions.graphql(LISTING, [_page_of_singles(start) for start in starts])
    by_hand = questions.get("/categories/", [_path_of_singles(start) for start in starts])
    question = Question("listing", "24 products with availability", "reads", ours, by_hand)
    sold = [[shop.single(start + n) for n in range(PAGE_SIZE)] for start in starts]
    return Read(question, sold, _goals(4, 2, 0.3))


def _page_of_singles(start: int) -> dict[str, Any]:
    """The variables of the page that starts with this product."""
    before = _before(start)
    return {"category": shop.category_of_single(start), "after": _cursor(before) if before >= 0 else None}


def _path_of_singles(start: int) -> str:
    slug, before = shop.category_of_single(start), _before(start)
    return f"{slug}/behind/{quote(shop.single_name(before))}/{_id(before)}" if before >= 0 else slug


def _before(start: int) -> int:
    """The last product of the previous page in the same category; negative on the first page."""
    return start - PAGE_SIZE * (shop.SINGLE_CATEGORIES - 1) - 1


def _cursor(number: int) -> str:
    """The cursor of a product in a list by name."""
    position = ["item", "name", 0, _id(number), shop.single_name(number)]
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode()


def _id(number: int) -> int:
    """The id of a product without options. The others are inserted first."""
    return 1 + PRODUCTS * (1 + COMBINATIONS) + number


def _page() -> Read:
    pages = range(_COMBINATION_PAGES + 1)
    slugs = [shop.products_page(page) for page in pages]
    ours = questions.graphql(PAGE, [{"category": slug} for slug in slugs])
    by_hand = questions.get("/pages/", slugs)
    question = Question("page", "24 products × 4 combinations", "reads", ours, by_hand)
    sold = [[shop.first_combination(page * PAGE_SIZE + n) for n in range(PAGE_SIZE)] for page in pages]
    return Read(question, sold, _goals(10, 3, 0.2))


def _many() -> Read:
    lists = [[shop.single(start + n) for n in range(_LIST)] for start in range(0, SINGLES, _LIST)]
    ours = questions.graphql(AVAILABILITIES, [{"skus": skus} for skus in lists])
    by_hand = questions.post("/availabilities", lists)
    question = Question("many", "availability of 100 SKUs", "reads", ours, by_hand)
    return Read(question, lists, _goals(4, 2, 0.2))


ALL = (_one(), _listing(), _page(), _many())
