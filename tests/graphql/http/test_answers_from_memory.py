"""Answers from memory are, byte for byte, those of a server that keeps nothing, after whatever has happened.

About GQLSTOCK_TEST_READS answers are compared, 2,000 unless it says otherwise. With more of them more bugs are planted.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import httpx
import pytest
from graphql import GraphQLObjectType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import NewDatabase
from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.stock import cache
from gqlstock.stock.cache import ANSWER, Cache
from gqlstock.store.db import clock
from support.graphql_client import Client
from support.planted_stale_reads import BUGS
from support.shop_history import NEVER_HERE, OFTEN, STEPS, ShopHistory, Time
from support.shop_questions import BERLIN, SCHEMA, SCOPES, Question, all_questions

READS = int(os.environ.get("GQLSTOCK_TEST_READS", "2000"))
QUESTIONS = all_questions()
_JSON = {"content-type": "application/json"}


class NotTheSame(AssertionError):
    """The answer of a server that keeps nothing is another."""


class Asker:
    """Asks as each caller."""

    def __init__(self, client: Client, kept: Cache, counted: Counter[str]) -> None:
        self._client = client
        self._kept = kept
        self._tokens: dict[str, str] = {}
        self.counted = counted

    async def begin(self) -> None:
        for caller, scopes in SCOPES.items():
            client = self._client.within("BERLIN") if caller == BERLIN else self._client
            self._tokens[caller] = await client.token(*scopes)

    async def ask(self, question: Question) -> bytes:
        token = self._tokens.get(question.caller)
        headers = {**_JSON, "authorization": f"Bearer {token}"} if token else _JSON
        return (await self._client.http.post("/graphql", content=question.body, headers=headers)).content

    async def compare(self, question: Question) -> None:
        """With the answer of a server that keeps nothing."""
        hits = self._kept.counts[ANSWER].hits
        answer = await self.ask(question)
        self.counted["hits"] += self._kept.counts[ANSWER].hits - hits
        with cache.replaced(Cache(0)):
            expected = await self.ask(question)
        if answer != expected:
            raise NotTheSame(question, answer, expected)
        self.counted["reads"] += 1

    async def compare_twice(self, question: Question) -> None:
        """An answer without errors is kept, unless it has something that never is."""
        first = await self.ask(question)
        hits = self._kept.counts[ANSWER].hits
        await self.compare(question)
        assert self._kept.counts[ANSWER].hits - hits == (question.keeps and b'"errors"' not in first), question


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Of one application for all lives, which compiles each document once."""
    app = create_app(replace(Config.from_env(os.environ), public_orders=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as found:
        yield found


async def life(
    new_database: NewDatabase,
    http: httpx.AsyncClient,
    steps: Sequence[tuple[str, int]],
    questions_of: Callable[[random.Random, str], Sequence[Question]],
    counted: Counter[str],
) -> set[str]:
    """Compare answers that are kept before each of these steps. Returns the mutations that changed something."""
    kept, time, chance = Cache(16_000_000), Time(), random.Random(0)
    async with new_database():
        with clock.replaced(time), cache.everywhere(kept):
            client = Client(http)
            history, asker = ShopHistory(client, time), Asker(client, kept, counted)
            await history.begin()
            await asker.begin()
            for name, number in steps:
                questions = questions_of(chance, name)
                for question in questions:
                    await asker.ask(question)
                await history.step(name, number)
                for question in questions:
                    await asker.compare(question)
            for question in questions_of(chance, ""):
                await asker.compare_twice(question)
            return history.done


_ANY_STEPS = st.lists(st.tuples(st.sampled_from([*STEPS, *OFTEN]), st.integers(0, 2**32 - 1)), max_size=10)


async def test_after_any_history_they_are_those_of_a_server_that_keeps_nothing(
    new_database: NewDatabase, http: httpx.AsyncClient
) -> None:
    counted = Counter[str]()
    loop = asyncio.get_running_loop()

    @settings(max_examples=max(2, READS // 250), deadline=None, suppress_health_check=list(HealthCheck))
    @given(_ANY_STEPS, st.integers(0, 2**32 - 1))
    def live(steps: Sequence[tuple[str, int]], number: int) -> None:
        questions = random.Random(number).sample(QUESTIONS, 24)
        lived = life(new_database, http, steps, lambda *_: questions, counted)
        asyncio.run_coroutine_threadsafe(lived, loop).result()

    await asyncio.to_thread(live)

    assert counted["hits"] > counted["reads"] / 4, counted


async def tour(new_database: NewDatabase, http: httpx.AsyncClient, counted: Counter[str]) -> set[str]:
    """A life of every step, and of what ends by itself. Returns the mutations that changed something."""
    steps = [(name, number) for number in range(2) for name in STEPS]
    steps += [(name, number) for number in range(3) for name in ("set_date", "count_and_hold", "wait", "wait")]

    def questions(chance: random.Random, step: str) -> Sequence[Question]:
        return QUESTIONS if not step else chance.sample(QUESTIONS, 30 if step == "wait" else 8)

    return await life(new_database, http, steps, questions, counted)


async def test_after_every_mutation_they_are_those_of_a_server_that_keeps_nothing(
    new_database: NewDatabase, http: httpx.AsyncClient
) -> None:
    counted = Counter[str]()

    done = await tour(new_database, http, counted)

    assert isinstance(SCHEMA.mutation_type, GraphQLObjectType)
    assert SCHEMA.mutation_type.fields.keys() - done == NEVER_HERE
    assert counted["hits"] > counted["reads"] / 4, counted


@pytest.mark.parametrize("bug", list(BUGS)[: max(2, READS // 1_000 - 1)])
async def test_a_bug_that_keeps_what_is_not_current_is_found(
    new_database: NewDatabase, http: httpx.AsyncClient, bug: str
) -> None:
    with BUGS[bug](), pytest.raises(NotTheSame):
        await tour(new_database, http, Counter())
