"""Injects most faults for a few seconds under load. ``scripts/chaos`` injects all of them, for longer, and planted bugs."""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chaos.deliveries import message_problems
from chaos.faults import FAULTS
from chaos.followers import Segment, feed_problem, state_problems
from chaos.load import Load, NoAnswer, RetryingRecorder
from chaos.tail import Tail, split
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as shipment_rules
from gqlstock.rules.feed import Cursor
from gqlstock.store.db import clock
from support import saved_history
from support.history import Call, Group
from support.stock_clients import Shelf
from support.stock_evidence import Evidence, Kept
from support.webhook_receiver import Received

HOME = Path(__file__).parents[2]
# Other tests cover their parts, and each takes some ten seconds.
ONLY_BY_HAND = ("redis-hangs", "deliveries-refused", "server-killed-sqlite")
ENTRIES = [Cursor(0, tx, tx, 7 * tx) for tx in range(1, 6)]
LOST = Cursor(0, 4, 4, 1)
"""The cursor of an entry at the same position in another history."""


@pytest.mark.skipif("GQLSTOCK_TEST_DATABASE_URL" not in os.environ, reason="needs GQLSTOCK_TEST_DATABASE_URL")
def test_no_fault_loses_a_confirmed_change_or_sells_a_unit_twice() -> None:
    path = {"PYTHONPATH": os.pathsep.join([str(HOME / "tests"), os.environ.get("PYTHONPATH", "")])}
    chosen = [fault.name for fault in FAULTS if fault.name not in ONLY_BY_HAND]
    command = [sys.executable, "-m", "chaos", "--minutes", "0", "--only", *chosen]

    done = subprocess.run(command, env={**os.environ, **path}, cwd=HOME, capture_output=True, text=True, timeout=900)

    assert done.returncode == 0, done.stdout + done.stderr
    skipped = [line for line in done.stdout.splitlines() if line.startswith("skipped")]
    # Only root can mount disks. No other fault may be skipped.
    assert [line for line in skipped if "needs root" not in line] == []


def segment(*cursors: Cursor, start: Cursor = ENTRIES[0], refused: bool = False) -> Segment:
    return Segment(start.text, [cursor.text for cursor in cursors], refused)


@pytest.mark.parametrize(
    ("received", "problem"),
    [
        (segment(*ENTRIES[1:]), None),
        (segment(*ENTRIES[1:4]), "3 of 4 changes were received"),
        (
            segment(*ENTRIES[1:3], *ENTRIES[4:]),
            "a change is missing or out of order",
        ),
        (segment(*ENTRIES[2:]), "a change is missing or out of order"),
        (segment(*ENTRIES[1:3], *ENTRIES[2:]), "1 changes were received twice"),
        (segment(*ENTRIES[1:3], refused=True), "INVALID_CURSOR, but the cursor is in the database"),
    ],
)
@pytest.mark.parametrize("may_lose", [False, True])
def test_received_changes_are_compared_with_the_database(
    received: Segment, problem: str | None, may_lose: bool
) -> None:
    assert feed_problem(received, ENTRIES, set(ENTRIES), last=True, may_lose=may_lose) == problem


@pytest.mark.parametrize(
    ("received", "problem"),
    [
        (segment(*ENTRIES[1:3], LOST, refused=True), None),
        (segment(ENTRIES[1], LOST, *ENTRIES[2:]), None),
        (
            segment(*ENTRIES[1:], LOST),
            "the last received change is not in the database, but its cursor was not refused",
        ),
    ],
)
def test_received_changes_may_be_missing_only_from_a_database_that_may_lose_changes(
    received: Segment, problem: str | None
) -> None:
    assert feed_problem(received, ENTRIES, set(ENTRIES), last=True, may_lose=True) == problem
    assert feed_problem(received, ENTRIES, set(ENTRIES), last=True) == "1 received changes are not in the database"


def answered(tag: str, start: float, *, key: bool = True, refusals: tuple[tuple[str, int | None], ...] = ()) -> Call:
    return Call("counted", "adjust", {}, tag, tag if key else None, start, start + 1, refusals)


