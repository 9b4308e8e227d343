"""Clients that continue through faults. Unanswered calls are recorded as such, and may be retried with the same key.

An error must say what became of the call: it was committed, nothing was changed, or that is unknown. Any other error is a
problem, during a fault too.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from support import stock_load
from support.history import UNANSWERED, Call, Group
from support.plain_http import PlainClient
from support.server_processes import Server
from support.stock_clients import RETRYABLE, ErrorAnswer, Recorder, Shelf
from support.stock_shoppers import Shopper

CLIENTS = 24
# The mutations that take an idempotency key.
_KEYED = (*RETRYABLE, "count", "announce", "hold", "cancel", "take_back", "pack")
# Without a key, it is unknown afterwards whether an unanswered one of these happened.
_UNTRACED = ("announce", "hold", "edit", "move", "cancel", "take_back", "pack")
_CHANCE_OF_KEY = 0.7
_CHANCE_OF_RETRY = 0.8
_RETRIES = 3
_PATIENCE = 6.0
# The error of a call whose COMMIT was not answered.
_UNKNOWN = "It is unknown whether the change was committed."
# An expiry is not a mutation. Counts as of an earlier moment need a steady clock.
_EXCLUDED = ("expire", "count_late")
CHANCES: Mapping[str, Mapping[str, int]] = {
    # All groups have looks, because no hold expires.
    group: {"look": 6} | {step: weight for step, weight in steps.items() if step not in _EXCLUDED}
    for group, steps in stock_load.CHANCES.items()
}


class NoAnswer(Exception):
    """A call was answered with an error or not at all. It may have happened, or may still happen."""

    def __init__(self, call: Call) -> None:
        self.call = call
        super().__init__(str(call))


@dataclass(frozen=True)
class Failure:
    """A call that ended without its answer. ``start``: when the call began, in monotonic seconds."""

    start: float
    call: str
    reason: str


@dataclass
class RetryingRecorder(Recorder):
    """Times out calls, and retries those with a key. ``may_lose``: whether the database may lose confirmed changes. Then each
    mutation that takes a key gets one."""

    may_lose: bool = False
    confirmed: list[tuple[float, int]] = field(default_factory=list)
    """When mutations were confirmed, and by which server."""
    failures: list[Failure] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Answers that no fault excuses."""
    running: int = 0
    """The number of mutations that were sent or will be retried."""
    histories: int = 1
    """Increases when the database may have lost objects that clients know."""

    def _takes_key(self, name: str) -> bool:
        if name not in _KEYED:
            return False
        return self.may_lose or name in _UNTRACED or self.chance.random() < _CHANCE_OF_KEY

    async def _send(self, call: Call, asked: dict[str, Any], at: int) -> Call:
        self.running += 1
        try:
            return await self._send_with_retries(call, asked, at)
        finally:
            self.running -= 1

    async def _send_with_retries(self, call: Call, asked: dict[str, Any], at: int) -> Call:
        known = self.histories
        for attempt in range(_RETRIES + 1):
            try:
                answered = await super()._send(call, asked, at + attempt)
            except NoAnswer:
                if call.key is None or self.over or attempt == _RETRIES or self.chance.random() > _CHANCE_OF_RETRY:
                    raise
                await asyncio.sleep(self.chance.uniform(0.05, 0.5))
                # If the history is another, the objects that the call names may be lost.
                if self.over or self.histories != known:
                    raise
                call = Call(call.group, call.name, call.given, call.tag, call.key)
            else:
                if not answered.refusals:
                    self.confirmed.append((answered.end, (at + attempt) % len(self.servers)))
                return answered
        raise AssertionError("unreachable")

    async def _post(self, call: Call, at: int, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(_PATIENCE):
                data = await super()._post(call, at, query, variables)
        except ErrorAnswer as answer:
            self._record_errors(call, answer.args[0]["errors"])
            raise NoAnswer(call) from answer
        except ValueError as error:
            self.problems.append(f"{call} was answered with something else than JSON: {getattr(error, 'doc', error)!r}")
            raise self._failed(call, repr(error)) from error
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise self._failed(call, type(error).__name__) from error
        if _lacks_object(data):
            if self.may_lose:
                # The database lost the object after the commit, before it was read for the answer.
                call.end = UNANSWERED
            else:
                call.refusals = ()
                self.problems.append(f"{call} was confirmed without its object")
            raise self._failed(call, "no object in the answer")
        return data

    def _record_errors(self, call: Call, errors: list[dict[str, Any]]) -> None:
        """Record what errors say about a call: that it was committed, that it changed nothing, or that this is unknown."""
        self._failed(call, errors[0]["message"])
        extensions = [error.get("extensions", {}) for error in errors]
        if any(one.get("committed") for one in extensions):
            call.end, call.refusals = time.monotonic(), ()
        elif all("retryAfter" in one for one in extensions):
            self.calls.remove(call)
        for error, one in zip(errors, extensions, strict=True):
            if "retryAfter" not in one and _UNKNOWN not in error["message"]:
                self.problems.append(f"{call} was answered with {error}")

    def _failed(self, call: Call, reason: str) -> NoAnswer:
        self.failures.append(Failure(call.start, str(call), reason))
        return NoAnswer(call)

    async def announced(self, tag: str) -> int | None:
        # The database may be unavailable. The checker finds the announcement later.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_PATIENCE):
                return await super().announced(tag)
        return None


def _lacks_object(data: Mapping[str, Any]) -> bool:
    """Whether a mutation was confirmed without the object that it made or changed."""
    return any(payload and payload.get("userErrors") == [] and None in payload.values() for payload in data.values())


class RetryingShopper(Shopper):
    async def work(self) -> None:
        while not self._record.over:
            try:
                await self.step()
            except NoAnswer:
                await asyncio.sleep(self._chance.uniform(0.05, 0.3))

    async def update(self, shelf: Shelf) -> None:
        """Stop using an announcement after an unanswered update: its final state then shows whether that update happened."""
        try:
            await super().update(shelf)
        except NoAnswer as unknown:
            shelf.announcements[:] = [one for one in shelf.announcements if one[0] != unknown.call.given["id"]]
            raise


class Load:
    """Clients that change their own set of items, from ``start`` until ``stop``. ``label``: unique per database."""

    def __init__(self, servers: list[Server], token: str, label: str, seed: int, *, may_lose: bool = False) -> None:
        self.groups: dict[str, Group] = {}
        self.shelves: list[Shelf] = []
        self.label = label
        self._http = PlainClient(token)
        self.record = RetryingRecorder(
            self._http, servers, random.Random(seed), until=float("inf"), label=label, may_lose=may_lose
        )
        self._working: list[asyncio.Task[None]] = []

    async def stock(self) -> None:
        """Create the items. The database must be open."""
        items = {
            name: {f"{sku}-{self.label.upper()}": rules for sku, rules in group.items()}
            for name, group in stock_load.GROUPS.items()
        }
        self.groups = await stock_load.stock(items)
        self.shelves = [Shelf(name, group) for name, group in self.groups.items()]

    def start(self, clients: int = CLIENTS) -> None:
        self._working = [
            asyncio.create_task(RetryingShopper(self.record, self.shelves, CHANCES, 12).work()) for _ in range(clients)
        ]

    def forget(self) -> None:
        """Make clients forget their orders, shipments, holds and announcements, which the database may have lost."""
        self.record.histories += 1
        for shelf in self.shelves:
            for known in (shelf.orders, shelf.shipments, shelf.holds, shelf.announcements):
                known.clear()
            shelf.on_hand.clear()

    async def stop(self) -> list[str]:
        """Stop the clients, and wait for the last answers. Returns why clients ended early."""
        self.record.until = 0
        ended = await asyncio.gather(*self._working, return_exceptions=True)
        while self.record.running:
            await asyncio.sleep(0.02)
        with contextlib.suppress(OSError):
            await self._http.close()
        return [f"a client ended: {error!r}" for error in ended if error is not None]

    def keyed_since(self, moment: float) -> int:
        """The number of confirmed calls with a key that began after a moment."""
        return sum(call.key is not None and call.refusals == () and call.start > moment for call in self.record.calls)

    async def recovered_after(self, moment: float, patience: float) -> float:
        """Wait until each server has confirmed a mutation after a moment. Returns the seconds between the two."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            first: dict[int, float] = {}
            for end, server in self.record.confirmed:
                if end > moment:
                    first.setdefault(server, end)
            if len(first) == len(self.record.servers):
                return max(first.values()) - moment
            await asyncio.sleep(0.02)
        reasons = dict(Counter(failure.reason for failure in self.record.failures))
        raise AssertionError(f"not all servers confirmed a mutation within {patience:.0f} seconds: {reasons}")

    def unanswered_since(self, moment: float) -> list[str]:
        """The calls that began after a moment and got no answer."""
        return [f"{one.call}: {one.reason}" for one in self.record.failures if one.start > moment]
