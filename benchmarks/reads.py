"""The questions that read, each about many subjects, and how they are asked: cold, mixed and hot.

A subject is what one request is about: an item, a page, a list of SKUs. Popularity falls by rank (Zipf, s = 1), for what
is asked and for what is ordered.
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

# Each question has one more subject, of items that no other subject shows.
SINGLES = ITEMS + _LIST
COMBINATIONS = 4
PRODUCTS = (_COMBINATION_PAGES + 1) * PAGE_SIZE

ORDERS_PER_SECOND = 100.0
_DRAWS = 20_000
_SEED = 16


class Temperature(StrEnum):
    """In the order in which they are asked: what cold requests leave in memory is there for the mixed ones."""

    COLD = "cold"
    """Each subject for the first time."""
    MIXED = "mixed"
    """Subjects by their popularity, while orders change their stock."""
    HOT = "hot"
    """The most popular subject, again and again."""


@dataclass(frozen=True, slots=True)
class Read:
    """A question with its goals: the share of the rate by hand that ours should reach.

    The question's requests are about one subject each, the most popular first; the last one is not asked when something is
    measured. ``sold``: the SKUs of each subject that are ordered in mixed turns.
    """

    question: Question
    sold: Sequence[Sequence[str]]
    goals: Mapping[Temperature, float]

    def popular(self) -> list[int]:
        """Subjects as they are asked in mixed turns, the same each time."""
        return self._drawn(Random(_SEED), _DRAWS)

    def ours_ordered(self, token: str) -> list[bytes]:
        return questions.graphql(ORDER, [{"input": {"lines": lines}} for lines in self._orders()])(token)

    def by_hand_ordered(self, token: str) -> list[bytes]:
        return questions.post("/orders", self._orders())(token)

    def _orders(self) -> list[list[dict[str, Any]]]:
        """Orders of two lines, the same each time."""
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
    """The variables of the page that begins with this product."""
    before = _before(start)
    return {"category": shop.category_of_single(start), "after": _cursor(before) if before >= 0 else None}


def _path_of_singles(start: int) -> str:
    slug, before = shop.category_of_single(start), _before(start)
    return f"{slug}/behind/{quote(shop.single_name(before))}/{_id(before)}" if before >= 0 else slug


def _before(start: int) -> int:
    """The last product of the page before, in the same category; below 0 where this is the first page."""
    return start - PAGE_SIZE * (shop.SINGLE_CATEGORIES - 1) - 1


def _cursor(number: int) -> str:
    """The cursor of a product in a list by name."""
    position = ["item", "name", 0, _id(number), shop.single_name(number)]
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode()


def _id(number: int) -> int:
    """The id of a product without options: the others are inserted before it."""
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