def test_calls_confirmed_before_replication_stopped_are_not_reported_as_lost() -> None:
    early, lost, later = answered("a", 1), answered("b", 10), answered("c", 20)

    found = split([early, lost, later], {"counted": Evidence()}, Tail(since=10, until=15))

    assert (found.kept, found.lost, found.problems) == ([early, later], [lost], [])


def test_refusals_before_the_promotion_are_not_checked_and_calls_without_a_key_become_optional() -> None:
    refused, unknown = answered("a", 10, refusals=(("INVALID_STATE", None),)), answered("b", 10, key=False)

    found = split([refused, unknown], {"counted": Evidence()}, Tail(since=10, until=15))

    assert [(call.tag, call.optional) for call in found.kept] == [("b", True)]
    assert found.lost == []


def test_a_call_on_a_lost_object_may_have_changed_the_one_that_got_its_id() -> None:
    ship = Call("cups", "ship", {"id": 1}, "a", None, 10)
    evidence = {"cups": Evidence(), "mugs": Evidence(shipments={1: (5, "BERLIN", "SHIPPED")})}

    found = split([ship], evidence, Tail(since=10, until=15))

    assert [(call.group, call.tag) for call in found.kept] == [("mugs", "a")]


def test_a_kept_call_that_began_after_a_lost_one_was_confirmed_is_a_problem() -> None:
    lost, later = answered("a", 10), answered("b", 12)
    evidence = Evidence(kept={"b": Kept(None, clock.now().replace(year=2000), 1)})

    found = split([lost, later], {"counted": evidence}, Tail(since=10, until=15))

    assert found.lost == [lost]
    assert [problem.partition(" ")[0] for problem in found.problems] == ["b"]


Answer = Callable[[], Any]
SHELF = Shelf("mugs", Group({}, (), {}))
SERVERS: Any = [SimpleNamespace(port=1), SimpleNamespace(port=2)]


class Http:
    """Gives one answer after another, and repeats the last one."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.posts = 0

    async def post(self, port: int, query: str, variables: dict[str, Any]) -> Any:
        self.posts += 1
        # The first one is the first to fail.
        await asyncio.sleep(0.01 * self.posts)
        return (self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])()

    async def close(self) -> None:
        pass


def errors(message: str, **extensions: Any) -> Answer:
    return lambda: {"errors": [{"message": message, "extensions": {"code": "INTERNAL", **extensions}}]}


def confirmed(**fields: Any) -> Answer:
    return lambda: {"data": {"createShipment": {"userErrors": [], **fields}}}


def no_json() -> Any:
    return json.loads("Internal Server Error")


async def recorded(answer: Answer, *, may_lose: bool = False) -> RetryingRecorder:
    """The record of a call to create a shipment that is not retried."""
    http: Any = Http(answer)
    record = RetryingRecorder(http, SERVERS, random.Random(0), until=0, may_lose=may_lose)
    with contextlib.suppress(NoAnswer):
        await record.do(SHELF, "pack", {"order": 1}, {})
    return record


OUTCOMES = [
    (errors("The database is unavailable.", retryAfter=2), [], None),
    (errors("It is unknown whether the change was committed."), [None], None),
    (errors("Internal error.", committed=True, retryAfter=2), [()], None),
    (errors("Internal error."), [None], "was answered with {'message': 'Internal error.'"),
    (errors("Internal error.", committed=True), [()], "was answered with {'message': 'Internal error.'"),
    (no_json, [None], "was answered with something else than JSON: 'Internal Server Error'"),
    (confirmed(shipment=None), [()], "was confirmed without its object"),
]


@pytest.mark.parametrize(("answer", "refusals", "problem"), OUTCOMES)
async def test_errors_must_say_what_became_of_a_call(answer: Answer, refusals: list[Any], problem: str | None) -> None:
    record = await recorded(answer)

    assert [call.refusals for call in record.calls] == refusals
    assert [(problem or "") in one for one in record.problems] == ([True] if problem else [])
    assert len(record.failures) == 1


async def test_only_a_database_that_may_lose_changes_may_lack_a_confirmed_object() -> None:
    record = await recorded(confirmed(shipment=None), may_lose=True)

    assert record.problems == []
    assert [call.optional for call in record.calls] == [True]


class KeyedRecorder(RetryingRecorder):
    def _takes_key(self, name: str) -> bool:
        return True


async def calls_after_stop(seed: int) -> int:
    """Of two concurrent attempts, one fails, and the other is about to be retried when the load stops."""

    def broken() -> Any:
        raise OSError

    http: Any = Http(broken)
    load = Load(SERVERS, "token", "load", seed)
    load.record = KeyedRecorder(http, SERVERS, random.Random(seed), until=float("inf"))

    async def work() -> None:
        with contextlib.suppress(NoAnswer):
            await load.record.do(SHELF, "adjust", {}, {})

    load._working = [asyncio.create_task(work())]
    await asyncio.sleep(0.025)
    await load.stop()
    before = http.posts
    await asyncio.sleep(0.6)
    return int(http.posts - before)


async def test_no_call_is_sent_after_the_load_has_stopped() -> None:
    assert await asyncio.gather(*map(calls_after_stop, range(40))) == [0] * 40


async def test_a_client_that_ends_early_is_a_problem() -> None:
    async def work() -> None:
        raise TypeError("no lines")

    load = Load(SERVERS, "token", "load", 0)
    load._working = [asyncio.create_task(work())]

    assert await load.stop() == ["a client ended: TypeError('no lines')"]


async def test_recovered_means_that_every_server_confirms_mutations() -> None:
    load = Load(SERVERS, "token", "load", 0)
    load.record.confirmed += [(9.0, 1), (11.0, 0), (12.0, 0)]

    with pytest.raises(AssertionError, match="not all servers confirmed a mutation"):
        await load.recovered_after(10, patience=0.1)
    load.record.confirmed += [(14.5, 1), (16.0, 1)]

    assert await load.recovered_after(10, patience=0.1) == 4.5


def message(id: str, kind: str, **data: Any) -> Received:
    return Received("/", {"webhook-id": id}, json.dumps({"type": kind, "data": data}))


def shipped(id: str, before: str | None, state: str) -> Received:
    return message(
        id, "shipment.updated", shipment={"number": shipment_rules.number(7)}, stateBefore=before, state=state
    )


PLACED = message("a", "order.placed", order={"number": order_rules.number(5)})
PACKED, GONE = shipped("b", None, "READY"), shipped("c", "READY", "SHIPPED")


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([PLACED, PACKED, GONE], None),
        ([PACKED, GONE, PACKED, PLACED, PLACED], None),
        ([PACKED, GONE], "1 orders have no webhook message"),
        ([PLACED, GONE, PACKED], "the messages told [('READY', 'SHIPPED'), (None, 'READY')]"),
        ([PLACED, PACKED], "the messages told [(None, 'READY')]"),
        ([PLACED, GONE], "the messages told [('READY', 'SHIPPED')]"),
        ([PLACED], "the messages told []"),
    ],
)
def test_webhook_messages_are_compared_with_orders_and_shipments(messages: list[Received], problem: str | None) -> None:
    evidence = Evidence(orders={5: ("SHIPPED", [])}, shipments={7: (5, "BERLIN", "SHIPPED")})

    found = message_problems(messages, evidence)

    assert [(problem or "") in one for one in found] == ([True] if problem else [])


def test_the_states_that_subscribers_saw_last_are_compared_with_the_database() -> None:
    final = {("MUG", "BERLIN"): 5, 7: "PLACED"}

    assert state_problems({**final, ("CUP", "BERLIN"): 1}, final) == []
    assert state_problems({("MUG", "BERLIN"): 6}, final) == [
        "the last change of ('MUG', 'BERLIN') showed 6, not 5",
        "the last change of 7 showed None, not PLACED",
    ]


def test_a_saved_history_is_checked_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = Call("mugs", "adjust", {"rows": []}, "a", "a", 1, 2, ())
    saved_history.save(
        tmp_path / "history",
        [lost],
        {"mugs": SHELF.group, "cups": SHELF.group},
        {"mugs": Evidence(), "cups": Evidence()},
    )

    assert saved_history.main([str(tmp_path / "history")]) == 1
    assert "the database has no answer under its key" in capsys.readouterr().out
    assert saved_history.main([str(tmp_path / "history"), "--only", "cups"]) == 0
